"""Opaque places in a list or a stream, bound to it and to whose it is."""

import base64
import json
from collections.abc import Callable
from typing import Any, TypeVar

from resolvers.errors import ErrorCode, RequestError

MOST_CURSOR_CHARACTERS = 10_000
"A place may hold a name of 600 characters, however they are encoded."
MOST_ENTRIES = 10**9
"No list or stream of one owner gets so long, and what lies beyond need not fit into its column."

Place = TypeVar("Place")


def encode_cursor(stream: str, owner: object, place: object) -> str:
    """The cursor of a place in one owner's list or stream."""
    return base64.urlsafe_b64encode(json.dumps([stream, str(owner), place]).encode()).decode()


def decode_cursor(cursor: str, *, stream: str, owner: object, read: Callable[[Any], Place]) -> Place:
    """The place a cursor names, as `read` has it; raises BAD_USER_INPUT for one that is not of this list or stream."""
    try:
        if len(cursor) > MOST_CURSOR_CHARACTERS:
            raise ValueError("too long to be one of ours")
        named, whose, place = json.loads(base64.b64decode(cursor.encode(), altchars=b"-_", validate=True))
        if (named, whose) != (stream, str(owner)):
            raise ValueError("of another list")
        return read(place)
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError) as fault:
        raise RequestError(ErrorCode.BAD_USER_INPUT, "This cursor is not of this list.") from fault


def read_number(place: Any) -> int:
    """The number of an entry, for `decode_cursor`."""
    if not isinstance(place, int) or isinstance(place, bool) or not 0 <= place <= MOST_ENTRIES:
        raise ValueError("no number of an entry")
    return place
