"""Proposing a meeting."""

from datetime import datetime

import strawberry

from resolvers import proposing
from schema.acting import MeetingResult, attempt, meeting_answer
from schema.context import Info
from schema.ids import optional_row_id, row_id
from schema.scalars import Credits


@strawberry.input
class ProposeMeetingInput:
    """Which of an expert's services a user wants, on which skill, and when (P1)."""

    expert_id: strawberry.ID = strawberry.field(description="The Person to meet, any expert but oneself (P4).")
    service_id: strawberry.ID = strawberry.field(
        description="An active service of that expert; its price and length become the meeting's."
    )
    skill_id: strawberry.ID = strawberry.field(description="One of that expert's skills.")
    starts_at: datetime = strawberry.field(description="In the future, and at most 730 days ahead (P4).")
    idempotency_key: str | None = None


@strawberry.input
class ProposeMeetingToUserInput:
    """What an expert offers a user, and where that comes from: a meeting of the two, or else their chat (P2)."""

    service_id: strawberry.ID = strawberry.field(description="One of one's own active services.")
    skill_id: strawberry.ID = strawberry.field(description="One of one's own skills.")
    starts_at: datetime = strawberry.field(description="In the future, and at most 730 days ahead (P4).")
    duration_minutes: int = strawberry.field(description="From 5 to 480 (P4).")
    price: Credits = strawberry.field(description="From 0 to 1,000,000 credits (P4).")
    meeting_id: strawberry.ID | None = strawberry.field(
        default=None,
        description="Where the proposal comes from: any meeting with that user in which one was the expert.",
    )
    chat_id: strawberry.ID | None = strawberry.field(
        default=None, description="Where the proposal comes from, instead: the chat with that user (H3)."
    )
    idempotency_key: str | None = None


@strawberry.type
class ProposingMutation:
    @strawberry.mutation
    async def propose_meeting(self, info: Info, input: ProposeMeetingInput) -> MeetingResult:
        """A user proposes a meeting to an expert; the service's price is blocked at once (P1, P3, P4)."""
        action = proposing.propose_meeting(
            expert_id=row_id("Person", input.expert_id),
            service_id=row_id("Service", input.service_id),
            skill_id=row_id("Skill", input.skill_id),
            starts_at=input.starts_at,
            by=info.context.viewer,
            attempt=attempt("proposeMeeting", input),
        )
        return await meeting_answer(info, action)

    @strawberry.mutation
    async def propose_meeting_to_user(self, info: Info, input: ProposeMeetingToUserInput) -> MeetingResult:
        """An expert proposes a meeting to a user they met; nothing is blocked until the user approves (P2-P4, H3)."""
        meeting_id = optional_row_id("Meeting", input.meeting_id)
        action = proposing.propose_meeting_to_user(
            from_meeting_id=meeting_id,
            from_chat_id=optional_row_id("Chat", input.chat_id),
            service_id=row_id("Service", input.service_id),
            skill_id=row_id("Skill", input.skill_id),
            starts_at=input.starts_at,
            duration_minutes=input.duration_minutes,
            price=input.price,
            by=info.context.viewer,
            attempt=attempt("proposeMeetingToUser", input),
        )
        return await meeting_answer(info, action, meeting_id=meeting_id)
