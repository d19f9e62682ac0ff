"""Listening to Redis for as long as the process lives, whatever Redis does meanwhile."""

import asyncio
import random
from typing import Any

import structlog
from broadcaster import BroadcastBackend, Event
from redis.asyncio import Connection, ConnectionPool
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from live.publisher import Publisher

log = structlog.get_logger()

PING_AFTER_SECONDS = 1.0
ANSWER_WITHIN_SECONDS = 1.0
FIRST_PAUSE_SECONDS = 0.05
LONGEST_PAUSE_SECONDS = 1.0
LASTING_SECONDS = 1.0
UNREAD_EVENTS = 1_000


class ResyncEvent(Event):
    """Messages of this channel may have been lost: whoever follows it reads again from the database."""

    def __init__(self, channel: str) -> None:
        super().__init__(channel, "")


class RedisBackend(BroadcastBackend):
    """Listens to every wanted channel on one connection, and replaces the connection whenever it breaks."""

    def __init__(self, url: str, publisher: Publisher) -> None:
        # RESP 2, because with RESP 3 redis-py negotiates and logs things nobody here asked for. No socket timeout,
        # because with one redis-py sends through asyncio.wait_for, which in Python 3.11 can swallow a cancellation:
        # of the two tasks on a connection that breaks, one would then wait for ever. The timeouts are ours.
        self._pool: ConnectionPool = ConnectionPool.from_url(
            url, protocol=2, socket_timeout=None, socket_connect_timeout=ANSWER_WITHIN_SECONDS
        )
        self._publisher = publisher
        self._wanted: set[str] = set()
        self._events: asyncio.Queue[Event] = asyncio.Queue(UNREAD_EVENTS)
        self._session: _Session | None = None
        self._listening: asyncio.Task[None] | None = None
        self._attempted = asyncio.Event()
        self._pause_seconds = FIRST_PAUSE_SECONDS
        self.lost = asyncio.Event()
        self.lost.set()

    @property
    def connected(self) -> bool:
        """Whether Redis can reach us now; `lost` is the event to wait for the opposite."""
        return not self.lost.is_set()

    async def connect(self) -> None:
        """Start listening; returns when the first attempt has succeeded or failed, and never fails itself."""
        self._listening = asyncio.create_task(self._keep_listening(), name="redis listener")
        await self._attempted.wait()

    async def disconnect(self) -> None:
        if self._listening:
            self._listening.cancel()
            await asyncio.wait({self._listening})
            self._listening = None

    async def subscribe(self, channel: str) -> None:
        """Returns when Redis has confirmed the channel, or while it is down: then a resync follows."""
        self._wanted.add(channel)
        if self._session:
            await self._session.joined(channel)

    async def unsubscribe(self, channel: str) -> None:
        # Never suspends: whoever joins meanwhile changes the wish back, and the session acts on the last wish only.
        self._wanted.discard(channel)
        if self._session:
            self._session.look_at(channel)

    async def publish(self, channel: str, message: Any) -> None:
        self._publisher.publish([(channel, message)])

    async def next_published(self) -> Event:
        return await self._events.get()

    async def _keep_listening(self) -> None:
        while True:
            try:
                await self._listen_until_lost()
            except* (RedisError, OSError) as lost:
                if self._pause_seconds == FIRST_PAUSE_SECONDS:
                    log.warning("redis is away", error=repr(lost.exceptions[0]))
            except* Exception:
                log.exception("listening to redis failed")
            self._attempted.set()
            await asyncio.sleep(random.uniform(self._pause_seconds / 2, self._pause_seconds))
            self._pause_seconds = min(2 * self._pause_seconds, LONGEST_PAUSE_SECONDS)

    async def _listen_until_lost(self) -> None:
        connection: Connection = self._pool.make_connection()  # type: ignore[no-untyped-call]
        try:
            async with asyncio.timeout(ANSWER_WITHIN_SECONDS):
                await connection.connect()  # type: ignore[no-untyped-call]
            self._session = _Session(connection, self._wanted, self._events)
            self.lost.clear()
            self._attempted.set()
            log.info("listening to redis", channels=len(self._wanted))
            began_at = asyncio.get_running_loop().time()
            try:
                await self._session.run()
            finally:
                # A server that lets us in and sends us away again is not asked at once again and again.
                if asyncio.get_running_loop().time() - began_at > LASTING_SECONDS:
                    self._pause_seconds = FIRST_PAUSE_SECONDS
        finally:
            self._session = None
            self.lost.set()
            await connection.disconnect(nowait=True)


