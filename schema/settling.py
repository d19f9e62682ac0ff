"""Staff's decision of what becomes of a price."""

import strawberry

from resolvers import settling
from rules.terms import SettlementOutcome
from schema.acting import MeetingResult, attempt, meeting_answer
from schema.context import Info
from schema.ids import row_id


@strawberry.input
class DecideSettlementInput:
    """The meeting that was referred to Expertim, and what becomes of its price (S3)."""

    meeting_id: strawberry.ID = strawberry.field(description="One of the `disputes`.")
    outcome: SettlementOutcome = strawberry.field(description="What becomes of the price.")
    note: str = strawberry.field(description="Why, for both sides to read; at most 2,000 characters (P4).")
    expected_version: int | None = None
    idempotency_key: str | None = None


@strawberry.type
class SettlingMutation:
    @strawberry.mutation
    async def decide_settlement(self, info: Info, input: DecideSettlementInput) -> MeetingResult:
        """Staff only: decide what becomes of the price of a meeting that was referred to Expertim (S3)."""
        meeting_id = row_id("Meeting", input.meeting_id)
        action = settling.decide_settlement(
            meeting_id,
            by=info.context.viewer,
            attempt=attempt("decideSettlement", input),
            outcome=input.outcome,
            note=input.note,
        )
        return await meeting_answer(info, action, meeting_id=meeting_id)
