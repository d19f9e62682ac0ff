"""Workers on what has lapsed: however many there are and whatever becomes of them, each meeting once (P6, R7, J1)."""

import asyncio
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
import pytest
from structlog.testing import capture_logs
from tortoise.connection import get_connection
from tortoise.queryset import QuerySet

import live.feeds
from jobs import worker
from jobs.worker import work
from models import Meeting, SandboxClock, TimelineEvent
from rules.terms import MeetingStatus, TimelineEventKind
from schema.ids import global_id, row_id
from settings import Settings
from tests.driving import Client, Service, all_jobs
from tests.jobs.test_worker import running_worker
from tests.many import act_on_each, approved, proposals
from tests.waiting import a_moment, until_there_are

UPDATES = "subscription { myMeetingUpdates { event { kind actor } meeting { id status creditPaymentStatus } } }"
BALANCES = "subscription { creditAccountUpdates { available blocked } }"
CRASH_ROUNDS = int(os.environ.get("CRASH_ROUNDS", "2"))
BATCH = 8
"What a worker does at once here: it is 100 otherwise, of which many would have to be made."
CURSED_PRICE = 13_13
"Nothing can be recorded of a meeting at this price while the curse is on."

WAITING_FOR_A_LOCK = """
SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
"""

CURSE = f"""
CREATE FUNCTION curse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF (SELECT price FROM meeting WHERE id = NEW.meeting_id) = {CURSED_PRICE} THEN RAISE 'cursed'; END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER cursed BEFORE INSERT ON timeline_event FOR EACH ROW EXECUTE FUNCTION curse();
"""


@pytest.fixture
async def rich(world: Service) -> Client:
    """A user with credits for very many meetings."""
    await world.beat()  # so that what other tests left behind is not due here
    return await world.somebody("Rita Rich", credits="100000.00")


