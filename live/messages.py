"""What travels over Redis: the newest entries of one person's feed, each with the fact as it was committed."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, TypeVar
from uuid import UUID

import msgspec
from tortoise.fields import Field, JSONField
from tortoise.models import Model

from models import ChatMessage, Meeting, Notification, TimelineEvent
from models.feeds import FeedEntryKind
from rules.terms import Language

Row = TypeVar("Row", bound=Model)


@dataclass(slots=True)
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
    told_at: float | None = field(default=None, compare=False)
    "When it was written, just before the commit, in seconds since 1970; unknown of what was read from the database."
    answers: dict[Any, Any] = field(default_factory=dict, compare=False, repr=False)
    "What was made of it for those it is pushed to, by all that the answer depends on."


@dataclass(frozen=True, slots=True)
class Profile:
    """How a person is now spoken to. No entry of a feed: whoever misses it reads it soon."""

    language: Language
    time_zone: str


def person_channel(person_id: UUID) -> str:
    """The one channel a person's news travel on."""
    return f"person:{person_id}"


def encode(first_position: int, entries: Sequence[News]) -> bytes:
    """A message: consecutive entries, and the feed position of the first."""
    packed = [_packed(entry) for entry in entries]
    return msgspec.json.encode({"at": time.time(), "first": first_position, "entries": packed})


def encode_profile(profile: Profile) -> bytes:
    """A message that tells how a person is now spoken to."""
    return msgspec.json.encode({"profile": profile})


def decode(message: bytes | str) -> tuple[int, list[News]] | Profile:
    """The position of a message's first entry, and its entries; or a profile. Raises ValueError for anything else."""
    try:
        content = _messages().decode(message)
    except msgspec.MsgspecError as fault:
        # From a process of another version, for instance, as in the middle of a deploy.
        raise ValueError(str(fault)) from fault
    return content.profile or (content.first, [_unpacked(entry, content.at) for entry in content.entries])


def _columns_of(table: type[Model]) -> type[msgspec.Struct]:
    """A whole row as it is sent: every column, and no other."""

    def python_type(column: Field[Any]) -> Any:
        if isinstance(column, JSONField):
            return Any
        known = getattr(column, "enum_type", None) or column.field_type
        return known | None if column.null else known

    columns = [(name, python_type(table._meta.fields_map[name])) for name in sorted(table._meta.db_fields)]
    return msgspec.defstruct(table.__name__, columns, forbid_unknown_fields=True, gc=False)


ROWS: dict[str, type[Model]] = {
    "event": TimelineEvent,
    "meeting": Meeting,
    "notification": Notification,
    "message": ChatMessage,
}


@cache
def _messages() -> msgspec.json.Decoder[Any]:
    """What reads messages. Made at first use: until Tortoise has begun, tables don't know the columns that refer."""
    rows = [(name, _columns_of(table) | None, None) for name, table in ROWS.items()]
    balances = [("available", int | None, None), ("blocked", int | None, None)]
    entry: Any = msgspec.defstruct("Entry", [("kind", FeedEntryKind), ("ref", UUID), *rows, *balances])
    parts: list[Any] = [("at", float | None, None), ("first", int, 0), ("entries", list[entry], [])]
    return msgspec.json.Decoder(msgspec.defstruct("Message", [*parts, ("profile", Profile | None, None)]))


def _packed(entry: News) -> dict[str, Any]:
    rows = {name: _columns(row) for name in ROWS if (row := getattr(entry, name)) is not None}
    return {"kind": entry.kind, "ref": entry.ref, **rows, "available": entry.available, "blocked": entry.blocked}


def _unpacked(entry: Any, told_at: float | None) -> News:
    return News(
        kind=entry.kind,
        ref=entry.ref,
        event=_row(TimelineEvent, entry.event),
        meeting=_row(Meeting, entry.meeting),
        notification=_row(Notification, entry.notification),
        message=_row(ChatMessage, entry.message),
        available=entry.available,
        blocked=entry.blocked,
        told_at=told_at,
    )


def _columns(row: Model) -> dict[str, Any]:
    return {name: getattr(row, name) for name in row._meta.db_fields}


def _row(table: type[Row], columns: msgspec.Struct | None) -> Row | None:
    """A row as it was sent. It is put together by hand, as its columns have the types of Python already: to have them
    converted once more, as Tortoise does with what a database says, takes ten times as long."""
    if columns is None:
        return None
    row = table.__new__(table)
    vars(row).update(msgspec.structs.asdict(columns), **_AS_READ)
    return row


_AS_READ = {"_partial": False, "_saved_in_db": True, "_custom_generated_pk": False}
