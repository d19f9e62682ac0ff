"""Cancelling."""

from uuid import UUID

from models import Person
from resolvers.acting import Attempt, Done
from resolvers.changing import ReasonGiven, change_meeting
from rules import cancelling
from rules.terms import ReasonKind


async def cancel_meeting(meeting_id: UUID, *, by: Person, attempt: Attempt, reason_code: str | None) -> Done:
    """The proposer takes back a proposal that nobody has answered (K1)."""
    reason = ReasonGiven(ReasonKind.CANCELLATION, reason_code)
    return await change_meeting(meeting_id, by=by, attempt=attempt, rule=cancelling.cancel, reason=reason)
