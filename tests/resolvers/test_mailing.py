"""E-mail for every notification: to whom, in what words, where it leads, and what is muted (N)."""

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import unquote

import pytest

from models import Delivery, Notification, Person
from models.deliveries import DeliveryStatus
from resolvers import calendars
from resolvers.conflicts import pending_alternatives
from resolvers.mailing import send_due_mails
from resolvers.world import world as surroundings
from rules.mailing import ALWAYS_MAILED
from rules.terms import NotificationKind
from schema.ids import row_id
from tests.calendars import entries
from tests.driving import Client, Service
from tests.joining import agreed, link_of
from tests.mail.server import MailServer, mailed_by_smtp, part
from tests.negotiations import Negotiation

MUTED = "query($id: ID!) { person(id: $id) { mutedKinds } }"


@pytest.fixture
async def server(world: Service) -> AsyncIterator[MailServer]:
    async with mailed_by_smtp() as server:
        yield server


def address(client: Client) -> str:
    return f"{client.sub}@example.com"


async def deliveries(client: Client) -> list[Delivery]:
    """Of what this person was told, oldest first."""
    told = await Notification.filter(person_id=row_id("Person", client.id)).values_list("id", flat=True)
    return await Delivery.filter(notification_id__in=list(told), confirmation=False).order_by("id")


async def mute(client: Client, *kinds: str) -> dict[str, Any]:
    return await client.act("updateProfile", mutedKinds=list(kinds))


async def test_n_what_one_is_told_comes_by_e_mail_in_the_same_words(
    world: Service, uma: Client, emil: Client, server: MailServer
):
    await uma.proposed(emil)
    told = (await emil.ask("{ notifications { edges { node { title body } } } }"))["notifications"]["edges"][0]["node"]
    assert server.taken == []
    await world.beat(mail=True)
    (message,) = server.to(address(emil))
    assert message["Subject"] == told["title"]
    assert told["body"] in part(message, "text/plain").replace("\n", " ")
    assert server.to(address(uma)) == []
    await world.beat(mail=True)
    assert len(server.to(address(emil))) == 1
    (delivery,) = await deliveries(emil)
    assert (delivery.status, delivery.ended_at, delivery.lease) == (DeliveryStatus.SENT, world.clock.time, None)


async def test_n_it_is_in_the_language_and_zone_that_the_person_has_when_it_is_sent(
    world: Service, uma: Client, emil: Client, server: MailServer
):
    await uma.proposed(emil, startsAt="2027-06-01T12:00:00Z")
    await emil.act("updateProfile", language="DE", timeZone="Asia/Tokyo")
    await world.beat(mail=True)
    (message,) = server.to(address(emil))
    assert message["Subject"] == "Uma User möchte sich mit Ihnen treffen"
    assert "Dienstag, 1. Juni 2027, 21:00 – 22:00 (GMT+09:00)" in part(message, "text/plain").replace("\n", " ")


async def test_n_it_leads_to_the_meeting_or_the_chat_by_the_id_that_clients_know(
    world: Service, uma: Client, emil: Client, server: MailServer
):
    chat = await uma.chat_with(emil)
    await uma.write(chat)
    meeting = (await emil.ask("{ meetings { edges { node { id } } } }"))["meetings"]["edges"][0]["node"]["id"]
    await world.beat(mail=True)
    invitation, written = (part(each, "text/plain") for each in server.to(address(emil)))
    assert f"http://localhost:8000/meetings/{meeting}" in unquote(invitation)
    assert f"http://localhost:8000/chats/{chat}" in unquote(written)


async def test_n2_the_link_shortly_before_is_the_button_too(
    world: Service, uma: Client, emil: Client, server: MailServer
):
    negotiation = await agreed(world, uma, emil, startsAt=world.at(hours=2))
    world.clock.advance(hours=1, minutes=10)
    await world.beat(mail=True)
    for client in (uma, emil):
        (message,) = (each for each in server.to(address(client)) if "link" in each["Subject"])
        conference = await client.ask(
            "query($id: ID!) { meeting(id: $id) { conference { joinUrl } } }", id=negotiation.meeting["id"]
        )
        assert part(message, "text/html").count(f'href="{conference["meeting"]["conference"]["joinUrl"]}"') == 1


@pytest.mark.parametrize("change", ["cancelled", "moved", "over"])
async def test_n1_n2_what_leads_to_a_meeting_that_is_no_more_is_not_sent(
    world: Service, uma: Client, emil: Client, server: MailServer, change: str
):
    negotiation = await agreed(world, uma, emil, startsAt=world.at(hours=2))
    world.clock.advance(hours=1, minutes=10)
    await server.stop()
    await world.beat(mail=True)
    await server.start()
    if change == "cancelled":
        await negotiation.do("USER", "cancelMeeting", acknowledgeLateCancellation=True)
    elif change == "moved":
        await negotiation.choose("USER", hours=3)
        await negotiation.do("EXPERT", "approveAlternativeDate")
    else:
        world.clock.advance(hours=3)
    world.clock.advance(minutes=15)
    await world.beat(mail=True)
    about = [each["Subject"] for each in server.to(address(emil)) if "link" in each["Subject"]]
    assert about == []
    assert DeliveryStatus.OMITTED in {each.status for each in await deliveries(emil)}


