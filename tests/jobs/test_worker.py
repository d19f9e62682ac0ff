"""The worker: what it forgets, that nothing stops it, and that it stops when asked."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest
from tortoise.connection import get_connection

from jobs import worker
from jobs.worker import work
from models import IdempotencyKey
from models.ids import uuid7
from resolvers.forgetting import AT_ONCE, forget_old_keys
from rules.policy import Policy
from schema.ids import row_id
from settings import Settings
from tests.driving import Client, Service, all_jobs

ROOT = Path(__file__).parents[2]
KEPT = timedelta(hours=Policy().idempotency_keys_kept_hours)


async def use_key(person: Client, key: str) -> None:
    assert (await person.act("updateProfile", language="DE", idempotencyKey=key))["__typename"] == "PersonSaved"


async def make_keys(person: Client, number: int, created_at: datetime) -> None:
    person_id = row_id("Person", person.id)
    await IdempotencyKey.bulk_create(
        IdempotencyKey(
            person_id=person_id, key=str(uuid7()), input_digest=b"", made_id=person_id, created_at=created_at
        )
        for _ in range(number)
    )


async def keys_of(person: Client) -> set[str]:
    return {each.key for each in await IdempotencyKey.filter(person_id=row_id("Person", person.id))}


# Forgetting (I1)


def test_i1_keys_are_kept_for_24_hours_or_more():
    assert timedelta(hours=24) <= KEPT


async def test_i1_keys_older_than_the_policy_says_are_forgotten_and_no_younger_one(world: Service, uma: Client):
    await use_key(uma, "old")
    world.clock.advance(microseconds=1)
    await use_key(uma, "not yet")
    world.clock.advance(seconds=KEPT.total_seconds())
    await use_key(uma, "young")
    assert await forget_old_keys() >= 1
    assert await keys_of(uma) == {"not yet", "young"}
    assert await forget_old_keys() == 0


async def test_i1_a_forgotten_key_can_be_used_again_with_another_input(world: Service, uma: Client):
    await use_key(uma, "once")
    world.clock.advance(seconds=KEPT.total_seconds() + 1)
    async with world.nothing_changes():
        reused = await uma.act("updateProfile", language="EN", idempotencyKey="once")
    assert reused["__typename"] == "IdempotencyKeyReused"
    await forget_old_keys()
    again = await uma.act("updateProfile", language="EN", idempotencyKey="once")
    assert again["person"]["language"] == "EN"


async def test_i1_many_keys_are_forgotten_some_at_a_time_by_any_number_of_workers(world: Service, uma: Client):
    await forget_old_keys()
    await make_keys(uma, 2 * AT_ONCE + 1, world.clock.time - KEPT - timedelta(seconds=1))
    await use_key(uma, "young")
    assert await forget_old_keys() == AT_ONCE
    at_once = await asyncio.gather(*(forget_old_keys() for _ in range(3)))
    assert sum(at_once) + await forget_old_keys() == AT_ONCE + 1
    assert await keys_of(uma) == {"young"}


async def test_i1_a_key_that_somebody_holds_keeps_nobody_waiting(world: Service, uma: Client, database_url: str):
    await forget_old_keys()
    await make_keys(uma, 3, world.clock.time - KEPT - timedelta(seconds=1))
    other = await asyncpg.connect(database_url)
    async with asyncio.timeout(10), other.transaction():
        await other.execute(
            "SELECT FROM idempotency_key WHERE created_at < $1 LIMIT 1 FOR UPDATE", world.clock.time - KEPT
        )
        assert await forget_old_keys() == 2
    await other.close()
    assert await forget_old_keys() == 1


def test_the_worker_forgets_keys():
    assert forget_old_keys in all_jobs()


# The beat


class Jobs:
    """Jobs that keep a record of when they are done, and a worker that does them without waiting between beats."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(worker, "BEAT_SECONDS", 0)
        self.done: list[str] = []
        self.begun = asyncio.Event()
        self.stop = asyncio.Event()

    async def work(self, *names: str) -> None:
        async with asyncio.timeout(10):
            await work(self.stop, [getattr(self, name) for name in names])

    async def fails(self) -> int:
        self.done.append("fails")
        raise LookupError("no such thing")

    async def has_nothing(self) -> int:
        self.done.append("has_nothing")
        self.begun.set()
        return 0

    async def has_much(self) -> int:
        self.done.append("has_much")
        return 1 if len(self.done) < 100 else 0

    async def stops_at_the_third(self) -> int:
        self.done.append("stops_at_the_third")
        if self.done.count("stops_at_the_third") == 3:
            self.stop.set()
        return 0

    async def stops_when_it_has_done_three(self) -> int:
        self.done.append("stops_when_it_has_done_three")
        if self.done.count("stops_when_it_has_done_three") == 3:
            self.stop.set()
        return 1 if len(self.done) < 100 else 0


