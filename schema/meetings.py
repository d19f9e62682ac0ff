"""Meetings and their timelines."""

import dataclasses
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Optional
from uuid import UUID

import strawberry
from tortoise.models import Model

import models
from resolvers import joining, listing
from resolvers.actions import actions_of
from resolvers.chatting import chats_with
from resolvers.conflicts import conflicts_of
from resolvers.paging import Page
from resolvers.progress import shown_progress
from resolvers.visibility import other_side, shown_person_ids, side_of
from rules.terms import (
    Actor,
    AlternativeDateStatus,
    Answer,
    CreditPaymentStatus,
    Language,
    MeetingStatus,
    ReasonKind,
    Side,
    TimelineEventKind,
)
from schema.actions import MeetingAction
from schema.ahead import PageOf, loaded_page, one, pages, together
from schema.ahead import found as found_rows
from schema.connections import PageInfo, connection
from schema.context import Context
from schema.ids import global_id
from schema.joining import Attendance, Conference
from schema.node import Node
from schema.people import Person, Service, Skill
from schema.scalars import Credits
from schema.settlements import ProgressRecord, Settlement
from texts.labels import timeline_label

if TYPE_CHECKING:
    from schema.chatting import Chat


async def _conflicts(meetings: Sequence["Meeting"], context: Context) -> list[list["Meeting"]]:
    found = await conflicts_of([meeting.row for meeting in meetings], context.viewer)
    return [[context.show(Meeting, row) for row in found.get(meeting.row.id, [])] for meeting in meetings]


async def _actions(meetings: Sequence["Meeting"], context: Context) -> list[list[MeetingAction]]:
    found = await actions_of([meeting.row for meeting in meetings], context.viewer)
    conflicts = await _conflicts(meetings, context)
    return [
        [MeetingAction.of(action, met) for action in found[meeting.row.id]]
        for meeting, met in zip(meetings, conflicts, strict=True)
    ]


async def _progress(side: Side, meetings: Sequence["Meeting"], context: Context) -> list[ProgressRecord | None]:
    found = await shown_progress([meeting.row for meeting in meetings], context.viewer)
    said = [found[meeting.row.id].get(side) for meeting in meetings]
    return [ProgressRecord.of(row) if row else None for row in said]


async def _alternative_dates(meetings: Sequence["Meeting"], context: Context) -> list[list["AlternativeDate"]]:
    found = await listing.alternative_dates([meeting.row.id for meeting in meetings])
    return [[context.show(AlternativeDate, row) for row in found.get(meeting.row.id, [])] for meeting in meetings]


async def _chats(meetings: Sequence["Meeting"], context: Context) -> list["Chat | None"]:
    from schema.chatting import Chat

    others = [other_side(meeting.row, context.viewer) for meeting in meetings]
    chats = await chats_with(list(filter(None, others)), context.viewer)
    return [context.show(Chat, chats[other]) if other in chats else None for other in others]


async def _conferences(meetings: Sequence["Meeting"], context: Context) -> list[Conference | None]:
    found = await joining.conferences_of([meeting.row for meeting in meetings], context.viewer)
    return [Conference.of(seen) if (seen := found.get(meeting.row.id)) else None for meeting in meetings]


async def _attendance(meetings: Sequence["Meeting"], context: Context) -> list[list[Attendance]]:
    found = await joining.openings_of([meeting.row.id for meeting in meetings])
    return [[Attendance.of(each) for each in found.get(meeting.row.id, ())] for meeting in meetings]


async def _people(events: Sequence["TimelineEvent"], context: Context) -> list[Person | None]:
    ids = await shown_person_ids([event.row for event in events], context.viewer)
    known = await found_rows(context, Person, filter(None, ids))
    return [known[each] if each else None for each in ids]


def _timeline(meeting: "Meeting", page: Page[models.TimelineEvent], context: Context) -> "TimelineEventConnection":
    return connection(page, TimelineEventConnection, TimelineEventEdge, partial(context.show, TimelineEvent))


