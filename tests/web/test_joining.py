"""/join/<token>: who is let in, who is recorded as having come, and what all others are told (L1-L3)."""

import logging
from datetime import datetime, timedelta
from html import unescape
from urllib.parse import urlsplit

import httpx2
import pytest

from models import Attendance, JoinLink
from resolvers.joining import OPENING_GOOD_FOR
from resolvers.world import world as surroundings
from schema.ids import row_id
from tests.driving import Client, Service
from tests.invariants import state
from tests.joining import BY_A_PERSON, Form, agreed, at_the_start, link_of, opened, pressed, recorded, seen
from tests.negotiations import Negotiation
from tests.platforms import meetings_on_daily

TICK = timedelta(microseconds=1)

NOT_BY_A_PERSON = {
    "nothing said": {},
    "curl": {"User-Agent": "curl/8", "Accept": "*/*"},
    "no user": {"Sec-Fetch-Mode": "navigate"},
    "a user, and no navigation": {"Sec-Fetch-User": "?1"},
    "no activation": {**BY_A_PERSON, "Sec-Fetch-User": "?0"},
    "a script": {**BY_A_PERSON, "Sec-Fetch-Mode": "cors"},
    "a prefetch": {**BY_A_PERSON, "Sec-Purpose": "prefetch"},
    "a prerender": {**BY_A_PERSON, "Sec-Purpose": "prefetch;prerender"},
    "an older prefetch": {**BY_A_PERSON, "Purpose": "prefetch"},
    "an empty purpose": {**BY_A_PERSON, "Sec-Purpose": ""},
}


@pytest.fixture
async def negotiation(world: Service, uma: Client, emil: Client) -> Negotiation:
    """An agreed meeting in ten days."""
    return await agreed(world, uma, emil)


@pytest.fixture
async def path(negotiation: Negotiation) -> str:
    """Of the user's link."""
    return await link_of(negotiation.user, negotiation.meeting["id"])


@pytest.fixture
async def open_path(world: Service, negotiation: Negotiation, path: str) -> str:
    """The same, at the start of the meeting."""
    at_the_start(world, negotiation)
    return path


def check_headers(answer: httpx2.Response) -> None:
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "form-action" not in answer.headers["content-security-policy"]
    assert "set-cookie" not in answer.headers


async def openings(negotiation: Negotiation) -> int:
    links = await JoinLink.filter(meeting_id=row_id("Meeting", negotiation.meeting["id"]))
    return await Attendance.filter(link_id__in=[link.id for link in links]).count()


def is_a_way_in(answer: httpx2.Response) -> bool:
    check_headers(answer)
    return answer.status_code == 303 and answer.headers["location"].startswith("https://meet.jit.si/")


# Whose opening counts (L2)


async def test_l2_a_person_is_recorded_and_led_straight_to_the_platform(
    world: Service, negotiation: Negotiation, open_path: str
):
    assert is_a_way_in(await opened(world, open_path))
    assert await openings(negotiation) == 1
    assert is_a_way_in(await opened(world, open_path))
    assert await openings(negotiation) == 2
    assert recorded(await seen(negotiation.user, negotiation.meeting["id"])) == ["USER_ATTENDANCE_RECORDED"]


@pytest.mark.parametrize("headers", NOT_BY_A_PERSON.values(), ids=NOT_BY_A_PERSON)
async def test_l2_whatever_else_opens_a_link_is_given_a_page_and_records_nothing(
    world: Service, open_path: str, headers: dict[str, str]
):
    async with world.nothing_changes():
        answer = await world.http.get(open_path, headers=headers)
    assert answer.status_code == 200
    check_headers(answer)
    assert set(Form.of(answer).fields) == {"opening"}


async def test_l2_a_head_records_nothing_whatever_it_says_of_itself(world: Service, open_path: str):
    async with world.nothing_changes():
        answer = await world.http.head(open_path, headers=BY_A_PERSON)
    assert (answer.status_code, answer.content) == (200, b"")
    check_headers(answer)


@pytest.mark.parametrize("method", ["OPTIONS", "PUT", "DELETE", "PATCH"])
async def test_l2_by_other_methods_nothing_can_be_done(world: Service, open_path: str, method: str):
    async with world.nothing_changes():
        assert (await world.http.request(method, open_path, headers=BY_A_PERSON)).status_code == 405


