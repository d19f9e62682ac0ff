"""E-mail for every notification, and for who brought it about: at least once, and nobody waits for it (N).

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
from mail.messages import Letter, compose
from mail.sending import Connection, MailPostponed, MailRefused, MailServerAway
from measuring import delivered
from models import Delivery, JoinLink, Meeting, Notification, Person
from models.deliveries import DeliveryStatus
from models.transactions import snapshot
from resolvers.calendars import part_for
from resolvers.confirming import recipient_of, words_for
from resolvers.facts import progress_of, state_of
from resolvers.pauses import pause_seconds
from resolvers.visibility import side_of
from resolvers.world import world
from rules.mailing import ALWAYS_MAILED, wanted_by_mail
from rules.reminding import REMINDERS, still_right
from rules.terms import NotificationKind

log = structlog.get_logger()

AT_ONCE = 20
"E-mails to one connection."
SENT_WITHIN_SECONDS = 50.0
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
    async with snapshot():
        letter = await _written(delivery)
    if letter is None:
        return False
    await connection.send(compose(letter, sender=world().mail_from))
    return True


async def _written(delivery: Delivery) -> Letter | None:
    """The letter as it is to be sent now; nothing if it is not wanted, or not right, any more."""
    told = await Notification.get(id=delivery.notification_id)
    person = await recipient_of(told, confirmation=delivery.confirmation)
    if not person.email or not wanted_by_mail(told.kind, person.muted_kinds) or not await _still_right(told, person):
        return None
    sent_as = delivery.id if delivery.confirmation else told.id
    return Letter(
        id=sent_as,
        kind=told.kind,
        text=await words_for(person, told, confirmation=delivery.confirmation),
        told_at=told.created_at,
        address=person.email,
        language=person.language,
        url=_where_to_act(told),
        unsubscribing_url=None if told.kind in ALWAYS_MAILED else world().links.unsubscribing(sent_as),
        calendar=await part_for(told, person, person.email),
    )


async def _still_right(told: Notification, person: Person) -> bool:
    """Of a reminder: decided when it is sent, not before (N1-N3)."""
    if told.kind not in REMINDERS:
        return True
    meeting = await Meeting.get(id=told.meeting_id)
    side = side_of(meeting, person)
    assert side is not None, "a meeting of somebody else"
    # Another approval makes links of its own, also of a start that was there before (N2).
    link_id = told.facts.get("join_link_id")
    if link_id and await JoinLink.exists(id=UUID(str(link_id)), revoked_at__isnull=False):
        return False
    now = await world().clock.now()
    progress = await progress_of([meeting], now)
    return still_right(
        told.kind,
        state_of(meeting, None, progress[meeting.id]),
        to=side,
        told_of=datetime.fromisoformat(str(told.facts["starts_at"])),
        now=now,
        policy=world().policy,
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
    if await own.update(status=status, answer=answer, lease=None, ended_at=now):
        delivered("mail", status)


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
    delivered("mail", "POSTPONED")
    pause = pause_seconds(delivery.failures + 1, first=FIRST_PAUSE_SECONDS, longest=LONGEST_PAUSE_SECONDS)
    await Delivery.filter(id=delivery.id, lease=delivery.lease).update(
        lease=None, failures=F("failures") + 1, answer=answer, due_at=now + timedelta(seconds=pause)
    )


def _in_words(fault: Exception) -> str:
    """As it can be stored: what a server answers need not be UTF-8."""
    words = (str(fault) or type(fault).__name__).replace("\0", "")[:LONGEST_ANSWER]
    return words.encode(errors="replace").decode()
