"""Putting what a rule decided into effect, on a meeting whose people are locked."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from models import AlternativeDate, JoinLink, Meeting, Person, Reason, Service, TimelineEvent
from resolvers.action import Action, PersonalAccount
from resolvers.conferencing import keep_conference
from resolvers.facts import state_of
from resolvers.recording import keep_progress, keep_settlement, next_staff_position
from resolvers.world import world
from rules import rescheduling
from rules.credits import Account
from rules.mailing import is_confirmed
from rules.meetings import Decision, DueReminders, MeetingState
from rules.reminding import still_due
from rules.terms import (
    AccountKind,
    Actor,
    AlternativeDateStatus,
    Language,
    MeetingStatus,
    NotificationKind,
    Side,
    TimelineEventKind,
)

Sides = dict[Side, Person]

CHANGING_FIELDS = (
    "version",
    "status",
    "credit_payment_status",
    "starts_at",
    "ends_at",
    "user_answer",
    "expert_answer",
    "alternative_id",
    "reason_id",
    "settlement_id",
    "reminder_due_at",
    "link_due_at",
    "progress_reminder_due_at",
    "changed_at",
)

TOLD_TO_STAFF = (TimelineEventKind.REFERRED_TO_EXPERTIM, TimelineEventKind.DECIDED_BY_EXPERTIM)


@dataclass(frozen=True, slots=True)
class DecidedByStaff:
    """Who of Expertim's staff decides, and what they write to both sides (S3)."""

    by: Person
    note: str


async def carry_out(
    action: Action,
    decision: Decision,
    *,
    meeting: Meeting,
    people: dict[UUID, Person],
    alternative: AlternativeDate | None = None,
    reason: Reason | None = None,
    decided: DecidedByStaff | None = None,
    new: bool = False,
) -> None:
    """Put a decision into effect; the meeting and its pending alternative date, if any, take their new state."""
    sides = {Side.USER: people[meeting.user_id], Side.EXPERT: people[meeting.expert_id]}
    before = None if new else state_of(meeting, alternative)
    alternative = await _replace_alternative(alternative, decision, meeting=meeting, reason=reason, now=action.now)
    was_agreed = before is not None and before.status is MeetingStatus.AGREED
    _take_state(meeting, decision, reason)
    _take_due(meeting, still_due(decision, was_agreed=was_agreed, policy=world().policy))
    await keep_progress(decision, meeting, now=action.now)
    await keep_settlement(decision, meeting, note=decided.note if decided else None, now=action.now)
    events = list(
        _numbered(
            decision, meeting, alternative=alternative, sides=sides, reason=reason, decided=decided, now=action.now
        )
    )
    for event in events:
        if event.kind in TOLD_TO_STAFF:
            event.staff_position = await next_staff_position()
    if events:  # a reminder is none
        meeting.version += len(events)
        meeting.changed_at = action.now
    if new:
        await meeting.save(force_create=True)
    else:
        await meeting.save(update_fields=CHANGING_FIELDS)
    await keep_conference(decision, meeting, was_agreed=was_agreed, now=action.now)
    for event in events:
        action.record(event, meeting)
    for movement in decision.movements:
        action.move(
            movement.kind,
            debited=_account(movement.debited, sides),
            credited=_account(movement.credited, sides),
            amount=movement.amount,
            meeting_id=meeting.id,
        )
    if decision.notices:
        await _tell(
            action, decision, before=before, meeting=meeting, sides=sides, alternative=alternative, reason=reason
        )


async def _tell(
    action: Action,
    decision: Decision,
    *,
    before: MeetingState | None,
    meeting: Meeting,
    sides: Sides,
    alternative: AlternativeDate | None,
    reason: Reason | None,
) -> None:
    """Notify whom the decision says, and have the side that brought it about told by e-mail for their calendar (N)."""
    service = await Service.get(id=meeting.service_id)
    for notice in decision.notices:
        facts = notification_facts(
            meeting, service=service, other=sides[notice.to.other], alternative=alternative, reason=reason
        )
        facts |= _credits_moved(decision, notice.to)
        if notice.kind is NotificationKind.MEETING_LINK:
            facts |= await _own_link(meeting, notice.to)
        told = action.notify(sides[notice.to].id, notice.kind, meeting=meeting, facts=facts)
        if before is not None and is_confirmed(notice, decision, before=before):
            action.confirm(told, sides[notice.to.other].id)


