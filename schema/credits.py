"""A person's credits, and staff's mutation that grants them."""

import dataclasses
from datetime import datetime
from typing import Annotated, Any, ClassVar
from uuid import UUID

import strawberry
from tortoise.models import Model

import models
from resolvers.acting import Done
from resolvers.credits import grant_credits, movements_of
from resolvers.paging import Page
from rules.terms import AccountKind, CreditMovementKind
from schema.acting import answer, attempt
from schema.ahead import PageOf, loaded_page, one, pages
from schema.connections import PageInfo, connection
from schema.context import Context, Info
from schema.ids import global_id, row_id
from schema.meetings import Meeting
from schema.node import Node
from schema.problems import ActionRefused, IdempotencyKeyReused, InvalidInput, NotFound
from schema.scalars import Credits


@strawberry.type
class CreditMovement(Node):
    """Credits that moved, and what that did to the account holder's two balances (M4)."""

    table: ClassVar[type[Model]] = models.CreditMovement
    row: strawberry.Private[models.CreditMovement]
    kind: CreditMovementKind = strawberry.field(description="Why they moved.")
    available_change: Credits = strawberry.field(
        description="What it did to the account holder's available balance: negative out, positive in."
    )
    blocked_change: Credits = strawberry.field(description="What it did to the account holder's blocked balance.")
    note: str | None = strawberry.field(description="What staff wrote to it, if they did.")
    meeting: Meeting | None = one("row.meeting_id", "The meeting it belongs to, if any.")
    occurred_at: datetime = strawberry.field(description="When it was done, at once with what caused it.")

    @classmethod
    def of(cls, row: models.CreditMovement, *, holder_id: UUID) -> "CreditMovement":
        def change(account: AccountKind) -> Credits:
            credited = (row.credited_account, row.credited_person_id) == (account, holder_id)
            debited = (row.debited_account, row.debited_person_id) == (account, holder_id)
            return Credits(row.amount * (credited - debited))

        return cls(
            id=global_id(
                "CreditMovement", row.id, holder_id
            ),  # two people may be shown one movement, each their own changes
            row=row,
            kind=row.kind,
            available_change=change(AccountKind.AVAILABLE),
            blocked_change=change(AccountKind.BLOCKED),
            note=row.note,
            occurred_at=row.occurred_at,
        )


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


def _movements(
    account: "CreditAccount", page: Page[models.CreditMovement], context: Context
) -> CreditMovementConnection:
    return connection(
        page,
        CreditMovementConnection,
        CreditMovementEdge,
        lambda row: CreditMovement.of(row, holder_id=account.row.id),
    )


@strawberry.type
class CreditAccount:
    """A person's two balances and the movements that add up to them (M4)."""

    row: strawberry.Private[models.Person]
    loaded: strawberry.Private[dict[PageOf, Any]] = dataclasses.field(default_factory=dict)
    available: Credits = strawberry.field(description="What can be spent.")
    blocked: Credits = strawberry.field(description="What is set aside for meetings, their price each (M2).")

    @classmethod
    def of(cls, row: models.Person) -> "CreditAccount":
        return cls(row=row, available=Credits(row.available), blocked=Credits(row.blocked))

    @strawberry.field(metadata=pages(movements_of, _movements))  # type: ignore[untyped-decorator]
    def movements(self, first: int | None = 50, after: str | None = None) -> CreditMovementConnection:
        """Every movement of either balance, newest first."""
        return loaded_page(self.loaded, first, after)  # type: ignore[no-any-return]


@strawberry.input
class GrantCreditsInput:
    """Who is to be given how many credits, and why."""

    person_id: strawberry.ID = strawberry.field(description="The Person who receives them.")
    amount: Credits = strawberry.field(description="More than 0 and at most 1,000,000 (P4).")
    note: str | None = strawberry.field(
        default=None, description="Why, for the receiver to read; at most 2,000 characters (P4)."
    )
    idempotency_key: str | None = None


@strawberry.type
class CreditsGranted:
    """The movement as the receiver sees it."""

    movement: CreditMovement = strawberry.field(
        description="From the issuance account to the receiver's available credits."
    )


CreditResult = Annotated[
    CreditsGranted | NotFound | ActionRefused | InvalidInput | IdempotencyKeyReused,
    strawberry.union("CreditResult", description="The movement, or what stood in the way."),
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
            assert movement.credited_person_id is not None
            return CreditsGranted(movement=CreditMovement.of(movement, holder_id=movement.credited_person_id))

        return await answer(info, action, granted)  # type: ignore[return-value]
