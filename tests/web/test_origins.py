"""Which pages may call the API from a browser (CORS)."""

from collections.abc import AsyncIterator
from dataclasses import replace

import httpx2
import pytest

from app import create_app
from settings import Settings
from tests.driving import Service
from web.correlation import HEADER
from web.graphql_http import PREFLIGHT_HEADERS
from web.origins import Origins

APP = "https://app.example.com"
LOCAL = [
    "http://localhost:5173",
    "http://localhost",
    "https://localhost:3000",
    "http://127.0.0.1:80",
    "http://[::1]:4321",
]
OTHERS = [
    "null",
    "",
    "https://evil.example.com",
    "http://app.example.com",
    "https://app.example.com:8443",
    "https://app.example.com.evil.com",
    "http://localhost.evil.com",
    "http://localhost:5173.evil.com",
    "http://localhost:5173\n",
    "http://127.0.0.2",
    "http://evil@localhost",
    "ws://localhost",
]


def asking(origin: str, *, method: str = "POST", headers: str = "authorization,content-type") -> dict[str, str]:
    """What a browser asks before it sends a page's request."""
    names = {"Method": method, "Headers": headers}
    return {"Origin": origin} | {f"Access-Control-Request-{name}": value for name, value in names.items()}


@pytest.fixture
async def http(settings: Settings) -> AsyncIterator[httpx2.AsyncClient]:
    """A service that pages of one origin may call."""
    app = create_app(replace(settings, allowed_origins=(APP,)))
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://service") as client:
        yield client


def test_the_pages_named_and_our_own_are_allowed_and_no_others(settings: Settings):
    origins = Origins(replace(settings, allowed_origins=(APP,), public_url="https://Meet.example.com:443/base"))
    assert origins.allows(APP)
    assert origins.allows("https://meet.example.com")
    assert not any(map(origins.allows, [*OTHERS, *LOCAL]))


def test_in_a_sandbox_so_is_whatever_runs_on_this_machine(settings: Settings):
    origins = Origins(replace(settings, sandbox=True))
    assert all(map(origins.allows, LOCAL))
    assert not any(map(origins.allows, [*OTHERS, APP]))


async def test_a_page_that_is_allowed_may_send_what_clients_send(http: httpx2.AsyncClient):
    for header in ("authorization", "content-type", *PREFLIGHT_HEADERS):
        for method in ("GET", "POST"):
            answer = await http.options("/graphql", headers=asking(APP, method=method, headers=header))
            assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, APP)
            assert "access-control-allow-credentials" not in answer.headers


async def test_a_page_that_is_allowed_may_read_the_answer_and_its_id_also_of_a_failure(http: httpx2.AsyncClient):
    for path in ("/health", "/graphql", "/ready"):  # without a database and a Redis, the last one fails
        answer = await http.get(path, headers={"Origin": APP})
        assert answer.headers["access-control-allow-origin"] == APP
        assert answer.headers["access-control-expose-headers"] == HEADER
        assert answer.headers[HEADER]
    assert answer.status_code == 500


@pytest.mark.parametrize("origin", [*(each for each in OTHERS if each.isprintable()), *LOCAL])
async def test_another_page_may_neither_send_nor_read(http: httpx2.AsyncClient, origin: str):
    asked = await http.options("/graphql", headers=asking(origin))
    assert asked.status_code == 400
    for answer in (asked, await http.get("/health", headers={"Origin": origin})):
        assert "access-control-allow-origin" not in answer.headers


async def test_other_methods_and_headers_are_not_let_through(http: httpx2.AsyncClient):
    assert (await http.options("/graphql", headers=asking(APP, method="DELETE"))).status_code == 400
    assert (await http.options("/graphql", headers=asking(APP, headers="x-other"))).status_code == 400


async def test_where_no_page_is_named_there_are_no_such_headers(world: Service):
    for answer in (
        await world.http.options("/graphql", headers=asking(APP)),
        await world.http.get("/health", headers={"Origin": APP}),
    ):
        assert not [name for name in answer.headers if name.startswith("access-control")]