async def test_l2_the_pages_button_records_and_leads_to_the_platform(
    world: Service, negotiation: Negotiation, open_path: str
):
    form = Form.of(await world.http.get(open_path))
    assert is_a_way_in(await pressed(world, open_path, form))
    meeting = await seen(negotiation.user, negotiation.meeting["id"])
    assert recorded(meeting) == ["USER_ATTENDANCE_RECORDED"]
    assert len(meeting["attendance"]) == 1


async def test_l2_a_browser_that_says_nothing_of_itself_can_use_the_button_too(world: Service, open_path: str):
    page = await world.http.get(open_path)
    # Otherwise it would send `Origin: null`, as the page's headers allow no referrer.
    assert '<meta name="referrer" content="same-origin">' in page.text
    form = Form.of(page)
    answer = await world.http.post(open_path, data=form.fields, headers={"Origin": "http://localhost:8000"})
    assert is_a_way_in(answer)


async def check_refused(world: Service, path: str, form: Form, **headers: str) -> None:
    """The press of a button records nothing, and is answered with a page whose button works."""
    async with world.nothing_changes():
        answer = await pressed(world, path, form, **headers)
        assert answer.status_code == 403
        check_headers(answer)
    assert is_a_way_in(await pressed(world, path, Form.of(answer)))


async def test_l2_a_pages_value_is_recorded_once_however_often_its_button_is_pressed(world: Service, open_path: str):
    form = Form.of(await world.http.get(open_path))
    assert is_a_way_in(await pressed(world, open_path, form))
    async with world.nothing_changes():
        assert is_a_way_in(await pressed(world, open_path, form))


async def test_l2_whoever_comes_back_by_hand_to_where_they_waited_comes_anew(world: Service, open_path: str):
    """The address of the page on which one once waited is what people keep."""
    form = Form.of(await world.http.get(open_path))
    assert is_a_way_in(await pressed(world, open_path, form))
    waited = f"{open_path}?opening={form.fields['opening']}"
    async with world.nothing_changes():
        assert is_a_way_in(await opened(world, waited)), "just now"
    world.clock.advance(seconds=OPENING_GOOD_FOR.total_seconds() + 1)
    async with world.nothing_changes():
        assert is_a_way_in(await world.http.get(waited)), "the page goes on by itself"
    before = int((await state())["attendance"])
    assert is_a_way_in(await opened(world, waited))
    assert int((await state())["attendance"]) == before + 1


async def test_l2_of_very_many_openings_the_first_ones_are_kept(world: Service, open_path: str):
    """So that nobody can make what staff are to look at too long to be shown."""
    for _ in range(surroundings().policy.most_openings):
        assert is_a_way_in(await opened(world, open_path))
    async with world.nothing_changes():
        assert is_a_way_in(await opened(world, open_path))


async def test_l2_a_pages_value_is_good_for_a_quarter_of_an_hour(world: Service, open_path: str):
    form, another = Form.of(await world.http.get(open_path)), Form.of(await world.http.get(open_path))
    world.clock.advance(seconds=OPENING_GOOD_FOR.total_seconds())
    assert is_a_way_in(await pressed(world, open_path, form))
    world.clock.advance(milliseconds=1)
    await check_refused(world, open_path, another)


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example.com"},
        {"Origin": "null"},
        {"Origin": "http://localhost:8000.evil.example.com"},
        {"Origin": "http://localhost"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
    ],
)
async def test_l2_a_page_of_another_origin_can_press_no_button(world: Service, open_path: str, headers: dict[str, str]):
    await check_refused(world, open_path, Form.of(await world.http.get(open_path)), **headers)


async def test_l2_a_button_works_for_its_own_link_alone(world: Service, negotiation: Negotiation, open_path: str):
    others = await link_of(negotiation.expert, negotiation.meeting["id"])
    await check_refused(world, open_path, Form.of(await world.http.get(others)))


@pytest.mark.parametrize("value", ["", "x", "A" * 72, "\0", "é", "x" * 10_000])
async def test_l2_a_value_that_we_never_gave_is_good_for_nothing(world: Service, open_path: str, value: str):
    await check_refused(world, open_path, Form({"opening": value}))
    async with world.nothing_changes():
        assert (await world.http.post(open_path)).status_code == 403
        twice = {"opening": [Form.of(await world.http.get(open_path)).fields["opening"]] * 2}
        assert (await world.http.post(open_path, data=twice)).status_code == 403
        assert (await world.http.post(open_path, content=b"\xff" * 5_000)).status_code == 403


