"""What words a client may send (P4)."""

from unicodedata import normalize

from rules.problems import InvalidInput
from rules.terms import InvalidInputCode


def check_text(text: str, field: str, *, at_most: int, required: bool = True) -> str:
    """The text without blanks around it; refused if it is missing, too long, or can't be stored."""
    text = text.strip()
    if required and not text:
        raise InvalidInput(field, InvalidInputCode.REQUIRED)
    if not storable(text):
        raise InvalidInput(field, InvalidInputCode.MALFORMED)
    if len(text) > at_most:
        raise InvalidInput(field, InvalidInputCode.TOO_LONG)
    return text


def folded(name: str) -> str:
    """What a name has in common with all of its spellings: their case and how their accents are encoded don't count."""
    return normalize("NFC", normalize("NFD", name).casefold())


def storable(text: str) -> bool:
    """PostgreSQL keeps neither NUL nor half of a surrogate pair, both of which JSON can carry."""
    return "\x00" not in text and not any("\ud800" <= character <= "\udfff" for character in text)
