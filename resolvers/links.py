"""The links people join by: derived from a secret, stored nowhere; nobody can guess or alter one (L1)."""

import base64
import hmac
import re
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import quote
from uuid import UUID

from models.ids import opaque_id

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
DIGEST_BYTES = 32
URL_SAFE = re.compile(r"(?:[A-Za-z0-9_-]{4})+")


@dataclass(frozen=True, slots=True)
class Links:
    """Makes and reads what only this service can make; without a secret of their own, no two processes agree."""

    secret: str = field(default_factory=secrets.token_hex, repr=False)
    public_url: str = "http://localhost:8000"
    app_url: str | None = None
    "Where people manage their meetings, if not at the public address."

    def url(self, link_id: UUID) -> str:
        """Where a side joins (L1)."""
        return f"{self.public_url.rstrip('/')}/join/{self.token(link_id)}"

    def token(self, link_id: UUID) -> str:
        """The link's id, and the proof that it comes from us."""
        return self._sealed(link_id.bytes)

    def read(self, token: str) -> UUID | None:
        """The id of the link that this is the token of; nothing of what is not exactly a token."""
        content = self._unsealed(token)
        return UUID(bytes=content) if content is not None and len(content) == 16 else None

    def opening(self, link_id: UUID, opening_id: UUID, now: datetime) -> str:
        """The value that one opening of a link, not recorded yet, can be asked for with; good for that link alone."""
        made_at = (now - EPOCH) // MILLISECOND
        return self._sealed(opening_id.bytes + made_at.to_bytes(6), of=link_id.bytes)

    def read_opening(self, link_id: UUID, value: str) -> tuple[UUID, datetime] | None:
        """The id of the opening, and when its value was made."""
        content = self._unsealed(value, of=link_id.bytes)
        if content is None or len(content) != 22:
            return None
        return UUID(bytes=content[:16]), EPOCH + int.from_bytes(content[16:]) * MILLISECOND

    def page(self, kind: str, row_id: UUID) -> str:
        """Where people see a meeting or a chat, by the id that the API knows it by."""
        return f"{(self.app_url or self.public_url).rstrip('/')}/{kind.lower()}s/{quote(opaque_id(kind, row_id))}"

    def unsubscribing(self, sent_as: UUID) -> str:
        """Where whoever was sent this can have no more e-mails of its kind."""
        token = self._sealed(sent_as.bytes, of=b"unsubscribing")
        return f"{self.public_url.rstrip('/')}/unsubscribe/{token}"

    def read_unsubscribing(self, token: str) -> UUID | None:
        """The id of what was sent, which an address like that is of."""
        content = self._unsealed(token, of=b"unsubscribing")
        return UUID(bytes=content) if content is not None and len(content) == 16 else None

    def calendar_url(self, person_id: UUID, number: int) -> str:
        """Where a person's calendar is; another number makes another address."""
        token = self._sealed(person_id.bytes + number.to_bytes(6), of=b"calendar")
        return f"{self.public_url.rstrip('/')}/calendar/{token}.ics"

    def read_calendar(self, token: str) -> tuple[UUID, int] | None:
        """The person whose calendar this is the token of, and its number."""
        content = self._unsealed(token, of=b"calendar")
        if content is None or len(content) != 22:
            return None
        return UUID(bytes=content[:16]), int.from_bytes(content[16:])

    def room(self, meeting_id: UUID) -> str:
        """What the platform calls a meeting: always the same, and nothing that can be guessed."""
        return self._digest(b"room of " + meeting_id.bytes).hex()[:32]

    # What is signed differs in length from one use to the next, so that nothing made for one passes for another; what
    # is sealed is a multiple of three bytes long, so that it has one spelling in base64.
    def _sealed(self, content: bytes, *, of: bytes = b"") -> str:
        return base64.urlsafe_b64encode(content + self._digest(of + content)).decode()

    def _unsealed(self, text: str, *, of: bytes = b"") -> bytes | None:
        if not URL_SAFE.fullmatch(text):  # base64 overlooks what it does not know
            return None
        sealed = base64.urlsafe_b64decode(text)
        content, digest = sealed[:-DIGEST_BYTES], sealed[-DIGEST_BYTES:]
        return content if hmac.compare_digest(digest, self._digest(of + content)) else None

    def _digest(self, content: bytes) -> bytes:
        return hmac.digest(self.secret.encode(), content, "sha256")