@strawberry.type
class Reason:
    """An entry of a list to choose from; staff keep the lists (Q6)."""

    table: ClassVar[type[Model]] = models.Reason
    code: str = strawberry.field(description="What inputs name it by; one of a kind within its list.")
    kind: ReasonKind = strawberry.field(description="The list it belongs to.")
    label: str = strawberry.field(description="For people, in the viewer's language.")

    @classmethod
    def of(cls, row: models.Reason, viewer: models.Person) -> "Reason":
        label = row.label_de if viewer.language is Language.DE else row.label_en
        return cls(code=row.code, kind=row.kind, label=label)


@strawberry.type
class Meeting(Node):
    """A meeting of a user and an expert, from its proposal on."""

    table: ClassVar[type[Model]] = models.Meeting
    row: strawberry.Private[models.Meeting]
    loaded: strawberry.Private[dict[PageOf, Any]] = dataclasses.field(default_factory=dict)
    reason_id: strawberry.Private[UUID | None]
    version: int = strawberry.field(
        description="The sequence of its newest timeline event: grows by one with every event."
    )
    status: MeetingStatus = strawberry.field(description="Where the negotiation stands.")
    credit_payment_status: CreditPaymentStatus = strawberry.field(description="What became of its price.")
    user: Person = one("row.user_id", "The side that pays and learns.")
    expert: Person = one("row.expert_id", "The side that is paid.")
    viewer_side: Side | None = strawberry.field(description="The viewer's side; null for staff.")
    service: Service = one(
        "row.service_id", "The expert's service it is about, as it is now; price and length are the meeting's own."
    )
    skill: Skill = one("row.skill_id", "What the user wants to learn; one of the expert's skills when it was proposed.")
    starts_at: datetime = strawberry.field(description="When it begins, as proposed or agreed.")
    ends_at: datetime = strawberry.field(description="When it is over: a meeting that begins then does not overlap.")
    duration_minutes: int = strawberry.field(description="From its start to its end.")
    price: Credits = strawberry.field(description="What the user pays, fixed when it was proposed (P1, P2).")
    proposed_by: Side = strawberry.field(description="The side that started it, and has thereby approved (P3).")
    user_answer: Answer = strawberry.field(description="The user's answer to the date.")
    expert_answer: Answer = strawberry.field(description="The expert's answer to the date.")
    alternative_date: Optional["AlternativeDate"] = one("row.alternative_id", "The one that is waiting for an answer.")
    alternative_dates: list["AlternativeDate"] = together(
        _alternative_dates, "All that were ever chosen, newest first (R1)."
    )
    conflicts: list["Meeting"] = together(
        _conflicts, "Agreed meetings of the viewer that overlap a date still waiting for the viewer's answer (C2)."
    )
    actions: list[MeetingAction] = together(
        _actions, "Every action there is, allowed or not, as things stand now for the viewer (Q3)."
    )
    conference: Conference | None = together(
        _conferences, "Where it is held, and the viewer's way there; null until it was agreed (L)."
    )
    attendance: list[Attendance] = together(_attendance, "Each opening of a link, oldest first (L2).")
    user_progress: ProgressRecord | None = together(
        partial(_progress, Side.USER),
        "How it went, in the user's words: to themselves at once, to the expert once they have spoken too, it is"
        " settled or 168 hours have passed (E3).",
    )
    expert_progress: ProgressRecord | None = together(
        partial(_progress, Side.EXPERT), "How it went, in the expert's words; shown as the user's is (E3)."
    )
    settlement: Settlement | None = one(
        "row.settlement_id", "What became of its price, or that staff are to decide it; null until then (S)."
    )
    reason: Reason | None = one("reason_id", "Why it was rejected or cancelled; null in any other status (K6).")
    chat: Optional[Annotated["Chat", strawberry.lazy("schema.chatting")]] = together(  # noqa: UP045
        _chats, "The chat of the two; null until one of them has opened it, and for staff (H1)."
    )
    created_at: datetime = strawberry.field(description="When it was proposed.")

    @classmethod
    def of(cls, row: models.Meeting, viewer: models.Person) -> "Meeting":
        return cls(
            id=global_id("Meeting", row.id),
            row=row,
            reason_id=row.reason_id if row.status in (MeetingStatus.REJECTED, MeetingStatus.CANCELLED) else None,
            version=row.version,
            status=row.status,
            credit_payment_status=row.credit_payment_status,
            viewer_side=side_of(row, viewer),
            starts_at=row.starts_at,
            ends_at=row.ends_at,
            duration_minutes=int((row.ends_at - row.starts_at).total_seconds() // 60),
            price=Credits(row.price),
            proposed_by=row.proposed_by,
            user_answer=row.user_answer,
            expert_answer=row.expert_answer,
            created_at=row.created_at,
        )

    @strawberry.field(metadata=pages(listing.timelines, _timeline))  # type: ignore[untyped-decorator]
    def timeline(self, first: int | None = 50, after: str | None = None) -> "TimelineEventConnection":
        """What happened, oldest first."""
        return loaded_page(self.loaded, first, after)  # type: ignore[no-any-return]


@strawberry.type
class AlternativeDate(Node):
    """A new date that one side chose for an agreed or a rejected meeting (R1)."""

    table: ClassVar[type[Model]] = models.AlternativeDate
    row: strawberry.Private[models.AlternativeDate]
    starts_at: datetime = strawberry.field(description="When the meeting would begin.")
    ends_at: datetime = strawberry.field(description="When it would be over; its length stays.")
    chosen_by: Side = strawberry.field(description="The side that chose it, and has thereby approved it.")
    status: AlternativeDateStatus = strawberry.field(description="What became of it.")
    original_date_in_force: bool = strawberry.field(
        description="True while an agreed date stays in force until this one is approved (R3)."
    )
    reason: Reason | None = one("row.reason_id", "Why the other side turned it down (R5).")
    chosen_at: datetime = strawberry.field(description="When it was chosen.")

    @classmethod
    def of(cls, row: models.AlternativeDate, viewer: models.Person) -> "AlternativeDate":
        return cls(
            id=global_id("AlternativeDate", row.id),
            row=row,
            starts_at=row.starts_at,
            ends_at=row.ends_at,
            chosen_by=row.chosen_by,
            status=row.status,
            original_date_in_force=row.original_date_in_force and row.status is AlternativeDateStatus.PENDING,
            chosen_at=row.chosen_at,
        )


@strawberry.type
class TimelineEvent(Node):
    """One thing that happened to a meeting; never changed afterwards."""

    table: ClassVar[type[Model]] = models.TimelineEvent
    row: strawberry.Private[models.TimelineEvent]
    meeting: Meeting = one("row.meeting_id", "The meeting it happened to.")
    sequence: int = strawberry.field(description="1, 2, 3 … within its meeting, without gaps.")
    kind: TimelineEventKind = strawberry.field(description="What happened, for programs.")
    label: str = strawberry.field(description="What happened, for people, in the viewer's language.")
    actor: Actor = strawberry.field(description="Who caused it.")
    person: Person | None = together(_people, "Who did it; null for EXPERTIM (but to staff) and SYSTEM.")
    occurred_at: datetime = strawberry.field(description="Never earlier than the event before it.")
    alternative_date: AlternativeDate | None = one("row.alternative_date_id", "The one that this happened to (R1).")
    reason: Reason | None = one("row.reason_id", "The reason that was given, if this was something that asks for one.")
    credits: Credits | None = strawberry.field(
        description="What the expert received or the user got back; null where nothing of that kind happened (K5, S)."
    )
    note: str | None = strawberry.field(description="What staff wrote to both sides when they decided; else null (S3).")

    @classmethod
    def of(cls, row: models.TimelineEvent, viewer: models.Person) -> "TimelineEvent":
        return cls(
            id=global_id("TimelineEvent", row.id),
            row=row,
            sequence=row.sequence,
            kind=row.kind,
            label=timeline_label(row.kind, viewer.language),
            actor=row.actor,
            occurred_at=row.occurred_at,
            credits=None if row.credits is None else Credits(row.credits),
            note=row.note,
        )


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


@strawberry.type
class MeetingDashboard:
    """The viewer's meetings, counted (Q2)."""

    scheduled: int = strawberry.field(description="Agreed and not over.")
    held: int = strawberry.field(description="Agreed and over.")
    awaiting_my_answer: int = strawberry.field(
        description="Proposals and alternative dates that wait for the viewer, who may still answer them."
    )
