"""Daily, over HTTP: rooms that are arranged once however often it takes (L4), and tokens that end with them (L2)."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace

import httpx2
import pytest
from structlog.testing import capture_logs

from conference.daily import LARGEST_ANSWER_BYTES, Daily
from conference.platform import PlatformUnavailable, RoomMissing
from tests.conference.daily_server import DOMAIN, KEY, Answer, DailyServer, refusal
from tests.conference.rooms import EMIL, LATER, LATER_WINDOW, ROOM, UMA, WINDOW

CALLS: dict[str, Callable[[Daily], Awaitable[object]]] = {
    "create": lambda daily: daily.create(ROOM),
    "adjust": lambda daily: daily.adjust(LATER),
    "cancel": lambda daily: daily.cancel(ROOM.name),
    "personal_url": lambda daily: daily.personal_url(ROOM, UMA),
}
ARRANGED = {"privacy": "private", **WINDOW, "eject_at_room_exp": True}
ARRANGED_LATER = {"privacy": "private", **LATER_WINDOW, "eject_at_room_exp": True}

# What an answer can be but Daily's own, by what a test's name says of it.
BROKEN = {
    "500": refusal(500, "server-error"),
    "503-html": Answer(503, body=b"<h1>Service Unavailable</h1>"),
    "429": refusal(429, "rate-limit-error"),
    "401": refusal(401, "authentication-error"),
    "403": refusal(403, "forbidden-error"),
    "418": Answer(418, content=["what"]),
    "elsewhere": Answer(307, headers={"Location": "/v1/elsewhere"}),
    "no-content": Answer(204, body=b""),
    "empty": Answer(body=b""),
    "no-json": Answer(body=b'{"url": "https://exp'),
    "no-utf-8": Answer(body=b'{"url": "\xff"}'),
    "no-object": Answer(content=[{"url": "https://expertim.daily.co/x"}]),
    "deep": Answer(body=b"[" * 100_000),
    "huge-before": Answer(body=b" " * 2 * LARGEST_ANSWER_BYTES + b"{}"),
    "huge-after": Answer(body=b"{}" + b" " * LARGEST_ANSWER_BYTES),
    "cut-off": Answer(body=b'{"url": ', headers={"Content-Length": "1000"}),
    "compressed": Answer(body=b"\x1f\x8b\x08", headers={"Content-Encoding": "gzip", "Content-Length": "3"}),
    "no-http": Answer(headers={"Content-Length": "x"}),
}


@pytest.fixture
async def server() -> AsyncIterator[DailyServer]:
    async with DailyServer() as server:
        yield server


@pytest.fixture
async def daily(server: DailyServer) -> AsyncIterator[Daily]:
    async with httpx2.AsyncClient(timeout=None) as client:
        yield Daily(client, url=server.url, api_key=KEY)


async def test_a_room_is_private_and_open_in_its_window_to_the_second(server: DailyServer, daily: Daily):
    await daily.create(ROOM)
    assert server.properties(ROOM.name) == ARRANGED


async def test_a_second_create_finds_the_first_room_and_brings_it_to_the_dates_it_wants(
    server: DailyServer, daily: Daily
):
    await daily.create(ROOM)
    first = server.rooms[ROOM.name]["id"]
    await daily.create(LATER)
    assert [room["id"] for room in server.rooms.values()] == [first]
    assert server.properties(ROOM.name) == ARRANGED_LATER


async def test_many_who_create_it_at_once_make_one_room(server: DailyServer, daily: Daily):
    await asyncio.gather(*(daily.create(ROOM) for _ in range(20)))
    assert list(server.rooms) == [ROOM.name]
    assert server.properties(ROOM.name) == ARRANGED


async def test_a_lost_answer_after_the_room_was_made_makes_no_second_room(server: DailyServer, daily: Daily):
    server.lost_answers = 1
    with pytest.raises(PlatformUnavailable):
        await daily.create(ROOM)
    made = server.rooms[ROOM.name]["id"]
    await daily.create(ROOM)
    assert [room["id"] for room in server.rooms.values()] == [made]
    assert server.calls == ["POST /rooms", "POST /rooms", f"POST /rooms/{ROOM.name}"]


async def test_a_room_is_adjusted_to_new_dates_as_often_as_one_likes(server: DailyServer, daily: Daily):
    await daily.create(ROOM)
    made = server.rooms[ROOM.name]["id"]
    for _ in range(2):
        await daily.adjust(LATER)
        assert server.properties(ROOM.name) == ARRANGED_LATER
    assert server.rooms[ROOM.name]["id"] == made


async def test_an_answer_of_which_nothing_is_needed_may_say_nothing(server: DailyServer, daily: Daily):
    await daily.create(ROOM)
    server.instead.append(Answer(content={}))
    await daily.adjust(ROOM)
    assert server.calls == ["POST /rooms", f"POST /rooms/{ROOM.name}"]


async def test_a_room_that_was_made_public_by_hand_is_private_again(server: DailyServer, daily: Daily):
    await daily.create(ROOM)
    server.rooms[ROOM.name]["privacy"] = "public"
    await daily.adjust(ROOM)
    assert server.properties(ROOM.name) == ARRANGED


@pytest.mark.parametrize("expired", [False, True])
async def test_a_room_that_has_gone_missing_or_expired_is_made_anew(server: DailyServer, daily: Daily, expired: bool):
    if expired:
        await daily.create(ROOM)
        server.expired.add(ROOM.name)
    await daily.adjust(LATER)
    assert server.properties(ROOM.name) == ARRANGED_LATER
    assert not server.expired


async def test_a_room_that_daily_does_not_make_is_no_success(server: DailyServer, daily: Daily):
    refused = refusal(400, "invalid-request-error", "exp was in the past")
    server.instead.extend([refused, refusal(404, "not-found"), refusal(404, "not-found"), refused])
    with capture_logs() as logs, pytest.raises(PlatformUnavailable):
        await daily.create(ROOM)
    assert [(line["log_level"], line["event"]) for line in logs] == [
        ("error", "the video platform neither has a room nor makes it")
    ]
    assert server.rooms == {}


async def test_a_room_is_cancelled_and_one_that_is_not_there_is_cancelled_already(server: DailyServer, daily: Daily):
    await daily.create(ROOM)
    for _ in range(2):
        await daily.cancel(ROOM.name)
        assert server.rooms == {}


async def test_a_lost_answer_after_the_room_was_cancelled_is_made_up_for(server: DailyServer, daily: Daily):
    await daily.create(ROOM)
    server.lost_answers = 1
    with pytest.raises(PlatformUnavailable):
        await daily.cancel(ROOM.name)
    await daily.cancel(ROOM.name)
    assert server.rooms == {}


async def test_a_personal_address_has_a_token_for_room_person_and_window_to_the_second_l2(
    server: DailyServer, daily: Daily
):
    await daily.create(ROOM)
    assert await daily.personal_url(ROOM, UMA) == f"{DOMAIN}/{ROOM.name}?t=1.a%2Bb%2Fc%3D"
    assert await daily.personal_url(ROOM, EMIL) == f"{DOMAIN}/{ROOM.name}?t=2.a%2Bb%2Fc%3D"
    common = {"room_name": ROOM.name, **WINDOW, "eject_at_token_exp": True}
    assert server.tokens == [
        {**common, "user_id": str(UMA.person_id), "user_name": "Uma Groß", "is_owner": False},
        {**common, "user_id": str(EMIL.person_id), "user_name": "Emil Åström", "is_owner": True},
    ]


async def test_a_name_goes_out_as_it_can_be_shown(server: DailyServer, daily: Daily):
    await daily.create(ROOM)
    await daily.personal_url(ROOM, replace(UMA, name="Uma\n\ud800" + "a" * 200))
    assert server.tokens[0]["user_name"] == "Uma" + "a" * 97


async def test_nobody_gets_a_token_of_a_room_that_is_missing(server: DailyServer, daily: Daily):
    with pytest.raises(RoomMissing):
        await daily.personal_url(ROOM, UMA)
    assert server.tokens == []


@pytest.mark.parametrize(
    "address", ["", "expertim", "http://x.co/a", "https:///a", "https://[", "https://x.co/a?t=b", 7]
)
async def test_nobody_is_sent_to_an_address_that_is_none(server: DailyServer, daily: Daily, address: object):
    await daily.create(ROOM)
    server.rooms[ROOM.name]["url"] = address
    with pytest.raises(PlatformUnavailable):
        await daily.personal_url(ROOM, UMA)


@pytest.mark.parametrize("token", [None, 7, "", {}])
async def test_nobody_is_sent_off_without_a_token(server: DailyServer, daily: Daily, token: object):
    await daily.create(ROOM)
    server.instead.extend([Answer(content=server.rooms[ROOM.name]), Answer(content={"token": token})])
    with pytest.raises(PlatformUnavailable):
        await daily.personal_url(ROOM, UMA)


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
async def test_whatever_else_comes_back_is_no_success_and_the_next_try_is_one(
    server: DailyServer, daily: Daily, call: Callable[[Daily], Awaitable[object]], broken: Answer
):
    await daily.create(ROOM)
    before = len(server.calls)
    server.instead.append(broken)
    with pytest.raises(PlatformUnavailable) as unavailable:
        await call(daily)
    assert not isinstance(unavailable.value, RoomMissing)
    assert len(server.calls) == before + 1, "nothing else was asked, here or elsewhere"
    await call(daily)


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
async def test_daily_being_down_is_no_success_and_passes(
    server: DailyServer, daily: Daily, call: Callable[[Daily], Awaitable[object]]
):
    await daily.create(ROOM)
    async with server.down():
        with pytest.raises(PlatformUnavailable):
            await call(daily)
    await call(daily)


@pytest.mark.parametrize("pause_seconds", [0, 0.02])
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
async def test_an_answer_that_does_not_come_or_comes_byte_by_byte_is_not_waited_for(
    server: DailyServer, call: Callable[[Daily], Awaitable[object]], pause_seconds: float
):
    async with httpx2.AsyncClient(timeout=None) as client:
        await Daily(client, url=server.url, api_key=KEY).create(ROOM)
        server.pause_seconds = pause_seconds
        if not pause_seconds:
            server.may_answer.clear()
        with pytest.raises(PlatformUnavailable):
            await call(Daily(client, url=server.url, api_key=KEY, within_seconds=0.1))
        server.pause_seconds = 0
        server.may_answer.set()
        await call(Daily(client, url=server.url, api_key=KEY))


@pytest.mark.parametrize(
    ("retry_after", "seconds"),
    [
        ("7", 7),
        ("0", 0),
        ("999999", 3600),
        ("1" * 5000, None),
        ("-1", None),
        ("1.5", None),
        ("soon", None),
        ("Fri, 01 Mar 2030 10:00:00 GMT", None),
        ("", None),
    ],
)
async def test_who_asks_too_often_is_told_when_to_ask_again(
    server: DailyServer, daily: Daily, retry_after: str, seconds: int | None
):
    server.instead.append(refusal(429, "rate-limit-error", Retry_After=retry_after))
    with capture_logs() as logs, pytest.raises(PlatformUnavailable) as unavailable:
        await daily.create(ROOM)
    assert unavailable.value.retry_after_seconds == seconds
    assert [line["log_level"] for line in logs] == ["warning"]


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
async def test_a_wrong_key_is_an_error_in_the_log_which_shows_no_key(
    server: DailyServer, call: Callable[[Daily], Awaitable[object]]
):
    async with httpx2.AsyncClient(timeout=None) as client:
        with capture_logs() as logs, pytest.raises(PlatformUnavailable) as unavailable:
            await call(Daily(client, url=server.url, api_key="a-wrong-key"))
    (line,) = logs
    assert (line["log_level"], line["status"], line["error"]) == ("error", 401, "'authentication-error'")
    assert "a-wrong-key" not in f"{logs} {unavailable.value!r}"
    assert server.rooms == {}


async def test_a_key_that_is_repeated_to_us_is_not_logged_nor_are_long_explanations(server: DailyServer, daily: Daily):
    server.instead.append(refusal(403, f"no {KEY}", f"\x1b[31m{KEY}" + "x" * 10_000))
    with capture_logs() as logs, pytest.raises(PlatformUnavailable) as unavailable:
        await daily.create(ROOM)
    assert "(the key)" in str(logs)
    assert KEY not in f"{logs} {unavailable.value!r}"
    assert "\x1b" not in logs[0]["info"]
    assert len(str(logs)) < 1000


async def test_a_name_that_is_none_of_ours_reaches_nothing_but_a_room_of_that_name(server: DailyServer, daily: Daily):
    await daily.cancel("../meeting-tokens?x#y")
    assert server.calls == ["DELETE /rooms/..%2Fmeeting-tokens%3Fx%23y"]
