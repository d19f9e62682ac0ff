"""What people were told: listed, counted, marked read (N4)."""

from collections.abc import Sequence
from uuid import UUID

from models import Notification, Person
from resolvers.acting import Attempt, Done, act
from resolvers.action import Action
from resolvers.cursors import decode_cursor, encode_cursor
from resolvers.paging import Page, check_first, page_of
from resolvers.world import world
from rules.problems import InvalidInput, NotFound
from rules.terms import InvalidInputCode, NotificationKind
from texts.notifications import Text, notification_text

NOTIFICATIONS = "notifications"
MOST_MARKED_AT_ONCE = 1_000


async def notifications_of(
    viewer: Person, *, unread_only: bool, first: int | None, after: str | None
) -> Page[Notification]:
    """What one was told, newest first: in the order of their ids, which grow with time."""
    count = check_first(first, 50)
    stream = f"{NOTIFICATIONS}/{'unread' if unread_only else 'all'}"
    query = Notification.filter(person_id=viewer.id)
    if unread_only:
        query = query.filter(read_at=None)
    if after is not None:
        query = query.filter(id__lt=decode_cursor(after, stream=stream, owner=viewer.id, read=UUID))
    rows = await query.order_by("-id").limit(count + 1)
    return page_of(rows, lambda row: encode_cursor(stream, viewer.id, str(row.id)), count=count, after=after)


async def unread_notifications(viewer: Person) -> int:
    """How many of them one has not read."""
    return await Notification.filter(person_id=viewer.id, read_at=None).count()


def text_for(reader: Person, told: Notification) -> Text:
    """What one was told, in the language and on the clock that they read it by now; with the link, if that was it."""
    facts = told.facts
    if told.kind is NotificationKind.MEETING_LINK:
        facts = facts | {"join_url": world().links.url(UUID(str(facts["join_link_id"])))}
    return notification_text(told.kind, facts, reader.language, reader.time_zone)


async def mark_notifications_read(ids: Sequence[UUID] | None, *, by: Person, attempt: Attempt) -> Done:
    """These, or without ids all there are, count as read; one that is not theirs, and none does."""

    async def story(action: Action) -> Done:
        own = Notification.filter(person_id=by.id)
        wanted = set(ids or ())
        if ids is not None:
            own = own.filter(id__in=list(wanted))
            if await own.count() < len(wanted):
                raise NotFound
        attempt.check()
        if len(wanted) > MOST_MARKED_AT_ONCE:
            raise InvalidInput("ids", InvalidInputCode.TOO_LONG)
        await action.lock_people([by.id])
        await own.filter(read_at=None).update(read_at=action.now)
        return Done(by.id)

    return await act(attempt, by=by, story=story)
