"""A person's meetings in their own calendar: what e-mails bring for it, and the one to subscribe to (N)."""

from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from icalendar import Calendar as Written

from mail.calendars import TOLD_TO_CALENDARS
from mail.messages import CalendarPart
from models import Notification, Person
from resolvers import calendars
from resolvers.calendars import SHOWN_FOR, calendar_of, part_for
from schema.ids import row_id
from tests.calendars import Calendar, Entry, entries
from tests.driving import Client, Service
from tests.negotiations import Negotiation
from tests.telling import TELLINGS, Telling, two_people

CANCELLED = {"REJECTED", "CANCELLED"}
IN_CALENDARS = {"AWAITING_APPROVAL": "TENTATIVE", "AGREED": "CONFIRMED"} | dict.fromkeys(CANCELLED, "CANCELLED")


async def person_of(client: Client) -> Person:
    return await Person.get(id=row_id("Person", client.id))


async def mailed(client: Client, told: Notification) -> CalendarPart:
    """What the e-mail about this brings, sent now to this side."""
    part = await part_for(told, await person_of(client), f"{client.sub}@example.com")
    assert part is not None
    return part


async def newest(negotiation: Negotiation) -> Notification:
    """What was told of the meeting last, to whomever."""
    told = await Notification.filter(meeting_id=row_id("Meeting", negotiation.meeting["id"])).order_by("-id").first()
    assert told is not None
    return told


async def url_of(client: Client) -> str:
    return (await client.ask("{ me { calendarUrl } }"))["me"]["calendarUrl"]


async def subscribed(client: Client) -> list[Entry] | None:
    """What a calendar shows that has subscribed to this person's."""
    text = await calendar_of((await url_of(client)).rpartition("/")[2].removesuffix(".ics"))
    return None if text is None else entries(text)


# What e-mails bring

STORY: list[tuple[str, str, dict[str, Any]]] = [
    ("EXPERT", "approveMeeting", {}),
    ("EXPERT", "chooseAlternativeDate", {"days": 20}),
    ("USER", "approveAlternativeDate", {}),
    ("USER", "chooseAlternativeDate", {"days": 15, "hours": 3}),
    ("EXPERT", "approveAlternativeDate", {}),
    ("EXPERT", "cancelMeeting", {}),
]
"Agreed, moved twice and cancelled."


async def told_of(negotiation: Negotiation, parts: dict[str, list[CalendarPart]]) -> None:
    """Both sides are e-mailed how the meeting stands now."""
    for side, of_side in parts.items():
        of_side.append(await mailed(negotiation.side(side), await newest(negotiation)))


def check_shown(calendar: Calendar, meeting: dict[str, Any]) -> None:
    """One event, which is the meeting as it is; none of a meeting that does not take place."""
    assert len(calendar.kept) == 1
    if meeting["status"] in CANCELLED:
        assert calendar.shown == []
        return
    (entry,) = calendar.shown
    assert entry.starts_at.isoformat() == meeting["startsAt"].replace("Z", "+00:00")
    assert entry.ends_at.isoformat() == meeting["endsAt"].replace("Z", "+00:00")
    assert entry.status == IN_CALENDARS[meeting["status"]]
    waits_beside_it = meeting["alternativeDate"] is not None and meeting["status"] == "AGREED"
    assert ("alternative date" in entry.description) == waits_beside_it


async def test_n_a_meeting_agreed_moved_twice_and_cancelled_is_one_event_that_evolves(
    world: Service, uma: Client, emil: Client
):
    negotiation = await Negotiation(world, uma, emil).propose("USER")
    parts: dict[str, list[CalendarPart]] = {"USER": [], "EXPERT": []}
    kept = {"USER": Calendar(), "EXPERT": Calendar()}
    await told_of(negotiation, parts)
    for side, action, given in STORY:
        ahead = {"startsAt": world.at(**given)} if given else {}
        await negotiation.do(side, action, **ahead)
        await told_of(negotiation, parts)
        for each, calendar in kept.items():
            calendar.take(parts[each][-2])
            calendar.take(parts[each][-1])
            check_shown(calendar, negotiation.meeting)
    for side, of_side in parts.items():
        numbers = [entries(part.text)[0].age for part in of_side]
        assert numbers == sorted(set(numbers)), "each change has a higher number"
        at_first = "CANCEL" if side == "USER" else "REQUEST"  # their own proposal is in nobody's calendar
        assert [part.method for part in of_side] == [at_first, *["REQUEST"] * 5, "CANCEL"]
        linked = [entries(part.text)[0].location is not None for part in of_side]
        assert linked == [False, *[True] * 5, False], "a link is told of while it is good for something (K6)"


