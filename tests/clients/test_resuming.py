"""npm's graphql-ws comes back by itself and goes on where it was, used as docs/live.md says (W2)."""

import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import asyncpg
import pytest

import live.feeds
from servers.redis import Redis
from servers.server import free_port
from settings import Settings
from tests.chaos.clients import Stream
from tests.chaos.crowd import SUBSCRIPTIONS
from tests.chaos.truth import Truth, fault
from tests.clients.node import Script, running
from tests.driving import Client, Service
from tests.processes import REPOSITORY, web_process
from web.tokens import LEEWAY_SECONDS


@dataclass
class Watching:
    """Somebody who watches a meeting, a chat and whatever else is theirs, at a client of npm's."""

    viewer: Client
    user: Client
    meeting: str
    chat: str
    truth: Truth
    script: Script
    streams: dict[str, Stream] = field(default_factory=dict)

    async def begin(self, *, token: str | None = None) -> None:
        """Subscribe to everything, with this token if one is asked for, and see the first updates: then there are
        cursors."""
        given = {"meetingUpdates": {"id": self.meeting}, "chatMessageSent": {"id": self.chat}}
        for name, query in SUBSCRIPTIONS.items():
            stream = self.streams[name] = Stream(name, query, given.get(name, {}))
            await self.script.do("resume", id=name, query=query, variables=stream.given)
        if token is not None:
            await self.gives(token)
        await self.script.do("query", id="begun", query="{ me { id } }")
        await self.script.event("answered")
        await self.something_happens()
        await self.all_is_seen()

    async def gives(self, token: str) -> None:
        """Connect with this token, as soon as one is asked for."""
        await self.script.event("asked", what="token")
        await self.script.do("give", what="token", value=token)

    async def something_happens(self) -> None:
        """Several events of the meeting, as many notifications and two messages."""
        for day in (301, 302):
            chosen = {"startsAt": self.user.world.at(days=day)}
            for action, given in (("chooseAlternativeDate", chosen), ("cancelAlternativeDate", {})):
                result = await self.user.act(action, meetingId=self.meeting, **given)
                assert result["__typename"] == "MeetingChanged", result
            await self.user.write(self.chat)

    async def goes_on(self) -> None:
        """Whatever has become of the connection meanwhile, nothing was lost and nothing comes twice."""
        await self.all_is_seen()
        await self.something_happens()
        await self.all_is_seen()

    async def all_is_seen(self) -> None:
        """Each stream has brought what the database says, and nothing else."""
        expected = {name: await self.truth.of(self.viewer, stream) for name, stream in self.streams.items()}
        while any(len(stream.seen) < len(expected[name]) for name, stream in self.streams.items()):
            message = await self.script.event("next")
            self.streams[message["id"]].take(message["result"])
        wrong = [fault(self.viewer, stream, expected[name]) for name, stream in self.streams.items()]
        assert not any(wrong), wrong
        assert not [event for event in self.script.events if event["event"] in ("error", "complete")]


@asynccontextmanager
async def watching(settings: Settings, url: str, uma: Client, emil: Client, **given: str) -> AsyncIterator[Watching]:
    """The expert of an agreed meeting, at a client that has not subscribed yet."""
    meeting = (await uma.proposed(emil, startsAt=uma.world.at(days=300)))["id"]
    await emil.act("approveMeeting", meetingId=meeting)
    chat = (await uma.act("openChat", meetingId=meeting))["chat"]["id"]
    socket_url = f"{url.replace('http', 'ws', 1)}/graphql"
    async with (
        asyncpg.create_pool(settings.database_url, min_size=1) as database,
        running("resuming.mjs", url=socket_url, **given) as script,
    ):
        yield Watching(emil, uma, meeting, chat, await Truth.from_now_on(database), script)


def test_the_documentation_shows_what_is_tested_here():
    helper = (REPOSITORY / "tests/clients/live.mjs").read_text()
    assert f"```js\n{helper}```" in (REPOSITORY / "docs/live.md").read_text()


@pytest.mark.parametrize(("ending", "code"), [(signal.SIGTERM, 1012), (signal.SIGKILL, 1006)])
async def test_w2_when_its_server_is_started_anew_a_client_goes_on_where_it_was(
    world: Service, settings: Settings, uma: Client, emil: Client, ending: signal.Signals, code: int
):
    port = free_port()
    async with watching(settings, f"http://127.0.0.1:{port}", uma, emil, token=emil.token) as client:
        async with web_process(settings, port) as server:
            await client.begin()
            await client.something_happens()  # of which some is under way when the server goes
            server.send_signal(ending)
            await client.script.event("closed", code=code)
        await client.something_happens()
        async with web_process(settings, port):
            await client.goes_on()


async def test_w3_when_its_token_has_expired_a_client_goes_on_with_a_fresh_one(
    world: Service, settings: Settings, uma: Client, emil: Client
):
    async with watching(settings, world.url, uma, emil) as client:
        await client.begin(token=emil.token)
        await client.script.do("terminate")
        await client.gives(world.token(sub=emil.sub, seconds=2 - LEEWAY_SECONDS))
        await client.something_happens()
        await client.script.event("closed", code=4403)
        await client.something_happens()
        await client.gives(emil.token)
        await client.goes_on()


async def test_w2_when_redis_is_started_anew_a_client_stays_and_gets_everything(
    world: Service,
    settings: Settings,
    uma: Client,
    emil: Client,
    redis_server: Redis,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(live.feeds, "HEARTBEAT_WITHOUT_REDIS_SECONDS", 0.05)
    async with watching(settings, world.url, uma, emil, token=emil.token) as client:
        await client.begin()
        redis_server.kill()
        try:
            await client.goes_on()
            await client.something_happens()
        finally:
            redis_server.start()
            await world.app.state.redis.connection_pool.disconnect()  # an idle connection would fail the next who asks
        await client.goes_on()
        assert not [event for event in client.script.events if event["event"] == "closed"]
