"""The platform is brought to what was agreed, however long it takes, and nobody waits for it (L4)."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from structlog.testing import capture_logs
from tortoise.expressions import F

from jobs.worker import jobs_of_the_clock, jobs_outside, work
from models import Conference
from models.transactions import inside_a_transaction
from resolvers import conferencing
from resolvers.conferencing import FAILING_AFTER, LEASE_SECONDS, LONGEST_PAUSE_SECONDS, bring_next_conference
from resolvers.world import world as surroundings
from schema.ids import row_id
from tests.conference.daily_server import DailyServer, refusal
from tests.driving import WAIT_AT_MOST_SECONDS, Client, Service
from tests.joining import agreed, at_the_start, link_of, opened, recorded, seen
from tests.negotiations import UPDATES, Negotiation, pushed
from tests.platforms import meetings_on_daily

pytestmark = pytest.mark.usefixtures("daily")


@pytest.fixture
async def daily(world: Service) -> AsyncIterator[DailyServer]:
    await Conference.all().update(reached=F("wanted"))  # what other tests have left to do is not asked of this one
    async with meetings_on_daily() as server:
        yield server


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Set as soon as the platform is being asked."""
    event, ask = asyncio.Event(), conferencing._ask

    async def watched(conference: Conference) -> None:
        assert not inside_a_transaction()
        event.set()
        await ask(conference)

    monkeypatch.setattr(conferencing, "_ask", watched)
    return event


async def row(negotiation: Negotiation) -> Conference:
    return await Conference.get(meeting_id=row_id("Meeting", negotiation.meeting["id"]))


async def state(negotiation: Negotiation) -> str:
    conference = (await seen(negotiation.user, negotiation.meeting["id"]))["conference"]
    return str(conference["state"])


def times(daily: DailyServer, name: str) -> tuple[datetime, datetime]:
    properties = daily.properties(name)
    start, end = (datetime.fromtimestamp(properties[each]).astimezone() for each in ("nbf", "exp"))
    return start, end


def window_of(negotiation: Negotiation) -> tuple[datetime, datetime]:
    start, end = (datetime.fromisoformat(negotiation.meeting[each]) for each in ("startsAt", "endsAt"))
    return start - timedelta(minutes=15), end + timedelta(minutes=60)


async def test_l4_an_agreement_is_brought_to_the_platform_a_new_date_too_and_its_end(
    world: Service, uma: Client, emil: Client, daily: DailyServer
):
    negotiation = await Negotiation(world, uma, emil).agree("USER")
    assert daily.calls == []
    assert await state(negotiation) == "PENDING"
    await world.beat()
    room = (await row(negotiation)).room
    assert await state(negotiation) == "READY"
    assert times(daily, room) == window_of(negotiation)
    await negotiation.choose("USER", days=12)
    await negotiation.do("EXPERT", "approveAlternativeDate")
    assert await state(negotiation) == "PENDING"
    await world.beat()
    assert await state(negotiation) == "READY"
    assert times(daily, room) == window_of(negotiation)
    assert list(daily.rooms) == [room]
    await negotiation.do("USER", "cancelMeeting")
    assert await state(negotiation) == "CANCELLED"
    await world.beat()
    assert daily.rooms == {}
    assert await state(negotiation) == "CANCELLED"
    done = len(daily.calls)
    await world.beat()
    assert len(daily.calls) == done


async def test_l4_for_an_hour_without_a_platform_all_goes_on_and_is_there_once_when_it_is_back(
    world: Service, emil: Client, daily: DailyServer
):
    rita = await world.somebody("Rita Rich", credits="1000.00")
    held = await agreed(world, rita, emil, startsAt=world.at(days=1))
    path = await link_of(rita, held.meeting["id"])
    at_the_start(world, held)
    called_off = await agreed(world, rita, emil)
    moved = await agreed(world, rita, emil)
    async with daily.down():
        new = [await Negotiation(world, rita, emil).agree(side) for side in ("USER", "EXPERT")]
        await called_off.do("EXPERT", "cancelMeeting")
        await moved.choose("USER", days=13)
        await moved.do("EXPERT", "approveAlternativeDate")
        assert (await opened(world, path)).status_code == 200  # they wait
        for _ in range(60):
            world.clock.advance(minutes=1)
            await world.beat()
        for each in (*new, called_off, moved):
            assert await state(each) == "FAILING"
            assert (await row(each)).failures > 12
        assert recorded(await seen(rita, held.meeting["id"])) == ["USER_ATTENDANCE_RECORDED"]
    world.clock.advance(seconds=1.2 * LONGEST_PAUSE_SECONDS)
    await world.beat()
    assert [await state(each) for each in (held, *new, moved, called_off)] == ["READY"] * 4 + ["CANCELLED"]
    rooms = {(await row(each)).room: window_of(each) for each in (held, *new, moved)}
    assert {room: times(daily, room) for room in daily.rooms} == rooms


