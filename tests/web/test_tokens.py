"""Who a token speaks for, and which tokens speak for nobody: over HTTP and over WebSocket alike (T)."""

import asyncio
import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from models import Person
from tests.conftest import AUTH_SECRET
from tests.driving import Client, Service, names, raw_socket
from web.tokens import LEEWAY_SECONDS

HEADER = {"alg": "HS256", "typ": "JWT"}
HALF_A_PAIR = "\ud800"
ME = "{ me { id name email language timeZone isStaff isExpert } }"


def part(content: object) -> str:
    text = content if isinstance(content, str) else json.dumps(content)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def forged(claims: object, *, header: object = HEADER, secret: str = AUTH_SECRET, digest: Any = hashlib.sha256) -> str:
    """A token of whatever anybody may come up with, signed."""
    signed = f"{part(header)}.{part(claims)}"
    signature = hmac.digest(secret.encode(), signed.encode(), digest)
    return f"{signed}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"


def claims(**changes: object) -> dict[str, object]:
    return {"sub": "mallory", "name": "Mallory", "exp": int(time.time()) + 60, **changes}


def without(claim: str) -> dict[str, object]:
    return {name: value for name, value in claims().items() if name != claim}


def altered() -> str:
    """Somebody's token, with another subject written into it."""
    header, _, signature = forged(claims()).split(".")
    return f"{header}.{part(claims(sub='somebody else'))}.{signature}"


def of_a_key_pair() -> str:
    return jwt.encode({"alg": "RS256"}, claims(), RSAKey.generate_key(2048), algorithms=["RS256"])


NO_TIMES: list[object] = [None, "9999999999", True, [9999999999], {}, float("nan"), float("inf"), 10**400, -(10**400)]
NO_SUBJECTS: list[object] = [None, "", " \t", 7, 1.5, True, ["mallory"], {"x": 1}, "a\0b", HALF_A_PAIR, "x" * 10_000]
NO_TEXTS: list[object] = [7, ["x"], {"x": 1}, True, "a\0b", HALF_A_PAIR]
UNSIGNED = f"{part({'alg': 'none'})}.{part(claims())}."

NO_TOKENS: dict[str, Callable[[], str]] = {
    "nothing": lambda: "",
    "only the scheme": lambda: "Bearer",
    "the scheme and blanks": lambda: "Bearer   ",
    "another scheme": lambda: f"Basic {forged(claims())}",
    "no scheme": lambda: forged(claims()),
    "the scheme glued to the token": lambda: f"Bearer{forged(claims())}",
    "two tokens": lambda: f"Bearer {forged(claims())} {forged(claims())}",
    "no token at all": lambda: "Bearer null",
    "dots": lambda: "Bearer ..",
    "what is not ASCII": lambda: "Bearer é.è.ü",
    "ten thousand characters": lambda: "Bearer " + "x" * 10_000,
}

