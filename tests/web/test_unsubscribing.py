"""/unsubscribe/<token>: in one click, by people and by mail programs (RFC 8058), and not by those who only look."""

from typing import Any

import httpx2
import pytest

from models import Notification, Person
from resolvers.world import world as surroundings
from schema.ids import row_id
from tests.driving import Client, Service

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


async def path_for(client: Client) -> str:
    """Where the newest e-mail to this person leads."""
    told = await Notification.filter(person_id=row_id("Person", client.id)).order_by("-id").first()
    assert told is not None
    return surroundings().links.unsubscribing(told.id).removeprefix("http://localhost:8000")


async def muted(client: Client) -> list[str]:
    return list((await Person.get(id=row_id("Person", client.id))).muted_kinds)


@pytest.fixture
async def path(world: Service, uma: Client, emil: Client) -> str:
    """Of Emil's invitation."""
    await uma.proposed(emil)
    return await path_for(emil)


async def test_looking_changes_nothing_and_shows_a_button(world: Service, emil: Client, path: str):
    async with world.nothing_changes():
        page = await world.http.get(path)
        again = await world.http.head(path)
    assert (page.status_code, again.status_code) == (200, 200)
    assert '<form method="post">' in page.text
    assert "“Requests from users”" in page.text
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize("sent_as", ["form", "multipart"])
async def test_one_click_mutes_that_kind_for_that_person(
    world: Service, uma: Client, emil: Client, path: str, sent_as: str
):
    given: dict[str, Any] = (
        {"data": ONE_CLICK} if sent_as == "form" else {"files": {"List-Unsubscribe": (None, "One-Click")}}
    )
    page = await world.http.post(path, **given, headers={"User-Agent": "a mail provider"})
    assert page.status_code == 200
    assert "You receive no more of these e-mails" in page.text
    assert await muted(emil) == ["USER_MEETING_INVITATION"]
    assert await muted(uma) == []
    assert "<form" not in (await world.http.get(path)).text
    async with world.nothing_changes():
        assert (await world.http.post(path, data=ONE_CLICK)).status_code == 200


async def test_it_is_in_the_language_of_whose_it_is(world: Service, emil: Client, path: str):
    await emil.act("updateProfile", language="DE")
    page = await world.http.get(path, headers={"Accept-Language": "en"})
    assert "„Anfragen von Nutzern“" in page.text
    assert '<html lang="de">' in page.text


async def test_what_muted_before_stays_muted(world: Service, emil: Client, path: str):
    await emil.act("updateProfile", mutedKinds=["CHAT_MESSAGE"])
    await world.http.post(path, data=ONE_CLICK)
    assert await muted(emil) == ["CHAT_MESSAGE", "USER_MEETING_INVITATION"]


@pytest.mark.parametrize("body", [b"", b"List-Unsubscribe=", b"something=else", b"List-Unsubscribe=One-Click" * 1_000])
async def test_a_post_that_does_not_say_so_is_asked_again(world: Service, path: str, body: bytes):
    async with world.nothing_changes():
        page = await world.http.post(path, content=body)
    assert page.status_code == 400
    assert '<form method="post">' in page.text


def altered(path: str) -> str:
    last = path.removesuffix("=")[-1]
    return path[:-1] + ("A" if last != "A" else "B")


async def test_what_is_no_token_of_ours_does_nothing(world: Service, uma: Client, emil: Client, path: str):
    links = surroundings().links
    told = links.read_unsubscribing(path.rsplit("/", 1)[1])
    assert told is not None
    others = [
        altered(path),
        f"{path}A",
        path[:-4],
        "/unsubscribe/x",
        "/unsubscribe/%00",
        f"/unsubscribe/{links.token(told)}",  # signed by us, for something else
        f"/unsubscribe/{links.token(row_id('Person', emil.id))}",
        links.unsubscribing(row_id("Person", emil.id)).removeprefix("http://localhost:8000"),  # no notification
    ]
    async with world.nothing_changes():
        for each in others:
            for answer in (await world.http.get(each), await world.http.post(each, data=ONE_CLICK)):
                assert answer.status_code == 404, each
                assert "There is no such link" in answer.text


async def test_a_link_to_unsubscribe_opens_no_meeting(world: Service, path: str):
    assert (await world.http.get(f"/join/{path.rsplit('/', 1)[1]}")).status_code == 404


async def test_what_is_always_sent_cannot_be_muted_so_either(world: Service, uma: Client, emil: Client):
    meeting = await uma.proposed(emil)
    await uma.act("cancelMeeting", meetingId=meeting["id"])
    path = await path_for(emil)
    async with world.nothing_changes():
        assert (await world.http.post(path, data=ONE_CLICK)).status_code == 404
    assert await muted(emil) == []


async def test_other_methods_are_refused(world: Service, path: str):
    answers: list[httpx2.Response] = [await world.http.request(each, path) for each in ("PUT", "DELETE", "PATCH")]
    assert {each.status_code for each in answers} == {405}
