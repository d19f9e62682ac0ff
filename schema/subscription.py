"""What is pushed."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from functools import partial
from typing import Annotated, TypeVar
from uuid import UUID

import strawberry

from resolvers import watching
from schema.ahead import look_ahead, one
from schema.context import Context, Info
from schema.credits import CreditAccount
from schema.ids import row_id
from schema.meetings import Meeting, TimelineEvent

Seen = TypeVar("Seen")
Pushed = TypeVar("Pushed")


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
class Subscription:
    """Over graphql-transport-ws. Each event arrives once and in order, from the moment of subscribing on (W2, W3)."""

    @strawberry.subscription
    async def meeting_updates(
        self,
        info: Info,
        meeting_id: Annotated[
            strawberry.ID, strawberry.argument(description="One of the viewer's; staff may watch any.")
        ],
    ) -> AsyncGenerator[MeetingUpdate, None]:
        """Everything that happens to one meeting; NOT_FOUND if it is not the viewer's."""
        context = info.context
        updates = await context.until_the_end(
            watching.meeting_updates(context.feeds, row_id("Meeting", meeting_id), viewer=context.viewer)
        )
        return _pushed(info, updates, partial(_meeting_update, context))

    @strawberry.subscription
    async def my_meeting_updates(self, info: Info) -> AsyncGenerator[MeetingUpdate, None]:
        """Everything that happens to the viewer's meetings."""
        context = info.context
        updates = await context.until_the_end(watching.my_meeting_updates(context.feeds, viewer=context.viewer))
        return _pushed(info, updates, partial(_meeting_update, context))

    @strawberry.subscription
    async def conflict_warnings(self, info: Info) -> AsyncGenerator[ConflictWarning, None]:
        """Conflicts of what waits for the viewer's answer: those that stand, then each as it comes or goes (C3)."""
        context = info.context
        warnings = await context.until_the_end(watching.conflict_warnings(context.feeds, viewer=context.viewer))
        return _pushed(info, warnings, partial(_conflict_warning, context))

    @strawberry.subscription
    async def credit_account_updates(self, info: Info) -> AsyncGenerator[CreditAccount, None]:
        """The balances now, then after each change."""
        context = info.context
        balances = await context.until_the_end(watching.balances(context.feeds, viewer=context.viewer))
        return _pushed(info, balances, CreditAccount.of)


async def _pushed(
    info: Info, seen: AsyncIterator[Seen], push: Callable[[Seen], Pushed]
) -> AsyncGenerator[Pushed, None]:
    async for each in seen:
        yield await watching.persistently(partial(_shown, info, push, each))


async def _shown(info: Info, push: Callable[[Seen], Pushed], seen: Seen) -> Pushed:
    info.context.forget()
    return await look_ahead(info, push(seen))


def _meeting_update(context: Context, update: watching.Update) -> MeetingUpdate:
    cursor, news = update
    assert news.event is not None
    assert news.meeting is not None
    event, meeting = context.show(TimelineEvent, news.event), context.show(Meeting, news.meeting)
    return MeetingUpdate(cursor=cursor, event=event, meeting=meeting)


def _conflict_warning(context: Context, warning: watching.ConflictWarning) -> ConflictWarning:
    meeting_id, conflicts = warning
    return ConflictWarning(waiting_id=meeting_id, conflicts=[context.show(Meeting, row) for row in conflicts])
