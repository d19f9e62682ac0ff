"""Sockets that misbehave, by chance and on purpose: every end is one that the protocol knows, and nothing is left."""

import asyncio
import dataclasses
import json
import logging
import re
import socket
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import structlog
import uvicorn
import websockets
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.driving import WAIT_AT_MOST_SECONDS, Client, Service, Socket, raw_socket
from tests.processes import REPOSITORY
from tests.web.sockets import BALANCES, ONE_MEETING, UPDATES, init, nothing_is_left, subscribe
from web import graphql_socket

ME = "{ me { id } }"
NOTHING = "mutation { updateProfile(input: {}) { __typename } }"
MISFIT = "query ($id: Int!) { meetings(first: $id) { edges { cursor } } }"
GOES_ON = {BALANCES, UPDATES}
OUTCOMES = {
    ME: ["next", "complete"],
    NOTHING: ["next", "complete"],
    BALANCES: ["next"],
    UPDATES: [],
    ONE_MEETING: ["error"],
    MISFIT: ["error"],
    "{": ["error"],
}


@asynccontextmanager
async def nothing_is_logged(caplog: pytest.LogCaptureFixture) -> AsyncIterator[None]:
    """Nothing that anybody would have to look into: whoever misbehaves does not fill our logs."""
    caplog.clear()
    with structlog.testing.capture_logs() as lines:
        yield
    assert [line for line in lines if line["log_level"] not in ("debug", "info")] == []
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


# ── by chance, against a model of the protocol ─────────────────────────────────────────────────────────────────────


class Closed(Exception):
    """The server must close with this code."""


class Model:
    """What the protocol says that the server answers, if each answer is waited for."""

    def __init__(self) -> None:
        self._initialised = False
        self._active: set[str] = set()

    def answers(self, message: Any) -> list[tuple[str, str | None]]:
        match message:
            case {"type": "connection_init", "payload": {"authorization": str(authorization)}}:
                if self._initialised:
                    raise Closed(4429)
                if authorization == "Bearer x":
                    raise Closed(4403)
                self._initialised = True
                return [("connection_ack", None)]
            case {"type": "ping"}:
                return [("pong", None)]
            case {"type": "subscribe", "id": str(key), "payload": {"query": str(query)}} if key:
                if not self._initialised:
                    raise Closed(4401)
                if key in self._active:
                    raise Closed(4409)
                if query in GOES_ON:
                    self._active.add(key)
                return [(kind, key) for kind in OUTCOMES[query]]
            case {"type": "complete", "id": str(key)} if key:
                self._active.discard(key)
                return []
            case {"type": "pong"}:
                return []
        raise Closed(4400)

    def end(self, messages: list[Any]) -> int | None:
        """The code with which these messages end."""
        try:
            for message in messages:
                self.answers(message)
        except Closed as end:
            return int(end.args[0])
        return None


KEYS = st.sampled_from(["1", "2", "\ud800"])
HARMLESS = st.one_of(
    st.builds(subscribe, st.sampled_from(sorted(OUTCOMES)), KEYS, variables=st.just({"id": "unknown"})),
    st.builds(lambda key: {"type": "complete", "id": key}, KEYS | st.just("never")),
    st.sampled_from([{"type": "ping"}, {"type": "ping", "payload": {"x": [1]}}, {"type": "pong", "payload": None}]),
)
HARMFUL: st.SearchStrategy[Any] = st.sampled_from(
    [
        {"type": "connection_init", "payload": {"authorization": "Bearer x"}},
        {"type": "complete"},
        {"type": "complete", "id": ""},
        {"type": "subscribe", "id": "1", "payload": {"query": None}},
        {"type": "subscribe", "id": 1, "payload": {"query": ME}},
        {"type": "next", "id": "1", "payload": {}},
        [],
        None,
    ]
)
# Most begin well and go on for a while, as otherwise nearly all would end at their first or second message.
MESSAGES = st.lists(st.integers(0, 15).flatmap(lambda chance: HARMFUL if chance == 0 else HARMLESS), max_size=20)
by_chance = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],  # a server that falls silent makes each try to say it shorter wait for its time to be up
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@by_chance
@given(messages=MESSAGES, begins_well=st.integers(0, 7).map(bool))
async def test_whatever_is_said_the_answers_are_those_of_the_protocol(
    world: Service, uma: Client, messages: list[Any], begins_well: bool
):
    model = Model()
    async with nothing_is_left(world), raw_socket(world) as socket:
        for message in [init(uma)] * begins_well + messages:
            await socket.send(json.dumps(message))
            try:
                expected = model.answers(message)
            except Closed as end:
                assert await socket.closed() == end.args[0]
                return
            answers = [await socket.receive() for _ in expected]
            assert [(answer["type"], answer.get("id")) for answer in answers] == expected
            assert await socket.silent()


