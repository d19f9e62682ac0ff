"""The feeds of the people who are connected to this process: one reader each, any number of followers.

PostgreSQL holds the truth and Redis carries hints. A message whose position is the next one is served as it came; after
a gap, a resync or a heartbeat that finds a newer head, the reader reads from its own position.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Self
from uuid import UUID

import structlog

from live.broadcast import RESYNC, Broadcast, Subscriber
from live.messages import News, decode, person_channel
from live.reading import feed_head, feed_heads, read_feed

log = structlog.get_logger()

HEARTBEAT_SECONDS = 2.0
HEARTBEAT_WITHOUT_REDIS_SECONDS = 1.0
PAUSE_AFTER_FAILURE_SECONDS = 1.0
MOST_WAITING = 100


class Follower:
    """A person's feed from a position on: each entry once, in order, whatever Redis does meanwhile."""

    def __init__(self, person_id: UUID, *, after: int | None = None) -> None:
        self.position = after or 0
        self._person_id = person_id
        self._waiting: deque[tuple[int, News]] = deque()
        self._behind = after is not None
        "Whether there is more than waits here: it is read once that is served."
        self._ended = False
        self._news = asyncio.Event()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> News:
        while True:
            while self._waiting:
                position, news = self._waiting.popleft()
                if position > self.position:
                    self.position = position
                    return news
            if self._behind:
                await self._catch_up()
            elif self._ended:
                raise RuntimeError("nobody reads this feed any more")
            else:
                self._news.clear()
                await self._news.wait()

    async def something_new(self) -> None:
        """Wait for the next entry, and pass over those that wait behind it."""
        await anext(self)
        if self._waiting:
            self.position = max(self.position, self._waiting[-1][0])
            self._waiting.clear()

    def offer(self, entries: list[tuple[int, News]]) -> None:
        """Take what the reader found; what is too much at once is left in the database until there is time for it."""
        if self._behind or len(self._waiting) + len(entries) > MOST_WAITING:
            self._behind = True
        else:
            self._waiting.extend(entries)
        self._news.set()

    def end(self) -> None:
        """Nothing will be offered any more: whoever iterates fails, and may begin again."""
        self._ended = True
        self._news.set()

    async def _catch_up(self) -> None:
        self._behind = False  # what is offered from here on comes after all that is read now, and is taken
        try:
            entries = await _persistently_read(self._person_id, self.position)
        except BaseException:
            self._behind = True
            raise
        if self._behind or len(entries) == MOST_WAITING:
            # What was taken meanwhile need not follow on what was read: it will be read too.
            self._behind = True
            self._waiting = deque(entries)
        else:
            self._waiting.extendleft(reversed(entries))


class Feeds:
    """Whom this process reads feeds for."""

    def __init__(self, broadcast: Broadcast) -> None:
        self._broadcast = broadcast
        self._readers: dict[UUID, _Reader] = {}
        self._heartbeat: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._heartbeat = asyncio.create_task(self._keep_comparing_heads(), name="heads")

    async def stop(self) -> None:
        for task in [self._heartbeat, *(reader.task for reader in self._readers.values())]:
            if task is not None:
                task.cancel()
                await asyncio.wait({task})

    @property
    def broadcast(self) -> Broadcast:
        """What messages arrive by."""
        return self._broadcast

    @property
    def connected_people(self) -> int:
        """How many people have a reader in this process."""
        return len(self._readers)

    @asynccontextmanager
    async def follow(self, person_id: UUID, *, after: int | None = None) -> AsyncIterator[Follower]:
        """A person's feed after a position, or from now on: what is committed once this is entered is not missed."""
        reader = self._readers.get(person_id)
        if reader is None or reader.task.done():
            reader = self._readers[person_id] = _Reader(person_id, self._broadcast)
        follower = Follower(person_id, after=after)
        reader.followers.add(follower)
        try:
            await reader.listening()
            if after is None:
                follower.position = await feed_head(person_id)
            yield follower
        finally:
            reader.followers.discard(follower)
            if not reader.followers and self._readers.get(person_id) is reader:
                # No await between the last one's leaving and this, so that nobody joins a reader that ends.
                del self._readers[person_id]
                reader.task.cancel()
                await asyncio.wait({reader.task})

    async def _keep_comparing_heads(self) -> None:
        """One query for everybody finds what no message told."""
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS if self._broadcast.connected else HEARTBEAT_WITHOUT_REDIS_SECONDS)
            try:
                heads = await feed_heads(list(self._readers))
            except Exception as error:
                log.warning("cannot compare the heads of feeds", error=repr(error))
                continue
            for person_id, head in heads.items():
                if reader := self._readers.get(person_id):
                    reader.compare(head)


class _Reader:
    """Reads one person's feed for all who follow it in this process."""

    def __init__(self, person_id: UUID, broadcast: Broadcast) -> None:
        self.followers: set[Follower] = set()
        self._person_id = person_id
        self._broadcast = broadcast
        self._messages: Subscriber | None = None
        self._position = 0
        self._listening = asyncio.Event()
        self.task = asyncio.create_task(self._read(), name=f"feed of {person_id}")
        self.task.add_done_callback(self._has_ended)

    async def listening(self) -> None:
        """Returns once nothing that is committed from now on can be missed."""
        await self._listening.wait()

    def _has_ended(self, task: asyncio.Task[None]) -> None:
        """Whoever still follows is told, instead of waiting for ever."""
        if not task.cancelled() and (fault := task.exception()):
            log.error("a feed's reader failed", exc_info=fault)
        self._listening.set()
        for follower in self.followers:
            follower.end()

    def compare(self, head: int) -> None:
        """Read again if there is more than has been served."""
        if self._messages is not None and head > self._position:
            self._messages.resync()

    async def _read(self) -> None:
        async with self._broadcast.subscribe(person_channel(self._person_id)) as messages:
            self._position = await _persistently_head(self._person_id)
            self._messages = messages
            self._listening.set()
            async for message in messages:
                if message is RESYNC:
                    await self._catch_up()
                else:
                    await self._take(message)

    async def _take(self, message: str) -> None:
        try:
            first, news = decode(message)
        except Exception:  # whoever sent it, it is only a hint that there may be news
            log.exception("a message can't be read")
            await self._catch_up()
            return
        if first > self._position + 1:
            await self._catch_up()  # a message tells of what is committed, so this finds it too
        else:
            self._serve(list(enumerate(news, start=first)))

    async def _catch_up(self) -> None:
        while entries := await _persistently_read(self._person_id, self._position):
            self._serve(entries)

    def _serve(self, entries: list[tuple[int, News]]) -> None:
        fresh = [(position, news) for position, news in entries if position > self._position]
        if not fresh:
            return
        self._position = fresh[-1][0]
        for follower in self.followers:
            follower.offer(fresh)


async def _persistently_head(person_id: UUID) -> int:
    while True:
        try:
            return await feed_head(person_id)
        except Exception as error:
            log.warning("cannot read the head of a feed", error=repr(error))
            await asyncio.sleep(PAUSE_AFTER_FAILURE_SECONDS)


async def _persistently_read(person_id: UUID, after: int) -> list[tuple[int, News]]:
    """The next entries; while PostgreSQL is away the followers wait, and go on where they were."""
    while True:
        try:
            return await read_feed(person_id, after=after, at_most=MOST_WAITING)
        except Exception as error:
            log.warning("cannot read a feed", error=repr(error))
            await asyncio.sleep(PAUSE_AFTER_FAILURE_SECONDS)
