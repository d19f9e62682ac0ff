"""Workers on what people are to be reminded of: however many there are and whatever becomes of them, once (N, J1)."""

import asyncio
import math
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import timedelta
from itertools import product
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
from tortoise.queryset import QuerySet

from jobs import worker
from models import Meeting, Notification
from resolvers.reminding import DUE, MOST_AT_ONCE, due_reminders
from rules.terms import NotificationKind
from schema.ids import row_id
from settings import Settings
from tests.conftest import TEMPLATE
from tests.driving import Client, Service
from tests.jobs.test_lapsing import BATCH, clock_of_processes, workers
from tests.jobs.test_settling import rich
from tests.jobs.test_worker import running_worker
from tests.many import act_on_each, approved
from tests.resolvers.test_plans import BUSY, rows_touched
from tests.waiting import until_there_are

REMINDERS = int(os.environ.get("REMINDERS", "50"))
"How many are due, evenly spread over their share of a minute: 1,000 would be due in a whole one."

PAIRS = 10
"Of how many pairs of people they are."

__all__ = ["rich"]


async def agreed(user: Client, expert: Client, number: int, *, first: timedelta, apart: timedelta) -> list[str]:
    """So many agreed meetings, whose starts are so far apart."""
    starts = [user.world.clock.time + first + place * apart for place in range(number)]
    inputs = [{**user.proposal(expert), "startsAt": each.isoformat()} for each in starts]
    return await approved(expert, await act_on_each(user, "proposeMeeting", inputs))


async def together(user: Client, expert: Client, number: int) -> list[str]:
    """So many agreed meetings at the same hour, in two days."""
    return await agreed(user, expert, number, first=timedelta(days=2), apart=timedelta(0))


def reminders(meetings: Sequence[str]) -> QuerySet[Notification]:
    """What was told of these meetings before they begin."""
    kinds = (NotificationKind.MEETING_REMINDER, NotificationKind.MEETING_LINK)
    return Notification.filter(meeting_id__in=[row_id("Meeting", each) for each in meetings], kind__in=kinds)


def once(meetings: Sequence[str], *kinds: str) -> Counter[tuple[str, str]]:
    return Counter((str(row_id("Meeting", each)), kind) for each in meetings for kind in kinds)


def counted(told: Sequence[Notification]) -> Counter[tuple[str, str]]:
    return Counter((str(each.meeting_id), each.kind.value) for each in told)


# In this process


async def test_j1_it_is_due_to_the_microsecond_and_what_was_told_never_again(
    world: Service, rich: Client, emil: Client
):
    (meeting,) = await together(rich, emil, 1)
    due = [row_id("Meeting", meeting)]
    world.clock.advance(days=1, microseconds=-1)
    assert await due_reminders(()) == []
    world.clock.advance(microseconds=1)
    assert await due_reminders(()) == due
    assert await due_reminders(due) == []
    await world.beat()
    assert await due_reminders(()) == []
    world.clock.advance(days=100)
    assert await due_reminders(()) == due, "once, though it is due for two reasons"
    await world.beat()
    world.clock.advance(days=10_000)
    assert await due_reminders(()) == []


@pytest.mark.parametrize("number", [1, 4])
async def test_j1_more_than_a_batch_at_once_is_told_once_by_any_number_of_workers(
    world: Service, rich: Client, monkeypatch: pytest.MonkeyPatch, number: int
):
    monkeypatch.setattr(worker, "BEAT_SECONDS", 3_600)  # all of it at one beat
    monkeypatch.setattr("resolvers.reminding.MOST_AT_ONCE", BATCH)
    due = await together(rich, await world.expert("Emil Expert", price="1.00"), BATCH + 7)
    world.clock.advance(days=1)
    async with workers(number):
        await until_there_are(len(due), reminders(due))
    assert counted(await reminders(due)) == once(due, "MEETING_REMINDER")
    world.clock.advance(hours=23)
    async with workers(number):
        await until_there_are(3 * len(due), reminders(due))
    assert counted(await reminders(due)) == once(due, "MEETING_REMINDER", "MEETING_LINK", "MEETING_LINK")


async def test_j1_one_that_somebody_holds_keeps_no_other_waiting(
    world: Service, rich: Client, emil: Client, database_url: str
):
    held, free = (
        await together(rich, emil, 1),
        await together(await world.somebody("Ulla User", credits="40.00"), await world.expert("Eva Expert"), 1),
    )
    world.clock.advance(days=1)
    other = await asyncpg.connect(database_url)
    try:
        async with other.transaction():
            await other.execute("SELECT FROM meeting WHERE id = $1 FOR UPDATE", row_id("Meeting", held[0]))
            await world.beat()
            assert counted(await reminders([*held, *free])) == once(free, "MEETING_REMINDER")
        await world.beat()
    finally:
        await other.close()
    assert counted(await reminders([*held, *free])) == once([*held, *free], "MEETING_REMINDER")


