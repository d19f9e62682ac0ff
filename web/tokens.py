"""Bearer tokens: who is asking."""

import time
import warnings
from dataclasses import dataclass
from typing import Any

import structlog
from joserfc import jws, jwt
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import Key, OctKey

from models import Person
from resolvers.errors import ErrorCode, RequestError
from resolvers.people import Claims, recognise
from rules.inputs import storable
from settings import Settings
from web import signing_keys
from web.signing_keys import SigningKeys

log = structlog.get_logger()

# A name that also stands for other curves is what joserfc warns of; only keys of the one curve are let through to it.
warnings.filterwarnings("ignore", "EdDSA is deprecated", SecurityWarning)

SHARED_SECRET = "HS256"
LEEWAY_SECONDS = 30
"By which the clocks of issuers may differ from ours."
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

    def __init__(self, settings: Settings, *, keys: SigningKeys | None = None) -> None:
        self._secret = OctKey.import_key(settings.auth_secret) if settings.auth_secret else None
        self._keys = keys or (SigningKeys(settings.auth_jwks_url) if settings.auth_jwks_url else None)
        if self._keys and settings.auth_audience is None:
            log.warning("without AUTH_AUDIENCE, tokens that this issuer made for others are accepted too")
        expected = {"iss": settings.auth_issuer, "aud": settings.auth_audience}
        self._expected = {claim: value for claim, value in expected.items() if value is not None}
        self._algorithms = {SHARED_SECRET} if self._secret else set()
        if self._keys:
            self._algorithms |= signing_keys.ALGORITHMS
        # Headers that nobody knows are to be ignored (RFC 7515, 4); `crit` says which are not, and is refused.
        self._form = jws.JWSRegistry(algorithms=self._algorithms, strict_check_header=False)
        self._claims = jwt.JWTClaimsRegistry(leeway=LEEWAY_SECONDS, sub={"essential": True}, exp={"essential": True})
        for claim, value in self._expected.items():
            self._claims.options[claim] = {"essential": True, "value": value}

    async def read(self, authorization: object) -> Bearer:
        """Who an `Authorization: Bearer ...` header speaks for; raises UNAUTHENTICATED.

        Raises ServiceUnavailable if the keys to judge by can't be had.
        """
        scheme, _, token = authorization.partition(" ") if isinstance(authorization, str) else ("", "", "")
        if scheme.lower() != "bearer" or not token:
            raise _unauthenticated("Send a bearer token.")
        try:
            key = await self._key_of(token.strip())
            content = jwt.decode(token.strip(), key, registry=self._form).claims
            self._claims.validate(content)
            return Bearer(_claims(content), expires_at=_end_of(float(content["exp"])))
        except (JoseError, ValueError, TypeError, OverflowError, RecursionError) as fault:
            raise _unauthenticated("This token is not valid, or not any more.") from fault

    async def _key_of(self, token: str) -> Key:
        """The key to judge a token by: ours, or one of the set. What the token itself offers as its key is no key."""
        header = jws.extract_compact(token.encode(), registry=self._form).headers()
        if not isinstance(header, dict) or "crit" in header:
            raise ValueError("header")
        algorithm, kid = header.get("alg"), header.get("kid")
        if not isinstance(algorithm, str) or algorithm not in self._algorithms or not isinstance(kid, str | None):
            raise ValueError("alg")
        if algorithm == SHARED_SECRET:
            key: Key | None = self._secret
        else:
            key = await self._keys.find(algorithm, kid) if self._keys else None
        if key is None:
            raise ValueError("kid")
        return key

    def make(self, claims: dict[str, Any], *, seconds: int) -> str:
        """A token for these claims, good for so many seconds."""
        assert self._secret is not None, "a sandbox has one"
        content = {**claims, **self._expected, "exp": int(time.time()) + seconds}
        return jwt.encode({"alg": SHARED_SECRET}, content, self._secret)


async def viewer_of(bearer: Bearer) -> Person:
    """The person a token speaks for."""
    return await recognise(bearer.claims)


def _end_of(expiry: float) -> float:
    """When a socket must be back with a fresh token. Whoever came within the leeway may stay until that is over: sent
    away at once, they would come again and again."""
    return expiry if expiry > time.time() else expiry + LEEWAY_SECONDS


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
