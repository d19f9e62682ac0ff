"""Rescheduling: an alternative date for an agreed or a rejected meeting (R1-R7)."""

from dataclasses import replace
from datetime import datetime

from rules.credits import NO_MOVEMENTS
from rules.meetings import (
    Alternative,
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
from rules.problems import ActionRefused, ConflictsFound, InvalidInput
from rules.terms import (
    AlternativeDateStatus,
    Answer,
    InvalidInputCode,
    MeetingStatus,
    NotificationKind,
    Refusal,
    Side,
    TimelineEventKind,
)


def only_who_may_choose(state: MeetingState, now: datetime) -> None:
    """Either side, of an agreed or a rejected meeting that has not begun, while no other alternative waits (R1)."""
    only_in(state, MeetingStatus.AGREED, MeetingStatus.REJECTED)
    if state.alternative is not None:
        raise ActionRefused(Refusal.ALTERNATIVE_DATE_PENDING)
    only_before_the_start(state, now)


def choose(facts: MeetingFacts, *, by: Side, now: datetime, starts_at: datetime) -> Decision:
    """A side chooses a new start; length and price stay (R1). An agreed date stays in force meanwhile (R3)."""
    state = facts.state
    only_who_may_choose(state, now)
    if starts_at == state.starts_at:
        raise InvalidInput("startsAt", InvalidInputCode.UNCHANGED)
    in_force = state.status is MeetingStatus.AGREED
    alternative = Alternative(
        starts_at=starts_at,
        ends_at=starts_at + (state.ends_at - state.starts_at),
        chosen_by=by,
        original_date_in_force=in_force,
        user_answer_before=state.user_answer,
        expert_answer_before=state.expert_answer,
    )
    events = (
        Event(TimelineEventKind[f"ALTERNATIVE_DATE_CHOSEN_BY_{by}"], by, of_alternative=True),
        Event(TimelineEventKind[f"{by}_APPROVED"], by, of_alternative=True),
    )
    if in_force:
        return Decision(
            state=replace(state, alternative=alternative),
            events=events,
            notices=(Notice(NotificationKind.AGREED_MEETING_RESCHEDULED, to=by.other),),
        )
    # The payer's choice is their approval: the price is set aside at once (R2).
    state, movements = with_credits_blocked(facts) if by is Side.USER else (state, NO_MOVEMENTS)
    state = replace(
        state,
        status=MeetingStatus.AWAITING_APPROVAL,
        starts_at=alternative.starts_at,
        ends_at=alternative.ends_at,
        alternative=alternative,
    )
    return Decision(
        state=state.answered(by, Answer.APPROVED).answered(by.other, Answer.PENDING),
        events=events,
        movements=movements,
        notices=(Notice(NotificationKind.REJECTED_MEETING_RESCHEDULED, to=by.other),),
    )


def approve(facts: MeetingFacts, *, by: Side, now: datetime, acknowledge_conflicts: bool) -> Decision:
    """The other side approves the alternative: it is the date in force from now on (R4)."""
    alternative = pending(facts.state)
    _only_the_other_side(alternative, by)
    only_before_it_lapses(facts.state, alternative, now)
    if facts.conflicts and not acknowledge_conflicts:
        raise ConflictsFound(facts.conflicts)
    state, movements = with_credits_blocked(facts)
    return Decision(
        state=replace(
            state,
            status=MeetingStatus.AGREED,
            user_answer=Answer.APPROVED,
            expert_answer=Answer.APPROVED,
            starts_at=alternative.starts_at,
            ends_at=alternative.ends_at,
            alternative=None,
        ),
        events=(Event(TimelineEventKind[f"ALTERNATIVE_DATE_APPROVED_BY_{by}"], by, of_alternative=True),),
        movements=movements,
        notices=(Notice(NotificationKind.ALTERNATIVE_DATE_APPROVED, to=by.other),),
        alternative_became=AlternativeDateStatus.APPROVED,
    )


def reject(facts: MeetingFacts, *, by: Side, now: datetime) -> Decision:
    """The other side rejects it: an agreed date stays, its credits blocked; without one all is rejected again (R5)."""
    alternative = pending(facts.state)
    _only_the_other_side(alternative, by)
    only_before_it_lapses(facts.state, alternative, now)
    state, movements = replace(facts.state, alternative=None), NO_MOVEMENTS
    if not alternative.original_date_in_force:
        state, movements = with_credits_returned(replace(state, status=MeetingStatus.REJECTED))
        state = state.answered(by, Answer.REJECTED).answered(by.other, Answer.APPROVED)
    return Decision(
        state=state,
        events=(
            Event(TimelineEventKind[f"ALTERNATIVE_DATE_REJECTED_BY_{by}"], by, gives_reason=True, of_alternative=True),
        ),
        movements=movements,
        notices=(Notice(NotificationKind.ALTERNATIVE_DATE_REJECTED, to=by.other),),
        alternative_became=AlternativeDateStatus.REJECTED,
    )


def cancel(facts: MeetingFacts, *, by: Side, now: datetime) -> Decision:
    """The chooser takes it back while it is unanswered: all is as it was, but that a rejected meeting keeps its new
    date (R6)."""
    alternative = pending(facts.state)
    if alternative.chosen_by is not by:
        raise ActionRefused(Refusal.NOT_OWN_ALTERNATIVE_DATE)
    only_before_it_lapses(facts.state, alternative, now)
    decision = _without(facts.state, alternative, AlternativeDateStatus.CANCELLED)
    return replace(
        decision,
        events=(Event(TimelineEventKind[f"ALTERNATIVE_DATE_CANCELLED_BY_{by}"], by, of_alternative=True),),
        notices=(Notice(NotificationKind.ALTERNATIVE_DATE_CANCELLED, to=by.other),),
    )


def lapse(state: MeetingState) -> Decision:
    """Nobody answered it in time: effects as if its chooser had taken it back (R7)."""
    assert state.alternative is not None
    return replace(
        _without(state, state.alternative, AlternativeDateStatus.LAPSED),
        events=(Event(TimelineEventKind.ALTERNATIVE_DATE_LAPSED, None, of_alternative=True),),
        notices=tuple(Notice(NotificationKind.ALTERNATIVE_DATE_LAPSED, to=side) for side in Side),
    )


def lapses_at(state: MeetingState, alternative: Alternative) -> datetime:
    """When an unanswered alternative lapses: at the start in force or at its own, whichever comes first (R7)."""
    return min(state.starts_at, alternative.starts_at)


def pending(state: MeetingState) -> Alternative:
    """The alternative that waits for an answer; refused where there can be none, or is none."""
    only_in(state, MeetingStatus.AGREED, MeetingStatus.AWAITING_APPROVAL)
    if state.alternative is None:
        raise ActionRefused(Refusal.NO_ALTERNATIVE_DATE)
    return state.alternative


def only_before_it_lapses(state: MeetingState, alternative: Alternative, now: datetime) -> None:
    if now >= lapses_at(state, alternative):
        raise ActionRefused(Refusal.MEETING_STARTED)


def _only_the_other_side(alternative: Alternative, by: Side) -> None:
    if alternative.chosen_by is by:
        raise ActionRefused(Refusal.OWN_ALTERNATIVE_DATE)


def _without(state: MeetingState, alternative: Alternative, became: AlternativeDateStatus) -> Decision:
    """The state and movements after an alternative ended unapproved and unanswered (R6, R7)."""
    state, movements = replace(state, alternative=None), NO_MOVEMENTS
    if not alternative.original_date_in_force:
        state, movements = with_credits_returned(replace(state, status=MeetingStatus.REJECTED))
    state = replace(state, user_answer=alternative.user_answer_before, expert_answer=alternative.expert_answer_before)
    return Decision(state=state, events=(), movements=movements, alternative_became=became)
