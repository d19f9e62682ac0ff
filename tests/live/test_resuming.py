"""Resuming a stream behind the last update one saw: what was missed, then what comes, each once, in order (W2)."""

import asyncio
import json
import random
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest

import live.feeds
import resolvers.watching
from models.transactions import DatabaseUnavailable
from resolvers.listing import events_between
from servers.redis import Redis
from servers.server import free_port
from settings import Settings
from tests.driving import Client, Service, Socket
from tests.processes import web_process
from tests.races import ROUNDS

MEETING = """subscription($id: ID!, $after: String) { meetingUpdates(meetingId: $id, after: $after) {
  cursor event { id sequence kind } meeting { id version }
} }"""
MEETINGS = "subscription($after: String) { myMeetingUpdates(after: $after) { cursor event { id sequence } } }"
TOLD = "subscription($after: String) { notificationReceived(after: $after) { cursor notification { id kind } } }"
WRITTEN = """subscription($id: ID!, $after: String) { chatMessageSent(chatId: $id, after: $after) {
  cursor chatMessage { id text }
} }"""
STREAMS = ["meetingUpdates", "meetingUpdates of staff", "myMeetingUpdates", "notificationReceived", "chatMessageSent"]

NOT_THERE = {
    "meetingUpdates": "There is no such meeting, or it is not yours to see.",
    "chatMessageSent": "There is no such chat, or it is not yours.",
}

Update = dict[str, Any]


@dataclass
class Stream:
    """A subscription of somebody's, and how so many more updates come to be on it."""

    field: str
    query: str
    viewer: Client
    given: dict[str, str]
    more: Callable[[], Awaitable[None]]
    at_once: int

    @asynccontextmanager
    async def listening(self, after: str | None = None, *, at: Service | None = None) -> AsyncIterator[Socket]:
        """A socket on which one listens, perhaps at another process."""
        viewer = replace(self.viewer, world=at) if at else self.viewer
        async with viewer.listening(self.query, **self.given, after=after) as socket:
            yield socket

    async def updates(self, socket: Socket, number: int) -> list[Update]:
        """The next ones, without what is shown as it now is."""
        found = [(await socket.next())[self.field] for _ in range(number)]
        return [{name: value for name, value in each.items() if name != "meeting"} for each in found]

    async def brought(self, witness: Socket, times: int = 1) -> list[Update]:
        """What so many more bring, as somebody sees it who listens all the while."""
        for _ in range(times):
            await self.more()
        return await self.updates(witness, times * self.at_once)

    async def refusal(self, after: str) -> str:
        """The code with which resuming from there ends, and nothing but that."""
        feeds = self.viewer.world.app.state.feeds
        async with self.viewer.socket() as socket:
            before = feeds.connected_people
            variables = {**self.given, "after": after}
            payload = {"query": self.query, "variables": variables}
            await socket.send({"id": "1", "type": "subscribe", "payload": payload})
            message = await socket.receive()
            assert message["type"] == "error", message
            (error,) = message["payload"]
            assert error["message"] in ("This cursor is not of this list.", NOT_THERE.get(self.field))
            assert feeds.connected_people == before
            assert await socket.silent()
        return error["extensions"]["code"]


async def make_stream(name: str, uma: Client, stella: Client) -> Stream:
    """A stream as an expert has it, or staff, with much happening to both that is of other streams."""
    world = uma.world
    frieda = await world.expert("Frieda Free", price="0.00")
    meeting = (await uma.proposed(frieda, startsAt=world.at(days=300)))["id"]
    await frieda.act("approveMeeting", meetingId=meeting)
    chat = (await uma.act("openChat", meetingId=meeting))["chat"]["id"]

    async def write() -> None:
        sent = await uma.act("sendChatMessage", chatId=chat, text="Hello")
        assert sent["__typename"] == "ChatMessageSent", sent

    async def negotiate() -> None:
        """Three events of the meeting, two notifications to the expert and a message."""
        chosen = await uma.act("chooseAlternativeDate", meetingId=meeting, startsAt=world.at(days=301))
        assert chosen["__typename"] == "MeetingChanged", chosen
        await write()
        cancelled = await uma.act("cancelAlternativeDate", meetingId=meeting)
        assert cancelled["__typename"] == "MeetingChanged", cancelled

    await write()  # of which the expert is notified, and then of no more until she reads it
    return {
        "meetingUpdates": Stream("meetingUpdates", MEETING, frieda, {"id": meeting}, negotiate, 3),
        "meetingUpdates of staff": Stream("meetingUpdates", MEETING, stella, {"id": meeting}, negotiate, 3),
        "myMeetingUpdates": Stream("myMeetingUpdates", MEETINGS, frieda, {}, negotiate, 3),
        "notificationReceived": Stream("notificationReceived", TOLD, frieda, {}, negotiate, 2),
        "chatMessageSent": Stream("chatMessageSent", WRITTEN, frieda, {"id": chat}, write, 1),
    }[name]