# Processes


async def test_j1_many_due_in_a_short_time_and_one_of_two_workers_killed_each_is_stored_once(
    world: Service, settings: Settings, record_testsuite_property: Callable[[str, object], None]
):
    """With REMINDERS=1000 it is a minute; how late they were is among the properties of the run's report."""
    apart, lead, due = timedelta(seconds=0.06), timedelta(seconds=6), list[str]()
    for pair in range(PAIRS):
        user = await world.somebody(f"User {pair}", credits="1000.00")
        expert = await world.expert(f"Expert {pair}", price="1.00")
        first = timedelta(days=1) + lead + pair * apart
        due += await agreed(user, expert, REMINDERS // PAIRS, first=first, apart=PAIRS * apart)
    await world.beat()  # what agreeing left to do, so that the reminders are measured
    seconds = 60 + REMINDERS * apart.total_seconds()
    async with (
        asyncio.timeout(seconds),
        clock_of_processes(world),
        running_worker(settings, settings.redis_url, seconds=seconds) as killed,
        running_worker(settings, settings.redis_url, seconds=seconds) as process,
    ):
        await until_there_are(len(due) // 2, reminders(due), seconds=seconds)
        killed.kill()
        await killed.wait()
        await until_there_are(len(due), reminders(due), seconds=seconds)
        process.send_signal(signal.SIGTERM)
        await process.communicate()
    told = await reminders(due)
    assert counted(told) == once(due, "MEETING_REMINDER")
    rows = await Meeting.filter(id__in=[each.meeting_id for each in told])
    due_at = {each.id: each.starts_at - timedelta(days=1) for each in rows}
    late = sorted((each.created_at - due_at[each.meeting_id]).total_seconds() for each in told if each.meeting_id)
    assert late[0] >= 0, "nobody is told before it is due"
    for name, share in (("p50", 0.5), ("p99", 0.99), ("max", 1.0)):
        record_testsuite_property(f"late_{name}_seconds", late[math.ceil(share * len(late)) - 1])


# Among very many meetings


ALL_ARE_TO_BE_REMINDED_OF = """
INSERT INTO meeting (id, version, status, credit_payment_status, user_id, expert_id, service_id, skill_id, starts_at,
    ends_at, price, proposed_by, user_answer, expert_answer, created_at, changed_at, reminder_due_at, link_due_at,
    progress_reminder_due_at)
SELECT lpad(n::text, 32, '0')::uuid, 3, 'AGREED', 'BLOCKED', someone, other, other, other,
    now + n * interval '1 minute', now + (n + 60) * interval '1 minute', 0, 'USER', 'APPROVED', 'APPROVED', now, now,
    now + n * interval '1 minute', now + n * interval '23 minutes', now + n * interval '2 minutes'
FROM generate_series(1, 100000) AS n,
    (VALUES (gen_random_uuid(), gen_random_uuid(), $1::timestamptz)) AS of(someone, other, now)
"""


@pytest.fixture
async def much_to_remind_of(database_url: str, worker_id: str, world: Service) -> AsyncIterator[asyncpg.Connection]:
    """A database with very many meetings of two people who are not in it."""
    server = await asyncpg.connect(database_url)
    name = f"much_to_remind_of_{worker_id}"
    await server.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
    connection = await asyncpg.connect(urlunsplit(urlsplit(database_url)._replace(path=f"/{name}")))
    try:
        await connection.execute("SET session_replication_role = replica")  # or the two would be missed
        await connection.execute(ALL_ARE_TO_BE_REMINDED_OF, world.clock.time)
        await connection.execute("VACUUM ANALYZE meeting")
        yield connection
    finally:
        await connection.close()
        await server.execute(f"DROP DATABASE {name}")
        await server.close()


async def test_j1_among_100_000_meetings_no_more_is_read_than_is_due(
    world: Service, much_to_remind_of: asyncpg.Connection
):
    now = world.clock.time
    for plan, due in product(("force_custom_plan", "force_generic_plan"), (0, 1, 50)):
        await much_to_remind_of.execute(f"SET plan_cache_mode = {plan}")
        asked = (DUE, [now + timedelta(minutes=due), [], MOST_AT_ONCE])
        assert due <= await rows_touched(much_to_remind_of, asked, BUSY) <= 2 * due, (plan, due)
