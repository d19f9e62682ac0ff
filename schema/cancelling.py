"""Cancelling."""

import strawberry

from resolvers import cancelling
from schema.acting import MeetingResult, attempt, meeting_answer
from schema.context import Info
from schema.ids import row_id


@strawberry.input
class CancelMeetingInput:
    """The proposal to take back; a reason may be given by its code, none is needed (K1)."""

    meeting_id: strawberry.ID = strawberry.field(description="A proposal of one's own that nobody has answered.")
    reason_code: str | None = strawberry.field(
        default=None, description="The `code` of one of `cancellationReasons`; none is needed (K1)."
    )
    expected_version: int | None = None
    idempotency_key: str | None = None


@strawberry.type
class CancellingMutation:
    @strawberry.mutation
    async def cancel_meeting(self, info: Info, input: CancelMeetingInput) -> MeetingResult:
        """The proposer takes back a proposal that nobody has answered; blocked credits return (K1)."""
        meeting_id = row_id("Meeting", input.meeting_id)
        action = cancelling.cancel_meeting(
            meeting_id, by=info.context.viewer, attempt=attempt("cancelMeeting", input), reason_code=input.reason_code
        )
        return await meeting_answer(info, action, meeting_id=meeting_id)
