"""One execution and one encoding for all who ask the same with the same eyes, and no query for it (W1, W3)."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import asyncpg
import pytest

import live.feeds
from rules.terms import Language, TimelineEventKind
from schema import subscription
from schema.ids import row_id
from tests.driving import Client, Service, Socket
from texts.labels import timeline_label

PLAIN = "myMeetingUpdates { cursor event { sequence label } meeting { status viewerSide } }"
MINE = f"subscription {{ {PLAIN} }}"
ONE = "subscription($id: ID!) { meetingUpdates(meetingId: $id) { cursor event { label } meeting { viewerSide } } }"


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What was put into words so far."""
    made: list[Any] = []
    show = subscription._meeting_update

    def counted(context: Any, update: Any) -> Any:
        made.append(update)
        return show(context, update)

    monkeypatch.setattr(subscription, "_meeting_update", counted)
    return made


async def everyone(stack: AsyncExitStack, client: Client, query: str, times: int, **variables: Any) -> list[Socket]:
    return [await stack.enter_async_context(client.listening(query, **variables)) for _ in range(times)]


async def test_clients_who_ask_the_same_share_what_was_made_once(
    world: Service, uma: Client, emil: Client, shown: list[Any]
):
    async with AsyncExitStack() as stack:
        sockets = await everyone(stack, uma, MINE, 5)
        await uma.proposed(emil)
        told = [[await socket.next() for _ in range(2)] for socket in sockets]
    assert all(each == told[0] for each in told)
    assert len(shown) == 2, "one for each event"


async def test_whatever_an_answer_depends_on_tells_it_from_others(
    world: Service, uma: Client, emil: Client, stella: Client, shown: list[Any]
):
    """Who looks, in which role, and what they ask for: never the document alone (W3)."""
    meeting = await uma.proposed(emil)
    also_staff = Client(world, uma.sub, world.token(sub=uma.sub, name="Uma User", roles=["staff"]), uma.id)
    choice = f"subscription($with: Boolean!) {{ {PLAIN.replace('cursor', 'cursor @include(if: $with)')} }}"
    async with AsyncExitStack() as stack:
        (hers,) = await everyone(stack, uma, ONE, 1, id=meeting["id"])
        (his,) = await everyone(stack, emil, ONE, 1, id=meeting["id"])
        (theirs,) = await everyone(stack, stella, ONE, 1, id=meeting["id"])
        (in_another_role,) = await everyone(stack, also_staff, ONE, 1, id=meeting["id"])
        (with_cursor,) = await everyone(stack, uma, choice, 1, **{"with": True})
        (without,) = await everyone(stack, uma, choice, 1, **{"with": False})
        await emil.act("approveMeeting", meetingId=meeting["id"])
        told = [(await each.next())["meetingUpdates"] for each in (hers, his, theirs, in_another_role)]
        assert [each["meeting"]["viewerSide"] for each in told] == ["USER", "EXPERT", None, "USER"]
        assert len({each["cursor"] for each in told}) == 3, "a cursor is its owner's"
        assert (await with_cursor.next())["myMeetingUpdates"].keys() == {"cursor", "event", "meeting"}
        assert (await without.next())["myMeetingUpdates"].keys() == {"event", "meeting"}
    assert len(shown) == 6


async def test_those_who_came_back_with_different_cursors_share_what_comes_then(
    world: Service, uma: Client, emil: Client, shown: list[Any]
):
    after = f"subscription($after: String) {{ {PLAIN.replace('myMeetingUpdates', 'myMeetingUpdates(after: $after)')} }}"
    async with uma.listening(MINE) as socket:
        meeting = await uma.proposed(emil)
        cursors = [(await socket.next())["myMeetingUpdates"]["cursor"] for _ in range(2)]
    async with AsyncExitStack() as stack:
        (first,) = await everyone(stack, uma, after, 1, after=cursors[0])
        (second,) = await everyone(stack, uma, after, 1, after=cursors[1])
        assert (await first.next())["myMeetingUpdates"]["cursor"] == cursors[1]
        shown.clear()
        await emil.act("approveMeeting", meetingId=meeting["id"])
        assert await first.next() == await second.next()
    assert len(shown) == 1


async def test_a_push_of_what_an_event_and_its_meeting_hold_takes_no_query(
    world: Service, uma: Client, emil: Client, monkeypatch: pytest.MonkeyPatch
):
    asked: list[str] = []
    for name in ("execute", "_execute"):
        monkeypatch.setattr(asyncpg.Connection, name, _noting(asked, getattr(asyncpg.Connection, name)))
    async with AsyncExitStack() as stack:
        meeting = await uma.proposed(emil)
        plain = [*await everyone(stack, uma, MINE, 2), *await everyone(stack, emil, ONE, 1, id=meeting["id"])]
        (loading,) = await everyone(stack, emil, "subscription { myMeetingUpdates { meeting { user { name } } } }", 1)
        await asyncio.sleep(0)
        asked.clear()
        await emil.act("approveMeeting", meetingId=meeting["id"])
        for socket in (*plain, loading):
            await socket.next()
    by_sockets = [task for task in asked if "GraphQLSocket" in task]
    assert len(by_sockets) == 1, "the one that shows a name, and nobody else"
    assert not [task for task in asked if "_Reader" in task or "_distribute" in task]


async def test_who_listens_in_the_process_that_committed_is_told_without_redis_and_without_reading_w2a(
    world: Service, uma: Client, emil: Client, monkeypatch: pytest.MonkeyPatch
):
    def nowhere(*_: Any) -> None:
        """Redis is away, and nobody knows it yet."""

    async with uma.listening(MINE) as socket:
        monkeypatch.setattr(world.app.state.feeds.broadcast._publisher, "publish", nowhere)
        monkeypatch.setattr(live.feeds, "read_feed", nowhere)
        await uma.proposed(emil)
        assert [(await socket.next())["myMeetingUpdates"]["event"]["sequence"] for _ in range(2)] == [1, 2]


def _noting(asked: list[str], execute: Any) -> Any:
    async def noting(self: Any, *given: Any, **options: Any) -> Any:
        task = asyncio.current_task()
        assert task is not None
        asked.append(repr(task.get_coro()))
        return await execute(self, *given, **options)

    return noting


async def test_staff_who_watch_others_meetings_are_spoken_to_in_their_language_within_a_heartbeat(
    world: Service, uma: Client, emil: Client, stella: Client, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(live.feeds, "HEARTBEAT_SECONDS", 0.05)
    meeting = await uma.proposed(emil)
    async with stella.listening(ONE, id=meeting["id"]) as socket:
        await emil.act("approveMeeting", meetingId=meeting["id"])
        english = (await socket.next())["meetingUpdates"]["event"]["label"]
        await stella.act("updateProfile", language="DE")
        viewer = world.app.state.feeds._viewers[row_id("Person", stella.id), True]
        async with asyncio.timeout(20):
            while viewer.language != "DE":  # noqa: ASYNC110 - nobody is told when it has been read
                await asyncio.sleep(0.01)
        await uma.act("chooseAlternativeDate", meetingId=meeting["id"], startsAt=world.at(days=3))
        german = (await socket.next())["meetingUpdates"]["event"]["label"]
    assert german == timeline_label(TimelineEventKind.ALTERNATIVE_DATE_CHOSEN_BY_USER, Language.DE) != english
