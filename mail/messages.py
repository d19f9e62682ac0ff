"""A notification as an e-mail: text and HTML that say the same, and a calendar's part where there is one (N)."""

from dataclasses import dataclass
from datetime import datetime
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime
from pathlib import Path
from uuid import UUID

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from mail.addresses import mailable
from rules.terms import Language, NotificationKind
from texts import mails, say
from texts.notifications import Text

TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=lambda name: name is not None and name.endswith(".html"),
    undefined=StrictUndefined,
    trim_blocks=True,
    keep_trailing_newline=True,
)


class Policy(EmailPolicy):
    """SMTP's, but for what its folding breaks: long addresses, and the spaces between words that are not ASCII."""

    def fold_binary(self, name: str, value: str) -> bytes:
        if name == "List-Unsubscribe":
            return f"{name}: {value}{self.linesep}".encode("ascii")
        if name == "Subject" and not value.isascii():
            encoded = Header(str(value), "utf-8", header_name=name).encode(linesep=self.linesep)
            return f"{name}: {encoded}{self.linesep}".encode("ascii")
        return super().fold_binary(name, value)


POLICY = Policy(linesep="\r\n")


@dataclass(frozen=True, slots=True)
class CalendarPart:
    """What a calendar is to make of it: iCalendar with the METHOD that it has inside, too."""

    text: str
    method: str


@dataclass(frozen=True, slots=True)
class Letter:
    """A notification on its way to somebody, or to who brought it about."""

    id: UUID
    "The same however often it is sent."
    kind: NotificationKind
    text: Text
    told_at: datetime
    address: str
    language: Language
    url: str
    "Where its button leads."
    unsubscribing_url: str | None
    "Nothing for what is always sent."
    calendar: CalendarPart | None = None


def compose(letter: Letter, *, sender: str) -> EmailMessage:
    """The e-mail, under the same Message-ID however often it is sent (N); raises Unmailable."""
    message = EmailMessage(policy=POLICY)
    message["From"] = Address(mails.SENDER, addr_spec=sender)
    message["To"] = Address(addr_spec=mailable(letter.address))
    message["Subject"] = letter.text.title.replace("=?", "= ?")  # or it would be decoded, line breaks and all
    message["Date"] = format_datetime(letter.told_at)
    message["Message-ID"] = f"<{letter.id}@{sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    if letter.unsubscribing_url is not None:
        message["List-Unsubscribe"] = f"<{letter.unsubscribing_url}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    said = _said(letter)
    message.set_content(TEMPLATES.get_template("layout.txt").render(said), cte="quoted-printable")
    html = TEMPLATES.get_template("layout.html").render(said)
    message.add_alternative(html, subtype="html", cte="quoted-printable")
    if letter.calendar is not None:
        message.add_alternative(
            letter.calendar.text, subtype="calendar", params={"method": letter.calendar.method}, cte="base64"
        )
    message["Content-Language"] = letter.language.lower()  # at last: it would become the first part's
    return message


def _said(letter: Letter) -> dict[str, object]:
    """The words of both forms."""

    def said(text: str, **facts: object) -> str:
        return say(text, letter.language, **facts)

    muted = letter.unsubscribing_url is not None
    return {
        "language": letter.language.lower(),
        "sender": mails.SENDER,
        "title": letter.text.title,
        "body": letter.text.body,
        "button": said(mails.button_label(letter.kind)),
        "url": letter.url,
        "reason": said(mails.reason(letter.kind)),
        "footer": said(mails.CAN_BE_MUTED, kind=said(mails.KINDS[letter.kind])) if muted else said(mails.ALWAYS_MAILED),
        "mute": said(mails.MUTE),
        "unsubscribing_url": letter.unsubscribing_url,
    }
