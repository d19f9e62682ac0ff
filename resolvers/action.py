"""One action in progress: whom it has locked and what it has done so far, written all at once at its end."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from tortoise.models import Model

from live.disputes import STAFF_CHANNEL
from live.messages import News, encode, person_channel
from models import Chat, ChatMessage, CreditMovement, Delivery, FeedEntry, Meeting, Notification, Person, TimelineEvent
from models.feeds import FeedEntryKind
from resolvers.world import world
from rules.mailing import wanted_by_mail
from rules.terms import AccountKind, CreditMovementKind, NotificationKind

PersonalAccount = tuple[AccountKind, Person | None]


class Action:
    """What the current transaction is about to write; all of it or nothing (I2)."""

    def __init__(self) -> None:
        self.news: list[tuple[str, bytes]] = []
        "What to announce once it is committed."
        self._now: datetime | None = None
        self._people: dict[UUID, Person] = {}
        self._events: list[TimelineEvent] = []
        self._movements: list[CreditMovement] = []
        self._notifications: list[Notification] = []
        self._deliveries: list[Delivery] = []
        self._messages: list[ChatMessage] = []
        self._pushes: dict[UUID, list[News]] = defaultdict(list)

    @property
    def now(self) -> datetime:
        """The time, read once after the locks; a statement's own idea of it may be older than its wait for them."""
        assert self._now is not None, "the time is read when the people are locked"
        return self._now

    async def lock_people(self, ids: Iterable[UUID], *, not_before: datetime | None = None) -> dict[UUID, Person]:
        """Lock these people, ascending, and read the clock; those that don't exist are missing from the answer."""
        assert not self._people, "people are locked once"
        rows = await Person.filter(id__in=list(ids)).order_by("id").select_for_update(no_key=True)
        self._people = {person.id: person for person in rows}
        now = await world().clock.now()
        self._now = max(now, not_before) if not_before else now
        return self._people

    def record(self, event: TimelineEvent, meeting: Meeting) -> None:
        """Put an event on the meeting's timeline and tell both sides, and staff if it is numbered for them."""
        self._events.append(event)
        if event.staff_position is not None:
            self.news.append((STAFF_CHANNEL, str(event.staff_position).encode()))
        for person_id in sorted((meeting.user_id, meeting.expert_id)):
            self._push(person_id, News(FeedEntryKind.TIMELINE_EVENT, event.id, event=event, meeting=meeting))

    def move(
        self,
        kind: CreditMovementKind,
        *,
        debited: PersonalAccount,
        credited: PersonalAccount,
        amount: int,
        meeting_id: UUID | None = None,
        note: str | None = None,
    ) -> CreditMovement:
        """Move so many hundredths from one account to another; people must be locked."""
        for (account, person), change in ((debited, -amount), (credited, amount)):
            if person is not None:
                _change_balance(self._people[person.id], account, change)
        movement = CreditMovement(
            id=world().new_id(),
            kind=kind,
            debited_account=debited[0],
            debited_person_id=debited[1].id if debited[1] else None,
            credited_account=credited[0],
            credited_person_id=credited[1].id if credited[1] else None,
            amount=amount,
            meeting_id=meeting_id,
            note=note,
            occurred_at=self.now,
        )
        self._movements.append(movement)
        return movement

    def say(self, message: ChatMessage, chat: Chat) -> None:
        """Write a message into a chat and show it to both."""
        self._messages.append(message)
        for person_id in (chat.lower_id, chat.higher_id):
            self._push(person_id, News(FeedEntryKind.CHAT_MESSAGE, message.id, message=message))

    def notify(
        self,
        person_id: UUID,
        kind: NotificationKind,
        *,
        facts: dict[str, object],
        meeting: Meeting | None = None,
        chat: Chat | None = None,
    ) -> Notification:
        """Tell a person something; the facts must hold what it is about, as that may change before they look."""
        notification = Notification(
            id=world().new_id(),
            person_id=person_id,
            kind=kind,
            meeting_id=meeting.id if meeting else None,
            chat_id=chat.id if chat else None,
            facts=facts,
            created_at=self.now,
            read_at=None,
        )
        self._notifications.append(notification)
        self._push(person_id, News(FeedEntryKind.NOTIFICATION, notification.id, notification=notification))
        self._mail(notification, person_id)
        return notification

    def confirm(self, notification: Notification, person_id: UUID) -> None:
        """Have an e-mail say to the side that brought it about what the other one is notified of."""
        self._mail(notification, person_id, confirmation=True)

    async def write(self) -> None:
        """Write what was done, number it in each person's feed, and have the news ready."""
        self._push_balances()
        await _insert(TimelineEvent, self._events)
        await _insert(CreditMovement, self._movements)
        await _insert(Notification, self._notifications)
        await _insert(Delivery, self._deliveries)
        await _insert(ChatMessage, self._messages)
        entries = [entry for person_id, pushes in self._pushes.items() for entry in self._number(person_id, pushes)]
        await _insert(FeedEntry, entries)
        for person_id in self._pushes:
            person = self._people[person_id]
            await Person.filter(id=person_id).update(
                available=person.available, blocked=person.blocked, feed_head=person.feed_head
            )

    def _mail(self, notification: Notification, person_id: UUID, *, confirmation: bool = False) -> None:
        person = self._people[person_id]
        if person.email and wanted_by_mail(notification.kind, person.muted_kinds):
            self._deliveries.append(
                Delivery(
                    id=world().new_id(),
                    notification_id=notification.id,
                    confirmation=confirmation,
                    due_at=self.now,
                )
            )

    def _push(self, person_id: UUID, news: News) -> None:
        self._pushes[person_id].append(news)

    def _push_balances(self) -> None:
        """Everybody whose balance changed is told the new one, once."""
        newest = {
            person_id: movement.id
            for movement in self._movements
            for person_id in (movement.debited_person_id, movement.credited_person_id)
            if person_id is not None
        }
        for person_id, movement_id in newest.items():
            person = self._people[person_id]
            self._push(
                person_id,
                News(FeedEntryKind.BALANCE, movement_id, available=person.available, blocked=person.blocked),
            )

    def _number(self, person_id: UUID, pushes: Sequence[News]) -> list[FeedEntry]:
        person = self._people[person_id]
        first = person.feed_head + 1
        person.feed_head += len(pushes)
        self.news.append((person_channel(person_id), encode(first, pushes)))
        return [
            FeedEntry(person_id=person_id, position=position, kind=news.kind, ref=news.ref)
            for position, news in enumerate(pushes, start=first)
        ]


def _change_balance(person: Person, account: AccountKind, change: int) -> None:
    if account is AccountKind.AVAILABLE:
        person.available += change
    elif account is AccountKind.BLOCKED:
        person.blocked += change


async def _insert(table: type[Model], rows: Sequence[Model]) -> None:
    if rows:
        await table.bulk_create(rows)
