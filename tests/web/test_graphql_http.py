"""GET and POST /graphql, and everything else that may be sent there: never a 5xx, and nothing written."""

import asyncio
import json
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest
import structlog

from tests.driving import Client, Service
from tests.web.posting import ME, codes, send, status_of
from web.graphql_http import LARGEST_BODY_BYTES


async def test_a_query_is_answered_as_json(world: Service, uma: Client):
    answer = await send(uma, ME)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json() == {"data": {"me": {"id": uma.id}}}


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", 'Application/JSON ;charset="UTF-8"; x=y'])
async def test_the_content_type_may_have_parameters_and_any_case(world: Service, uma: Client, content_type: str):
    assert (await send(uma, ME, content_type=content_type)).status_code == 200


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "",
        "text/plain",
        "application/graphql",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "application/json; charset=iso-8859-1",
    ],
)
async def test_another_content_type_is_refused_so_that_no_form_of_another_site_can_act(
    world: Service, uma: Client, content_type: str | None
):
    async with world.nothing_changes():
        answer = await send(uma, ME, content_type=content_type)
        assert (answer.status_code, codes(answer)) == (415, ["BAD_REQUEST"])


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"query", id="no JSON"),
        pytest.param(b'{"query": "{ me { id } }"', id="half of it"),
        pytest.param(b'{"query": "{ me { id } }"} {}', id="more after it"),
        pytest.param(b"[" * 90_000, id="deep arrays"),
        pytest.param(b'{"a":' * 18_000, id="deep objects"),
        pytest.param(b'{"query": "\xff\xfe"}', id="no UTF-8"),
        pytest.param(b'{"query": "\xed\xa0\x80"}', id="half a surrogate pair as UTF-8"),
        pytest.param(json.dumps(ME).encode("utf-16"), id="UTF-16"),
        pytest.param(b"\xef\xbb\xbf" + json.dumps(ME).encode(), id="a byte order mark"),
        pytest.param(b"\x00" * 1_000, id="zeros"),
        pytest.param({**ME, "variables": {"x": float("nan")}}, id="NaN"),
        pytest.param({**ME, "variables": {"x": -float("inf")}}, id="Infinity"),
        pytest.param(b'{"query": "{ me { id } }", "variables": {"x": 1e999}}', id="a number without an end"),
        pytest.param(b'{"query": ' + b"9" * 90_000 + b"}", id="an enormous number"),
        pytest.param([ME], id="a batch"),
        pytest.param([], id="an empty batch"),
        pytest.param("{ me { id } }", id="text"),
        pytest.param(7, id="a number"),
        pytest.param(None, id="null"),
        pytest.param({}, id="no query"),
        pytest.param({"query": None}, id="a null query"),
        pytest.param({"query": ["{ me { id } }"]}, id="a list as query"),
        pytest.param({**ME, "variables": []}, id="a list as variables"),
        pytest.param({**ME, "variables": "{}"}, id="text as variables"),
        pytest.param({**ME, "operationName": 7}, id="a number as operationName"),
        pytest.param({**ME, "extensions": []}, id="a list as extensions"),
        pytest.param({"id": "1", "extensions": {"persistedQuery": {"version": 1}}}, id="a persisted query"),
    ],
)
async def test_what_is_no_graphql_request_is_answered_with_400(world: Service, uma: Client, body: bytes | object):
    async with world.nothing_changes():
        answer = await send(uma, body)
        assert (answer.status_code, codes(answer)) == (400, ["BAD_REQUEST"])
        assert list(answer.json()) == ["errors"]


async def test_a_batch_is_told_to_come_one_by_one(world: Service, uma: Client):
    assert "one operation" in (await send(uma, [ME, ME])).json()["errors"][0]["message"]