async def test_n_in_whatever_order_e_mails_arrive_the_calendar_ends_up_with_what_is_true(
    world: Service, uma: Client, emil: Client
):
    negotiation = await Negotiation(world, uma, emil).propose("USER")
    parts: dict[str, list[CalendarPart]] = {"USER": [], "EXPERT": []}
    for side, action, given in STORY[:3]:
        await negotiation.do(side, action, **({"startsAt": world.at(**given)} if given else {}))
        await told_of(negotiation, parts)
    for of_side in parts.values():
        for order in permutations(of_side):
            calendar = Calendar()
            for part in (*order, order[0]):
                calendar.take(part)
            check_shown(calendar, negotiation.meeting)


async def test_n_an_e_mail_that_is_late_tells_calendars_how_the_meeting_stands_by_then(
    world: Service, uma: Client, emil: Client
):
    negotiation = await Negotiation(world, uma, emil).agree("USER")
    early = await newest(negotiation)
    await negotiation.do("EXPERT", "cancelMeeting")
    late = Calendar()
    late.take(await mailed(uma, early))
    check_shown(late, negotiation.meeting)
    assert [part.method for part in [await mailed(uma, early)]] == ["CANCEL"]


@pytest.mark.parametrize("telling", TELLINGS, ids=[telling.name for telling in TELLINGS])
async def test_n_whoever_is_told_of_an_invitation_a_change_or_a_cancellation_has_it_in_their_calendar(
    world: Service, telling: Telling
):
    negotiation = await two_people(world)
    await telling.before(negotiation)
    await telling.what(negotiation)
    for side, kind in telling.told.items():
        client = negotiation.side(side)
        person = await person_of(client)
        told = await Notification.filter(person_id=person.id, kind=kind).order_by("-id").first()
        assert told is not None
        part = await part_for(told, person, f"{client.sub}@example.com")
        assert (part is not None) == (told.kind in TOLD_TO_CALENDARS)
        if part is not None:
            meeting = await client.meeting(negotiation.meeting["id"])
            assert meeting is not None
            calendar = Calendar()
            calendar.take(part)
            check_shown(calendar, meeting)
            (entry,) = calendar.kept.values()
            assert "Advice with " + ("Emil Expert" if side == "USER" else "Uma User") in entry.summary
            assert (
                entry.answer
                == ("NEEDS-ACTION", "ACCEPTED", "DECLINED")[
                    ("PENDING", "APPROVED", "REJECTED").index(meeting[f"{side.lower()}Answer"])
                ]
            )


async def test_l1_each_sides_part_has_its_own_link_of_the_date_in_force(world: Service, uma: Client, emil: Client):
    negotiation = await Negotiation(world, uma, emil).agree("USER")
    await negotiation.choose("EXPERT")
    query = "query($id: ID!) { meeting(id: $id) { conference { joinUrl } } }"
    for _ in range(2):
        for client in (uma, emil):
            own = (await client.ask(query, id=negotiation.meeting["id"]))["meeting"]["conference"]["joinUrl"]
            part = await mailed(client, await newest(negotiation))
            assert entries(part.text)[0].location == own
            assert part.text.replace("\r\n ", "").count("/join/") == 3  # and no other
        if negotiation.meeting["alternativeDate"]:
            await negotiation.do("USER", "approveAlternativeDate")


# The calendar to subscribe to


async def test_n_a_persons_calendar_has_their_agreed_meetings_in_either_role_and_nothing_else(
    world: Service, uma: Client
):
    emil, erna = await world.expert("Emil Expert"), await world.expert("Erna Expert")
    rich = await world.somebody("Rita Rich", credits="1000.00")
    agreed = await Negotiation(world, uma, emil).agree("USER", startsAt=world.at(days=1))
    as_user = await Negotiation(world, rich, emil).agree("USER", startsAt=world.at(days=3))
    await Negotiation(world, rich, emil).propose("USER", startsAt=world.at(days=4))
    await Negotiation(world, rich, emil).reject("USER", startsAt=world.at(days=5))
    cancelled = await Negotiation(world, rich, emil).agree("USER", startsAt=world.at(days=6))
    await cancelled.do("USER", "cancelMeeting")
    await Negotiation(world, rich, erna).agree("USER", startsAt=world.at(days=7))

    shown = await subscribed(emil)
    assert shown is not None
    assert [entry.uid for entry in shown] == [
        f"{row_id('Meeting', each.meeting['id'])}-expert" for each in (agreed, as_user)
    ]
    assert [entry.summary for entry in shown] == ["Advice with Uma User", "Advice with Rita Rich"]
    assert {entry.status for entry in shown} == {"CONFIRMED"}
    both = await subscribed(uma)
    assert both is not None
    assert [entry.uid for entry in both] == [f"{row_id('Meeting', agreed.meeting['id'])}-user"]


