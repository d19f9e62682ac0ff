"""A mail server at the service's edge: SMTP as it is spoken, on this machine."""

import asyncio
import ssl
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from mail.smtp import Smtp
from models import Delivery
from models.deliveries import DeliveryStatus
from resolvers.world import enter, world
from tests.driving import WAIT_AT_MOST_SECONDS

SENDER = "noreply@mail.example.com"
USER, PASSWORD = "expertim", "pass word/with:all@of?it"


class MailServer:
    """Takes what it is sent, unless it has been told to be in the way."""

    def __init__(self, *, tls: ssl.SSLContext | None = None, starttls: bool = False, login: bool = False) -> None:
        self.taken: list[EmailMessage] = []
        self.connected = 0
        self.refusing: dict[str, str | bytes] = {}
        "What is answered to these recipients."
        self.answers_to_content: list[str] = []
        "What is answered to the next contents, instead of taking them."
        self.dying_after = 0
        "So many contents are taken without an answer: the connection ends instead."
        self.held: asyncio.Event | None = None
        "Nobody is answered before this is set."
        self.asked = asyncio.Event()
        self.port = 0
        self._options: dict[str, Any] = {"tls_context": tls if starttls else None, "require_starttls": starttls}
        if login:
            self._options |= {"authenticator": self._knows, "auth_required": True, "auth_require_tls": starttls}
        self._tls = None if starttls else tls
        self._server: asyncio.Server | None = None
        self._protocols: set[SMTP] = set()

    async def __aenter__(self) -> "MailServer":
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._protocol, "127.0.0.1", self.port, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Away at once, and whoever is connected is cut off."""
        assert self._server is not None
        self._server.close()
        for each in self._protocols:
            if isinstance(each.transport, asyncio.WriteTransport):
                each.transport.abort()
        handling = [each._handler_coroutine for each in self._protocols if each._handler_coroutine is not None]
        for task in handling:
            task.cancel()
        await asyncio.gather(*handling, return_exceptions=True)
        self._protocols.clear()

    def client(self, **changes: Any) -> Smtp:
        return Smtp(**{"host": "127.0.0.1", "port": self.port, "sender": SENDER, **changes})

    def to(self, address: str) -> list[EmailMessage]:
        return [message for message in self.taken if str(message["To"]) == address]

    @property
    def times(self) -> Counter[str]:
        """How often each Message-ID was taken."""
        return Counter(str(message["Message-ID"]) for message in self.taken)

    async def handle_RCPT(  # noqa: N802 - the library's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str | bytes:
        if address in self.refusing:
            return self.refusing[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.asked.set()
        if self.held is not None:
            await self.held.wait()
        if self.answers_to_content:
            return self.answers_to_content.pop(0)
        assert isinstance(envelope.content, bytes)
        message = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        assert envelope.mail_from == SENDER
        assert envelope.rcpt_tos == [message["To"]]
        self.taken.append(message)
        if self.dying_after:
            self.dying_after -= 1
            assert isinstance(server.transport, asyncio.WriteTransport)
            server.transport.abort()
        return "250 OK"

    def _protocol(self) -> SMTP:
        self.connected += 1
        protocol = SMTP(self, hostname="mail.example.com", ident="test", timeout=WAIT_AT_MOST_SECONDS, **self._options)
        self._protocols.add(protocol)
        return protocol

    def _knows(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, given: Any) -> AuthResult:
        known = isinstance(given, LoginPassword) and (given.login, given.password) == (USER.encode(), PASSWORD.encode())
        return AuthResult(success=known, handled=False)


async def omit_mails() -> None:
    """None of what waits by now is sent."""
    now = await world().clock.now()
    await Delivery.filter(status=DeliveryStatus.PENDING).update(status=DeliveryStatus.OMITTED, lease=None, ended_at=now)


@asynccontextmanager
async def mailed_by_smtp() -> AsyncIterator[MailServer]:
    """The service sends its e-mails to this server meanwhile, and none of before."""
    before = world()
    await omit_mails()
    async with MailServer() as server:
        enter(replace(before, mailer=server.client(), mail_from=SENDER))
        try:
            yield server
        finally:
            enter(before)


def part(message: EmailMessage, content_type: str) -> str:
    """What the part of this type says."""
    found = [each for each in message.walk() if each.get_content_type() == content_type]
    assert len(found) == 1, [each.get_content_type() for each in message.walk()]
    content = found[0].get_content()
    return content if isinstance(content, str) else content.decode()
