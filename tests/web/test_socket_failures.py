"""What nobody expected, over a socket: masked for the client, and found in our logs by its correlation id."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import structlog
from tortoise.connection import get_connection

from models import Person, Reason
from models.transactions import DatabaseUnavailable
from resolvers import listing, watching
from schema import executing
from tests.driving import Client, Service, raw_socket
from tests.web.sockets import BALANCES, UPDATES, init, nothing_is_left, subscribe
from web import graphql_socket
from web.tokens import Tokens


async def fail(*args: object, **named: object) -> Any:
    """A statement that really fails, telling what no client should read."""
    return await get_connection("default").execute_query("SELECT 'a secret of ours'::int")


def only_line(logged: list[Any]) -> dict[str, Any]:
    failures = [line for line in logged if line["log_level"] == "error"]
    assert len(failures) == 1, logged
    return dict(failures[0])


@asynccontextmanager
async def logged() -> AsyncIterator[list[Any]]:
    with structlog.testing.capture_logs(processors=[structlog.contextvars.merge_contextvars]) as lines:
        yield lines


async def test_a_query_that_fails_is_masked_and_logged_once(
    world: Service, uma: Client, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(listing, "visible_meeting", fail)
    async with logged() as lines, uma.socket() as socket:
        await socket.send(subscribe('{ meeting(id: "x") { id } }'))
        answer = await socket.receive()
        assert (answer["type"], answer["payload"]["data"]) == ("next", {"meeting": None})
        masked = answer["payload"]["errors"][0]["extensions"]
        assert masked == {"code": "INTERNAL_SERVER_ERROR", "correlationId": only_line(lines)["correlation_id"]}
        assert "secret" not in json.dumps(answer)
        assert (await socket.receive())["type"] == "complete"


async def test_a_query_of_which_nothing_is_left_is_answered_by_next_as_it_was_executed(
    world: Service, uma: Client, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(Reason, "filter", lambda **_: 1 / 0)
    async with uma.socket() as socket:
        await socket.send(subscribe("{ rejectionReasons { code } }"))
        answer = await socket.receive()
        assert (answer["type"], answer["payload"]["data"]) == ("next", None)
        assert answer["payload"]["errors"][0]["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
        assert (await socket.receive())["type"] == "complete"


async def test_each_operation_has_a_correlation_id_of_its_own(
    world: Service, uma: Client, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(graphql_socket, "prepare", lambda _: 1 / 0)
    async with nothing_is_left(world), world.nothing_changes(), logged() as lines, uma.socket() as socket:
        told = []
        for number in range(3):
            await socket.send(subscribe("{ me { id } }", f"{number}"))
            answer = await socket.receive()
            assert (answer["id"], answer["type"]) == (f"{number}", "error")
            told.append(answer["payload"][0]["extensions"]["correlationId"])
        assert len(set(told)) == 3
        assert [line["correlation_id"] for line in lines if line["log_level"] == "error"] == told


async def test_a_socket_that_fails_is_closed_with_a_code_that_clients_connect_again_after_and_with_its_correlation_id(
    world: Service, uma: Client, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(Tokens, "read", fail)
    async with nothing_is_left(world), world.nothing_changes(), logged() as lines, raw_socket(world) as socket:
        await socket.send(init(uma))
        assert await socket.closed() == 1013
        assert only_line(lines)["correlation_id"] in str(socket.connection.close_reason)
        assert "secret" not in str(socket.connection.close_reason)


@pytest.mark.parametrize(
    "query", ["{ me { id } }", BALANCES, UPDATES, "mutation { updateProfile(input: {}) { __typename } }"]
)
async def test_an_operation_whose_person_cannot_be_read_ends_in_a_masked_error(
    world: Service, uma: Client, monkeypatch: pytest.MonkeyPatch, query: str
):
    async with nothing_is_left(world), world.nothing_changes(), logged() as lines, uma.socket() as socket:
        with monkeypatch.context() as broken:
            broken.setattr(Person, "get_or_none", fail)
            await socket.send(subscribe(query))
            answer = await socket.receive()
        assert (answer["id"], answer["type"]) == ("1", "error")
        masked = answer["payload"][0]["extensions"]
        assert masked == {"code": "INTERNAL_SERVER_ERROR", "correlationId": only_line(lines)["correlation_id"]}
        assert "secret" not in json.dumps(answer)
        await socket.send(subscribe("{ me { id } }"))
        assert await socket.next() == {"me": {"id": uma.id}}


async def test_a_subscription_that_fails_later_on_ends_in_a_masked_error_instead_of_falling_silent_w2(
    world: Service, uma: Client, emil: Client, monkeypatch: pytest.MonkeyPatch
):
    async with nothing_is_left(world), logged() as lines, uma.listening(UPDATES) as socket:
        with monkeypatch.context() as broken:
            broken.setattr(watching, "may_see", lambda *_: 1 / 0)
            await uma.proposed(emil)
            answer = await socket.receive()
        assert (answer["id"], answer["type"]) == ("1", "error")
        masked = answer["payload"][0]["extensions"]
        assert masked == {"code": "INTERNAL_SERVER_ERROR", "correlationId": only_line(lines)["correlation_id"]}
        assert await socket.silent()


async def test_half_a_character_in_a_variable_is_no_failure_of_a_subscription(
    world: Service, uma: Client, emil: Client
):
    timeline = "timeline(first: 1, after: $after) { edges { cursor } }"
    query = f"subscription ($after: String) {{ myMeetingUpdates {{ event {{ kind }} meeting {{ {timeline} }} }} }}"
    async with nothing_is_left(world), uma.listening(query, after="\ud800") as socket:
        await uma.proposed(emil)
        pushed = (await socket.receive())["payload"]
        assert [error["extensions"]["code"] for error in pushed["errors"]] == ["BAD_USER_INPUT"]


async def test_a_subscription_that_fails_once_it_listens_leaves_nothing_behind(
    world: Service, uma: Client, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(executing, "pushes_of", lambda *_: 1 / 0)
    async with nothing_is_left(world), uma.socket() as socket:
        await socket.send(subscribe(UPDATES))
        refused = await socket.receive()
        assert (refused["type"], refused["payload"][0]["extensions"]["code"]) == ("error", "INTERNAL_SERVER_ERROR")


async def test_balances_wait_for_a_database_that_goes_away_just_as_they_begin(
    world: Service, uma: Client, monkeypatch: pytest.MonkeyPatch
):
    get = Person.get

    def away_once(**wanted: Any) -> Any:
        monkeypatch.setattr(Person, "get", get)
        raise DatabaseUnavailable("for now")

    async with uma.socket() as socket:
        monkeypatch.setattr(Person, "get", away_once)
        await socket.send(subscribe(BALANCES))
        assert await socket.next() == {"creditAccountUpdates": {"available": "100.00", "blocked": "0.00"}}