@pytest.fixture(params=STREAMS)
async def stream(request: pytest.FixtureRequest, world: Service, uma: Client, stella: Client) -> Stream:
    return await make_stream(request.param, uma, stella)


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """However little was missed, it is read in several pages."""
    monkeypatch.setattr(live.feeds, "MOST_WAITING", 4)
    monkeypatch.setattr(resolvers.watching, "REPLAYED_AT_ONCE", 2)


@pytest.fixture
def quick_heartbeat(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live.feeds, "HEARTBEAT_SECONDS", 0.05)
    monkeypatch.setattr(live.feeds, "HEARTBEAT_WITHOUT_REDIS_SECONDS", 0.05)


# What was missed


async def test_w2_the_cursor_of_every_update_resumes_exactly_behind_it(stream: Stream):
    async with stream.listening() as witness, AsyncExitStack() as stack:
        seen = await stream.brought(witness, times=3)
        assert len({update["cursor"] for update in seen}) == len(seen)
        resumed = {}
        for place, update in enumerate(seen, start=1):
            socket = resumed[place] = await stack.enter_async_context(stream.listening(update["cursor"]))
            assert await stream.updates(socket, len(seen) - place) == seen[place:]
        live_ones = await stream.brought(witness)
        for socket in resumed.values():
            assert await stream.updates(socket, len(live_ones)) == live_ones
            assert await socket.silent()