async def test_l1_each_side_is_recorded_by_its_own_link_whoever_holds_it(
    world: Service, negotiation: Negotiation, open_path: str
):
    others = await link_of(negotiation.expert, negotiation.meeting["id"])
    await opened(world, others)
    meeting = await seen(negotiation.user, negotiation.meeting["id"])
    assert recorded(meeting) == ["EXPERT_ATTENDANCE_RECORDED"]
    assert [each["side"] for each in meeting["attendance"]] == ["EXPERT"]


# When (L1, L3)


@pytest.mark.parametrize(
    ("of_the_window", "beyond", "status"),
    [
        ("validFrom", -TICK, 403),
        ("validFrom", timedelta(0), 303),
        ("validUntil", -TICK, 303),
        ("validUntil", timedelta(0), 410),
    ],
)
async def test_l1_a_link_is_good_in_its_window_to_the_microsecond(
    world: Service, negotiation: Negotiation, path: str, of_the_window: str, beyond: timedelta, status: int
):
    conference = (await seen(negotiation.user, negotiation.meeting["id"]))["conference"]
    world.clock.time = datetime.fromisoformat(conference[of_the_window]) + beyond
    if status == 303:
        assert is_a_way_in(await opened(world, path))
        assert is_a_way_in(await pressed(world, path, Form.of(await world.http.get(path))))
        assert await openings(negotiation) == 2
        return
    link = surroundings().links.read(urlsplit(path).path.removeprefix("/join/"))
    assert link
    value = surroundings().links.opening(link, surroundings().new_id(), world.clock.time)
    async with world.nothing_changes():
        for answer in (
            await opened(world, path),
            await world.http.get(path),
            await pressed(world, path, Form({"opening": value})),
        ):
            assert answer.status_code == status
            check_headers(answer)
            assert "<form" not in answer.text


def said(answer: httpx2.Response) -> str:
    """What a page says, without its tags."""
    return unescape(answer.text[answer.text.index("<h1>") : answer.text.index("</main>")])


@pytest.mark.parametrize(
    ("language", "zone", "opens", "title"),
    [
        ("EN", "UTC", "Thursday, 11 March 2027, 11:45 (GMT+00:00)", "too early"),
        ("EN", "America/New_York", "Thursday, 11 March 2027, 06:45 (GMT-05:00)", "too early"),
        ("DE", "Europe/Berlin", "Donnerstag, 11. März 2027, 12:45 (GMT+01:00)", "zu früh"),
    ],
)
async def test_l3_who_is_too_early_reads_when_it_opens_in_their_own_zone_and_language(
    world: Service, negotiation: Negotiation, path: str, language: str, zone: str, opens: str, title: str
):
    await negotiation.user.act("updateProfile", language=language, timeZone=zone)
    answer = await opened(world, path)
    assert answer.status_code == 403
    assert opens in said(answer)
    assert title in said(answer)
    assert f'<html lang="{language.lower()}">' in answer.text
    async with world.nothing_changes():
        others = await link_of(negotiation.expert, negotiation.meeting["id"])
        assert "11:45 (GMT+00:00)" in said(await opened(world, others))


async def test_l3_a_replaced_link_says_so_and_a_cancelled_one_too(world: Service, negotiation: Negotiation, path: str):
    await negotiation.choose("USER")
    await negotiation.do("EXPERT", "approveAlternativeDate")
    async with world.nothing_changes():
        replaced = await opened(world, path)
        assert (replaced.status_code, "no longer valid" in said(replaced)) == (410, True)
    new = await link_of(negotiation.user, negotiation.meeting["id"])
    await negotiation.do("USER", "cancelMeeting")
    async with world.nothing_changes():
        for each in (path, new):
            cancelled = await opened(world, each)
            assert (cancelled.status_code, "cancelled" in said(cancelled)) == (410, True)


