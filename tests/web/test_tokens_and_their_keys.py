"""When the keys that tokens are signed with are asked for, and what if nobody answers (T)."""

import asyncio
import dataclasses
import json
import ssl
from pathlib import Path
from typing import Any

import pytest

from settings import Settings
from tests.driving import Client, Service, names, raw_socket
from tests.web.issuing import OTHER_RSA, RSA, Stopwatch, accepted, outcome, token
from tests.web.key_server import KeyServer, certificate, claims, public
from tests.web.test_tokens import ME, forged
from web import signing_keys
from web.signing_keys import (
    ASK_AGAIN_AFTER_SECONDS,
    FRESH_SECONDS,
    KEPT_SECONDS,
    LARGEST_SET_BYTES,
    SigningKeys,
)
from web.tokens import Tokens


async def test_the_set_is_asked_for_when_the_first_token_needs_it_and_then_remembered(
    tokens: Tokens, server: KeyServer, clock: Stopwatch
):
    assert server.asked == 0
    for _ in range(3):
        assert await accepted(tokens, token())
        clock.seconds += FRESH_SECONDS / 4
    assert server.asked == 1


async def test_all_who_come_at_once_wait_for_one_fetch_and_nobody_else_waits(
    service_of_issuer: Service, server: KeyServer, settings: Settings, keys: SigningKeys, clock: Stopwatch
):
    both = Tokens(dataclasses.replace(settings, auth_jwks_url=server.url), keys=keys)
    server.may_answer.clear()
    waiting = [asyncio.create_task(accepted(both, token())) for _ in range(20)]
    async with asyncio.timeout(10):
        await server.was_asked.wait()
        clock.seconds += ASK_AGAIN_AFTER_SECONDS
        waiting.append(asyncio.create_task(accepted(both, token())))
        assert await accepted(both, forged(claims())), "signed with our secret"
        assert (await service_of_issuer.http.get("/health")).status_code == 200
        server.may_answer.set()
        assert all(await asyncio.gather(*waiting))
    assert server.asked == 1


async def test_who_leaves_while_the_set_is_fetched_takes_it_from_nobody(tokens: Tokens, server: KeyServer):
    server.may_answer.clear()
    first, second = (asyncio.create_task(accepted(tokens, token())) for _ in range(2))
    async with asyncio.timeout(10):
        await server.was_asked.wait()
        first.cancel()
        await asyncio.wait([first])
        server.may_answer.set()
        assert await second
    assert server.asked == 1


async def test_a_new_key_is_accepted_after_one_fetch(tokens: Tokens, server: KeyServer, clock: Stopwatch):
    assert await accepted(tokens, token())
    server.keys.append(public(OTHER_RSA, kid="new"))
    clock.seconds += ASK_AGAIN_AFTER_SECONDS
    assert await accepted(tokens, token("new", key=OTHER_RSA))
    assert server.asked == 2


async def test_keys_that_nobody_knows_are_asked_for_now_and_then_however_many_there_are(
    tokens: Tokens, server: KeyServer, clock: Stopwatch
):
    for number in range(100):
        assert not await accepted(tokens, token(f"made up {number}", key=OTHER_RSA))
        clock.seconds += ASK_AGAIN_AFTER_SECONDS / 50
    assert server.asked == 2
    assert await accepted(tokens, token())
    assert server.asked == 2


async def test_a_key_that_was_removed_is_refused_once_the_set_is_old(
    tokens: Tokens, server: KeyServer, clock: Stopwatch
):
    assert await accepted(tokens, token())
    del server.keys[0]
    clock.seconds += FRESH_SECONDS - 1
    assert await accepted(tokens, token())
    clock.seconds += 1
    assert not await accepted(tokens, token())
    assert server.asked == 2


BROKEN: dict[str, dict[str, Any]] = {
    "an error": {"status": "500 Internal Server Error"},
    "not there": {"status": "404 Not Found"},
    "nothing": {"status": "204 No Content"},
    "no JSON": {"body": b"<html>"},
    "not UTF-8": {"body": b'{"keys": ["\xff"]}'},
    "a list": {"body": b"[]"},
    "no keys": {"body": b"{}"},
    "keys that are no list": {"body": b'{"keys": {}}'},
    "an empty set": {"body": b'{"keys": []}'},
    "no key that can be used": {"body": json.dumps({"keys": [{"kty": "oct", "k": "eA", "kid": "rsa"}]}).encode()},
    "deep JSON": {"body": b"[" * 100_000},
    "too much": {"body": b" " * LARGEST_SET_BYTES + json.dumps({"keys": [public(RSA, kid="rsa")]}).encode()},
    "less than it said": {"headers": {"Content-Length": "100000"}},
}


def breaks(server: KeyServer, how: dict[str, Any]) -> None:
    for name, value in how.items():
        setattr(server, name, value)


def heals(server: KeyServer) -> None:
    breaks(server, {"status": "200 OK", "body": None, "headers": {}})


