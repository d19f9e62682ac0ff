"""npm's graphql-ws against our side of the protocol."""

import asyncio
import signal
import socket
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest

from settings import Settings
from tests.clients.node import Script, running
from tests.driving import Client, Service
from tests.processes import web_process
from tests.web.sockets import BALANCES, ONE_MEETING, PROPOSE, UPDATES, nothing_is_left
from web import graphql_socket
from web.tokens import LEEWAY_SECONDS

ME = "{ me { id } }"


def graphql_ws(world: Service, **options: Any) -> AbstractAsyncContextManager[Script]:
    return running("graphql_ws.mjs", url=world.url.replace("http", "ws", 1) + "/graphql", **options)


async def subscribed(client: Script, query: str, id: str = "1", **variables: Any) -> None:
    """Subscribe, and wait until the server listens: it answers what is sent afterwards only then."""
    await client.do("subscribe", id=id, query=query, variables=variables)
    await answered(client)


async def answered(client: Script) -> None:
    """Wait until the server has read all that was sent so far."""
    await client.do("subscribe", id="read", query=ME)
    await client.event("complete", id="read")


async def pushed(client: Script, id: str = "1") -> Any:
    """The data of what is pushed next."""
    result = (await client.event("next", id=id))["result"]
    assert "errors" not in result, result
    return result["data"]


async def credit(stella: Client, uma: Client) -> None:
    await stella.act("grantCredits", personId=uma.id, amount="5.00")


def told(client: Script, kind: str) -> list[dict[str, Any]]:
    return [event for event in client.events if event["event"] == kind]


# ── connections ────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_lazy_client_connects_for_its_first_operation_and_leaves_after_its_last(world: Service, uma: Client):
    async with nothing_is_left(world), graphql_ws(world, token=uma.token) as client:
        for _ in range(2):
            await client.do("subscribe", id="1", query=ME)
            assert await pushed(client) == {"me": {"id": uma.id}}
            closed = await client.event("closed")
            assert (closed["code"], closed["reason"]) == (1000, "Normal Closure")
        once = ["connecting", "opened", "connected", "next", "complete", "closed"]
        assert [event["event"] for event in client.events] == 2 * once


async def test_a_client_that_is_not_lazy_connects_at_once_and_stays_until_it_is_disposed_of(
    world: Service, uma: Client
):
    async with nothing_is_left(world), graphql_ws(world, token=uma.token, lazy=False) as client:
        await client.event("connected")
        for number in range(3):
            await client.do("subscribe", id=f"{number}", query=ME)
            assert await pushed(client, f"{number}") == {"me": {"id": uma.id}}
            await client.event("complete", id=f"{number}")
        await client.do("dispose")
        assert (await client.event("closed"))["code"] == 1000
        assert len(told(client, "connected")) == 1


async def test_the_acknowledgement_carries_nothing(world: Service, uma: Client):
    async with graphql_ws(world, token=uma.token, lazy=False) as client:
        assert "payload" not in await client.event("connected")


async def test_pings_of_the_client_are_answered(world: Service, uma: Client):
    async with graphql_ws(world, token=uma.token, lazy=False, keepAlive=20) as client:
        for _ in range(3):
            await client.event("ping", received=False)
            await client.event("pong", received=True)


