"""Meetings as calendars take them (RFC 5545): parts of e-mails, and a calendar that one can subscribe to.

A part says how its meeting stands when it is made, under the number of its newest event. So whatever order e-mails
arrive in, a calendar that keeps to SEQUENCE ends up with what is true (RFC 5546).

Each side's copy is an event of its own with nobody but them as its ATTENDEE: people are not shown each other's
addresses (Q5). Its ORGANIZER is whoever sends the e-mails: calendars take changes and cancellations from nobody else.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import quote

from icalendar import Calendar, Event, vCalAddress

from mail.messages import CalendarPart
from mail.time_zones import StatedZone, stated_zone
from models import AlternativeDate, Meeting, Person
from rules.mailing import in_calendar
from rules.terms import Answer, MeetingStatus, NotificationKind, Side
from texts import calendars as texts
from texts import say
from texts.mails import SENDER

MAKER = "-//Expertim//Meetings//EN"
LOOK_AGAIN_AFTER = timedelta(hours=1)
UNRESERVED_IN_ADDRESSES = "@!$'*+"

TOLD_TO_CALENDARS = frozenset(
    {
        NotificationKind.EXPERT_MEETING_INVITATION,
        NotificationKind.USER_MEETING_INVITATION,
        NotificationKind.MEETING_APPROVED,
        NotificationKind.MEETING_REJECTED,
        NotificationKind.PROPOSAL_LAPSED,
        NotificationKind.MEETING_CANCELLED_BY_USER,
        NotificationKind.MEETING_CANCELLED_BY_EXPERT,
        NotificationKind.REJECTED_MEETING_RESCHEDULED,
        NotificationKind.AGREED_MEETING_RESCHEDULED,
        NotificationKind.ALTERNATIVE_DATE_APPROVED,
        NotificationKind.ALTERNATIVE_DATE_REJECTED,
        NotificationKind.ALTERNATIVE_DATE_CANCELLED,
        NotificationKind.ALTERNATIVE_DATE_LAPSED,
    }
)
"Invitations, changes and cancellations (N)."

STATUS = {MeetingStatus.AWAITING_APPROVAL: "TENTATIVE", MeetingStatus.AGREED: "CONFIRMED"}
PARTICIPATION = {Answer.PENDING: "NEEDS-ACTION", Answer.APPROVED: "ACCEPTED", Answer.REJECTED: "DECLINED"}


@dataclass(frozen=True, slots=True)
class Appointment:
    """A meeting as one of its sides is to have it in their calendar."""

    meeting: Meeting
    side: Side
    other: str
    service: str
    alternative: AlternativeDate | None = None
    "The alternative date that waits for an answer while this one stays valid (R3)."
    join_url: str | None = None
    "This side's own link."

    @property
    def answer(self) -> Answer:
        """What this side has said to the date."""
        return self.meeting.user_answer if self.side is Side.USER else self.meeting.expert_answer


def calendar_part(
    kind: NotificationKind, appointment: Appointment, person: Person, *, address: str, organizer: str, now: datetime
) -> CalendarPart | None:
    """What an e-mail that tells a person of this brings for their calendar: how the meeting stands now (N)."""
    if kind not in TOLD_TO_CALENDARS:
        return None
    zone = _zone_for([appointment], person, now)
    event = _event(appointment, person, zone)
    event.add("dtstamp", now)
    event.add("organizer", _address(organizer, CN=SENDER))
    participation = PARTICIPATION[appointment.answer]
    event.add("attendee", _address(address, ROLE="REQ-PARTICIPANT", PARTSTAT=participation, RSVP="FALSE"))
    method = "CANCEL" if event["status"] == "CANCELLED" else "REQUEST"
    calendar = _calendar(zone, [event])
    calendar.add("method", method)
    return CalendarPart(str(calendar.to_ical(), "utf-8"), method)


def subscribed_calendar(appointments: Sequence[Appointment], person: Person, *, now: datetime) -> str:
    """All of these as a calendar; of the same meetings always the same."""
    zone = _zone_for(appointments, person, now)
    events = []
    for each in appointments:
        event = _event(each, person, zone)
        event.add("dtstamp", each.meeting.changed_at)
        events.append(event)
    calendar = _calendar(zone, events)
    name = say(texts.NAME, person.language)
    calendar.add("name", name)
    calendar.add("x-wr-calname", name)  # what clients called it before RFC 7986
    calendar.add("refresh-interval", LOOK_AGAIN_AFTER, parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", "PT1H")
    return str(calendar.to_ical(), "utf-8")


def _zone_for(appointments: Sequence[Appointment], person: Person, now: datetime) -> StatedZone:
    years = [each.meeting.starts_at.year for each in appointments] or [now.year]
    return stated_zone(person.time_zone, min(years), max(years) + 1)


def _calendar(zone: StatedZone, events: Sequence[Event]) -> Calendar:
    calendar = Calendar()
    calendar.add("version", "2.0")
    calendar.add("prodid", MAKER)
    calendar.add("calscale", "GREGORIAN")
    for component in (zone.rules, *events):
        calendar.add_component(component)
    return calendar


def _event(appointment: Appointment, person: Person, zone: StatedZone) -> Event:
    meeting, alternative, language = appointment.meeting, appointment.alternative, person.language
    starts_at, ends_at = zone.local(meeting.starts_at, meeting.ends_at)
    event = Event()
    event.add("uid", f"{meeting.id}-{appointment.side.lower()}")
    event.add("sequence", meeting.version)
    event.add("created", meeting.created_at)
    event.add("last-modified", meeting.changed_at)
    event.add("dtstart", starts_at)
    event.add("dtend", ends_at)
    is_shown = in_calendar(meeting.status, appointment.answer)
    event.add("status", STATUS[meeting.status] if is_shown else "CANCELLED")
    event.add("class", "PRIVATE")  # many show their calendar to colleagues, but the link is for them alone (L1)
    summary = texts.summary(meeting.status, service=appointment.service, other=appointment.other, language=language)
    # icalendar writes a line break for these two characters, whoever is called so; an invisible one keeps them apart.
    event.add("summary", summary.replace("\\N", "\\\u2060N"))
    event.add(
        "description",
        texts.description(
            meeting.status,
            alternative=(alternative.starts_at, alternative.ends_at) if alternative else None,
            join_url=appointment.join_url,
            language=language,
            time_zone=person.time_zone,
        ),
    )
    if appointment.join_url is not None:
        event.add("location", appointment.join_url)
        event.add("url", appointment.join_url)
    return event


def _address(address: str, **parameters: str) -> vCalAddress:
    return vCalAddress(f"mailto:{quote(address, safe=UNRESERVED_IN_ADDRESSES)}", params=parameters)
