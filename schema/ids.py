"""Ids as clients see them: opaque, and of one type."""

import base64
from typing import Any
from uuid import UUID

import strawberry

from models.ids import NOTHING, opaque_id


def global_id(type_name: str, *row_ids: UUID) -> strawberry.ID:
    """The opaque id of a row of this type, or of a row as somebody sees it."""
    return strawberry.ID(opaque_id(type_name, *row_ids))


def named_by(opaque: Any) -> tuple[str, tuple[UUID, ...]]:
    """The type and the row ids that an id names; one that is unreadable names nothing of no type."""
    try:
        type_name, *row_ids = base64.b64decode(str(opaque).encode(), altchars=b"-_", validate=True).decode().split(":")
        return type_name, tuple(UUID(hex=each) for each in row_ids)
    except ValueError:  # not base64, not UTF-8, or no UUID
        return "", ()


def row_id(type_name: str, opaque: Any) -> UUID:
    """The row an id names. One that is unreadable or of another type names what is not there, like any unknown id."""
    match named_by(opaque):
        case (name, (row_id,)) if name == type_name:
            return row_id
    return NOTHING


def optional_row_id(type_name: str, opaque: Any) -> UUID | None:
    """The same for an id that may be left out."""
    return None if opaque is None else row_id(type_name, opaque)