@pytest.mark.parametrize("how", BROKEN)
async def test_who_has_never_been_told_a_set_says_to_try_again_and_recovers(
    tokens: Tokens, server: KeyServer, clock: Stopwatch, how: str
):
    breaks(server, BROKEN[how])
    assert await outcome(tokens, token()) == "unavailable"
    heals(server)
    assert await outcome(tokens, token()) == "unavailable", "it is not asked all the time"
    assert server.asked == 1
    clock.seconds += ASK_AGAIN_AFTER_SECONDS
    assert await outcome(tokens, token()) == "accepted"


@pytest.mark.parametrize("how", BROKEN)
async def test_known_keys_serve_on_while_their_server_fails(
    tokens: Tokens, server: KeyServer, clock: Stopwatch, how: str
):
    assert await accepted(tokens, token())
    breaks(server, BROKEN[how])
    clock.seconds += FRESH_SECONDS
    assert await outcome(tokens, token()) == "accepted"
    assert server.asked == 2
    assert await outcome(tokens, token("new", key=OTHER_RSA)) == "unavailable", "it may be a good one"
    clock.seconds += KEPT_SECONDS - FRESH_SECONDS
    assert await outcome(tokens, token()) == "unavailable"


async def test_while_their_server_is_silent_nobody_with_a_known_key_waits_twice(
    tokens: Tokens, server: KeyServer, clock: Stopwatch, monkeypatch: pytest.MonkeyPatch
):
    assert await accepted(tokens, token())
    monkeypatch.setattr(signing_keys, "FETCH_WITHIN_SECONDS", 0.1)
    server.may_answer.clear()
    clock.seconds += FRESH_SECONDS
    assert await accepted(tokens, token()), "after 0.1 s"
    monkeypatch.setattr(signing_keys, "FETCH_WITHIN_SECONDS", 60)
    server.was_asked.clear()
    clock.seconds += ASK_AGAIN_AFTER_SECONDS
    async with asyncio.timeout(10):
        assert await accepted(tokens, token())
        await server.was_asked.wait()
        assert await accepted(tokens, token())
        waiting = asyncio.create_task(outcome(tokens, token("new", key=OTHER_RSA)))
        server.keys.append(public(OTHER_RSA, kid="new"))
        server.may_answer.set()
        assert await waiting == "accepted"
    assert server.asked == 3


async def test_a_server_that_is_down_stops_neither_the_service_nor_other_tokens(
    service_of_issuer: Service, settings: Settings, server: KeyServer, keys: SigningKeys
):
    world = service_of_issuer
    sub = f"of-an-issuer-{next(names)}"
    theirs, ours = Client(world, sub, token(sub=sub)), Client(world, sub, forged(claims(sub=sub)))
    world.app.state.tokens = Tokens(dataclasses.replace(settings, auth_jwks_url=server.url), keys=keys)
    async with server.down():
        async with world.nothing_changes():
            answer = await theirs.post(ME)
            assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (
                503,
                "SERVICE_UNAVAILABLE",
            )
            assert int(answer.headers["Retry-After"]) > 0
            assert "key" not in answer.text
            async with raw_socket(world) as socket:
                await socket.send({"type": "connection_init", "payload": {"authorization": f"Bearer {theirs.token}"}})
                assert await socket.closed() == 1013
        assert (await ours.ask(ME))["me"]["id"]


@pytest.mark.parametrize("status", ["301 Moved Permanently", "302 Found", "307 Temporary Redirect"])
async def test_a_redirect_is_not_followed(tokens: Tokens, server: KeyServer, pem: Path, status: str):
    async with KeyServer(pem) as elsewhere:
        elsewhere.keys = server.keys
        breaks(server, {"status": status, "headers": {"Location": elsewhere.url}})
        assert await outcome(tokens, token()) == "unavailable"
        assert (server.asked, elsewhere.asked) == (1, 0)


async def test_a_server_whose_certificate_nobody_vouches_for_is_not_believed(
    issued: Settings, server: KeyServer, tmp_path: Path
):
    distrustful = SigningKeys(server.url, tls=ssl.create_default_context(cafile=certificate(tmp_path)))
    assert await outcome(Tokens(issued, keys=distrustful), token()) == "unavailable"
    assert server.asked == 0


async def test_nor_is_one_by_default(issued: Settings, server: KeyServer):
    assert await outcome(Tokens(issued), token()) == "unavailable"
    assert server.asked == 0


@pytest.mark.parametrize("pause_seconds", [0.05, 60])
async def test_who_takes_too_long_is_not_waited_for_nor_who_sends_drop_by_drop(
    tokens: Tokens, server: KeyServer, monkeypatch: pytest.MonkeyPatch, pause_seconds: float
):
    monkeypatch.setattr(signing_keys, "FETCH_WITHIN_SECONDS", 0.2)
    server.pause_seconds = pause_seconds
    async with asyncio.timeout(10):
        assert await outcome(tokens, token()) == "unavailable"
