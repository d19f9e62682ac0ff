"""Watching what happens, live (W1, W3): each a stream that is listening once it has been entered."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from functools import partial, wraps
from typing import Any, Generic, ParamSpec, TypeVar
from uuid import UUID

import structlog

import measuring
from live.disputes import Disputes, follow_disputes, staff_head
from live.feeds import Feeds, Follower
from live.messages import News
from live.reading import feed_head
from models import Meeting, Person
from models.feeds import FeedEntryKind
from models.transactions import DatabaseUnavailable
from resolvers.chatting import visible_chat
from resolvers.conflicts import standing_conflicts
from resolvers.cursors import decode_cursor, encode_cursor, read_number
from resolvers.errors import ErrorCode, RequestError
from resolvers.listing import events_between, visible_meeting
from resolvers.visibility import may_see, only_staff, side_of

log = structlog.get_logger()

PAUSE_AFTER_FAILURE_SECONDS = 1.0
REPLAYED_AT_ONCE = 100

MEETING_UPDATES = "meetingUpdates"
MY_MEETING_UPDATES = "myMeetingUpdates"
NOTIFICATIONS = "notificationReceived"
CHAT_MESSAGES = "chatMessageSent"
DISPUTE_UPDATES = "disputeUpdates"

Read = TypeVar("Read")
Seen = TypeVar("Seen")
Begun = TypeVar("Begun")
Given = ParamSpec("Given")
Update = tuple[Callable[[], str], News]
"The cursor of a place in the stream, made if it is asked for, and the news there."
ConflictWarning = tuple[UUID, list[Meeting]]
"A meeting that waits for the viewer's answer, and what it collides with; nothing once that is gone."


async def persistently(read: Callable[[], Awaitable[Read]]) -> Read:
    """What is read for a push. While the database is away whoever watches waits: an error would end their stream."""
    while True:
        try:
            return await read()
        except DatabaseUnavailable as fault:
            log.warning("cannot read what is to be pushed", cause=repr(fault))
            await asyncio.sleep(PAUSE_AFTER_FAILURE_SECONDS)


def begun_persistently(begin: Callable[Given, Awaitable[Begun]]) -> Callable[Given, Awaitable[Begun]]:
    """The same for what begins to watch: clients never ask again for a subscription that was refused."""

    @wraps(begin)
    async def persistent(*given: Given.args, **named: Given.kwargs) -> Begun:
        return await persistently(partial(begin, *given, **named))

    return persistent


@dataclass(frozen=True, slots=True)
class Watch(Generic[Seen]):
    """What is seen from when this was made until it is closed."""

    seen: AsyncGenerator[Seen, None]
    source: Follower | Disputes

    async def aclose(self) -> None:
        """See no more."""
        try:
            await self.seen.aclose()
        finally:
            await self.source.aclose()


@begun_persistently
async def meeting_updates(feeds: Feeds, meeting_id: UUID, *, after: str | None, viewer: Person) -> Watch[Update]:
    """What happens to one meeting, for its two sides and for staff; raises NOT_FOUND for everybody else.

    A cursor is the number of an event, so that it says the same whoever's feed is listened to.
    """
    meeting = await visible_meeting(meeting_id, viewer)
    if meeting is None:
        raise RequestError(ErrorCode.NOT_FOUND, "There is no such meeting, or it is not yours to see.")
    owner = f"{meeting_id}/{viewer.id}"
    seen = None if after is None else _place(after, MEETING_UPDATES, owner, newest=meeting.version)
    # Staff have no feed of other people's meetings: they listen to the user's.
    feed = await feeds.follow(viewer.id if side_of(meeting, viewer) else meeting.user_id)
    return Watch(_meeting_updates(feed, meeting_id, owner, viewer, seen), feed)


async def _meeting_updates(
    feed: Follower, meeting_id: UUID, owner: str, viewer: Person, seen: int | None
) -> AsyncGenerator[Update, None]:
    """What was missed, from the timeline; then what comes. The feed was listened to first, so the two overlap."""

    def update(news: News) -> Update:
        assert news.event is not None
        return partial(encode_cursor, MEETING_UPDATES, owner, news.event.sequence), news

    last = seen or 0
    if seen is not None:
        measuring.replayed()
    while seen is not None and (missed := await persistently(partial(_missed, meeting_id, after=last))):
        for news in missed:
            yield update(news)
        last += len(missed)
    async for news in feed:
        if news.event and news.event.meeting_id == meeting_id and news.event.sequence > last and _may_see(news, viewer):
            yield update(news)


async def _missed(meeting_id: UUID, *, after: int) -> list[News]:
    """The next events of a meeting, which is shown with each of them as it is now."""
    events = await events_between(meeting_id, after + 1, after + REPLAYED_AT_ONCE)
    meeting = await Meeting.get(id=meeting_id)
    return [News(FeedEntryKind.TIMELINE_EVENT, event.id, event=event, meeting=meeting) for event in events]


@begun_persistently
async def my_meeting_updates(feeds: Feeds, *, after: str | None, viewer: Person) -> Watch[Update]:
    """What happens to any of the viewer's meetings."""
    return await _watch(feeds, MY_MEETING_UPDATES, after, viewer, lambda news: _may_see(news, viewer))


