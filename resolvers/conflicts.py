"""Which agreed meetings collide with a date (C1, C2)."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from tortoise.expressions import Q
from tortoise.queryset import QuerySet

from models import AlternativeDate, Meeting, Person
from models.meetings import LONGEST_MEETING
from resolvers.facts import state_of
from resolvers.visibility import side_of
from resolvers.world import world
from rules.terms import MeetingStatus, Side


async def conflicting_meetings(
    starts_at: datetime, ends_at: datetime, *, person_id: UUID, besides: UUID
) -> list[Meeting]:
    """This person's agreed meetings, in either role, that overlap a date of another one, soonest first."""
    return await _agreed(person_id, [(starts_at, ends_at)]).exclude(id=besides)


async def conflicts_of(meetings: Sequence[Meeting], viewer: Person) -> dict[UUID, list[Meeting]]:
    """For each meeting with a date that waits for the viewer's answer, the viewer's agreed meetings it overlaps."""
    alternatives = await pending_alternatives(meetings)
    waiting = {
        each.id: date
        for each in meetings
        if (side := side_of(each, viewer)) and (date := state_of(each, alternatives.get(each.id)).date_awaiting(side))
    }
    if not waiting:
        return {}
    agreed = await _agreed(viewer.id, waiting.values())
    return {
        meeting_id: [
            other for other in agreed if other.id != meeting_id and other.starts_at < end and start < other.ends_at
        ]
        for meeting_id, (start, end) in waiting.items()
    }


async def standing_conflicts(viewer: Person) -> dict[UUID, list[Meeting]]:
    """The meetings that wait for the viewer's answer and collide, each with what it collides with (C3)."""
    now = await world().clock.now()
    waiting: list[Meeting] = []
    for side in Side:
        unanswered = Q(status=MeetingStatus.AWAITING_APPROVAL) | Q(alternative_id__isnull=False)
        waiting += await Meeting.filter(unanswered, starts_at__gt=now, **{f"{side.lower()}_id": viewer.id})
    return {meeting_id: found for meeting_id, found in (await conflicts_of(waiting, viewer)).items() if found}


async def pending_alternatives(meetings: Sequence[Meeting]) -> dict[UUID, AlternativeDate]:
    """By meeting: the alternative dates that wait for an answer."""
    ids = [each.alternative_id for each in meetings if each.alternative_id]
    rows = await AlternativeDate.filter(id__in=ids) if ids else []
    return {row.meeting_id: row for row in rows}


def _agreed(person_id: UUID, dates: Iterable[tuple[datetime, datetime]]) -> QuerySet[Meeting]:
    """A person's agreed meetings that overlap any of these dates, [start, end) each; touching is no overlap."""
    overlapping = [
        # That it started no longer ago than a meeting can last adds nothing but a range of the index.
        Q(starts_at__lt=end, starts_at__gt=start - LONGEST_MEETING, ends_at__gt=start)
        for start, end in dates
    ]
    mine = Q(user_id=person_id) | Q(expert_id=person_id)
    return Meeting.filter(mine, Q(*overlapping, join_type="OR"), status=MeetingStatus.AGREED).order_by(
        "starts_at", "id"
    )
