"""No more e-mails of a kind, for whoever has the address that one of them came with."""

from dataclasses import dataclass

from models import Delivery, Notification, Person
from resolvers.acting import NO_ATTEMPT, Done, act
from resolvers.action import Action
from resolvers.confirming import recipient_of
from resolvers.world import world
from rules.mailing import ALWAYS_MAILED
from rules.terms import NotificationKind


@dataclass(frozen=True, slots=True)
class Subscription:
    """That somebody is sent e-mails of a kind."""

    person: Person
    kind: NotificationKind

    @property
    def is_muted(self) -> bool:
        return self.kind in self.person.muted_kinds


async def subscription(token: str) -> Subscription | None:
    """Whose e-mails, and of which kind, an address is about; nothing if it is none of ours."""
    sent_as = world().links.read_unsubscribing(token)
    if sent_as is None:
        return None
    confirmation = await Delivery.get_or_none(id=sent_as, confirmation=True)
    told = await Notification.get_or_none(id=confirmation.notification_id if confirmation else sent_as)
    if told is None or told.kind in ALWAYS_MAILED:
        return None
    return Subscription(await recipient_of(told, confirmation=confirmation is not None), told.kind)


async def mute(subscription: Subscription) -> None:
    """They are sent no more of them; what is on its way is not sent either (N)."""

    async def story(action: Action) -> Done:
        person = (await action.lock_people([subscription.person.id]))[subscription.person.id]
        if subscription.kind not in person.muted_kinds:
            muted = [*person.muted_kinds, subscription.kind]
            await Person.filter(id=person.id).update(muted_kinds=muted)
        return Done(person.id)

    await act(NO_ATTEMPT, by=None, story=story)