async def test_l3_a_button_pressed_after_the_date_was_replaced_says_so(
    world: Service, negotiation: Negotiation, path: str
):
    world.clock.advance(days=9, hours=23, minutes=50)
    form = Form.of(await world.http.get(path))
    await negotiation.choose("USER")
    await negotiation.do("EXPERT", "approveAlternativeDate")
    async with world.nothing_changes():
        assert (await pressed(world, path, form)).status_code == 410


@pytest.mark.parametrize(
    ("accepted", "lang"), [("de-AT,de;q=0.9,en", "de"), ("DE", "de"), ("en, de", "en"), ("", "en")]
)
async def test_l3_an_unknown_or_altered_link_is_not_found(world: Service, open_path: str, accepted: str, lang: str):
    token = open_path.removeprefix("/join/")
    unknown = surroundings().links.token(surroundings().new_id())
    async with world.nothing_changes():
        for each in (
            unknown,
            token[:-1],
            token[:-1] + ("A" if token[-1] != "A" else "B"),
            token.lower(),
            "x",
            "%00",
            "é",
        ):
            for answer in (
                await opened(world, f"/join/{each}", **{"Accept-Language": accepted}),
                await world.http.post(f"/join/{each}", data={"opening": "x"}, headers={"Accept-Language": accepted}),
            ):
                assert answer.status_code == 404
                check_headers(answer)
                assert f'<html lang="{lang}">' in answer.text


# While the platform is not ready (L2)


async def test_l2_without_the_platform_they_are_recorded_once_and_the_page_goes_on_by_itself(
    world: Service, uma: Client, emil: Client
):
    async with meetings_on_daily() as daily:
        negotiation = await agreed(world, uma, emil)
        path = await link_of(uma, negotiation.meeting["id"])
        at_the_start(world, negotiation)
        async with daily.down():
            waiting = await opened(world, path)
            assert waiting.status_code == 200
            check_headers(waiting)
            assert await openings(negotiation) == 1
            refresh = unescape(waiting.text.partition('http-equiv="refresh" content="')[2].partition('"')[0])
            again = path + refresh.partition("; url=")[2]
            async with world.nothing_changes():  # a page that goes on by itself has no user to speak of
                for headers in ({"Sec-Fetch-Mode": "navigate"}, BY_A_PERSON):
                    assert (await world.http.get(again, headers=headers)).text == waiting.text
                assert (await world.http.head(again)).status_code == 200
                assert Form.of(await world.http.get(path))
        async with world.nothing_changes():
            answer = await world.http.get(again, headers={"Sec-Fetch-Mode": "navigate"})
        assert answer.status_code == 303
        check_headers(answer)
        assert answer.headers["location"].startswith("https://expertim.daily.co/")
        assert daily.tokens[-1]["user_name"] == "Uma User"
        assert daily.tokens[-1]["is_owner"] is False
        world.clock.advance(hours=2)
        assert (await world.http.get(again)).status_code == 410


async def test_l2_an_opening_that_was_never_recorded_leads_nowhere(world: Service, open_path: str):
    value = Form.of(await world.http.get(open_path)).fields["opening"]
    async with world.nothing_changes():
        answer = await world.http.get(f"{open_path}?opening={value}")
    assert answer.status_code == 200
    assert Form.of(answer)


async def test_l2_the_platforms_credential_is_the_persons_own_and_carries_the_window(
    world: Service, uma: Client, emil: Client
):
    async with meetings_on_daily() as daily:
        negotiation = await agreed(world, uma, emil)
        at_the_start(world, negotiation)
        for client, is_host in ((uma, False), (emil, True)):
            assert (await opened(world, await link_of(client, negotiation.meeting["id"]))).status_code == 303
            start = int(world.clock.time.timestamp())
            token = daily.tokens[-1]
            assert token["user_id"] == str(row_id("Person", client.id))
            assert token["is_owner"] is is_host
            assert (token["nbf"], token["exp"]) == (start - 15 * 60, start + 120 * 60)


# What is said of it to others


async def test_l1_a_link_is_never_logged(
    world: Service, open_path: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
):
    token = open_path.removeprefix("/join/")
    with caplog.at_level(logging.INFO, "uvicorn"):
        await opened(world, open_path)
        await world.http.get(open_path)
        await pressed(world, open_path, Form.of(await world.http.get(open_path)), Origin="https://evil.example.com")
    assert token not in caplog.text
    told = capfd.readouterr()
    assert token not in told.out + told.err
