"""What the fields of one operation, or of one pushed event, share: who asks, and what has been loaded for them."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import Any, Self, TypeVar
from uuid import UUID

import strawberry
from strawberry.dataloader import DataLoader
from tortoise.models import Model

import models
from live.feeds import Feeds
from resolvers import listing
from resolvers.conflicts import conflicts_of

Row = TypeVar("Row", bound=Model)
Key = TypeVar("Key")
Value = TypeVar("Value")


class Loaders:
    """Rows by id and lists by owner, each loaded once and many at a time. Never kept longer than one answer."""

    def __init__(self, viewer: models.Person) -> None:
        self.people = _by_id(models.Person)
        self.services = _by_id(models.Service)
        self.skills = _by_id(models.Skill)
        self.meetings = _by_id(models.Meeting)
        self.reasons = _by_id(models.Reason)
        self.skills_of = _lists(listing.skills_of)
        self.services_of = _lists(lambda people: listing.services_of(people, viewer))
        self.conflicts = DataLoader(_conflicts(viewer), cache_key_fn=lambda meeting: meeting.id)
        self.timelines = DataLoader(_timelines)


class Context:
    """One operation of one viewer."""

    def __init__(self, viewer: models.Person, feeds: Feeds) -> None:
        self.viewer = viewer
        self.feeds = feeds
        self.load = Loaders(viewer)
        self._ending = AsyncExitStack()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: Any) -> None:
        await self._ending.aclose()

    async def until_the_end(self, stream: AbstractAsyncContextManager[Value]) -> Value:
        """Enter what a subscription needs until its operation ends, however it ends."""
        return await self._ending.enter_async_context(stream)

    def forget(self) -> None:
        """Start afresh for the next event of a subscription: what was loaded for the last one is out of date."""
        self.load = Loaders(self.viewer)


Info = strawberry.Info[Context, None]


def _by_id(table: type[Row]) -> DataLoader[UUID, Row]:
    async def load(ids: list[UUID]) -> Sequence[Row]:
        found = {row.pk: row for row in await table.filter(id__in=ids)}
        return [found[each] for each in ids]

    return DataLoader(load)


def _lists(read: Callable[[Sequence[UUID]], Awaitable[dict[UUID, list[Value]]]]) -> DataLoader[UUID, list[Value]]:
    async def load(owners: list[UUID]) -> Sequence[list[Value]]:
        found = await read(owners)
        return [found.get(each, []) for each in owners]

    return DataLoader(load)


def _conflicts(viewer: models.Person) -> Callable[[list[models.Meeting]], Awaitable[Sequence[list[models.Meeting]]]]:
    async def load(meetings: list[models.Meeting]) -> Sequence[list[models.Meeting]]:
        found = await conflicts_of(meetings, viewer)
        return [found.get(each.id, []) for each in meetings]

    return load


TimelineKey = tuple[UUID, int | None, str | None]


async def _timelines(keys: list[TimelineKey]) -> Sequence[Any]:
    """First pages are read together; a cursor is of one timeline only, so each page after one is read by itself."""
    pages: dict[TimelineKey, Any] = {}
    together = {first: [key for key in keys if key[1:] == (first, None)] for _, first, after in keys if after is None}
    for asked in [*together.values(), *([key] for key in keys if key[2] is not None)]:
        _, first, after = asked[0]
        try:
            found = await listing.timelines([meeting_id for meeting_id, _, _ in asked], first=first, after=after)
            pages |= {key: found[key[0]] for key in asked}
        except Exception as fault:
            pages |= dict.fromkeys(asked, fault)
    return [pages[key] for key in keys]
