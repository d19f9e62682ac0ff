"""Jitsi: a token signed for room, person and window (L2), or a room that nobody can guess."""

from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jwt
from joserfc.errors import BadSignatureError
from joserfc.jwk import OctKey

from conference.jitsi import Jitsi
from tests.conference.rooms import EMIL, LATER, LATER_WINDOW, ROOM, UMA, WINDOW

SECRET = "the secret that Jitsi knows, too, and nobody else"
JITSI = Jitsi("https://meet.example.com", "expertim", SECRET)


def token_in(url: str) -> str:
    (token,) = parse_qs(urlsplit(url).query)["jwt"]
    return token


def decoded(url: str, secret: str = SECRET) -> jwt.Token:
    return jwt.decode(token_in(url), OctKey.import_key(secret), algorithms=["HS256"])


async def test_the_token_says_which_room_who_and_when_to_the_second_l2():
    url = await JITSI.personal_url(ROOM, UMA)
    assert url.startswith(f"https://meet.example.com/{ROOM.name}?jwt=")
    assert decoded(url).header == {"alg": "HS256", "typ": "JWT"}
    assert decoded(url).claims == {
        "iss": "expertim",
        "aud": "expertim",
        "sub": "*",
        "room": ROOM.name,
        **WINDOW,
        "context": {"user": {"id": str(UMA.person_id), "name": "Uma Groß", "moderator": "false"}},
    }


async def test_the_expert_moderates():
    user = decoded(await JITSI.personal_url(ROOM, EMIL)).claims["context"]["user"]
    assert user == {"id": str(EMIL.person_id), "name": "Emil Åström", "moderator": "true"}


async def test_a_new_date_makes_new_tokens_of_the_same_room():
    claims = decoded(await JITSI.personal_url(LATER, UMA)).claims
    assert {name: claims[name] for name in ("room", "nbf", "exp")} == {"room": ROOM.name, **LATER_WINDOW}


async def test_a_token_is_signed_with_the_secret():
    url = await JITSI.personal_url(ROOM, UMA)
    with pytest.raises(BadSignatureError):
        decoded(url, secret=SECRET[::-1])


async def test_without_a_secret_there_is_a_room_that_nobody_can_guess_and_no_token():
    assert await Jitsi("https://meet.jit.si").personal_url(ROOM, UMA) == f"https://meet.jit.si/{ROOM.name}"


@pytest.mark.parametrize("url", ["https://meet.example.com/tenant", "https://meet.example.com/tenant/"])
async def test_rooms_are_found_below_a_tenant_too(url: str):
    address = await Jitsi(url, "expertim", SECRET).personal_url(ROOM, UMA)
    assert address.startswith(f"https://meet.example.com/tenant/{ROOM.name}?jwt=")


async def test_nothing_has_to_be_arranged_as_often_as_one_likes():
    for _ in range(2):
        await JITSI.create(ROOM)
        await JITSI.adjust(LATER)
        await JITSI.cancel(ROOM.name)


def test_a_platform_that_is_shown_shows_no_secret():
    assert SECRET not in repr(JITSI)
