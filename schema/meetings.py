"""Meetings and their timelines."""

from datetime import datetime
from uuid import UUID

import strawberry

import models
from resolvers.visibility import side_of
from rules.terms import (
    Actor,
    Answer,
    CreditPaymentStatus,
    Language,
    MeetingStatus,
    ReasonKind,
    Side,
    TimelineEventKind,
)
from schema.connections import PageInfo, connection
from schema.context import Info
from schema.ids import global_id
from schema.node import Node
from schema.people import Person, Service, Skill
from schema.scalars import Credits
from texts.labels import timeline_label


@strawberry.type
class Reason:
    """An entry of a list to choose from; staff keep the lists."""

    code: str
    kind: ReasonKind
    label: str

    @classmethod
    def of(cls, row: models.Reason, language: Language) -> "Reason":
        label = row.label_de if language is Language.DE else row.label_en
        return cls(code=row.code, kind=row.kind, label=label)


@strawberry.type
class Meeting(Node):
    """A meeting of a user and an expert, from its proposal on."""

    row: strawberry.Private[models.Meeting]
    version: int = strawberry.field(
        description="The sequence of its newest timeline event: grows by one with every event."
    )
    status: MeetingStatus
    credit_payment_status: CreditPaymentStatus
    starts_at: datetime
    ends_at: datetime
    duration_minutes: int
    price: Credits
    proposed_by: Side
    user_answer: Answer
    expert_answer: Answer
    created_at: datetime

    @classmethod
    def of(cls, row: models.Meeting) -> "Meeting":
        return cls(
            id=global_id("Meeting", row.id),
            row=row,
            version=row.version,
            status=row.status,
            credit_payment_status=row.credit_payment_status,
            starts_at=row.starts_at,
            ends_at=row.ends_at,
            duration_minutes=int((row.ends_at - row.starts_at).total_seconds() // 60),
            price=Credits(row.price),
            proposed_by=row.proposed_by,
            user_answer=row.user_answer,
            expert_answer=row.expert_answer,
            created_at=row.created_at,
        )

    @strawberry.field
    def viewer_side(self, info: Info) -> Side | None:
        """The viewer's side; null for staff."""
        return side_of(self.row, info.context.viewer)

    @strawberry.field
    async def user(self, info: Info) -> Person:
        """The side that pays and learns."""
        return Person.of(await info.context.load.people.load(self.row.user_id))

    @strawberry.field
    async def expert(self, info: Info) -> Person:
        """The side that is paid."""
        return Person.of(await info.context.load.people.load(self.row.expert_id))

    @strawberry.field
    async def service(self, info: Info) -> Service:
        """The expert's service it is about, as that stands now; the meeting keeps its own price and length."""
        return Service.of(await info.context.load.services.load(self.row.service_id))

    @strawberry.field
    async def skill(self, info: Info) -> Skill:
        """What it is about."""
        return Skill.of(await info.context.load.skills.load(self.row.skill_id))

    @strawberry.field
    async def conflicts(self, info: Info) -> list["Meeting"]:
        """Agreed meetings of the viewer that overlap a date still waiting for the viewer's answer (C2)."""
        return [Meeting.of(each) for each in await info.context.load.conflicts.load(self.row)]

    @strawberry.field
    async def timeline(self, info: Info, first: int | None = 50, after: str | None = None) -> "TimelineEventConnection":
        """What happened, oldest first."""
        page = await info.context.load.timelines.load((self.row.id, first, after))
        return connection(page, TimelineEventConnection, TimelineEventEdge, TimelineEvent.of)

    @strawberry.field
    async def reason(self, info: Info) -> Reason | None:
        """Why it was rejected or cancelled."""
        return await _reason(info, self.row.reason_id)


@strawberry.type
class TimelineEvent(Node):
    """One thing that happened to a meeting; never changed afterwards."""

    row: strawberry.Private[models.TimelineEvent]
    sequence: int = strawberry.field(description="1, 2, 3 … within its meeting, without gaps.")
    kind: TimelineEventKind
    actor: Actor
    occurred_at: datetime

    @classmethod
    def of(cls, row: models.TimelineEvent) -> "TimelineEvent":
        return cls(
            id=global_id("TimelineEvent", row.id),
            row=row,
            sequence=row.sequence,
            kind=row.kind,
            actor=row.actor,
            occurred_at=row.occurred_at,
        )

    @strawberry.field
    async def meeting(self, info: Info) -> Meeting:
        """The meeting it happened to."""
        return Meeting.of(await info.context.load.meetings.load(self.row.meeting_id))

    @strawberry.field
    def label(self, info: Info) -> str:
        """What happened, for people, in the viewer's language."""
        return timeline_label(self.kind, info.context.viewer.language)

    @strawberry.field
    async def person(self, info: Info) -> Person | None:
        """Who did it; null for EXPERTIM (but to staff) and SYSTEM."""
        hidden = self.actor is Actor.EXPERTIM and not info.context.viewer.is_staff
        if self.row.person_id is None or hidden:
            return None
        return Person.of(await info.context.load.people.load(self.row.person_id))

    @strawberry.field
    async def reason(self, info: Info) -> Reason | None:
        """The reason that was given, if this was something that asks for one."""
        return await _reason(info, self.row.reason_id)


@strawberry.type
class TimelineEventEdge:
    """An entry of a page, and where it stands in its list."""

    cursor: str
    node: TimelineEvent


@strawberry.type
class TimelineEventConnection:
    """A page of a list."""

    edges: list[TimelineEventEdge]
    page_info: PageInfo


@strawberry.type
class MeetingEdge:
    """An entry of a page, and where it stands in its list."""

    cursor: str
    node: Meeting


@strawberry.type
class MeetingConnection:
    """A page of a list."""

    edges: list[MeetingEdge]
    page_info: PageInfo


async def _reason(info: Info, reason_id: UUID | None) -> Reason | None:
    if reason_id is None:
        return None
    return Reason.of(await info.context.load.reasons.load(reason_id), info.context.viewer.language)
