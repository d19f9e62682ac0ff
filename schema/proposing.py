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

    expert_id: strawberry.ID
    service_id: strawberry.ID
    skill_id: strawberry.ID
    starts_at: datetime
    idempotency_key: str | None = None


@strawberry.input
class ProposeMeetingToUserInput:
    """What an expert offers a user, and the meeting of the two that the proposal comes from (P2)."""

    service_id: strawberry.ID
    skill_id: strawberry.ID
    starts_at: datetime
    duration_minutes: int
    price: Credits
    meeting_id: strawberry.ID | None = None
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
        """An expert proposes a meeting to a user they met; nothing is blocked until the user approves (P2-P4)."""
        meeting_id = optional_row_id("Meeting", input.meeting_id)
        action = proposing.propose_meeting_to_user(
            from_meeting_id=meeting_id,
            service_id=row_id("Service", input.service_id),
            skill_id=row_id("Skill", input.skill_id),
            starts_at=input.starts_at,
            duration_minutes=input.duration_minutes,
            price=input.price,
            by=info.context.viewer,
            attempt=attempt("proposeMeetingToUser", input),
        )
        return await meeting_answer(info, action, meeting_id=meeting_id)
