"""What people are told, word by word (N4): notifications.txt has every kind and variant; WRITE_GOLDEN=1 writes it."""

import os
import re
from datetime import datetime, timedelta
from itertools import product
from pathlib import Path

import pytest

from models import Person
from rules.terms import Language, NotificationKind
from schema.ids import row_id
from tests.driving import Client, Service
from tests.telling import TELLINGS, Telling, listed, two_people
from texts.notifications import notification_text
from texts.times import period_text

GOLDEN = Path(__file__).parent / "notifications.txt"
LINK = re.compile(r"/join/[\w=-]+")
"Whose they are is another test's: here they would be new ones every time."
ZONES = ("Europe/Berlin", "America/New_York")


async def entry(reader: Client, side: str) -> str:
    """The newest thing that a person was told, as it reads in each language and zone."""
    lines = []
    for language in Language:
        for zone in ZONES:
            await Person.filter(id=row_id("Person", reader.id)).update(language=language, time_zone=zone)
            newest = (await listed(reader, first=1))[0]
            if zone == ZONES[0]:
                lines.append(f"  {language}  {newest['title']}")
            lines.append(f"      {LINK.sub('/join/…', newest['body'])}")
    return "\n".join([f"{newest['kind']}, to the {side}", *lines])


async def read_out(world: Service, telling: Telling) -> str:
    """What both sides are told when it happens."""
    world.clock.reset()
    story = await two_people(world)
    await telling.before(story)
    await telling.what(story)
    entries = [await entry(story.side(side), side) for side in telling.told]
    return "\n".join([f"# {telling.name}", *entries])


async def test_n4_every_notification_reads_as_in_the_golden_file(world: Service):
    """In both languages and on two clocks: in Berlin the dates are over midnight and across a change of the clocks."""
    text = "\n\n".join([await read_out(world, telling) for telling in TELLINGS]) + "\n"
    assert {kind for kind in NotificationKind if f"\n{kind}, to the " in text} == set(NotificationKind)
    if os.environ.get("WRITE_GOLDEN"):
        GOLDEN.write_text(text)
    assert text == GOLDEN.read_text()


# What people wrote, and what clocks do

HOSTILE = {
    "braces": (
        "{other} {service} {0} {} {{x}} {date.__class__} %s",
        "{other} {service} {0} {} {{x}} {date.__class__} %s",
    ),
    "two hundred characters": ("ß" * 200, "ß" * 200),
    "line breaks": ("Bobby\r\n\tTables\u2028\x85\x0b Jr", "Bobby Tables Jr"),
    "control characters": ("\x07Be\x1b[31mll\x7f", "Be[31mll"),
    "turning marks": ("\u202eevil\u202c \u2066\u200fname\u2069", "evil name"),
    "another script": (
        "\u05de\u05e9\u05d4 \U0001f469\u200d\U0001f680",
        "\u05de\u05e9\u05d4 \U0001f469\u200d\U0001f680",
    ),
}
FACTS = {
    "starts_at": "2027-03-02T12:00:00+00:00",
    "ends_at": "2027-03-02T13:00:00+00:00",
    "alternative_starts_at": "2027-03-03T12:00:00+00:00",
    "alternative_ends_at": "2027-03-03T13:00:00+00:00",
    "price": 4000,
    "join_url": "http://localhost:8000/join/abc",
}


@pytest.mark.parametrize(("written", "shown"), HOSTILE.values(), ids=HOSTILE)
def test_n4_what_people_call_themselves_disturbs_no_sentence(written: str, shown: str):
    def told(kind: NotificationKind, language: Language, in_force: bool, words: str) -> tuple[str, str]:
        facts = dict.fromkeys(("other", "service", "text"), words)
        reasons = {"reason": dict.fromkeys(Language, words), "original_date_in_force": in_force}
        text = notification_text(kind, FACTS | facts | reasons, language, "UTC")
        return text.title, text.body

    for variant in product(NotificationKind, Language, (True, False)):
        for plain, hostile in zip(told(*variant, "PLAIN"), told(*variant, written), strict=True):
            assert "PLAIN" in plain
            assert hostile == plain.replace("PLAIN", shown)
            assert hostile.isprintable() or "\u200d" in shown


@pytest.mark.parametrize("name", ["{other}", "Bobby\n\u202eTables", "\x07" + "ß" * 199])
async def test_n4_names_and_messages_come_through_as_they_were_written_but_for_what_would_disturb(
    world: Service, name: str
):
    uma = await world.somebody("Uma User", credits="100.00")
    uma.token = world.token(sub=uma.sub, name=name)
    emil = await world.expert("Emil Expert")
    meeting = await uma.proposed(emil)
    shown = name.replace("\n", " ").replace("\u202e", "").replace("\x07", "")
    assert [each["title"] for each in await listed(emil)] == [f"{shown} would like to meet you"]
    chat = (await uma.act("openChat", meetingId=meeting["id"]))["chat"]["id"]
    await uma.act("sendChatMessage", chatId=chat, text="{text}\n\u202e{other}")
    assert (await listed(emil))[0]["body"] == "“{text} {other}”"


def test_n4_a_reason_that_is_a_sentence_ends_once():
    facts = {"other": "Uma", "service": "Advice", "reason": dict.fromkeys(Language, "I am ill.")}
    body = notification_text(NotificationKind.MEETING_CANCELLED_BY_USER, FACTS | facts, Language.EN, "UTC").body
    assert body.endswith(". Reason: I am ill.")


@pytest.mark.parametrize(
    ("zone", "start", "told"),
    [
        ("Europe/Berlin", "2027-03-28T00:30Z", "Sunday, 28 March 2027, 01:30 – 03:30 (GMT+01:00 – GMT+02:00)"),
        ("Europe/Berlin", "2027-10-31T00:30Z", "Sunday, 31 October 2027, 02:30 – 02:30 (GMT+02:00 – GMT+01:00)"),
        ("Europe/Berlin", "2027-10-31T01:30Z", "Sunday, 31 October 2027, 02:30 – 03:30 (GMT+01:00)"),
        ("America/New_York", "2027-11-07T05:30Z", "Sunday, 7 November 2027, 01:30 – 01:30 (GMT-04:00 – GMT-05:00)"),
        ("Australia/Lord_Howe", "2027-04-03T14:30Z", "Sunday, 4 April 2027, 01:30 – 02:00 (GMT+11:00 – GMT+10:30)"),
        (
            "Asia/Kathmandu",
            "2027-12-31T17:30Z",
            "Friday, 31 December 2027, 23:15 – Saturday, 1 January 2028, 00:15 (GMT+05:45)",
        ),
        ("UTC", "2027-02-28T23:00Z", "Sunday, 28 February 2027, 23:00 – Monday, 1 March 2027, 00:00 (GMT+00:00)"),
    ],
)
def test_n4_an_hour_is_told_as_the_readers_clock_shows_it(zone: str, start: str, told: str):
    """Over midnight, across changes of the clocks in both directions, and where they differ by half an hour."""
    begins = datetime.fromisoformat(start)
    assert period_text(begins, begins + timedelta(hours=1), Language.EN, zone) == told
