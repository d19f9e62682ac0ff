"""What can be read."""

import strawberry

from resolvers import listing
from rules.terms import ReasonKind
from schema.connections import connection
from schema.context import Info
from schema.credits import CreditAccount
from schema.ids import row_id
from schema.meetings import Meeting, MeetingConnection, MeetingEdge, Reason
from schema.people import Person


@strawberry.type
class Query:
    """Reading; everything needs a signed-in person."""

    @strawberry.field
    def me(self, info: Info) -> Person:
        """The viewer."""
        return Person.of(info.context.viewer)

    @strawberry.field
    async def meeting(self, info: Info, id: strawberry.ID) -> Meeting | None:
        """One of the viewer's meetings; null if it is not there or not theirs."""
        row = await listing.visible_meeting(row_id("Meeting", id), info.context.viewer)
        return Meeting.of(row) if row else None

    @strawberry.field
    async def meetings(self, info: Info, first: int | None = 20, after: str | None = None) -> MeetingConnection:
        """The viewer's meetings that are neither over nor cancelled, soonest first (Q1)."""
        page = await listing.upcoming_meetings(info.context.viewer, first=first, after=after)
        return connection(page, MeetingConnection, MeetingEdge, Meeting.of)

    @strawberry.field
    async def rejection_reasons(self, info: Info) -> list[Reason]:
        """What to choose from when rejecting a proposal (A3)."""
        return await _reasons(info, ReasonKind.REJECTION)

    @strawberry.field
    async def cancellation_reasons(self, info: Info) -> list[Reason]:
        """What to choose from when cancelling a meeting (K2)."""
        return await _reasons(info, ReasonKind.CANCELLATION)

    @strawberry.field
    def credit_account(self, info: Info) -> CreditAccount:
        """The viewer's balances and movements (M4)."""
        return CreditAccount.of(info.context.viewer)


async def _reasons(info: Info, kind: ReasonKind) -> list[Reason]:
    return [Reason.of(row, info.context.viewer.language) for row in await listing.reasons(kind)]