BAD_TOKENS: dict[str, Callable[[], str]] = {
    "signed with another secret": lambda: forged(claims(), secret="a secret that is not the one, also long"),
    "altered after it was signed": altered,
    "without its signature": lambda: forged(claims()).rpartition(".")[0] + ".",
    "unsigned, alg none": lambda: UNSIGNED,
    "unsigned, alg None": lambda: UNSIGNED.replace(part({"alg": "none"}), part({"alg": "None"})),
    "alg none, but signed": lambda: forged(claims(), header={"alg": "none"}),
    "HS512": lambda: forged(claims(), header={"alg": "HS512"}, digest=hashlib.sha512),
    "HS384": lambda: forged(claims(), header={"alg": "HS384"}, digest=hashlib.sha384),
    "RS256": of_a_key_pair,
    "an encrypted one": lambda: f"{part({'alg': 'dir', 'enc': 'A128GCM'})}..a.a.a",
    "without alg": lambda: forged(claims(), header={"typ": "JWT"}),
    "alg is a list": lambda: forged(claims(), header={"alg": ["HS256"]}),
    "alg is a number": lambda: forged(claims(), header={"alg": 256}),
    "its header is a list": lambda: forged(claims(), header=["alg"]),
    "its header is text": lambda: forged(claims(), header='"alg"'),
    "its header is deep": lambda: forged(claims(), header="[" * 300),
    "with a header that must be understood": lambda: forged(claims(), header={**HEADER, "crit": ["x"], "x": 1}),
    "with a payload as it is": lambda: forged(claims(), header={**HEADER, "b64": False, "crit": ["b64"]}),
    "its claims are a list": lambda: forged([claims()]),
    "its claims are no JSON": lambda: forged("sub=mallory"),
    "its claims are deep": lambda: forged("[" * 20_000),
    "expired 31 seconds ago": lambda: forged(claims(exp=int(time.time()) - 31)),
    "expired 30 seconds ago": lambda: forged(claims(exp=int(time.time()) - 30)),
    "not good for 32 seconds yet": lambda: forged(claims(nbf=int(time.time()) + 32)),
    "issued in 32 seconds": lambda: forged(claims(iat=int(time.time()) + 32)),
    "without exp": lambda: forged(without("exp")),
    "without sub": lambda: forged(without("sub")),
    **{
        f"exp is {exp!r:.20}": lambda exp=exp: forged(claims(exp=exp))  # type: ignore[misc]
        for exp in NO_TIMES
    },
    **{
        f"sub is {sub!r:.20}": lambda sub=sub: forged(claims(sub=sub))  # type: ignore[misc]
        for sub in NO_SUBJECTS
    },
    **{
        f"{claim} is {value!r}": lambda claim=claim, value=value: forged(claims(**{claim: value}))  # type: ignore[misc]
        for claim in ("name", "email", "locale", "zoneinfo")
        for value in NO_TEXTS
    },
}


@pytest.mark.parametrize(
    "authorization",
    [
        *(pytest.param(made, id=name) for name, made in NO_TOKENS.items()),
        *(pytest.param(lambda made=made: f"Bearer {made()}", id=name) for name, made in BAD_TOKENS.items()),
    ],
)
async def test_what_is_no_valid_token_speaks_for_nobody_over_http_and_over_websocket(
    world: Service, authorization: Callable[[], str]
):
    async with world.nothing_changes():
        answer = await world.http.post(
            "/graphql", json={"query": ME}, headers={b"Authorization": authorization().strip().encode("latin-1")}
        )
        assert answer.status_code == 401
        assert answer.headers["content-type"].startswith("application/json")
        assert list(answer.json()) == ["errors"]
        assert [error["extensions"]["code"] for error in answer.json()["errors"]] == ["UNAUTHENTICATED"]
        async with raw_socket(world) as socket:
            await socket.send({"type": "connection_init", "payload": {"authorization": authorization()}})
            assert await socket.closed() == 4403


async def test_who_sends_no_header_is_refused(world: Service):
    async with world.nothing_changes():
        answer = await world.http.post("/graphql", json={"query": ME})
        assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (401, "UNAUTHENTICATED")
        assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("payload", [None, {}, {"authorization": None}, {"authorization": 7}, {"authorization": ["x"]}])
async def test_a_socket_that_shows_no_token_is_closed_with_4403(world: Service, payload: object):
    async with world.nothing_changes(), raw_socket(world) as socket:
        await socket.send({"type": "connection_init", "payload": payload})
        assert await socket.closed() == 4403


async def test_half_a_surrogate_pair_in_place_of_a_token_closes_with_4403(world: Service):
    async with world.nothing_changes(), raw_socket(world) as socket:
        await socket.send({"type": "connection_init", "payload": {"authorization": f"Bearer {HALF_A_PAIR}"}})
        assert await socket.closed() == 4403


