"""Wherever a negotiation may go, what is shown as open goes through with what was shown, and the rest is refused."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from hypothesis import given, settings
from hypothesis import strategies as st

from rules import lapsing
from rules.actions import MeetingAction
from rules.consequences import Consequences
from rules.credits import EXPERT_AVAILABLE, USER_AVAILABLE, USER_BLOCKED
from rules.meetings import Decision
from rules.policy import Policy
from rules.terms import CreditPaymentStatus, MeetingActionKind, MeetingStatus, Side
from tests.examples import TIMES
from tests.rules.playing import DAY, KINDS, NOW, TICK, Play, play, shown

POLICIES = st.builds(
    Policy,
    free_cancellation_hours=st.sampled_from([0, 1, 48, 300]),
    late_cancellation_percent=st.sampled_from([0, 1, 50, 100]),
    fee_percent=st.sampled_from([0, 20, 100]),
)


@settings(max_examples=150 * TIMES, deadline=None)
@given(
    walk=st.data(),
    proposer=st.sampled_from(Side),
    price=st.sampled_from([0, 1, 3, 1255, 3333, 4000]),
    policy=POLICIES,
)
def test_q3_wherever_a_negotiation_goes_what_is_shown_is_what_happens(
    walk: st.DataObject, proposer: Side, price: int, policy: Policy
):
    played, now = play(proposer, price=price), NOW
    for _ in range(walk.draw(st.integers(1, 12))):
        if not walk.draw(st.integers(0, 4)):  # most is done while there is time for more
            ahead = [each for each in instants_of_interest(played, policy) if each > now]
            now = walk.draw(st.sampled_from([now + timedelta(hours=1), *ahead]))
        for side in Side:
            what_is_shown_is_what_happens(played, side, now, policy)
        go_on(walk, played, now, policy)
        in_order(played)
        if played.state.status is MeetingStatus.CANCELLED:
            break


def instants_of_interest(played: Play, policy: Policy) -> list[datetime]:
    """Just before, at, and just after whatever time brings about."""
    starts = [played.state.starts_at] + ([played.state.alternative.starts_at] if played.state.alternative else [])
    marks = [*starts, played.state.starts_at - timedelta(hours=policy.free_cancellation_hours)]
    return [mark + nudge for mark in marks for nudge in (-TICK, timedelta(0), TICK)]


def what_is_shown_is_what_happens(played: Play, side: Side, now: datetime, policy: Policy) -> None:
    for kind, action in shown(played, side, now, policy).items():
        if kind is MeetingActionKind.PROPOSE_AGAIN:
            assert action == MeetingAction(kind)
        elif kind not in KINDS:
            continue  # not of a negotiation
        elif action.refusal is not None:
            given: dict[str, Any] = (
                {"gives_reason": False, "acknowledge_late": False} if KINDS[kind] == "cancel" else {}
            )
            why = played.refused(KINDS[kind], side, now=now, policy=policy, conflicts=(uuid4(),), available=0, **given)
            assert why is action.refusal
            assert action == MeetingAction(kind, refusal=why)
        else:
            tried = Play(played.state, played.decision, dict(played.accounts))
            decision = tried.do(KINDS[kind], side, now=now, policy=policy)
            assert action.consequences is not None
            happened(action.consequences, played, tried, decision)


def happened(told: Consequences, before: Play, after: Play, decision: Decision) -> None:
    """That what was told is what the accounts show."""

    def gained(account: Any) -> int:
        return after.accounts.get(account, 0) - before.accounts.get(account, 0)

    assert gained(USER_AVAILABLE) == told.credits_returned_to_user - told.credits_blocked
    assert -gained(USER_BLOCKED) == (
        told.credits_returned_to_user + told.credits_deducted_from_user - told.credits_blocked
    )
    assert gained(EXPERT_AVAILABLE) == told.credits_paid_to_expert
    still_agreed = before.state.status is after.state.status is MeetingStatus.AGREED
    assert told.original_date_stays_in_force == (still_agreed and after.state.starts_at == before.state.starts_at)
    assert (told.credits_deducted_from_user > 0) <= any("REIMBURSED" in event.kind for event in decision.events)


def go_on(walk: st.DataObject, played: Play, now: datetime, policy: Policy) -> None:
    """One of the sides does something that it may, or what is due lapses."""
    if lapsing.lapse(played.facts, now=now) is not None and walk.draw(st.booleans()):
        played.lapse(now)
        return
    side = walk.draw(st.sampled_from(Side))
    seen = shown(played, side, now, policy)
    open_to = [name for kind, name in KINDS.items() if seen[kind].refusal is None]
    if "cancel" in open_to and walk.draw(st.integers(0, 7)):  # what ends it all, seldom: there is more to see
        open_to.remove("cancel")
    if open_to:
        action = walk.draw(st.sampled_from(open_to))
        later = {"starts_at": now + walk.draw(st.sampled_from([TICK, DAY, 30 * DAY]))} if action == "choose" else {}
        if later.get("starts_at") != played.state.starts_at:
            played.do(action, side, now=now, policy=policy, **later)


def in_order(played: Play) -> None:
    """What is true of every meeting (M2, R2, R3)."""
    state = played.state
    blocked = state.credit_payment_status is CreditPaymentStatus.BLOCKED
    assert played.held[1] == (state.price if blocked else 0)
    assert blocked or state.status is not MeetingStatus.AGREED
    if state.alternative is not None:
        in_force = state.alternative.original_date_in_force
        assert state.status is (MeetingStatus.AGREED if in_force else MeetingStatus.AWAITING_APPROVAL)
        assert in_force or state.starts_at == state.alternative.starts_at
