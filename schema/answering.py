"""Answering a proposal."""

import strawberry

from resolvers import answering
from schema.acting import MeetingResult, attempt, meeting_answer
from schema.context import Info
from schema.ids import row_id


@strawberry.input
class ApproveMeetingInput:
    """The proposal to agree to, and whether conflicts are known and accepted (A1, C2)."""

    meeting_id: strawberry.ID = strawberry.field(description="A proposal that waits for one's answer.")
    acknowledge_conflicts: bool = strawberry.field(
        default=False,
        description="Approve although agreed meetings of one's own overlap, as ConflictsFound named them (C2).",
    )
    expected_version: int | None = None
    idempotency_key: str | None = None


@strawberry.input
class RejectMeetingInput:
    """The proposal to turn down, and why: the code of a rejection reason (A3)."""

    meeting_id: strawberry.ID = strawberry.field(description="A proposal that waits for one's answer.")
    reason_code: str = strawberry.field(description="The `code` of one of `rejectionReasons` (A3).")
    expected_version: int | None = None
    idempotency_key: str | None = None


@strawberry.type
class AnsweringMutation:
    @strawberry.mutation
    async def approve_meeting(self, info: Info, input: ApproveMeetingInput) -> MeetingResult:
        """The side that has not answered yet agrees to the proposed date (A1, C2)."""
        meeting_id = row_id("Meeting", input.meeting_id)
        action = answering.approve_meeting(
            meeting_id,
            by=info.context.viewer,
            attempt=attempt("approveMeeting", input),
            acknowledge_conflicts=input.acknowledge_conflicts,
        )
        return await meeting_answer(info, action, meeting_id=meeting_id)

    @strawberry.mutation
    async def reject_meeting(self, info: Info, input: RejectMeetingInput) -> MeetingResult:
        """The side that has not answered yet turns the proposal down; blocked credits return (A3)."""
        meeting_id = row_id("Meeting", input.meeting_id)
        action = answering.reject_meeting(
            meeting_id, by=info.context.viewer, attempt=attempt("rejectMeeting", input), reason_code=input.reason_code
        )
        return await meeting_answer(info, action, meeting_id=meeting_id)
