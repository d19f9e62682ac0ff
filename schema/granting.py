"""Staff's side of credits."""

from typing import Annotated

import strawberry

import models
from resolvers.acting import Done
from resolvers.credits import grant_credits
from schema.acting import answer, attempt
from schema.context import Info
from schema.credits import CreditMovement
from schema.ids import row_id
from schema.problems import ActionRefused, IdempotencyKeyReused, InvalidInput, NotFound
from schema.scalars import Credits


@strawberry.input
class GrantCreditsInput:
    """Who is to be given how many credits, and why."""

    person_id: strawberry.ID
    amount: Credits
    note: str | None = None
    idempotency_key: str | None = None


@strawberry.type
class CreditsGranted:
    """The movement as the receiver sees it."""

    movement: CreditMovement


CreditResult = Annotated[
    CreditsGranted | NotFound | ActionRefused | InvalidInput | IdempotencyKeyReused, strawberry.union("CreditResult")
]


@strawberry.type
class GrantingMutation:
    @strawberry.mutation
    async def grant_credits(self, info: Info, input: GrantCreditsInput) -> CreditResult:
        """Staff only: give a person credits (M4)."""
        action = grant_credits(
            person_id=row_id("Person", input.person_id),
            amount=input.amount,
            note=input.note,
            by=info.context.viewer,
            attempt=attempt("grantCredits", input),
        )

        async def granted(done: Done) -> CreditsGranted:
            movement = await models.CreditMovement.get(id=done.made_id)
            return CreditsGranted(movement=CreditMovement.of(movement, holder_id=movement.credited_person_id))

        return await answer(info, action, granted)  # type: ignore[return-value]
