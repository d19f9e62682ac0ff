"""E-mail kept in a folder, where no server is named: any mail program opens it."""

import asyncio
import mailbox
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Maildir:
    """A folder that each e-mail becomes a file of, below `new`."""

    folder: Path

    @asynccontextmanager
    async def connection(self) -> AsyncIterator["Maildir"]:
        yield self

    async def send(self, message: EmailMessage) -> None:
        await asyncio.to_thread(self._keep, message.as_bytes().replace(b"\r\n", b"\n"))

    def _keep(self, message: bytes) -> None:
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        mailbox.Maildir(self.folder).add(message)
