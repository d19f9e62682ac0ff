"""Several who send, and people who mute what is on its way (N)."""

import asyncio
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from os import environ

import pytest

from models import Delivery, Notification, Person
from models.deliveries import DeliveryStatus
from models.ids import uuid7
from resolvers import mailing
from resolvers.mailing import AT_ONCE, send_due_mails
from resolvers.world import world as surroundings
from rules.terms import NotificationKind
from schema.ids import row_id
from settings import Settings
from tests.driving import Client, Service
from tests.mail.server import SENDER, MailServer, mailed_by_smtp
from tests.negotiations import Negotiation
from tests.processes import REPOSITORY
from tests.races import ROUNDS
from tests.waiting import a_moment

MANY = 60
KILLED_WAIT_SECONDS = 60


@pytest.fixture
async def server(world: Service) -> AsyncIterator[MailServer]:
    async with mailed_by_smtp() as server:
        yield server


async def tell(client: Client, number: int, at: datetime) -> list[Delivery]:
    """So many e-mails to this person that are due at that time."""
    chat = await Notification.filter(person_id=row_id("Person", client.id)).exclude(chat_id=None).first()
    assert chat is not None
    told = [
        Notification(
            id=uuid7(),
            person_id=chat.person_id,
            kind=chat.kind,
            chat_id=chat.chat_id,
            facts=chat.facts,
            created_at=at,
            read_at=at,
        )
        for _ in range(number)
    ]
    await Notification.bulk_create(told)
    due = [Delivery(id=uuid7(), notification_id=each.id, due_at=at) for each in told]
    await Delivery.bulk_create(due)
    return due


async def written_to(expert: Client, user: Client) -> None:
    await user.write(await user.chat_with(expert))


async def test_however_many_send_at_once_each_is_sent_once(
    world: Service, uma: Client, emil: Client, server: MailServer
):
    await written_to(emil, uma)
    await world.beat(mail=True)
    for _ in range(max(1, ROUNDS // 10)):
        server.taken.clear()
        due = await tell(emil, MANY, world.clock.time)
        barrier = asyncio.Barrier(8)

        async def one(barrier: asyncio.Barrier = barrier) -> None:
            await barrier.wait()
            while await send_due_mails():
                pass

        await asyncio.gather(*(one() for _ in range(8)))
        assert set(server.times.values()) == {1}
        assert len(server.taken) == MANY
        sent = await Delivery.filter(id__in=[each.id for each in due], status=DeliveryStatus.SENT).count()
        assert sent == MANY


async def test_of_two_who_mute_at_once_neither_undoes_the_other(
    world: Service, uma: Client, emil: Client, server: MailServer
):
    negotiation = await Negotiation(world, uma, emil).agree("EXPERT")
    await uma.write((await uma.act("openChat", meetingId=negotiation.meeting["id"]))["chat"]["id"])
    person_id = row_id("Person", emil.id)
    told = {each.kind: each.id for each in await Notification.filter(person_id=person_id)}
    paths = [
        surroundings().links.unsubscribing(told[kind]).removeprefix("http://localhost:8000")
        for kind in (NotificationKind.MEETING_APPROVED, NotificationKind.CHAT_MESSAGE)
    ]
    for _ in range(ROUNDS):
        await Person.filter(id=person_id).update(muted_kinds=[])
        await asyncio.gather(*(world.http.post(path, data={"List-Unsubscribe": "One-Click"}) for path in paths * 2))
        assert sorted((await Person.get(id=person_id)).muted_kinds) == ["CHAT_MESSAGE", "MEETING_APPROVED"]


async def test_what_is_told_while_it_is_muted_is_sent_or_omitted_and_never_forgotten(
    world: Service, uma: Client, emil: Client, server: MailServer
):
    rich = await world.somebody("Rita Rich", credits="100000.00")
    for round_ in range(ROUNDS):
        muted = emil.act("updateProfile", mutedKinds=["USER_MEETING_INVITATION"] if round_ % 2 == 0 else [])
        await asyncio.gather(rich.proposed(emil, startsAt=world.at(days=1, hours=2 * round_)), muted, send_due_mails())
    await emil.act("updateProfile", mutedKinds=[])
    await world.beat(mail=True)
    told = await Notification.filter(person_id=row_id("Person", emil.id)).values_list("id", flat=True)
    rows = await Delivery.filter(notification_id__in=list(told))
    assert {each.status for each in rows} <= {DeliveryStatus.SENT, DeliveryStatus.OMITTED}
    assert len(server.taken) == sum(each.status is DeliveryStatus.SENT for each in rows)


async def worker(settings: Settings, server: MailServer) -> asyncio.subprocess.Process:
    """A worker process of its own, which goes by the real time."""
    given = {
        "SANDBOX": "1",
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "SMTP_URL": f"smtp://127.0.0.1:{server.port}",
        "MAIL_FROM": SENDER,
    }
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "jobs"), cwd=REPOSITORY, env={**environ, **given}
    )


async def test_of_two_workers_one_is_killed_and_everything_is_mailed(
    world: Service, uma: Client, emil: Client, server: MailServer, settings: Settings
):
    """What the killed one had in hand goes out when its lease is over."""
    await written_to(emil, uma)
    await world.beat(mail=True)
    server.taken.clear()
    due = await tell(emil, 10 * AT_ONCE, datetime.now(UTC) - timedelta(seconds=1))
    mine = Delivery.filter(id__in=[each.id for each in due])
    workers = [await worker(settings, server) for _ in range(2)]
    try:
        async with asyncio.timeout(KILLED_WAIT_SECONDS):
            while len(server.taken) < 2 * AT_ONCE:
                await a_moment()
            workers[0].kill()
            await workers[0].wait()
            while await mine.filter(status=DeliveryStatus.PENDING, lease=None).exists():
                await a_moment()
            while (left := await mine.filter(status=DeliveryStatus.PENDING).count()) > 3:  # one a connection
                await a_moment()
            assert left <= 3
            await mine.filter(status=DeliveryStatus.PENDING).update(due_at=datetime.now(UTC))  # a lease later
            while await mine.filter(status=DeliveryStatus.PENDING).exists():
                await a_moment()
    finally:
        for each in workers:
            if each.returncode is None:
                each.kill()
            await each.wait()
    assert {each.status for each in await mine} == {DeliveryStatus.SENT}
    assert len(server.times) == len(due)
    assert sum(server.times.values()) <= len(due) + 3
    assert mailing.LEASE_SECONDS > mailing.SENT_WITHIN_SECONDS
