"""Staff's mutation that keeps the lists of reasons."""

from typing import Annotated

import strawberry

import models
from resolvers.acting import Done
from resolvers.reasons import save_reason
from rules.terms import ReasonKind
from schema.acting import answer, attempt
from schema.context import Info
from schema.meetings import Reason
from schema.problems import ActionRefused, IdempotencyKeyReused, InvalidInput


@strawberry.input
class SaveReasonInput:
    """An entry as it is to be, known by its kind and code (Q6)."""

    kind: ReasonKind = strawberry.field(description="The list it belongs to; one code may stand in both.")
    code: str = strawberry.field(
        description="What it is known by, at most 200 characters (P4); a new one makes a new entry."
    )
    label_en: str = strawberry.field(description="What people read in English, at most 200 characters (P4).")
    label_de: str = strawberry.field(description="What people read in German, at most 200 characters (P4).")
    active: bool = strawberry.field(
        default=True, description="Whether it can be chosen from now on; what it was given for keeps it."
    )
    idempotency_key: str | None = None


@strawberry.type
class ReasonSaved:
    """The entry as it is now."""

    reason: Reason = strawberry.field(description="Its label in the viewer's language.")


ReasonResult = Annotated[
    ReasonSaved | ActionRefused | InvalidInput | IdempotencyKeyReused,
    strawberry.union("ReasonResult", description="The saved entry, or what stood in the way."),
]


@strawberry.type
class ReasonsMutation:
    @strawberry.mutation
    async def save_reason(self, info: Info, input: SaveReasonInput) -> ReasonResult:
        """Staff only: a new entry, a new label, or one taken off the list or put back (Q6)."""
        action = save_reason(
            kind=input.kind,
            code=input.code,
            label_en=input.label_en,
            label_de=input.label_de,
            active=input.active,
            by=info.context.viewer,
            attempt=attempt("saveReason", input),
        )

        async def saved(done: Done) -> ReasonSaved:
            return ReasonSaved(reason=info.context.show(Reason, await models.Reason.get(id=done.made_id)))

        return await answer(info, action, saved)  # type: ignore[return-value]
