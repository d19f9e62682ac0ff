"""Cancelling."""

import strawberry

from resolvers import cancelling
from schema.acting import MeetingResult, attempt, meeting_answer
from schema.context import Info
from schema.ids import row_id


@strawberry.input
class CancelMeetingInput:
    """The proposal to take back or the meeting to call off, and why (K1, K2)."""

    meeting_id: strawberry.ID = strawberry.field(
        description="An unanswered proposal of one's own, or any agreed meeting."
    )
    reason_code: str | None = strawberry.field(
        default=None,
        description="The `code` of one of `cancellationReasons`; required once the meeting is agreed (K2).",
    )
    acknowledge_late_cancellation: bool = strawberry.field(
        default=False, description="Whether the consequences of cancelling less than 48 hours ahead are accepted (K4)."
    )
    expected_version: int | None = None
    idempotency_key: str | None = None


@strawberry.type
class CancellingMutation:
    @strawberry.mutation
    async def cancel_meeting(self, info: Info, input: CancelMeetingInput) -> MeetingResult:
        """The proposer takes back an unanswered proposal (K1), or either side calls an agreed meeting off (K2).

        Less than 48 hours ahead it must be acknowledged (K4); then it costs a user part of the price (K5).
        """
        meeting_id = row_id("Meeting", input.meeting_id)
        action = cancelling.cancel_meeting(
            meeting_id,
            by=info.context.viewer,
            attempt=attempt("cancelMeeting", input),
            reason_code=input.reason_code,
            acknowledge_late=input.acknowledge_late_cancellation,
        )
        return await meeting_answer(info, action, meeting_id=meeting_id)
