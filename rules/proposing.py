"""Proposing a meeting (P1-P4)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from rules.credits import HUNDREDTHS, Movement, block
from rules.meetings import Decision, Event, MeetingState, Notice
from rules.policy import Policy
from rules.problems import ActionRefused, InvalidInput
from rules.terms import (
    Answer,
    CreditPaymentStatus,
    InvalidInputCode,
    MeetingStatus,
    NotificationKind,
    Refusal,
    Side,
    TimelineEventKind,
)


@dataclass(frozen=True, slots=True)
class Terms:
    """What is proposed: when, how long, and for how many hundredths of a credit."""

    starts_at: datetime
    duration_minutes: int
    price: int

    @property
    def ends_at(self) -> datetime:
        return self.starts_at + timedelta(minutes=self.duration_minutes)


def by_user(terms: Terms, *, user_available: int) -> Decision:
    """A user proposes a meeting; its price is blocked on their account (P1)."""
    movements = block(terms.price, available=user_available)
    return _proposed(terms, Side.USER, CreditPaymentStatus.BLOCKED, movements)


def by_expert(terms: Terms) -> Decision:
    """An expert proposes a meeting; nothing is blocked until the user approves (P2)."""
    return _proposed(terms, Side.EXPERT, CreditPaymentStatus.NOT_BLOCKED, ())


def _proposed(terms: Terms, side: Side, credits_are: CreditPaymentStatus, movements: tuple[Movement, ...]) -> Decision:
    """The new meeting is approved by its proposer and waits for the other side, who is told (P3)."""
    state = MeetingState(
        status=MeetingStatus.AWAITING_APPROVAL,
        credit_payment_status=credits_are,
        user_answer=Answer.PENDING,
        expert_answer=Answer.PENDING,
        starts_at=terms.starts_at,
        ends_at=terms.ends_at,
        price=terms.price,
        proposed_by=side,
    ).answered(side, Answer.APPROVED)
    invitation = {
        Side.USER: NotificationKind.USER_MEETING_INVITATION,
        Side.EXPERT: NotificationKind.EXPERT_MEETING_INVITATION,
    }[side]
    return Decision(
        state=state,
        events=(
            Event(TimelineEventKind.MEETING_PROPOSED, side),
            Event(TimelineEventKind[f"{side}_APPROVED"], side),
        ),
        movements=movements,
        notices=(Notice(invitation, to=side.other),),
    )


def check_the_proposer_is_the_expert(side: Side | None) -> None:
    """From an existing meeting only its expert may propose another one (P2)."""
    if side is not Side.EXPERT:
        raise ActionRefused(Refusal.NOT_YOUR_SIDE)


def check_origin(*, from_a_meeting: bool, from_a_chat: bool) -> None:
    """A proposal to a user comes from a meeting or from the chat with them, not from both (P2)."""
    if from_a_meeting and from_a_chat:
        raise InvalidInput("chatId", InvalidInputCode.MALFORMED)
    if not from_a_meeting and not from_a_chat:
        raise InvalidInput("meetingId", InvalidInputCode.REQUIRED)


def check_start(starts_at: datetime, *, now: datetime, policy: Policy) -> None:
    """A meeting starts in the future, but not absurdly far ahead (P4)."""
    if starts_at <= now:
        raise InvalidInput("startsAt", InvalidInputCode.IN_THE_PAST)
    if starts_at > now + timedelta(days=policy.starts_at_most_days_ahead):
        raise InvalidInput("startsAt", InvalidInputCode.OUT_OF_RANGE)


def check_duration(minutes: int, *, policy: Policy) -> None:
    """A meeting is neither shorter nor longer than the policy says (P4)."""
    if not policy.shortest_meeting_minutes <= minutes <= policy.longest_meeting_minutes:
        raise InvalidInput("durationMinutes", InvalidInputCode.OUT_OF_RANGE)


def check_price(price: int, *, policy: Policy) -> None:
    """A price is nothing or more, and has an upper bound (P4). Hundredths of a credit."""
    if not 0 <= price <= policy.highest_price_credits * HUNDREDTHS:
        raise InvalidInput("price", InvalidInputCode.OUT_OF_RANGE)