async def test_a_token_that_expires_ends_an_open_socket_with_4403_and_is_refused_over_http_w3(world: Service):
    sub = f"brief-{next(names)}"
    brief = Client(world, sub, world.token(sub=sub, seconds=2 - LEEWAY_SECONDS))  # good for one second at least
    async with brief.socket() as socket:
        await socket.subscribe("subscription { creditAccountUpdates { available } }")
        await socket.next()
        assert await socket.closed() == 4403
        refused = await brief.post(ME)
        assert (refused.status_code, refused.json()["errors"][0]["extensions"]["code"]) == (401, "UNAUTHENTICATED")


async def test_w3_a_socket_ends_when_its_token_does_and_whoever_is_back_within_the_leeway_may_stay(world: Service):
    sub = f"brief-{next(names)}"
    brief = Client(world, sub, world.token(sub=sub, seconds=2))
    async with brief.socket() as socket:
        assert await socket.closed() == 4403
    async with brief.socket() as socket:
        assert await socket.silent(), "and is not sent away again"


@pytest.mark.parametrize("times", [{"exp": -28}, {"nbf": 29}, {"iat": 29}, {"exp": -28.5}], ids=str)
async def test_clocks_may_differ_by_half_a_minute_t(world: Service, times: dict[str, float]):
    told = {claim: int(time.time()) + seconds for claim, seconds in times.items()}
    browser = Client(world, "", forged(claims(sub=a_subject(), **told)))
    assert (await me(browser))["name"] == "Mallory"
    async with browser.socket():
        pass


async def test_the_scheme_may_be_written_in_any_case(world: Service, uma: Client):
    for scheme in ("bearer", "BEARER"):
        answer = await world.http.post(
            "/graphql", json={"query": ME}, headers={"Authorization": f"{scheme} {uma.token}"}
        )
        assert answer.json()["data"]["me"]["id"] == uma.id


def person(world: Service, sub: str, **claims: object) -> Client:
    """A browser that shows a token with these claims; nobody has seen them yet."""
    return Client(world, sub, forged({"sub": sub, "exp": int(time.time()) + 60, **claims}))


def a_subject() -> str:
    return f"somebody-{next(names)}"


async def me(client: Client) -> dict[str, Any]:
    return (await client.ask(ME))["me"]


async def test_a_person_is_made_at_first_sight_of_a_token_t(world: Service):
    sub = a_subject()
    browser = person(world, sub, name="Ada", email="ada@example.com", locale="de-AT", zoneinfo="Europe/Vienna")
    made = await me(browser)
    assert {**made, "id": ...} == {
        "id": ...,
        "name": "Ada",
        "email": "ada@example.com",
        "language": "DE",
        "timeZone": "Europe/Vienna",
        "isStaff": False,
        "isExpert": False,
    }
    assert await me(browser) == made
    assert await Person.filter(subject=sub).count() == 1


async def test_a_socket_alone_is_a_first_sight_too_t(world: Service):
    sub = a_subject()
    async with person(world, sub).listening("subscription { creditAccountUpdates { available } }") as socket:
        assert await socket.next() == {"creditAccountUpdates": {"available": "0.00"}}
    assert await Person.filter(subject=sub).count() == 1


async def test_many_first_sights_at_once_make_one_person_t(world: Service):
    sub = a_subject()
    browser = person(world, sub, name="Ada")
    seen = await asyncio.gather(*(me(browser) for _ in range(20)))
    assert len({each["id"] for each in seen}) == 1
    assert await Person.filter(subject=sub).count() == 1


async def test_name_and_email_follow_the_claims_language_and_zone_stay_what_they_were_t(world: Service):
    sub = a_subject()
    first = await me(person(world, sub, name="Ada", email="a@example.com", locale="de", zoneinfo="Europe/Berlin"))
    second = await me(person(world, sub, name="Ada L.", email="l@example.com", locale="en", zoneinfo="UTC"))
    assert second == {**first, "name": "Ada L.", "email": "l@example.com"}
    assert await me(person(world, sub, name="Ada L.")) == {**second, "email": None}