async def test_l4_one_that_fails_is_tried_again_later_and_later_and_shows_it(
    world: Service, uma: Client, emil: Client, daily: DailyServer
):
    daily.instead.extend(refusal(500, "server-error") for _ in range(20))
    negotiation = await Negotiation(world, uma, emil).agree("USER")
    pauses = []
    for failures in range(1, 13):
        await world.beat()
        found = await row(negotiation)
        assert found.failures == failures
        assert await state(negotiation) == ("FAILING" if failures >= FAILING_AFTER else "PENDING")
        pauses.append((found.due_at - world.clock.time).total_seconds())
        world.clock.time = found.due_at - timedelta(microseconds=1)
        await world.beat()
        assert (await row(negotiation)).failures == failures, "it was not left alone for as long as was said"
        world.clock.time = found.due_at
    assert 0.8 <= pauses[0] <= 1.2
    assert all(0.8 * LONGEST_PAUSE_SECONDS <= pause <= 1.2 * LONGEST_PAUSE_SECONDS for pause in pauses[9:])
    assert all(pause < later for pause, later in pairwise(pauses[:9]))
    daily.instead.clear()
    await world.beat()
    assert await state(negotiation) == "READY"
    assert (await row(negotiation)).failures == 0


async def test_l4_it_is_left_alone_for_as_long_as_it_asks(
    world: Service, uma: Client, emil: Client, daily: DailyServer
):
    daily.instead.append(refusal(429, "rate-limit-error", Retry_After="900"))
    negotiation = await Negotiation(world, uma, emil).agree("USER")
    await world.beat()
    world.clock.advance(seconds=899)
    await world.beat()
    assert len(daily.calls) == 1
    world.clock.advance(seconds=1)
    await world.beat()
    assert await state(negotiation) == "READY"


async def test_l4_a_change_is_brought_there_at_once_however_long_the_pause_would_have_been(
    world: Service, uma: Client, emil: Client, daily: DailyServer
):
    daily.instead.append(refusal(429, "rate-limit-error", Retry_After="3600"))
    negotiation = await Negotiation(world, uma, emil).agree("USER")
    await world.beat()
    await negotiation.choose("USER", days=12)
    await negotiation.do("EXPERT", "approveAlternativeDate")
    await world.beat()
    assert times(daily, (await row(negotiation)).room) == window_of(negotiation)
    assert await state(negotiation) == "READY"


async def test_l4_one_that_fails_stops_no_other(world: Service, uma: Client, emil: Client, daily: DailyServer):
    daily.instead.append(refusal(500, "server-error"))
    negotiations = [await Negotiation(world, uma, emil).agree("EXPERT", price="0.00") for _ in range(3)]
    await world.beat()
    assert sorted([await state(each) for each in negotiations]) == ["PENDING", "READY", "READY"]


async def test_l4_what_was_done_unheard_makes_no_second_room(
    world: Service, uma: Client, emil: Client, daily: DailyServer
):
    daily.lost_answers = 1
    negotiation = await Negotiation(world, uma, emil).agree("USER")
    await world.beat()
    assert await state(negotiation) == "PENDING"
    world.clock.advance(seconds=2)
    await world.beat()
    assert await state(negotiation) == "READY"
    assert len(daily.rooms) == 1


async def taken(negotiation: Negotiation) -> Conference:
    """What a worker that is asking the platform now knows."""
    found = await conferencing._take()
    assert found
    assert found.id == (await row(negotiation)).id
    return found


async def test_l4_who_dies_between_the_call_and_its_record_is_followed_when_the_lease_is_over(
    world: Service, uma: Client, emil: Client, daily: DailyServer
):
    negotiation = await Negotiation(world, uma, emil).agree("USER")
    await conferencing._ask(await taken(negotiation))
    assert len(daily.rooms) == 1
    world.clock.advance(seconds=LEASE_SECONDS, microseconds=-1)
    await world.beat()
    assert await state(negotiation) == "PENDING"
    assert len(daily.calls) == 1
    world.clock.advance(microseconds=1)
    await world.beat()
    assert await state(negotiation) == "READY"
    assert len(daily.rooms) == 1


