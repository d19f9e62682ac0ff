"""Answering a proposal (A1-A3, C2)."""

from dataclasses import replace
from datetime import datetime

from rules.meetings import (
    Decision,
    Event,
    MeetingFacts,
    MeetingState,
    Notice,
    only_before_the_start,
    only_in,
    with_credits_blocked,
    with_credits_returned,
)
from rules.problems import ActionRefused, ConflictsFound
from rules.terms import (
    Answer,
    MeetingStatus,
    NotificationKind,
    Refusal,
    Side,
    TimelineEventKind,
)


def approve(facts: MeetingFacts, *, by: Side, now: datetime, acknowledge_conflicts: bool) -> Decision:
    """The side that has not answered yet agrees to the proposed date (A1)."""
    _only_the_side_that_has_not_answered(facts.state, by, now)
    if facts.conflicts and not acknowledge_conflicts:
        raise ConflictsFound(facts.conflicts)
    state, movements = with_credits_blocked(facts)
    return Decision(
        state=replace(state, status=MeetingStatus.AGREED).answered(by, Answer.APPROVED),
        events=(Event(TimelineEventKind[f"{by}_APPROVED"], by),),
        movements=movements,
        notices=(Notice(NotificationKind.MEETING_APPROVED, to=by.other),),
    )


def reject(facts: MeetingFacts, *, by: Side, now: datetime) -> Decision:
    """The side that has not answered yet turns the proposal down; blocked credits return (A3)."""
    _only_the_side_that_has_not_answered(facts.state, by, now)
    state, movements = with_credits_returned(facts.state)
    return Decision(
        state=replace(state, status=MeetingStatus.REJECTED).answered(by, Answer.REJECTED),
        events=(Event(TimelineEventKind[f"REJECTED_BY_{by}"], by, gives_reason=True),),
        movements=movements,
        notices=(Notice(NotificationKind.MEETING_REJECTED, to=by.other),),
    )


def _only_the_side_that_has_not_answered(state: MeetingState, by: Side, now: datetime) -> None:
    only_in(state, MeetingStatus.AWAITING_APPROVAL)
    if state.alternative is not None:  # answered with its own mutations (R2)
        raise ActionRefused(Refusal.ALTERNATIVE_DATE_PENDING)
    if state.answer(by) is not Answer.PENDING:
        raise ActionRefused(Refusal.ALREADY_ANSWERED)
    only_before_the_start(state, now)
