"""Pages of lists."""

from collections.abc import Sequence
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


def check_first(first: int | None, default: int) -> int:
    """How many rows are asked for: 1 to 100."""
    wanted = default if first is None else first
    if not 1 <= wanted <= LARGEST_PAGE:
        raise RequestError(ErrorCode.BAD_USER_INPUT, f"first must be from 1 to {LARGEST_PAGE}.")
    return wanted
