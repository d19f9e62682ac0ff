"""Changing one meeting: lock it, read the facts, ask the rule, carry out what it decided."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from models import Meeting, Person, Reason, Service, TimelineEvent
from resolvers.acting import Attempt, Done, act
from resolvers.action import Action, PersonalAccount
from resolvers.conflicts import conflicting_meetings
from resolvers.facts import state_of
from resolvers.visibility import may_see, side_of
from resolvers.world import world
from rules.credits import Account
from rules.meetings import Decision, MeetingFacts
from rules.problems import ActionRefused, InvalidInput, NotFound
from rules.terms import Actor, InvalidInputCode, ReasonKind, Refusal, Side


class Rule(Protocol):
    """Decides what follows from one side's action on a meeting, or raises a Problem."""

    def __call__(self, facts: MeetingFacts, *, by: Side, now: datetime) -> Decision: ...


@dataclass(frozen=True, slots=True)
class ReasonGiven:
    """A reason somebody chose from a list, by its code; None where none was needed and none was given."""

    kind: ReasonKind
    code: str | None


async def change_meeting(
    meeting_id: UUID,
    *,
    by: Person,
    attempt: Attempt,
    rule: Rule,
    reason: ReasonGiven | None = None,
    minds_conflicts: bool = False,
) -> Done:
    """One side's action on a meeting, in the order of Q4; the answer names the events it recorded.

    A rule that minds conflicts is told those of the acting side (C2); others are spared the search.
    """

    async def story(action: Action) -> Done:
        meeting = await Meeting.select_for_update(no_key=True).get_or_none(id=meeting_id)
        if meeting is None or not may_see(meeting, by):
            raise NotFound
        attempt.check()
        chosen = await _chosen_reason(reason)
        attempt.check_version(meeting)
        side = side_of(meeting, by)
        if side is None:
            raise ActionRefused(Refusal.NOT_YOUR_SIDE)
        people = await action.lock_people((meeting.user_id, meeting.expert_id), not_before=meeting.changed_at)
        conflicts = await conflicting_meetings(meeting, person_id=by.id) if minds_conflicts else []
        facts = MeetingFacts(
            state=state_of(meeting),
            user_available=people[meeting.user_id].available,
            conflicts=tuple(each.id for each in conflicts),
        )
        decision = rule(facts, by=side, now=action.now)
        first_event = meeting.version + 1
        await carry_out(action, decision, meeting=meeting, people=people, reason=chosen)
        return Done(meeting.id, first_event, meeting.version)

    return await act(attempt, by=by, story=story)


async def carry_out(
    action: Action,
    decision: Decision,
    *,
    meeting: Meeting,
    people: dict[UUID, Person],
    reason: Reason | None = None,
    new: bool = False,
) -> None:
    """Put a decision into effect on a meeting whose people are locked; the meeting takes its new state."""
    sides = {Side.USER: people[meeting.user_id], Side.EXPERT: people[meeting.expert_id]}
    _take_state(meeting, decision, reason)
    meeting.changed_at = action.now
    events = list(_numbered(decision, meeting=meeting, sides=sides, reason=reason, now=action.now))
    meeting.version += len(events)
    if new:
        await meeting.save(force_create=True)
    else:
        await meeting.save(update_fields=CHANGING_FIELDS)
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
        service = await Service.get(id=meeting.service_id)
        for notice in decision.notices:
            facts = notification_facts(meeting, service=service, other=sides[notice.to.other])
            action.notify(sides[notice.to].id, notice.kind, meeting=meeting, facts=facts)


CHANGING_FIELDS = (
    "version",
    "status",
    "credit_payment_status",
    "starts_at",
    "ends_at",
    "user_answer",
    "expert_answer",
    "reason_id",
    "changed_at",
)


def notification_facts(meeting: Meeting, *, service: Service, other: Person) -> dict[str, object]:
    """What the text of a notification is made of, as it was when it happened (N)."""
    return {
        "other": other.name,
        "service": service.name,
        "starts_at": meeting.starts_at.isoformat(),
        "ends_at": meeting.ends_at.isoformat(),
        "price": meeting.price,
    }


def _take_state(meeting: Meeting, decision: Decision, reason: Reason | None) -> None:
    state = decision.state
    meeting.status = state.status
    meeting.credit_payment_status = state.credit_payment_status
    meeting.user_answer = state.user_answer
    meeting.expert_answer = state.expert_answer
    meeting.starts_at = state.starts_at
    meeting.ends_at = state.ends_at
    meeting.reason_id = reason.id if reason else None


def _numbered(
    decision: Decision, *, meeting: Meeting, sides: dict[Side, Person], reason: Reason | None, now: datetime
) -> Iterable[TimelineEvent]:
    for sequence, event in enumerate(decision.events, start=meeting.version + 1):
        yield TimelineEvent(
            id=world().new_id(),
            meeting_id=meeting.id,
            sequence=sequence,
            kind=event.kind,
            actor=Actor(event.side),
            person_id=sides[event.side].id,
            occurred_at=now,
            reason_id=reason.id if reason and event.gives_reason else None,
        )


def _account(account: Account, sides: dict[Side, Person]) -> PersonalAccount:
    return account.kind, sides[account.side] if account.side else None


async def _chosen_reason(given: ReasonGiven | None) -> Reason | None:
    if given is None or given.code is None:
        return None
    listed = await Reason.filter(kind=given.kind, active=True)
    reason = next((each for each in listed if each.code == given.code), None)
    if reason is None:
        raise InvalidInput("reasonCode", InvalidInputCode.UNKNOWN)
    return reason
