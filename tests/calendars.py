"""What calendars make of what they are sent; read by another library than wrote it."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from functools import cache
from typing import Any

import vobject

from mail.messages import CalendarPart


@dataclass(frozen=True)
class Entry:
    """An event as a calendar shows it; its times by the rules that came with it."""

    uid: str
    age: tuple[int, datetime]
    starts_at: datetime
    ends_at: datetime
    status: str
    summary: str
    description: str
    answer: str | None
    organizer: str | None
    location: str | None


@cache  # the library is slow, and the same texts are asked for again and again
def read(text: str) -> Any:
    """The one calendar that this is, if it is one."""
    assert text.startswith("BEGIN:VCALENDAR\r\n")
    assert text.endswith("END:VCALENDAR\r\n")
    assert "\n" not in text.replace("\r\n", "")
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    calendar = vobject.readOne(text)
    calendar.validate(raiseException=True)
    return calendar


def entries(text: str) -> list[Entry]:
    """The events of a calendar."""
    return list(_entries(text))


@cache
def _entries(text: str) -> tuple[Entry, ...]:
    calendar = read(text)
    return tuple(_entry(event, calendar.vtimezone) for event in calendar.contents.get("vevent", []))


def _instant(line: Any, zone: Any) -> datetime:
    """When this is by the zone's rules that came with it, whatever else is known of a zone of this name."""
    if "X-VOBJ-ORIGINAL-TZID" not in line.params:
        assert line.serialize().endswith("Z\r\n")
        return line.value.astimezone(UTC)
    assert line.params["X-VOBJ-ORIGINAL-TZID"] == [zone.tzid.value]
    return line.value.replace(tzinfo=zone.tzinfo).astimezone(UTC)


def _entry(event: Any, zone: Any) -> Entry:
    def text(name: str) -> str | None:
        return event.contents[name][0].value if name in event.contents else None

    attendees = event.contents.get("attendee", [])
    assert len(attendees) <= 1
    return Entry(
        uid=event.uid.value,
        age=(int(event.sequence.value), event.dtstamp.value),
        starts_at=_instant(event.dtstart, zone),
        ends_at=_instant(event.dtend, zone),
        status=event.status.value,
        summary=event.summary.value,
        description=event.description.value,
        answer=attendees[0].params["PARTSTAT"][0] if attendees else None,
        organizer=text("organizer"),
        location=text("location"),
    )


def calendar_part(message: EmailMessage) -> CalendarPart | None:
    """What an e-mail brings for a calendar, as it came over the line."""
    for each in message.walk():
        if each.get_content_type() == "text/calendar":
            content = each.get_payload(decode=True)
            assert isinstance(content, bytes)
            return CalendarPart(content.decode(), str(each.get_param("method")))
    return None


@dataclass
class Calendar:
    """Somebody's calendar as common clients keep it (RFC 5546, 2.1.5): by UID, and never back to what is older."""

    kept: dict[str, Entry] = field(default_factory=dict)

    def take(self, part: CalendarPart) -> None:
        """The part of an e-mail."""
        calendar = read(part.text)
        assert calendar.method.value == part.method
        (entry,) = entries(part.text)
        assert (part.method == "CANCEL") == (entry.status == "CANCELLED")
        known = self.kept.get(entry.uid)
        if known is not None:
            assert entry.organizer == known.organizer, "a change by somebody else is not taken"
            if entry.age < known.age:
                return
        self.kept[entry.uid] = entry

    @property
    def shown(self) -> list[Entry]:
        return [entry for entry in self.kept.values() if entry.status != "CANCELLED"]
