"""Tokens of an issuer, as the tests of them sign and judge them."""

from typing import Any

from joserfc.jwk import ECKey, Key, OKPKey, RSAKey

from resolvers.errors import RequestError, ServiceUnavailable
from tests.web.key_server import claims, signed
from web.tokens import Tokens

RSA, OTHER_RSA = RSAKey.generate_key(2048), RSAKey.generate_key(2048)
EC, ED25519 = ECKey.generate_key("P-256"), OKPKey.generate_key("Ed25519")


class Stopwatch:
    """A monotonic clock that tests move."""

    def __init__(self) -> None:
        self.seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds


def token(kid: str | None = "rsa", *, key: Key = RSA, algorithm: str = "RS256", **changes: Any) -> str:
    return signed(key, algorithm, claims(**changes), kid=kid)


async def accepted(tokens: Tokens, given: str) -> bool:
    try:
        return bool(await tokens.read(f"Bearer {given}"))
    except RequestError:
        return False


async def outcome(tokens: Tokens, given: str) -> str:
    try:
        return "accepted" if await accepted(tokens, given) else "refused"
    except ServiceUnavailable:
        return "unavailable"
