"""What a side brought about itself reaches its calendar too, by an e-mail that confirms it and nothing else (N, N4)."""

import asyncio
import random
import re
from collections.abc import AsyncIterator
from email.message import EmailMessage
from typing import Any

import asyncpg
import pytest

from mail.messages import CalendarPart
from models import Delivery, Meeting, Notification, Person
from models.deliveries import DeliveryStatus
from rules.terms import NotificationKind
from schema.ids import row_id
from settings import Settings
from tests.calendars import Calendar, calendar_part, entries
from tests.driving import WAIT_AT_MOST_SECONDS, Client, Service, mutation
from tests.mail.server import MailServer, mailed_by_smtp, part
from tests.negotiations import OTHER, PROPOSER, Negotiation
from tests.telling import TELLINGS, Telling, listed, two_people
from texts.mails import CONFIRMATIONS

SHUFFLES = 30
CONFIRMED = re.compile("A1|A3|K2|K5|K6|R4|R5 .*date rejected, rejected")
"Of all that is told: what brings an agreed date into force, moves it or calls it off, or turns an invitation down."
CONFIRMED_KINDS = re.compile("MEETING_(APPROVED|REJECTED|CANCELLED_BY)|DATE_(APPROVED|REJECTED)")
END_WHO_WAITS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%feed_entry%'
"""


@pytest.fixture
async def server(world: Service) -> AsyncIterator[MailServer]:
    async with mailed_by_smtp() as server:
        yield server


def to(server: MailServer, client: Client) -> list[EmailMessage]:
    return server.to(f"{client.sub}@example.com")


def parts(server: MailServer, negotiation: Negotiation, side: str) -> list[CalendarPart]:
    """What this side was sent for its calendar about this meeting."""
    uid = f"{row_id('Meeting', negotiation.meeting['id'])}-{side.lower()}"
    found = [calendar_part(message) for message in to(server, negotiation.side(side))]
    return [each for each in found if each is not None and entries(each.text)[0].uid == uid]


def calendar_with(taken: list[CalendarPart]) -> Calendar:
    calendar = Calendar()
    for each in taken:
        calendar.take(each)
    return calendar


def check_shown(calendar: Calendar, meeting: Meeting, side: str) -> None:
    """The meeting as it stands, once; nothing of what is not to take place, or was proposed by its owner alone."""
    assert len(calendar.kept) <= 1
    is_asked = meeting.status == "AWAITING_APPROVAL" and getattr(meeting, f"{side.lower()}_answer") == "PENDING"
    if meeting.status != "AGREED" and not is_asked:
        assert calendar.shown == []
        return
    (entry,) = calendar.shown
    assert (entry.starts_at, entry.ends_at) == (meeting.starts_at, meeting.ends_at)
    assert entry.status == ("CONFIRMED" if meeting.status == "AGREED" else "TENTATIVE")


async def row(negotiation: Negotiation) -> Meeting:
    return await Meeting.get(id=row_id("Meeting", negotiation.meeting["id"]))


async def confirmations(negotiation: Negotiation) -> list[tuple[str, str]]:
    """What was confirmed to which side, oldest first."""
    meeting = await row(negotiation)
    confirmed = Delivery.filter(confirmation=True, notification__meeting_id=meeting.id).order_by("id")
    told = await confirmed.values_list("notification__kind", "notification__person_id")
    return [(str(kind), "EXPERT" if person_id == meeting.user_id else "USER") for kind, person_id in told]


# Both sides' calendars


def story(first: str) -> list[tuple[str, str, dict[str, Any]]]:
    """Agreed, moved twice and cancelled: what one side does, the other does next."""
    second = OTHER[first]
    return [
        (second, "approveMeeting", {}),
        (first, "chooseAlternativeDate", {"days": 20}),
        (second, "approveAlternativeDate", {}),
        (second, "chooseAlternativeDate", {"days": 15, "hours": 3}),
        (first, "approveAlternativeDate", {}),
        (first, "cancelMeeting", {}),
    ]


async def play(negotiation: Negotiation, side: str, action: str, ahead: dict[str, Any]) -> None:
    await negotiation.do(side, action, **({"startsAt": negotiation.world.at(**ahead)} if ahead else {}))


@PROPOSER
async def test_n_agreed_moved_twice_and_cancelled_is_one_event_in_both_calendars_whoever_acts(
    world: Service, uma: Client, emil: Client, server: MailServer, proposer: str
):
    """After each step, by what each side was sent itself; in the end also in whatever order it arrived."""
    negotiation = await Negotiation(world, uma, emil).propose(proposer)
    await world.beat(mail=True)
    for step in story(proposer):
        await play(negotiation, *step)
        await world.beat(mail=True)
        for side in OTHER:
            check_shown(calendar_with(parts(server, negotiation, side)), await row(negotiation), side)
    shuffler = random.Random(proposer)
    for side in OTHER:
        sent = parts(server, negotiation, side)
        assert [each.method for each in sent] == ["REQUEST"] * (len(sent) - 1) + ["CANCEL"]
        numbers = [entries(each.text)[0].age[0] for each in sent]
        assert numbers == sorted(set(numbers)), "each change once, under a higher number"
        for _ in range(SHUFFLES):
            calendar = calendar_with([*shuffler.sample(sent, len(sent)), shuffler.choice(sent)])
            assert (len(calendar.kept), calendar.shown) == (1, [])
    assert set(server.times.values()) == {1}


@PROPOSER
@pytest.mark.parametrize("steps", [1, 3, 5])
async def test_n_in_whatever_order_they_arrive_both_calendars_have_the_date_in_force(
    world: Service, uma: Client, emil: Client, server: MailServer, proposer: str, steps: int
):
    negotiation = await Negotiation(world, uma, emil).propose(proposer)
    for step in story(proposer)[:steps]:
        await play(negotiation, *step)
        await world.beat(mail=True)
    shuffler = random.Random(proposer)
    for side in OTHER:
        sent = parts(server, negotiation, side)
        for _ in range(SHUFFLES):
            check_shown(calendar_with(shuffler.sample(sent, len(sent))), await row(negotiation), side)


async def test_n_a_confirmation_that_is_overtaken_shows_how_the_meeting_stands_by_then(
    world: Service, uma: Client, emil: Client, server: MailServer
):
    negotiation = await Negotiation(world, uma, emil).propose("USER")
    await server.stop()
    for step in story("USER"):
        await play(negotiation, *step)
        await world.beat(mail=True)
    await server.start()
    world.clock.advance(hours=1)
    await world.beat(mail=True)
    for side in OTHER:
        sent = parts(server, negotiation, side)
        assert {each.method for each in sent} == {"CANCEL"}
        check_shown(calendar_with(sent), await row(negotiation), side)
    assert "You have agreed to the meeting with Uma User" in [each["Subject"] for each in to(server, emil)]


@pytest.mark.parametrize("telling", TELLINGS, ids=[telling.name for telling in TELLINGS])
async def test_n4_whatever_happens_both_calendars_are_right_and_nobody_is_told_of_it_twice(
    world: Service, server: MailServer, telling: Telling
):
    negotiation = await two_people(world)
    await telling.before(negotiation)
    await world.beat(mail=True)
    before = await confirmations(negotiation) if negotiation.meeting else []
    letters = {side: len(to(server, negotiation.side(side))) for side in OTHER}
    await telling.what(negotiation)
    await world.beat(mail=True)
    meeting = await row(negotiation)
    for side in OTHER:
        check_shown(calendar_with(parts(server, negotiation, side)), meeting, side)
    told = dict(telling.told)
    if CONFIRMED.match(telling.name):
        ((side, kind),) = told.items()
        assert (await confirmations(negotiation))[len(before) :] == [(kind, OTHER[side])]
        told[OTHER[side]] = kind
    else:
        assert await confirmations(negotiation) == before
    for side in OTHER:
        assert len(to(server, negotiation.side(side))) - letters[side] == (side in told)


# What it says, and to whom


async def test_n_it_says_what_they_did_in_their_language_and_on_their_clock_and_how_it_stands(
    world: Service, uma: Client, emil: Client, server: MailServer
):
    await emil.act("updateProfile", language="DE", timeZone="Asia/Tokyo")
    await Negotiation(world, uma, emil).agree("USER", startsAt="2027-06-01T12:00:00Z")
    await world.beat(mail=True)
    (message,) = (each for each in to(server, emil) if "zugestimmt" in each["Subject"])
    assert message["Subject"] == "Sie haben dem Treffen mit Uma User zugestimmt"
    said = " ".join(part(message, "text/plain").split())
    assert "„Advice“ mit Uma User ist vereinbart: Dienstag, 1. Juni 2027, 21:00 – 22:00 (GMT+09:00)." in said
    assert "Treffen ansehen" in said
    brought = calendar_part(message)
    assert brought is not None
    (entry,) = entries(brought.text)
    assert (entry.summary, entry.answer) == ("Advice mit Uma User", "ACCEPTED")


@PROPOSER
async def test_n_what_credits_the_other_side_got_is_not_said_to_who_cancelled(
    world: Service, uma: Client, emil: Client, server: MailServer, proposer: str
):
    negotiation = await Negotiation(world, uma, emil).agree(proposer)
    await negotiation.do("EXPERT", "cancelMeeting", reasonCode="ILLNESS")
    await world.beat(mail=True)
    to_emil, to_uma = (" ".join(part(to(server, each)[-1], "text/plain").split()) for each in (emil, uma))
    assert to(server, emil)[-1]["Subject"] == "You have cancelled the meeting with Uma User"
    assert "40.00 credits have been returned to you." in to_uma
    assert "credits have been" not in to_emil
    assert "will not take place" in to_emil
    assert "Reason: " in to_emil


async def test_n4_it_is_no_notification(world: Service, uma: Client, emil: Client, server: MailServer):
    negotiation = await Negotiation(world, uma, emil).propose("USER")
    before = await listed(emil)
    await negotiation.do("EXPERT", "approveMeeting")
    assert await confirmations(negotiation) == [("MEETING_APPROVED", "EXPERT")]
    assert await listed(emil) == before
    assert (await emil.ask("{ unreadNotifications }"))["unreadNotifications"] == 1


def test_whatever_can_be_confirmed_has_words_for_it():
    assert {kind for kind in NotificationKind if CONFIRMED_KINDS.search(kind)} == set(CONFIRMATIONS)


async def test_whoever_has_no_address_is_confirmed_nothing(
    world: Service, uma: Client, emil: Client, server: MailServer
):
    await Person.filter(id=row_id("Person", emil.id)).update(email=None)
    emil.token = world.token(sub=emil.sub, name="Emil Expert")
    negotiation = await Negotiation(world, uma, emil).agree("USER")
    assert await confirmations(negotiation) == []


# Muting


async def test_n_it_is_muted_with_the_kind_that_the_other_side_is_notified_by(
    world: Service, uma: Client, emil: Client, server: MailServer
):
    await emil.act("updateProfile", mutedKinds=["MEETING_APPROVED"])
    negotiation = await Negotiation(world, uma, emil).agree("USER")
    assert await confirmations(negotiation) == []
    await negotiation.do("EXPERT", "cancelMeeting")
    await world.beat(mail=True)
    assert await confirmations(negotiation) == [("MEETING_CANCELLED_BY_EXPERT", "EXPERT")]
    assert [each["Subject"] for each in to(server, emil)][-1] == "You have cancelled the meeting with Uma User"
    assert to(server, emil)[-1]["List-Unsubscribe"] is None, "a cancellation can't be muted"


async def test_n_what_is_muted_before_it_is_sent_is_not_sent(
    world: Service, uma: Client, emil: Client, server: MailServer
):
    await Negotiation(world, uma, emil).agree("USER")
    await emil.act("updateProfile", mutedKinds=["MEETING_APPROVED"])
    await world.beat(mail=True)
    assert [each["Subject"] for each in to(server, uma)] == ["Emil Expert has agreed to your proposal"]
    assert [each["Subject"] for each in to(server, emil)] == ["Uma User would like to meet you"]
    told = await Notification.get(person_id=row_id("Person", uma.id))
    assert (await Delivery.get(notification_id=told.id, confirmation=True)).status is DeliveryStatus.OMITTED


async def test_n_its_own_link_mutes_for_whom_it_was_sent_to(
    world: Service, uma: Client, emil: Client, server: MailServer
):
    await Negotiation(world, uma, emil).agree("USER")
    await world.beat(mail=True)
    (message,) = (each for each in to(server, emil) if each["Subject"].startswith("You have agreed"))
    path = str(message["List-Unsubscribe"]).strip("<>").removeprefix("http://localhost:8000")
    assert "“Agreed proposals”" in (await world.http.get(path)).text
    assert (await world.http.post(path, data={"List-Unsubscribe": "One-Click"})).status_code == 200
    muted = {each.id: each.muted_kinds for each in (await Person.all())}
    assert muted[row_id("Person", emil.id)] == ["MEETING_APPROVED"]
    assert muted[row_id("Person", uma.id)] == []


# At least once, and once only


async def test_n_it_is_sent_again_under_the_same_id_which_is_not_the_notifications(
    world: Service, uma: Client, emil: Client, server: MailServer
):
    negotiation = await Negotiation(world, uma, emil).propose("USER")
    await world.beat(mail=True)
    server.taken.clear()
    server.dying_after = 2
    await negotiation.do("EXPERT", "approveMeeting")
    for _ in range(3):
        await world.beat(mail=True)
        world.clock.advance(seconds=10)
    assert sorted(server.times.values()) == [2, 2]
    assert {str(each["To"]).split("-")[0] for each in server.taken} == {"uma", "emil"}
    assert {each["Date"] for each in server.taken} == {"Mon, 01 Mar 2027 12:00:00 +0000"}


async def test_i1_i2_what_was_not_committed_confirms_nothing_and_what_is_repeated_does_once(
    world: Service, uma: Client, emil: Client, server: MailServer, settings: Settings
):
    """The connection ends after everything but the feed was written."""
    negotiation = await Negotiation(world, uma, emil).propose("USER")
    given = {"meetingId": negotiation.meeting["id"], "idempotencyKey": "once"}
    other = await asyncpg.connect(settings.database_url)
    async with world.nothing_changes(), other.transaction():
        await other.execute("LOCK TABLE feed_entry IN EXCLUSIVE MODE")
        approving = asyncio.create_task(emil.post(mutation("approveMeeting"), input=given))
        async with asyncio.timeout(WAIT_AT_MOST_SECONDS):
            while not await other.fetchval(END_WHO_WAITS):
                await other.execute("SELECT pg_sleep(0.02), pg_stat_clear_snapshot()")
        assert "errors" in (await approving).json()
    await other.close()
    for _ in range(2):
        assert (await emil.act("approveMeeting", **given))["__typename"] == "MeetingChanged"
    assert await confirmations(negotiation) == [("MEETING_APPROVED", "EXPERT")]
