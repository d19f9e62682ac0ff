"""What the fields of one operation, or of one pushed event, share: who asks, and what has been loaded for them."""

from collections import defaultdict
from typing import Any, ClassVar, Protocol
from uuid import UUID

import strawberry
from tortoise.models import Model

from live.feeds import Feeds
from models import Person
from resolvers.errors import ErrorCode, RequestError

# Everybody else waits while an answer is put together. A hundred meetings with all that a client may show of each, and
# their timelines, are some 20,000 values.
MOST_VALUES = 50_000


class Kind(Protocol):
    """A type whose values each show one row of a table."""

    table: ClassVar[type[Model]]

    @classmethod
    def of(cls, row: Any, viewer: Person) -> Any:
        """The row as this viewer is shown it."""


class Context:
    """One operation of one viewer."""

    def __init__(self, viewer: Person, feeds: Feeds) -> None:
        self.viewer = viewer
        self.feeds = feeds
        self.problem: str | None = None
        "What stood in the way of the last action, by name."
        self.known: dict[type[Kind], dict[UUID, Any]] = defaultdict(dict)
        "What has been loaded, by kind and by the ids of the rows. Never kept longer than one answer."
        self._values = 0

    def show(self, kind: type[Kind], row: Any) -> Any:
        """The row as the viewer is shown it, one and the same wherever the answer has it."""
        known = self.known[kind]
        if row.pk not in known:
            known[row.pk] = kind.of(row, self.viewer)
        return known[row.pk]

    def count(self, values: int) -> None:
        """So many more are to be shown; raises BAD_USER_INPUT when it is too much for one answer."""
        self._values += values
        if self._values > MOST_VALUES:
            message = f"An answer may have at most {MOST_VALUES} values: ask for smaller pages, or for less of them."
            raise RequestError(ErrorCode.BAD_USER_INPUT, message)

    def forget(self) -> None:
        """Start afresh for the next event of a subscription: what was loaded for the last one is out of date."""
        self.known.clear()
        self._values = 0


Info = strawberry.Info[Context, None]