async def test_what_a_person_has_chosen_is_not_overwritten_by_their_next_token_t(world: Service):
    sub = a_subject()
    await person(world, sub, locale="en", zoneinfo="UTC").act("updateProfile", language="DE", timeZone="Asia/Tokyo")
    seen = await me(person(world, sub, name="New", locale="en", zoneinfo="UTC"))
    assert (seen["language"], seen["timeZone"]) == ("DE", "Asia/Tokyo")


@pytest.mark.parametrize(
    ("locale", "language"),
    [("de", "DE"), ("DE_ch", "DE"), ("de-DE", "DE"), ("en-GB", "EN"), ("fr", "EN"), ("", "EN"), ("x" * 10_000, "EN")],
)
async def test_an_unknown_language_is_english_t(world: Service, locale: str, language: str):
    assert (await me(person(world, a_subject(), locale=locale)))["language"] == language


@pytest.mark.parametrize("zone", ["", "Mars/Olympus", "../../etc/passwd", "europe/berlin", "x" * 10_000])
async def test_an_unknown_zone_is_utc_t(world: Service, zone: str):
    assert (await me(person(world, a_subject(), zoneinfo=zone)))["timeZone"] == "UTC"


async def test_who_has_no_name_is_called_by_their_email_or_else_by_their_subject(world: Service):
    sub = a_subject()
    assert (await me(person(world, sub, name=" ", email="ada@example.com")))["name"] == "ada@example.com"
    assert (await me(person(world, sub, name=None)))["name"] == sub


async def test_a_name_is_cut_and_an_email_that_can_be_none_is_none(world: Service):
    seen = await me(person(world, a_subject(), name="\N{GRINNING FACE}" * 1_000, email="x" * 10_000))
    assert (seen["name"], seen["email"]) == ("\N{GRINNING FACE}" * 200, None)


async def test_subjects_are_taken_exactly_so_that_no_two_are_one_person(world: Service):
    sub = a_subject()
    subjects = [sub, sub.upper(), f"{sub} ", f" {sub}", f"{sub}\u2003", f"{sub}\u200b", f"{sub[:-1]}\uff11"]
    assert len({(await me(person(world, each)))["id"] for each in subjects}) == len(subjects)


async def test_who_is_staff_is_judged_from_the_token_at_hand_t(world: Service, uma: Client):
    sub = a_subject()
    staff, plain = person(world, sub, roles=["x", "staff"]), person(world, sub)
    for browser, is_staff in ((staff, True), (plain, False), (staff, True)):
        assert (await me(browser))["isStaff"] is is_staff
    assert (await staff.act("grantCredits", personId=uma.id, amount="1.00"))["__typename"] == "CreditsGranted"
    await me(plain)
    async with world.nothing_changes():
        refused = await plain.act("grantCredits", personId=uma.id, amount="1.00")
        assert (refused["__typename"], refused["refusal"]) == ("ActionRefused", "STAFF_ONLY")


async def test_two_tokens_of_one_person_used_at_once_are_each_judged_by_themselves_t(world: Service):
    sub = a_subject()
    browsers = [person(world, sub, roles=["staff"] if number % 2 else []) for number in range(20)]
    await me(browsers[0])
    assert [each["isStaff"] for each in await asyncio.gather(*map(me, browsers))] == [False, True] * 10


@pytest.mark.parametrize("roles", [None, "staff", {"staff": True}, [["staff"]], ["Staff"], [7], 7, True, []])
async def test_odd_roles_make_nobody_staff_t(world: Service, roles: object):
    assert (await me(person(world, a_subject(), roles=roles)))["isStaff"] is False


async def test_claims_that_nobody_asked_for_do_no_harm(world: Service):
    odd = {"aud": ["x"], "iss": "https://x", "\0": HALF_A_PAIR, "deep": {"a": [1, 2]}, "iat": 1, "nbf": 1, "jti": "1"}
    assert (await me(person(world, a_subject(), name="Ada", **odd)))["name"] == "Ada"
