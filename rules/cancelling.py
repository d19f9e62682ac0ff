"""Cancelling (K1)."""

from dataclasses import replace
from datetime import datetime

from rules.meetings import (
    Decision,
    Event,
    MeetingFacts,
    Notice,
    only_before_the_start,
    only_while_awaiting_approval,
    with_credits_returned,
)
from rules.problems import ActionRefused
from rules.terms import MeetingStatus, NotificationKind, Refusal, Side, TimelineEventKind


def cancel(facts: MeetingFacts, *, by: Side, now: datetime) -> Decision:
    """The proposer takes back a proposal that nobody has answered; the other side rejects instead (K1)."""
    if facts.state.status is MeetingStatus.AWAITING_APPROVAL and by is not facts.state.proposed_by:
        raise ActionRefused(Refusal.NOT_YOUR_SIDE)
    only_while_awaiting_approval(facts.state)
    only_before_the_start(facts.state, now)
    state, movements = with_credits_returned(facts.state)
    return Decision(
        state=replace(state, status=MeetingStatus.CANCELLED),
        events=(Event(TimelineEventKind[f"CANCELLED_BY_{by}"], by, gives_reason=True),),
        movements=movements,
        notices=(Notice(NotificationKind[f"MEETING_CANCELLED_BY_{by}"], to=by.other),),
    )
