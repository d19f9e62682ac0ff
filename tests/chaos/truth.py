"""What the database says that came about, read without any of the service's own reading."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, Self
from uuid import UUID

import asyncpg

from schema.ids import row_id
from tests.chaos.actors import Answers
from tests.chaos.clients import Stream
from tests.driving import Client
from tests.invariants import INVARIANTS

FEED = """
SELECT entry.kind, entry.ref, event.sequence, event.kind AS event_kind, notification.kind AS notification_kind,
    message.chat_id, message.text
FROM feed_entry AS entry LEFT JOIN timeline_event AS event ON event.id = entry.ref
LEFT JOIN notification ON notification.id = entry.ref LEFT JOIN chat_message AS message ON message.id = entry.ref
WHERE entry.person_id = $1 AND entry.position > $2 ORDER BY entry.position
"""
TIMELINE = "SELECT id, sequence, kind FROM timeline_event WHERE meeting_id = $1 AND sequence > $2 ORDER BY sequence"
HEADS = "SELECT id, feed_head AS head FROM person UNION ALL SELECT id, version FROM meeting"
EVENTS = "SELECT meeting_id, id, sequence, kind, actor FROM timeline_event"
MEETINGS = "SELECT id FROM meeting"
MESSAGES = "SELECT id, text FROM chat_message"

Fact = tuple[Any, ...]


class Truth:
    """What came about since people began to watch."""

    def __init__(self, database: asyncpg.Pool) -> None:
        self._database = database
        self._heads: dict[UUID, int] = {}
        self._before: dict[str, set[Fact]] = {}

    @classmethod
    async def from_now_on(cls, database: asyncpg.Pool) -> Self:
        truth = cls(database)
        truth._heads = await truth.heads()
        truth._before = {query: set(await truth._facts(query)) for query in (EVENTS, MEETINGS, MESSAGES)}
        return truth

    async def heads(self) -> dict[UUID, int]:
        """How far the feed of each person and the timeline of each meeting have come."""
        return {row["id"]: row["head"] for row in await self._database.fetch(HEADS)}

    async def of(self, viewer: Client, stream: Stream) -> list[Fact]:
        """What this stream must have brought."""
        if stream.name == "meetingUpdates":
            meeting = row_id("Meeting", stream.given["id"])
            return await self._facts(TIMELINE, meeting, self._heads[meeting])
        person = row_id("Person", viewer.id)
        feed = await self._database.fetch(FEED, person, self._heads[person])
        match stream.name:
            case "myMeetingUpdates":
                return [(e["ref"], e["sequence"], e["event_kind"]) for e in feed if e["kind"] == "TIMELINE_EVENT"]
            case "notificationReceived":
                return [(e["ref"], e["notification_kind"]) for e in feed if e["kind"] == "NOTIFICATION"]
        chat = row_id("Chat", stream.given["id"])
        return [(e["ref"], e["text"]) for e in feed if e["kind"] == "CHAT_MESSAGE" and e["chat_id"] == chat]

    async def has_each_once(self, answers: Answers) -> None:
        """What people were told that they had done is there once, and nobody did anything else (I1)."""
        events = [
            (row_id("Meeting", meeting), row_id("TimelineEvent", event), sequence, kind)
            for meeting, event, sequence, kind in answers.events
        ]
        recorded = await self._since(EVENTS)
        agree({fact[:4] for fact in recorded if fact[:4] in set(events) or fact[4] != "SYSTEM"}, events)
        agree(await self._since(MEETINGS), [(row_id("Meeting", each),) for each in answers.meetings])
        agree(await self._since(MESSAGES), [(row_id("ChatMessage", each), text) for each, text in answers.messages])

    async def is_in_order(self) -> None:
        """Ledger, timelines, feeds and whatever else must always hold."""
        broken = {name: rows for name, query in INVARIANTS.items() if (rows := await self._database.fetch(query))}
        assert not broken, broken

    async def _since(self, query: str) -> set[Fact]:
        return set(await self._facts(query)) - self._before[query]

    async def _facts(self, query: str, *given: Any) -> list[Fact]:
        return [tuple(row) for row in await self._database.fetch(query, *given)]


def agree(recorded: set[Fact], answered: Sequence[Fact]) -> None:
    """What was answered is what was recorded, each once."""
    assert Counter(answered) == Counter(recorded), (
        f"twice {[fact for fact, times in Counter(answered).items() if times > 1]},"
        f" not there {set(answered) - recorded}, never answered {recorded - set(answered)}"
    )


def shown(stream: Stream) -> list[Fact]:
    """What a stream has brought."""
    return [_fact(update) for update in stream.seen]


def _fact(update: dict[str, Any]) -> Fact:
    match update:
        case {"event": event, "meeting": meeting}:
            assert meeting["version"] >= event["sequence"], "the meeting is shown as it was before"
            return row_id("TimelineEvent", event["id"]), event["sequence"], event["kind"]
        case {"notification": notification}:
            return row_id("Notification", notification["id"]), notification["kind"]
        case {"chatMessage": message}:
            return row_id("ChatMessage", message["id"]), message["text"]
    raise AssertionError(update)


def fault(viewer: Client, stream: Stream, truth: list[Fact]) -> str | None:
    """What is wrong with what a stream has brought, if anything is."""
    seen = shown(stream)
    if seen == truth:
        return None
    place = next((n for n, (one, other) in enumerate(zip(seen, truth, strict=False)) if one != other), None)
    doubled = [fact for fact, times in Counter(seen).items() if times > 1]
    return (
        f"{stream.name} of {viewer.sub}: {len(seen)} of {len(truth)}, missing {set(truth) - set(seen)},"
        f" doubled {doubled}, not of it {set(seen) - set(truth)}, first wrong at {place}"
    )
