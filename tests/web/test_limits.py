"""How much one client may ask of a process, and what becomes of those that don't read."""

import asyncio
import json
import socket as sockets
from contextlib import suppress

import pytest
import uvicorn
import websockets

from tests.driving import Client, Service, Socket, raw_socket
from tests.web.sockets import UPDATES, init, nothing_is_left
from web import graphql_socket
from web.limits import Pace


async def test_one_person_has_only_so_many_sockets_and_whoever_comes_too_late_may_come_again(
    world: Service, uma: Client, emil: Client, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(world.app.state.people, "_most_sockets", 2)
    async with nothing_is_left(world):
        async with uma.socket() as first, emil.socket(), raw_socket(world) as third:
            async with uma.socket(), world.nothing_changes():
                await third.send(init(uma))
                assert await third.closed() == 1013
            async with uma.socket() as again:
                assert await again.silent()
            assert await first.silent()
        assert not world.app.state.people._sockets


async def test_messages_beyond_the_pace_wait_and_none_is_lost(monkeypatch: pytest.MonkeyPatch):
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(round(seconds, 3))

    monkeypatch.setattr(asyncio, "sleep", sleep)
    monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: 100.0, raising=False)
    pace = Pace(10, at_once=3)
    for _ in range(5):
        await pace.keep()
    monkeypatch.undo()
    assert waits == [0.1, 0.2], "three at once, then one every tenth of a second"


async def test_a_process_that_is_to_end_tells_its_clients_and_does_not_wait_for_those_that_do_not_read(
    world: Service, uma: Client, emil: Client, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(graphql_socket, "SEND_WITHIN_SECONDS", 3600)
    with sockets.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        port = listening.getsockname()[1]
        config = uvicorn.Config(world.app, ws="web.connection:Connection", lifespan="off", log_config=None)
        server = uvicorn.Server(config)  # which would wait for ever
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        url = f"ws://127.0.0.1:{port}/graphql"
        async with (
            websockets.connect(url, subprotocols=["graphql-transport-ws"], max_queue=1, compression=None) as stalled,  # type: ignore[list-item]
            websockets.connect(url, subprotocols=["graphql-transport-ws"], compression=None) as reading,  # type: ignore[list-item]
        ):
            for connection in (stalled, reading):
                await connection.send(json.dumps(init(uma)))
                assert json.loads(await connection.recv()) == {"type": "connection_ack"}
            flood = asyncio.create_task(_flood(stalled))
            try:
                async with asyncio.timeout(20):
                    while all(each.keeps_up for each in server.server_state.connections):  # type: ignore[union-attr]  # noqa: ASYNC110
                        await asyncio.sleep(0.01)
                    server.should_exit = True
                    await serving
                assert await Socket(reading).closed() == 1012
            finally:
                flood.cancel()
                stalled.transport.abort()
    async with uma.listening(UPDATES) as socket:  # and the service itself goes on
        await uma.proposed(emil)
        assert await socket.next()


async def _flood(stalled: websockets.ClientConnection) -> None:
    """Have much written to a client that reads none of it."""
    with suppress(websockets.ConnectionClosed):
        while True:
            await stalled.send(json.dumps({"type": "ping", "payload": {"x": "x" * 50_000}}))


@pytest.mark.parametrize("length", [125, 126, 65_535, 65_536])
async def test_a_text_of_any_length_arrives_as_it_is(world: Service, uma: Client, length: int):
    around = len(json.dumps({"type": "pong", "payload": {"x": ""}}))
    payload = {"x": "x" * (length - around)}
    async with uma.socket() as socket:
        await socket.send({"type": "ping", "payload": payload})
        text = await socket.connection.recv()
        assert len(text) == length
        assert json.loads(text) == {"type": "pong", "payload": payload}
        assert await socket.silent()
