"""What people are told (N4)."""

from datetime import datetime
from typing import Annotated, ClassVar

import strawberry
from tortoise.models import Model

import models
from resolvers import notifying
from resolvers.acting import Done
from rules.terms import NotificationKind
from schema.acting import answer, attempt
from schema.ahead import one
from schema.chatting import Chat
from schema.connections import PageInfo
from schema.context import Info
from schema.ids import global_id, row_id
from schema.meetings import Meeting
from schema.node import Node
from schema.problems import IdempotencyKeyReused, InvalidInput, NotFound


@strawberry.type
class Notification(Node):
    """Something the viewer is told; in words as they were when it happened, in the language they read now (N4)."""

    table: ClassVar[type[Model]] = models.Notification
    row: strawberry.Private[models.Notification]
    kind: NotificationKind = strawberry.field(description="What it is about, for programs.")
    title: str = strawberry.field(description="One line for people, in the viewer's language.")
    body: str = strawberry.field(
        description="For people: who, what and when, in the viewer's language and time zone. Plain text."
    )
    meeting: Meeting | None = one("row.meeting_id", "The meeting it is about, as it is now; null if it is a chat.")
    chat: Chat | None = one("row.chat_id", "The chat it is about, as it is now; null if it is a meeting.")
    created_at: datetime = strawberry.field(description="When it happened.")
    read_at: datetime | None = strawberry.field(description="When the viewer marked it read; null until then.")

    @classmethod
    def of(cls, row: models.Notification, viewer: models.Person) -> "Notification":
        text = notifying.text_for(viewer, row)
        return cls(
            id=global_id("Notification", row.id),
            row=row,
            kind=row.kind,
            title=text.title,
            body=text.body,
            created_at=row.created_at,
            read_at=row.read_at,
        )


@strawberry.type
class NotificationEdge:
    """An entry of a page, and where it stands in its list."""

    cursor: str
    node: Notification


@strawberry.type
class NotificationConnection:
    """A page of a list."""

    edges: list[NotificationEdge]
    page_info: PageInfo


@strawberry.input
class MarkNotificationsReadInput:
    """Which notifications have been read."""

    ids: list[strawberry.ID] | None = strawberry.field(
        default=None,
        description="At most 1,000 of one's own, all or none of which are marked. Without ids all of them.",
    )
    idempotency_key: str | None = None


@strawberry.type
class NotificationsRead:
    """What is left."""

    unread: int = strawberry.field(description="How many the viewer has still not read.")


NotificationsResult = Annotated[
    NotificationsRead | NotFound | InvalidInput | IdempotencyKeyReused,
    strawberry.union("NotificationsResult", description="What is left unread, or what stood in the way."),
]


@strawberry.type
class NotifyingMutation:
    @strawberry.mutation
    async def mark_notifications_read(self, info: Info, input: MarkNotificationsReadInput) -> NotificationsResult:
        """These of the viewer's notifications, or all of them, count as read (N4)."""
        action = notifying.mark_notifications_read(
            None if input.ids is None else [row_id("Notification", each) for each in input.ids],
            by=info.context.viewer,
            attempt=attempt("markNotificationsRead", input),
        )

        async def marked(done: Done) -> NotificationsRead:
            return NotificationsRead(unread=await notifying.unread_notifications(info.context.viewer))

        return await answer(info, action, marked)  # type: ignore[return-value]
