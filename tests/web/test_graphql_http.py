"""POST /graphql, and everything else that may be sent there: never a 5xx, and nothing written."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import structlog

from tests.driving import Client, Service, mutation
from web.graphql_http import LARGEST_BODY_BYTES

ME = {"query": "{ me { id } }"}
PROPOSE = mutation("proposeMeeting")


@pytest.fixture
async def uma(world: Service) -> Client:
    """Anybody who is signed in."""
    return await world.somebody("Uma User")


async def send(
    client: Client, body: bytes | object, *, content_type: str | None = "application/json"
) -> httpx.Response:
    """Whatever it is, as the body of a request."""
    return await client.world.http.post(
        "/graphql",
        content=body if isinstance(body, bytes) else json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {client.token}"} | ({"Content-Type": content_type} if content_type else {}),
    )


def codes(answer: httpx.Response) -> list[str]:
    return [error["extensions"]["code"] for error in answer.json()["errors"]]


async def test_a_query_is_answered_as_json(world: Service, uma: Client):
    answer = await send(uma, ME)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {"data": {"me": {"id": uma.id}}}


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "Application/JSON ;x=y"])
async def test_the_content_type_may_have_parameters_and_any_case(world: Service, uma: Client, content_type: str):
    assert (await send(uma, ME, content_type=content_type)).status_code == 200


@pytest.mark.parametrize(
    "content_type",
    [None, "", "text/plain", "application/graphql", "application/x-www-form-urlencoded", "multipart/form-data"],
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
        pytest.param(b"\x00" * 1_000, id="zeros"),
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
        pytest.param({"id": "1", "extensions": {"persistedQuery": {"version": 1}}}, id="a persisted query"),
    ],
)
async def test_what_is_no_graphql_request_is_answered_with_400(world: Service, uma: Client, body: bytes | object):
    async with world.nothing_changes():
        answer = await send(uma, body)
        assert (answer.status_code, codes(answer)) == (400, ["BAD_REQUEST"])
        assert list(answer.json()) == ["errors"]


async def test_a_request_of_the_largest_size_is_served_and_a_larger_one_refused(world: Service, uma: Client):
    whole = json.dumps(ME).encode()
    assert (await send(uma, whole + b" " * (LARGEST_BODY_BYTES - len(whole)))).status_code == 200
    async with world.nothing_changes():
        answer = await send(uma, whole + b" " * (LARGEST_BODY_BYTES + 1 - len(whole)))
        assert (answer.status_code, codes(answer)) == (413, ["BAD_REQUEST"])
        answer = await send(uma, whole + b" " * 20_000_000)
        assert (answer.status_code, codes(answer)) == (413, ["BAD_REQUEST"])
    assert (await send(uma, ME)).status_code == 200


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


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"])
async def test_only_post_is_served(world: Service, uma: Client, method: str):
    async with world.nothing_changes():
        answer = await world.http.request(
            method, "/graphql", params=ME, headers={"Authorization": f"Bearer {uma.token}"}
        )
        assert answer.status_code == 405


async def test_there_is_no_other_path(world: Service, uma: Client):
    for path in ("/", "/graphiql", "/graphql/", "/graphql/x", "/sandbox/people", "/openapi.json"):
        answer = await world.http.get(path, headers={"Authorization": f"Bearer {uma.token}"})
        assert answer.status_code in (404, 405), path


async def test_a_subscription_by_post_is_told_to_come_by_websocket(world: Service, uma: Client):
    async with world.nothing_changes():
        answer = await send(uma, {"query": "subscription { myMeetingUpdates { cursor } }"})
        assert (answer.status_code, codes(answer)) == (400, ["BAD_REQUEST"])
        assert "WebSocket" in answer.json()["errors"][0]["message"]


def chain(length: int) -> str:
    """Fragments that each spread the next."""
    links = "".join(f"fragment F{number} on Query {{ ...F{number + 1} }} " for number in range(length))
    return f"{{ ...F0 }} {links} fragment F{length} on Query {{ me {{ id }} }}"


@pytest.mark.parametrize(
    "query",
    [
        "",
        "   ",
        "# nothing",
        "{ me { id }",
        "me",
        "{ me { id } } }",
        "query { me { \ud800 } }",
        "{ me { id } \0 }",
        "{ me " * 10_000,
        "{ me { id @include(if: " + "[" * 20_000,
        "query ($a: " + "[" * 20_000,
        '{ meeting(id: "',
        "{ " + "me { id } " * 9_000 + "}",
        "{ " + "".join(f"a{number}: me {{ id }} " for number in range(1_000)) + "}",
    ],
    ids=lambda query: repr(query[:30]),
)
async def test_what_does_not_parse_is_graphql_parse_failed(world: Service, uma: Client, query: str):
    async with world.nothing_changes():
        answer = await send(uma, {"query": query})
        assert (answer.status_code, codes(answer)) == (200, ["GRAPHQL_PARSE_FAILED"])
        assert "data" not in answer.json()


@pytest.mark.parametrize(
    "query",
    [
        "{ nothing }",
        "{ me { id nothing } }",
        "{ me }",
        "{ me { id { x } } }",
        "{ meeting { id } }",
        "{ meeting(id: {}) { id } }",
        "{ meetings(first: 99999999999) { edges { cursor } } }",
        '{ meetings(first: "1") { edges { cursor } } }',
        "query ($id: Nothing!) { meeting(id: $id) { id } }",
        "{ meeting(id: $id) { id } }",
        "{ ...F } fragment F on Query { ...F }",
        "{ ...Missing }",
        "{ me { id @unknown } }",
        "type Query { me: ID }",
        "fragment F on Person { id }",
        "{ me { id } } { me { id } }",
        "query A { me { id } } query A { me { id } }",
        "subscription { myMeetingUpdates { cursor } creditAccountUpdates { available } }",
        "mutation { deleteEverything }",
    ],
)
async def test_what_does_not_fit_the_schema_is_graphql_validation_failed(world: Service, uma: Client, query: str):
    async with world.nothing_changes():
        answer = await send(uma, {"query": query})
        assert answer.status_code == 200
        assert set(codes(answer)) == {"GRAPHQL_VALIDATION_FAILED"}
        assert "data" not in answer.json()


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("query A { me { id } } query B { me { id } }", None),
        ("query A { me { id } } query B { me { id } }", "C"),
        ("query A { me { id } } query B { me { id } }", ""),
        ("query A { me { id } }", "B"),
        ("{ me { id } }", "A"),
    ],
)
async def test_which_operation_to_run_must_be_clear(world: Service, uma: Client, query: str, name: str | None):
    async with world.nothing_changes():
        answer = await send(uma, {"query": query, "operationName": name})
        assert (answer.status_code, codes(answer)) == (200, ["OPERATION_RESOLUTION_FAILURE"])


async def test_the_operation_named_is_run_and_no_other(world: Service, uma: Client):
    document = (
        'query A { me { id } } mutation B { updateProfile(input: {timeZone: "UTC"}) { __typename } }'
        " subscription C { myMeetingUpdates { cursor } }"
    )
    async with world.nothing_changes():
        answer = await send(uma, {"query": document, "operationName": "A"})
        assert answer.json() == {"data": {"me": {"id": uma.id}}}


MEETING = "query ($id: ID!, $first: Int) { meeting(id: $id) { timeline(first: $first) { edges { cursor } } } }"


@pytest.mark.parametrize(
    "variables",
    [
        None,
        {},
        {"id": None},
        {"id": []},
        {"id": {}},
        {"id": True},
        {"id": 1.5},
        {"id": float("nan")},
        {"id": "x", "first": "1"},
        {"id": "x", "first": 1.5},
        {"id": "x", "first": float("nan")},
        {"id": "x", "first": float("inf")},
        {"id": "x", "first": 2**31},
        {"id": "x", "first": True},
        {"id": "x", "first": [1]},
    ],
    ids=str,
)
async def test_variables_that_do_not_fit_are_bad_user_input(
    world: Service, uma: Client, variables: dict[str, Any] | None
):
    async with world.nothing_changes():
        answer = await send(uma, {"query": MEETING, "variables": variables})
        assert (answer.status_code, codes(answer)) == (200, ["BAD_USER_INPUT"])


async def test_variables_nobody_declared_and_ids_of_nothing_do_no_harm(world: Service, uma: Client):
    for odd in ("", "x", "\0", "\ud800", "é" * 1_000, 7, 10**30, "UGVyc29uOg==", uma.id):
        answer = await send(uma, {"query": MEETING, "variables": {"id": odd, "x": {"\ud800": [float("nan")]}}})
        assert answer.json() == {"data": {"meeting": None}}, odd


def inside(depth: int) -> Any:
    value: Any = "x"
    for _ in range(depth):
        value = [value]
    return value


UNREADABLE: dict[str, list[Any]] = {
    "startsAt": [
        "",
        "tomorrow",
        "2027-03-28",
        "2027-03-28T09:30",
        "2027-03-28T09:30:00",
        "2027-02-30T09:30:00Z",
        "2027-03-28T25:00:00Z",
        "2027-03-28T09:30:00+99:00",
        "2027-03-28T09:30:00Z ",
        "2027-03-28 09:30:00Z",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
        "\uff12027-03-28T09:30:00Z",
        "2027-03-28T09:30:00Z\ud800",
        1806226200,
        18.5,
        True,
        None,
        [],
        {},
        inside(300),
        "1" * 50_000,
    ],
    "amount": [
        "",
        "1.",
        ".5",
        "1.234",
        "1,50",
        "+1",
        "1e3",
        "NaN",
        "Infinity",
        " 1",
        "1\n",
        "\u0661",
        "--1",
        "1" * 19,
        "1" * 50_000,
        "\ud800",
        1,
        1.5,
        float("nan"),
        True,
        None,
        ["1"],
        {"amount": "1"},
        inside(300),
    ],
}
CASES = [
    pytest.param(name, value, id=f"{name} {value!r:.40}") for name, values in UNREADABLE.items() for value in values
]


@pytest.mark.parametrize(("name", "value"), CASES)
async def test_a_scalar_that_cannot_be_read_in_a_variable_is_bad_user_input(
    world: Service, stella: Client, name: str, value: object
):
    if name == "startsAt":
        action, given = "proposeMeeting", {"expertId": "x", "serviceId": "x", "skillId": "x", "startsAt": value}
    else:
        action, given = "grantCredits", {"personId": "x", "amount": value}
    async with world.nothing_changes():
        answer = await send(stella, {"query": mutation(action), "variables": {"input": given}})
        assert (answer.status_code, codes(answer)) == (200, ["BAD_USER_INPUT"])
        assert "Traceback" not in answer.text


@pytest.mark.parametrize("literal", ['"tomorrow"', "7", "true", "[]", "{}", "TOMORROW"])
async def test_a_scalar_that_cannot_be_read_in_the_document_is_bad_user_input(
    world: Service, uma: Client, literal: str
):
    query = f'mutation {{ proposeMeeting(input: {{expertId: "x", serviceId: "x", skillId: "x", startsAt: {literal}}}) '
    async with world.nothing_changes():
        answer = await send(uma, {"query": query + "{ __typename } }"})
        assert (answer.status_code, codes(answer)) == (200, ["BAD_USER_INPUT"])


@pytest.mark.parametrize(
    "starts_at", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "9999-12-31T23:59:59.999999999Z"]
)
async def test_the_first_and_the_last_instant_there_is_are_read_and_refused_as_data(
    world: Service, uma: Client, emil: Client, starts_at: str
):
    async with world.nothing_changes():
        refused = await uma.propose(emil, startsAt=starts_at)
        assert (refused["__typename"], refused["field"]) == ("InvalidInput", "startsAt")


@pytest.mark.parametrize("first", [0, -1, 101, 2**31 - 1, -(2**31)])
async def test_a_page_outside_1_to_100_is_bad_user_input(world: Service, uma: Client, first: int):
    query = "query ($first: Int) { meetings(first: $first) { edges { cursor } } }"
    answer = await send(uma, {"query": query, "variables": {"first": first}})
    assert (answer.status_code, codes(answer)) == (200, ["BAD_USER_INPUT"])


async def test_a_deeply_nested_document_is_refused_or_answered_but_never_fails(world: Service, uma: Client):
    for depth in range(1, 400, 19):
        nested = "meetings { edges { node { user {" * depth
        for query in (
            "{ " + "... on Query { " * depth + "me { id }" + " }" * depth + " }",
            "{ me { " + "services { expert { " * depth + "id" + " } }" * depth + " } }",
            "{ me { " + "...{" * depth + "id" + "}" * depth + " } }",
            "query ($a: " + "[" * depth + "Int" + "]" * depth + ") { me { id } }",
            "{ meeting(id: " + "[" * depth + "1" + "]" * depth + ") { id } }",
            chain(depth),
            nested,
        ):
            answer = await send(uma, {"query": query})
            assert answer.status_code == 200
            assert "INTERNAL_SERVER_ERROR" not in answer.text, query
    for depth in range(1, 400, 20):
        answer = await send(uma, {"query": PROPOSE, "variables": {"input": {"expertId": inside(depth)}}})
        assert set(codes(answer)) == {"BAD_USER_INPUT"}
