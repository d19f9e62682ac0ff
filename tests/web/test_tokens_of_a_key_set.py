"""Tokens that somebody else signs: which of their keys count, for what, and when their set is asked for (T)."""

import base64
import dataclasses
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, Key, OctKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from models import Person
from settings import Settings
from tests.driving import Client, Service, names, raw_socket
from tests.web.issuing import EC, ED25519, OTHER_RSA, RSA, accepted, outcome, token
from tests.web.key_server import KeyServer, claims, public, signed
from tests.web.test_tokens import ME, forged
from web.signing_keys import (
    SigningKeys,
    read_key_set,
)
from web.tokens import Tokens

pytestmark = pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")

SECRET = OctKey.generate_key(256)
BY_ALGORITHM: dict[str, Key] = {"RS256": RSA, "PS256": RSA, "ES256": EC, "EdDSA": ED25519, "Ed25519": ED25519}


@pytest.mark.parametrize("algorithm", BY_ALGORITHM)
async def test_a_token_signed_with_a_key_of_the_set_speaks_for_its_subject_t(
    service_of_issuer: Service, algorithm: str
):
    kid = {"RSA": "rsa", "EC": "ec", "OKP": "ed"}[BY_ALGORITHM[algorithm].key_type]
    sub = f"of-an-issuer-{next(names)}"
    browser = Client(
        service_of_issuer, sub, token(kid, key=BY_ALGORITHM[algorithm], algorithm=algorithm, sub=sub, name="Ada")
    )
    assert (await browser.ask(ME))["me"]["name"] == "Ada"
    async with browser.socket():
        pass
    assert await Person.filter(subject=sub).count() == 1


def hs256(secret: bytes, header: dict[str, Any]) -> str:
    """A token whose secret is what everybody knows: a public key."""
    parts = [json.dumps(part).encode() for part in ({"alg": "HS256", **header}, claims())]
    start = b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in parts)
    return (
        f"{start.decode()}.{base64.urlsafe_b64encode(hmac.digest(secret, start, hashlib.sha256)).decode().rstrip('=')}"
    )


ELSEWHERE = "https://127.0.0.1:1/keys"

FORGERIES: dict[str, Callable[[], str]] = {
    "by a stranger's key under a known name": lambda: token(key=OTHER_RSA),
    "by a stranger's key that it brings along": lambda: signed(
        OTHER_RSA, "RS256", claims(), kid="rsa", jwk=OTHER_RSA.as_dict(private=False)
    ),
    "by a stranger's key that it says where to find": lambda: signed(OTHER_RSA, "RS256", claims(), jku=ELSEWHERE),
    "by a stranger's certificate": lambda: signed(OTHER_RSA, "RS256", claims(), kid="rsa", x5u=ELSEWHERE, x5c=["x"]),
    "HS256 with the public key": lambda: hs256(RSA.as_pem(private=False), {"kid": "rsa"}),
    "HS256 with the modulus": lambda: hs256(str(RSA.as_dict()["n"]).encode(), {"kid": "rsa"}),
    "HS256 with nothing": lambda: hs256(b"", {"kid": "rsa"}),
    "unsigned": lambda: token().rpartition(".")[0] + ".",
    "alg none": lambda: hs256(b"", {"alg": "none", "kid": "rsa"}).rpartition(".")[0] + ".",
    "RS512": lambda: token(algorithm="RS512"),
    "RS384": lambda: token(algorithm="RS384"),
    "by a key of another name": lambda: token("ec"),
    "by a name that nobody has": lambda: token("nobody's"),
    "by an empty name": lambda: token(""),
    "with a name that is a number": lambda: hs256(b"", {"alg": "RS256", "kid": 7}),
    "with a name that is a list": lambda: hs256(b"", {"alg": "RS256", "kid": ["rsa"]}),
    "with a header that must be understood": lambda: _critical({"crit": ["exp"], "exp": 1}),
    "with an empty list of what must be understood": lambda: _critical({"crit": []}),
    "with its payload as it is": lambda: _critical({"crit": ["b64"], "b64": False}),
    "with an address of keys that is none": lambda: hs256(b"", {"alg": "RS256", "kid": "rsa", "jku": 7}),
    "expired 31 seconds ago": lambda: token(exp=int(time.time()) - 31),
    "not good for 32 seconds yet": lambda: token(nbf=int(time.time()) + 32),
    "issued in 32 seconds": lambda: token(iat=int(time.time()) + 32),
    "without exp": lambda: signed(RSA, "RS256", {"sub": "ada"}, kid="rsa"),
}


