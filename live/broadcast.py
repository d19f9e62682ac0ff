"""The broadcaster's interface, with bounded queues and a word for "you may have missed something"."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from enum import Enum
from typing import Final, Protocol, Self

import broadcaster
import structlog

from live.backend import RedisBackend, ResyncEvent
from live.publisher import Publisher

log = structlog.get_logger()

PAUSE_AFTER_FAILURE_SECONDS = 1.0


class Resync(Enum):
    """What a subscriber gets in place of messages that may be missing."""

    RESYNC = "RESYNC"


RESYNC: Final = Resync.RESYNC


class Receiver(Protocol):
    """Whoever is told at once of what arrives on a channel; must neither wait nor fail."""

    def push(self, payload: str) -> None:
        """A message has come."""

    def resync(self) -> None:
        """Messages may be missing."""

    def end(self) -> None:
        """None will come any more."""


class Subscriber:
    """What arrives on one channel, in order: payloads, and RESYNC where some may be missing before the next."""

    def __init__(self, queue_size: int) -> None:
        self._queue: asyncio.Queue[str | Resync | None] = asyncio.Queue(queue_size)
        self._ended = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> str | Resync:
        item = await self._queue.get()
        if item is None:
            self._queue.put_nowait(None)  # for whoever asks once more
            raise StopAsyncIteration
        return item

    def push(self, payload: str) -> None:
        """Queue a message, or one RESYNC in place of all of them when too many wait."""
        try:
            self._queue.put_nowait(payload)
        except asyncio.QueueFull:
            self.resync()

    def resync(self) -> None:
        """Say that something may be missing; who then reads the database needs nothing of what waited."""
        if not self._ended:
            self._replace_all_by(RESYNC)

    def end(self) -> None:
        """Finish the iteration, for good."""
        self._ended = True
        self._replace_all_by(None)

    def _replace_all_by(self, item: Resync | None) -> None:
        while not self._queue.empty():
            self._queue.get_nowait()
        self._queue.put_nowait(item)


class Broadcast(broadcaster.Broadcast):
    """Messages of Redis channels for any number of subscribers in this process, one Redis subscription per channel."""

    def __init__(self, url: str, publisher: Publisher, *, queue_size: int = 100) -> None:
        self._publisher = publisher
        self._redis = RedisBackend(url, publisher)
        super().__init__(backend=self._redis)
        self._queue_size = queue_size
        self._receivers: dict[str, set[Receiver]] = {}
        self._distributing: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await self.connect()
        return self

    @property
    def connected(self) -> bool:
        """Whether messages can arrive now."""
        return self._redis.connected

    @property
    def lost(self) -> asyncio.Event:
        """Set while no messages can arrive."""
        return self._redis.lost

    async def connect(self) -> None:
        await self._redis.connect()
        self._distributing = asyncio.create_task(self._distribute(), name="broadcast")

    async def disconnect(self) -> None:
        if self._distributing:
            self._distributing.cancel()
            await asyncio.wait({self._distributing})
            self._distributing = None
        for receiver in self._everyone():
            receiver.end()
        await self._redis.disconnect()

    @asynccontextmanager
    async def subscribe(self, channel: str) -> AsyncIterator[Subscriber]:  # type: ignore[override]
        """Follow a channel; what is published after this has been entered is not missed without a RESYNC."""
        subscriber = Subscriber(self._queue_size)
        try:
            await self.join(channel, subscriber)
            yield subscriber
        finally:
            await self.leave(channel, subscriber)
            subscriber.end()

    async def join(self, channel: str, receiver: Receiver) -> None:
        """Tell it of what is published once this has returned; it must `leave`, also if this was cancelled."""
        if self._distributing is None:
            receiver.end()
        self._receivers.setdefault(channel, set()).add(receiver)
        await self._redis.subscribe(channel)

    async def leave(self, channel: str, receiver: Receiver) -> None:
        """Tell it of nothing any more. Never suspends, so that nobody can join in between."""
        if receiver not in (receivers := self._receivers.get(channel, set())):
            return
        receivers.discard(receiver)
        if not receivers:
            del self._receivers[channel]
            await self._redis.unsubscribe(channel)

    def announce(self, messages: Sequence[tuple[str, bytes]]) -> None:
        """Tell everybody: who listens in this process at once, others by Redis, which may be away (W2a).

        What comes back from there changes nothing, as each message carries its position.
        """
        self._publisher.publish(messages)
        for channel, payload in messages:
            for receiver in self._receivers.get(channel, ()):
                receiver.push(payload.decode())

    async def _distribute(self) -> None:
        while True:
            try:
                event = await self._redis.next_published()
                for receiver in self._receivers.get(event.channel, ()):
                    if isinstance(event, ResyncEvent):
                        receiver.resync()
                    else:
                        receiver.push(event.message)
            except Exception:
                # Whatever was lost with it, everyone finds in the database; ending them would lose more.
                log.exception("distributing messages failed")
                for receiver in self._everyone():
                    receiver.resync()
                await asyncio.sleep(PAUSE_AFTER_FAILURE_SECONDS)

    def _everyone(self) -> list[Receiver]:
        return [receiver for receivers in self._receivers.values() for receiver in receivers]
