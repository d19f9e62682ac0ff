"""Chats: opened from a meeting, written in, read (H1, H2). Nobody but the two learns that there is one."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from tortoise.connection import get_connection
from tortoise.expressions import Q

from models import Chat, ChatMessage, Meeting, Notification, Person
from resolvers.acting import Attempt, Done, act
from resolvers.action import Action
from resolvers.cursors import decode_cursor, encode_cursor, read_number
from resolvers.paging import Page, check_first, page_of
from resolvers.visibility import own_chats, side_of, visible_chats
from resolvers.world import world
from rules.inputs import check_text
from rules.problems import NotFound
from rules.terms import NotificationKind

CHATS = "chats"
MESSAGES = "messages"
EXCERPT_CHARACTERS = 200
"How much of a message its notification shows."

# As messages are numbered without gaps, a page is a range of them.
NEWEST_MESSAGES = """
SELECT message.* FROM chat JOIN chat_message AS message ON message.chat_id = chat.id
WHERE chat.id = ANY($1::uuid[]) AND message.sequence < LEAST($2::int, chat.last_sequence + 1)
    AND message.sequence >= LEAST($2::int, chat.last_sequence + 1) - $3::int
ORDER BY message.sequence DESC
"""
AFTER_ALL = 2**31 - 1


async def open_chat(meeting_id: UUID, *, by: Person, attempt: Attempt) -> Done:
    """Either side of a meeting opens the chat with the other, the one that is there or a new one (H1)."""

    async def story(action: Action) -> Done:
        meeting = await Meeting.get_or_none(id=meeting_id)
        if meeting is None or side_of(meeting, by) is None:
            raise NotFound
        lower_id, higher_id = sorted((meeting.user_id, meeting.expert_id))
        await action.lock_people((lower_id, higher_id))
        attempt.check()
        chat = await Chat.get_or_none(lower_id=lower_id, higher_id=higher_id)
        if chat is None:
            chat = await Chat.create(id=world().new_id(), lower_id=lower_id, higher_id=higher_id, active_at=action.now)
        return Done(chat.id)

    return await act(attempt, by=by, story=story)


async def send_chat_message(chat_id: UUID, *, text: str, by: Person, attempt: Attempt) -> Done:
    """Write to the other; what was there before counts as read, and they are notified once until they read (H2)."""

    async def story(action: Action) -> Done:
        chat = await _lock_chat(chat_id, by)
        people = await action.lock_people((chat.lower_id, chat.higher_id), not_before=chat.active_at)
        attempt.check()
        checked = check_text(text, "text", at_most=world().policy.longest_chat_message_characters)
        chat.last_sequence += 1
        chat.active_at = action.now
        await _mark_read(chat, by, now=action.now, and_save=("last_sequence", "active_at"))
        message = ChatMessage(
            id=world().new_id(),
            chat_id=chat.id,
            sequence=chat.last_sequence,
            author_id=by.id,
            text=checked,
            sent_at=action.now,
        )
        action.say(message, chat)
        other_id = chat.higher_id if chat.lower_id == by.id else chat.lower_id
        if not await Notification.exists(person_id=other_id, chat_id=chat.id, read_at=None):
            facts: dict[str, object] = {"other": people[by.id].name, "text": _excerpt(checked)}
            action.notify(other_id, NotificationKind.CHAT_MESSAGE, chat=chat, facts=facts)
        return Done(message.id)

    return await act(attempt, by=by, story=story)


async def mark_chat_read(chat_id: UUID, *, by: Person, attempt: Attempt) -> Done:
    """Everything that is in the chat counts as read, and so does what notifies of it (H2)."""

    async def story(action: Action) -> Done:
        chat = await _lock_chat(chat_id, by)
        await action.lock_people([by.id])
        attempt.check()
        await _mark_read(chat, by, now=action.now)
        return Done(chat.id)

    return await act(attempt, by=by, story=story)


async def chats_of(viewer: Person, *, first: int | None, after: str | None) -> Page[Chat]:
    """One's chats, the one in which something was written last first."""
    count = check_first(first, 20)
    beyond = Q()
    if after is not None:
        active_at, chat_id = decode_cursor(after, stream=CHATS, owner=viewer.id, read=_read_place)
        beyond = Q(active_at__lte=active_at) & (Q(active_at__lt=active_at) | Q(id__lt=chat_id))
    found: list[Chat] = []
    # Each place in the pair by itself comes from an index in its order.
    for mine in ({"lower_id": viewer.id}, {"higher_id": viewer.id}):
        found += await Chat.filter(beyond, **mine).order_by("-active_at", "-id").limit(count + 1)
    found.sort(key=lambda chat: (chat.active_at, chat.id), reverse=True)

    def cursor(chat: Chat) -> str:
        return encode_cursor(CHATS, viewer.id, [chat.active_at.isoformat(), str(chat.id)])

    return page_of(found, cursor, count=count, after=after)


