"""Pages of lists: from a place on, in an order that an index has, so that rows may come and go meanwhile."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from resolvers.errors import ErrorCode, RequestError

Row = TypeVar("Row")
LARGEST_PAGE = 100


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """Some rows of a list, each with its cursor."""

    rows: Sequence[tuple[str, Row]]
    has_next: bool
    has_previous: bool


def page_of(rows: Sequence[Row], cursor: Callable[[Row], str], *, count: int, after: str | None) -> Page[Row]:
    """The page of at most `count` rows; one more was asked for, which tells whether there are any after it."""
    shown = [(cursor(row), row) for row in rows[:count]]
    return Page(shown, has_next=len(rows) > count, has_previous=after is not None)


def at_most_a_page(ids: Sequence[Row], name: str) -> Sequence[Row]:
    """The ids, if there are no more of them than of rows in a page."""
    if len(ids) > LARGEST_PAGE:
        raise RequestError(ErrorCode.BAD_USER_INPUT, f"{name} may be at most {LARGEST_PAGE}.")
    return ids


def check_first(first: int | None, default: int) -> int:
    """How many rows are asked for: 1 to 100."""
    wanted = default if first is None else first
    if not 1 <= wanted <= LARGEST_PAGE:
        raise RequestError(ErrorCode.BAD_USER_INPUT, f"first must be from 1 to {LARGEST_PAGE}.")
    return wanted
