"""graphql-transport-ws to the letter: who may speak, and with which code the server ends it."""

import asyncio
import json
from contextlib import suppress
from typing import Any

import pytest
import websockets

from tests.driving import Client, Service, Socket, raw_socket
from tests.web.sockets import (
    BALANCES,
    PROPOSE,
    UPDATES,
    init,
    nothing_is_left,
    subscribe,
)
from web import graphql_socket
from web.tokens import Bearer, Tokens


@pytest.mark.parametrize("protocols", [None, ["graphql-ws"], ["graphql-transport-ws2", "GRAPHQL-TRANSPORT-WS"], ["x"]])
async def test_another_subprotocol_is_closed_with_4406(world: Service, protocols: list[str] | None):
    async with nothing_is_left(world), world.nothing_changes():
        url = world.url.replace("http://", "ws://") + "/graphql"
        async with websockets.connect(url, subprotocols=protocols) as connection:  # type: ignore[arg-type]
            assert await Socket(connection).closed() == 4406


async def test_our_subprotocol_is_chosen_among_others(world: Service, uma: Client):
    url = world.url.replace("http://", "ws://") + "/graphql"
    protocols: Any = ["graphql-ws", "graphql-transport-ws"]
    async with websockets.connect(url, subprotocols=protocols) as connection:
        assert connection.subprotocol == "graphql-transport-ws"
        await connection.send(json.dumps(init(uma)))
        assert await Socket(connection).receive() == {"type": "connection_ack"}