async def visible_chat(chat_id: UUID, viewer: Person) -> Chat | None:
    """The chat, if it is there and one of the two asks; otherwise None, the two never told apart."""
    found = await visible_chats([chat_id], viewer)
    return found[0] if found else None


async def chats_with(people_ids: Sequence[UUID], viewer: Person) -> dict[UUID, Chat]:
    """By the other's id: the chats of the viewer with these people, where there are any."""
    others = list(people_ids)
    pairs = Q(lower_id=viewer.id, higher_id__in=others) | Q(higher_id=viewer.id, lower_id__in=others)
    chats = await Chat.filter(pairs) if others else []
    return {chat.higher_id if chat.lower_id == viewer.id else chat.lower_id: chat for chat in chats}


async def messages_of(
    chat_ids: Sequence[UUID], *, first: int | None, after: str | None
) -> dict[UUID, Page[ChatMessage]]:
    """A page of each chat's messages, newest first. A cursor is of one chat: with `after` there is one."""
    count = check_first(first, 50)
    before = AFTER_ALL
    if after is not None:
        (chat_id,) = chat_ids
        before = decode_cursor(after, stream=MESSAGES, owner=chat_id, read=read_number)
    found: dict[UUID, list[ChatMessage]] = {each: [] for each in chat_ids}
    for row in await get_connection("default").execute_query_dict(NEWEST_MESSAGES, [list(chat_ids), before, count + 1]):
        found[row["chat_id"]].append(ChatMessage(**row))

    def cursor(message: ChatMessage) -> str:
        return encode_cursor(MESSAGES, message.chat_id, message.sequence)

    return {chat_id: page_of(rows, cursor, count=count, after=after) for chat_id, rows in found.items()}


async def _lock_chat(chat_id: UUID, by: Person) -> Chat:
    """The chat of an action takes the place of the meeting in the order of locks."""
    chat = await own_chats(by).select_for_update(no_key=True).get_or_none(id=chat_id)
    if chat is None:
        raise NotFound
    return chat


async def _mark_read(chat: Chat, reader: Person, *, now: datetime, and_save: Sequence[str] = ()) -> None:
    mark = "lower_has_read" if chat.lower_id == reader.id else "higher_has_read"
    if getattr(chat, mark) < chat.last_sequence:
        setattr(chat, mark, chat.last_sequence)
        await chat.save(update_fields=[mark, *and_save])
    await Notification.filter(person_id=reader.id, chat_id=chat.id, read_at=None).update(read_at=now)


def _excerpt(text: str) -> str:
    return text if len(text) <= EXCERPT_CHARACTERS else text[: EXCERPT_CHARACTERS - 1].rstrip() + "…"


def _read_place(place: Any) -> tuple[datetime, UUID]:
    active_at, chat_id = place
    return datetime.fromisoformat(active_at).astimezone(UTC), UUID(chat_id)
