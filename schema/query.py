"""What can be read."""

from datetime import datetime
from functools import partial
from typing import Annotated

import strawberry
from strawberry import argument

from resolvers import directory, listing
from resolvers.paging import at_most_a_page
from resolvers.reasons import reasons
from rules.terms import MeetingPhase, MeetingStatus, ReasonKind, Side
from schema.ahead import look_ahead
from schema.connections import connection
from schema.context import Info
from schema.credits import CreditAccount
from schema.ids import optional_row_id, row_id
from schema.meetings import Meeting, MeetingConnection, MeetingEdge, Reason
from schema.node import Node
from schema.nodes import nodes_of
from schema.people import Person, PersonConnection, PersonEdge, Skill, SkillConnection, SkillEdge


@strawberry.type
class Query:
    """Reading; everything needs a signed-in person, and shows only what is theirs to see."""

    @strawberry.field
    async def node(self, info: Info, id: strawberry.ID) -> Node | None:
        """Anything by its id; null if it is not there or not the viewer's to see."""
        (found,) = await nodes_of([id], info.context)
        return await look_ahead(info, found)

    @strawberry.field
    async def nodes(
        self, info: Info, ids: Annotated[list[strawberry.ID], argument(description="Of any types, mixed.")]
    ) -> list[Node | None]:
        """Up to 100 things by their ids, in the same order; null for each that is not there or not the viewer's."""
        return await look_ahead(info, await nodes_of(at_most_a_page(ids, "ids"), info.context))

    @strawberry.field
    async def me(self, info: Info) -> Person:
        """The viewer."""
        return await look_ahead(info, info.context.show(Person, info.context.viewer))

    @strawberry.field
    async def meeting(self, info: Info, id: strawberry.ID) -> Meeting | None:
        """One of the viewer's meetings; null if it is not there or not theirs."""
        row = await listing.visible_meeting(row_id("Meeting", id), info.context.viewer)
        return await look_ahead(info, info.context.show(Meeting, row) if row else None)

    @strawberry.field
    async def meetings(
        self,
        info: Info,
        phase: Annotated[MeetingPhase | None, argument(description="Only those that stand there in time.")] = None,
        side: Annotated[Side | None, argument(description="Only those in which the viewer is on this side.")] = None,
        status: Annotated[list[MeetingStatus] | None, argument(description="Only those in one of these.")] = None,
        with_person_id: Annotated[strawberry.ID | None, argument(description="Only those with this Person.")] = None,
        starts_from: Annotated[datetime | None, argument(description="Only those that start then or later.")] = None,
        starts_before: Annotated[datetime | None, argument(description="Only those that start earlier.")] = None,
        first: int | None = 20,
        after: str | None = None,
    ) -> MeetingConnection:
        """The meetings the viewer takes part in (Q1).

        With neither phase nor status: UPCOMING. Soonest first for UPCOMING, latest first otherwise.
        """
        viewer = info.context.viewer
        wanted = listing.MeetingFilter(
            phase=phase,
            side=side,
            statuses=tuple(status or ()),
            with_person_id=optional_row_id("Person", with_person_id),
            starts_from=starts_from,
            starts_before=starts_before,
        )
        page = await listing.meetings_of(viewer, wanted, first=first, after=after)
        shown = connection(page, MeetingConnection, MeetingEdge, partial(info.context.show, Meeting))
        return await look_ahead(info, shown)

    @strawberry.field
    async def experts(
        self,
        info: Info,
        skill_id: Annotated[strawberry.ID | None, argument(description="Only those who have this Skill.")] = None,
        first: int | None = 20,
        after: str | None = None,
    ) -> PersonConnection:
        """Every expert, or those with a skill, by name (Q5)."""
        page = await directory.experts(skill_id=optional_row_id("Skill", skill_id), first=first, after=after)
        shown = connection(page, PersonConnection, PersonEdge, partial(info.context.show, Person))
        return await look_ahead(info, shown)

    @strawberry.field
    async def person(self, info: Info, id: strawberry.ID) -> Person | None:
        """Oneself, an expert, or somebody one meets; null for everybody else, who are not told from nobody (Q5)."""
        row = await directory.visible_person(row_id("Person", id), info.context.viewer)
        return await look_ahead(info, info.context.show(Person, row) if row else None)

    @strawberry.field
    async def people(
        self,
        info: Info,
        search: Annotated[str, argument(description="Any part of a name or an address, whatever the case.")],
        first: int | None = 20,
        after: str | None = None,
    ) -> PersonConnection | None:
        """Staff only: whoever has these words in their name or their e-mail address, by name (Q6)."""
        page = await directory.people(info.context.viewer, search=search, first=first, after=after)
        shown = connection(page, PersonConnection, PersonEdge, partial(info.context.show, Person))
        return await look_ahead(info, shown)

    @strawberry.field
    async def skills(
        self,
        info: Info,
        search: Annotated[str | None, argument(description="Any part of a name, whatever the case.")] = None,
        first: int | None = 50,
        after: str | None = None,
    ) -> SkillConnection:
        """Every skill, or those with these words in their name, by name (Q5)."""
        page = await directory.skills(search=search, first=first, after=after)
        return await look_ahead(info, connection(page, SkillConnection, SkillEdge, partial(info.context.show, Skill)))

    @strawberry.field
    async def rejection_reasons(self, info: Info) -> list[Reason]:
        """What to choose from when rejecting a proposal (A3)."""
        return await _reasons(info, ReasonKind.REJECTION)

    @strawberry.field
    async def cancellation_reasons(self, info: Info) -> list[Reason]:
        """What to choose from when cancelling a meeting (K2)."""
        return await _reasons(info, ReasonKind.CANCELLATION)

    @strawberry.field
    async def credit_account(self, info: Info) -> CreditAccount:
        """The viewer's balances and movements (M4)."""
        return await look_ahead(info, CreditAccount.of(info.context.viewer))


async def _reasons(info: Info, kind: ReasonKind) -> list[Reason]:
    return [info.context.show(Reason, row) for row in await reasons(kind)]
