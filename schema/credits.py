"""A person's credits."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

import models
from resolvers.listing import movements_of
from rules.terms import AccountKind, CreditMovementKind
from schema.connections import PageInfo, connection
from schema.context import Info
from schema.ids import global_id
from schema.node import Node
from schema.scalars import Credits

if TYPE_CHECKING:
    from schema.meetings import Meeting


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
    async def meeting(self, info: Info) -> Annotated["Meeting", strawberry.lazy("schema.meetings")] | None:
        """The meeting it belongs to, if any."""
        from schema.meetings import Meeting

        if self.row.meeting_id is None:
            return None
        return Meeting.of(await info.context.load.meetings.load(self.row.meeting_id))


@strawberry.type
class CreditMovementEdge:
    cursor: str
    node: CreditMovement


@strawberry.type
class CreditMovementConnection:
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
