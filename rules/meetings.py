"""The facts a rule is asked about, and the decision it gives."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from rules.credits import Movement, block, unblock
from rules.problems import ActionRefused
from rules.terms import (
    AlternativeDateStatus,
    Answer,
    CreditPaymentStatus,
    MeetingStatus,
    NotificationKind,
    Progress,
    Refusal,
    SettlementOutcome,
    Side,
    TimelineEventKind,
)


@dataclass(frozen=True, slots=True)
class Alternative:
    """A new date that one side chose and the other has not answered yet (R1)."""

    starts_at: datetime
    ends_at: datetime
    chosen_by: Side
    original_date_in_force: bool
    "Whether an agreed date stays valid until this one is approved (R3); otherwise the meeting was rejected (R2)."
    user_answer_before: Answer
    expert_answer_before: Answer


@dataclass(frozen=True, slots=True)
class DueReminders:
    """From when on the sides are to be reminded; None where they have been, or are not to be (N1-N3)."""

    reminder_due_at: datetime | None = None
    link_due_at: datetime | None = None
    progress_reminder_due_at: datetime | None = None


NOTHING_DUE = DueReminders()


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
    alternative: Alternative | None = None
    "The one that waits for an answer."
    progress: tuple[tuple[Side, Progress], ...] = ()
    "What each side has said of how it went, who spoke first before the other (E1)."
    referred: bool = False
    "Whether staff are to decide what becomes of the price, and have not yet (S3)."
    due: DueReminders = NOTHING_DUE

    def answer(self, side: Side) -> Answer:
        return self.user_answer if side is Side.USER else self.expert_answer

    def answered(self, side: Side, answer: Answer) -> "MeetingState":
        """This state, with one side's answer given."""
        return replace(self, user_answer=answer) if side is Side.USER else replace(self, expert_answer=answer)

    def said(self, side: Side) -> Progress | None:
        """How it went, if this side has said so."""
        return dict(self.progress).get(side)

    def date_awaiting(self, side: Side) -> tuple[datetime, datetime] | None:
        """The date that waits for this side's answer, the proposed or the alternative one, from start to end (C2)."""
        if self.alternative is not None:
            own = self.alternative.chosen_by is side
            return None if own else (self.alternative.starts_at, self.alternative.ends_at)
        if self.status is MeetingStatus.AWAITING_APPROVAL and self.answer(side) is Answer.PENDING:
            return self.starts_at, self.ends_at
        return None


@dataclass(frozen=True, slots=True)
class MeetingFacts:
    """A meeting as it stands, with what a rule must know of the people in it, all read under their locks."""

    state: MeetingState
    user_available: int
    "The user's available credits, in hundredths."
    conflicts: tuple[UUID, ...] = ()
    "The acting side's other agreed meetings that overlap the date that waits for their answer (C1)."


@dataclass(frozen=True, slots=True)
class Event:
    """Something to record on the timeline; `side` caused it; if that is None, staff who decide or nobody (S4)."""

    kind: TimelineEventKind
    side: Side | None
    gives_reason: bool = False
    "Whether the reason that the side chose belongs to this event."
    of_alternative: bool = False
    "Whether it happened to the alternative date that was waiting, or is from now on."
    credits: int | None = None
    "What the expert received or the user got back, in hundredths, where that is what happened."


@dataclass(frozen=True, slots=True)
class Notice:
    """A notification to one side."""

    kind: NotificationKind
    to: Side


@dataclass(frozen=True, slots=True)
class Recording:
    """What a side says of how the meeting went (E1)."""

    side: Side
    progress: Progress
    rating: int | None = None
    comment: str | None = None


@dataclass(frozen=True, slots=True)
class Settled:
    """What becomes of the price, in hundredths of a credit; without an outcome, staff are to decide it (S)."""

    outcome: SettlementOutcome | None
    paid_to_user: int = 0
    paid_to_expert: int = 0
    fee: int = 0


@dataclass(frozen=True, slots=True)
class Decision:
    """What follows from an action: the meeting's new state, and what is recorded, moved and told."""

    state: MeetingState
    events: tuple[Event, ...]
    movements: tuple[Movement, ...] = ()
    notices: tuple[Notice, ...] = ()
    alternative_became: AlternativeDateStatus | None = None
    "What became of the alternative date that was waiting; a new one is in the new state."
    recording: Recording | None = None
    settled: Settled | None = None


def only_in(state: MeetingState, *statuses: MeetingStatus) -> None:
    """Some things can be done in some statuses only."""
    if state.status not in statuses:
        raise ActionRefused(Refusal.WRONG_STATUS)


def only_before_the_start(state: MeetingState, now: datetime) -> None:
    """Once its planned start has come a meeting can't be negotiated any more."""
    if now >= state.starts_at:
        raise ActionRefused(Refusal.MEETING_STARTED)


def with_credits_blocked(facts: MeetingFacts) -> tuple[MeetingState, tuple[Movement, ...]]:
    """The state and movements after the price was set aside; where it already is, nothing changes (A1, R4)."""
    if facts.state.credit_payment_status is CreditPaymentStatus.BLOCKED:
        return facts.state, ()
    movements = block(facts.state.price, available=facts.user_available)
    return replace(facts.state, credit_payment_status=CreditPaymentStatus.BLOCKED), movements


def with_credits_returned(state: MeetingState) -> tuple[MeetingState, tuple[Movement, ...]]:
    """The state and movements after blocked credits went back; with none blocked nothing changes (P7)."""
    if state.credit_payment_status is not CreditPaymentStatus.BLOCKED:
        return state, ()
    return replace(state, credit_payment_status=CreditPaymentStatus.RETURNED), unblock(state.price)