def _critical(header: dict[str, Any]) -> str:
    """Rightly signed, but that no library signs it."""
    parts = [json.dumps(part).encode() for part in ({"alg": "PS256", "kid": "rsa", **header}, claims())]
    start = b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in parts)
    model = JWSRegistry(algorithms=["PS256"]).get_alg("PS256")
    return f"{start.decode()}.{base64.urlsafe_b64encode(model.sign(start, RSA)).decode().rstrip('=')}"


@pytest.mark.parametrize("forgery", FORGERIES)
async def test_what_no_key_of_the_set_has_signed_speaks_for_nobody(service_of_issuer: Service, forgery: str):
    given = f"Bearer {FORGERIES[forgery]()}"
    world = service_of_issuer
    async with world.nothing_changes():
        answer = await world.http.post("/graphql", json={"query": ME}, headers={"Authorization": given})
        assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (401, "UNAUTHENTICATED")
        assert answer.json()["errors"][0]["message"] == "This token is not valid, or not any more.", "whatever it was"
        async with raw_socket(world) as socket:
            await socket.send({"type": "connection_init", "payload": {"authorization": given}})
            assert await socket.closed() == 4403


async def test_the_same_signature_without_what_must_be_understood_is_a_good_one(tokens: Tokens):
    assert await accepted(tokens, _critical({}))


async def test_headers_that_nobody_knows_are_passed_over(tokens: Tokens):
    assert await accepted(tokens, signed(RSA, "RS256", claims(), kid="rsa", typ="at+jwt", cat="x", jku=ELSEWHERE))


UNUSABLE: dict[str, tuple[Any, str, Key]] = {
    "for encryption": (public(RSA, use="enc"), "RS256", RSA),
    "for another algorithm": (public(RSA, alg="RS512"), "RS256", RSA),
    "for another algorithm of its kind": (public(RSA, alg="PS256"), "RS256", RSA),
    "for wrapping": (public(RSA, key_ops=["wrapKey"]), "RS256", RSA),
    "with operations that are no list": (public(RSA, key_ops="verify"), "RS256", RSA),
    "of a kind nobody knows": (public(RSA, kty="AKP"), "RS256", RSA),
    "of a kind that is a list": (public(RSA, kty=["RSA"]), "RS256", RSA),
    "whose name is a number": (public(RSA, kid=7), "RS256", RSA),
    "without its number": ({"kty": "RSA", "e": "AQAB"}, "RS256", RSA),
    "whose number is none": (public(RSA, n="?"), "RS256", RSA),
    "of another curve": (public(ECKey.generate_key("P-384")), "ES256", EC),
    "beside its curve": (public(EC, x=public(EC)["y"]), "ES256", EC),
    "of the other Edwards curve": (public(ed448 := OKPKey.generate_key("Ed448")), "EdDSA", ed448),
    "a shared secret": (SECRET.as_dict(private=True), "HS256", SECRET),
    "no object": ("a key", "RS256", RSA),
    "nothing": (None, "RS256", RSA),
}


def weak_rsa() -> RSAKey:
    with pytest.warns(SecurityWarning):
        return RSAKey.generate_key(1024)


@pytest.mark.parametrize("unusable", [*UNUSABLE, "too short"])
async def test_a_key_that_is_not_for_this_is_passed_over_and_the_others_count(
    tokens: Tokens, server: KeyServer, unusable: str
):
    entry, algorithm, key = UNUSABLE.get(unusable) or (public(weak := weak_rsa()), "RS256", weak)
    if isinstance(entry, dict):
        entry = {"kid": "it", **entry}
    server.keys = [entry, public(OTHER_RSA, kid="other")]
    assert await outcome(tokens, token("it", key=key, algorithm=algorithm)) == "refused"
    assert await outcome(tokens, token("other", key=OTHER_RSA)) == "accepted"


@pytest.mark.parametrize("unusable", sorted(UNUSABLE.keys() - {"for another algorithm of its kind"}))
def test_a_set_of_nothing_but_such_keys_is_none(unusable: str):
    with pytest.raises(ValueError, match="without a key that can be used"):
        read_key_set(json.dumps({"keys": [UNUSABLE[unusable][0]]}).encode())


async def test_an_algorithm_that_a_key_is_named_for_is_the_only_one_it_counts_for(tokens: Tokens, server: KeyServer):
    server.keys = [public(RSA, kid="rsa", alg="PS256", use="sig", key_ops=["verify"])]
    assert await accepted(tokens, token(algorithm="PS256"))
    assert not await accepted(tokens, token(algorithm="RS256"))


async def test_of_a_key_that_tells_its_secret_only_the_public_part_is_taken(server: KeyServer):
    (key,) = read_key_set(json.dumps({"keys": [RSA.as_dict(private=True)]}).encode())
    assert not key.key.is_private


