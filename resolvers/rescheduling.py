"""Rescheduling: alternative dates."""

from datetime import datetime
from functools import partial
from uuid import UUID

from models import Person
from resolvers.acting import Attempt, Done
from resolvers.changing import ReasonGiven, change_meeting
from resolvers.world import world
from rules import proposing, rescheduling
from rules.terms import ReasonKind


async def choose_alternative_date(meeting_id: UUID, *, by: Person, attempt: Attempt, starts_at: datetime) -> Done:
    """A side chooses another date for an agreed or a rejected meeting (R1-R3)."""
    return await change_meeting(
        meeting_id,
        by=by,
        attempt=attempt,
        rule=partial(rescheduling.choose, starts_at=starts_at),
        check_input=lambda now: proposing.check_start(starts_at, now=now, policy=world().policy),
    )


async def approve_alternative_date(
    meeting_id: UUID, *, by: Person, attempt: Attempt, acknowledge_conflicts: bool
) -> Done:
    """The other side approves it: from now on it is the date in force (R4, C2)."""
    rule = partial(rescheduling.approve, acknowledge_conflicts=acknowledge_conflicts)
    return await change_meeting(meeting_id, by=by, attempt=attempt, rule=rule, minds_conflicts=True)


async def reject_alternative_date(meeting_id: UUID, *, by: Person, attempt: Attempt, reason_code: str) -> Done:
    """The other side rejects it, with a reason from the list (R5)."""
    reason = ReasonGiven(ReasonKind.REJECTION, reason_code)
    return await change_meeting(meeting_id, by=by, attempt=attempt, rule=rescheduling.reject, reason=reason)


async def cancel_alternative_date(meeting_id: UUID, *, by: Person, attempt: Attempt) -> Done:
    """Its chooser takes it back while it is unanswered (R6)."""
    return await change_meeting(meeting_id, by=by, attempt=attempt, rule=rescheduling.cancel)