async def test_who_never_says_who_they_are_is_closed_with_4408(world: Service, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(graphql_socket, "INIT_WITHIN_SECONDS", 0.05)
    async with nothing_is_left(world), raw_socket(world) as socket:
        assert await socket.closed() == 4408


async def test_reading_a_token_may_take_longer_than_sending_it(
    world: Service, uma: Client, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(graphql_socket, "INIT_WITHIN_SECONDS", 0.05)
    read, released = Tokens.read, asyncio.Event()

    async def read_slowly(tokens: Tokens, authorization: object) -> Bearer:
        await released.wait()
        return await read(tokens, authorization)

    monkeypatch.setattr(Tokens, "read", read_slowly)
    async with nothing_is_left(world), raw_socket(world) as socket:
        await socket.send(init(uma))
        async with raw_socket(world) as later:
            assert await later.closed() == 4408
        released.set()
        assert await socket.receive() == {"type": "connection_ack"}


async def test_pings_do_not_count_as_saying_who_one_is(world: Service, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(graphql_socket, "INIT_WITHIN_SECONDS", 0.5)
    async with raw_socket(world) as socket:
        for _ in range(3):
            await socket.send({"type": "ping"})
            assert (await socket.receive())["type"] == "pong"
        assert await socket.closed() == 4408


async def test_whoever_subscribes_before_they_have_said_who_they_are_is_closed_with_4401(world: Service):
    for query in (BALANCES, "{ me { id } }", PROPOSE, "{"):
        async with nothing_is_left(world), world.nothing_changes(), raw_socket(world) as socket:
            await socket.send(subscribe(query))
            assert await socket.closed() == 4401


async def test_completing_before_anything_else_is_ignored(world: Service, uma: Client):
    async with raw_socket(world) as socket:
        await socket.send({"type": "complete", "id": "1"})
        await socket.send(init(uma))
        assert await socket.receive() == {"type": "connection_ack"}


async def test_a_message_that_is_none_is_closed_with_4400_whoever_sends_it(world: Service):
    for message in ({"type": "subscribe", "id": "1"}, {"type": "subscribe", "payload": {"query": "{ me { id } }"}}):
        async with nothing_is_left(world), raw_socket(world) as socket:
            await socket.send(message)
            assert await socket.closed() == 4400


async def test_a_message_may_come_in_fragments(world: Service):
    async with raw_socket(world) as socket:
        await socket.connection.send(['{"type', '": "pi', 'ng"}'])
        assert await socket.receive() == {"type": "pong"}


async def test_whoever_subscribes_right_after_a_bad_token_is_closed_with_4403(world: Service):
    async with nothing_is_left(world), world.nothing_changes(), raw_socket(world) as socket:
        await socket.send({"type": "connection_init", "payload": {"authorization": "Bearer x"}})
        await socket.send(subscribe(BALANCES))
        assert await socket.closed() == 4403


async def test_saying_who_one_is_twice_is_closed_with_4429(world: Service, uma: Client):
    async with nothing_is_left(world), uma.socket() as socket:
        await socket.send(init(uma))
        assert await socket.closed() == 4429


@pytest.mark.parametrize(
    "message",
    [
        pytest.param("", id="nothing"),
        pytest.param("{", id="no JSON"),
        pytest.param("[" * 60_000, id="deep JSON"),
        pytest.param("9" * 60_000, id="an enormous number"),
        pytest.param("null", id="null"),
        pytest.param('{"type": "ping", "payload": {"x": NaN}}', id="no number of JSON"),
        pytest.param('{"type": "ping", "payload": {"x": 1e999}}', id="a number too large to come back"),
        pytest.param('"ping"', id="text"),
        pytest.param([{"type": "ping"}], id="a list"),
        pytest.param({}, id="no type"),
        pytest.param({"type": None}, id="a null type"),
        pytest.param({"type": ["ping"]}, id="a list as type"),
        pytest.param({"type": "PING"}, id="capitals"),
        pytest.param({"type": "start", "id": "1", "payload": {"query": "{ me { id } }"}}, id="the older protocol"),
        pytest.param({"type": "next", "id": "1", "payload": {}}, id="what only servers say"),
        pytest.param({"type": "connection_ack"}, id="an acknowledgement"),
        pytest.param(b'{"type": "ping"}', id="a binary frame"),
        pytest.param(b"\xff", id="a binary frame of no text"),
        pytest.param({"type": "ping", "payload": "x"}, id="a ping with text"),
        pytest.param({"type": "pong", "payload": [1]}, id="a pong with a list"),
        pytest.param({"type": "subscribe", "payload": {"query": BALANCES}}, id="no id"),
        pytest.param(subscribe(BALANCES, ""), id="an empty id"),
        pytest.param(subscribe(BALANCES, 1), id="a number as id"),
        pytest.param(subscribe(BALANCES, None), id="a null id"),
        pytest.param({"type": "subscribe", "id": "1"}, id="no payload"),
        pytest.param({"type": "subscribe", "id": "1", "payload": BALANCES}, id="text as payload"),
        pytest.param({"type": "subscribe", "id": "1", "payload": {}}, id="no query"),
        pytest.param(subscribe(None), id="a null query"),
        pytest.param(subscribe([BALANCES]), id="a list as query"),
        pytest.param(subscribe(BALANCES, variables=[]), id="a list as variables"),
        pytest.param(subscribe(BALANCES, operationName=1), id="a number as operationName"),
        pytest.param(subscribe(BALANCES, extensions="x"), id="text as extensions"),
        pytest.param({"type": "complete"}, id="complete without id"),
        pytest.param({"type": "complete", "id": 1}, id="complete with a number"),
        pytest.param({"type": "complete", "id": ""}, id="complete with an empty id"),
    ],
)
async def test_what_the_protocol_does_not_know_is_closed_with_4400(world: Service, uma: Client, message: object):
    async with nothing_is_left(world), world.nothing_changes(), uma.socket() as socket:
        await socket.subscribe(BALANCES, "kept")
        if isinstance(message, bytes):
            await socket.connection.send(message)
        else:
            await socket.send(message)
        assert await socket.closed() == 4400


@pytest.mark.parametrize("payload", ["x", 7, ["authorization"], True])
async def test_connection_init_with_a_payload_that_is_no_object_is_closed_with_4400(world: Service, payload: object):
    async with nothing_is_left(world), world.nothing_changes(), raw_socket(world) as socket:
        await socket.send({"type": "connection_init", "payload": payload})
        assert await socket.closed() == 4400


# ── staying alive ──────────────────────────────────────────────────────────────────────────────────────────────────


async def test_every_ping_is_answered_also_before_anything_else(world: Service, uma: Client):
    nothing: list[Any] = [None, {}]
    async with raw_socket(world) as socket:
        for payload in nothing:
            await socket.send({"type": "ping", "payload": payload})
            assert await socket.receive() == {"type": "pong"}
        await socket.send({"type": "pong"})
        await socket.send({"type": "pong", "payload": {"x": 1}})
        await socket.send(init(uma))
        assert await socket.receive() == {"type": "connection_ack"}


async def test_what_a_ping_carries_comes_back_with_its_pong(world: Service):
    payloads: list[Any] = [{"x": 1}, {"": [None, True, -1.5, "é", "\ud800", "\0"]}, {"long": "x" * 60_000}]
    async with raw_socket(world) as socket:
        for payload in payloads:
            await socket.send({"type": "ping", "payload": payload})
            assert await socket.receive() == {"type": "pong", "payload": payload}


async def test_what_a_ping_carries_is_written_again_however_deep_it_could_be_read(world: Service):
    async with nothing_is_left(world):
        for depth in range(900, 1_000):
            payload = '{"x":' * depth + "1" + "}" * depth
            async with raw_socket(world) as socket:
                await socket.send(f'{{"type": "ping", "payload": {payload}}}')
                await socket.send({"type": "unknown"})
                assert await socket.closed() == 4400


async def test_the_server_pings_and_keeps_whoever_answers(world: Service, uma: Client, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(graphql_socket, "PING_EVERY_SECONDS", 0.3)
    async with uma.socket() as socket, asyncio.timeout(20):
        for _ in range(3):  # longer than it takes to be given up
            assert json.loads(await socket.connection.recv()) == {"type": "ping"}
            await socket.send({"type": "pong"})
        assert await socket.silent()


async def test_whoever_never_answers_is_closed_with_a_code_that_clients_connect_again_after(
    world: Service, uma: Client, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(graphql_socket, "PING_EVERY_SECONDS", 0.05)
    async with nothing_is_left(world), uma.listening(BALANCES) as socket:
        assert await socket.closed() == 4499


async def test_whoever_stops_reading_is_given_up_rather_than_left_with_a_gap_w2(
    world: Service, uma: Client, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(graphql_socket, "SEND_WITHIN_SECONDS", 0.2)
    serve, ended = graphql_socket.GraphQLSocket.serve, asyncio.Event()

    async def serve_and_tell(socket: graphql_socket.GraphQLSocket) -> None:
        await serve(socket)
        ended.set()

    monkeypatch.setattr(graphql_socket.GraphQLSocket, "serve", serve_and_tell)

    async def ask_much(socket: Socket) -> None:
        for number in range(1_000):  # each is answered by an error that repeats it
            await socket.send(subscribe(f"{{ {'x' * 50_000} }}", f"q{number}"))

    async with nothing_is_left(world), uma.listening(UPDATES) as socket, asyncio.timeout(20):
        asking = asyncio.create_task(ask_much(socket))
        await ended.wait()
        asking.cancel()
        answered = []
        with suppress(websockets.ConnectionClosed):
            while True:
                answered.append(json.loads(await socket.connection.recv())["id"])
        assert answered == [f"q{number}" for number in range(len(answered))]
        assert 0 < len(answered) < 1_000
