"""What is taken away while people go on; each goes by a plan of how many mutations were answered by then."""

import asyncio
import random
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime

import httpx2
from redis import Redis as Connection
from redis.exceptions import RedisError

from servers.redis import Redis
from tests.chaos.clients import Watcher
from tests.chaos.progress import Progress
from tests.chaos.surroundings import Surroundings
from tests.driving import StoppedClock

AWAY = range(1, 30)
"For how many mutations Redis or a client is away."
BRIEFLY = range(1, 6)
"The same for a Redis that takes no messages: so briefly that no heartbeat comes first."
LEAP_SECONDS = 2 * 60 * 60
"The clock is put forward as well, so that the worker has reminders and lapses to tell of."


async def kill_redis(around: Surroundings, progress: Progress, times: int, choices: random.Random) -> None:
    """Redis, which comes back on the same port; meanwhile everything goes on without it (W2a)."""
    for answered in progress.plan(times, choices):
        await progress.reached(answered)
        around.redis.kill()
        progress.counts["redis killed"] += 1
        await progress.more(choices.choice(AWAY))
        around.redis.start()


async def mute_redis(around: Surroundings, progress: Progress, times: int, choices: random.Random) -> None:
    """Redis takes no messages for a while, though it goes on delivering: the next one shows that some are missing."""
    for answered in progress.plan(times, choices):
        await progress.reached(answered)
        allow_messages(around.redis, False)
        progress.counts["redis muted"] += 1
        await progress.more(choices.choice(BRIEFLY))
        allow_messages(around.redis, True)


def allow_messages(server: Redis, allow: bool) -> None:
    """Whether anybody may publish; one that was killed meanwhile allows it when it is back."""
    with suppress(RedisError), Connection.from_url(server.url) as redis:
        redis.execute_command("ACL", "SETUSER", "default", "+publish" if allow else "-publish")


async def kill_webs(around: Surroundings, progress: Progress, times: int, choices: random.Random) -> None:
    """One of the web processes, and now and then all of them at once."""
    planned = progress.plan(times, choices)
    while planned:
        together = min(choices.choice([1, 1, 1, len(around.webs)]), len(planned))
        await progress.reached(planned[0])
        victims = choices.sample(around.webs, together)
        del planned[:together]
        for web in victims:
            web.kill()
        progress.counts["web processes killed"] += together
        await asyncio.gather(*(web.start() for web in victims))


async def kill_worker(around: Surroundings, progress: Progress, times: int, choices: random.Random) -> None:
    """The worker, soon after there is something for it to do."""
    for answered in progress.plan(times, choices):
        await progress.reached(answered)
        around.worker.kill()
        progress.counts["workers killed"] += 1
        await around.worker.start()


async def drop_clients(watchers: Sequence[Watcher], progress: Progress, times: int, choices: random.Random) -> None:
    """Any client's connection, or one of its subscriptions."""
    for answered in progress.plan(times, choices):
        await progress.reached(answered)
        watcher = choices.choice(watchers)
        if choices.random() < 0.3:
            await watcher.change_horses()
            progress.counts["subscriptions begun anew"] += 1
        else:
            watcher.drop(back_after=choices.choice([0, choices.choice(AWAY)]))
            progress.counts["clients disconnected"] += 1


async def cut_connections(around: Surroundings, progress: Progress, times: int, choices: random.Random) -> None:
    """All connections to PostgreSQL."""
    for answered in progress.plan(times, choices):
        await progress.reached(answered)
        progress.counts["database connections cut"] += await around.cut_connections()


async def advance_clock(
    around: Surroundings, clock: StoppedClock, progress: Progress, times: int, choices: random.Random
) -> None:
    """Time: meetings come near, and proposals lapse."""
    for answered in progress.plan(times, choices):
        await progress.reached(answered)
        web = await around.some_web(choices)
        try:
            moved = (await web.http.post("/sandbox/clock", json={"advance": LEAP_SECONDS})).json()
        except httpx2.TransportError:
            continue  # the process was killed; another time then
        clock.time = datetime.fromisoformat(moved["now"])