async def test_a_request_of_the_largest_size_is_served_and_a_larger_one_refused(world: Service, uma: Client):
    whole = json.dumps(ME).encode()
    assert (await send(uma, whole + b" " * (LARGEST_BODY_BYTES - len(whole)))).status_code == 200
    async with world.nothing_changes():
        answer = await send(uma, whole + b" " * (LARGEST_BODY_BYTES + 1 - len(whole)))
        assert (answer.status_code, codes(answer)) == (413, ["BAD_REQUEST"])
        answer = await send(uma, whole + b" " * 20_000_000)
        assert (answer.status_code, codes(answer)) == (413, ["BAD_REQUEST"])
    assert (await send(uma, ME)).status_code == 200


JSON_OF = "Content-Type: application/json\r\nContent-Length: "


@pytest.mark.parametrize(
    ("head", "status"),
    [
        pytest.param(f"{JSON_OF}{10**15}", 413, id="much too long, and never sent"),
        pytest.param(f"{JSON_OF}5", 400, id="shorter than what is sent"),
        pytest.param(f"{JSON_OF}-1", 400, id="negative"),
        pytest.param(f"{JSON_OF}x", 400, id="no number"),
        pytest.param(f"{JSON_OF}{'9' * 5_000}", 400, id="endless"),
        pytest.param(f"{JSON_OF}24\r\nContent-Length: 25", 400, id="two of them"),
    ],
)
async def test_a_length_that_is_not_true_is_refused(world: Service, uma: Client, head: str, status: int):
    async with world.nothing_changes():
        assert await status_of(uma, "POST /graphql", head, json.dumps(ME).encode()) == status


async def test_of_a_key_given_twice_the_last_counts(world: Service, uma: Client):
    answer = await send(uma, b'{"query": "{ nothing }", "query": "{ me { id } }"}')
    assert answer.json() == {"data": {"me": {"id": uma.id}}}


async def test_a_large_body_without_a_length_is_refused_as_well(world: Service, uma: Client):
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b" " * 10_000

    headers = {"Authorization": f"Bearer {uma.token}", "Content-Type": "application/json"}
    async with world.nothing_changes():
        answer = await world.http.post("/graphql", content=chunks(), headers=headers)
        assert (answer.status_code, codes(answer)) == (413, ["BAD_REQUEST"])


async def test_a_client_that_leaves_in_the_middle_of_its_request_is_no_error(
    world: Service, uma: Client, caplog: pytest.LogCaptureFixture
):
    at = urlsplit(world.url)
    head = f"POST /graphql HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {uma.token}\r\n"
    head += "Content-Type: application/json\r\nContent-Length: 5000\r\n\r\n{"
    with structlog.testing.capture_logs() as logged:
        before = asyncio.all_tasks()
        _, writer = await asyncio.open_connection(at.hostname, at.port)
        writer.write(head.encode())
        await writer.drain()
        await send(uma, ME)  # served after the head above has arrived
        writer.transport.abort()
        await world.settled(before)
    assert logged == []
    assert caplog.records == []


@pytest.mark.parametrize("method", ["HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "QUERY"])
async def test_only_get_and_post_are_served(world: Service, uma: Client, method: str):
    headers = {"Authorization": f"Bearer {uma.token}", "GraphQL-Preflight": "1"}
    async with world.nothing_changes():
        answer = await world.http.request(method, "/graphql", params=ME, headers=headers)
        assert answer.status_code == 405
        assert sorted(answer.headers["allow"].split(", ")) == ["GET", "POST"]


async def test_there_is_no_other_path(world: Service, uma: Client):
    for path in ("/", "/graphiql", "/graphql/", "/graphql/x", "/sandbox/people", "/openapi.json"):
        answer = await world.http.get(path, headers={"Authorization": f"Bearer {uma.token}"})
        assert answer.status_code in (404, 405), path


async def test_a_subscription_by_post_is_told_to_come_by_websocket(world: Service, uma: Client):
    async with world.nothing_changes():
        answer = await send(uma, {"query": "subscription { myMeetingUpdates { cursor } }"})
        assert (answer.status_code, codes(answer)) == (400, ["BAD_REQUEST"])
        assert "WebSocket" in answer.json()["errors"][0]["message"]
