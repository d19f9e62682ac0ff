"""Workers on what is to be settled at 168 h: however many there are and whatever becomes of them, once (S, J1)."""

import signal
from collections import Counter
from collections.abc import Sequence

import pytest
from tortoise.queryset import QuerySet

from jobs import worker
from models import TimelineEvent
from resolvers.settling import due_settlements
from rules.terms import TimelineEventKind
from schema.ids import global_id, row_id
from settings import Settings
from tests.driving import Client, Service
from tests.jobs.test_lapsing import BATCH, CRASH_ROUNDS, clock_of_processes, workers
from tests.jobs.test_worker import running_worker
from tests.settlements import EXPERTIMS, THEIRS, WEEK_HOURS, Held, held, held_together
from tests.waiting import until_there_are

OUTCOMES = (
    TimelineEventKind.CREDITS_PAID_TO_EXPERT,
    TimelineEventKind.PAYMENT_RETURNED_TO_USER,
    TimelineEventKind.REFERRED_TO_EXPERTIM,
)


@pytest.fixture
async def rich(world: Service) -> Client:
    """A user with credits for very many meetings."""
    world.clock.advance(days=10_000)
    await world.beat()  # so that what other tests left behind is not due here
    world.clock.reset()
    return await world.somebody("Rita Rich", credits="100000.00")


def outcomes(meetings: Sequence[Held]) -> QuerySet[TimelineEvent]:
    ids = [row_id("Meeting", each.id) for each in meetings]
    return TimelineEvent.filter(meeting_id__in=ids, kind__in=OUTCOMES)


async def settled(meetings: Sequence[Held]) -> Counter[str]:
    """How often an outcome, or a referral, was recorded of each meeting."""
    return Counter(global_id("Meeting", event.meeting_id) for event in await outcomes(meetings))


def ids(meetings: Sequence[Held]) -> Counter[str]:
    return Counter(each.id for each in meetings)


async def test_j1_it_is_due_at_168_h_to_the_microsecond_and_what_was_referred_never_is(
    world: Service, rich: Client, emil: Client
):
    waiting, spoken, decided = await held_together(world, rich, emil, 3)
    await spoken.says("USER", THEIRS)
    await decided.refer()
    world.clock.advance(hours=WEEK_HOURS, microseconds=-1)
    assert await due_settlements(()) == []
    world.clock.advance(microseconds=1)
    due = [row_id("Meeting", each.id) for each in (waiting, spoken)]
    assert sorted(await due_settlements(())) == sorted(due)
    assert await due_settlements(due) == []
    await world.beat()
    assert await due_settlements(()) == [], "whatever it came to, it is not due again"
    assert [kind for kind, *_ in await waiting.events()] == ["CREDITS_PAID_TO_EXPERT"]
    assert [kind for kind, *_ in await spoken.events()][1:] == ["PAYMENT_RETURNED_TO_USER"]


@pytest.mark.parametrize("number", [1, 4])
async def test_j1_more_than_a_batch_at_once_is_done_once_by_any_number_of_workers(
    world: Service, rich: Client, monkeypatch: pytest.MonkeyPatch, number: int
):
    monkeypatch.setattr(worker, "BEAT_SECONDS", 3_600)  # all of it at one beat
    monkeypatch.setattr("resolvers.settling.MOST_AT_ONCE", BATCH)
    expert = await world.expert("Emil Expert", price="1.00")
    due = await held_together(world, rich, expert, BATCH + 7)
    for each in due[:3]:
        await each.says("USER", THEIRS)
    for each in due[3:6]:
        await each.says("USER", EXPERTIMS)
    world.clock.advance(hours=WEEK_HOURS)
    async with workers(number):
        await until_there_are(len(due), outcomes(due))
    assert await settled(due) == ids(due)
    assert await rich.balance() == ("99988.00", "3.00"), "three came back, three wait for staff"
    assert await expert.balance() == ("7.20", "0.00")


async def test_j1_workers_killed_in_the_middle_again_and_again_settle_each_meeting_once(
    world: Service, rich: Client, settings: Settings
):
    """Two processes at a time, of which one is killed; then two more finish the rest."""
    expert = await world.expert("Emil Expert", price="1.00")
    due = await held_together(world, rich, expert, 30 * CRASH_ROUNDS)
    world.clock.advance(hours=WEEK_HOURS)
    async with clock_of_processes(world):
        for _ in range(CRASH_ROUNDS):
            async with running_worker(settings, settings.redis_url) as killed:
                await until_there_are(await outcomes(due).count() + 1, outcomes(due))
                killed.kill()
                await killed.wait()
        assert len(await settled(due)) < len(due), "there was always something left to do"
        async with (
            running_worker(settings, settings.redis_url) as process,
            running_worker(settings, settings.redis_url),
        ):
            await until_there_are(len(due), outcomes(due))
            process.send_signal(signal.SIGTERM)
            await process.communicate()
    assert await settled(due) == ids(due)
    assert await expert.balance() == (f"{0.8 * len(due):.2f}", "0.00")


async def test_j1_w1_a_worker_process_settles_and_both_sides_see_it_live(
    world: Service, uma: Client, emil: Client, settings: Settings
):
    meeting = await held(world, uma, emil)
    world.clock.advance(hours=WEEK_HOURS)
    updates = "subscription { myMeetingUpdates { event { kind actor } meeting { id creditPaymentStatus } } }"
    async with (
        uma.listening(updates) as hers,
        emil.listening(updates) as his,
        clock_of_processes(world),
        running_worker(settings, settings.redis_url),
    ):
        for socket in (hers, his):
            assert (await socket.next())["myMeetingUpdates"] == {
                "event": {"kind": "CREDITS_PAID_TO_EXPERT", "actor": "SYSTEM"},
                "meeting": {"id": meeting.id, "creditPaymentStatus": "PAID"},
            }
