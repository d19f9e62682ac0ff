"""Reading feeds from the database."""

from collections.abc import Sequence
from typing import TypeVar
from uuid import UUID

from tortoise.connection import get_connection
from tortoise.models import Model

from live.messages import News, Profile
from models import ChatMessage, FeedEntry, Meeting, Notification, Person, TimelineEvent
from models.feeds import FeedEntryKind
from models.transactions import snapshot
from rules.terms import Language

Row = TypeVar("Row", bound=Model)


async def feed_head(person_id: UUID) -> int:
    """The position of the newest entry of a person's feed."""
    heads = await Person.filter(id=person_id).values_list("feed_head", flat=True)
    return int(heads[0]) if heads else 0  # type: ignore[call-overload]


async def feed_heads(person_ids: Sequence[UUID]) -> list[tuple[UUID, int, Profile]]:
    """The same for many people at once, and how each is spoken to."""
    if not person_ids:
        return []
    rows = await get_connection("default").execute_query_dict(
        "SELECT id, feed_head, language, time_zone FROM person WHERE id = ANY($1)", [list(person_ids)]
    )
    return [(row["id"], row["feed_head"], Profile(Language(row["language"]), row["time_zone"])) for row in rows]


async def read_feed(person_id: UUID, *, after: int, at_most: int) -> list[tuple[int, News]]:
    """The entries after a position, oldest first, each with its position; meetings and balances as they now are.

    All as of one instant: a balance newer than the entries would be followed by messages with older ones.
    """
    async with snapshot():
        return await _read(person_id, after=after, at_most=at_most)


async def _read(person_id: UUID, *, after: int, at_most: int) -> list[tuple[int, News]]:
    entries = await FeedEntry.filter(person_id=person_id, position__gt=after).order_by("position").limit(at_most)

    async def named(kind: FeedEntryKind, table: type[Row]) -> dict[UUID, Row]:
        ids = [entry.ref for entry in entries if entry.kind is kind]
        return await table.in_bulk(ids, "id") if ids else {}

    events = await named(FeedEntryKind.TIMELINE_EVENT, TimelineEvent)
    notifications = await named(FeedEntryKind.NOTIFICATION, Notification)
    messages = await named(FeedEntryKind.CHAT_MESSAGE, ChatMessage)
    meeting_ids = {event.meeting_id for event in events.values()}
    meetings = await Meeting.in_bulk(meeting_ids, "id") if meeting_ids else {}
    person = await Person.get(id=person_id) if entries else None

    def news(entry: FeedEntry) -> News:
        match entry.kind:
            case FeedEntryKind.TIMELINE_EVENT:
                event = events[entry.ref]
                return News(entry.kind, entry.ref, event=event, meeting=meetings[event.meeting_id])
            case FeedEntryKind.BALANCE:
                assert person is not None
                return News(entry.kind, entry.ref, available=person.available, blocked=person.blocked)
            case FeedEntryKind.NOTIFICATION:
                return News(entry.kind, entry.ref, notification=notifications[entry.ref])
            case FeedEntryKind.CHAT_MESSAGE:
                return News(entry.kind, entry.ref, message=messages[entry.ref])

    return [(entry.position, news(entry)) for entry in entries]
