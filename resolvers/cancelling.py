"""Cancelling."""

from functools import partial
from uuid import UUID

from models import Person
from resolvers.acting import Attempt, Done
from resolvers.changing import ReasonGiven, change_meeting
from resolvers.world import world
from rules import cancelling
from rules.terms import ReasonKind


async def cancel_meeting(
    meeting_id: UUID, *, by: Person, attempt: Attempt, reason_code: str | None, acknowledge_late: bool
) -> Done:
    """The proposer takes back an unanswered proposal (K1), or a side calls an agreed meeting off (K2-K6)."""
    return await change_meeting(
        meeting_id,
        by=by,
        attempt=attempt,
        rule=partial(
            cancelling.cancel,
            policy=world().policy,
            gives_reason=reason_code is not None,
            acknowledge_late=acknowledge_late,
        ),
        reason=ReasonGiven(ReasonKind.CANCELLATION, reason_code),
    )
