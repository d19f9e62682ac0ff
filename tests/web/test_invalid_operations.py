"""Operations that can't be run: documents that don't parse or fit, unclear operations, variables that don't fit."""

import json
from typing import Any

import pytest
import structlog

from tests.driving import Client, Service, mutation
from tests.web.posting import codes, inside, send
from web.negotiation import JSON, RESPONSE

STATUS = [pytest.param(JSON, 200, id="as JSON"), pytest.param(RESPONSE, 400, id="as a GraphQL response")]
PROPOSE = mutation("proposeMeeting")


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
        "{ me { id } }" + "#\n" * 1_001,
        "{ " + "".join(f"a{number}: me {{ id }} " for number in range(1_000)) + "}",
    ],
    ids=lambda query: repr(query[:30]),
)
@pytest.mark.parametrize(("accept", "status"), STATUS)
async def test_what_does_not_parse_is_graphql_parse_failed(
    world: Service, uma: Client, query: str, accept: str, status: int
):
    async with world.nothing_changes():
        answer = await send(uma, {"query": query}, accept=accept)
        assert (answer.status_code, codes(answer)) == (status, ["GRAPHQL_PARSE_FAILED"])
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
@pytest.mark.parametrize(("accept", "status"), STATUS)
async def test_what_does_not_fit_the_schema_is_graphql_validation_failed(
    world: Service, uma: Client, query: str, accept: str, status: int
):
    async with world.nothing_changes():
        answer = await send(uma, {"query": query}, accept=accept)
        assert answer.status_code == status
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
@pytest.mark.parametrize(("accept", "status"), STATUS)
async def test_which_operation_to_run_must_be_clear(
    world: Service, uma: Client, query: str, name: str | None, accept: str, status: int
):
    async with world.nothing_changes():
        answer = await send(uma, {"query": query, "operationName": name}, accept=accept)
        assert (answer.status_code, codes(answer)) == (status, ["OPERATION_RESOLUTION_FAILURE"])
        assert "data" not in answer.json()


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
        {"id": "x", "first": "1"},
        {"id": "x", "first": 1.5},
        {"id": "x", "first": 2**31},
        {"id": "x", "first": True},
        {"id": "x", "first": [1]},
    ],
    ids=str,
)
@pytest.mark.parametrize(("accept", "status"), STATUS)
async def test_variables_that_do_not_fit_are_bad_user_input_and_nothing_is_executed(
    world: Service, uma: Client, variables: dict[str, Any] | None, accept: str, status: int
):
    async with world.nothing_changes():
        answer = await send(uma, {"query": MEETING, "variables": variables}, accept=accept)
        assert (answer.status_code, codes(answer)) == (status, ["BAD_USER_INPUT"])
        assert list(answer.json()) == ["errors"]


async def test_variables_nobody_declared_and_ids_of_nothing_do_no_harm(world: Service, uma: Client):
    for odd in ("", "x", "\0", "\ud800", "é" * 1_000, 7, 10**30, "UGVyc29uOg==", uma.id):
        answer = await send(uma, {"query": MEETING, "variables": {"id": odd, "x": {"\ud800": [1e300]}}})
        assert answer.json() == {"data": {"meeting": None}}, odd


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


@pytest.mark.parametrize("depth", range(900, 1_000, 7))
async def test_variables_nested_as_deep_as_json_can_be_read_never_fail(world: Service, uma: Client, depth: int):
    deep = "[" * depth + "]" * depth
    for given in (f'{{"input": {{"expertId": {deep}}}}}', f'{{"input": {deep}}}', f'{{"input": {{}}, "x": {deep}}}'):
        answer = await send(uma, f'{{"query": {json.dumps(PROPOSE)}, "variables": {given}}}'.encode())
        assert set(codes(answer)) in ({"BAD_REQUEST"}, {"BAD_USER_INPUT"})


async def test_what_may_have_been_meant_in_a_variable_is_not_told(world: Service, uma: Client):
    query = "mutation ($input: UpdateProfileInput!) { updateProfile(input: $input) { __typename } }"
    async with world.nothing_changes():
        answer = await send(uma, {"query": query, "variables": {"input": {"timeZon": "UTC", "language": "ENG"}}})
        assert set(codes(answer)) == {"BAD_USER_INPUT"}
        assert "Did you mean" not in answer.text


@pytest.mark.parametrize(
    "query",
    [
        'query($v: ID = "a") { node(id: $v) { id } }',
        "query($v: Boolean = true) { me { name @include(if: $v) } }",
        "mutation($v: Boolean = true) { updateProfile(input: {}) { __typename @skip(if: $v) } }",
    ],
)
async def test_null_where_a_default_made_a_variable_fit_is_the_clients_fault(world: Service, uma: Client, query: str):
    """Valid, as the variable has a default; and only found out while it is carried out."""
    with structlog.testing.capture_logs() as lines:
        (error,) = await uma.errors(query, v=None)
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert not [line for line in lines if line["log_level"] == "error"]


async def test_null_where_a_default_made_a_variable_fit_is_the_clients_fault_in_a_subscription_too(
    world: Service, uma: Client
):
    query = 'subscription($v: ID = "a") { meetingUpdates(meetingId: $v) { cursor } }'
    async with uma.socket() as socket:
        await socket.send({"id": "1", "type": "subscribe", "payload": {"query": query, "variables": {"v": None}}})
        answer = await socket.receive()
    assert (answer["type"], answer["payload"][0]["extensions"]["code"]) == ("error", "BAD_USER_INPUT")
