"""Answering a proposal."""

from functools import partial
from uuid import UUID

from models import Person
from resolvers.acting import Attempt, Done
from resolvers.changing import ReasonGiven, change_meeting
from rules import answering
from rules.terms import ReasonKind


async def approve_meeting(meeting_id: UUID, *, by: Person, attempt: Attempt, acknowledge_conflicts: bool) -> Done:
    """The side that has not answered yet agrees to the proposed date (A1, C2)."""
    rule = partial(answering.approve, acknowledge_conflicts=acknowledge_conflicts)
    return await change_meeting(meeting_id, by=by, attempt=attempt, rule=rule, minds_conflicts=True)


async def reject_meeting(meeting_id: UUID, *, by: Person, attempt: Attempt, reason_code: str) -> Done:
    """The side that has not answered yet turns the proposal down, with a reason from the list (A3)."""
    reason = ReasonGiven(ReasonKind.REJECTION, reason_code)
    return await change_meeting(meeting_id, by=by, attempt=attempt, rule=answering.reject, reason=reason)
