"""The facts a rule is asked about, and the decision it gives."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from rules.credits import Movement, unblock
from rules.problems import ActionRefused
from rules.terms import (
    Answer,
    CreditPaymentStatus,
    MeetingStatus,
    NotificationKind,
    Refusal,
    Side,
    TimelineEventKind,
)


@dataclass(frozen=True, slots=True)
class MeetingState:
    """What an action may change about a meeting. The price is in hundredths of a credit."""

    status: MeetingStatus
    credit_payment_status: CreditPaymentStatus
    user_answer: Answer
    expert_answer: Answer
    starts_at: datetime
    ends_at: datetime
    price: int
    proposed_by: Side

    def answer(self, side: Side) -> Answer:
        return self.user_answer if side is Side.USER else self.expert_answer

    def awaits(self, side: Side) -> bool:
        """Whether the proposed date still waits for this side's answer."""
        return self.status is MeetingStatus.AWAITING_APPROVAL and self.answer(side) is Answer.PENDING

    def answered(self, side: Side, answer: Answer) -> "MeetingState":
        """This state, with one side's answer given."""
        return replace(self, user_answer=answer) if side is Side.USER else replace(self, expert_answer=answer)


@dataclass(frozen=True, slots=True)
class MeetingFacts:
    """A meeting as it stands, with what a rule must know of the people in it, all read under their locks."""

    state: MeetingState
    user_available: int
    "The user's available credits, in hundredths."
    conflicts: tuple[UUID, ...]
    "The acting side's agreed meetings that overlap the date (C1)."


@dataclass(frozen=True, slots=True)
class Event:
    """Something to record on the timeline; `side` caused it."""

    kind: TimelineEventKind
    side: Side
    gives_reason: bool = False
    "Whether the reason that the side chose belongs to this event."


@dataclass(frozen=True, slots=True)
class Notice:
    """A notification to one side."""

    kind: NotificationKind
    to: Side


@dataclass(frozen=True, slots=True)
class Decision:
    """What follows from an action: the meeting's new state, and what is recorded, moved and told."""

    state: MeetingState
    events: tuple[Event, ...]
    movements: tuple[Movement, ...] = ()
    notices: tuple[Notice, ...] = ()


def only_before_the_start(state: MeetingState, now: datetime) -> None:
    """Once its planned start has come a meeting can't be negotiated any more."""
    if now >= state.starts_at:
        raise ActionRefused(Refusal.MEETING_STARTED)


def only_while_awaiting_approval(state: MeetingState) -> None:
    if state.status is not MeetingStatus.AWAITING_APPROVAL:
        raise ActionRefused(Refusal.WRONG_STATUS)


def with_credits_returned(state: MeetingState) -> tuple[MeetingState, tuple[Movement, ...]]:
    """The state and movements after blocked credits went back; with none blocked nothing changes (P7)."""
    if state.credit_payment_status is not CreditPaymentStatus.BLOCKED:
        return state, ()
    return replace(state, credit_payment_status=CreditPaymentStatus.RETURNED), unblock(state.price)
