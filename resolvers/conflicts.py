"""Which agreed meetings collide with a date (C1, C2)."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from tortoise.expressions import Q
from tortoise.queryset import QuerySet

from models import Meeting, Person
from models.meetings import LONGEST_MEETING
from resolvers.facts import state_of
from resolvers.visibility import side_of
from rules.terms import MeetingStatus


async def conflicting_meetings(meeting: Meeting, *, person_id: UUID) -> list[Meeting]:
    """This person's other agreed meetings, in either role, that overlap the meeting's date, soonest first."""
    return await _agreed(person_id, meeting.starts_at, meeting.ends_at).exclude(id=meeting.id)


async def conflicts_of(meetings: Sequence[Meeting], viewer: Person) -> dict[UUID, list[Meeting]]:
    """For each meeting that waits for the viewer's answer, the viewer's agreed meetings it overlaps."""
    waiting = [each for each in meetings if (side := side_of(each, viewer)) and state_of(each).awaits(side)]
    if not waiting:
        return {}
    agreed = await _agreed(viewer.id, min(each.starts_at for each in waiting), max(each.ends_at for each in waiting))
    return {
        each.id: [other for other in agreed if other.starts_at < each.ends_at and each.starts_at < other.ends_at]
        for each in waiting
    }


def _agreed(person_id: UUID, starts_at: datetime, ends_at: datetime) -> QuerySet[Meeting]:
    """A person's agreed meetings that overlap [start, end); touching is no overlap."""
    return Meeting.filter(
        Q(user_id=person_id) | Q(expert_id=person_id),
        status=MeetingStatus.AGREED,
        starts_at__lt=ends_at,
        starts_at__gt=starts_at - LONGEST_MEETING,  # adds nothing but a range of the index
        ends_at__gt=starts_at,
    ).order_by("starts_at", "id")
