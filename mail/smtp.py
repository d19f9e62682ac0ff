"""E-mail over SMTP: one connection for a batch, a limit to each step, and what an answer means for later."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from email.message import EmailMessage

from aiosmtplib import (
    SMTP,
    SMTPException,
    SMTPRecipientRefused,
    SMTPRecipientsRefused,
    SMTPResponseException,
    SMTPSenderRefused,
)

from mail.sending import MailPostponed, MailRefused, MailServerAway

STEP_SECONDS = 10.0
"What connecting may take, and each step on the way in."
TAKING_SECONDS = 45.0
"What a server may take to say that it has one: it may look through it first, and is sent it again by who hangs up."
CLOSING = 421
LOGIN_REQUIRED = 530
OF_THE_SENDER = ("5.1.7", "5.1.8", "5.7.")
"What is wrong with who sends, or not allowed to them (RFC 3463)."


@dataclass(frozen=True, slots=True)
class Smtp:
    """A server that takes e-mail for everybody, and who it comes from."""

    host: str
    sender: str
    port: int | None = None
    "Without one: 465 with TLS from the start, 587 with STARTTLS, else 25."
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: bool = False
    starttls: bool = False
    tls_context: ssl.SSLContext | None = field(default=None, repr=False)
    "Whom to trust, if not the authorities of this machine."
    step_seconds: float = STEP_SECONDS
    taking_seconds: float = TAKING_SECONDS

    @asynccontextmanager
    async def connection(self) -> AsyncIterator["SmtpConnection"]:
        connection = SmtpConnection(self)
        try:
            yield connection
        finally:
            await connection.close()


class SmtpConnection:
    """Connects when the first e-mail is sent, and again if the connection was lost."""

    def __init__(self, server: Smtp) -> None:
        self._server = server
        self._client: SMTP | None = None

    async def send(self, message: EmailMessage) -> None:
        """Hand it over; from its 5xx for this e-mail we learn that it is of no use to try again."""
        content = message.as_bytes()
        client = await self._connected()
        try:
            await client.sendmail(self._server.sender, str(message["To"]), content, timeout=self._server.taking_seconds)
        except BaseException as fault:
            if not _goes_on(fault):
                self._drop()
            if isinstance(fault, SMTPException | OSError):
                raise _meaning(fault) from fault
            raise

    async def close(self) -> None:
        """Take leave; the e-mails have been taken, so it does not matter how."""
        if self._client is not None and self._client.is_connected:
            with suppress(SMTPException, OSError):
                await self._client.quit()
        self._drop()

    async def _connected(self) -> SMTP:
        if self._client is not None and self._client.is_connected:
            return self._client
        self._drop()
        server = self._server
        self._client = SMTP(
            hostname=server.host,
            port=server.port,
            username=server.username,
            password=server.password,
            use_tls=server.tls,
            start_tls=server.starttls,
            tls_context=(server.tls_context or ssl.create_default_context()) if server.tls or server.starttls else None,
            timeout=server.step_seconds,
            local_hostname=server.sender.rpartition("@")[2],  # the library would ask the name service, and wait for it
        )
        try:
            await self._client.connect()
        except BaseException as fault:
            self._drop()
            if isinstance(fault, SMTPException | OSError):
                raise MailServerAway(_said(fault)) from fault
            raise
        return self._client

    def _drop(self) -> None:
        if self._client is not None:
            self._client.close()
        self._client = None


def _answers(fault: BaseException) -> SMTPResponseException | None:
    """The server's answer, if it gave one."""
    if isinstance(fault, SMTPRecipientsRefused):  # to the one there is
        return fault.recipients[0]
    return fault if isinstance(fault, SMTPResponseException) else None


def _goes_on(fault: BaseException) -> bool:
    """Whether the next e-mail can be sent on the same connection."""
    answer = _answers(fault)
    return answer is not None and 400 <= answer.code <= 599 and answer.code != CLOSING


def _meaning(fault: BaseException) -> Exception:
    answer = _answers(fault)
    if answer is not None and not _is_of_us(answer):
        return (MailRefused if 500 <= answer.code <= 599 else MailPostponed)(_said(answer))
    return MailPostponed(_said(fault))


def _is_of_us(answer: SMTPResponseException) -> bool:
    """Whether it is us who may not send: that is ours to put right, and no fault of the recipient.

    Many servers, Postfix as it comes, keep to themselves what they have against the sender until they hear a recipient.
    """
    if isinstance(answer, SMTPRecipientRefused):
        return answer.code == LOGIN_REQUIRED or answer.message.startswith(OF_THE_SENDER)
    return isinstance(answer, SMTPSenderRefused)


def _said(fault: BaseException) -> str:
    if isinstance(fault, SMTPResponseException):
        return f"{fault.code} {fault.message}"
    return f"{type(fault).__name__}: {fault}"
