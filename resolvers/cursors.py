"""Opaque places in a list or a stream, bound to it and to whose it is."""

import base64
import binascii
import json
from typing import Any

from resolvers.errors import ErrorCode, RequestError

MOST_CURSOR_CHARACTERS = 500


def encode_cursor(stream: str, owner: object, place: object) -> str:
    """The cursor of a place in one owner's list or stream."""
    return base64.urlsafe_b64encode(json.dumps([stream, str(owner), place]).encode()).decode()


def decode_cursor(cursor: str, *, stream: str, owner: object) -> Any:
    """The place a cursor names; raises BAD_USER_INPUT for one that is not of this list or stream."""
    try:
        if len(cursor) > MOST_CURSOR_CHARACTERS:
            raise ValueError("too long to be one of ours")
        named, whose, place = json.loads(base64.b64decode(cursor.encode(), altchars=b"-_", validate=True))
        if (named, whose) != (stream, str(owner)):
            raise ValueError("of another list")
    except (ValueError, TypeError, RecursionError, binascii.Error) as fault:
        raise _bad_cursor() from fault
    return place


def decode_number(cursor: str | None, *, stream: str, owner: object) -> int:
    """The number a cursor names, 0 for none."""
    if cursor is None:
        return 0
    place = decode_cursor(cursor, stream=stream, owner=owner)
    if not isinstance(place, int) or isinstance(place, bool) or not 0 <= place < 2**31:
        raise _bad_cursor()
    return place


def _bad_cursor() -> RequestError:
    return RequestError(ErrorCode.BAD_USER_INPUT, "This cursor is not of this list.")
