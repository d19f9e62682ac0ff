"""What the stories take from outside: the time, the policy, new ids, whom to tell, links, the platform and e-mail."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol
from uuid import UUID

from conference.jitsi import Jitsi
from conference.platform import Platform
from mail.maildir import Maildir
from mail.sending import Mailer
from models import SandboxClock
from models.ids import uuid7
from resolvers.links import Links
from rules.policy import Policy

Announce = Callable[[Sequence[tuple[str, bytes]]], None]
"Sends (channel, message) pairs on their way; never waits and never fails (W2a)."


class Clock(Protocol):
    """The one clock that everything in the business follows."""

    async def now(self) -> datetime: ...


class RealClock:
    async def now(self) -> datetime:
        return datetime.now(UTC)


class MovableClock:
    """A sandbox's clock: ahead of the real one by what the database says, so that every process agrees at once (X2)."""

    async def now(self) -> datetime:
        ahead = await SandboxClock.get_or_none(id=1)
        return datetime.now(UTC) + timedelta(microseconds=ahead.ahead_microseconds if ahead else 0)


@dataclass(frozen=True, slots=True)
class World:
    """The surroundings of a process."""

    clock: Clock = field(default_factory=RealClock)
    policy: Policy = field(default_factory=Policy)
    announce: Announce = field(default=lambda messages: None)
    new_id: Callable[[], UUID] = uuid7
    links: Links = field(default_factory=Links)
    platform: Platform = field(default=Jitsi("https://meet.jit.si"))
    mailer: Mailer = field(default=Maildir(Path(".data/mail")))
    mail_from: str = "noreply@localhost"
    "Whom e-mails come from."


_world = World()


def world() -> World:
    """This process's surroundings."""
    return _world


def enter(surroundings: World) -> None:
    """Set this process's surroundings, once, as it starts."""
    global _world
    _world = surroundings
