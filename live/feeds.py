"""The feeds of the people who are connected to this process: one reader each, any number of followers.

PostgreSQL holds the truth and Redis carries hints. A message whose position is the next one is served as it came; after
a gap, a resync or a heartbeat that finds a newer head, the reader reads from its own position.
"""

import asyncio
from typing import Self
from uuid import UUID
from weakref import WeakValueDictionary

import structlog

import measuring
from live.broadcast import Broadcast
from live.messages import News, Profile, decode, person_channel
from live.reading import feed_head, feed_heads, read_feed
from models import Person

log = structlog.get_logger()

HEARTBEAT_SECONDS = 1.5
HEARTBEAT_WITHOUT_REDIS_SECONDS = 1.0
ON_ITS_WAY_SECONDS = 0.1
PAUSE_AFTER_FAILURE_SECONDS = 1.0
MOST_WAITING = 100


class Follower:
    """A person's feed from a position on: each entry once, in order, whatever Redis does meanwhile."""

    # There are very many of them, mostly idle.
    __slots__ = ("_behind", "_ended", "_person_id", "_reader", "_waiter", "_waiting", "position")

    def __init__(self, person_id: UUID, *, after: int | None = None, reader: "_Reader | None" = None) -> None:
        self.position = after or 0
        self._person_id = person_id
        self._reader = reader
        self._waiting: list[tuple[int, News]] = []
        self._behind = after is not None
        "Whether there is more than waits here: it is read once that is served."
        self._ended = False
        self._waiter: asyncio.Future[None] | None = None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> News:
        while True:
            while self._waiting:
                position, news = self._waiting.pop(0)
                if position > self.position:
                    self.position = position
                    return news
            if self._behind:
                await self._catch_up()
            elif self._ended:
                raise RuntimeError("nobody reads this feed any more")
            else:
                self._waiter = asyncio.get_running_loop().create_future()
                await self._waiter

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
        self._wake()

    def end(self) -> None:
        """Nothing will be offered any more: whoever iterates fails, and may begin again."""
        self._ended = True
        self._wake()

    async def aclose(self) -> None:
        """Follow no more."""
        if self._reader:
            await self._reader.leave(self)

    def _wake(self) -> None:
        if self._waiter and not self._waiter.done():
            self._waiter.set_result(None)

    async def _catch_up(self) -> None:
        measuring.replayed()
        self._behind = False  # what is offered from here on comes after all that is read now, and is taken
        try:
            entries = await _persistently_read(self._person_id, self.position)
        except BaseException:
            self._behind = True
            raise
        if self._behind or len(entries) == MOST_WAITING:
            # What was taken meanwhile need not follow on what was read: it will be read too.
            self._behind = True
            self._waiting = entries
        else:
            self._waiting[:0] = entries


class Feeds:
    """Whom this process reads feeds for, and who watches."""

    def __init__(self, broadcast: Broadcast) -> None:
        self._broadcast = broadcast
        self._readers: dict[UUID, _Reader] = {}
        self._viewers: WeakValueDictionary[tuple[UUID, bool], Person] = WeakValueDictionary()
        self._heartbeat: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._heartbeat = asyncio.create_task(self._keep_comparing_heads(), name="heads")

    async def stop(self) -> None:
        if self._heartbeat:
            self._heartbeat.cancel()
            await asyncio.wait({self._heartbeat})
        for reader in list(self._readers.values()):
            await reader.stop()

    @property
    def broadcast(self) -> Broadcast:
        """What messages arrive by."""
        return self._broadcast

    @property
    def connected_people(self) -> int:
        """How many people have a reader in this process."""
        return len(self._readers)

    def viewer(self, person: Person) -> Person:
        """One and the same for all who watch as this person and in this role; kept as the person is spoken to."""
        viewer = self._viewers.setdefault((person.id, person.is_staff), person)
        self._speak(person.id, Profile(person.language, person.time_zone))
        return viewer

    async def follow(self, person_id: UUID, *, after: int | None = None) -> Follower:
        """A person's feed after a position, or from now on: what is committed once this returns is not missed.

        Whoever follows must close it.
        """
        reader = self._readers.get(person_id)
        is_fresh = reader is None
        if reader is None:
            reader = self._readers[person_id] = _Reader(person_id, self)
        follower = Follower(person_id, after=after, reader=reader)
        reader.followers.add(follower)
        try:
            await reader.listening()
            if after is None:  # a reader that has just begun has just read it
                follower.position = reader.position if is_fresh else await feed_head(person_id)
        except BaseException:
            await follower.aclose()
            raise
        return follower

    def _forget(self, reader: "_Reader") -> None:
        """Whoever follows from now on begins another one. It never suspends, so that nobody joins one that ends."""
        if self._readers.get(reader.person_id) is reader:
            del self._readers[reader.person_id]

    def _speak(self, person_id: UUID, profile: Profile) -> None:
        """Whoever watches may meanwhile have changed what they are spoken to in."""
        for is_staff in (False, True):
            if viewer := self._viewers.get((person_id, is_staff)):
                viewer.language, viewer.time_zone = profile.language, profile.time_zone

    async def _keep_comparing_heads(self) -> None:
        """One query for everybody finds what no message told."""
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS if self._broadcast.connected else HEARTBEAT_WITHOUT_REDIS_SECONDS)
            try:
                heads = await feed_heads(list({*self._readers, *(person_id for person_id, _ in self._viewers)}))
            except Exception as error:
                log.warning("cannot compare the heads of feeds", error=repr(error))
                continue
            for person_id, head, profile in heads:
                self._speak(person_id, profile)
                if reader := self._readers.get(person_id):
                    reader.compare(head)


