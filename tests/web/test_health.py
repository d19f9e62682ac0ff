"""Whether the process is alive, and whether it can work: with servers of its own, which go away and come back."""

import os
import signal

import httpx2

from servers.place import temporary_folder
from servers.postgres import Postgres
from servers.redis import Redis
from servers.server import free_port
from settings import Settings
from tests.driving import Service
from tests.processes import web_process

FAST = {"fsync": "off"}


async def test_both_answer_200_to_anybody_while_everything_is_there(world: Service):
    async with world.nothing_changes():
        for path in ("/health", "/ready"):
            answer = await world.http.get(path)
            assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


async def test_ready_names_what_is_away_and_health_goes_on_answering():
    with temporary_folder() as folder:
        postgres, redis = Postgres(folder, settings=FAST), Redis(folder)
        with postgres, redis:
            settings = Settings(database_url=postgres.url, redis_url=redis.url)
        port = free_port()
        async with (
            web_process(settings, port),
            httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=20) as http,
        ):

            async def away(*names: str) -> bool:
                alive, ready = await http.get("/health"), await http.get("/ready")
                assert (alive.status_code, alive.json()) == (200, {"status": "ok"})
                if not names:
                    return (ready.status_code, ready.json()) == (200, {"status": "ok"})
                return (ready.status_code, ready.json()) == (503, {"status": "unavailable", "missing": [*names]})

            assert await away("database", "redis")  # neither has been there since the process began
            with redis:
                assert await away("database")
                with postgres:
                    assert await away()
                    redis.kill()
                    assert await away("redis")
                    postgres.kill()
                    assert await away("database", "redis")
                    redis.start()
                    postgres.start()
                    assert await away()
                    assert redis.pid is not None
                    os.kill(redis.pid, signal.SIGSTOP)
                    assert await away("redis")  # who is silent is away too
