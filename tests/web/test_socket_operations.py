"""Operations over a socket: what becomes of them, and what they leave behind."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from tests.driving import Client, Service
from tests.web.sockets import (
    BALANCES,
    ONE_MEETING,
    PROPOSE,
    UPDATES,
    Held,
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


async def test_an_id_is_free_again_for_whoever_reads_its_end(
    world: Service, uma: Client, monkeypatch: pytest.MonkeyPatch
):
    send, answered = graphql_socket.GraphQLSocket._send, asyncio.Event()

    async def send_and_linger(socket: graphql_socket.GraphQLSocket, message: dict[str, Any]) -> None:
        await send(socket, message)
        if message["type"] == "complete":
            await answered.wait()

    monkeypatch.setattr(graphql_socket.GraphQLSocket, "_send", send_and_linger)
    async with nothing_is_left(world), uma.socket() as socket:
        for _ in range(2):
            await socket.send(subscribe("{ me { id } }", "it"))
            assert await socket.next("it") == {"me": {"id": uma.id}}
            assert await socket.receive() == {"id": "it", "type": "complete"}
        answered.set()


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


async def test_operations_run_beside_one_another_each_under_its_own_id(
    world: Service, uma: Client, emil: Client, held: Callable[[int], Held]
):
    holding = held(3)
    async with nothing_is_left(world), uma.socket() as socket:
        await socket.send(propose(uma, emil, "slow"))
        await reached(holding)
        for key in ("a", "b"):
            await socket.send(subscribe(f"{{ {key}: me {{ id }} }}", key))
            assert await socket.next(key) == {key: {"id": uma.id}}
            assert await socket.receive() == {"id": key, "type": "complete"}
        holding.released.set()
        assert (await socket.next("slow"))["proposeMeeting"]["__typename"] == "MeetingChanged"
        assert await socket.receive() == {"id": "slow", "type": "complete"}


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
        ({"query": "query ($id: ID!) { meeting(id: $id) { id } }"}, "BAD_USER_INPUT"),
        ({"query": PROPOSE, "variables": {"input": {}}}, "BAD_USER_INPUT"),
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
            assert {error["extensions"]["code"] for error in refused["payload"]} == {code}
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


@pytest.mark.parametrize("key", ["1", "x" * 60_000, "é" * 100, "\ud800", "\0"], ids=lambda key: repr(key[:10]))
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