async def test_n_a_meeting_is_shown_until_ninety_days_after_its_start(world: Service, uma: Client, emil: Client):
    await Negotiation(world, uma, emil).agree("USER", startsAt=world.at(days=1))
    world.clock.advance(days=1, seconds=SHOWN_FOR.total_seconds())
    assert len(await subscribed(uma) or []) == 1
    world.clock.advance(seconds=1)
    assert await subscribed(uma) == []


async def test_n_of_too_many_meetings_the_next_ones_are_shown_first(
    world: Service, emil: Client, monkeypatch: pytest.MonkeyPatch
):
    uma = await world.somebody("Uma User", credits="1000.00")
    starts = [world.clock.time + timedelta(days=days) for days in (1, 2, 3, 4, 5, 6)]
    for each in starts:
        await Negotiation(world, uma, emil).agree("USER", startsAt=each.isoformat())
    world.clock.advance(days=3, hours=12)
    for most, expected in ((6, starts), (4, starts[2:]), (3, starts[3:]), (2, starts[3:5])):
        monkeypatch.setattr(calendars, "MOST_APPOINTMENTS", most)
        for client in (uma, emil):
            shown = await subscribed(client)
            assert shown is not None
            assert [entry.starts_at for entry in shown] == expected


async def test_r3_a_pending_alternative_is_told_of_and_moves_nothing_until_it_is_approved(
    world: Service, uma: Client, emil: Client
):
    negotiation = await Negotiation(world, uma, emil).agree("USER")
    before = await subscribed(uma)
    await negotiation.choose("EXPERT")
    meanwhile = await subscribed(uma)
    assert before is not None
    assert meanwhile is not None
    assert (meanwhile[0].uid, meanwhile[0].starts_at) == (before[0].uid, before[0].starts_at)
    assert "An alternative date has been proposed: Sunday, 21 March 2027, 12:00" in meanwhile[0].description
    await negotiation.do("USER", "approveAlternativeDate")
    after = await subscribed(uma)
    assert after is not None
    assert after[0].uid == before[0].uid
    assert after[0].age > meanwhile[0].age > before[0].age
    assert after[0].starts_at.isoformat() == negotiation.meeting["startsAt"].replace("Z", "+00:00")


async def test_n_the_calendar_is_in_its_owners_language_and_zone(world: Service, uma: Client, emil: Client):
    await Negotiation(world, uma, emil).agree("USER")
    await uma.act("updateProfile", language="DE", timeZone="America/New_York")
    token = (await url_of(uma)).rpartition("/")[2].removesuffix(".ics")
    text = await calendar_of(token)
    assert text is not None
    calendar = Written.from_ical(text)
    assert calendar.calendar_name == "Treffen bei Expertim"
    assert [str(each["tzid"]) for each in calendar.timezones] == ["America/New_York"]
    (entry,) = entries(text)
    assert entry.summary == "Advice mit Emil Expert"


# Whose address it is


async def test_n_nobody_else_is_shown_the_address_of_a_calendar(
    world: Service, uma: Client, emil: Client, stella: Client
):
    await Negotiation(world, uma, emil).agree("USER")
    query = "query($id: ID!) { person(id: $id) { name calendarUrl } }"
    for viewer in (uma, stella):
        assert (await viewer.ask(query, id=emil.id))["person"] == {"name": "Emil Expert", "calendarUrl": None}
    assert (await emil.ask(query, id=emil.id))["person"]["calendarUrl"] == await url_of(emil)


async def test_n_a_renewed_address_leaves_the_one_before_good_for_nothing(world: Service, uma: Client, emil: Client):
    before, others = await url_of(uma), await url_of(emil)
    renewed = await uma.act("renewCalendarUrl")
    after = renewed["person"]["calendarUrl"]
    assert renewed == {"__typename": "PersonSaved", "person": {"id": uma.id, "calendarUrl": after}}
    assert after != before
    assert await url_of(uma) == after
    assert await url_of(emil) == others
    found = [await calendar_of(url.rpartition("/")[2].removesuffix(".ics")) for url in (before, after, others)]
    assert [text is not None for text in found] == [False, True, True]


async def test_i1_an_address_is_renewed_once_for_a_key(world: Service, uma: Client):
    first = await uma.act("renewCalendarUrl", idempotencyKey="once")
    async with world.nothing_changes():
        assert await uma.act("renewCalendarUrl", idempotencyKey="once") == first
    assert await uma.act("renewCalendarUrl", idempotencyKey="twice") != first
