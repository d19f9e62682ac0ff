"""Bearer tokens: who is asking."""

import time
from dataclasses import dataclass
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from models import Person
from resolvers.errors import ErrorCode, RequestError
from resolvers.people import Claims, recognise
from rules.inputs import storable

ALGORITHM = "HS256"
LONGEST_SUBJECT = 255
LONGEST_NAME = 200
LONGEST_EMAIL = 320


@dataclass(frozen=True, slots=True)
class Bearer:
    """What a valid token says, and until when it may be used."""

    claims: Claims
    expires_at: float
    "Seconds since the epoch, of the real clock (X2)."


class Tokens:
    """Reads tokens, and makes them for a sandbox."""

    def __init__(self, secret: str) -> None:
        self._key = OctKey.import_key(secret)
        self._registry = jwt.JWTClaimsRegistry(sub={"essential": True}, exp={"essential": True})

    def read(self, authorization: object) -> Bearer:
        """Who an `Authorization: Bearer ...` header speaks for; raises UNAUTHENTICATED."""
        scheme, _, token = authorization.partition(" ") if isinstance(authorization, str) else ("", "", "")
        if scheme.lower() != "bearer" or not token:
            raise _unauthenticated("Send a bearer token.")
        try:
            content = jwt.decode(token.strip(), self._key, algorithms=[ALGORITHM]).claims
            self._registry.validate(content)
            return Bearer(_claims(content), expires_at=float(content["exp"]))
        except (JoseError, ValueError, TypeError, OverflowError, RecursionError) as fault:
            raise _unauthenticated("This token is not valid, or not any more.") from fault

    def make(self, claims: dict[str, Any], *, seconds: int) -> str:
        """A token for these claims, good for so many seconds."""
        return jwt.encode({"alg": ALGORITHM}, {**claims, "exp": int(time.time()) + seconds}, self._key)


async def viewer_of(bearer: Bearer) -> Person:
    """The person a token speaks for."""
    return await recognise(bearer.claims)


def _claims(content: dict[str, Any]) -> Claims:
    subject = _text(content, "sub")  # taken exactly: whoever differs in a blank is somebody else
    if subject is None or not subject.strip() or len(subject) > LONGEST_SUBJECT:
        raise ValueError("sub")
    name, email = ((_text(content, claim) or "").strip() for claim in ("name", "email"))
    roles = content.get("roles")
    return Claims(
        subject=subject,
        name=(name or email or subject)[:LONGEST_NAME],
        email=email if 0 < len(email) <= LONGEST_EMAIL else None,
        locale=_text(content, "locale"),
        zoneinfo=_text(content, "zoneinfo"),
        is_staff=isinstance(roles, list) and "staff" in roles,
    )


def _text(content: dict[str, Any], claim: str) -> str | None:
    value = content.get(claim)
    if value is None:
        return None
    if not isinstance(value, str) or not storable(value):
        raise ValueError(claim)
    return value


def _unauthenticated(message: str) -> RequestError:
    return RequestError(ErrorCode.UNAUTHENTICATED, message)