async def test_n2_of_a_start_that_comes_into_force_again_only_the_link_that_is_good_is_sent(
    world: Service, uma: Client, emil: Client, server: MailServer
):
    negotiation = await agreed(world, uma, emil, startsAt=world.at(hours=2))
    starts_at = negotiation.meeting["startsAt"]
    world.clock.advance(hours=1, minutes=10)
    await server.stop()
    await world.beat(mail=True)
    await negotiation.choose("USER", hours=3)
    await negotiation.do("EXPERT", "approveAlternativeDate")
    await negotiation.do("USER", "chooseAlternativeDate", startsAt=starts_at)
    await negotiation.do("EXPERT", "approveAlternativeDate")
    await server.start()
    world.clock.advance(minutes=15)
    await world.beat(mail=True)
    for client in (uma, emil):
        (message,) = (each for each in server.to(address(client)) if "link" in each["Subject"])
        assert f"http://localhost:8000{await link_of(client, negotiation.meeting['id'])}" in part(message, "text/plain")


async def test_n1_a_reminder_that_could_not_be_sent_before_the_link_is_due_is_not_sent(
    world: Service, uma: Client, emil: Client, server: MailServer
):
    await agreed(world, uma, emil, startsAt=world.at(hours=30))
    world.clock.advance(hours=7)
    await server.stop()
    await world.beat(mail=True)
    world.clock.advance(hours=23, minutes=10)
    await server.start()
    await world.beat(mail=True)
    world.clock.advance(minutes=15)
    await world.beat(mail=True)
    about = [each["Subject"] for each in server.to(address(uma))]
    assert about == ["Emil Expert has agreed to your proposal", "Your link to the meeting with Emil Expert"]


@pytest.mark.parametrize(
    ("said", "asked"), [("WENT_SMOOTHLY", set()), ("FAILED_BECAUSE_OF_OTHER_PARTY", {"EXPERT"})], ids=str
)
async def test_n3_who_said_how_it_went_meanwhile_is_not_asked_to_nor_anybody_once_it_is_settled(
    world: Service, uma: Client, emil: Client, server: MailServer, said: str, asked: set[str]
):
    negotiation = await agreed(world, uma, emil, startsAt=world.at(hours=2))
    world.clock.advance(hours=27)
    await server.stop()
    await world.beat(mail=True)
    await negotiation.do("USER", "recordProgress", progress=said)
    await server.start()
    world.clock.advance(minutes=15)
    await world.beat(mail=True)
    for side in ("USER", "EXPERT"):
        subjects = [each["Subject"] for each in server.to(address(negotiation.side(side)))]
        assert any(each.startswith("How was") for each in subjects) == (side in asked)


async def test_n_a_meeting_that_is_moved_while_its_e_mail_is_written_is_not_half_in_it(
    world: Service, uma: Client, emil: Client, server: MailServer, monkeypatch: pytest.MonkeyPatch
):
    negotiation = await agreed(world, uma, emil)
    await world.beat(mail=True)
    before = await link_of(uma, negotiation.meeting["id"])
    await negotiation.choose("EXPERT")

    async def meanwhile(meetings):
        monkeypatch.undo()
        await negotiation.do("USER", "approveAlternativeDate")
        return await pending_alternatives(meetings)

    monkeypatch.setattr(calendars, "pending_alternatives", meanwhile)
    await send_due_mails()
    (message,) = (each for each in server.to(address(uma)) if "move" in each["Subject"])
    (entry,) = entries(part(message, "text/calendar"))
    assert entry.location == f"http://localhost:8000{before}"


async def test_whoever_has_no_address_is_sent_nothing(world: Service, uma: Client, server: MailServer):
    expert = await world.expert("Nora Nomail")
    expert.token = world.token(sub=expert.sub, name="Nora Nomail")
    await expert.ask("{ me { id } }")
    await uma.proposed(expert)
    assert await deliveries(expert) == []
    await world.beat(mail=True)
    assert server.taken == []


async def test_an_address_that_changed_meanwhile_is_the_one_that_counts(
    world: Service, uma: Client, emil: Client, server: MailServer
):
    await uma.proposed(emil)
    emil.token = world.token(sub=emil.sub, name="Emil Expert", email="new@bücher.example")
    await emil.ask("{ me { id } }")
    await world.beat(mail=True)
    assert [each["To"] for each in server.taken] == ["new@xn--bcher-kva.example"]


