"""How e-mail goes out, whoever takes it: over SMTP, or into a folder."""

from contextlib import AbstractAsyncContextManager
from email.message import EmailMessage
from typing import Protocol


class MailRefused(Exception):
    """This e-mail will never be taken for its recipient; says what the server said."""


class MailPostponed(Exception):
    """It was not taken, or nobody knows whether it was; the same may well go through later."""


class MailServerAway(MailPostponed):
    """There is nobody to take it, nor any other one now."""


class Connection(Protocol):
    """Takes one e-mail after the other."""

    async def send(self, message: EmailMessage) -> None:
        """Hand it over to whom its `To` names; raises MailRefused or MailPostponed."""


class Mailer(Protocol):
    """A way out for e-mail."""

    def connection(self) -> AbstractAsyncContextManager[Connection]:
        """What a batch of e-mails goes through."""