@begun_persistently
async def notifications(feeds: Feeds, *, after: str | None, viewer: Person) -> Watch[Update]:
    """What the viewer is told."""

    def wanted(news: News) -> bool:
        return news.notification is not None and news.notification.person_id == viewer.id

    return await _watch(feeds, NOTIFICATIONS, after, viewer, wanted)


@begun_persistently
async def chat_messages(feeds: Feeds, chat_id: UUID, *, after: str | None, viewer: Person) -> Watch[Update]:
    """What is written in one of the viewer's chats, by either of the two; raises NOT_FOUND for everybody else."""
    if await visible_chat(chat_id, viewer) is None:
        raise RequestError(ErrorCode.NOT_FOUND, "There is no such chat, or it is not yours.")

    def wanted(news: News) -> bool:
        return news.message is not None and news.message.chat_id == chat_id

    return await _watch(feeds, f"{CHAT_MESSAGES}/{chat_id}", after, viewer, wanted)


async def _watch(
    feeds: Feeds, name: str, after: str | None, viewer: Person, wanted: Callable[[News], bool]
) -> Watch[Update]:
    """What is wanted of the viewer's own feed; a cursor is a position in it, and good for this stream alone."""
    seen = None if after is None else _place(after, name, viewer.id, newest=await feed_head(viewer.id))
    feed = await feeds.follow(viewer.id, after=seen)
    return Watch(_wanted(feed, wanted, partial(encode_cursor, name, viewer.id)), feed)


async def _wanted(
    feed: Follower, wanted: Callable[[News], bool], cursor: Callable[[int], str]
) -> AsyncGenerator[Update, None]:
    async for news in feed:
        if wanted(news):
            yield partial(cursor, feed.position), news


def _may_see(news: News, viewer: Person) -> bool:
    """Whether it is theirs is asked for every push, whatever was true when they subscribed (W3)."""
    return news.meeting is not None and may_see(news.meeting, viewer)


def _place(after: str, stream: str, owner: object, *, newest: int) -> int:
    """The place that a cursor names, which was not given out if nothing has got there yet."""

    def read(place: Any) -> int:
        number = read_number(place)
        if number > newest:
            raise ValueError("not reached yet")
        return number

    return decode_cursor(after, stream=stream, owner=owner, read=read)


@begun_persistently
async def dispute_updates(feeds: Feeds, *, viewer: Person, after: str | None) -> Watch[Update]:
    """Meetings as they are referred to Expertim and decided, for staff only (S3)."""
    only_staff(viewer)
    head = await staff_head()
    place = head if after is None else _place(after, DISPUTE_UPDATES, viewer.id, newest=head)
    disputes = await follow_disputes(feeds.broadcast)
    return Watch(_disputes(disputes.after(place), viewer), disputes)


async def _disputes(disputes: AsyncIterator[News], viewer: Person) -> AsyncGenerator[Update, None]:
    async for news in disputes:
        assert news.event is not None
        yield partial(encode_cursor, DISPUTE_UPDATES, viewer.id, news.event.staff_position), news


@begun_persistently
async def conflict_warnings(feeds: Feeds, *, viewer: Person) -> Watch[ConflictWarning]:
    """The conflicts of what waits for the viewer's answer: those that stand now, then each as it changes (C3)."""
    feed = await feeds.follow(viewer.id)
    return Watch(_conflict_warnings(feed, viewer), feed)


async def _conflict_warnings(feed: Follower, viewer: Person) -> AsyncGenerator[ConflictWarning, None]:
    """Nothing of them is stored: whenever something happened to the viewer they are found anew, and compared."""
    sent: dict[UUID, set[UUID]] = {}
    while True:
        standing = await persistently(partial(standing_conflicts, viewer))
        for meeting_id in [*standing, *(sent.keys() - standing.keys())]:
            conflicts = standing.get(meeting_id, [])
            if (ids := {each.id for each in conflicts}) != sent.get(meeting_id, set()):
                sent[meeting_id] = ids
                yield meeting_id, conflicts
        sent = {meeting_id: ids for meeting_id, ids in sent.items() if ids}
        await feed.something_new()


@begun_persistently
async def balances(feeds: Feeds, *, viewer: Person) -> Watch[Person]:
    """The viewer with their balances as they are now, then after each change."""
    feed = await feeds.follow(viewer.id)
    return Watch(_balances(feed, viewer), feed)


async def _balances(feed: Follower, viewer: Person) -> AsyncGenerator[Person, None]:
    holder = await persistently(lambda: Person.get(id=viewer.id))
    feed.position = max(feed.position, holder.feed_head)  # what the row already shows is not told again
    yield holder
    async for news in feed:
        if news.kind is FeedEntryKind.BALANCE and news.available is not None and news.blocked is not None:
            holder.available, holder.blocked = news.available, news.blocked
            yield holder
