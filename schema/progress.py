"""Saying how a held meeting went."""

import strawberry

from resolvers import progress
from rules.terms import Progress
from schema.acting import MeetingResult, attempt, meeting_answer
from schema.context import Info
from schema.ids import row_id


@strawberry.input
class RecordProgressInput:
    """The meeting that is over, and how it went (E1)."""

    meeting_id: strawberry.ID = strawberry.field(description="An agreed meeting that ended less than 168 hours ago.")
    progress: Progress = strawberry.field(description="How it went, in the viewer's view.")
    rating: int | None = strawberry.field(default=None, description="From 1 to 5; the user's alone to give.")
    comment: str | None = strawberry.field(
        default=None, description="At most 2,000 characters; the user's alone to give (P4)."
    )
    expected_version: int | None = None
    idempotency_key: str | None = None


@strawberry.type
class ProgressMutation:
    @strawberry.mutation
    async def record_progress(self, info: Info, input: RecordProgressInput) -> MeetingResult:
        """A side says, once, how the meeting went; if that settles it, it is settled at once (E1, S1)."""
        meeting_id = row_id("Meeting", input.meeting_id)
        action = progress.record_progress(
            meeting_id,
            by=info.context.viewer,
            attempt=attempt("recordProgress", input),
            progress=input.progress,
            rating=input.rating,
            comment=input.comment,
        )
        return await meeting_answer(info, action, meeting_id=meeting_id)