class _Session:
    """One living connection: what Redis has confirmed on it, and what it has been asked.

    A channel is asked for only while no earlier question about it is open. So the last answer is always true, and
    joins and leaves that overlap end in whatever is wanted last.
    """

    def __init__(self, connection: Connection, wanted: set[str], events: asyncio.Queue[Event]) -> None:
        self._connection = connection
        self._wanted = wanted
        self._events = events
        # Nobody listened for these until now, so their subscribers have to hear of it.
        self._missed = set(wanted)
        self._confirmed: set[str] = set()
        self._asked: set[str] = set()
        self._changed = set(wanted)
        self._news = asyncio.Event()
        self._news.set()
        self._waiting: dict[str, asyncio.Event] = {}
        self._silent_for = 0
        "How often it was looked at since anything was heard of it."
        self._over = False

    async def run(self) -> None:
        """Ask and receive until the connection breaks."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._ask_for_changes())
                group.create_task(self._receive())
                group.create_task(self._keep_asking())
        finally:
            self._over = True
            for change in self._waiting.values():
                change.set()

    def look_at(self, channel: str) -> None:
        """Something about this channel has changed: a wish, or what Redis has confirmed."""
        self._changed.add(channel)
        self._news.set()
        if change := self._waiting.pop(channel, None):
            change.set()

    async def joined(self, channel: str) -> None:
        """Returns when Redis has confirmed the channel, when nobody wants it any more, or when the session is over."""
        self.look_at(channel)
        while not self._over and channel in self._wanted and not self._is_settled(channel):
            await self._waiting.setdefault(channel, asyncio.Event()).wait()

    def _is_settled(self, channel: str) -> bool:
        return channel not in self._asked and (channel in self._confirmed) == (channel in self._wanted)

    async def _ask_for_changes(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            unsettled = {c for c in self._changed if c not in self._asked and not self._is_settled(c)}
            self._changed.clear()
            self._asked |= unsettled
            joining = unsettled & self._wanted
            leaving = unsettled - self._wanted
            if joining:
                await self._send("SUBSCRIBE", *joining)
            if leaving:
                await self._send("UNSUBSCRIBE", *leaving)

    async def _receive(self) -> None:
        while True:
            match await self._read():
                case [b"message", bytes(channel), bytes(payload)]:
                    await self._events.put(_event(channel.decode(), payload))
                case [b"subscribe", bytes(channel), _]:
                    await self._has_joined(channel.decode())
                case [b"unsubscribe", bytes(channel), _]:
                    self._confirmed.discard(channel.decode())
                    self._answered(channel.decode())

    async def _read(self) -> Any:
        """The next thing Redis says. Without a timeout, which for each of very many messages would take its time."""
        said = await self._connection.read_response()
        self._silent_for = 0
        return said

    async def _keep_asking(self) -> None:
        """A peer that stays silent even when asked is as good as dead."""
        while True:
            await asyncio.sleep(PING_AFTER_SECONDS)
            self._silent_for += 1
            if self._silent_for > 1:
                raise RedisConnectionError("no answer to a ping")
            await self._send("PING")

    async def _send(self, *command: str) -> None:
        async with asyncio.timeout(ANSWER_WITHIN_SECONDS):
            await self._connection.send_command(*command)

    async def _has_joined(self, channel: str) -> None:
        self._confirmed.add(channel)
        if channel in self._missed:
            self._missed.discard(channel)
            await self._events.put(ResyncEvent(channel))
        self._answered(channel)

    def _answered(self, channel: str) -> None:
        self._asked.discard(channel)
        self.look_at(channel)


def _event(channel: str, payload: bytes) -> Event:
    try:
        return Event(channel, payload.decode())
    except UnicodeDecodeError:
        # A hint nobody can read still says that there is something to read.
        return ResyncEvent(channel)
