"""Clients that leave a socket: what they asked for is carried out, and nothing is left behind."""

import asyncio
from collections.abc import Callable

import pytest

from models import Meeting
from models.transactions import DatabaseUnavailable
from schema.ids import row_id
from tests.driving import Client, Service, raw_socket
from tests.web.sockets import (
    BALANCES,
    ONE_MEETING,
    UPDATES,
    Held,
    init,
    nothing_is_left,
    propose,
    reached,
    subscribe,
)
from web import graphql_socket


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


async def test_a_client_that_leaves_while_its_subscription_waits_for_the_database_is_noticed(
    world: Service, uma: Client, monkeypatch: pytest.MonkeyPatch
):
    async def away(_: object) -> None:
        raise DatabaseUnavailable("for now")

    monkeypatch.setattr(graphql_socket, "viewer_of", away)
    monkeypatch.setattr(graphql_socket, "PING_EVERY_SECONDS", 0.1)
    async with nothing_is_left(world), uma.socket() as socket:
        await socket.send(subscribe(UPDATES))
    assert world.app.state.people.come(uma.sub), "they may come as often as before"
    world.app.state.people.leave(uma.sub)
    assert uma.sub not in world.app.state.people._sockets


async def test_a_stalled_client_whose_time_is_over_is_left_alone_until_it_is_closed(
    world: Service, uma: Client, monkeypatch: pytest.MonkeyPatch
):
    may_send, failed = graphql_socket.GraphQLSocket._may_send, list[object]()

    async def slowly(self: graphql_socket.GraphQLSocket) -> bool:
        if self._deadline.expired():
            await asyncio.sleep(1)
        return await may_send(self)

    monkeypatch.setattr(graphql_socket, "PING_EVERY_SECONDS", 0.7)
    monkeypatch.setattr(graphql_socket.GraphQLSocket, "_may_send", slowly)
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: failed.append(context))
    try:
        token = world.token(sub=uma.sub, name="Uma User", seconds=1)
        async with nothing_is_left(world), uma.socket({"authorization": f"Bearer {token}"}) as socket:
            assert await socket.closed() == 4403
    finally:
        loop.set_exception_handler(None)
    assert failed == []
