"""Watching what happens, live (W1, W3): each a stream that is listening once it has been entered."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import TypeVar
from uuid import UUID

import structlog

from live.feeds import Feeds, Follower
from live.messages import News
from models import Meeting, Person
from models.feeds import FeedEntryKind
from models.transactions import DatabaseUnavailable
from resolvers.conflicts import standing_conflicts
from resolvers.cursors import encode_cursor
from resolvers.errors import ErrorCode, RequestError
from resolvers.listing import visible_meeting
from resolvers.visibility import may_see, side_of

log = structlog.get_logger()

PAUSE_AFTER_FAILURE_SECONDS = 1.0

Read = TypeVar("Read")
Update = tuple[str, News]
"A cursor and the news at that place of the stream."
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


@asynccontextmanager
async def meeting_updates(feeds: Feeds, meeting_id: UUID, *, viewer: Person) -> AsyncIterator[AsyncIterator[Update]]:
    """What happens to one meeting, for its two sides and for staff; raises NOT_FOUND for everybody else."""
    meeting = await visible_meeting(meeting_id, viewer)
    if meeting is None:
        raise RequestError(ErrorCode.NOT_FOUND, "There is no such meeting, or it is not yours to see.")
    # Staff have no feed of other people's meetings: they listen to the user's.
    listened_to = viewer.id if side_of(meeting, viewer) else meeting.user_id

    def cursor(news: News) -> str:
        assert news.event is not None
        return encode_cursor("meetingUpdates", f"{meeting_id}/{viewer.id}", news.event.sequence)

    async with feeds.follow(listened_to) as feed:
        yield _events(feed, viewer, lambda news: news.event is not None and news.event.meeting_id == meeting_id, cursor)


@asynccontextmanager
async def my_meeting_updates(feeds: Feeds, *, viewer: Person) -> AsyncIterator[AsyncIterator[Update]]:
    """What happens to any of the viewer's meetings."""
    async with feeds.follow(viewer.id) as feed:
        yield _events(
            feed, viewer, lambda news: True, lambda _: encode_cursor("myMeetingUpdates", viewer.id, feed.position)
        )


async def _events(
    feed: Follower, viewer: Person, wanted: Callable[[News], bool], cursor: Callable[[News], str]
) -> AsyncIterator[Update]:
    async for news in feed:
        # Whether it is theirs is asked for every push, whatever was true when they subscribed (W3).
        if news.meeting is not None and may_see(news.meeting, viewer) and wanted(news):
            yield cursor(news), news


@asynccontextmanager
async def conflict_warnings(feeds: Feeds, *, viewer: Person) -> AsyncIterator[AsyncIterator[ConflictWarning]]:
    """The conflicts of what waits for the viewer's answer: those that stand now, then each as it changes (C3)."""
    async with feeds.follow(viewer.id) as feed:
        yield _conflict_warnings(feed, viewer)


async def _conflict_warnings(feed: Follower, viewer: Person) -> AsyncIterator[ConflictWarning]:
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


@asynccontextmanager
async def balances(feeds: Feeds, *, viewer: Person) -> AsyncIterator[AsyncIterator[Person]]:
    """The viewer with their balances as they are now, then after each change."""
    async with feeds.follow(viewer.id) as feed:
        yield _balances(feed, viewer)


async def _balances(feed: Follower, viewer: Person) -> AsyncIterator[Person]:
    holder = await Person.get(id=viewer.id)
    feed.position = max(feed.position, holder.feed_head)  # what the row already shows is not told again
    yield holder
    async for news in feed:
        if news.kind is FeedEntryKind.BALANCE and news.available is not None and news.blocked is not None:
            holder.available, holder.blocked = news.available, news.blocked
            yield holder
