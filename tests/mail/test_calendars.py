"""Meetings as calendars take them: whatever they are called, and whatever the clocks do."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import SMTP
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mail.calendars import Appointment, calendar_part, subscribed_calendar
from mail.messages import CalendarPart
from mail.time_zones import stated_zone
from models import AlternativeDate, Meeting, Person
from resolvers.people import TIME_ZONES
from rules.terms import Answer, Language, MeetingStatus, NotificationKind, Side
from tests.calendars import Entry, entries, read
from tests.examples import TIMES

NOW = datetime(2027, 3, 1, 12, 0, tzinfo=UTC)
MEETING = UUID("018f2f6a-1111-7000-8000-0000000000ff")
URL = "https://meet.example.com/join/" + "x" * 90
NO_YEARLY_RULES = {
    *("Africa/Cairo", "Egypt", "Africa/Casablanca", "Africa/El_Aaiun", "Asia/Gaza", "Asia/Hebron", "Asia/Jerusalem"),
    *("Asia/Tel_Aviv", "Israel", "America/Nuuk", "America/Godthab", "America/Scoresbysund", "America/Santiago"),
    "Chile/Continental",
}
"Their clocks are changed by the moon, or on the day before or after a certain Sunday."


@pytest.fixture(autouse=True)
def _models(service):
    """Rows can be made of models that are set up."""


def meeting(**changes: object) -> Meeting:
    """An agreed one of an hour."""
    starts_at = changes.pop("starts_at", datetime(2027, 3, 11, 12, 0, tzinfo=UTC))
    given = {
        "id": MEETING,
        "version": 3,
        "status": MeetingStatus.AGREED,
        "starts_at": starts_at,
        "ends_at": starts_at + timedelta(hours=1),  # type: ignore[operator]
        "user_answer": Answer.APPROVED,
        "expert_answer": Answer.APPROVED,
        "created_at": NOW,
        "changed_at": NOW,
    }
    return Meeting(**{**given, **changes})


def person(time_zone: str = "Europe/Berlin", language: Language = Language.EN) -> Person:
    return Person(name="Uma", language=language, time_zone=time_zone)


def appointment(of: Meeting | None = None, **changes: object) -> Appointment:
    return replace(Appointment(of or meeting(), Side.USER, other="Emil Expert", service="Advice"), **changes)  # type: ignore[arg-type]


def part(
    appointment: Appointment,
    person: Person,
    *,
    address: str = "uma@example.com",
    kind: NotificationKind = NotificationKind.MEETING_APPROVED,
) -> CalendarPart:
    made = calendar_part(kind, appointment, person, address=address, organizer="meet@example.com", now=NOW)
    assert made is not None
    return made


def entry_of(appointment: Appointment, person: Person) -> Entry:
    (entry,) = entries(part(appointment, person).text)
    return entry


# How a meeting stands


@pytest.mark.parametrize(
    ("status", "answers", "expected"),
    [
        (MeetingStatus.AWAITING_APPROVAL, (Answer.PENDING, Answer.APPROVED), ("REQUEST", "TENTATIVE", "NEEDS-ACTION")),
        (MeetingStatus.AWAITING_APPROVAL, (Answer.APPROVED, Answer.PENDING), ("CANCEL", "CANCELLED", "ACCEPTED")),
        (MeetingStatus.AGREED, (Answer.APPROVED, Answer.APPROVED), ("REQUEST", "CONFIRMED", "ACCEPTED")),
        (MeetingStatus.REJECTED, (Answer.REJECTED, Answer.APPROVED), ("CANCEL", "CANCELLED", "DECLINED")),
        (MeetingStatus.CANCELLED, (Answer.APPROVED, Answer.APPROVED), ("CANCEL", "CANCELLED", "ACCEPTED")),
    ],
)
def test_n_a_part_says_how_the_meeting_stands(status, answers, expected):
    user_answer, expert_answer = answers
    stands = meeting(status=status, user_answer=user_answer, expert_answer=expert_answer)
    made = part(appointment(stands), person())
    (entry,) = entries(made.text)
    assert (made.method, entry.status, entry.answer) == expected
    assert entry.organizer == "mailto:meet@example.com"
    assert entry.age == (3, NOW)


@pytest.mark.parametrize("kind", NotificationKind)
def test_n_invitations_changes_and_cancellations_bring_a_part_and_nothing_else_does(kind: NotificationKind):
    made = calendar_part(kind, appointment(), person(), address="u@example.com", organizer="m@example.com", now=NOW)
    about_a_date = {"INVITATION", "APPROVED", "REJECTED", "LAPSED", "CANCELLED", "RESCHEDULED"}
    assert (made is not None) == bool(about_a_date & {*kind.split("_")})


def test_n_each_sides_copy_is_an_event_of_its_own_and_names_nobody_elses_address():
    user, expert = (part(appointment(side=side), person()).text for side in Side)
    assert entries(user)[0].uid == f"{MEETING}-user"
    assert entries(expert)[0].uid == f"{MEETING}-expert"
    assert user.count("mailto:") == 2


@pytest.mark.parametrize(
    ("language", "summary", "description"),
    [
        (Language.EN, "Advice with Emil Expert (not agreed yet)", "This date has been proposed"),
        (Language.DE, "Advice mit Emil Expert (noch nicht vereinbart)", "Dieser Termin wurde vorgeschlagen"),
    ],
)
def test_n_a_calendar_is_spoken_to_in_its_owners_language(language: Language, summary: str, description: str):
    proposed = meeting(status=MeetingStatus.AWAITING_APPROVAL)
    entry = entry_of(appointment(proposed), person(language=language))
    assert entry.summary == summary
    assert entry.description.startswith(description)


def test_r3_a_pending_alternative_is_only_told_of():
    starts_at = datetime(2027, 3, 28, 0, 30, tzinfo=UTC)
    alternative = AlternativeDate(starts_at=starts_at, ends_at=starts_at + timedelta(hours=1))
    entry = entry_of(appointment(alternative=alternative), person())
    assert entry.starts_at == meeting().starts_at
    assert "Sunday, 28 March 2027, 01:30 – 03:30 (GMT+01:00 – GMT+02:00)" in entry.description
    assert "alternative" not in entry_of(appointment(), person()).description


def test_l1_the_link_is_where_the_meeting_is_and_colleagues_are_not_shown_it():
    made = part(appointment(join_url=URL), person()).text
    (event,) = read(made).contents["vevent"]
    assert (event.url.value, event.location.value) == (URL, URL)
    assert URL in event.description.value
    assert event.contents["class"][0].value == "PRIVATE"
    assert entry_of(appointment(), person()).location is None


# Whatever people are called

HOSTILE = [
    "A, B; C: \"D\" 'E' \\n \\, {x} %s",
    "Evil\r\nATTENDEE:mailto:evil@example.com",
    "Evil\nEND:VEVENT\nEND:VCALENDAR",
    "\0\x07\x1b[0m Bell \u2028\u2029 \x85 line \x0b \x0c",
    "\u202egnp.exe",
    "😀" * 60 + "ä" * 60,
    "é" + "x" * 74,
    "BEGIN:VALARM",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_n_hostile_names_stay_words(name: str):
    made = part(appointment(other=name, service=name), person(language=Language.DE)).text
    (event,) = read(made).contents["vevent"]
    assert set(event.contents) == {
        *("uid", "sequence", "created", "last-modified", "dtstart", "dtend", "status", "class", "summary"),
        *("description", "dtstamp", "organizer", "attendee"),
    }
    assert len(event.contents["attendee"]) == 1
    assert not list(event.components())
    assert event.summary.value.replace(" ", "").isprintable()


@settings(max_examples=100 * TIMES, deadline=None)
@given(st.text(max_size=200).map(lambda text: text.encode(errors="ignore").decode().replace("\0", "")))
@example("\\N and \\n")
def test_n_any_name_is_read_back_as_it_is_said(name: str):
    said = entry_of(appointment(other=name, service="S"), person()).summary
    assert said.startswith("S with ")
    visible = [each for each in name if each.isalnum()]
    assert [each for each in said.removeprefix("S with ") if each.isalnum()] == visible


@pytest.mark.parametrize(
    "address", ["a+b@example.com", "o'neil!x@example.com", "a%b@example.com", "a?cc=x&b@example.com"]
)
def test_n_an_address_is_one_address(address: str):
    (event,) = read(part(appointment(), person(), address=address).text).contents["vevent"]
    (attendee,) = event.contents["attendee"]
    expected = address.replace("%", "%25").replace("?", "%3F").replace("=", "%3D").replace("&", "%26")
    assert attendee.value == f"mailto:{expected}"


def test_n_a_part_goes_through_an_e_mail_unharmed():
    made = part(appointment(other="Émile 😀" * 20, join_url=URL), person())
    message = EmailMessage(policy=SMTP)
    message.set_content("text")
    message.add_alternative(made.text, subtype="calendar", params={"method": made.method}, cte="base64")
    received = BytesParser(policy=SMTP).parsebytes(message.as_bytes())
    *_, calendar = received.iter_parts()
    assert calendar["content-type"].params == {"method": "REQUEST", "charset": "utf-8"}
    assert calendar.get_content() == made.text


# Whatever the clocks do

CHANGES = {
    "Europe/Berlin": (datetime(2027, 3, 28, 1, tzinfo=UTC), datetime(2027, 10, 31, 1, tzinfo=UTC)),
    "America/New_York": (datetime(2027, 3, 14, 7, tzinfo=UTC), datetime(2027, 11, 7, 6, tzinfo=UTC)),
    "Australia/Lord_Howe": (datetime(2027, 4, 3, 15, tzinfo=UTC), datetime(2027, 10, 2, 15, 30, tzinfo=UTC)),
    "Europe/Dublin": (datetime(2027, 3, 28, 1, tzinfo=UTC), datetime(2027, 10, 31, 1, tzinfo=UTC)),
}
AROUND = [(zone, change, minutes) for zone in CHANGES for change in (0, 1) for minutes in range(-120, 121, 15)]


@pytest.mark.parametrize(("zone", "change", "minutes"), AROUND)
def test_n_every_quarter_hour_around_both_changes_of_the_clocks_is_the_right_one(zone: str, change: int, minutes: int):
    starts_at = CHANGES[zone][change] + timedelta(minutes=minutes)
    entry = entry_of(appointment(meeting(starts_at=starts_at)), person(zone))
    assert (entry.starts_at, entry.ends_at) == (starts_at, starts_at + timedelta(hours=1))


def test_n_times_are_told_on_the_owners_clock_unless_it_goes_through_an_hour_twice():
    def start_of(hour: int) -> str:
        starts_at = datetime(2027, 10, 31, hour, 30, tzinfo=UTC)
        text = part(appointment(meeting(starts_at=starts_at)), person()).text
        return next(
            line for line in text.splitlines() if line.startswith("DTSTART") and "T" in line[8:] and "2027" in line
        )

    assert start_of(0) == "DTSTART:20271031T003000Z"  # its end is in that hour
    assert start_of(1) == "DTSTART:20271031T013000Z"
    assert start_of(2) == "DTSTART;TZID=Europe/Berlin:20271031T033000"


def test_n_of_every_zone_the_rules_that_calendars_are_told_are_its_own():
    told_in_utc = set()
    for number, name in enumerate(sorted(TIME_ZONES)):
        zone = stated_zone(name, 2027, 2029)
        if zone.zone.key != name:
            told_in_utc.add(name)
        assert zone.rules["tzid"] == zone.zone.key
        assert "RDATE" not in zone.rules.to_ical().decode()
        if number % 25:
            continue  # what clients make of the rules is worked out for some of them
        starts = [datetime(2027, 1, 1, 12, tzinfo=UTC) + timedelta(days=days) for days in range(0, 1_095, 91)]
        text = subscribed_calendar([appointment(meeting(starts_at=each)) for each in starts], person(name), now=NOW)
        assert [entry.starts_at for entry in entries(text)] == starts, name
    assert told_in_utc == NO_YEARLY_RULES


def test_n_a_zone_whose_law_has_changed_is_told_in_utc_until_a_year_is_over():
    assert stated_zone("America/Mexico_City", 2022, 2023).zone == ZoneInfo("UTC")  # no change since October 2022
    assert stated_zone("America/Mexico_City", 2024, 2025).zone == ZoneInfo("America/Mexico_City")


@pytest.mark.parametrize("time_zone", ["UTC", "Europe/Berlin", "Africa/Casablanca"])
def test_n_a_calendar_without_meetings_is_one(time_zone: str):
    text = subscribed_calendar([], person(time_zone, Language.DE), now=NOW)
    assert entries(text) == []
    assert len(read(text).contents["vtimezone"]) == 1
    assert read(text).contents["x-wr-calname"][0].value == "Treffen bei Expertim"


def test_n_a_subscribed_calendar_invites_to_nothing_and_is_always_the_same():
    text = subscribed_calendar([appointment(join_url=URL)], person(), now=NOW)
    assert subscribed_calendar([appointment(join_url=URL)], person(), now=NOW + timedelta(hours=5)) == text
    (entry,) = entries(text)
    assert (entry.organizer, entry.answer) == (None, None)
    assert "METHOD" not in text
