"""Which agreed meetings collide with a date (C1)."""

from uuid import UUID

from tortoise.expressions import Q

from models import Meeting
from rules.terms import MeetingStatus


async def conflicting_meetings(meeting: Meeting, *, person_id: UUID) -> list[Meeting]:
    """This person's other agreed meetings, in either role, that overlap the meeting's date, soonest first."""
    return (
        await Meeting.filter(
            Q(user_id=person_id) | Q(expert_id=person_id),
            status=MeetingStatus.AGREED,
            starts_at__lt=meeting.ends_at,
            ends_at__gt=meeting.starts_at,
        )
        .exclude(id=meeting.id)
        .order_by("starts_at", "id")
    )