@pytest.fixture
def no_heartbeat(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is pushed came through Redis."""

    async def find_nothing(person_ids: object) -> dict[UUID, int]:
        return {}

    monkeypatch.setattr(live.feeds, "feed_heads", find_nothing)


async def alternatives(user: Client, expert: Client, number: int) -> list[str]:
    """Agreed meetings, each with an alternative date that lapses tomorrow."""
    meetings = await approved(expert, await proposals(user, expert, number))
    inputs = [{"meetingId": each, "startsAt": user.world.at(days=5)} for each in meetings]
    return await act_on_each(user, "chooseAlternativeDate", inputs)


def row_ids(meetings: Sequence[str]) -> list[UUID]:
    return [row_id("Meeting", each) for each in meetings]


def lapse_events(meetings: Sequence[str]) -> QuerySet[TimelineEvent]:
    kinds = (TimelineEventKind.PROPOSAL_LAPSED, TimelineEventKind.ALTERNATIVE_DATE_LAPSED)
    return TimelineEvent.filter(meeting_id__in=row_ids(meetings), kind__in=kinds)


async def lapses(meetings: Sequence[str]) -> Counter[str]:
    """How often it was recorded of each meeting that something lapsed."""
    return Counter(global_id("Meeting", event.meeting_id) for event in await lapse_events(meetings))


async def until_recorded(meetings: Sequence[str], number: int) -> None:
    """Returns when so many of the meetings have lapsed."""
    await until_there_are(number, lapse_events(meetings))


@asynccontextmanager
async def workers(number: int) -> AsyncIterator[None]:
    """So many workers in this process."""
    stop = asyncio.Event()
    working = [asyncio.create_task(work(stop, all_jobs())) for _ in range(number)]
    yield
    stop.set()
    await asyncio.gather(*working)


@asynccontextmanager
async def clock_of_processes(world: Service) -> AsyncIterator[None]:
    """Processes of their own know nothing of the clock of tests: meanwhile that of the sandbox is what it is now."""
    await SandboxClock.create(id=1, ahead_microseconds=ahead(world))
    try:
        yield
    finally:
        await SandboxClock.filter(id=1).delete()


def ahead(world: Service) -> int:
    return (world.clock.time - datetime.now(UTC)) // timedelta(microseconds=1)


# In this process


@pytest.mark.parametrize("number", [1, 4])
async def test_j1_more_than_a_batch_at_once_is_done_once_by_any_number_of_workers(
    world: Service, rich: Client, monkeypatch: pytest.MonkeyPatch, number: int
):
    monkeypatch.setattr(worker, "BEAT_SECONDS", 3_600)  # all of it at one beat
    monkeypatch.setattr("resolvers.lapsing.MOST_AT_ONCE", BATCH)
    expert = await world.expert("Emil Expert", price="1.00")
    due = await proposals(rich, expert, BATCH + 5) + await alternatives(rich, expert, 5)
    world.clock.advance(days=1)
    async with workers(number):
        await until_recorded(due, len(due))
    assert await lapses(due) == Counter(due)
    assert await rich.balance() == ("99995.00", "5.00"), "of the agreed ones"


async def test_j1_however_many_fail_the_others_are_done_at_the_same_beat_and_they_when_they_can_be(
    world: Service, rich: Client, monkeypatch: pytest.MonkeyPatch
):
    """The failing ones are the longest overdue, and fill the worker's batch."""
    monkeypatch.setattr("jobs.due.FIRST_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr("resolvers.lapsing.MOST_AT_ONCE", BATCH)
    cursed = await world.expert("Carla Cursed", price=f"{CURSED_PRICE // 100}.{CURSED_PRICE % 100}")
    failing = await proposals(rich, cursed, BATCH)
    world.clock.advance(microseconds=1)
    others = await proposals(rich, await world.expert("Emil Expert", price="1.00"), 5)
    database = get_connection("default")
    await database.execute_script(CURSE)
    try:
        world.clock.advance(days=1)
        with capture_logs() as logs, monkeypatch.context() as patched:
            patched.setattr("jobs.due.FIRST_PAUSE_SECONDS", 60.0)
            jobs = all_jobs()
            async with asyncio.timeout(60):
                while any([await job() for job in jobs]):
                    pass
        assert await lapses([*failing, *others]) == Counter(others)
        failed = [each for each in logs if each["event"] == "a job failed"]
        assert Counter(each["meeting"] for each in failed) == Counter(map(str, row_ids(failing)))
        assert {each["times"] for each in failed} == {1}
        assert all("cursed" in str(each["exc_info"]) for each in failed)
        assert await Meeting.filter(id__in=row_ids(failing), status=MeetingStatus.AWAITING_APPROVAL).count() == len(
            failing
        )
    finally:
        await database.execute_script("DROP TRIGGER cursed ON timeline_event; DROP FUNCTION curse();")
    async with workers(1):
        await until_recorded(failing, len(failing))
    assert await lapses(failing) == Counter(failing)
    assert await rich.balance() == ("100000.00", "0.00")


# Processes


@pytest.mark.usefixtures("no_heartbeat")
@pytest.mark.parametrize("proposer", ["USER", "EXPERT"])
async def test_j1_w1_a_worker_process_records_what_lapsed_and_both_sides_see_it_live(
    world: Service, uma: Client, emil: Client, settings: Settings, proposer: str
):
    """From the worker's process through Redis to the sockets of a web process."""
    meeting = await (uma.proposed(emil) if proposer == "USER" else emil.offered(uma, startsAt=world.at(days=1)))
    world.clock.advance(days=1)
    async with (
        uma.listening(UPDATES) as hers,
        emil.listening(UPDATES) as his,
        uma.listening(BALANCES) as purse,
        clock_of_processes(world),
        running_worker(settings, settings.redis_url),
    ):
        await purse.next()
        for socket in (hers, his):
            assert (await socket.next())["myMeetingUpdates"] == {
                "event": {"kind": "PROPOSAL_LAPSED", "actor": "SYSTEM"},
                "meeting": {
                    "id": meeting["id"],
                    "status": "CANCELLED",
                    "creditPaymentStatus": "RETURNED" if proposer == "USER" else "NOT_BLOCKED",
                },
            }
        if proposer == "USER":
            assert (await purse.next())["creditAccountUpdates"] == {"available": "100.00", "blocked": "0.00"}


async def test_j1_what_becomes_due_while_the_process_works_is_recorded_by_the_sandboxs_clock(
    world: Service, uma: Client, emil: Client, settings: Settings
):
    await world.beat()
    first, second = await uma.proposed(emil), await uma.proposed(emil, startsAt=world.at(days=2))
    world.clock.advance(days=1)
    async with clock_of_processes(world), running_worker(settings, settings.redis_url):
        await until_recorded([first["id"]], 1)
        assert not await lapses([second["id"]])
        world.clock.advance(days=1)
        await SandboxClock.filter(id=1).update(ahead_microseconds=ahead(world))
        await until_recorded([second["id"]], 1)


async def test_j1_what_a_worker_held_when_it_was_killed_another_one_does(
    world: Service, rich: Client, settings: Settings, database_url: str
):
    """Both are stopped in the middle of a meeting, by somebody who holds the expert's row."""
    expert = await world.expert("Emil Expert", price="1.00")
    due = await proposals(rich, expert, 3)
    world.clock.advance(days=1)
    somebody = await asyncpg.connect(database_url)
    async with (
        clock_of_processes(world),
        running_worker(settings, settings.redis_url) as killed,
        running_worker(settings, settings.redis_url),
    ):
        async with somebody.transaction():
            await somebody.execute("SELECT FROM person WHERE id = $1 FOR UPDATE", row_id("Person", expert.id))
            while len(await get_connection("default").execute_query_dict(WAITING_FOR_A_LOCK)) < 2:
                await a_moment()
            killed.kill()
            await killed.wait()
        await until_recorded(due, len(due))
    await somebody.close()
    assert await lapses(due) == Counter(due)


async def test_j1_workers_killed_in_the_middle_again_and_again_lose_nothing_and_do_nothing_twice(
    world: Service, rich: Client, settings: Settings
):
    expert = await world.expert("Emil Expert", price="1.00")
    due = await proposals(rich, expert, 30 * CRASH_ROUNDS)
    world.clock.advance(days=1)
    async with clock_of_processes(world):
        for _ in range(CRASH_ROUNDS):
            async with running_worker(settings, settings.redis_url) as process:
                await until_recorded(due, len(await lapses(due)) + 1)
                process.kill()
                await process.wait()
        assert len(await lapses(due)) < len(due), "there was always something left to do"
        async with running_worker(settings, settings.redis_url) as process:
            await until_recorded(due, len(due))
            process.send_signal(signal.SIGTERM)
            said, _ = await process.communicate()
            assert process.returncode == 0, said.decode()
    assert await lapses(due) == Counter(due)
    assert await rich.balance() == ("100000.00", "0.00")