async def test_l4_whoever_comes_back_too_late_has_the_platform_asked_once_more(
    world: Service, uma: Client, emil: Client, daily: DailyServer
):
    negotiation = await Negotiation(world, uma, emil).agree("USER")
    late = await taken(negotiation)
    world.clock.advance(seconds=LEASE_SECONDS)
    await negotiation.choose("USER", days=12)
    await negotiation.do("EXPERT", "approveAlternativeDate")
    await world.beat()
    await conferencing._ask(late)  # the platform hears of the old date last
    room = (await row(negotiation)).room
    assert times(daily, room) != window_of(negotiation)
    await conferencing._record(late, None)
    await world.beat()
    assert times(daily, room) == window_of(negotiation)
    assert await state(negotiation) == "READY"


async def test_l4_and_also_if_somebody_else_is_asking_it_at_that_moment(
    world: Service, uma: Client, emil: Client, daily: DailyServer
):
    negotiation = await Negotiation(world, uma, emil).agree("USER")
    late = await taken(negotiation)
    world.clock.advance(seconds=LEASE_SECONDS)
    await negotiation.choose("USER", days=12)
    await negotiation.do("EXPERT", "approveAlternativeDate")
    now = await taken(negotiation)
    await conferencing._ask(now)
    await conferencing._ask(late)
    await conferencing._record(late, None)
    await conferencing._record(now, None)
    await world.beat()
    assert times(daily, (await row(negotiation)).room) == window_of(negotiation)


@pytest.mark.parametrize("failing", [False, True])
async def test_l4_what_is_changed_during_the_call_is_asked_for_next_and_holds_no_transaction(
    world: Service, uma: Client, emil: Client, daily: DailyServer, asked: asyncio.Event, failing: bool
):
    negotiation = await Negotiation(world, uma, emil).agree("USER")
    daily.may_answer.clear()
    if failing:
        daily.instead.append(refusal(500, "server-error"))
    asking = asyncio.create_task(bring_next_conference())
    async with asyncio.timeout(WAIT_AT_MOST_SECONDS):
        await asked.wait()
    await negotiation.choose("USER", days=12)  # nobody waits for the platform
    await negotiation.do("EXPERT", "approveAlternativeDate")
    assert await bring_next_conference() == 0, "it was asked for two things at once"
    daily.may_answer.set()
    await asking
    assert await state(negotiation) == "PENDING"
    await world.beat()
    assert times(daily, (await row(negotiation)).room) == window_of(negotiation)
    assert await state(negotiation) == "READY"


async def test_l4_what_is_wrong_with_us_is_logged_and_tried_again_too(
    world: Service, uma: Client, emil: Client, daily: DailyServer, monkeypatch: pytest.MonkeyPatch
):
    negotiation = await Negotiation(world, uma, emil).agree("USER")

    async def broken(*_: Any) -> None:
        raise LookupError("a bug")

    with monkeypatch.context() as patched, capture_logs() as logs:
        patched.setattr(type(surroundings().platform), "create", broken)
        await world.beat()
    assert [(each["log_level"], str(each["exc_info"])) for each in logs] == [("error", "a bug")]
    assert (await row(negotiation)).failures == 1
    world.clock.advance(seconds=2)
    await world.beat()
    assert await state(negotiation) == "READY"


async def test_l2_a_room_that_has_gone_missing_is_made_anew_for_who_wants_in(
    world: Service, uma: Client, emil: Client, daily: DailyServer
):
    negotiation = await agreed(world, uma, emil)
    path = await link_of(uma, negotiation.meeting["id"])
    at_the_start(world, negotiation)
    daily.rooms.clear()
    waiting = await opened(world, path)
    assert waiting.status_code == 200
    assert await state(negotiation) == "PENDING"
    await world.beat()
    assert await state(negotiation) == "READY"
    assert (await opened(world, path)).headers["location"].startswith("https://expertim.daily.co/")


async def test_j1_the_clocks_work_does_not_wait_for_the_platform(
    world: Service, uma: Client, emil: Client, daily: DailyServer
):
    negotiation = await Negotiation(world, uma, emil).agree("USER")
    await uma.proposed(emil, startsAt=world.at(hours=1))
    daily.may_answer.clear()
    world.clock.advance(hours=1)
    stop = asyncio.Event()
    async with uma.listening(UPDATES) as socket:
        worker = [asyncio.create_task(work(stop, jobs)) for jobs in (jobs_of_the_clock(), jobs_outside())]
        assert (await pushed(socket, 1))[0]["event"]["kind"] == "PROPOSAL_LAPSED"
    assert await state(negotiation) == "PENDING"
    daily.may_answer.set()
    stop.set()
    await asyncio.gather(*worker)