@pytest.fixture
def jobs(monkeypatch: pytest.MonkeyPatch) -> Jobs:
    return Jobs(monkeypatch)


async def test_j1_a_job_that_fails_stops_neither_the_others_nor_itself(jobs: Jobs):
    await jobs.work("fails", "stops_at_the_third")
    assert jobs.done == ["fails", "stops_at_the_third"] * 3


async def test_j1_every_job_has_its_turn_at_every_beat(jobs: Jobs):
    await jobs.work("has_nothing", "stops_at_the_third")
    assert jobs.done == ["has_nothing", "stops_at_the_third"] * 3


async def test_j1_a_job_with_much_to_do_goes_on_at_once_and_keeps_no_other_waiting(jobs: Jobs):
    await jobs.work("has_much", "stops_when_it_has_done_three", "fails")
    assert jobs.done == ["has_much", "stops_when_it_has_done_three", "fails"] + 2 * [
        "has_much",
        "stops_when_it_has_done_three",
    ]


async def test_a_worker_that_was_asked_to_stop_does_nothing_more(jobs: Jobs):
    jobs.stop.set()
    await jobs.work("has_much")
    assert jobs.done == []


async def test_a_worker_stops_between_two_beats_without_waiting_for_the_next(
    jobs: Jobs, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(worker, "BEAT_SECONDS", 3_600)
    working = asyncio.create_task(jobs.work("has_nothing"))
    await jobs.begun.wait()
    jobs.stop.set()
    await working
    assert jobs.done == ["has_nothing"]


# The process


@asynccontextmanager
async def running_worker(
    settings: Settings, redis_url: str, *, seconds: float = 20
) -> AsyncIterator[asyncio.subprocess.Process]:
    """The worker process, which goes by the real time: it knows nothing of the clock of tests."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "jobs"),
        cwd=ROOT,
        env={
            **os.environ,
            "SANDBOX": "1",
            "DATABASE_URL": settings.database_url,
            "REDIS_URL": redis_url,
            "SMTP_URL": "smtp://127.0.0.1:1",  # where nobody takes e-mail, of which there is much from other tests
            "MAIL_FROM": "noreply@example.com",
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(seconds):
            yield process
    finally:
        if process.returncode is None:
            process.kill()


@pytest.mark.parametrize(("asked", "redis_is"), [(signal.SIGTERM, "there"), (signal.SIGINT, "away")])
async def test_the_process_works_and_stops_when_asked(
    world: Service, uma: Client, settings: Settings, asked: signal.Signals, redis_is: str
):
    await make_keys(uma, 1, datetime(9000, 1, 1, tzinfo=UTC))
    young = await keys_of(uma)
    await make_keys(uma, 3, datetime(2020, 1, 1, tzinfo=UTC))
    async with running_worker(
        settings, settings.redis_url if redis_is == "there" else "redis://127.0.0.1:1"
    ) as process:
        while len(await keys_of(uma)) > 1:
            await get_connection("default").execute_query("SELECT pg_sleep(0.02)")
        process.send_signal(asked)
        said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()
    assert "Traceback" not in said.decode()
    assert await keys_of(uma) == young
