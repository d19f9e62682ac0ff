"""How much one client may ask of one process by its sockets."""

import asyncio
from collections import Counter


class People:
    """Who has how many sockets here."""

    def __init__(self, most_sockets: int) -> None:
        self._most_sockets = most_sockets
        self._sockets: Counter[str] = Counter()

    def come(self, subject: str) -> bool:
        """Whether this person may have one more; whoever may must `leave`."""
        if self._sockets[subject] >= self._most_sockets:
            return False
        self._sockets[subject] += 1
        return True

    def leave(self, subject: str) -> None:
        """One of theirs has ended."""
        self._sockets[subject] -= 1
        if not self._sockets[subject]:
            del self._sockets[subject]


class Pace:
    """Lets so many messages a second be handled, and some at once; the rest wait where they are, in the network."""

    __slots__ = ("_at_once", "_every_seconds", "_free_at")

    def __init__(self, messages_a_second: float, *, at_once: int) -> None:
        self._every_seconds = 1 / messages_a_second
        self._at_once = at_once
        self._free_at = 0.0
        "When all that was handled would be paid for."

    async def keep(self) -> None:
        """Wait until the next message may be handled."""
        now = asyncio.get_running_loop().time()
        self._free_at = max(self._free_at, now) + self._every_seconds
        ahead = self._free_at - now - self._at_once * self._every_seconds
        if ahead > 0:
            await asyncio.sleep(ahead)
