"""The public keys of whoever signs the tokens: a JSON Web Key Set (RFC 7517), fetched over https and remembered."""

import asyncio
import json
import math
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx2
import structlog
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, JWKRegistry, Key, OKPKey, RSAKey

from resolvers.errors import ServiceUnavailable

log = structlog.get_logger()

# What issuers sign with. EdDSA is the older name of Ed25519 (RFC 9864), and the one that is in use.
ALGORITHMS = frozenset({"RS256", "PS256", "ES256", "EdDSA", "Ed25519"})

FRESH_SECONDS = 600.0
"After which a removed key is found to be removed."
KEPT_SECONDS = 3600.0
"For which keys go on serving while their server is away."
ASK_AGAIN_AFTER_SECONDS = 10.0
"However many tokens name keys that nobody knows."
FETCH_WITHIN_SECONDS = 5.0
LARGEST_SET_BYTES = 256_000
MOST_KEYS = 100
PUBLIC_MEMBERS = ("kty", "crv", "n", "e", "x", "y")


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A public key, by its name in the set, and what it may have signed with."""

    kid: str | None
    algorithms: frozenset[str]
    key: Key


class SigningKeys:
    """Finds the key of a token, and fetches the set when it may have changed; everybody waits for the same fetch."""

    def __init__(
        self, url: str, *, tls: ssl.SSLContext | None = None, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._url = url
        self._tls = tls or httpx2.create_ssl_context()
        self._now = now
        self._keys: tuple[SigningKey, ...] = ()
        self._fetched_at = self._asked_at = -math.inf
        self._failed = False
        "Whether the last fetch brought nothing."
        self._fetching: asyncio.Task[None] | None = None

    async def find(self, algorithm: str, kid: str | None) -> Key | None:
        """The one key that fits a token's header; without a name, the only one of its kind.

        Raises ServiceUnavailable while it can't be told whether there is one.
        """
        found = self._known(algorithm, kid)
        if found is None or self._now() - self._fetched_at >= FRESH_SECONDS:
            self._ask_again()
            # Once a fetch has failed, those whose keys are known don't wait for the next ones.
            if self._fetching is not None and not (found and self._failed):
                await asyncio.shield(self._fetching)
            found = self._known(algorithm, kid)
        if found is None and self._failed:
            raise ServiceUnavailable("the signing keys could not be fetched")
        return found

    def _known(self, algorithm: str, kid: str | None) -> Key | None:
        if self._now() - self._fetched_at >= KEPT_SECONDS:
            return None
        fitting = [each for each in self._keys if algorithm in each.algorithms and kid in (None, each.kid)]
        return fitting[0].key if len(fitting) == 1 else None

    def _ask_again(self) -> None:
        if self._fetching is None and self._now() - self._asked_at >= ASK_AGAIN_AFTER_SECONDS:
            self._asked_at = self._now()
            self._fetching = asyncio.create_task(self._fetch())

    async def _fetch(self) -> None:
        try:
            async with asyncio.timeout(FETCH_WITHIN_SECONDS):
                self._keys = read_key_set(await self._download())
            self._fetched_at, self._failed = self._asked_at, False
        except Exception as fault:
            self._failed = True
            log.warning("the signing keys could not be fetched", url=self._url, cause=repr(fault))
        finally:
            self._fetching = None

    async def _download(self) -> bytes:
        """The set as it was sent: not compressed, as that would hide its size, and from nowhere else."""
        async with (
            httpx2.AsyncClient(verify=self._tls, follow_redirects=False) as client,
            client.stream("GET", self._url, headers={"Accept-Encoding": "identity"}) as response,
        ):
            if response.status_code != 200:
                raise ValueError(f"answered with {response.status_code}")
            content = bytearray()
            async for chunk in response.aiter_raw():
                content += chunk
                if len(content) > LARGEST_SET_BYTES:
                    raise ValueError(f"more than {LARGEST_SET_BYTES} bytes")
            return bytes(content)


def read_key_set(text: bytes) -> tuple[SigningKey, ...]:
    """The keys of a set that can be used; ValueError if there are none. Those that can't are passed over."""
    content = json.loads(text)
    entries = content.get("keys") if isinstance(content, dict) else None
    if not isinstance(entries, list):
        raise ValueError("not a key set")
    keys = tuple(key for entry in entries[:MOST_KEYS] if (key := _signing_key(entry)))
    if not keys:
        raise ValueError("a key set without a key that can be used")
    return keys


def _signing_key(entry: Any) -> SigningKey | None:
    """A key, of which nothing but its public numbers is taken over, if it is one for signatures."""
    if not isinstance(entry, dict) or entry.get("use", "sig") != "sig":
        return None
    kid, operations = entry.get("kid"), entry.get("key_ops", ["verify"])
    if not isinstance(kid, str | None) or not isinstance(operations, list) or "verify" not in operations:
        return None
    try:
        key = JWKRegistry.import_key({name: entry[name] for name in PUBLIC_MEMBERS if name in entry})
    except (JoseError, ValueError, TypeError, OverflowError):
        return None
    algorithms = _algorithms_of(key)
    if "alg" in entry:
        algorithms = frozenset(each for each in algorithms if each == entry["alg"])
    return SigningKey(kid, algorithms, key) if algorithms else None


def _algorithms_of(key: Key) -> frozenset[str]:
    match key:
        case RSAKey() if 2048 <= key.raw_value.key_size <= 8192:
            return frozenset({"RS256", "PS256"})
        case ECKey() if key.curve_name == "P-256":
            return frozenset({"ES256"})
        case OKPKey() if key.curve_name == "Ed25519":
            return frozenset({"EdDSA", "Ed25519"})
        case _:  # shared secrets among them: who can check with one can sign with it
            return frozenset()