@by_chance
@given(messages=MESSAGES, leave=st.booleans())
async def test_whatever_is_said_in_one_breath_each_operation_ends_once_and_the_socket_as_the_protocol_has_it(
    world: Service, uma: Client, messages: list[Any], leave: bool, caplog: pytest.LogCaptureFixture
):
    async with nothing_is_left(world), nothing_is_logged(caplog), raw_socket(world) as socket:
        told, code = await say(socket, [init(uma), *messages], leave=leave)
    # Whoever waits for no answer may use an id whose query is still under way.
    assert leave or code in {Model().end([init(uma), *messages]), 4409}
    begun = [message["id"] for message in messages if isinstance(message, dict) and message.get("type") == "subscribe"]
    assert set(told) <= set(begun)
    for key, kinds in told.items():
        assert re.fullmatch("(n*[ce])*n*", "".join(kind[0] for kind in kinds)), kinds
        assert kinds.count("complete") + kinds.count("error") <= begun.count(key)


async def say(socket: Socket, messages: list[Any], *, leave: bool = False) -> tuple[dict[str, list[str]], int | None]:
    """Say all this in one breath. What operations were told, each by its id, and how the socket ended if it did."""
    told: dict[str, list[str]] = defaultdict(list)
    last = {"type": "ping", "payload": {"this": "is all"}}
    try:
        for message in [*messages, last]:
            await socket.send(message if isinstance(message, str) else json.dumps(message))
        if leave:
            socket.connection.transport.abort()
        async with asyncio.timeout(WAIT_AT_MOST_SECONDS):
            while (answer := json.loads(await socket.connection.recv())) != {**last, "type": "pong"}:
                if "id" in answer:
                    told[answer["id"]].append(answer["type"])
    except websockets.ConnectionClosed as end:
        return told, end.rcvd.code if end.rcvd else None
    return told, None


# ── on purpose ─────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_thousands_of_messages_are_answered_one_by_one(
    world: Service, uma: Client, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(graphql_socket, "MESSAGES_AT_ONCE", 5_000)
    async with nothing_is_left(world), nothing_is_logged(caplog), uma.socket() as socket:

        async def ask() -> None:
            for number in range(5_000):
                await socket.send({"type": "ping", "payload": {"number": number}})

        asking = asyncio.create_task(ask())
        for number in range(5_000):
            assert (await socket.receive())["payload"] == {"number": number}
        await asking


async def test_a_storm_of_subscriptions_that_come_and_go_leaves_nothing_behind(
    world: Service, uma: Client, caplog: pytest.LogCaptureFixture
):
    async with nothing_is_left(world), nothing_is_logged(caplog), uma.socket() as socket:
        before = asyncio.all_tasks()
        for number in range(400):
            await socket.send(subscribe(UPDATES, f"{number}"))
            await socket.send({"type": "complete", "id": f"{number - 20}"})
            await socket.send({"type": "complete", "id": f"{number - 20}"})
        for number in range(380, 400):
            await socket.send({"type": "complete", "id": f"{number}"})
        assert await socket.silent()
        await world.settled(before)
        assert world.app.state.feeds.connected_people == 0


@pytest.mark.parametrize("text", [b"\xff", b'{"type": "ping", "payload": {"x": "\xed\xa0\x80"}}'])
async def test_text_that_is_no_utf_8_is_closed_with_1007(
    world: Service, uma: Client, caplog: pytest.LogCaptureFixture, text: bytes
):
    async with nothing_is_left(world), nothing_is_logged(caplog), uma.listening(BALANCES) as socket:
        await socket.connection.send(text, text=True)
        assert await socket.closed() == 1007


async def test_deep_variables_are_refused_or_without_effect(
    world: Service, uma: Client, caplog: pytest.LogCaptureFixture
):
    async with nothing_is_left(world), world.nothing_changes(), nothing_is_logged(caplog):
        for depth in (10, 100, *range(900, 1_000, 5), 10_000):
            deep = "[" * depth + "]" * depth
            message = json.dumps(subscribe(ONE_MEETING, variables={"id": 0})).replace("0", deep)
            async with uma.socket() as socket:
                assert await say(socket, [message]) in [({"1": ["error"]}, None), ({}, 4400)]


@pytest.fixture
async def as_in_production(world: Service) -> AsyncIterator[Service]:
    """The same service, behind a server that takes messages as long as the Procfile says."""
    longest = re.search(r"--ws-max-size (\d+)", (REPOSITORY / "Procfile").read_text())
    assert longest
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        config = uvicorn.Config(
            world.app, ws="web.connection:Connection", ws_max_size=int(longest[1]), lifespan="off", log_config=None
        )
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        yield dataclasses.replace(world, url=f"http://127.0.0.1:{listening.getsockname()[1]}")
        server.should_exit = True
        await serving


def ping_of(size: int) -> str:
    around = len('{"type": "ping", "payload": {"x": ""}}')
    return f'{{"type": "ping", "payload": {{"x": "{"x" * (size - around)}"}}}}'


async def test_a_message_of_64_kb_is_read_and_a_longer_one_is_closed_with_1009(
    as_in_production: Service, caplog: pytest.LogCaptureFixture
):
    async with nothing_is_left(as_in_production), nothing_is_logged(caplog), raw_socket(as_in_production) as socket:
        await socket.send(ping_of(65_536))
        assert len((await socket.receive())["payload"]["x"]) > 65_000
        await socket.send(ping_of(65_537))
        assert await socket.closed() == 1009