async def test_a_token_that_names_no_key_counts_if_only_one_can_have_signed_it(tokens: Tokens, server: KeyServer):
    assert await accepted(tokens, token(None))
    assert await accepted(tokens, token(None, key=EC, algorithm="ES256"))


async def test_a_token_that_names_no_key_is_refused_where_several_could_have_signed_it(
    tokens: Tokens, server: KeyServer
):
    server.keys = [public(OTHER_RSA, kid="other"), public(RSA, kid="rsa")]
    assert not await accepted(tokens, token(None))
    assert not await accepted(tokens, token(None, key=OTHER_RSA))


async def test_a_name_that_two_keys_of_a_kind_share_names_neither(tokens: Tokens, server: KeyServer):
    server.keys = [public(OTHER_RSA, kid="rsa"), public(RSA, kid="rsa"), public(EC, kid="rsa")]
    assert not await accepted(tokens, token())
    assert await accepted(tokens, token("rsa", key=EC, algorithm="ES256"))


async def test_with_both_a_secret_and_a_set_each_token_is_judged_by_its_own(
    settings: Settings, server: KeyServer, keys: SigningKeys
):
    both = Tokens(dataclasses.replace(settings, auth_jwks_url=server.url), keys=keys)
    assert await accepted(both, forged(claims()))
    assert await accepted(both, forged(claims(), header={"alg": "HS256", "kid": "rsa"})), "a name names none of ours"
    assert server.asked == 0
    assert await accepted(both, token())
    assert not await accepted(both, hs256(RSA.as_pem(private=False), {}))


async def test_without_a_secret_nothing_signed_with_one_is_accepted(tokens: Tokens):
    assert not await accepted(tokens, forged(claims()))


async def test_without_a_set_nothing_but_the_secret_counts(settings: Settings):
    secret_alone = Tokens(settings)
    assert await accepted(secret_alone, forged(claims()))
    assert not await accepted(secret_alone, token())


ISSUER, AUDIENCE = "https://issuer.example.com/", "meetings"
FOR_US = {"iss": ISSUER, "aud": AUDIENCE}


@pytest.mark.parametrize("aud", [AUDIENCE, [AUDIENCE], ["another", AUDIENCE]])
@pytest.mark.parametrize("sign", [token, lambda **changes: forged(claims(**changes))], ids=["by a key", "by secret"])
async def test_a_token_of_the_issuer_for_us_is_accepted(
    settings: Settings, server: KeyServer, keys: SigningKeys, aud: object, sign: Callable[..., str]
):
    known = dataclasses.replace(settings, auth_jwks_url=server.url, auth_issuer=ISSUER, auth_audience=AUDIENCE)
    assert await accepted(Tokens(known, keys=keys), sign(**{**FOR_US, "aud": aud}))


@pytest.mark.parametrize(
    "wrong",
    [
        {"aud": "another"},
        {"aud": ["another"]},
        {"aud": []},
        {"aud": ""},
        {"aud": None},
        {"aud": 7},
        {"aud": [AUDIENCE, 7]},
        {"aud": {AUDIENCE: 1}},
        {"aud": AUDIENCE.upper()},
        {"aud": f"{AUDIENCE} another"},
        {"iss": "https://another.example.com/"},
        {"iss": ISSUER.rstrip("/")},
        {"iss": [ISSUER]},
        {"iss": ""},
        {"iss": None},
        {"iss": 7},
    ],
    ids=str,
)
@pytest.mark.parametrize("sign", [token, lambda **changes: forged(claims(**changes))], ids=["by a key", "by secret"])
async def test_a_token_of_another_issuer_or_for_somebody_else_is_refused(
    settings: Settings, server: KeyServer, keys: SigningKeys, wrong: dict[str, Any], sign: Callable[..., str]
):
    known = dataclasses.replace(settings, auth_jwks_url=server.url, auth_issuer=ISSUER, auth_audience=AUDIENCE)
    assert not await accepted(Tokens(known, keys=keys), sign(**{**FOR_US, **wrong}))


@pytest.mark.parametrize("missing", ["iss", "aud"])
async def test_a_token_that_does_not_say_whose_or_for_whom_it_is_is_refused(settings: Settings, missing: str):
    known = dataclasses.replace(settings, auth_issuer=ISSUER, auth_audience=AUDIENCE)
    told = {claim: value for claim, value in FOR_US.items() if claim != missing}
    assert not await accepted(Tokens(known), forged(claims(**told)))


async def test_a_token_that_we_make_says_whose_and_for_whom_it_is(settings: Settings):
    tokens = Tokens(dataclasses.replace(settings, auth_issuer=ISSUER, auth_audience=AUDIENCE))
    assert await accepted(tokens, tokens.make({"sub": "ada"}, seconds=60))
