"""Ids as clients see them: opaque, and of one type."""

import base64
import binascii
from typing import Any
from uuid import UUID

import strawberry

from models.ids import NOTHING


def global_id(type_name: str, row_id: UUID) -> strawberry.ID:
    """The opaque id of a row of this type."""
    return strawberry.ID(base64.urlsafe_b64encode(f"{type_name}:{row_id.hex}".encode()).decode())


def row_id(type_name: str, opaque: Any) -> UUID:
    """The row an id names. One that is unreadable or of another type names what is not there, like any unknown id."""
    try:
        named, _, hexadecimal = (
            base64.b64decode(str(opaque).encode(), altchars=b"-_", validate=True).decode().partition(":")
        )
        return UUID(hex=hexadecimal) if named == type_name else NOTHING
    except (ValueError, binascii.Error):
        return NOTHING


def optional_row_id(type_name: str, opaque: Any) -> UUID | None:
    """The same for an id that may be left out."""
    return None if opaque is None else row_id(type_name, opaque)
