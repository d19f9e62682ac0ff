"""The meetings one takes part in, and what happened in each of them (Q1)."""

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from tortoise.connection import get_connection
from tortoise.expressions import Q

from models import AlternativeDate, Meeting, Person, TimelineEvent
from models.meetings import LONGEST_MEETING
from resolvers.cursors import decode_cursor, encode_cursor, read_number
from resolvers.paging import Page, check_first, page_of
from resolvers.visibility import visible_meetings
from resolvers.world import world
from rules.terms import MeetingPhase, MeetingStatus, Side

MEETINGS = "meetings"
TIMELINE = "timeline"


@dataclass(frozen=True, slots=True)
class MeetingFilter:
    """Which of one's meetings to list; what is None is not asked for (Q1)."""

    phase: MeetingPhase | None = None
    side: Side | None = None
    statuses: tuple[MeetingStatus, ...] = ()
    with_person_id: UUID | None = None
    starts_from: datetime | None = None
    starts_before: datetime | None = None

    @property
    def asked_phase(self) -> MeetingPhase | None:
        """With neither phase nor status asked for: those that have not taken place yet."""
        return self.phase if self.phase or self.statuses else MeetingPhase.UPCOMING

    @property
    def name(self) -> str:
        """What the list of these meetings is called in its cursors."""
        asked = (
            self.asked_phase,
            self.side,
            sorted(set(self.statuses)),
            self.with_person_id,
            self.starts_from,
            self.starts_before,
        )
        return hashlib.sha256(repr(asked).encode()).hexdigest()[:16]

    def conditions(self, now: datetime) -> Q:
        """What is true of these meetings."""
        asked = [_IN_PHASE[self.asked_phase](now)] if self.asked_phase else []
        if self.statuses:
            asked.append(Q(status__in=self.statuses))
        if self.starts_from is not None:
            asked.append(Q(starts_at__gte=self.starts_from))
        if self.starts_before is not None:
            asked.append(Q(starts_at__lt=self.starts_before))
        return Q(*asked)


_IN_PHASE = {
    # What is said of the start adds nothing but a range of the index.
    MeetingPhase.UPCOMING: lambda now: (
        Q(ends_at__gt=now, starts_at__gt=now - LONGEST_MEETING) & ~Q(status=MeetingStatus.CANCELLED)
    ),
    MeetingPhase.HELD: lambda now: Q(ends_at__lte=now, status=MeetingStatus.AGREED),
    MeetingPhase.PAST: lambda now: Q(ends_at__lte=now) | Q(status=MeetingStatus.CANCELLED),
}


@dataclass(frozen=True, slots=True)
class Dashboard:
    """How many of one's meetings are to come, were held, and wait for one's answer (Q2)."""

    scheduled: int
    held: int
    awaiting_my_answer: int


# What waits for an answer is here what MeetingState.date_awaiting says, while it can still be given.
# Alternative dates are not joined: those of other people's meetings might be read too.
DASHBOARD = """
SELECT
    count(*) FILTER (WHERE meeting.status = 'AGREED' AND meeting.ends_at > $2) AS scheduled,
    count(*) FILTER (WHERE meeting.status = 'AGREED' AND meeting.ends_at <= $2) AS held,
    count(*) FILTER (
        WHERE CASE
            WHEN meeting.alternative_id IS NOT NULL THEN (
                SELECT lapses_at > $2 AND chosen_by <> viewer.side
                FROM alternative_date WHERE id = meeting.alternative_id
            )
            ELSE meeting.status = 'AWAITING_APPROVAL' AND meeting.starts_at > $2 AND viewer.answer = 'PENDING'
        END
    ) AS awaiting_my_answer
FROM meeting
CROSS JOIN LATERAL (
    SELECT CASE WHEN meeting.user_id = $1 THEN 'USER' ELSE 'EXPERT' END AS side,
        CASE WHEN meeting.user_id = $1 THEN meeting.user_answer ELSE meeting.expert_answer END AS answer
) AS viewer
WHERE meeting.user_id = $1 OR meeting.expert_id = $1
"""


async def dashboard(viewer: Person) -> Dashboard:
    """One's meetings, counted as things stand now (Q2)."""
    now = await world().clock.now()
    (counts,) = await get_connection("default").execute_query_dict(DASHBOARD, [viewer.id, now])
    return Dashboard(**counts)


