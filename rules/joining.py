"""Links and attendance: when a side may join, and what its coming leaves on the record (L1-L3)."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from rules.meetings import Decision, Event, MeetingFacts, MeetingState
from rules.policy import Policy
from rules.problems import ActionRefused
from rules.terms import MeetingStatus, Refusal, Side, TimelineEventKind


class Window(NamedTuple):
    """While a link is good: [opens_at, closes_at), half open as every interval is (T, L1)."""

    opens_at: datetime
    closes_at: datetime


class Standing(StrEnum):
    """What comes of opening a link (L3)."""

    OPEN = "OPEN"
    TOO_EARLY = "TOO_EARLY"
    OVER = "OVER"
    REPLACED = "REPLACED"
    "Another date is in force, with links of its own (R4)."
    NOT_AGREED = "NOT_AGREED"
    "There is no date in force; where there was one, the meeting was cancelled (K6)."


REFUSALS = {
    Standing.TOO_EARLY: Refusal.TOO_EARLY,
    Standing.OVER: Refusal.TOO_LATE,
    Standing.NOT_AGREED: Refusal.WRONG_STATUS,
}


def window(starts_at: datetime, ends_at: datetime, policy: Policy) -> Window:
    """From a little before the start of a date until a while after its end (L1)."""
    return Window(
        opens_at=starts_at - timedelta(minutes=policy.link_opens_minutes_before),
        closes_at=ends_at + timedelta(minutes=policy.link_valid_minutes_after),
    )


def standing(state: MeetingState, *, replaced: bool = False, now: datetime, policy: Policy) -> Standing:
    """How a link stands: one for the date in force, unless it was replaced."""
    if state.status is not MeetingStatus.AGREED:
        return Standing.NOT_AGREED
    if replaced:
        return Standing.REPLACED
    good = window(state.starts_at, state.ends_at, policy)
    if now < good.opens_at:
        return Standing.TOO_EARLY
    return Standing.OPEN if now < good.closes_at else Standing.OVER


def join(facts: MeetingFacts, *, by: Side, now: datetime, policy: Policy) -> Decision:
    """A side opens its link, for the first time for the date in force: its attendance goes on the timeline (L2)."""
    stands = standing(facts.state, now=now, policy=policy)
    if stands is not Standing.OPEN:
        raise ActionRefused(REFUSALS[stands])
    return Decision(state=facts.state, events=(Event(TimelineEventKind[f"{by}_ATTENDANCE_RECORDED"], by),))
