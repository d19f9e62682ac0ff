"""The sandbox: tokens for anybody, and one clock for every process (X1, X2). Absent outside of one."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import httpx2
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from servers.redis import Redis
from servers.server import free_port
from settings import Settings
from tests.conftest import AUTH_SECRET, TEMPLATE
from tests.driving import Service
from tests.processes import web_process

ROUTES = [("POST", "tokens"), ("GET", "people"), ("GET", "clock"), ("POST", "clock")]
DAY = 86_400
NO_JSON = [b"", b"{", b"[" * 100_000, b"\xff"]
NO_CLAIMS: list[Any] = [
    None,
    [],
    "x",
    7,
    {},
    {"name": "nobody"},
    {"sub": None},
    {"sub": ""},
    {"sub": " "},
    {"sub": 7},
    {"sub": ["x"]},
    {"sub": "\0"},
    {"sub": "\ud800"},
    {"sub": "x" * 256},
    {"sub": "x", "name": 7},
    {"sub": "x", "name": "\ud800"},
    {"sub": "x", "email": {}},
    {"sub": "x", "locale": ["de"]},
    {"sub": "x", "zoneinfo": True},
]
NO_ADVANCES: list[Any] = [
    None,
    [],
    60,
    {},
    {"advance": None},
    {"advance": "60"},
    {"advance": True},
    {"advance": -1},
    {"advance": -0.001},
    {"advance": float("nan")},
    {"advance": float("inf")},
    {"advance": 1e300},
    {"advance": 10**400},
    {"advance": [60]},
]


@pytest.fixture(scope="session")
async def sandbox_settings(postgres_url: str, redis_server: Redis, worker_id: str) -> Settings:
    """A database of its own, as its clock is moved."""
    name = f"sandbox_of_{worker_id}"
    connection = await asyncpg.connect(postgres_url)
    await connection.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
    await connection.close()
    return Settings(
        database_url=postgres_url.rpartition("/")[0] + f"/{name}",
        redis_url=redis_server.url,
        auth_secret=AUTH_SECRET,
        sandbox=True,
    )


@asynccontextmanager
async def sandbox_process(settings: Settings) -> AsyncIterator[httpx2.AsyncClient]:
    port = free_port()
    async with (
        web_process(settings, port),
        httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=20) as http,
    ):
        yield http


@pytest.fixture(scope="session")
async def sandbox(sandbox_settings: Settings) -> AsyncIterator[httpx2.AsyncClient]:
    async with sandbox_process(sandbox_settings) as http:
        yield http


@pytest.fixture(scope="session")
async def another(sandbox: httpx2.AsyncClient, sandbox_settings: Settings) -> AsyncIterator[httpx2.AsyncClient]:
    """A second process of the same sandbox, started after the clock had been moved by three days."""
    await sandbox.post("/sandbox/clock", json={"advance": 3 * DAY})
    async with sandbox_process(sandbox_settings) as http:
        yield http


async def me(http: httpx2.AsyncClient, token: str) -> dict[str, Any]:
    query = "{ me { name email language timeZone isStaff } }"
    answer = await http.post("/graphql", json={"query": query}, headers={"Authorization": f"Bearer {token}"})
    return answer.json()["data"]["me"]


async def now(http: httpx2.AsyncClient) -> datetime:
    return datetime.fromisoformat((await http.get("/sandbox/clock")).json()["now"])


async def test_outside_a_sandbox_its_routes_do_not_exist(world: Service):
    async with world.nothing_changes():
        for method, name in ROUTES:
            answer = await world.http.request(method, f"/sandbox/{name}", json={"sub": "x", "advance": 60})
            assert answer.status_code == 404


async def test_a_token_for_anybody_speaks_for_them_x1(sandbox: httpx2.AsyncClient):
    claims = {
        "sub": "ada",
        "name": "Ada",
        "email": "ada@example.com",
        "locale": "de",
        "zoneinfo": "Europe/Vienna",
        "roles": ["staff"],
    }
    answer = await sandbox.post("/sandbox/tokens", json=claims)
    assert (answer.status_code, list(answer.json())) == (200, ["token"])
    assert await me(sandbox, answer.json()["token"]) == {
        "name": "Ada",
        "email": "ada@example.com",
        "language": "DE",
        "timeZone": "Europe/Vienna",
        "isStaff": True,
    }


async def test_a_token_is_good_for_24_hours_and_says_nothing_that_was_not_asked_for_x1(sandbox: httpx2.AsyncClient):
    given = {"sub": "bob", "exp": 1, "nbf": 99_999_999_999, "admin": True}
    token = (await sandbox.post("/sandbox/tokens", json=given)).json()["token"]
    claims = jwt.decode(token, OctKey.import_key(AUTH_SECRET)).claims
    assert set(claims) == {"sub", "exp"}
    ahead = datetime.fromtimestamp(claims["exp"], UTC) - datetime.now(UTC)
    assert timedelta(hours=23, minutes=59) < ahead <= timedelta(hours=24)


async def test_each_demonstration_person_has_a_token_that_speaks_for_them_x1(sandbox: httpx2.AsyncClient):
    people = (await sandbox.get("/sandbox/people")).json()
    assert people
    for person in people:
        assert set(person) == {"name", "sub", "roles", "token"}
        seen = await me(sandbox, person["token"])
        assert (seen["name"], seen["isStaff"]) == (person["name"], "staff" in person["roles"])
    assert any(person["roles"] == ["staff"] for person in people)
    assert any(person["roles"] == [] for person in people)


@pytest.mark.parametrize(
    "body", [*NO_JSON, *(json.dumps(content).encode() for content in NO_CLAIMS)], ids=lambda body: repr(body[:40])
)
async def test_claims_that_no_token_can_carry_are_answered_with_400_x1(sandbox: httpx2.AsyncClient, body: bytes):
    answer = await sandbox.post("/sandbox/tokens", content=body)
    assert answer.status_code == 400
    assert "sub" in answer.json()["error"]


async def test_deep_claims_are_carried_or_refused_x1(sandbox: httpx2.AsyncClient):
    for depth in range(900, 1_000, 3):
        body = b'{"sub": "x", "roles": ' + b"[" * depth + b"]" * depth + b"}"
        assert (await sandbox.post("/sandbox/tokens", content=body)).status_code in (200, 400)


async def test_moving_the_clock_moves_it_for_every_process_at_once_x2(
    sandbox: httpx2.AsyncClient, another: httpx2.AsyncClient
):
    before = await now(another)
    for mover, seconds in ((sandbox, DAY), (another, 0.5), (sandbox, 0)):
        moved = datetime.fromisoformat((await mover.post("/sandbox/clock", json={"advance": seconds})).json()["now"])
        assert moved >= before + timedelta(seconds=seconds)
        assert moved.utcoffset() == timedelta(0)
        for process in (sandbox, another):
            seen = await now(process)
            assert moved <= seen < moved + timedelta(hours=1)
            moved = seen
        before = moved


async def test_a_page_of_another_site_does_not_move_the_clock_x2(sandbox: httpx2.AsyncClient):
    before = await now(sandbox)
    for origin in ("https://elsewhere.example", "null"):
        response = await sandbox.post("/sandbox/clock", content=b'{"advance": 86400}', headers={"Origin": origin})
        assert response.status_code == 403
    assert await now(sandbox) - before < timedelta(hours=1)
    response = await sandbox.post("/sandbox/clock", json={"advance": 0}, headers={"Origin": "http://localhost:5173"})
    assert response.status_code == 200


async def test_the_clock_ticks_on_and_a_process_that_starts_later_finds_it_where_it_is_x2(
    sandbox: httpx2.AsyncClient, another: httpx2.AsyncClient
):
    before = await now(sandbox)
    assert before - datetime.now(UTC) > timedelta(days=2)
    assert before < await now(another) < before + timedelta(hours=1)
    assert before < await now(sandbox)


async def test_many_moves_at_once_all_count_x2(sandbox: httpx2.AsyncClient, another: httpx2.AsyncClient):
    before = await now(sandbox)
    await asyncio.gather(
        *(process.post("/sandbox/clock", json={"advance": DAY}) for process in (sandbox, another) for _ in range(5))
    )
    assert timedelta(days=10) <= await now(sandbox) - before < timedelta(days=10, hours=1)


async def test_what_is_proposed_follows_the_moved_clock_tokens_follow_the_real_one_x2(sandbox: httpx2.AsyncClient):
    token = (await sandbox.post("/sandbox/tokens", json={"sub": "eve", "name": "Eve"})).json()["token"]
    await sandbox.post("/sandbox/clock", json={"advance": 3 * DAY})
    assert (await me(sandbox, token))["name"] == "Eve"


@pytest.mark.parametrize(
    "body", [*NO_JSON, *(json.dumps(content).encode() for content in NO_ADVANCES)], ids=lambda body: repr(body[:40])
)
async def test_what_is_no_advance_is_answered_with_400_and_moves_nothing_x2(sandbox: httpx2.AsyncClient, body: bytes):
    before = await now(sandbox)
    answer = await sandbox.post("/sandbox/clock", content=body)
    assert answer.status_code == 400
    assert "advance" in answer.json()["error"]
    assert await now(sandbox) < before + timedelta(hours=1)


async def test_the_clock_is_not_moved_out_of_the_calendar_x2(sandbox: httpx2.AsyncClient):
    await sandbox.post("/sandbox/clock", json={"advance": DAY})
    before = await now(sandbox)
    answer = await sandbox.post("/sandbox/clock", json={"advance": 36_500 * DAY})
    assert (answer.status_code, list(answer.json())) == (400, ["error"])
    assert await now(sandbox) < before + timedelta(hours=1)


async def test_only_the_methods_there_are_are_served(sandbox: httpx2.AsyncClient):
    for method, name in (("GET", "tokens"), ("POST", "people"), ("PUT", "clock"), ("DELETE", "clock")):
        assert (await sandbox.request(method, f"/sandbox/{name}")).status_code == 405
