"""/calendar/<token>.ics: a person's meetings for whoever has the address, and for nobody else (N)."""

import base64
import logging
from urllib.parse import urlsplit
from uuid import uuid4

import httpx2
import pytest

from models import Person
from resolvers.world import world as surroundings
from schema.ids import row_id
from tests.calendars import entries
from tests.driving import Client, Service
from tests.joining import link_of
from tests.negotiations import Negotiation
from tests.statements import statements


async def path_of(client: Client) -> str:
    """Of this person's calendar."""
    url = urlsplit((await client.ask("{ me { calendarUrl } }"))["me"]["calendarUrl"])
    assert (url.scheme, url.netloc) == ("http", "localhost:8000")
    return url.path


@pytest.fixture
async def negotiation(world: Service, uma: Client, emil: Client) -> Negotiation:
    """An agreed meeting."""
    return await Negotiation(world, uma, emil).agree("USER")


@pytest.fixture
async def path(negotiation: Negotiation) -> str:
    """Of the user's calendar."""
    return await path_of(negotiation.user)


def check_unknown(answer: httpx2.Response) -> None:
    assert (answer.status_code, answer.text) == (404, "There is no such calendar.")
    assert answer.headers["cache-control"] == "no-store"
    assert "etag" not in answer.headers


async def test_n_whoever_has_the_address_is_given_the_calendar(world: Service, negotiation: Negotiation, path: str):
    async with world.nothing_changes():
        answer = await world.http.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    assert answer.headers["content-disposition"] == 'inline; filename="meetings.ics"'
    assert answer.headers["cache-control"] == "private, no-cache"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    (entry,) = entries(answer.text)
    assert entry.starts_at.isoformat() == negotiation.meeting["startsAt"].replace("Z", "+00:00")
    assert urlsplit(entry.location).path == await link_of(negotiation.user, negotiation.meeting["id"])


async def test_n_a_head_is_told_the_same_without_the_calendar(world: Service, path: str):
    whole, head = await world.http.get(path), await world.http.head(path)
    assert (head.status_code, head.content) == (200, b"")
    for name in ("etag", "content-type", "content-length", "cache-control"):
        assert head.headers[name] == whole.headers[name]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
async def test_n_nothing_else_can_be_done_with_it(world: Service, path: str, method: str):
    async with world.nothing_changes():
        assert (await world.http.request(method, path)).status_code == 405


# What a client already has


@pytest.mark.parametrize("known", ["{tag}", "W/{tag}", '"other", {tag}', '"other",W/{tag} , "x"', "*"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_n_what_a_client_already_has_it_is_not_given_again(world: Service, path: str, known: str, method: str):
    tag = (await world.http.get(path)).headers["etag"]
    answer = await world.http.request(method, path, headers={"If-None-Match": known.replace("{tag}", tag)})
    assert (answer.status_code, answer.content) == (304, b"")
    assert answer.headers["etag"] == tag
    assert answer.headers["cache-control"] == "private, no-cache"
    assert "content-type" not in answer.headers


@pytest.mark.parametrize("known", ['"other"', "", "x" * 1_000, '"{bare}x"', "{bare}"])
async def test_n_whatever_else_a_client_has_it_is_given_the_calendar(world: Service, path: str, known: str):
    bare = (await world.http.get(path)).headers["etag"].strip('"')
    answer = await world.http.get(path, headers={"If-None-Match": known.replace("{bare}", bare)})
    assert answer.status_code == 200


async def test_n_the_tag_stays_while_nothing_changes_and_is_another_after_each_change(
    world: Service, negotiation: Negotiation, path: str
):
    async def tag() -> str:
        return (await world.http.get(path)).headers["etag"]

    seen = [await tag()]
    world.clock.advance(hours=5)
    assert await tag() == seen[0]
    assert seen[0][0] == seen[0][-1] == '"'

    await negotiation.choose("EXPERT")
    seen.append(await tag())
    await negotiation.do("USER", "approveAlternativeDate")
    seen.append(await tag())
    await negotiation.user.act("updateProfile", language="DE")
    seen.append(await tag())
    await negotiation.user.act("updateProfile", timeZone="Europe/Berlin")
    seen.append(await tag())
    await negotiation.do("EXPERT", "cancelMeeting")
    seen.append(await tag())
    assert len(set(seen)) == 6


# Who has no address


async def test_n_a_renewed_address_is_unknown_even_to_who_had_it(world: Service, negotiation: Negotiation, path: str):
    tag = (await world.http.get(path)).headers["etag"]
    await negotiation.user.act("renewCalendarUrl")
    check_unknown(await world.http.get(path))
    check_unknown(await world.http.get(path, headers={"If-None-Match": tag}))
    assert (await world.http.get(await path_of(negotiation.user))).headers["etag"] == tag


async def test_n_no_bit_of_a_token_can_be_altered(world: Service, path: str):
    sealed = base64.urlsafe_b64decode(path.removeprefix("/calendar/").removesuffix(".ics"))
    for bit in range(0, 8 * len(sealed), 7):
        altered = sealed[: bit // 8] + bytes([sealed[bit // 8] ^ 1 << bit % 8]) + sealed[bit // 8 + 1 :]
        check_unknown(await world.http.get(f"/calendar/{base64.urlsafe_b64encode(altered).decode()}.ics"))


@pytest.mark.parametrize("token", ["x", "A" * 72, "%00", "%F0%9F%92%A5", "a.ics", "x" * 5_000, "=" * 72])
async def test_n_what_is_no_token_names_no_calendar(world: Service, token: str):
    with statements() as sent:
        check_unknown(await world.http.get(f"/calendar/{token}.ics"))
    assert sent == [], "the database is not asked about what we never made"


async def test_n_nothing_made_for_another_use_is_the_address_of_a_calendar(world: Service, negotiation: Negotiation):
    person = await Person.get(id=row_id("Person", negotiation.user.id))
    links = surroundings().links
    join = await link_of(negotiation.user, negotiation.meeting["id"])
    calendar = (await path_of(negotiation.user)).removeprefix("/calendar/").removesuffix(".ics")
    unsubscribing = urlsplit(links.unsubscribing(person.id)).path.rpartition("/")[2]
    opening = links.opening(person.id, uuid4(), world.clock.time)
    for token in (join.rpartition("/")[2], unsubscribing, opening, links.token(person.id)):
        check_unknown(await world.http.get(f"/calendar/{token}.ics"))
    assert (await world.http.get(f"/join/{calendar}")).status_code == 404
    assert links.read_unsubscribing(calendar) is None


async def test_n_an_address_is_never_logged(
    world: Service, path: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
):
    with caplog.at_level(logging.INFO, "uvicorn"):
        await world.http.get(path)
        await world.http.get(path + "?x=" + path)
    assert "/calendar/..." in caplog.text
    told = capfd.readouterr()
    token = path.removeprefix("/calendar/").removesuffix(".ics")
    assert token not in caplog.text + told.out + told.err
