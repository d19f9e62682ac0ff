"""What was referred to Expertim and waits for staff (S3)."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from tortoise.expressions import Q

from models import Meeting, Person, Settlement
from resolvers.cursors import decode_cursor, encode_cursor
from resolvers.paging import Page, check_first, page_of
from resolvers.visibility import only_staff
from resolvers.world import world

DISPUTES = "disputes"


async def disputes(viewer: Person, *, first: int | None, after: str | None) -> Page[Meeting]:
    """The meetings that wait for a decision, those that were referred first at the top; for staff only."""
    only_staff(viewer)
    count = check_first(first, 20)
    waiting = Settlement.filter(outcome__isnull=True)
    if after is not None:
        referred_at, settlement_id = decode_cursor(after, stream=DISPUTES, owner=viewer.id, read=_read_place)
        beyond = Q(referred_at__gt=referred_at) | Q(id__gt=settlement_id)
        waiting = waiting.filter(Q(referred_at__gte=referred_at) & beyond)
    found = await waiting.order_by("referred_at", "id").limit(count + 1)
    meetings = await Meeting.in_bulk([each.meeting_id for each in found], "id") if found else {}
    places = {each.meeting_id: each for each in found}

    def cursor(meeting: Meeting) -> str:
        place = places[meeting.id]
        assert place.referred_at is not None
        return encode_cursor(DISPUTES, viewer.id, [place.referred_at.isoformat(), str(place.id)])

    return page_of([meetings[each.meeting_id] for each in found], cursor, count=count, after=after)


def _read_place(place: Any) -> tuple[datetime, UUID]:
    referred_at, settlement_id = place
    return datetime.fromisoformat(referred_at).astimezone(UTC), UUID(settlement_id)


async def oldest_dispute_age() -> timedelta | None:
    """For how long the oldest undecided one has waited; nothing if none waits (S3)."""
    oldest = await Settlement.filter(outcome__isnull=True).order_by("referred_at", "id").first()
    if oldest is None or oldest.referred_at is None:
        return None
    return await world().clock.now() - oldest.referred_at
