"""graphql-transport-ws to the letter, and what a socket leaves behind."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import pytest
import structlog
import websockets
from tortoise.connection import get_connection

from models import Meeting, Person
from models.transactions import before_each_statement
from resolvers import watching
from schema.ids import row_id
from tests.driving import Client, Service, Socket, mutation, raw_socket
from web import graphql_socket

BALANCES = "subscription { creditAccountUpdates { available blocked } }"
UPDATES = "subscription { myMeetingUpdates { event { kind } } }"
ONE_MEETING = "subscription ($id: ID!) { meetingUpdates(meetingId: $id) { event { kind } } }"
PROPOSE = mutation("proposeMeeting")


def subscribe(query: object, key: object = "1", **payload: object) -> dict[str, object]:
    return {"id": key, "type": "subscribe", "payload": {"query": query, **payload}}


def propose(uma: Client, emil: Client, key: str = "1") -> dict[str, object]:
    return subscribe(PROPOSE, key, variables={"input": uma.proposal(emil)})


def init(client: Client) -> dict[str, object]:
    return {"type": "connection_init", "payload": {"authorization": f"Bearer {client.token}"}}


async def pool() -> tuple[int, int]:
    """How many connections to the database there are, and how many of them are idle."""
    kept = get_connection("default")._pool
    return kept.get_size(), kept.get_idle_size()


@asynccontextmanager
async def nothing_is_left(world: Service) -> AsyncIterator[None]:
    """No task, reader, channel or borrowed connection of what happens inside is left afterwards."""
    before = asyncio.all_tasks()
    yield
    await world.settled(before)
    feeds = world.app.state.feeds
    assert feeds.connected_people == 0
    assert feeds._broadcast._followers == {}
    size, idle = await pool()
    assert size == idle
    async with asyncio.timeout(20):  # Redis is told in the background
        while await world.app.state.redis.pubsub_channels():
            pass


@dataclass
class Held:
    """Transactions, held up before a statement until they are released."""

    at_statement: int
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    released: asyncio.Event = field(default_factory=asyncio.Event)
    statements: int = 0

    async def __call__(self) -> None:
        self.statements += 1
        if self.statements == self.at_statement:
            self.reached.set()
            await self.released.wait()


@pytest.fixture
async def held() -> AsyncIterator[Callable[[int], Held]]:
    """Holds up the next transaction before its nth statement."""
    made: list[Held] = []

    def hold(at_statement: int) -> Held:
        made.append(Held(at_statement))
        before_each_statement(made[-1])
        return made[-1]

    yield hold
    before_each_statement(None)
    for each in made:
        each.released.set()


async def reached(held: Held) -> None:
    async with asyncio.timeout(20):
        await held.reached.wait()


# ── how a socket begins ────────────────────────────────────────────────────────────────────────────────────────────


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
    async with raw_socket(world) as socket:
        for payload in ({}, {"payload": None}, {"payload": {"x": 1}}):
            await socket.send({"type": "ping", **payload})
            assert await socket.receive() == {"type": "pong"}
        await socket.send({"type": "pong"})
        await socket.send(init(uma))
        assert await socket.receive() == {"type": "connection_ack"}


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


# ── operations ─────────────────────────────────────────────────────────────────────────────────────────────────────


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
