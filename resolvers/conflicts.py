"""Which agreed meetings collide with a date (C1, C2)."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from tortoise.connection import get_connection
from tortoise.expressions import Q
from tortoise.queryset import QuerySet

from models import AlternativeDate, Meeting, Person
from models.meetings import LONGEST_MEETING
from resolvers.facts import state_of
from resolvers.visibility import side_of
from resolvers.world import world
from rules.terms import MeetingStatus, Side

# Dates are [start, end): touching is no overlap. That a meeting started no longer ago than one can last adds nothing
# but a range of the index. However many dates wait, this is one statement with five parameters.
OVERLAPPING = """
SELECT waiting.id AS waiting_id, agreed.id AS agreed_id
FROM unnest($2::uuid[], $3::timestamptz[], $4::timestamptz[]) AS waiting(id, starts_at, ends_at)
JOIN meeting AS agreed ON agreed.status = 'AGREED' AND (agreed.user_id = $1 OR agreed.expert_id = $1)
    AND agreed.starts_at < waiting.ends_at AND agreed.starts_at > waiting.starts_at - $5::interval
    AND agreed.ends_at > waiting.starts_at AND agreed.id <> waiting.id
ORDER BY agreed.starts_at, agreed.id
"""


async def conflicting_meetings(
    starts_at: datetime, ends_at: datetime, *, person_id: UUID, besides: UUID
) -> list[Meeting]:
    """This person's agreed meetings, in either role, that overlap a date of another one, soonest first."""
    return await agreed_meetings(person_id, starts_at, ends_at).exclude(id=besides)


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
    starts, ends = zip(*waiting.values(), strict=True)
    pairs = await get_connection("default").execute_query_dict(
        OVERLAPPING, [viewer.id, list(waiting), list(starts), list(ends), LONGEST_MEETING]
    )
    agreed = await Meeting.in_bulk({pair["agreed_id"] for pair in pairs}, "id") if pairs else {}
    found: dict[UUID, list[Meeting]] = {each: [] for each in waiting}
    for pair in pairs:
        found[pair["waiting_id"]].append(agreed[pair["agreed_id"]])
    return found


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


def agreed_meetings(person_id: UUID, starts_at: datetime, ends_at: datetime) -> QuerySet[Meeting]:
    """A person's agreed meetings that overlap a date, soonest first."""
    mine = Q(user_id=person_id) | Q(expert_id=person_id)
    overlapping = Q(starts_at__lt=ends_at, starts_at__gt=starts_at - LONGEST_MEETING, ends_at__gt=starts_at)
    return Meeting.filter(mine, overlapping, status=MeetingStatus.AGREED).order_by("starts_at", "id")
