"""Reading meetings, timelines and what else people look at; every read decides who may see it."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from tortoise.expressions import Q

from models import CreditMovement, Meeting, Person, PersonSkill, Reason, Service, Skill, TimelineEvent
from resolvers.cursors import decode_cursor, decode_number, encode_cursor
from resolvers.paging import Page, check_first
from resolvers.visibility import may_see
from resolvers.world import world
from rules.terms import MeetingStatus, ReasonKind

TIMELINE = "timeline"
MOVEMENTS = "movements"
MEETINGS = "meetings"


async def visible_meeting(meeting_id: UUID, viewer: Person) -> Meeting | None:
    """The meeting, if it is there and this viewer's to see; otherwise None, the two never told apart."""
    meeting = await Meeting.get_or_none(id=meeting_id)
    return meeting if meeting is not None and may_see(meeting, viewer) else None


async def upcoming_meetings(viewer: Person, *, first: int | None, after: str | None) -> Page[Meeting]:
    """The meetings one takes part in that are neither over nor cancelled, soonest first (Q1)."""
    count = check_first(first, 20)
    now = await world().clock.now()
    mine = Meeting.filter(Q(user_id=viewer.id) | Q(expert_id=viewer.id))
    query = mine.filter(ends_at__gt=now).exclude(status=MeetingStatus.CANCELLED)
    if after is not None:
        starts_at, meeting_id = decode_cursor(after, stream=MEETINGS, owner=viewer.id, read=_meeting_place)
        query = query.filter(Q(starts_at__gt=starts_at) | Q(starts_at=starts_at, id__gt=meeting_id))
    meetings = await query.order_by("starts_at", "id").limit(count + 1)
    rows = [(encode_cursor(MEETINGS, viewer.id, [each.starts_at.isoformat(), str(each.id)]), each) for each in meetings]
    return Page(rows[:count], has_next=len(rows) > count, has_previous=after is not None)


def _meeting_place(place: Any) -> tuple[datetime, UUID]:
    starts_at, meeting_id = place
    return datetime.fromisoformat(starts_at).astimezone(UTC), UUID(meeting_id)


async def timelines(
    meeting_ids: Sequence[UUID], *, first: int | None, after: str | None
) -> dict[UUID, Page[TimelineEvent]]:
    """A page of each meeting's timeline, oldest first; as numbers have no gaps, a page is a range of them."""
    count = check_first(first, 50)
    seen = {each: decode_number(after, stream=TIMELINE, owner=each) for each in meeting_ids}
    start = max(seen.values())  # a cursor is of one meeting, so either all start at 0 or there is only one
    events = await TimelineEvent.filter(
        meeting_id__in=list(meeting_ids), sequence__gt=start, sequence__lte=start + count + 1
    ).order_by("sequence")
    rows: dict[UUID, list[tuple[str, TimelineEvent]]] = {each: [] for each in meeting_ids}
    for event in events:
        rows[event.meeting_id].append((encode_cursor(TIMELINE, event.meeting_id, event.sequence), event))
    return {
        meeting_id: Page(found[:count], has_next=len(found) > count, has_previous=start > 0)
        for meeting_id, found in rows.items()
    }


async def events_between(meeting_id: UUID, first: int, last: int) -> list[TimelineEvent]:
    """The events of a meeting with these sequences."""
    return await TimelineEvent.filter(meeting_id=meeting_id, sequence__gte=first, sequence__lte=last).order_by(
        "sequence"
    )


async def movements_of(person_id: UUID, *, first: int | None, after: str | None) -> Page[CreditMovement]:
    """A person's credit movements, newest first (M4): in the order of their ids, which grow with time."""
    count = check_first(first, 50)
    query = CreditMovement.filter(Q(debited_person_id=person_id) | Q(credited_person_id=person_id))
    if after is not None:
        query = query.filter(id__lt=decode_cursor(after, stream=MOVEMENTS, owner=person_id, read=UUID))
    movements = await query.order_by("-id").limit(count + 1)
    rows = [(encode_cursor(MOVEMENTS, person_id, str(each.id)), each) for each in movements]
    return Page(rows[:count], has_next=len(rows) > count, has_previous=after is not None)


async def skills_of(person_ids: Sequence[UUID]) -> dict[UUID, list[Skill]]:
    """Each person's skills, in the order they gave."""
    links = await PersonSkill.filter(person_id__in=list(person_ids)).order_by("place").prefetch_related("skill")
    found: dict[UUID, list[Skill]] = defaultdict(list)
    for link in links:
        found[link.person_id].append(link.skill)
    return found


async def services_of(person_ids: Sequence[UUID], viewer: Person) -> dict[UUID, list[Service]]:
    """Each person's services by name; the inactive ones only for themselves and for staff (Q5)."""
    services = await Service.filter(expert_id__in=list(person_ids)).order_by("name", "id")
    found: dict[UUID, list[Service]] = defaultdict(list)
    for service in services:
        if service.active or viewer.is_staff or viewer.id == service.expert_id:
            found[service.expert_id].append(service)
    return found


async def reasons(kind: ReasonKind) -> list[Reason]:
    """The list of reasons to choose from."""
    return await Reason.filter(kind=kind, active=True).order_by("place")