def notification_facts(
    meeting: Meeting, *, service: Service, other: Person, alternative: AlternativeDate | None, reason: Reason | None
) -> dict[str, object]:
    """What the text of a notification is made of, as it was when it happened (N)."""
    facts: dict[str, object] = {
        "other": other.name,
        "service": service.name,
        "starts_at": meeting.starts_at.isoformat(),
        "ends_at": meeting.ends_at.isoformat(),
        "price": meeting.price,
    }
    if alternative is not None:
        facts["alternative_starts_at"] = alternative.starts_at.isoformat()
        facts["alternative_ends_at"] = alternative.ends_at.isoformat()
        facts["original_date_in_force"] = alternative.original_date_in_force
    if reason is not None:
        facts["reason"] = {Language.EN: reason.label_en, Language.DE: reason.label_de}
    return facts


def _credits_moved(decision: Decision, side: Side) -> dict[str, int]:
    """How many hundredths of a credit came back to this side, how many it received, and how many it paid."""
    moved: dict[str, int] = defaultdict(int)
    for movement in decision.movements:
        if movement.credited == Account(AccountKind.AVAILABLE, side):
            moved["returned" if movement.debited.side is side else "received"] += movement.amount
        elif movement.debited.side is side and movement.credited.side is not side:
            moved["paid"] += movement.amount
    return moved


async def _own_link(meeting: Meeting, side: Side) -> dict[str, object]:
    """The link that this side has to the date in force, by its id: what is derived of it is stored nowhere (L1)."""
    link = await JoinLink.get(meeting_id=meeting.id, side=side, revoked_at=None)
    return {"join_link_id": str(link.id)}


async def _replace_alternative(
    pending: AlternativeDate | None, decision: Decision, *, meeting: Meeting, reason: Reason | None, now: datetime
) -> AlternativeDate | None:
    """Record what became of the alternative date that was waiting, or the new one; the one that this was about."""
    chosen = decision.state.alternative
    if decision.alternative_became is not None:
        assert pending is not None
        pending.status = decision.alternative_became
        if pending.status is AlternativeDateStatus.REJECTED and reason:
            pending.reason_id = reason.id
        await pending.save(update_fields=("status", "reason_id"))
        meeting.alternative_id = None
    elif chosen is not None and pending is None:
        pending = await AlternativeDate.create(
            id=world().new_id(),
            meeting_id=meeting.id,
            starts_at=chosen.starts_at,
            ends_at=chosen.ends_at,
            lapses_at=rescheduling.lapses_at(decision.state, chosen),
            chosen_by=chosen.chosen_by,
            status=AlternativeDateStatus.PENDING,
            original_date_in_force=chosen.original_date_in_force,
            user_answer_before=chosen.user_answer_before,
            expert_answer_before=chosen.expert_answer_before,
            chosen_at=now,
        )
        meeting.alternative_id = pending.id
    return pending


def _take_state(meeting: Meeting, decision: Decision, reason: Reason | None) -> None:
    state = decision.state
    meeting.status = state.status
    meeting.credit_payment_status = state.credit_payment_status
    meeting.user_answer = state.user_answer
    meeting.expert_answer = state.expert_answer
    meeting.starts_at = state.starts_at
    meeting.ends_at = state.ends_at
    match state.status:
        case MeetingStatus.AGREED:
            meeting.reason_id = None
        case MeetingStatus.CANCELLED:
            meeting.reason_id = reason.id if reason else None
        case MeetingStatus.REJECTED if reason:
            meeting.reason_id = reason.id
        # Otherwise it is kept: a rejected meeting may be rejected again because an alternative came to nothing.


def _take_due(meeting: Meeting, due: DueReminders) -> None:
    meeting.reminder_due_at = due.reminder_due_at
    meeting.link_due_at = due.link_due_at
    meeting.progress_reminder_due_at = due.progress_reminder_due_at


def _numbered(
    decision: Decision,
    meeting: Meeting,
    *,
    alternative: AlternativeDate | None,
    sides: Sides,
    reason: Reason | None,
    decided: DecidedByStaff | None,
    now: datetime,
) -> Iterable[TimelineEvent]:
    nobody = (Actor.EXPERTIM, decided.by.id) if decided else (Actor.SYSTEM, None)
    for sequence, event in enumerate(decision.events, start=meeting.version + 1):
        actor, person_id = (Actor(event.side), sides[event.side].id) if event.side else nobody
        is_decision = event.kind is TimelineEventKind.DECIDED_BY_EXPERTIM
        yield TimelineEvent(
            id=world().new_id(),
            meeting_id=meeting.id,
            sequence=sequence,
            kind=event.kind,
            actor=actor,
            person_id=person_id,
            occurred_at=now,
            alternative_date_id=alternative.id if alternative and event.of_alternative else None,
            reason_id=reason.id if reason and event.gives_reason else None,
            credits=event.credits,
            note=decided.note if decided and is_decision else None,
        )


def _account(account: Account, sides: Sides) -> PersonalAccount:
    return account.kind, sides[account.side] if account.side else None
