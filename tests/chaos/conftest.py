"""A database and a Redis of its own, and the service in processes of its own."""

from collections.abc import AsyncIterator, Iterator

import asyncpg
import pytest

from servers.place import temporary_folder
from servers.redis import Redis
from settings import Settings
from tests.chaos.surroundings import Surroundings, surroundings
from tests.conftest import AUTH_SECRET, TEMPLATE


@pytest.fixture(scope="module")
def own_redis() -> Iterator[Redis]:
    with temporary_folder() as folder, Redis(folder) as redis:
        yield redis


@pytest.fixture(scope="module")
async def own_settings(postgres_url: str, own_redis: Redis, worker_id: str) -> Settings:
    name = f"chaos_of_{worker_id}"
    connection = await asyncpg.connect(postgres_url)
    await connection.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
    await connection.close()
    url = postgres_url.rpartition("/")[0] + f"/{name}"
    return Settings(database_url=url, redis_url=own_redis.url, auth_secret=AUTH_SECRET, sandbox=True)


@pytest.fixture(scope="module")
async def around(
    own_settings: Settings, own_redis: Redis, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Surroundings]:
    async with surroundings(own_settings, own_redis, tmp_path_factory.mktemp("chaos")) as everything:
        yield everything
