"""Operations over a socket: what becomes of them, and what they leave behind."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import structlog
from tortoise.connection import get_connection

from models import Meeting, Person
from resolvers import watching
from schema.ids import row_id
from tests.driving import Client, Service, raw_socket
from tests.web.sockets import (
    BALANCES,
    ONE_MEETING,
    PROPOSE,
    UPDATES,
    Held,
    init,
    nothing_is_left,
    propose,
    reached,
    subscribe,
)
from web import graphql_socket


async def test_a_query_over_the_socket_is_answered_once_and_completed(world: Service, uma: Client):
    async with nothing_is_left(world), uma.socket() as socket:
        for _ in range(3):  # the id is free again as soon as it is complete
            await socket.send(subscribe("{ me { id } }", "it"))
            assert await socket.receive() == {"id": "it", "type": "next", "payload": {"data": {"me": {"id": uma.id}}}}
            assert await socket.receive() == {"id": "it", "type": "complete"}


async def test_a_mutation_over_the_socket_is_carried_out_and_its_problems_are_data(
    world: Service, uma: Client, emil: Client
):
    async with uma.socket() as socket:
        await socket.send(propose(uma, emil))
        result = (await socket.next())["proposeMeeting"]
        assert (result["__typename"], result["meeting"]["status"]) == ("MeetingChanged", "AWAITING_APPROVAL")
        assert (await socket.receive())["type"] == "complete"
        async with world.nothing_changes():
            await socket.send(subscribe(PROPOSE, variables={"input": {**uma.proposal(emil), "expertId": "x"}}))
            assert (await socket.next())["proposeMeeting"]["__typename"] == "NotFound"


async def test_the_operation_named_is_run(world: Service, uma: Client):
    async with uma.socket() as socket:
        await socket.send(
            subscribe("query A { me { id } } query B { me { name } }", operationName="B", variables=None, extensions={})
        )
        assert await socket.next() == {"me": {"name": "Uma User"}}


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        ({"query": ""}, "GRAPHQL_PARSE_FAILED"),
        ({"query": "{"}, "GRAPHQL_PARSE_FAILED"),
        ({"query": "{ nothing }"}, "GRAPHQL_VALIDATION_FAILED"),
        ({"query": "subscription { nothing }"}, "GRAPHQL_VALIDATION_FAILED"),
        ({"query": BALANCES, "operationName": "x"}, "OPERATION_RESOLUTION_FAILURE"),
        ({"query": ONE_MEETING}, "BAD_USER_INPUT"),
        ({"query": ONE_MEETING, "variables": {"id": []}}, "BAD_USER_INPUT"),
        ({"query": ONE_MEETING, "variables": {"id": "unreadable"}}, "NOT_FOUND"),
        ({"query": ONE_MEETING, "variables": {"id": "\0\ud800"}}, "NOT_FOUND"),
    ],
)
async def test_what_cannot_be_run_is_answered_by_error_and_the_socket_lives_on(
    world: Service, uma: Client, payload: dict[str, Any], code: str
):
    async with nothing_is_left(world), world.nothing_changes(), uma.socket() as socket:
        for _ in range(2):  # an error ends the operation: its id is free again
            await socket.send({"id": "1", "type": "subscribe", "payload": payload})
            refused = await socket.receive()
            assert (refused["id"], refused["type"]) == ("1", "error")
            assert [error["extensions"]["code"] for error in refused["payload"]] == [code]
        assert await socket.silent()


async def test_a_meeting_of_others_cannot_be_told_from_none_w3(world: Service, uma: Client, emil: Client):
    eve = await world.somebody("Eve Else")
    meeting = await uma.proposed(emil)
    unknown = meeting["id"][:-4] + "AAAA"
    async with nothing_is_left(world), world.nothing_changes(), eve.socket() as socket:
        refusals = []
        for meeting_id in (meeting["id"], unknown, uma.id, "x"):
            await socket.subscribe(ONE_MEETING, id=meeting_id)
            refusals.append(await socket.receive())
        assert refusals[0]["type"] == "error"
        assert refusals[0]["payload"][0]["extensions"]["code"] == "NOT_FOUND"
        assert all(refusal == refusals[0] for refusal in refusals)


async def test_complete_ends_a_subscription_and_its_id_is_free_again(world: Service, uma: Client):
    async with nothing_is_left(world), uma.socket() as socket:
        for _ in range(3):
            await socket.subscribe(BALANCES)
            await socket.next()
            assert world.app.state.feeds.connected_people == 1
            await socket.send({"id": "1", "type": "complete"})
        assert await socket.silent()


async def test_the_last_of_a_persons_subscriptions_frees_their_reader(world: Service, uma: Client, emil: Client):
    async with nothing_is_left(world), uma.socket() as first, uma.socket() as second, emil.listening(UPDATES):
        sockets = asyncio.all_tasks()
        for socket, key in ((first, "a"), (first, "b"), (second, "a")):
            await socket.subscribe(UPDATES, key)
        assert world.app.state.feeds.connected_people == 2
        for socket, key in ((first, "a"), (second, "a")):
            await socket.send({"id": key, "type": "complete"})
            assert await socket.silent()
        assert world.app.state.feeds.connected_people == 2
        await first.send({"id": "b", "type": "complete"})
        await world.settled(sockets)
        assert world.app.state.feeds.connected_people == 1


async def test_completing_what_is_not_there_is_ignored(world: Service, uma: Client):
    async with uma.socket() as socket:
        await socket.send({"id": "never", "type": "complete"})
        assert await socket.silent()


async def test_a_subscription_that_is_completed_in_the_same_breath_leaves_nothing_behind(world: Service, uma: Client):
    async with uma.socket() as socket:
        before = asyncio.all_tasks()
        for _ in range(20):
            await socket.send(subscribe(UPDATES))
            await socket.send({"id": "1", "type": "complete"})
        assert await socket.silent()
        await world.settled(before)
        assert world.app.state.feeds.connected_people == 0


@pytest.mark.parametrize("key", ["1", "x" * 1_000, "é" * 100, "\ud800", "\0"], ids=lambda key: repr(key[:10]))
async def test_an_id_that_is_in_use_is_closed_with_4409(world: Service, uma: Client, key: str):
    async with nothing_is_left(world), uma.socket() as socket:
        await socket.subscribe(BALANCES, key)
        await socket.send(subscribe("{ me { id } }", key))
        assert await socket.closed() == 4409


async def test_the_id_of_a_query_under_way_is_in_use_too(
    world: Service, uma: Client, emil: Client, held: Callable[[int], Held]
):
    holding = held(3)
    async with nothing_is_left(world), uma.socket() as socket:
        await socket.send(propose(uma, emil))
        await reached(holding)
        await socket.send(subscribe("{ me { id } }"))
        assert await socket.closed() == 4409
        holding.released.set()


async def test_a_socket_carries_a_hundred_operations_and_no_more(world: Service, uma: Client):
    async with nothing_is_left(world), uma.socket() as socket:
        for number in range(graphql_socket.MOST_OPERATIONS):
            await socket.send(subscribe(UPDATES, f"{number}"))
        async with world.nothing_changes():
            await socket.send(subscribe("{ me { id } }", "one more"))
            refused = await socket.receive()
            assert (refused["id"], refused["type"]) == ("one more", "error")
            assert refused["payload"][0]["extensions"]["code"] == "TOO_MANY_OPERATIONS"
        await socket.send({"id": "7", "type": "complete"})
        await socket.send(subscribe("{ me { id } }", "one more"))
        assert await socket.next("one more") == {"me": {"id": uma.id}}


async def test_mutations_that_were_completed_early_still_count_until_they_have_ended(
    world: Service, uma: Client, emil: Client, held: Callable[[int], Held], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(graphql_socket, "MOST_OPERATIONS", 1)
    holding = held(3)
    async with nothing_is_left(world), uma.socket() as socket:
        await socket.send(propose(uma, emil))
        await reached(holding)
        await socket.send({"id": "1", "type": "complete"})
        await socket.send(propose(uma, emil, "2"))
        assert (await socket.receive())["type"] == "error"
        holding.released.set()


# ── whoever leaves ─────────────────────────────────────────────────────────────────────────────────────────────────


async def proposals_of(client: Client) -> int:
    return await Meeting.filter(user_id=row_id("Person", client.id)).count()


@pytest.mark.parametrize("statement", [1, 2, 4, 7])
async def test_a_mutation_whose_client_completes_it_is_still_carried_out_and_says_no_more_i2(
    world: Service, uma: Client, emil: Client, held: Callable[[int], Held], statement: int
):
    holding = held(statement)
    async with nothing_is_left(world), uma.socket() as socket:
        before = asyncio.all_tasks()
        await socket.send(propose(uma, emil))
        await reached(holding)
        under_way = asyncio.all_tasks() - before
        await socket.send({"id": "1", "type": "complete"})
        # The id is free from now on, and whoever takes it hears nothing of what it stood for before.
        await socket.subscribe(UPDATES)
        holding.released.set()
        for kind in ("MEETING_PROPOSED", "USER_APPROVED"):
            assert await socket.next() == {"myMeetingUpdates": {"event": {"kind": kind}}}
        await asyncio.wait(under_way, timeout=20)
        assert await socket.silent()
    assert await proposals_of(uma) == 1
    assert await uma.balance() == ("60.00", "40.00")


@pytest.mark.parametrize("statement", [1, 2, 4, 7])
async def test_a_mutation_whose_client_is_gone_is_still_carried_out_i2(
    world: Service, uma: Client, emil: Client, held: Callable[[int], Held], statement: int
):
    holding = held(statement)
    async with nothing_is_left(world), uma.socket() as socket:
        await socket.send(propose(uma, emil))
        await reached(holding)
        socket.connection.transport.abort()
        holding.released.set()
    assert await proposals_of(uma) == 1
    assert await uma.balance() == ("60.00", "40.00")


async def test_mutations_sent_and_left_at_once_are_carried_out_wholly_or_not_at_all_i2(world: Service, emil: Client):
    people = [await world.somebody("Uma User", credits="100.00") for _ in range(8)]

    async def send_and_leave(client: Client) -> None:
        async with raw_socket(world) as socket:
            await socket.send(init(client))
            await socket.send(propose(client, emil))
            socket.connection.transport.abort()

    async with nothing_is_left(world):
        await asyncio.gather(*map(send_and_leave, people))
    for client in people:
        assert (await proposals_of(client), await client.balance()) in (
            (0, ("100.00", "0.00")),
            (1, ("60.00", "40.00")),
        )


async def test_hundreds_of_sockets_torn_down_leave_nothing_behind(world: Service, emil: Client):
    people = [await world.somebody("Uma User") for _ in range(10)]
    documents = [BALANCES, UPDATES, "{ me { id } }", "{", ONE_MEETING]

    async def come_and_go(number: int) -> None:
        async with raw_socket(world) as socket:
            await socket.send(init(people[number % 10]))
            for key in range(number % 7):
                await socket.send(subscribe(documents[(number + key) % 5], f"{key}", variables={"id": "x"}))
                if key == 3:
                    await socket.send({"id": "1", "type": "complete"})
            if number % 2:
                assert await socket.receive() == {"type": "connection_ack"}
            if number % 5:
                socket.connection.transport.abort()

    async with nothing_is_left(world):
        for start in range(0, 300, 60):
            await asyncio.gather(*(come_and_go(number) for number in range(start, start + 60)))


# ── what nobody expected ───────────────────────────────────────────────────────────────────────────────────────────


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
    monkeypatch.setattr(Meeting, "get_or_none", fail)
    async with logged() as lines, uma.socket() as socket:
        await socket.send(subscribe('{ meeting(id: "x") { id } }'))
        answer = await socket.receive()
        assert (answer["type"], answer["payload"]["data"]) == ("next", {"meeting": None})
        masked = answer["payload"]["errors"][0]["extensions"]
        assert masked == {"code": "INTERNAL_SERVER_ERROR", "correlationId": only_line(lines)["correlation_id"]}
        assert "secret" not in json.dumps(answer)
        assert (await socket.receive())["type"] == "complete"


Story = Callable[..., Awaitable[Any]]


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
