"""Telling everyone through Redis, without ever waiting for it."""

import asyncio
from collections import deque
from collections.abc import Sequence
from contextlib import suppress

import structlog
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

import measuring

log = structlog.get_logger()

SEND_WITHIN_SECONDS = 1.0
PAUSE_AFTER_FAILURE_SECONDS = 0.2


class Publisher:
    """Sends messages to Redis channels in the background, in the order they were published."""

    def __init__(self, url: str, *, backlog: int = 10_000) -> None:
        # One retry, because a connection that has been idle may have died unnoticed. A message that arrives twice
        # does no harm: it carries its position. No socket timeout, for the reason given in live/backend.py.
        self._redis: Redis = Redis.from_url(
            url,
            protocol=2,
            retry=Retry(NoBackoff(), 1),
            socket_timeout=None,
            socket_connect_timeout=SEND_WITHIN_SECONDS,
        )
        # When it is full the oldest go: the newest message shows its reader that something is missing.
        self._backlog: deque[tuple[str, bytes | str]] = deque(maxlen=backlog)
        self._news = asyncio.Event()
        self._sending: asyncio.Task[None] | None = None
        self._stopping = False
        self._failing = False
        self.dropped = 0

    async def start(self) -> None:
        """Begin to send what is published."""
        self._stopping = False
        self._sending = asyncio.create_task(self._keep_sending(), name="publisher")

    async def stop(self) -> None:
        """Try once to send what still waits, then close the connection; takes a few seconds at most."""
        self._stopping = True
        self._news.set()
        if self._sending:
            await asyncio.wait({self._sending})
            self._sending = None
        with suppress(RedisError, OSError):
            await self._redis.aclose()

    def publish(self, messages: Sequence[tuple[str, bytes | str]]) -> None:
        """Take (channel, payload) pairs to be sent soon, or dropped if Redis is away (W2a)."""
        before = len(self._backlog)
        self._backlog.extend(messages)
        self._drop(before + len(messages) - len(self._backlog))
        self._news.set()

    async def _keep_sending(self) -> None:
        stopping = False
        while not stopping:
            await self._news.wait()
            self._news.clear()
            stopping = self._stopping
            batch = list(self._backlog)
            self._backlog.clear()
            if batch:
                await self._try_to_send(batch)

    async def _try_to_send(self, batch: list[tuple[str, bytes | str]]) -> None:
        try:
            async with asyncio.timeout(SEND_WITHIN_SECONDS):
                await self._send(batch)
        except Exception as error:
            self._failed(batch, error)
            await asyncio.sleep(PAUSE_AFTER_FAILURE_SECONDS)
        else:
            measuring.published(len(batch))
            self._succeeded()

    async def _send(self, batch: list[tuple[str, bytes | str]]) -> None:
        async with self._redis.pipeline(transaction=False) as pipeline:
            for channel, payload in batch:
                pipeline.publish(channel, payload)
            await pipeline.execute()

    def _drop(self, messages: int) -> None:
        self.dropped += messages
        measuring.dropped(messages)

    def _failed(self, batch: list[tuple[str, bytes | str]], error: Exception) -> None:
        # Nothing is sent again: PostgreSQL has it all, and the readers' heartbeat finds what no message told.
        self._drop(len(batch))
        if not self._failing:
            self._failing = True
            log.warning("cannot publish to redis", error=repr(error))

    def _succeeded(self) -> None:
        if self._failing:
            self._failing = False
            log.info("publishing to redis again", dropped_since_start=self.dropped)
