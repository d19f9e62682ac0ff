"""Cancelling a proposal or an agreed meeting (K1-K6)."""

from dataclasses import replace
from datetime import datetime, timedelta

from rules.consequences import Consequences, consequences_of
from rules.credits import EXPERT_AVAILABLE, EXPERTIM, USER_AVAILABLE, USER_BLOCKED, Movement, recorded, share
from rules.meetings import (
    Decision,
    Event,
    MeetingFacts,
    MeetingState,
    Notice,
    only_before_the_start,
    only_in,
    with_credits_returned,
)
from rules.policy import Policy
from rules.problems import ActionRefused, InvalidInput, LateCancellation
from rules.terms import (
    AlternativeDateStatus,
    CreditMovementKind,
    CreditPaymentStatus,
    InvalidInputCode,
    MeetingStatus,
    NotificationKind,
    Refusal,
    Side,
    TimelineEventKind,
)


def cancel(
    facts: MeetingFacts, *, by: Side, now: datetime, policy: Policy, gives_reason: bool, acknowledge_late: bool
) -> Decision:
    """The proposer takes back what nobody has answered (K1), or a side calls the agreed meeting off (K2-K6)."""
    state = facts.state
    if state.status is MeetingStatus.AWAITING_APPROVAL and by is not _proposer(state):
        raise ActionRefused(Refusal.NOT_YOUR_SIDE)
    only_in(state, MeetingStatus.AWAITING_APPROVAL, MeetingStatus.AGREED)
    only_before_the_start(state, now)
    decision = _called_off(state, by, late=is_late(state, now, policy), policy=policy)
    if state.status is MeetingStatus.AGREED:
        if not gives_reason:
            raise InvalidInput("reasonCode", InvalidInputCode.REQUIRED)
        if is_late(state, now, policy) and not acknowledge_late:
            raise LateCancellation(consequences(decision, before=state, by=by, now=now, policy=policy))
    return decision


def is_late(state: MeetingState, now: datetime, policy: Policy) -> bool:
    """Whether an agreed meeting is so near that its canceller must confirm; exactly 48 hours ahead is not (K4)."""
    return state.status is MeetingStatus.AGREED and now > _free_until(state, policy)


def consequences(decision: Decision, *, before: MeetingState, by: Side, now: datetime, policy: Policy) -> Consequences:
    """What cancelling means for both sides, and until when it would cost nothing (K4, Q3)."""
    late, free_until = is_late(before, now, policy), _free_until(before, policy)
    can_cost = (
        before.status is MeetingStatus.AGREED and free_until < before.starts_at and _deducted(before, by, policy) > 0
    )
    return consequences_of(
        decision,
        before=before,
        acknowledgement_required=late,
        free_until=free_until if can_cost and not late else None,
    )


def _proposer(state: MeetingState) -> Side:
    """Who may take it all back: who proposed it or, since, chose its alternative date (R2)."""
    return state.alternative.chosen_by if state.alternative else state.proposed_by


def _free_until(state: MeetingState, policy: Policy) -> datetime:
    return state.starts_at - timedelta(hours=policy.free_cancellation_hours)


def _deducted(state: MeetingState, by: Side, policy: Policy) -> int:
    """What a late cancellation costs the user; it never costs the expert anything (K3, K5)."""
    return share(state.price, policy.late_cancellation_percent) if by is Side.USER else 0


def _called_off(state: MeetingState, by: Side, *, late: bool, policy: Policy) -> Decision:
    alternative_became = AlternativeDateStatus.CANCELLED if state.alternative else None  # dies unannounced (K6)
    events = [Event(TimelineEventKind[f"CANCELLED_BY_{by}"], by, gives_reason=True)]
    if late and by is Side.USER and policy.late_cancellation_percent > 0:
        movements, received = _reimbursement(state, policy)
        state = replace(state, credit_payment_status=CreditPaymentStatus.REIMBURSED_CANCELLATION)
        events.append(Event(TimelineEventKind.CANCELLATION_REIMBURSED, by, credits=received))
    else:
        state, movements = with_credits_returned(state)
    return Decision(
        state=replace(state, status=MeetingStatus.CANCELLED, alternative=None),
        events=tuple(events),
        movements=movements,
        notices=(Notice(NotificationKind[f"MEETING_CANCELLED_BY_{by}"], to=by.other),),
        alternative_became=alternative_became,
    )


def _reimbursement(state: MeetingState, policy: Policy) -> tuple[tuple[Movement, ...], int]:
    """Part of the price is deducted, and the expert receives all of that but Expertim's fee (K5, M3)."""
    deducted = _deducted(state, Side.USER, policy)
    fee = share(deducted, policy.fee_percent)
    movements = recorded(
        Movement(CreditMovementKind.CANCELLATION_REIMBURSEMENT, USER_BLOCKED, EXPERT_AVAILABLE, deducted - fee),
        Movement(CreditMovementKind.FEE, USER_BLOCKED, EXPERTIM, fee),
        Movement(CreditMovementKind.UNBLOCK, USER_BLOCKED, USER_AVAILABLE, state.price - deducted),
    )
    return movements, deducted - fee
