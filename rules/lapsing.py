"""What time alone brings about: a proposal or an alternative date that nobody answered lapses (P6, R7)."""

from dataclasses import replace
from datetime import datetime

from rules import rescheduling
from rules.meetings import Decision, Event, MeetingFacts, Notice, with_credits_returned
from rules.terms import MeetingStatus, NotificationKind, Side, TimelineEventKind


def lapse(facts: MeetingFacts, *, now: datetime) -> Decision | None:
    """What has lapsed by now; nothing if nothing has."""
    state = facts.state
    if state.alternative is not None:
        return rescheduling.lapse(state) if now >= rescheduling.lapses_at(state, state.alternative) else None
    if state.status is not MeetingStatus.AWAITING_APPROVAL or now < state.starts_at:
        return None
    state, movements = with_credits_returned(state)
    return Decision(
        state=replace(state, status=MeetingStatus.CANCELLED),
        events=(Event(TimelineEventKind.PROPOSAL_LAPSED, None),),
        movements=movements,
        notices=tuple(Notice(NotificationKind.PROPOSAL_LAPSED, to=side) for side in Side),
    )
