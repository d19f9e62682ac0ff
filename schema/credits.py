"""A person's credits, and staff's mutation that grants them."""

from datetime import datetime
from typing import Annotated

import strawberry

import models
from resolvers.acting import Done
from resolvers.credits import grant_credits
from resolvers.listing import movements_of
from rules.terms import AccountKind, CreditMovementKind
from schema.acting import answer, attempt
from schema.connections import PageInfo, connection
from schema.context import Info
from schema.ids import global_id, row_id
from schema.meetings import Meeting
from schema.node import Node
from schema.problems import ActionRefused, IdempotencyKeyReused, InvalidInput, NotFound
from schema.scalars import Credits


@strawberry.type
class CreditMovement(Node):
    """Credits that moved, and what that did to the account holder's two balances (M4)."""

    row: strawberry.Private[models.CreditMovement]
    kind: CreditMovementKind
    available_change: Credits = strawberry.field(
        description="What it did to the account holder's available balance: negative out, positive in."
    )
    blocked_change: Credits = strawberry.field(description="What it did to the account holder's blocked balance.")
    note: str | None
    occurred_at: datetime

    @classmethod
    def of(cls, row: models.CreditMovement, *, holder_id: object) -> "CreditMovement":
        def change(account: AccountKind) -> Credits:
            credited = (row.credited_account, row.credited_person_id) == (account, holder_id)
            debited = (row.debited_account, row.debited_person_id) == (account, holder_id)
            return Credits(row.amount * (credited - debited))

        return cls(
            id=global_id("CreditMovement", row.id),
            row=row,
            kind=row.kind,
            available_change=change(AccountKind.AVAILABLE),
            blocked_change=change(AccountKind.BLOCKED),
            note=row.note,
            occurred_at=row.occurred_at,
        )

    @strawberry.field
    async def meeting(self, info: Info) -> Meeting | None:
        """The meeting it belongs to, if any."""
        if self.row.meeting_id is None:
            return None
        return Meeting.of(await info.context.load.meetings.load(self.row.meeting_id))


@strawberry.type
class CreditMovementEdge:
    """An entry of a page, and where it stands in its list."""

    cursor: str
    node: CreditMovement


@strawberry.type
class CreditMovementConnection:
    """A page of a list."""

    edges: list[CreditMovementEdge]
    page_info: PageInfo


@strawberry.type
class CreditAccount:
    """A person's two balances and the movements that add up to them (M4)."""

    holder: strawberry.Private[models.Person]
    available: Credits
    blocked: Credits

    @classmethod
    def of(cls, holder: models.Person) -> "CreditAccount":
        return cls(holder=holder, available=Credits(holder.available), blocked=Credits(holder.blocked))

    @strawberry.field
    async def movements(self, first: int | None = 50, after: str | None = None) -> CreditMovementConnection:
        """Newest first."""
        page = await movements_of(self.holder.id, first=first, after=after)
        return connection(
            page,
            CreditMovementConnection,
            CreditMovementEdge,
            lambda row: CreditMovement.of(row, holder_id=self.holder.id),
        )


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
class CreditsMutation:
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
