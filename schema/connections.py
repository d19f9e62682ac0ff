"""Pages as the Relay cursor specification has them."""

from collections.abc import Callable
from typing import Any, TypeVar

import strawberry

from resolvers.paging import Page

Row = TypeVar("Row")
Connection = TypeVar("Connection")


@strawberry.type
class PageInfo:
    """Where a page stands in its list."""

    has_next_page: bool = strawberry.field(description="Whether there are entries after this page.")
    has_previous_page: bool = strawberry.field(description="Whether this page was asked for `after` a cursor.")
    start_cursor: str | None = strawberry.field(description="The cursor of the first entry; null on an empty page.")
    end_cursor: str | None = strawberry.field(
        description="The cursor of the last entry, for `after` of the next page; null on an empty page."
    )


def connection(
    page: Page[Row], connection_type: Callable[..., Connection], edge: Callable[..., Any], node: Callable[[Row], Any]
) -> Connection:
    """A page of rows as a connection of nodes."""
    return connection_type(
        edges=[edge(cursor=cursor, node=node(row)) for cursor, row in page.rows],
        page_info=PageInfo(
            has_next_page=page.has_next,
            has_previous_page=page.has_previous,
            start_cursor=page.rows[0][0] if page.rows else None,
            end_cursor=page.rows[-1][0] if page.rows else None,
        ),
    )