class _Reader:
    """Reads one person's feed for all who follow it in this process: a `Receiver` of their channel."""

    __slots__ = ("_again", "_catching_up", "_feeds", "_position", "_starting", "followers", "person_id")

    def __init__(self, person_id: UUID, feeds: Feeds) -> None:
        self.person_id = person_id
        self.followers: set[Follower] = set()
        self._feeds = feeds
        self._position: int | None = None
        "Up to where the followers were served; unknown until it listens."
        self._catching_up: asyncio.Task[None] | None = None
        self._again = False
        "Whether something came while it was reading, which may have been too early to find it."
        self._starting: asyncio.Task[None] | None = asyncio.create_task(self._start(), name=f"feed of {person_id}")

    async def listening(self) -> None:
        """Returns once nothing that is committed from now on can be missed."""
        if self._starting:
            await asyncio.shield(self._starting)

    async def leave(self, follower: Follower) -> None:
        """One follows no more; the last one ends it."""
        self.followers.discard(follower)
        if not self.followers:
            self._feeds._forget(self)
            await self.stop()

    async def stop(self) -> None:
        """Listen no more."""
        tasks = {task for task in (self._starting, self._catching_up) if task}
        for task in tasks:
            task.cancel()
        await self._feeds.broadcast.leave(person_channel(self.person_id), self)
        if tasks:
            await asyncio.wait(tasks)

    @property
    def position(self) -> int:
        """Up to where the followers were served."""
        assert self._position is not None, "it listens"
        return self._position

    def compare(self, head: int) -> None:
        """Read again if there is more than has been served, and it is not just on its way."""
        if self._position is not None and head > self._position:
            asyncio.get_running_loop().call_later(ON_ITS_WAY_SECONDS, self._read_up_to, head)

    def _read_up_to(self, head: int) -> None:
        if self.followers and self._position is not None and head > self._position:
            self.resync()

    def push(self, payload: str) -> None:
        """Serve what a message tells, if it is what comes next; otherwise read."""
        try:
            self._take(payload)
        except Exception as fault:
            self._fail(fault)

    def resync(self) -> None:
        """Read what no message told."""
        measuring.resynced()
        if self._catching_up or self._position is None:
            self._again = True
        else:
            self._catching_up = asyncio.create_task(self._catch_up(), name=f"catching up on {self.person_id}")

    def end(self) -> None:
        """Whoever still follows is told, instead of waiting for ever."""
        self._feeds._forget(self)
        for follower in self.followers:
            follower.end()

    def _fail(self, fault: BaseException) -> None:
        log.error("a feed's reader failed", exc_info=fault)
        self.end()

    async def _start(self) -> None:
        await self._feeds.broadcast.join(person_channel(self.person_id), self)
        self._position = await _persistently_head(self.person_id)
        self._starting = None
        if self._again:
            self.resync()

    def _take(self, payload: str) -> None:
        try:
            told = decode(payload)
        except Exception:  # whoever sent it, it is only a hint that there may be news
            log.exception("a message can't be read")
            self.resync()
            return
        if isinstance(told, Profile):
            self._feeds._speak(self.person_id, told)
        elif self._catching_up or self._position is None or told[0] > self._position + 1:
            self.resync()  # a message tells of what is committed, so reading finds it too
        else:
            self._serve(list(enumerate(told[1], start=told[0])))

    async def _catch_up(self) -> None:
        measuring.replayed()
        try:
            while True:
                self._again = False
                assert self._position is not None
                while entries := await _persistently_read(self.person_id, self._position):
                    self._serve(entries)
                if not self._again:
                    return
        except Exception as fault:
            self._fail(fault)
        finally:
            self._catching_up = None

    def _serve(self, entries: list[tuple[int, News]]) -> None:
        assert self._position is not None
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
