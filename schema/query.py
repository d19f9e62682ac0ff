"""What can be read."""

import dataclasses
from datetime import datetime
from functools import partial
from typing import Annotated

import strawberry
from strawberry import argument

from resolvers import availability, chatting, directory, listing, notifying
from resolvers.disputes import disputes
from resolvers.paging import at_most_a_page
from resolvers.reasons import reasons
from rules.terms import MeetingPhase, MeetingStatus, ReasonKind, Side
from schema.ahead import look_ahead
from schema.availability import Availability, FreeSlot
from schema.chatting import Chat, ChatConnection, ChatEdge
from schema.connections import connection
from schema.context import Info
from schema.credits import CreditAccount
from schema.ids import optional_row_id, row_id
from schema.meetings import Meeting, MeetingConnection, MeetingDashboard, MeetingEdge, Reason
from schema.node import Node
from schema.nodes import nodes_of
from schema.notifying import Notification, NotificationConnection, NotificationEdge
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
        return await look_ahead(info, info.context.show(Person, await directory.oneself(info.context.viewer)))

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
    async def meeting_dashboard(self, info: Info) -> MeetingDashboard:
        """How many of the viewer's meetings are to come, were held, and wait for them (Q2)."""
        counts = await listing.dashboard(info.context.viewer)
        return MeetingDashboard(**dataclasses.asdict(counts))

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
    async def availability(
        self, info: Info, expert_id: Annotated[strawberry.ID, argument(description="A Person.")]
    ) -> Availability | None:
        """When an expert can be met (V1); null for somebody who is not there, or not the viewer's to see (Q5)."""
        said = await availability.visible_availability(row_id("Person", expert_id), info.context.viewer)
        return await look_ahead(info, Availability.of(said) if said else None)

    @strawberry.field
    async def free_slots(
        self,
        info: Info,
        expert_id: Annotated[strawberry.ID, argument(description="A Person.")],
        service_id: Annotated[strawberry.ID, argument(description="The Service, whose length the slots have.")],
        from_: Annotated[datetime, argument(name="from", description="None starts earlier.")],
        until: Annotated[
            datetime,
            argument(description="None ends later. Not before from, at most 62 days after it: else BAD_USER_INPUT."),
        ],
    ) -> list[FreeSlot] | None:
        """What can be proposed to an expert for a service, by time (V2); null if it is none of theirs to be seen."""
        slots = await availability.free_slots(
            row_id("Person", expert_id),
            row_id("Service", service_id),
            starts_from=from_,
            until=until,
            viewer=info.context.viewer,
        )
        return await look_ahead(info, None if slots is None else [FreeSlot.of(each) for each in slots])

    @strawberry.field
    async def rejection_reasons(self, info: Info) -> list[Reason]:
        """What to choose from when rejecting a proposal (A3)."""
        return await _reasons(info, ReasonKind.REJECTION)

    @strawberry.field
    async def cancellation_reasons(self, info: Info) -> list[Reason]:
        """What to choose from when cancelling a meeting (K2)."""
        return await _reasons(info, ReasonKind.CANCELLATION)

    @strawberry.field
    async def disputes(self, info: Info, first: int | None = 20, after: str | None = None) -> MeetingConnection | None:
        """Staff only: meetings referred to Expertim that wait for a decision, oldest first (S3)."""
        page = await disputes(info.context.viewer, first=first, after=after)
        shown = connection(page, MeetingConnection, MeetingEdge, partial(info.context.show, Meeting))
        return await look_ahead(info, shown)

    @strawberry.field
    async def credit_account(self, info: Info) -> CreditAccount:
        """The viewer's balances and movements (M4)."""
        return await look_ahead(info, CreditAccount.of(await directory.oneself(info.context.viewer)))

    @strawberry.field
    async def notifications(
        self,
        info: Info,
        unread_only: Annotated[bool | None, argument(description="Whether to leave out those marked read.")] = False,
        first: int | None = 50,
        after: str | None = None,
    ) -> NotificationConnection:
        """What the viewer was told, newest first (N4)."""
        page = await notifying.notifications_of(
            info.context.viewer, unread_only=bool(unread_only), first=first, after=after
        )
        shown = connection(page, NotificationConnection, NotificationEdge, partial(info.context.show, Notification))
        return await look_ahead(info, shown)

    @strawberry.field
    async def unread_notifications(self, info: Info) -> int:
        """How many of them the viewer has not marked read."""
        return await notifying.unread_notifications(info.context.viewer)

    @strawberry.field
    async def chats(self, info: Info, first: int | None = 20, after: str | None = None) -> ChatConnection:
        """The viewer's chats; the one in which something was written last comes first (H2)."""
        page = await chatting.chats_of(info.context.viewer, first=first, after=after)
        return await look_ahead(info, connection(page, ChatConnection, ChatEdge, partial(info.context.show, Chat)))

    @strawberry.field
    async def chat(self, info: Info, id: strawberry.ID) -> Chat | None:
        """One of the viewer's chats; null if it is not there or not theirs, staff included (H2)."""
        row = await chatting.visible_chat(row_id("Chat", id), info.context.viewer)
        return await look_ahead(info, info.context.show(Chat, row) if row else None)


async def _reasons(info: Info, kind: ReasonKind) -> list[Reason]:
    return [info.context.show(Reason, row) for row in await reasons(kind)]
