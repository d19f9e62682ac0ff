"""What both sides, staff and the clock can do at the same instant to a price: it is settled exactly once (S2, M2)."""

import asyncio
import random
from collections import Counter
from collections.abc import Iterable
from typing import Any

import pytest

from resolvers.settling import settle_meeting
from schema.ids import row_id
from tests.driving import Client, Service, all_jobs, drain
from tests.races import ROUNDS, all_at_once
from tests.settlements import EXPERTIMS, FINAL, MINE, SMOOTH, THEIRS, WEEK_HOURS, Held, held, held_together

OUTCOMES = ["PAY_EXPERT", "RETURN_TO_USER", "RETURN_AND_COMPENSATE_EXPERT"]
BALANCES = {
    "PAY_EXPERT": [("60.00", "0.00"), ("32.00", "0.00")],
    "RETURN_TO_USER": [("100.00", "0.00"), ("0.00", "0.00")],
    "RETURN_AND_COMPENSATE_EXPERT": [("100.00", "0.00"), ("20.00", "0.00")],
    None: [("60.00", "40.00"), ("0.00", "0.00")],
}


@pytest.fixture(params=range(max(1, ROUNDS // 4)))
def round_(request: pytest.FixtureRequest) -> int:
    return int(request.param)


def done(results: Iterable[dict[str, Any]]) -> int:
    return Counter(result["__typename"] for result in results)["MeetingChanged"]


async def outcome_of(meeting: Held) -> str | None:
    """What became of it: whatever it is, once, with the balances that go with it (the rest is invariants')."""
    settlement = (await meeting.seen())["settlement"]
    outcome = settlement and settlement["outcome"]
    kinds = [kind for kind, *_ in await meeting.events()]
    assert len([kind for kind in kinds if kind in FINAL]) == (outcome is not None)
    assert [await meeting.user.balance(), await meeting.expert.balance()] == BALANCES[outcome]
    return outcome


async def by_the_clock(*meetings: Held) -> dict[str, Any]:
    """The worker comes upon them at this instant."""
    await asyncio.gather(*(settle_meeting(row_id("Meeting", each.id)) for each in meetings))
    return {"__typename": "Worker"}


@pytest.mark.usefixtures("round_")
async def test_s2_both_sides_speak_at_once_and_each_pair_of_words_has_one_outcome(
    world: Service, uma: Client, emil: Client
):
    """Of the two orders one happened, and the outcome is what it is in one of them."""
    hers, his = random.choice([SMOOTH, MINE, THEIRS, EXPERTIMS]), random.choice([SMOOTH, MINE, THEIRS, EXPERTIMS])
    meeting = await held(world, uma, emil)
    results = await all_at_once(meeting.attempt("USER", hers), meeting.attempt("EXPERT", his))
    assert done(results) == 2, "each has its own say"
    outcome = await outcome_of(meeting)
    kinds = [kind for kind, *_ in await meeting.events()]
    if (hers in (SMOOTH, MINE)) and his == MINE:
        user_first = kinds.index("PROGRESS_RECORDED_BY_USER") < kinds.index("PROGRESS_RECORDED_BY_EXPERT")
        assert outcome == ("PAY_EXPERT" if user_first else "RETURN_TO_USER"), "who spoke first decided it"
    elif his == MINE:
        assert outcome == "RETURN_TO_USER"
    elif hers in (SMOOTH, MINE):
        assert outcome == "PAY_EXPERT"
    elif hers == his == EXPERTIMS:
        assert outcome == "RETURN_AND_COMPENSATE_EXPERT"
    else:
        assert (outcome, kinds[-1]) == (None, "REFERRED_TO_EXPERTIM")


@pytest.mark.usefixtures("round_")
@pytest.mark.parametrize("side", ["USER", "EXPERT"])
async def test_e1_one_side_that_says_different_things_at_once_has_said_one_of_them(
    world: Service, uma: Client, emil: Client, side: str
):
    meeting = await held(world, uma, emil)
    results = await all_at_once(*(meeting.attempt(side, each) for each in (SMOOTH, MINE, THEIRS, EXPERTIMS)))
    assert done(results) == 1
    assert {result["refusal"] for result in results if "refusal" in result} == {"ALREADY_RECORDED"}
    await outcome_of(meeting)


@pytest.mark.usefixtures("round_")
async def test_i1_one_recording_sent_many_times_at_once_under_its_key_is_one(world: Service, uma: Client, emil: Client):
    meeting = await held(world, uma, emil)
    results = await all_at_once(*(meeting.attempt("USER", SMOOTH, idempotencyKey="same") for _ in range(4)))
    assert done(results) == 4
    assert len({result["events"][0]["id"] for result in results}) == 1
    assert await outcome_of(meeting) == "PAY_EXPERT"


@pytest.mark.usefixtures("round_")
async def test_s3_of_many_decisions_at_once_one_stands(world: Service, uma: Client, emil: Client, stella: Client):
    other = await world.somebody("Otto Other Staff", roles=["staff"])
    meeting = await (await held(world, uma, emil)).refer()
    results = await all_at_once(*(meeting.decide(staff, each) for staff in (stella, other) for each in OUTCOMES))
    assert done(results) == 1
    assert {result["refusal"] for result in results if "refusal" in result} == {"WRONG_STATUS"}
    (decided,) = [each for each, result in zip(OUTCOMES * 2, results, strict=True) if "events" in result]
    assert await outcome_of(meeting) == decided


@pytest.mark.usefixtures("round_")
async def test_j1_the_last_word_the_clock_and_staff_meet_at_168_h_and_it_is_settled_once(
    world: Service, uma: Client, emil: Client, stella: Client
):
    """The words come in the last instant or too late: the clock is moved while they are on their way."""
    meeting = await held(world, uma, emil)
    await meeting.says("USER", random.choice([THEIRS, EXPERTIMS]))
    world.clock.advance(hours=WEEK_HOURS, microseconds=-1)

    async def time_passes() -> dict[str, Any]:
        world.clock.advance(microseconds=1)
        return await by_the_clock(meeting)

    results = await all_at_once(
        meeting.attempt("EXPERT", random.choice([SMOOTH, MINE, THEIRS, EXPERTIMS])),
        time_passes(),
        by_the_clock(meeting),
        meeting.decide(stella, random.choice(OUTCOMES)),
    )
    assert {each.get("refusal") for each in results} <= {None, "TOO_LATE", "WRONG_STATUS"}
    await by_the_clock(meeting)
    if await outcome_of(meeting) is None:
        assert (await meeting.seen())["settlement"]["referred"]
        await meeting.decide(stella, "PAY_EXPERT")
        assert await outcome_of(meeting) == "PAY_EXPERT"


@pytest.mark.usefixtures("round_")
async def test_j1_many_meetings_of_the_same_two_are_settled_once_by_workers_at_once(world: Service, emil: Client):
    """Crosswise, so that each is the user of some and the expert of the others."""
    uma = await world.expert("Ursula User and Expert")
    for each in (uma, emil):
        staff = await world.somebody("Staff", roles=["staff"])
        await staff.act("grantCredits", personId=each.id, amount="1000.00")
    hers = await held_together(world, uma, emil, 4)
    his = await held_together(world, emil, uma, 4)
    world.clock.advance(hours=WEEK_HOURS)
    both = [meeting for pair in zip(hers, his, strict=True) for meeting in pair]
    workers = [all_jobs() for _ in range(3)]
    await all_at_once(*(_beat(jobs) for jobs in workers), by_the_clock(*both), by_the_clock(*both[::-1]))
    await world.beat()
    for meeting in both:
        assert [kind for kind, *_ in await meeting.events()] == ["CREDITS_PAID_TO_EXPERT"]
        assert await meeting.operators() == 800
    assert await uma.balance() == await emil.balance() == ("968.00", "0.00")


async def _beat(jobs: Any) -> dict[str, Any]:
    await drain(jobs)
    return {"__typename": "Worker"}


@pytest.mark.usefixtures("round_")
async def test_w2_what_is_referred_at_once_is_told_staff_once_each_without_a_gap(world: Service, stella: Client):
    """By different people, so that nothing but the staff's own numbers makes them wait for one another."""
    meetings = []
    for number in range(4):
        user = await world.somebody(f"User {number}", credits="40.00")
        meetings.append(await held(world, user, await world.expert(f"Expert {number}")))
        await meetings[-1].says("USER", THEIRS)
    query = "subscription { disputeUpdates { cursor event { kind } meeting { id } } }"
    async with stella.listening(query) as socket:
        await all_at_once(*(each.attempt("EXPERT", SMOOTH) for each in meetings))
        told = [(await socket.next())["disputeUpdates"] for _ in meetings]
        assert {each["meeting"]["id"] for each in told} == {each.id for each in meetings}
        assert {each["event"]["kind"] for each in told} == {"REFERRED_TO_EXPERTIM"}
        assert await socket.silent()