async def test_pings_of_the_server_are_answered_and_keep_the_connection(
    world: Service, uma: Client, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(graphql_socket, "PING_EVERY_SECONDS", 0.3)
    async with graphql_ws(world, token=uma.token, lazy=False) as client:
        for _ in range(4):  # longer than it takes to be given up
            await client.event("ping", received=True)
            await client.event("pong", received=False)
        assert told(client, "closed") == []


async def test_a_client_that_finds_the_connection_dead_connects_again_and_goes_on(
    world: Service, uma: Client, stella: Client
):
    async with nothing_is_left(world), graphql_ws(world, token=uma.token) as client:
        await subscribed(client, BALANCES)
        await pushed(client)
        await client.do("terminate")
        await client.event("asked", what="retry")
        await client.do("give", what="retry")
        await pushed(client)
        await credit(stella, uma)
        assert await pushed(client) == {"creditAccountUpdates": {"available": "105.00", "blocked": "0.00"}}


# ── operations ─────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_queries_mutations_and_subscriptions_share_a_connection(world: Service, uma: Client, emil: Client):
    async with nothing_is_left(world), graphql_ws(world, token=uma.token, lazy=False) as client:
        await subscribed(client, BALANCES, "balances")
        await subscribed(client, UPDATES, "updates")
        await client.do("subscribe", id="act", query=PROPOSE, variables={"input": uma.proposal(emil)})
        proposed = (await pushed(client, "act"))["proposeMeeting"]
        assert proposed["__typename"] == "MeetingChanged"
        await client.event("complete", id="act")
        balances = [(await pushed(client, "balances"))["creditAccountUpdates"] for _ in range(2)]
        assert [balance["blocked"] for balance in balances] == ["0.00", "40.00"]
        kinds = [(await pushed(client, "updates"))["myMeetingUpdates"]["event"]["kind"] for _ in range(2)]
        assert kinds == ["MEETING_PROPOSED", "USER_APPROVED"]
        assert len(told(client, "connected")) == 1


async def test_many_operations_at_once_each_get_their_own_answer(world: Service, uma: Client):
    async with nothing_is_left(world), graphql_ws(world, token=uma.token) as client:
        for number in range(50):
            await client.do("subscribe", id=f"{number}", query=f"{{ a{number}: me {{ id }} }}")
        for number in range(50):
            assert await pushed(client, f"{number}") == {f"a{number}": {"id": uma.id}}
            await client.event("complete", id=f"{number}")


async def test_what_the_client_completes_is_stopped_while_the_connection_goes_on(
    world: Service, uma: Client, emil: Client
):
    async with nothing_is_left(world), graphql_ws(world, token=uma.token, lazy=False) as client:
        await client.event("connected")
        before = asyncio.all_tasks()
        await subscribed(client, BALANCES)
        assert world.app.state.feeds.connected_people == 1
        await client.do("complete", id="1")
        await client.event("complete", id="1")
        await answered(client)
        await world.settled(before)
        assert world.app.state.feeds.connected_people == 0
        await uma.proposed(emil)
        await answered(client)
        assert len(told(client, "next")) == 1 + 3  # the balance when it began, and what `answered` asked
        assert told(client, "closed") == []


@pytest.mark.parametrize(
    ("query", "variables", "code"),
    [
        ("{", {}, "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", {}, "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { nothing }", {}, "GRAPHQL_VALIDATION_FAILED"),
        ("query ($id: ID!) { meeting(id: $id) { id } }", {}, "BAD_USER_INPUT"),
        (ONE_MEETING, {}, "BAD_USER_INPUT"),
        (ONE_MEETING, {"id": "unknown"}, "NOT_FOUND"),
    ],
)
async def test_what_cannot_be_run_is_told_by_error_and_the_connection_goes_on(
    world: Service, uma: Client, query: str, variables: dict[str, Any], code: str
):
    lasting = graphql_ws(world, token=uma.token, lazy=False)
    async with nothing_is_left(world), world.nothing_changes(), lasting as client:
        await client.do("subscribe", id="1", query=query, variables=variables)
        errors = (await client.event("error", id="1"))["errors"]
        assert [error["extensions"]["code"] for error in errors] == [code]
        await answered(client)
        assert told(client, "closed") == []


# ── tokens ─────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_client_that_is_refused_asks_for_another_token_and_tries_again(world: Service, uma: Client):
    async with nothing_is_left(world), graphql_ws(world) as client:
        await client.do("subscribe", id="1", query=ME)
        for _ in range(2):
            await client.event("asked", what="token")
            await client.do("give", what="token", value="no token of ours")
            assert (await client.event("closed"))["code"] == 4403
            await client.event("asked", what="retry")
            await client.do("give", what="retry")
        await client.event("asked", what="token")
        await client.do("give", what="token", value=uma.token)
        assert await pushed(client) == {"me": {"id": uma.id}}


async def test_when_its_token_expires_a_client_comes_back_with_a_fresh_one_and_its_subscriptions_w3(
    world: Service, uma: Client, stella: Client
):
    async with nothing_is_left(world), graphql_ws(world) as client:
        await client.do("subscribe", id="1", query=BALANCES)
        await client.event("asked", what="token")
        await client.do("give", what="token", value=world.token(sub=uma.sub, seconds=2 - LEEWAY_SECONDS))
        await pushed(client)
        assert (await client.event("closed"))["code"] == 4403
        await client.event("asked", what="retry")
        await client.do("give", what="retry")
        await client.event("asked", what="token")
        await client.do("give", what="token", value=uma.token)
        assert await pushed(client) == {"creditAccountUpdates": {"available": "100.00", "blocked": "0.00"}}
        await credit(stella, uma)
        assert await pushed(client) == {"creditAccountUpdates": {"available": "105.00", "blocked": "0.00"}}


# ── a server that goes away ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("ending", "code"), [(signal.SIGTERM, 1012), (signal.SIGKILL, 1006)])
async def test_when_the_server_is_started_anew_its_clients_come_back_and_go_on(
    world: Service, uma: Client, stella: Client, settings: Settings, ending: signal.Signals, code: int
):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    async with running("graphql_ws.mjs", url=f"ws://127.0.0.1:{port}/graphql", token=uma.token) as client:
        async with web_process(settings, port) as server:
            await client.do("subscribe", id="1", query=BALANCES)
            await pushed(client)
            server.send_signal(ending)
            assert (await client.event("closed"))["code"] == code
        await client.event("asked", what="retry")
        await client.do("give", what="retry")
        await client.event("asked", what="retry")  # nobody was there
        async with web_process(settings, port):
            await client.do("give", what="retry")
            await pushed(client)
            await credit(stella, uma)
            assert await pushed(client) == {"creditAccountUpdates": {"available": "105.00", "blocked": "0.00"}}