@pytest.mark.parametrize("email", ["nobody", "two words@example.com", "a@example.com\r\nBcc: b@example.com", "é@x.y"])
async def test_an_address_that_is_none_ends_visibly(world: Service, uma: Client, server: MailServer, email: str):
    expert = await world.expert("Emil Expert")
    await Person.filter(id=row_id("Person", expert.id)).update(email=email)
    expert.token = world.token(sub=expert.sub, name="Emil Expert", email=email)
    await uma.proposed(expert)
    await world.beat(mail=True)
    (delivery,) = await deliveries(expert)
    assert delivery.status is DeliveryStatus.FAILED
    assert "address" in (delivery.answer or "")
    assert server.taken == []


async def test_hostile_names_stay_in_the_subject(world: Service, emil: Client, server: MailServer):
    name = "=?utf-8?q?x=0D=0ABcc:_all@example.com?= \r\n<b>Zoë</b> \"'"
    hostile = await world.somebody("Robert", credits="100.00")
    hostile.token = world.token(sub=hostile.sub, name=name)
    await hostile.proposed(emil)
    await world.beat(mail=True)
    (message,) = server.to(address(emil))
    assert message["Bcc"] is None
    assert "<b>Zoë</b>" in message["Subject"]
    assert "<b>Zoë" not in part(message, "text/html")


# Muting


async def test_a_muted_kind_is_not_sent_and_others_are(world: Service, uma: Client, emil: Client, server: MailServer):
    result = await mute(emil, "USER_MEETING_INVITATION", "USER_MEETING_INVITATION")
    assert result["person"]["mutedKinds"] == ["USER_MEETING_INVITATION"]
    meeting = await uma.proposed(emil)
    assert await deliveries(emil) == []
    await uma.act("cancelMeeting", meetingId=meeting["id"])
    await world.beat(mail=True)
    assert [each["Subject"] for each in server.to(address(emil))] == ["Uma User has cancelled the meeting"]
    assert (await emil.ask("{ unreadNotifications }"))["unreadNotifications"] == 2


async def test_what_is_muted_after_it_was_told_is_not_sent_either(
    world: Service, uma: Client, emil: Client, server: MailServer
):
    await uma.proposed(emil)
    await mute(emil, "USER_MEETING_INVITATION")
    await world.beat(mail=True)
    assert server.taken == []
    (delivery,) = await deliveries(emil)
    assert delivery.status is DeliveryStatus.OMITTED


async def test_what_is_no_longer_muted_is_sent_from_then_on(
    world: Service, uma: Client, emil: Client, server: MailServer
):
    await mute(emil, "USER_MEETING_INVITATION")
    await uma.act("updateProfile", language="DE")
    assert (await emil.act("updateProfile", language="EN"))["person"]["mutedKinds"] == ["USER_MEETING_INVITATION"]
    await mute(emil)
    await uma.proposed(emil)
    await world.beat(mail=True)
    assert len(server.to(address(emil))) == 1


@pytest.mark.parametrize("kind", sorted(ALWAYS_MAILED))
async def test_money_and_cancellations_cannot_be_muted(world: Service, uma: Client, kind: str):
    async with world.nothing_changes():
        result = await mute(uma, "CHAT_MESSAGE", kind)
    assert (result["__typename"], result["field"], result["code"]) == ("InvalidInput", "mutedKinds", "UNKNOWN")


def test_what_can_be_muted_is_the_rest():
    assert {each.value for each in set(NotificationKind) - ALWAYS_MAILED} >= {"CHAT_MESSAGE", "MEETING_APPROVED"}
    assert all(
        "CANCELLED_BY" in each or "CREDITS" in each or "PAYMENT" in each or "SETTLED" in each or "REFERRED" in each
        for each in ALWAYS_MAILED
    )


async def test_q5_oneself_and_staff_see_what_is_muted_and_nobody_else(
    world: Service, uma: Client, emil: Client, stella: Client
):
    await mute(emil, "CHAT_MESSAGE")
    for client, seen in ((emil, ["CHAT_MESSAGE"]), (stella, ["CHAT_MESSAGE"]), (uma, None)):
        assert (await client.ask(MUTED, id=emil.id))["person"]["mutedKinds"] == seen


async def test_both_sides_of_a_whole_negotiation_get_each_their_own(
    world: Service, uma: Client, emil: Client, server: MailServer
):
    negotiation = await Negotiation(world, uma, emil).agree("USER")
    await negotiation.choose("EXPERT")
    await negotiation.do("USER", "approveAlternativeDate")
    await negotiation.do("USER", "cancelMeeting")
    await world.beat(mail=True)
    assert [each["Subject"] for each in server.to(address(uma))] == [
        "Emil Expert has agreed to your proposal",
        "Emil Expert would like to move your meeting",
        "You have agreed to the alternative date with Emil Expert",
        "You have cancelled the meeting with Emil Expert",
    ]
    assert [each["Subject"] for each in server.to(address(emil))] == [
        "Uma User would like to meet you",
        "You have agreed to the meeting with Uma User",
        "Uma User has agreed to the alternative date",
        "Uma User has cancelled the meeting",
    ]
    assert all(times == 1 for times in server.times.values())
    assert surroundings().mail_from == str(server.taken[0]["From"]).split("<")[1].rstrip(">")
