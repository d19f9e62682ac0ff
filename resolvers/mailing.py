"""E-mail for every notification: sent at least once, however long it takes, and nobody waits for it (N).

Whatever is due is leased, sent and recorded, one after the other; while a server is spoken with, nothing is locked.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from tortoise.connection import get_connection
from tortoise.expressions import F

from mail.addresses import Unmailable
from mail.messages import CalendarPart, Letter, compose
from mail.sending import Connection, MailPostponed, MailRefused, MailServerAway
from models import Delivery, Meeting, Notification, Person
from models.deliveries import DeliveryStatus
from resolvers.calendars import part_for
from resolvers.notifying import text_for
from resolvers.pauses import pause_seconds
from resolvers.world import world
from rules.mailing import ALWAYS_MAILED, still_right, wanted_by_mail
from rules.terms import NotificationKind

log = structlog.get_logger()

AT_ONCE = 20
"E-mails to one connection."
SENT_WITHIN_SECONDS = 30.0
"However long the server takes over one of them; less than a lease lasts."
LEASE_SECONDS = 60.0
FIRST_PAUSE_SECONDS = 5.0
LONGEST_PAUSE_SECONDS = 600.0
GIVEN_UP_AFTER = timedelta(hours=72)
LONGEST_ANSWER = 300

TAKE = """
UPDATE delivery SET lease = $2, due_at = $3 WHERE id = (
    SELECT id FROM delivery WHERE status = 'PENDING' AND due_at <= $1
    ORDER BY due_at, id LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED
) RETURNING *
"""


async def send_due_mails() -> int:
    """Send some of the e-mails that are due; says how many were, and that none were if nobody is there to take them.

    Any number of workers may do this. Whoever dies on the way holds one e-mail up until its lease is over; if it had
    been sent, but not recorded, it is then sent again under the same Message-ID.
    """
    delivery = await _take()
    if delivery is None:
        return 0
    number = 1
    async with world().mailer.connection() as connection:
        while (is_there := await _deliver(delivery, connection)) and number < AT_ONCE:
            delivery = await _take()
            if delivery is None:
                break
            number += 1
    return number if is_there else 0


async def _take() -> Delivery | None:
    now = await world().clock.now()
    lease, until = world().new_id(), now + timedelta(seconds=LEASE_SECONDS)
    rows: Sequence[dict[str, object]] = await get_connection("default").execute_query_dict(TAKE, [now, lease, until])
    return Delivery(**rows[0]) if rows else None


async def _deliver(delivery: Delivery, connection: Connection) -> bool:
    """Send it and record what came of it; says whether there is anybody to take the next one."""
    try:
        async with asyncio.timeout(SENT_WITHIN_SECONDS):
            sent = await _send(delivery, connection)
    except Exception as fault:  # whatever it is, nobody has said that it was taken
        await _record_failure(delivery, fault)
        return not isinstance(fault, MailServerAway)
    await _record(delivery, DeliveryStatus.SENT if sent else DeliveryStatus.OMITTED)
    return True


async def _send(delivery: Delivery, connection: Connection) -> bool:
    """Send it, in words for who its recipient now is; says whether it still is to be sent."""
    told = await Notification.get(id=delivery.notification_id)
    person = await Person.get(id=told.person_id)
    meeting = await Meeting.get(id=told.meeting_id) if told.meeting_id else None
    now = await world().clock.now()
    if not person.email or not wanted_by_mail(told.kind, person.muted_kinds) or not _still_right(told, meeting, now):
        return False
    letter = _letter(told, person, person.email, calendar=await part_for(told, person, person.email))
    await connection.send(compose(letter, sender=world().mail_from))
    return True


def _still_right(told: Notification, meeting: Meeting | None, now: datetime) -> bool:
    starts_at = told.facts.get("starts_at")
    return still_right(
        told.kind,
        told_of=datetime.fromisoformat(str(starts_at)) if starts_at else None,
        status=meeting.status if meeting else None,
        starts_at=meeting.starts_at if meeting else None,
        ends_at=meeting.ends_at if meeting else None,
        now=now,
    )


def _letter(told: Notification, person: Person, address: str, *, calendar: CalendarPart | None) -> Letter:
    links = world().links
    return Letter(
        notification_id=told.id,
        kind=told.kind,
        text=text_for(person, told),
        told_at=told.created_at,
        address=address,
        language=person.language,
        url=_where_to_act(told),
        unsubscribing_url=None if told.kind in ALWAYS_MAILED else links.unsubscribing(told.id),
        calendar=calendar,
    )


def _where_to_act(told: Notification) -> str:
    links = world().links
    if told.kind is NotificationKind.MEETING_LINK:
        return links.url(UUID(str(told.facts["join_link_id"])))
    if told.meeting_id is not None:
        return links.page("Meeting", told.meeting_id)
    assert told.chat_id is not None, "a notification is of a meeting or of a chat"
    return links.page("Chat", told.chat_id)


async def _record(delivery: Delivery, status: DeliveryStatus, answer: str | None = None) -> None:
    """What became of it; that it was sent counts, whoever has taken it over meanwhile."""
    now = await world().clock.now()
    own = Delivery.filter(id=delivery.id, status=DeliveryStatus.PENDING)
    if status is not DeliveryStatus.SENT:
        own = own.filter(lease=delivery.lease)
    await own.update(status=status, answer=answer, lease=None, ended_at=now)


async def _record_failure(delivery: Delivery, fault: Exception) -> None:
    """It is tried again, later and later, unless it is refused for good or that has been going on for too long."""
    answer = _in_words(fault)
    told = await Notification.get(id=delivery.notification_id)
    now = await world().clock.now()
    is_over = isinstance(fault, MailRefused | Unmailable) or now >= told.created_at + GIVEN_UP_AFTER
    facts = {"delivery": str(delivery.id), "failures": delivery.failures + 1}
    if isinstance(fault, MailRefused | Unmailable | MailPostponed | TimeoutError):
        log.warning("an e-mail was not sent", given_up=is_over, cause=answer, **facts)
    else:
        log.error("an e-mail was not sent", given_up=is_over, exc_info=fault, **facts)
    if is_over:
        await _record(delivery, DeliveryStatus.FAILED, answer)
        return
    pause = pause_seconds(delivery.failures + 1, first=FIRST_PAUSE_SECONDS, longest=LONGEST_PAUSE_SECONDS)
    await Delivery.filter(id=delivery.id, lease=delivery.lease).update(
        lease=None, failures=F("failures") + 1, answer=answer, due_at=now + timedelta(seconds=pause)
    )


def _in_words(fault: Exception) -> str:
    return (str(fault) or type(fault).__name__).replace("\0", "")[:LONGEST_ANSWER]
