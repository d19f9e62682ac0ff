"""What travels over Redis: the newest entries of one person's feed, each with the fact as it was committed."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from tortoise.models import Model

from models import ChatMessage, Meeting, Notification, TimelineEvent
from models.feeds import FeedEntryKind

Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True, slots=True)
class News:
    """One entry of a person's feed. Holds nothing that depends on the clock or on who looks at it."""

    kind: FeedEntryKind
    ref: UUID
    event: TimelineEvent | None = None
    meeting: Meeting | None = None
    "The meeting's row as the event left it, or later."
    notification: Notification | None = None
    message: ChatMessage | None = None
    available: int | None = None
    blocked: int | None = None
    "The person's balances after the change, in hundredths of a credit."


def person_channel(person_id: UUID) -> str:
    """The one channel a person's news travel on."""
    return f"person:{person_id}"


def encode(first_position: int, entries: Sequence[News]) -> bytes:
    """A message: consecutive entries, and the feed position of the first."""
    return json.dumps({"first": first_position, "entries": [_packed(entry) for entry in entries]}, default=str).encode()


def decode(message: bytes | str) -> tuple[int, list[News]]:
    """The position of a message's first entry, and its entries."""
    content = json.loads(message)
    return int(content["first"]), [_unpacked(entry) for entry in content["entries"]]


def _packed(entry: News) -> dict[str, Any]:
    return {
        "kind": entry.kind,
        "ref": entry.ref,
        "event": _columns(entry.event),
        "meeting": _columns(entry.meeting),
        "notification": _columns(entry.notification),
        "message": _columns(entry.message),
        "available": entry.available,
        "blocked": entry.blocked,
    }


def _unpacked(entry: dict[str, Any]) -> News:
    return News(
        kind=FeedEntryKind(entry["kind"]),
        ref=UUID(entry["ref"]),
        event=_row(TimelineEvent, entry["event"]),
        meeting=_row(Meeting, entry["meeting"]),
        notification=_row(Notification, entry["notification"]),
        message=_row(ChatMessage, entry["message"]),
        available=entry["available"],
        blocked=entry["blocked"],
    )


def _columns(row: Model | None) -> dict[str, Any] | None:
    return {name: getattr(row, name) for name in row._meta.db_fields} if row is not None else None


def _row(table: type[Row], columns: dict[str, Any] | None) -> Row | None:
    """A row as it was sent; Tortoise turns the text of ids, instants and enums into what they were."""
    if columns is None:
        return None
    if columns.keys() != table._meta.db_fields:  # from a process of another version, as in the middle of a deploy
        raise ValueError(f"not a whole row of {table.__name__}")
    row = table(**columns)
    row._saved_in_db = True
    return row
