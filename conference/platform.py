"""What the service asks of a video platform: a room for each meeting, and each person's own way in (L4)."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

ROOM_NAME = re.compile(r"[a-z0-9-]{1,128}")
LONGEST_NAME_CHARACTERS = 100


@dataclass(frozen=True, slots=True)
class Room:
    """Where a meeting is held, and when people may go in."""

    name: str
    "Always the same for a meeting, and nobody can guess it; of a-z, 0-9 and `-`, which all platforms know."
    opens_at: datetime
    closes_at: datetime
    "From 15 minutes before the start of the date in force to 60 after its end, as the links to it (L1)."

    def __post_init__(self) -> None:
        if not ROOM_NAME.fullmatch(self.name):
            raise ValueError("a room can't have this name")

    @property
    def window(self) -> dict[str, int]:
        """When it is open, in the whole seconds and the words of all platforms' credentials."""
        return {"nbf": int(self.opens_at.timestamp()), "exp": int(self.closes_at.timestamp())}


@dataclass(frozen=True, slots=True)
class Attendee:
    """Who goes in, and whether they are the host (the expert)."""

    person_id: UUID
    name: str
    is_host: bool

    @property
    def shown_name(self) -> str:
        """The name as platforms can show it: on one line and not for ever."""
        shown = "".join(each for each in self.name if unicodedata.category(each) not in ("Cc", "Cs", "Zl", "Zp"))
        return shown[:LONGEST_NAME_CHARACTERS]


class PlatformUnavailable(Exception):
    """The platform did not do it, or did not say so: try again later."""

    def __init__(self, cause: str, *, retry_after_seconds: int | None = None) -> None:
        super().__init__(cause)
        self.retry_after_seconds = retry_after_seconds
        "For how long the platform asks to be left alone, if it does."


class RoomMissing(PlatformUnavailable):
    """There is no such room, or not any more: nobody can go in before it is created."""


class Platform(Protocol):
    """A video platform. Everything may be repeated, and everything may raise PlatformUnavailable (L4)."""

    async def create(self, room: Room) -> None:
        """See that there is this room; there is never a second one of its name."""

    async def adjust(self, room: Room) -> None:
        """Bring the room to its new dates; one that has gone missing is made anew."""

    async def cancel(self, name: str) -> None:
        """See that there is no room of this name; one that is not there is cancelled already."""

    async def personal_url(self, room: Room, attendee: Attendee) -> str:
        """Where this person goes in, with a credential of their own that is good while the room is open (L2)."""
