"""Changing one meeting: lock it, read the facts, ask the rule, carry out what it decided."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

import asyncpg
from tortoise.connection import get_connection

from models import AlternativeDate, Meeting, Person, Reason
from resolvers.acting import NO_ATTEMPT, Attempt, Done, act
from resolvers.action import Action
from resolvers.carrying_out import DecidedByStaff, carry_out
from resolvers.conflicts import conflicting_meetings
from resolvers.facts import progress_of, state_of
from resolvers.visibility import side_of, visible_to
from rules.meetings import Decision, MeetingFacts, MeetingState
from rules.problems import ActionRefused, InvalidInput, NotFound
from rules.terms import InvalidInputCode, ReasonKind, Refusal, Side

LOCKS_WITHIN_MILLISECONDS = 500
"How long what the clock asks waits for anybody: the next meeting may be due as well."


class Rule(Protocol):
    """Decides what follows from one side's action on a meeting, or raises a Problem."""

    def __call__(self, facts: MeetingFacts, *, by: Side, now: datetime) -> Decision: ...


class RuleOfStaff(Protocol):
    """Decides what follows from what staff decide about a meeting, or raises a Problem."""

    def __call__(self, facts: MeetingFacts, *, now: datetime) -> Decision: ...


class RuleOfTime(Protocol):
    """Decides what time alone has brought about for a meeting, if anything."""

    def __call__(self, facts: MeetingFacts, *, now: datetime) -> Decision | None: ...


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
    check_input: Callable[[datetime], None] = lambda now: None,
    minds_conflicts: bool = False,
) -> Done:
    """One side's action on a meeting, in the order of Q4; the answer names the events it recorded.

    A rule that minds conflicts is told those of the acting side (C2); others are spared the search.
    """

    async def story(action: Action) -> Done:
        meeting = await _locked(meeting_id, by)
        people = await _lock_sides(action, meeting)
        attempt.check()
        check_input(action.now)
        chosen = await _chosen_reason(reason)
        attempt.check_version(meeting)
        side = side_of(meeting, by)
        if side is None:
            raise ActionRefused(Refusal.NOT_YOUR_SIDE)
        alternative = await pending_alternative(meeting)
        state = await _state(meeting, alternative, action)
        date = state.date_awaiting(side) if minds_conflicts else None
        conflicts = await conflicting_meetings(*date, person_id=by.id, besides=meeting.id) if date else []
        facts = MeetingFacts(state, people[meeting.user_id].available, tuple(each.id for each in conflicts))
        decision = rule(facts, by=side, now=action.now)
        first_event = meeting.version + 1
        await carry_out(action, decision, meeting=meeting, alternative=alternative, people=people, reason=chosen)
        return Done(meeting.id, first_event, meeting.version)

    return await act(attempt, by=by, story=story)


async def change_as_staff(
    meeting_id: UUID, *, by: Person, attempt: Attempt, rule: RuleOfStaff, check_input: Callable[[], object], note: str
) -> Done:
    """What staff decide about a meeting that is not their own, with a note that both sides see (S3)."""

    async def story(action: Action) -> Done:
        meeting = await _locked(meeting_id, by)
        if side_of(meeting, by) is not None:
            raise ActionRefused(Refusal.STAFF_ONLY)
        people = await _lock_sides(action, meeting)
        attempt.check()
        check_input()
        attempt.check_version(meeting)
        alternative = await pending_alternative(meeting)
        state = await _state(meeting, alternative, action)
        decision = rule(MeetingFacts(state, people[meeting.user_id].available), now=action.now)
        first_event = meeting.version + 1
        decided = DecidedByStaff(by, note)
        await carry_out(action, decision, meeting=meeting, alternative=alternative, people=people, decided=decided)
        return Done(meeting.id, first_event, meeting.version)

    return await act(attempt, by=by, story=story)


async def change_by_itself(meeting_id: UUID, *, rule: RuleOfTime) -> bool:
    """What time alone has brought about for a meeting (J1); says whether there was anything.

    Whoever is at work on it or its people is waited for, but not for long: it will be found due again, if it then still
    is. Not to wait at all would let those who ask all the time keep it from ever being done.
    """
    changed = False

    async def story(action: Action) -> Done:
        nonlocal changed
        changed = False
        await get_connection("default").execute_query(f"SET LOCAL lock_timeout = {LOCKS_WITHIN_MILLISECONDS}")
        meeting = await Meeting.select_for_update(no_key=True).get(id=meeting_id)
        people = await _lock_sides(action, meeting)
        alternative = await pending_alternative(meeting)
        state = await _state(meeting, alternative, action)
        facts = MeetingFacts(state, people[meeting.user_id].available)
        decision = rule(facts, now=action.now)
        if decision is not None:
            await carry_out(action, decision, meeting=meeting, alternative=alternative, people=people)
            changed = True
        return Done(meeting_id)

    with suppress(asyncpg.LockNotAvailableError):
        await act(NO_ATTEMPT, by=None, story=story)
    return changed


async def pending_alternative(meeting: Meeting) -> AlternativeDate | None:
    """The alternative date of a meeting that waits for an answer."""
    return await AlternativeDate.get(id=meeting.alternative_id) if meeting.alternative_id else None


async def _locked(meeting_id: UUID, by: Person) -> Meeting:
    meeting = await visible_to(by, Meeting.select_for_update(no_key=True)).get_or_none(id=meeting_id)
    if meeting is None:
        raise NotFound
    return meeting


async def _lock_sides(action: Action, meeting: Meeting) -> dict[UUID, Person]:
    return await action.lock_people((meeting.user_id, meeting.expert_id), not_before=meeting.changed_at)


async def _state(meeting: Meeting, alternative: AlternativeDate | None, action: Action) -> MeetingState:
    progress = await progress_of([meeting], action.now)
    return state_of(meeting, alternative, progress[meeting.id])


async def _chosen_reason(given: ReasonGiven | None) -> Reason | None:
    if given is None or given.code is None:
        return None
    listed = await Reason.filter(kind=given.kind, active=True)
    reason = next((each for each in listed if each.code == given.code), None)
    if reason is None:
        raise InvalidInput("reasonCode", InvalidInputCode.UNKNOWN)
    return reason