async def visible_meeting(meeting_id: UUID, viewer: Person) -> Meeting | None:
    """The meeting, if it is there and this viewer's to see; otherwise None, the two never told apart."""
    found = await visible_meetings([meeting_id], viewer)
    return found[0] if found else None


async def meetings_of(viewer: Person, wanted: MeetingFilter, *, first: int | None, after: str | None) -> Page[Meeting]:
    """The meetings one takes part in: soonest first if they are to come, latest first otherwise (Q1)."""
    count = check_first(first, 20)
    soonest_first = wanted.asked_phase is MeetingPhase.UPCOMING
    conditions = wanted.conditions(await world().clock.now())
    stream = f"{MEETINGS}/{wanted.name}"
    if after is not None:
        place = decode_cursor(after, stream=stream, owner=viewer.id, read=_read_place)
        conditions &= _beyond(*place, soonest_first=soonest_first)
    found: list[Meeting] = []
    # Each side by itself comes from an index in its order; the two at once would all be read and sorted.
    for side in [wanted.side] if wanted.side else Side:
        query = Meeting.filter(conditions, **{f"{side.lower()}_id": viewer.id})
        if wanted.with_person_id is not None:
            query = query.filter(**{f"{side.other.lower()}_id": wanted.with_person_id})
        found += await query.order_by(*(("starts_at", "id") if soonest_first else ("-starts_at", "-id"))).limit(
            count + 1
        )
    found.sort(key=_place, reverse=not soonest_first)

    def cursor(meeting: Meeting) -> str:
        return encode_cursor(stream, viewer.id, [meeting.starts_at.isoformat(), str(meeting.id)])

    return page_of(found, cursor, count=count, after=after)


def _place(meeting: Meeting) -> tuple[datetime, UUID]:
    return meeting.starts_at, meeting.id


def _read_place(place: Any) -> tuple[datetime, UUID]:
    starts_at, meeting_id = place
    return datetime.fromisoformat(starts_at).astimezone(UTC), UUID(meeting_id)


def _beyond(starts_at: datetime, meeting_id: UUID, *, soonest_first: bool) -> Q:
    if soonest_first:
        return Q(starts_at__gte=starts_at) & (Q(starts_at__gt=starts_at) | Q(id__gt=meeting_id))
    return Q(starts_at__lte=starts_at) & (Q(starts_at__lt=starts_at) | Q(id__lt=meeting_id))


async def timelines(
    meeting_ids: Sequence[UUID], *, first: int | None, after: str | None
) -> dict[UUID, Page[TimelineEvent]]:
    """A page of each meeting's timeline, oldest first; as numbers have no gaps, a page is a range of them.

    A cursor is of one timeline: with `after` there is one meeting.
    """
    count = check_first(first, 50)
    start = 0
    if after is not None:
        (meeting_id,) = meeting_ids
        start = decode_cursor(after, stream=TIMELINE, owner=meeting_id, read=read_number)
    events = await TimelineEvent.filter(
        meeting_id__in=list(meeting_ids), sequence__gt=start, sequence__lte=start + count + 1
    ).order_by("sequence")
    found: dict[UUID, list[TimelineEvent]] = {each: [] for each in meeting_ids}
    for event in events:
        found[event.meeting_id].append(event)

    def cursor(event: TimelineEvent) -> str:
        return encode_cursor(TIMELINE, event.meeting_id, event.sequence)

    return {meeting_id: page_of(rows, cursor, count=count, after=after) for meeting_id, rows in found.items()}


async def alternative_dates(meeting_ids: Sequence[UUID]) -> dict[UUID, list[AlternativeDate]]:
    """All alternative dates that were ever chosen for each meeting, newest first (R1)."""
    found: dict[UUID, list[AlternativeDate]] = defaultdict(list)
    for row in await AlternativeDate.filter(meeting_id__in=list(meeting_ids)).order_by("-id"):
        found[row.meeting_id].append(row)
    return found


async def events_between(meeting_id: UUID, first: int, last: int) -> list[TimelineEvent]:
    """The events of a meeting with these sequences."""
    return await TimelineEvent.filter(meeting_id=meeting_id, sequence__gte=first, sequence__lte=last).order_by(
        "sequence"
    )
