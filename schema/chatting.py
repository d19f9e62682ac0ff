"""Chats (H1-H3)."""

import dataclasses
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Annotated, Any, ClassVar

import strawberry
from tortoise.models import Model

import models
from resolvers import chatting
from resolvers.acting import Done
from resolvers.paging import Page
from resolvers.visibility import read_mark
from schema.acting import answer, attempt
from schema.ahead import PageOf, found, loaded_page, one, pages, together
from schema.connections import PageInfo, connection
from schema.context import Context, Info
from schema.ids import global_id, row_id
from schema.node import Node
from schema.people import Person
from schema.problems import IdempotencyKeyReused, InvalidInput, NotFound


async def _people(chats: Sequence["Chat"], context: Context) -> list[list[Person]]:
    pairs = [(chat.row.lower_id, chat.row.higher_id) for chat in chats]
    known = await found(context, Person, {each for pair in pairs for each in pair})
    return [[known[lower_id], known[higher_id]] for lower_id, higher_id in pairs]


def _messages(chat: "Chat", page: Page[models.ChatMessage], context: Context) -> "ChatMessageConnection":
    return connection(page, ChatMessageConnection, ChatMessageEdge, partial(context.show, ChatMessage))


@strawberry.type
class Chat(Node):
    """What two people write to each other; one for each pair, whichever sides they take in their meetings (H1)."""

    table: ClassVar[type[Model]] = models.Chat
    row: strawberry.Private[models.Chat]
    loaded: strawberry.Private[dict[PageOf, Any]] = dataclasses.field(default_factory=dict)
    people: list[Person] = together(_people, "The two: the viewer and the other, in no particular order.")
    unread: int = strawberry.field(description="How many messages of the other the viewer has not read (H2).")

    @classmethod
    def of(cls, row: models.Chat, viewer: models.Person) -> "Chat":
        return cls(id=global_id("Chat", row.id), row=row, unread=row.last_sequence - read_mark(row, viewer))

    @strawberry.field(metadata=pages(chatting.messages_of, _messages))  # type: ignore[untyped-decorator]
    def messages(self, first: int | None = 50, after: str | None = None) -> "ChatMessageConnection":
        """What was written, newest first."""
        return loaded_page(self.loaded, first, after)  # type: ignore[no-any-return]


@strawberry.type
class ChatMessage(Node):
    """Something one of the two wrote; never changed afterwards."""

    table: ClassVar[type[Model]] = models.ChatMessage
    row: strawberry.Private[models.ChatMessage]
    chat: Chat = one("row.chat_id", "Where it was written.")
    author: Person = one("row.author_id", "Who wrote it.")
    text: str = strawberry.field(description="As it was written: plain text, from 1 to 4,000 characters.")
    sent_at: datetime = strawberry.field(description="Never earlier than the message before it.")

    @classmethod
    def of(cls, row: models.ChatMessage, viewer: models.Person) -> "ChatMessage":
        return cls(id=global_id("ChatMessage", row.id), row=row, text=row.text, sent_at=row.sent_at)


@strawberry.type
class ChatMessageEdge:
    """An entry of a page, and where it stands in its list."""

    cursor: str
    node: ChatMessage


@strawberry.type
class ChatMessageConnection:
    """A page of a list."""

    edges: list[ChatMessageEdge]
    page_info: PageInfo


@strawberry.type
class ChatEdge:
    """An entry of a page, and where it stands in its list."""

    cursor: str
    node: Chat


@strawberry.type
class ChatConnection:
    """A page of a list."""

    edges: list[ChatEdge]
    page_info: PageInfo


@strawberry.input
class OpenChatInput:
    """The meeting whose other side to chat with (H1)."""

    meeting_id: strawberry.ID = strawberry.field(description="One in which one is a side, whatever became of it.")
    idempotency_key: str | None = None


@strawberry.input
class SendChatMessageInput:
    """What to write, and where (H2)."""

    chat_id: strawberry.ID = strawberry.field(description="One of one's own chats.")
    text: str = strawberry.field(
        description="Plain text, from 1 to 4,000 characters without the blanks around it; REQUIRED if there is nothing."
    )
    idempotency_key: str | None = None


@strawberry.input
class MarkChatReadInput:
    """The chat whose messages have been read (H2)."""

    chat_id: strawberry.ID = strawberry.field(description="One of one's own chats.")
    idempotency_key: str | None = None


@strawberry.type
class ChatOpened:
    """The chat as it is now."""

    chat: Chat = strawberry.field(description="The one of the two, the same every time.")


@strawberry.type
class ChatMessageSent:
    """The message as both see it."""

    chat_message: ChatMessage = strawberry.field(description="With the time it was sent.")


ChatResult = Annotated[
    ChatOpened | NotFound | InvalidInput | IdempotencyKeyReused,
    strawberry.union("ChatResult", description="The chat, or what stood in the way."),
]
ChatMessageResult = Annotated[
    ChatMessageSent | NotFound | InvalidInput | IdempotencyKeyReused,
    strawberry.union("ChatMessageResult", description="The message, or what stood in the way."),
]


@strawberry.type
class ChattingMutation:
    @strawberry.mutation
    async def open_chat(self, info: Info, input: OpenChatInput) -> ChatResult:
        """Either side of a meeting opens the chat with the other; there is one for each two people (H1)."""
        action = chatting.open_chat(
            row_id("Meeting", input.meeting_id), by=info.context.viewer, attempt=attempt("openChat", input)
        )
        return await answer(info, action, partial(_opened, info))  # type: ignore[return-value]

    @strawberry.mutation
    async def send_chat_message(self, info: Info, input: SendChatMessageInput) -> ChatMessageResult:
        """Write to the other; all that was there before counts as read (H2)."""
        action = chatting.send_chat_message(
            row_id("Chat", input.chat_id),
            text=input.text,
            by=info.context.viewer,
            attempt=attempt("sendChatMessage", input),
        )

        async def sent(done: Done) -> ChatMessageSent:
            message = await models.ChatMessage.get(id=done.made_id)
            return ChatMessageSent(chat_message=info.context.show(ChatMessage, message))

        return await answer(info, action, sent)  # type: ignore[return-value]

    @strawberry.mutation
    async def mark_chat_read(self, info: Info, input: MarkChatReadInput) -> ChatResult:
        """Everything written so far counts as read, and so does the notification of it (H2)."""
        action = chatting.mark_chat_read(
            row_id("Chat", input.chat_id), by=info.context.viewer, attempt=attempt("markChatRead", input)
        )
        return await answer(info, action, partial(_opened, info))  # type: ignore[return-value]


async def _opened(info: Info, done: Done) -> ChatOpened:
    return ChatOpened(chat=info.context.show(Chat, await models.Chat.get(id=done.made_id)))
