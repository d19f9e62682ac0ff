"""Rescheduling: alternative dates."""

from datetime import datetime

import strawberry

from resolvers import rescheduling
from schema.acting import MeetingResult, attempt, meeting_answer
from schema.context import Info
from schema.ids import row_id


@strawberry.input
class ChooseAlternativeDateInput:
    """A new start for a meeting; its length and price stay (R1)."""

    meeting_id: strawberry.ID = strawberry.field(description="An agreed or a rejected meeting that has not begun.")
    starts_at: datetime = strawberry.field(
        description="In the future, at most 730 days ahead, and not the start it has (P4, R1)."
    )
    expected_version: int | None = None
    idempotency_key: str | None = None


@strawberry.input
class ApproveAlternativeDateInput:
    """The meeting whose new date to agree to, and whether conflicts are known and accepted (R4, C2)."""

    meeting_id: strawberry.ID = strawberry.field(description="One whose alternative date the other side has chosen.")
    acknowledge_conflicts: bool = strawberry.field(
        default=False, description="Whether to agree although it overlaps agreed meetings of one's own (C2)."
    )
    expected_version: int | None = None
    idempotency_key: str | None = None


@strawberry.input
class RejectAlternativeDateInput:
    """The meeting whose new date to turn down, and why: the code of a rejection reason (R5)."""

    meeting_id: strawberry.ID = strawberry.field(description="One whose alternative date the other side has chosen.")
    reason_code: str = strawberry.field(description="The `code` of one of `rejectionReasons`.")
    expected_version: int | None = None
    idempotency_key: str | None = None


@strawberry.input
class CancelAlternativeDateInput:
    """The meeting whose new date to take back (R6)."""

    meeting_id: strawberry.ID = strawberry.field(description="One whose alternative date one has chosen oneself.")
    expected_version: int | None = None
    idempotency_key: str | None = None


@strawberry.type
class ReschedulingMutation:
    @strawberry.mutation
    async def choose_alternative_date(self, info: Info, input: ChooseAlternativeDateInput) -> MeetingResult:
        """Either side chooses another date before the planned start (R1).

        An agreed date stays in force until the new one is approved (R3); of a rejected meeting the new date takes its
        place at once, and a user's choice blocks the price (R2).
        """
        meeting_id = row_id("Meeting", input.meeting_id)
        action = rescheduling.choose_alternative_date(
            meeting_id,
            by=info.context.viewer,
            attempt=attempt("chooseAlternativeDate", input),
            starts_at=input.starts_at,
        )
        return await meeting_answer(info, action, meeting_id=meeting_id)

    @strawberry.mutation
    async def approve_alternative_date(self, info: Info, input: ApproveAlternativeDateInput) -> MeetingResult:
        """The other side agrees: it is the date in force from now on, and its price is blocked (R4, C2)."""
        meeting_id = row_id("Meeting", input.meeting_id)
        action = rescheduling.approve_alternative_date(
            meeting_id,
            by=info.context.viewer,
            attempt=attempt("approveAlternativeDate", input),
            acknowledge_conflicts=input.acknowledge_conflicts,
        )
        return await meeting_answer(info, action, meeting_id=meeting_id)

    @strawberry.mutation
    async def reject_alternative_date(self, info: Info, input: RejectAlternativeDateInput) -> MeetingResult:
        """The other side turns it down: an agreed date stays in force, a rejected meeting is rejected again (R5)."""
        meeting_id = row_id("Meeting", input.meeting_id)
        action = rescheduling.reject_alternative_date(
            meeting_id,
            by=info.context.viewer,
            attempt=attempt("rejectAlternativeDate", input),
            reason_code=input.reason_code,
        )
        return await meeting_answer(info, action, meeting_id=meeting_id)

    @strawberry.mutation
    async def cancel_alternative_date(self, info: Info, input: CancelAlternativeDateInput) -> MeetingResult:
        """Its chooser takes it back while it is unanswered; all but a rejected meeting's new date is as before (R6)."""
        meeting_id = row_id("Meeting", input.meeting_id)
        action = rescheduling.cancel_alternative_date(
            meeting_id, by=info.context.viewer, attempt=attempt("cancelAlternativeDate", input)
        )
        return await meeting_answer(info, action, meeting_id=meeting_id)
