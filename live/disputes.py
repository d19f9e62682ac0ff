"""What staff are told of all meetings: what was referred to Expertim, and what was decided.

These events have numbers of their own, without gaps. A message is a hint to read on from the last one; what no message
told is found all the same.
"""

import asyncio
from collections.abc import AsyncIterator

import structlog

from live import feeds
from live.broadcast import Broadcast, Subscriber
from live.messages import News
from models import Meeting, StaffFeed, TimelineEvent
from models.feeds import FeedEntryKind

log = structlog.get_logger()

STAFF_CHANNEL = "staff"


async def staff_head() -> int:
    """The number of the newest event that staff were told."""
    return int((await StaffFeed.get(id=1)).head)


async def read_disputes(*, after: int, at_most: int = feeds.MOST_WAITING) -> list[News]:
    """The events after a number, oldest first, with their meetings as they now are."""
    events = await TimelineEvent.filter(staff_position__gt=after).order_by("staff_position").limit(at_most)
    meetings = await Meeting.in_bulk({event.meeting_id for event in events}, "id") if events else {}
    return [
        News(FeedEntryKind.TIMELINE_EVENT, event.id, event=event, meeting=meetings[event.meeting_id])
        for event in events
    ]


class Disputes:
    """What is referred and decided after a number: each once, in order."""

    def __init__(self, broadcast: Broadcast) -> None:
        self._broadcast = broadcast
        self._messages = Subscriber(queue_size=1)
        self._heartbeat = asyncio.create_task(self._keep_reminding(), name="disputes")

    async def aclose(self) -> None:
        """Follow no more."""
        self._heartbeat.cancel()
        await self._broadcast.leave(STAFF_CHANNEL, self._messages)
        await asyncio.wait({self._heartbeat})

    async def after(self, position: int) -> AsyncIterator[News]:
        """The events after this number, and then those that come."""
        self._messages.resync()  # what there is already is read at once
        async for _ in self._messages:
            while found := await _persistently_read(position):
                for news in found:
                    assert news.event is not None
                    assert news.event.staff_position is not None
                    position = news.event.staff_position
                    yield news
        raise RuntimeError("nobody listens for disputes any more")

    async def _listen(self) -> None:
        await self._broadcast.join(STAFF_CHANNEL, self._messages)

    async def _keep_reminding(self) -> None:
        while True:
            connected = self._broadcast.connected
            await asyncio.sleep(feeds.HEARTBEAT_SECONDS if connected else feeds.HEARTBEAT_WITHOUT_REDIS_SECONDS)
            self._messages.resync()


async def follow_disputes(broadcast: Broadcast) -> Disputes:
    """Listens once this returns; whoever follows must close it."""
    disputes = Disputes(broadcast)
    try:
        await disputes._listen()
    except BaseException:
        await disputes.aclose()
        raise
    return disputes


async def _persistently_read(after: int) -> list[News]:
    while True:
        try:
            return await read_disputes(after=after)
        except Exception as error:
            log.warning("cannot read disputes", error=repr(error))
            await asyncio.sleep(feeds.PAUSE_AFTER_FAILURE_SECONDS)
