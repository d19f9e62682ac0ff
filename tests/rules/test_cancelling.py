"""Taking proposals back and calling agreed meetings off, for both sides (K1-K6, P7, M3)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules import cancelling
from rules.consequences import Consequences
from rules.meetings import Decision
from rules.policy import Policy
from rules.problems import InvalidInput, LateCancellation
from rules.terms import AlternativeDateStatus, CreditPaymentStatus, InvalidInputCode, MeetingStatus, Refusal, Side
from tests.rules.playing import (
    CHOOSER,
    DAY,
    NOW,
    POLICY,
    PRICE,
    PROPOSER,
    START,
    TICK,
    Play,
    agreed,
    kinds,
    moved,
    play,
    rejected,
    told,
)

CANCELLER = pytest.mark.parametrize("canceller", list(Side))
FREE_UNTIL = START - timedelta(hours=48)
LATE = FREE_UNTIL + TICK


def ended(decision: Decision, canceller: Side) -> None:
    """What every cancellation does, whoever cancels what and when (K6)."""
    assert decision.state.status is MeetingStatus.CANCELLED
    assert decision.state.alternative is None
    assert kinds(decision)[0] == f"CANCELLED_BY_{canceller}"
    assert decision.events[0].side is canceller
    assert decision.events[0].gives_reason
    assert not any(event.of_alternative for event in decision.events), "an alternative dies unannounced"
    assert told(decision) == [(f"MEETING_CANCELLED_BY_{canceller}", canceller.other)]


@PROPOSER
def test_k1_p7_the_proposer_takes_an_unanswered_proposal_back_without_a_reason_and_blocked_credits_return(
    proposer: Side,
):
    played = play(proposer)
    decision = played.do("cancel", proposer, now=START - TICK, gives_reason=False, acknowledge_late=False)
    ended(decision, proposer)
    assert len(decision.events) == 1
    assert (played.state.credit_payment_status, moved(decision)) == (
        (CreditPaymentStatus.RETURNED, [("UNBLOCK", PRICE)])
        if proposer is Side.USER
        else (CreditPaymentStatus.NOT_BLOCKED, [])
    )
    assert played.held == (0, 0, 0, 0)


@PROPOSER
def test_k1_the_other_side_rejects_instead(proposer: Side):
    assert play(proposer).refused("cancel", proposer.other) is Refusal.NOT_YOUR_SIDE


@PROPOSER
@CHOOSER
def test_r2_k1_who_chose_the_alternative_of_a_rejected_meeting_cancels_all_of_it_as_a_proposer_would(
    proposer: Side, chooser: Side
):
    played = rejected(proposer, ("choose", chooser))
    credits_were = played.state.credit_payment_status
    assert played.refused("cancel", chooser.other) is Refusal.NOT_YOUR_SIDE
    decision = played.do("cancel", chooser, now=START + DAY - TICK, gives_reason=False, acknowledge_late=False)
    ended(decision, chooser)
    assert decision.alternative_became is AlternativeDateStatus.CANCELLED
    assert played.held == (0, 0, 0, 0)
    assert played.state.credit_payment_status is (
        CreditPaymentStatus.RETURNED if chooser is Side.USER else credits_were
    )


@PROPOSER
@CANCELLER
def test_k2_k3_exactly_48_hours_ahead_either_side_calls_an_agreed_meeting_off_and_all_credits_return(
    proposer: Side, canceller: Side
):
    played = agreed(proposer)
    decision = played.do("cancel", canceller, now=FREE_UNTIL, acknowledge_late=False)
    ended(decision, canceller)
    assert len(decision.events) == 1
    assert (played.state.credit_payment_status, moved(decision)) == (CreditPaymentStatus.RETURNED, [("UNBLOCK", PRICE)])
    assert decision.alternative_became is None


@PROPOSER
@CANCELLER
@pytest.mark.parametrize("now", [NOW, LATE], ids=["early", "late"])
def test_k2_q4_a_reason_is_asked_for_before_an_acknowledgement(proposer: Side, canceller: Side, now: datetime):
    problem = agreed(proposer).problem("cancel", canceller, now=now, gives_reason=False, acknowledge_late=False)
    assert isinstance(problem, InvalidInput)
    assert (problem.field, problem.code) == ("reasonCode", InvalidInputCode.REQUIRED)


@PROPOSER
@CANCELLER
@pytest.mark.parametrize("now", [LATE, START - TICK])
def test_k4_a_microsecond_later_it_must_be_acknowledged_and_the_answer_tells_what_it_would_cost(
    proposer: Side, canceller: Side, now: datetime
):
    problem = agreed(proposer).problem("cancel", canceller, now=now, acknowledge_late=False)
    assert isinstance(problem, LateCancellation)
    by_user = canceller is Side.USER
    assert problem.consequences == Consequences(
        credits_blocked=0,
        credits_returned_to_user=PRICE // 2 if by_user else PRICE,
        credits_deducted_from_user=PRICE // 2 if by_user else 0,
        credits_paid_to_expert=PRICE // 2 * 8 // 10 if by_user else 0,
        original_date_stays_in_force=False,
        acknowledgement_required=True,
        free_until=None,
    )


@PROPOSER
@pytest.mark.parametrize("now", [LATE, START - TICK])
def test_k3_k4_the_expert_confirms_a_late_cancellation_and_then_all_credits_return(proposer: Side, now: datetime):
    played = agreed(proposer)
    decision = played.do("cancel", Side.EXPERT, now=now)
    ended(decision, Side.EXPERT)
    assert len(decision.events) == 1
    assert (played.state.credit_payment_status, moved(decision)) == (CreditPaymentStatus.RETURNED, [("UNBLOCK", PRICE)])


@PROPOSER
@pytest.mark.parametrize("now", [LATE, START - TICK])
def test_k5_the_user_who_cancels_late_loses_half_and_the_expert_gets_that_but_for_the_fee(
    proposer: Side, now: datetime
):
    played = agreed(proposer)
    decision = played.do("cancel", Side.USER, now=now)
    ended(decision, Side.USER)
    assert kinds(decision) == ["CANCELLED_BY_USER", "CANCELLATION_REIMBURSED"]
    assert [event.credits for event in decision.events] == [None, 1600]
    assert not decision.events[1].gives_reason, "the reason is the cancellation's"
    assert played.state.credit_payment_status is CreditPaymentStatus.REIMBURSED_CANCELLATION
    assert moved(decision) == [("CANCELLATION_REIMBURSEMENT", 1600), ("FEE", 400), ("UNBLOCK", 2000)]
    assert played.held == (2000, 0, 1600, 400)


@pytest.mark.parametrize(
    ("price", "expert", "expertim", "returned"),
    [
        (0, 0, 0, 0),
        (1, 1, 0, 0),  # half of 0.01 is 0.005, rounded up
        (2, 1, 0, 1),
        (3, 2, 0, 1),
        (5, 2, 1, 2),
        (1255, 502, 126, 627),
        (3333, 1334, 333, 1666),
        (100_000_000, 40_000_000, 10_000_000, 50_000_000),
    ],
)
def test_k5_m3_awkward_prices_are_shared_out_to_the_hundredth(price: int, expert: int, expertim: int, returned: int):
    played = agreed(Side.USER, price=price)
    shown = played.problem("cancel", Side.USER, now=LATE, acknowledge_late=False)
    decision = played.do("cancel", Side.USER, now=LATE)
    assert played.held == (price - returned, 0, expert, expertim)
    assert played.state.credit_payment_status is CreditPaymentStatus.REIMBURSED_CANCELLATION, "also of a free meeting"
    assert [event.credits for event in decision.events] == [None, expert]
    assert all(amount > 0 for _, amount in moved(decision)), "movements of nothing are not recorded (M4)"
    assert isinstance(shown, LateCancellation)
    assert shown.consequences.credits_paid_to_expert == expert
    assert shown.consequences.credits_returned_to_user == returned
    assert shown.consequences.credits_deducted_from_user == price - returned


@pytest.mark.parametrize(
    ("percent", "fee", "expert", "expertim", "returned"),
    [
        (100, 20, 2666, 667, 0),
        (100, 100, 0, 3333, 0),
        (100, 0, 3333, 0, 0),
        (50, 0, 1667, 0, 1666),
        (50, 100, 0, 1667, 1666),
        (1, 50, 16, 17, 3300),  # 0.33 deducted, half of it is 0.165
    ],
)
def test_k5_m3_other_policies_share_out_all_of_the_price_too(
    percent: int, fee: int, expert: int, expertim: int, returned: int
):
    policy = replace(POLICY, late_cancellation_percent=percent, fee_percent=fee)
    played = agreed(Side.EXPERT, price=3333)
    decision = played.do("cancel", Side.USER, now=LATE, policy=policy)
    assert played.held == (3333 - returned, 0, expert, expertim)
    assert decision.events[1].credits == expert
    assert played.state.credit_payment_status is CreditPaymentStatus.REIMBURSED_CANCELLATION


@pytest.mark.parametrize("price", [0, 1, PRICE])
def test_k5_at_a_policy_of_0_percent_it_is_k3_but_still_to_be_confirmed(price: int):
    policy = replace(POLICY, late_cancellation_percent=0)
    played = agreed(Side.USER, price=price)
    problem = played.problem("cancel", Side.USER, now=LATE, policy=policy, acknowledge_late=False)
    assert isinstance(problem, LateCancellation)
    assert (problem.consequences.credits_deducted_from_user, problem.consequences.credits_paid_to_expert) == (0, 0)
    decision = played.do("cancel", Side.USER, now=LATE, policy=policy)
    assert kinds(decision) == ["CANCELLED_BY_USER"]
    assert (played.state.credit_payment_status, played.held) == (CreditPaymentStatus.RETURNED, (0, 0, 0, 0))


@given(st.integers(0, 100_000_000), st.integers(0, 100), st.integers(0, 100))
def test_k5_m3_whatever_the_price_and_the_policy_no_hundredth_is_lost_and_each_is_rounded_half_up(
    price: int, percent: int, fee: int
):
    policy = Policy(late_cancellation_percent=percent, fee_percent=fee)
    played = agreed(Side.USER, price=price)
    played.do("cancel", Side.USER, now=LATE, policy=policy)
    spent, blocked, expert, expertim = played.held
    assert (spent, blocked) == ((2 * price * percent + 100) // 200, 0)
    assert (expert, expertim) == (spent - (2 * spent * fee + 100) // 200, (2 * spent * fee + 100) // 200)


@PROPOSER
@CHOOSER
@CANCELLER
@pytest.mark.parametrize("now", [FREE_UNTIL, LATE], ids=["early", "late"])
def test_k6_a_pending_alternative_dies_with_the_agreed_meeting_and_neither_counts_for_the_48_hours(
    proposer: Side, chooser: Side, canceller: Side, now: datetime
):
    played = agreed(proposer)
    played.do("choose", chooser, starts_at=START + 30 * DAY)
    as_without = agreed(proposer).do("cancel", canceller, now=now)
    decision = played.do("cancel", canceller, now=now, acknowledge_late=now == LATE)
    ended(decision, canceller)
    assert decision == replace(as_without, alternative_became=AlternativeDateStatus.CANCELLED)
    assert played.state.starts_at == START


@PROPOSER
@CHOOSER
def test_r4_k4_after_an_approved_alternative_the_48_hours_are_those_of_the_new_date(proposer: Side, chooser: Side):
    played = agreed(proposer)
    played.do("choose", chooser, starts_at=START + DAY)
    played.do("approve alternative", chooser.other)
    assert isinstance(played.problem("cancel", Side.USER, now=LATE + DAY, acknowledge_late=False), LateCancellation)
    played.do("cancel", Side.USER, now=FREE_UNTIL + DAY, acknowledge_late=False)
    assert played.held == (0, 0, 0, 0)


@CANCELLER
@pytest.mark.parametrize(
    "local_start",
    [
        datetime(2027, 3, 28, 9, 0),  # clocks went forward that night
        datetime(2027, 3, 29, 9, 0),
        datetime(2027, 10, 31, 9, 0),  # and back that night
        datetime(2027, 11, 1, 9, 0),
    ],
)
def test_k4_48_hours_are_elapsed_hours_whatever_the_clocks_on_the_wall_do(local_start: datetime, canceller: Side):
    prague = ZoneInfo("Europe/Prague")
    start = local_start.replace(tzinfo=prague).astimezone(UTC)
    same_time_two_days_before = (local_start - timedelta(days=2)).replace(tzinfo=prague).astimezone(UTC)
    assert abs(start - same_time_two_days_before - timedelta(hours=48)) == timedelta(hours=1), "a trap it would be"
    played = agreed(Side.USER, starts_at=start)
    assert isinstance(
        played.problem("cancel", canceller, now=start - timedelta(hours=48) + TICK, acknowledge_late=False),
        LateCancellation,
    )
    played.do("cancel", canceller, now=start - timedelta(hours=48), acknowledge_late=False)


@pytest.mark.parametrize("hours", [0, 1, 24, 10_000])
def test_k4_how_near_is_late_is_the_policys_to_say(hours: int):
    policy = replace(POLICY, free_cancellation_hours=hours)
    played = agreed(Side.USER)
    last = START - timedelta(hours=hours)
    if hours:
        assert isinstance(
            played.problem("cancel", Side.USER, now=last + TICK, policy=policy, acknowledge_late=False),
            LateCancellation,
        )
    played.do("cancel", Side.USER, now=min(last, START - TICK), policy=policy, acknowledge_late=False)


def free_until(played: Play, by: Side, *, now: datetime = NOW, policy: Policy = POLICY) -> datetime | None:
    decision = cancelling.cancel(played.facts, by=by, now=now, policy=policy, gives_reason=True, acknowledge_late=True)
    return cancelling.consequences(decision, before=played.state, by=by, now=now, policy=policy).free_until


@pytest.mark.parametrize(
    ("now", "changes", "expected"),
    [
        (NOW, {}, FREE_UNTIL),
        (FREE_UNTIL - TICK, {}, FREE_UNTIL),
        (FREE_UNTIL, {}, FREE_UNTIL),
        (LATE, {}, None),
        (NOW, {"free_cancellation_hours": 1}, START - timedelta(hours=1)),
        (NOW, {"free_cancellation_hours": 0}, None),
        (NOW, {"late_cancellation_percent": 0}, None),
    ],
)
def test_q3_a_user_is_told_until_when_cancelling_is_free_if_it_will_ever_cost_anything(
    now: datetime, changes: dict[str, Any], expected: datetime | None
):
    policy = replace(POLICY, **changes)
    assert free_until(agreed(Side.USER), Side.USER, now=now, policy=policy) == expected


@pytest.mark.parametrize(
    ("played", "by"),
    [
        (agreed(Side.USER), Side.EXPERT),
        (agreed(Side.EXPERT), Side.EXPERT),
        (play(Side.USER), Side.USER),
        (play(Side.EXPERT), Side.EXPERT),
        (rejected(Side.USER, ("choose", Side.USER)), Side.USER),
        (agreed(Side.USER, price=0), Side.USER),
    ],
)
def test_q3_what_never_costs_anything_is_not_free_until_some_time(played: Play, by: Side):
    assert free_until(played, by) is None
