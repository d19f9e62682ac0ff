"""What is pushed."""

from collections.abc import AsyncGenerator
from typing import Annotated
from uuid import UUID

import strawberry

from live.messages import News
from resolvers import watching
from schema.ahead import one
from schema.chatting import ChatMessage
from schema.context import Context, Info
from schema.credits import CreditAccount
from schema.ids import row_id
from schema.meetings import Meeting, TimelineEvent
from schema.notifying import Notification
from schema.pushing import Stream


@strawberry.type
class MeetingUpdate:
    """Something happened to a meeting (W1)."""

    cursor: str
    event: TimelineEvent = strawberry.field(description="What happened.")
    meeting: Meeting = strawberry.field(description="As it is now, which may be later than the event.")


@strawberry.type
class ConflictWarning:
    """A date that waits for the viewer's answer collides with agreed meetings of theirs, or no longer does (C3)."""

    waiting_id: strawberry.Private[UUID]
    meeting: Meeting = one("waiting_id", "The one that waits for the viewer's answer.")
    conflicts: list[Meeting] = strawberry.field(
        description="What it would collide with; empty once the conflict is gone."
    )


@strawberry.type
class NotificationUpdate:
    """The viewer is told something (W1)."""

    cursor: str
    notification: Notification = strawberry.field(description="What they are told.")


@strawberry.type
class ChatMessageUpdate:
    """Somebody wrote something in a chat of the viewer's (W1)."""

    cursor: str
    chat_message: ChatMessage = strawberry.field(description="What either of the two wrote.")


After = Annotated[
    str | None,
    strawberry.argument(
        description=(
            "The cursor of the last update seen, to get what was missed since and then what comes; without it, from now"
            " on. One of another stream or person is BAD_USER_INPUT (W2)."
        )
    ),
]


@strawberry.type
class Subscription:
    """Over graphql-transport-ws. Each update comes once and in order, from `after` a cursor or from now on (W2, W3)."""

    @strawberry.subscription
    async def meeting_updates(
        self,
        info: Info,
        meeting_id: Annotated[
            strawberry.ID, strawberry.argument(description="One of the viewer's; staff may watch any.")
        ],
        after: After = None,
    ) -> AsyncGenerator[MeetingUpdate, None]:
        """Everything that happens to one meeting; NOT_FOUND if it is not the viewer's."""
        context = info.context
        updates = await watching.meeting_updates(
            context.feeds, row_id("Meeting", meeting_id), after=after, viewer=context.viewer
        )
        return Stream(updates, _meeting_update, info, _news)  # type: ignore[return-value]

    @strawberry.subscription
    async def my_meeting_updates(self, info: Info, after: After = None) -> AsyncGenerator[MeetingUpdate, None]:
        """Everything that happens to the viewer's meetings."""
        context = info.context
        updates = await watching.my_meeting_updates(context.feeds, after=after, viewer=context.viewer)
        return Stream(updates, _meeting_update, info, _news)  # type: ignore[return-value]

    @strawberry.subscription
    async def conflict_warnings(self, info: Info) -> AsyncGenerator[ConflictWarning, None]:
        """Conflicts of what waits for the viewer's answer: those that stand, then each as it comes or goes (C3)."""
        context = info.context
        warnings = await watching.conflict_warnings(context.feeds, viewer=context.viewer)
        return Stream(warnings, _conflict_warning, info)  # type: ignore[return-value]

    @strawberry.subscription
    async def dispute_updates(self, info: Info, after: str | None = None) -> AsyncGenerator[MeetingUpdate, None]:
        """Staff only: meetings as they are referred to Expertim and decided, those after a cursor first (S3, W2)."""
        context = info.context
        updates = await watching.dispute_updates(context.feeds, viewer=context.viewer, after=after)
        return Stream(updates, _meeting_update, info, _news)  # type: ignore[return-value]

    @strawberry.subscription
    async def credit_account_updates(self, info: Info) -> AsyncGenerator[CreditAccount, None]:
        """The balances now, then after each change."""
        context = info.context
        balances = await watching.balances(context.feeds, viewer=context.viewer)
        return Stream(balances, lambda _, holder: CreditAccount.of(holder), info)  # type: ignore[return-value]

    @strawberry.subscription
    async def notification_received(self, info: Info, after: After = None) -> AsyncGenerator[NotificationUpdate, None]:
        """Everything the viewer is told (N4)."""
        context = info.context
        told = await watching.notifications(context.feeds, after=after, viewer=context.viewer)
        return Stream(told, _notification_update, info, _news)  # type: ignore[return-value]

    @strawberry.subscription
    async def chat_message_sent(
        self,
        info: Info,
        chat_id: Annotated[strawberry.ID, strawberry.argument(description="One of the viewer's.")],
        after: After = None,
    ) -> AsyncGenerator[ChatMessageUpdate, None]:
        """Everything written in one chat, also by the viewer; NOT_FOUND if it is not theirs (H2)."""
        context = info.context
        written = await watching.chat_messages(
            context.feeds, row_id("Chat", chat_id), after=after, viewer=context.viewer
        )
        return Stream(written, _chat_message_update, info, _news)  # type: ignore[return-value]


def _news(update: watching.Update) -> News:
    return update[1]


def _meeting_update(context: Context, update: watching.Update) -> MeetingUpdate:
    cursor, news = update
    assert news.event is not None
    assert news.meeting is not None
    event, meeting = context.show(TimelineEvent, news.event), context.show(Meeting, news.meeting)
    return MeetingUpdate(cursor=cursor(), event=event, meeting=meeting)


def _notification_update(context: Context, update: watching.Update) -> NotificationUpdate:
    cursor, news = update
    return NotificationUpdate(cursor=cursor(), notification=context.show(Notification, news.notification))


def _chat_message_update(context: Context, update: watching.Update) -> ChatMessageUpdate:
    cursor, news = update
    return ChatMessageUpdate(cursor=cursor(), chat_message=context.show(ChatMessage, news.message))


def _conflict_warning(context: Context, warning: watching.ConflictWarning) -> ConflictWarning:
    meeting_id, conflicts = warning
    return ConflictWarning(waiting_id=meeting_id, conflicts=[context.show(Meeting, row) for row in conflicts])
