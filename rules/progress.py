"""Saying how a held meeting went (E1-E3)."""

from dataclasses import replace
from datetime import datetime

from rules.inputs import check_text
from rules.meetings import Decision, Event, MeetingFacts, MeetingState, Recording, only_in
from rules.policy import Policy
from rules.problems import ActionRefused, InvalidInput
from rules.settling import settle, settles_at
from rules.terms import (
    CreditPaymentStatus,
    InvalidInputCode,
    MeetingStatus,
    Progress,
    Refusal,
    Side,
    TimelineEventKind,
)


def check_rating(rating: int | None, comment: str | None, policy: Policy) -> None:
    """What is wrong with what a user may add, as far as the input alone shows it (E1, P4)."""
    if rating is not None and not policy.lowest_rating <= rating <= policy.highest_rating:
        raise InvalidInput("rating", InvalidInputCode.OUT_OF_RANGE)
    check_text(comment or "", "comment", at_most=policy.longest_note_characters, required=False)


def record(
    facts: MeetingFacts,
    *,
    by: Side,
    now: datetime,
    policy: Policy,
    progress: Progress,
    rating: int | None = None,
    comment: str | None = None,
) -> Decision:
    """A side says, once, how the meeting went; if that settles it, it is settled at once (E1, S1)."""
    state = facts.state
    only_in(state, MeetingStatus.AGREED)
    if state.said(by) is not None:
        raise ActionRefused(Refusal.ALREADY_RECORDED)
    opens_at, closes_at = window(state, policy)
    if now < opens_at:
        raise ActionRefused(Refusal.TOO_EARLY)
    if now >= closes_at:
        raise ActionRefused(Refusal.TOO_LATE)
    if by is Side.EXPERT:
        _only_users_add(rating=rating, comment=comment)
    comment = (comment or "").strip() or None
    state = replace(state, progress=(*state.progress, (by, progress)))
    event = Event(TimelineEventKind[f"PROGRESS_RECORDED_BY_{by}"], by)
    decision = settle(replace(facts, state=state), now=now, policy=policy) or Decision(state=state, events=())
    return replace(
        decision, events=(event, *decision.events), recording=Recording(by, progress, rating=rating, comment=comment)
    )


def window(state: MeetingState, policy: Policy) -> tuple[datetime, datetime]:
    """From when on, and until when, the sides can say how it went (E1)."""
    return state.ends_at, settles_at(state, policy)


def _only_users_add(**given: object) -> None:
    for field, value in given.items():
        if value is not None:
            raise InvalidInput(field, InvalidInputCode.UNKNOWN)


def shows_progress_of(side: Side, state: MeetingState, *, to: Side, now: datetime, policy: Policy) -> bool:
    """A side is shown the other's word once it has spoken itself, it is settled, or the time is over (E3)."""
    is_settled = state.credit_payment_status is not CreditPaymentStatus.BLOCKED
    return side is to or state.said(to) is not None or is_settled or now >= settles_at(state, policy)
