"""E-mails go out at least once, whatever becomes of the server or of whoever sends, and nobody waits for it (N)."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from structlog.testing import capture_logs
from tortoise.connection import get_connection

from jobs.worker import jobs_of_the_clock
from mail.maildir import Maildir
from mail.smtp import SmtpConnection
from models import Delivery, Notification
from models.deliveries import DeliveryStatus
from models.transactions import inside_a_transaction
from resolvers import mailing
from resolvers.mailing import AT_ONCE, GIVEN_UP_AFTER, LEASE_SECONDS, LONGEST_PAUSE_SECONDS, send_due_mails
from resolvers.world import enter
from resolvers.world import world as surroundings
from schema.ids import row_id
from tests.driving import WAIT_AT_MOST_SECONDS, Client, Service
from tests.mail.server import MailServer, mailed_by_smtp


@pytest.fixture
async def server(world: Service) -> AsyncIterator[MailServer]:
    async with mailed_by_smtp() as server:
        yield server


async def the_delivery(client: Client) -> Delivery:
    told = await Notification.filter(person_id=row_id("Person", client.id)).order_by("-id").first()
    assert told is not None
    return await Delivery.get(notification_id=told.id)


async def invite(world: Service, expert: Client, times: int) -> None:
    """So many e-mails that are due to this expert."""
    rich = await world.somebody("Rita Rich", credits="100000.00")
    for number in range(times):
        await rich.proposed(expert, startsAt=world.at(days=1, hours=2 * number))


async def test_a_server_that_is_away_for_hours_gets_everything_when_it_is_back(
    world: Service, uma: Client, emil: Client, server: MailServer
):
    await server.stop()
    await uma.proposed(emil)
    tried_at: list[datetime] = []
    for _ in range(240):
        delivery = await the_delivery(emil)
        if delivery.failures > len(tried_at):
            tried_at.append(world.clock.time)
        await world.beat(mail=True)
        world.clock.advance(minutes=1)
    delivery = await the_delivery(emil)
    assert delivery.status is DeliveryStatus.PENDING
    assert "SMTPConnectError" in (delivery.answer or "")
    pauses = [after - before for before, after in pairwise(tried_at)]
    assert timedelta(minutes=8) < max(pauses) <= timedelta(seconds=LONGEST_PAUSE_SECONDS * 1.2 + 60)
    await server.start()
    world.clock.advance(seconds=LONGEST_PAUSE_SECONDS * 1.2)
    await world.beat(mail=True)
    delivery = await the_delivery(emil)
    assert (delivery.status, delivery.answer) == (DeliveryStatus.SENT, None)
    assert len(server.taken) == 1


async def test_a_server_that_is_away_is_not_called_for_each_e_mail_that_waits(
    world: Service, emil: Client, server: MailServer
):
    await invite(world, emil, 5)
    await server.stop()
    assert await send_due_mails() == 0, "so it is not asked again before the next beat"
    assert sorted([each.failures for each in await Delivery.filter(status=DeliveryStatus.PENDING)]) == [0, 0, 0, 0, 1]
    await server.start()
    assert await send_due_mails() == 4


async def test_one_recipient_who_is_refused_for_good_ends_visibly_and_holds_up_nobody(
    world: Service, uma: Client, emil: Client, server: MailServer
):
    gone = await world.expert("Gisa Gone")
    server.refusing[f"{gone.sub}@example.com"] = "550 5.1.1 No such user"
    await uma.proposed(gone)
    await uma.proposed(emil, startsAt=world.at(days=3))
    with capture_logs() as logs:
        await world.beat(mail=True)
    delivery = await the_delivery(gone)
    assert (delivery.status, delivery.answer) == (DeliveryStatus.FAILED, "550 5.1.1 No such user")
    assert [each["given_up"] for each in logs if each["event"] == "an e-mail was not sent"] == [True]
    assert (await the_delivery(emil)).status is DeliveryStatus.SENT
    world.clock.advance(days=1)
    await world.beat(mail=True)
    assert server.to(f"{gone.sub}@example.com") == []


async def test_a_refusal_that_is_not_utf_8_ends_as_visibly_as_any_other(
    world: Service, uma: Client, emil: Client, server: MailServer
):
    server.refusing[f"{emil.sub}@example.com"] = "550 5.1.1 Usuário desconhecido".encode("latin-1")
    await uma.proposed(emil)
    await world.beat(mail=True)
    delivery = await the_delivery(emil)
    assert (delivery.status, delivery.answer) == (DeliveryStatus.FAILED, "550 5.1.1 Usu?rio desconhecido")


async def test_who_is_refused_for_now_is_sent_it_later(world: Service, uma: Client, emil: Client, server: MailServer):
    server.refusing[f"{emil.sub}@example.com"] = "450 4.2.1 Greylisted"
    await uma.proposed(emil)
    await world.beat(mail=True)
    delivery = await the_delivery(emil)
    assert (delivery.status, delivery.failures, delivery.answer) == (
        DeliveryStatus.PENDING,
        1,
        "450 4.2.1 Greylisted",
    )
    assert delivery.lease is None
    server.refusing.clear()
    world.clock.advance(seconds=10)
    await world.beat(mail=True)
    assert len(server.taken) == 1


async def test_what_fails_for_days_ends_visibly(world: Service, uma: Client, emil: Client, server: MailServer):
    server.refusing[f"{emil.sub}@example.com"] = "451 4.3.0 Try later"
    await uma.proposed(emil, startsAt=world.at(days=20))
    told_at = world.clock.time
    while (await the_delivery(emil)).status is DeliveryStatus.PENDING:
        world.clock.advance(minutes=30)
        await world.beat(mail=True)
    delivery = await the_delivery(emil)
    assert (delivery.status, delivery.answer) == (DeliveryStatus.FAILED, "451 4.3.0 Try later")
    assert delivery.ended_at is not None
    assert GIVEN_UP_AFTER <= delivery.ended_at - told_at < GIVEN_UP_AFTER + timedelta(hours=1)


async def test_a_server_that_dies_after_it_took_one_gets_it_again_under_the_same_id(
    world: Service, uma: Client, emil: Client, server: MailServer
):
    server.dying_after = 1
    await uma.proposed(emil)
    await world.beat(mail=True)
    assert (await the_delivery(emil)).status is DeliveryStatus.PENDING
    world.clock.advance(seconds=10)
    await world.beat(mail=True)
    assert (await the_delivery(emil)).status is DeliveryStatus.SENT
    assert list(server.times.values()) == [2]


async def test_while_the_server_is_slow_nothing_is_locked_and_people_and_the_clock_go_on(
    world: Service, uma: Client, emil: Client, server: MailServer
):
    meeting = await uma.proposed(emil)
    server.held = asyncio.Event()
    sending = asyncio.create_task(send_due_mails())
    async with asyncio.timeout(WAIT_AT_MOST_SECONDS):
        await server.asked.wait()
        await emil.act("approveMeeting", meetingId=meeting["id"])
        for job in jobs_of_the_clock():
            await job()
        held = await get_connection("default").execute_query_dict(
            "SELECT COUNT(*) AS number FROM pg_stat_activity"
            " WHERE state LIKE 'idle in transaction%' AND datname = current_database()"
        )
        assert held[0]["number"] == 0
        assert await the_delivery(emil), "can be read"
        server.held.set()
        await sending
    assert len(server.taken) >= 1


async def test_no_transaction_is_open_while_a_server_is_spoken_with(
    world: Service, uma: Client, emil: Client, server: MailServer, monkeypatch: pytest.MonkeyPatch
):
    send = SmtpConnection.send

    async def watched(self: SmtpConnection, message):
        assert not inside_a_transaction()
        await send(self, message)

    monkeypatch.setattr(SmtpConnection, "send", watched)
    await uma.proposed(emil)
    await world.beat(mail=True)
    assert len(server.taken) == 1


async def test_a_server_that_never_answers_is_given_up_on_and_asked_again_later(
    world: Service, uma: Client, emil: Client, server: MailServer, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(mailing, "SENT_WITHIN_SECONDS", 0.3)
    server.held = asyncio.Event()
    await uma.proposed(emil)
    async with asyncio.timeout(WAIT_AT_MOST_SECONDS):
        await send_due_mails()
    delivery = await the_delivery(emil)
    assert (delivery.status, delivery.failures, delivery.answer) == (DeliveryStatus.PENDING, 1, "TimeoutError")
    server.held.set()
    server.held = None
    world.clock.advance(seconds=10)
    await world.beat(mail=True)
    assert (await the_delivery(emil)).status is DeliveryStatus.SENT


async def test_whoever_died_while_sending_holds_it_up_until_the_lease_is_over(
    world: Service, uma: Client, emil: Client, server: MailServer
):
    await uma.proposed(emil)
    taken = await mailing._take()
    assert taken is not None
    await world.beat(mail=True)
    assert server.taken == []
    world.clock.advance(seconds=LEASE_SECONDS)
    await world.beat(mail=True)
    assert len(server.taken) == 1
    # The one who was thought dead comes back: what it says of it now changes nothing.
    await mailing._record_failure(taken, TimeoutError())
    await mailing._record(taken, DeliveryStatus.OMITTED)
    assert (await the_delivery(emil)).status is DeliveryStatus.SENT


async def test_whoever_sent_it_after_all_spares_the_next_one_the_work(
    world: Service, uma: Client, emil: Client, server: MailServer
):
    await uma.proposed(emil)
    slow = await mailing._take()
    world.clock.advance(seconds=LEASE_SECONDS)
    other = await mailing._take()
    assert slow is not None
    assert other is not None
    await mailing._record(slow, DeliveryStatus.FAILED, "550")  # which is not its to say any more
    assert (await the_delivery(emil)).status is DeliveryStatus.PENDING
    await mailing._record(slow, DeliveryStatus.SENT)
    await mailing._record_failure(other, TimeoutError())
    delivery = await the_delivery(emil)
    assert (delivery.status, delivery.failures) == (DeliveryStatus.SENT, 0)


async def test_many_go_out_in_batches_over_a_connection_each(world: Service, emil: Client, server: MailServer):
    await invite(world, emil, AT_ONCE + 2)
    assert await send_due_mails() == AT_ONCE
    assert server.connected == 1
    assert await send_due_mails() == 2
    assert server.connected == 2
    assert await send_due_mails() == 0
    assert [len(server.taken), len(server.times)] == [AT_ONCE + 2] * 2


async def test_what_cannot_even_be_written_is_logged_as_an_error_and_holds_up_nobody(
    world: Service, uma: Client, emil: Client, server: MailServer
):
    await uma.proposed(emil)
    first = await the_delivery(emil)
    await Notification.filter(id=first.notification_id).update(facts={"other": "Uma"})  # of another version, say
    await uma.proposed(emil, startsAt=world.at(days=3))
    with capture_logs() as logs:
        await send_due_mails()
    assert [each["log_level"] for each in logs if each["event"] == "an e-mail was not sent"] == ["error"]
    assert (await Delivery.get(id=first.id)).failures == 1
    assert len(server.taken) == 1


async def test_a_sender_whom_the_server_does_not_take_is_ours_to_put_right_and_nobody_elses_end(
    world: Service, uma: Client, emil: Client, server: MailServer
):
    async def refuse(*_: object) -> str:
        return "550 5.7.1 Not allowed to send"

    server.handle_MAIL = refuse  # type: ignore[attr-defined]
    await uma.proposed(emil)
    await world.beat(mail=True)
    delivery = await the_delivery(emil)
    assert (delivery.status, delivery.answer) == (DeliveryStatus.PENDING, "550 5.7.1 Not allowed to send")


async def test_without_a_server_e_mails_are_kept_in_the_folder(world: Service, uma: Client, emil: Client, tmp_path):
    before = surroundings()
    enter(replace(before, mailer=Maildir(tmp_path / "not there yet" / "mail")))
    try:
        await uma.proposed(emil)
        await world.beat(mail=True)
    finally:
        enter(before)
    kept = [path.read_bytes() for path in (tmp_path / "not there yet" / "mail" / "new").iterdir()]
    assert any(f"To: {emil.sub}@example.com".encode() in each for each in kept)
