"""GraphiQL in a sandbox: a page and its files, from nowhere else but here. Absent outside of a sandbox."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import graphql
import httpx2
import pytest

from schema.documents import Documents
from servers.server import free_port
from settings import Settings
from tests.driving import Service
from tests.processes import web_process

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
FILES = Path(__file__).parents[2] / "web" / "graphiql"
NAMES = sorted(str(path.relative_to(FILES)) for path in FILES.rglob("*") if path.is_file())
POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; "


@pytest.fixture(scope="module")
async def sandbox(settings: Settings) -> AsyncIterator[httpx2.AsyncClient]:
    port = free_port()
    async with web_process(settings, port), httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:
        yield http


async def test_a_browser_is_shown_the_page(sandbox: httpx2.AsyncClient):
    page = await sandbox.get("/graphql", headers=BROWSER)
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert page.headers["content-security-policy"].startswith(POLICY)
    assert page.headers["x-content-type-options"] == "nosniff"
    assert page.headers["cache-control"] == "no-cache"


async def test_everything_the_page_needs_is_our_own_and_no_script_is_in_it(sandbox: httpx2.AsyncClient):
    page = (await sandbox.get("/graphql", headers=BROWSER)).text
    sources = re.findall(r'(?:src|href)="(?!data:)([^"]*)"', page)
    assert len(sources) == 7
    for source in sources:
        assert source.removeprefix("sandbox/graphiql/") in NAMES
        assert (await sandbox.get(f"/{source}")).status_code == 200
    assert not re.findall(r"<script(?![^>]*src=)|<style|\son\w+=|\sstyle=", page)


@pytest.mark.parametrize("name", NAMES)
async def test_a_file_is_served_as_what_it_is_and_kept_for_ever_if_it_never_changes(
    sandbox: httpx2.AsyncClient, name: str
):
    answer = await sandbox.get(f"/sandbox/graphiql/{name}")
    assert (answer.status_code, answer.content) == (200, (FILES / name).read_bytes())
    kinds = {"js": "text/javascript", "css": "text/css", "html": "text/html", "txt": "text/plain"}
    assert answer.headers["content-type"].partition(";")[0] == kinds[name.rpartition(".")[2]]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert ("immutable" in answer.headers["cache-control"]) == name.startswith("vendor/")


async def test_a_file_that_has_not_changed_is_not_sent_again(sandbox: httpx2.AsyncClient):
    first = await sandbox.get("/sandbox/graphiql/page.js")
    again = await sandbox.get("/sandbox/graphiql/page.js", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    "path",
    [
        "",
        "vendor",
        "vendor/",
        "none.js",
        "../graphiql.py",
        "..%2fgraphiql.py",
        "%2e%2e/graphiql.py",
        "vendor/..%2f..%2f..%2fsettings.py",
        "..%5cgraphiql.py",
        "%2fetc%2fpasswd",
        "//etc/passwd",
        "page.js%00",
        "x" * 5_000,
    ],
)
async def test_nothing_else_is_served(sandbox: httpx2.AsyncClient, path: str):
    for url in (f"/sandbox/graphiql/{path}", f"/sandbox/graphiql{path}"):
        answer = await sandbox.get(httpx2.URL(sandbox.base_url).join("/").copy_with(raw_path=url.encode()))
        assert answer.status_code == 404, url


@pytest.mark.parametrize("accept", [None, "*/*", "application/json", "application/graphql-response+json"])
async def test_whoever_is_no_browser_is_not(sandbox: httpx2.AsyncClient, accept: str | None):
    answer = await sandbox.get("/graphql", headers={"Accept": accept} if accept else {})
    assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (401, accept_or_json(accept))


def accept_or_json(accept: str | None) -> str:
    return accept if accept and accept.startswith("application/") else "application/json"


async def test_a_query_is_answered_even_to_a_browser(sandbox: httpx2.AsyncClient):
    person = (await sandbox.get("/sandbox/people")).json()[0]
    headers = {**BROWSER, "Authorization": f"Bearer {person['token']}", "GraphQL-Preflight": "1"}
    answer = await sandbox.get("/graphql", params={"query": "{ me { name } }"}, headers=headers)
    assert answer.json() == {"data": {"me": {"name": person["name"]}}}


async def test_in_a_sandbox_the_schema_may_be_asked_for(sandbox: httpx2.AsyncClient):
    person = (await sandbox.get("/sandbox/people")).json()[0]
    headers = {"Authorization": f"Bearer {person['token']}"}
    answer = await sandbox.post("/graphql", json={"query": graphql.get_introspection_query()}, headers=headers)
    assert graphql.build_client_schema(answer.json()["data"]).query_type


def test_the_operations_the_page_begins_with_fit_the_schema():
    documents = re.findall(r"= `(#[^`]*)`", (FILES / "page.js").read_text())
    assert len(documents) == 2
    for text in documents:
        Documents(introspection=False).read(text)


async def test_outside_a_sandbox_there_is_none_of_it(world: Service):
    assert (await world.http.get("/graphql", headers=BROWSER)).status_code == 401
    assert (await world.http.get("/graphql", headers={"Accept": "text/html"})).status_code == 406
    for name in NAMES:
        assert (await world.http.get(f"/sandbox/graphiql/{name}")).status_code == 404
