"""People's meetings in their own calendars: what e-mails bring for them, and one calendar to subscribe to (N)."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from tortoise.expressions import F

from mail.addresses import mailable
from mail.calendars import Appointment, calendar_part, subscribed_calendar
from mail.messages import CalendarPart
from models import JoinLink, Meeting, Notification, Person, Service
from models.transactions import snapshot
from resolvers.acting import Attempt, Done, act
from resolvers.action import Action
from resolvers.conflicts import pending_alternatives
from resolvers.visibility import side_of
from resolvers.world import world
from rules.terms import MeetingStatus, Side

SHOWN_FOR = timedelta(days=90)
"How long a meeting stays in the calendar after it began."
MOST_APPOINTMENTS = 1_000


def calendar_url(person: Person, viewer: Person) -> str | None:
    """Where one's own calendar can be subscribed to; whoever has the address reads it, so nobody else is shown it."""
    return world().links.calendar_url(person.id, person.calendar_number) if person.id == viewer.id else None


async def renew_calendar_url(*, by: Person, attempt: Attempt) -> Done:
    """Have another address for one's calendar; the one before is good for nothing any more."""

    async def story(action: Action) -> Done:
        attempt.check()
        await action.lock_people([by.id])
        await Person.filter(id=by.id).update(calendar_number=F("calendar_number") + 1)
        return Done(by.id)

    return await act(attempt, by=by, story=story)


async def calendar_of(token: str) -> str | None:
    """The calendar that this is the token of; nothing if it is none, or was renewed."""
    named = world().links.read_calendar(token)
    person = await Person.get_or_none(id=named[0], calendar_number=named[1]) if named else None
    if person is None:
        return None
    async with snapshot():
        now = await world().clock.now()
        appointments = await _appointments(await _agreed_meetings(person, now), person)
    # A full calendar is most of a second's work, in which others must be served.
    return await asyncio.to_thread(subscribed_calendar, appointments, person, now=now)


async def part_for(told: Notification, person: Person, address: str) -> CalendarPart | None:
    """What the e-mail about this brings for the person's calendar, if anything: how the meeting stands now."""
    meeting = await Meeting.get_or_none(id=told.meeting_id) if told.meeting_id else None
    if meeting is None:
        return None
    (appointment,) = await _appointments([meeting], person)
    return calendar_part(
        told.kind,
        appointment,
        person,
        address=mailable(address),
        organizer=world().mail_from,
        now=await world().clock.now(),
    )


async def _agreed_meetings(person: Person, now: datetime) -> list[Meeting]:
    """The next ones, and as many of the last as there is room for; soonest first."""
    coming = await _on_both_sides(person, MOST_APPOINTMENTS, latest_first=False, starts_at__gte=now)
    room = MOST_APPOINTMENTS - len(coming)
    gone = await _on_both_sides(person, room, latest_first=True, starts_at__lt=now, starts_at__gte=now - SHOWN_FOR)
    return [*reversed(gone), *coming]


async def _on_both_sides(person: Person, most: int, *, latest_first: bool, **period: datetime) -> list[Meeting]:
    found: list[Meeting] = []
    for side in Side if most else ():
        # Each by itself comes from an index in its order.
        own = Meeting.filter(status=MeetingStatus.AGREED, **period, **{f"{side.lower()}_id": person.id})
        found += await own.order_by(*(("-starts_at", "-id") if latest_first else ("starts_at", "id"))).limit(most)
    return sorted(found, key=_place, reverse=latest_first)[:most]


def _place(meeting: Meeting) -> tuple[datetime, UUID]:
    return meeting.starts_at, meeting.id


async def _appointments(meetings: Sequence[Meeting], person: Person) -> list[Appointment]:
    """This person's own meetings, each with what their calendar says of it."""
    if not meetings:
        return []
    ids = [meeting.id for meeting in meetings]
    people = await Person.in_bulk({each for meeting in meetings for each in (meeting.user_id, meeting.expert_id)}, "id")
    services = await Service.in_bulk({meeting.service_id for meeting in meetings}, "id")
    alternatives = await pending_alternatives(meetings)
    links = {
        (link.meeting_id, link.side): world().links.url(link.id)
        for link in await JoinLink.filter(meeting_id__in=ids, revoked_at__isnull=True)
    }
    appointments = []
    for meeting in meetings:
        side = side_of(meeting, person)
        assert side is not None, "a meeting of somebody else"
        pending = alternatives.get(meeting.id)
        appointments.append(
            Appointment(
                meeting,
                side,
                other=people[meeting.expert_id if side is Side.USER else meeting.user_id].name,
                service=services[meeting.service_id].name,
                alternative=pending if pending and pending.original_date_in_force else None,
                join_url=links.get((meeting.id, side)),
            )
        )
    return appointments
