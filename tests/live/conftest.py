"""A real Redis, and what listens and publishes there."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
import redis.asyncio

from live.broadcast import Broadcast
from live.publisher import Publisher
from servers.redis import Redis


@pytest.fixture(scope="session")
def one_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    with Redis(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def server(one_server: Redis) -> Redis:
    """A running Redis that a test may kill, stop and start."""
    one_server.start()
    return one_server


@pytest.fixture
async def admin(server: Redis) -> AsyncIterator[redis.asyncio.Redis]:
    """Somebody else's connection to Redis."""
    # With a socket timeout redis-py may swallow the cancellation by asyncio.timeout, and a test would never end.
    client: redis.asyncio.Redis = redis.asyncio.Redis.from_url(server.url, protocol=2, socket_timeout=None)
    yield client
    await client.aclose()


@pytest.fixture
async def publisher(server: Redis) -> AsyncIterator[Publisher]:
    publisher = Publisher(server.url)
    async with asyncio.timeout(5):
        await publisher.start()
    yield publisher
    async with asyncio.timeout(5):
        await publisher.stop()


@pytest.fixture
async def broadcast(server: Redis, publisher: Publisher) -> AsyncIterator[Broadcast]:
    broadcast = Broadcast(server.url, publisher, queue_size=1_000)
    async with asyncio.timeout(5):
        await broadcast.connect()
    yield broadcast
    async with asyncio.timeout(5):
        await broadcast.disconnect()