@pytest.mark.parametrize("stream", ["meetingUpdates", "chatMessageSent"], indirect=True)
async def test_w2_who_was_away_for_long_gets_all_of_it(stream: Stream):
    """More than a page of it, from the timeline and from the feed."""
    async with stream.listening() as witness:
        (first, *rest) = await stream.brought(witness)
        async with stream.listening(first["cursor"]) as resumed:
            missed = rest + await stream.brought(witness, times=105 // stream.at_once)
            assert await stream.updates(resumed, len(missed)) == missed, "as it came"
        async with stream.listening(first["cursor"]) as resumed:
            assert await stream.updates(resumed, len(missed)) == missed, "later"
            came = await stream.brought(witness)
            assert await stream.updates(resumed, len(came)) == came
            assert await resumed.silent()


@pytest.mark.usefixtures("small_pages")
async def test_w2_without_a_cursor_a_stream_begins_now(stream: Stream):
    await stream.more()
    async with stream.listening() as witness, stream.listening() as another:
        came = await stream.brought(witness)
        assert await stream.updates(another, len(came)) == came


@pytest.mark.usefixtures("small_pages")
@pytest.mark.parametrize("round_", range(max(1, ROUNDS // 4)))
async def test_w2_what_happens_while_one_resumes_comes_once_and_in_its_place(stream: Stream, round_: int):
    """Many resume at any moment, from any update, while there is ever more."""
    async with stream.listening() as witness:
        seen = await stream.brought(witness)
        total = len(seen) + 8 * stream.at_once

        async def resume(place: int) -> tuple[int, list[Update]]:
            await asyncio.sleep(random.uniform(0, 0.3))  # any moment will do
            async with stream.listening(seen[place]["cursor"]) as socket:
                found = await stream.updates(socket, total - place - 1)
                assert await socket.silent()
            return place, found

        resuming = [asyncio.create_task(resume(random.randrange(len(seen)))) for _ in range(8)]
        seen += await stream.brought(witness, times=8)
        for place, found in await asyncio.gather(*resuming):
            assert found == seen[place + 1 :]


# Whatever Redis, the server or the database do


@pytest.mark.usefixtures("quick_heartbeat", "small_pages")
async def test_w2_resuming_needs_no_redis(stream: Stream, redis_server: Redis):
    async with AsyncExitStack() as stack:
        back = stack.enter_context(ExitStack())
        witness = await stack.enter_async_context(stream.listening())
        (first, *seen) = await stream.brought(witness)
        redis_server.kill()
        back.callback(redis_server.start)
        seen += await stream.brought(witness)
        resumed = await stack.enter_async_context(stream.listening(first["cursor"]))
        assert await stream.updates(resumed, len(seen)) == seen
        for _ in ("away", "there again"):
            came = await stream.brought(witness)
            assert await stream.updates(resumed, len(came)) == came
            back.close()
        assert await resumed.silent()


async def test_w2_a_cursor_is_good_at_every_process_and_after_a_restart(
    world: Service, settings: Settings, uma: Client, stella: Client
):
    """Given out here, used there; given out there, used here, and there again by the process that comes after."""
    port = free_port()
    there = replace(world, url=f"http://127.0.0.1:{port}")
    streams = [await make_stream(name, uma, stella) for name in STREAMS]
    async with AsyncExitStack() as stack:
        witnesses = [await stack.enter_async_context(stream.listening()) for stream in streams]
        came = []
        async with web_process(settings, port):  # killed at the end
            for stream, witness in zip(streams, witnesses, strict=True):
                (first, *seen) = await stream.brought(witness, times=2)
                async with stream.listening(first["cursor"], at=there) as resumed:
                    assert await stream.updates(resumed, len(seen)) == seen
                    came.append(await stream.brought(witness))
                    assert await stream.updates(resumed, len(came[-1])) == came[-1]
                async with stream.listening(seen[-1]["cursor"]) as resumed:
                    assert await stream.updates(resumed, len(came[-1])) == came[-1]
        async with web_process(settings, port):
            for stream, witness, last in zip(streams, witnesses, came, strict=True):
                later = await stream.brought(witness)
                async with stream.listening(last[-1]["cursor"], at=there) as resumed:
                    assert await stream.updates(resumed, len(later)) == later


async def test_w2_what_was_missed_is_waited_for_while_the_database_is_away(
    world: Service, uma: Client, stella: Client, monkeypatch: pytest.MonkeyPatch
):
    stream = await make_stream("meetingUpdates", uma, stella)
    failures = [2]

    async def fail_at_first(*given: Any) -> Any:
        if failures[0]:
            failures[0] -= 1
            raise DatabaseUnavailable("away")
        return await events_between(*given)

    async with stream.listening() as witness:
        (first, *seen) = await stream.brought(witness)
        monkeypatch.setattr(resolvers.watching, "events_between", fail_at_first)
        monkeypatch.setattr(resolvers.watching, "PAUSE_AFTER_FAILURE_SECONDS", 0.01)
        async with stream.listening(first["cursor"]) as resumed:
            assert await stream.updates(resumed, len(seen)) == seen
    assert failures == [0]


async def test_w2_each_missed_event_shows_the_meeting_as_it_is_now(world: Service, uma: Client, stella: Client):
    stream = await make_stream("meetingUpdates", uma, stella)
    async with stream.listening() as witness:
        (first, *seen) = await stream.brought(witness)
    async with stream.listening(first["cursor"]) as resumed:
        updates = [(await resumed.next())["meetingUpdates"] for _ in seen]
    newest = seen[-1]["event"]["sequence"]
    assert {update["meeting"]["version"] for update in updates} == {newest}


# Cursors that are not of the stream


def altered(cursor: str, place: Any) -> str:
    """The same, but naming another place."""
    named, owner, _ = json.loads(urlsafe_b64decode(cursor))
    return urlsafe_b64encode(json.dumps([named, owner, place]).encode()).decode()


async def cursor_of(stream: Stream) -> str:
    async with stream.listening() as witness:
        return str((await stream.brought(witness))[-1]["cursor"])


async def test_w2_a_cursor_that_is_garbage_or_ahead_of_the_stream_is_refused(stream: Stream):
    cursor = await cursor_of(stream)
    named, _, place = json.loads(urlsafe_b64decode(cursor))
    assert place > 0
    places: list[Any] = [place + 100, 10**30, -1, 1.5, True, None, str(place), [place], {}, float("inf")]
    garbage = ["", " ", "nonsense", cursor[:-4], cursor + cursor, "ÿ" * 10, "A" * 20_000, altered(cursor, "x" * 20_000)]
    others: list[Any] = [place, None, [named, place], "x", {}]
    lists = [urlsafe_b64encode(json.dumps(each).encode()).decode() for each in others]
    for wrong in [*(altered(cursor, each) for each in places), *garbage, *lists]:
        assert await stream.refusal(wrong) == "BAD_USER_INPUT", wrong[:100]
    async with stream.listening(altered(cursor, 0)) as resumed:
        assert (await resumed.next())[stream.field]["cursor"], "from the very beginning"


async def test_w2_a_cursor_of_another_stream_meeting_chat_or_person_is_refused(
    world: Service, uma: Client, stella: Client
):
    """All of the experts' and staff's cursors, and of a user's own in each meeting and chat, at all of the streams."""
    experts = [await make_stream(name, uma, stella) for name in (*STREAMS, "chatMessageSent")]
    streams = [*experts, *(replace(stream, viewer=uma) for stream in (experts[0], experts[2], experts[4], experts[5]))]
    cursors = [await cursor_of(stream) for stream in streams]
    lists = (await experts[3].viewer.ask("{ notifications { pageInfo { endCursor } } }"))["notifications"]
    for stream, own in zip(streams, cursors, strict=True):
        for cursor in {*cursors, lists["pageInfo"]["endCursor"]} - {own}:
            assert await stream.refusal(cursor) == "BAD_USER_INPUT"


@pytest.mark.parametrize("name", ["meetingUpdates", "chatMessageSent"])
async def test_w3_whose_stream_it_is_is_asked_first_whatever_the_cursor(
    world: Service, uma: Client, stella: Client, name: str
):
    stream = await make_stream(name, uma, stella)
    stranger = replace(stream, viewer=await world.expert("Stan Stranger"))
    for cursor in (await cursor_of(stream), "nonsense"):
        assert await stranger.refusal(cursor) == "NOT_FOUND"
