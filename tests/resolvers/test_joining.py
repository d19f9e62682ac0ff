"""Each side's own link, from the agreement until it is replaced or called off, and who came (L1, L2)."""

from typing import Any
from urllib.parse import urlsplit

import pytest

from resolvers.world import world as surroundings
from tests.driving import Client, Service
from tests.joining import agreed, at_the_start, link_of, opened, recorded, seen
from tests.negotiations import OTHER, PROPOSER, UPDATES, Negotiation, pushed

SIDE = pytest.mark.parametrize("side", OTHER)


async def conference(client: Client, negotiation: Negotiation) -> dict[str, Any] | None:
    return (await seen(client, negotiation.meeting["id"]))["conference"]


async def link(client: Client, negotiation: Negotiation) -> str:
    return await link_of(client, negotiation.meeting["id"])


@PROPOSER
async def test_l1_each_side_has_a_link_of_its_own_from_the_agreement_on(
    world: Service, uma: Client, emil: Client, proposer: str
):
    negotiation = await Negotiation(world, uma, emil).propose(proposer)
    assert await conference(uma, negotiation) is await conference(emil, negotiation) is None
    await negotiation.do(OTHER[proposer], "approveMeeting")
    users, experts = await conference(uma, negotiation), await conference(emil, negotiation)
    assert users
    assert experts
    urls = users.pop("joinUrl"), experts.pop("joinUrl")
    assert urls[0] != urls[1]
    assert all(url.startswith("http://localhost:8000/join/") for url in urls)
    assert users == experts
    assert users == {
        "state": "PENDING",
        "validFrom": world.at(days=10, minutes=-15),
        "validUntil": world.at(days=10, minutes=120),
        "userJoinedAt": None,
        "expertJoinedAt": None,
    }


async def test_l1_staff_are_shown_the_conference_and_no_link(world: Service, uma: Client, emil: Client, stella: Client):
    negotiation = await agreed(world, uma, emil)
    found = await conference(stella, negotiation)
    assert found
    assert found["state"] == "READY"
    assert found["joinUrl"] is None


@pytest.mark.parametrize("rejected", ["rejectMeeting", "cancelMeeting"])
async def test_l1_a_meeting_that_was_never_agreed_has_no_conference(
    world: Service, uma: Client, emil: Client, rejected: str
):
    negotiation = await Negotiation(world, uma, emil).propose("USER")
    await negotiation.do("EXPERT" if rejected == "rejectMeeting" else "USER", rejected)
    assert await conference(uma, negotiation) is None
    if rejected == "rejectMeeting":
        await negotiation.choose("USER")
        assert await conference(uma, negotiation) is None
        await negotiation.do("EXPERT", "approveAlternativeDate")
        assert await conference(uma, negotiation) is not None


@pytest.mark.parametrize("end", ["rejectAlternativeDate", "cancelAlternativeDate", None])
async def test_r3_a_pending_alternative_touches_no_link_however_it_ends(
    world: Service, uma: Client, emil: Client, end: str | None
):
    negotiation = await agreed(world, uma, emil)
    before = await conference(uma, negotiation)
    await negotiation.choose("USER")
    if end:
        await negotiation.do("EXPERT" if end == "rejectAlternativeDate" else "USER", end)
    assert await conference(uma, negotiation) == before
    at_the_start(world, negotiation)
    assert (await opened(world, await link(uma, negotiation))).status_code == 303


@SIDE
async def test_r4_a_new_date_has_new_links_and_the_old_ones_stop_working(
    world: Service, uma: Client, emil: Client, side: str
):
    negotiation = await agreed(world, uma, emil)
    client = negotiation.side(side)
    old = await link(client, negotiation)
    await negotiation.choose("USER", days=9)
    await negotiation.do("EXPERT", "approveAlternativeDate")
    found, new = await conference(client, negotiation), await link(client, negotiation)
    assert found
    assert (found["validFrom"], found["validUntil"]) == (
        world.at(days=9, minutes=-15),
        world.at(days=9, minutes=120),
    )
    assert found["state"] == "PENDING"
    await world.beat()
    at_the_start(world, negotiation)
    async with world.nothing_changes():
        assert (await opened(world, old)).status_code == 410
    assert (await opened(world, new)).status_code == 303


@pytest.mark.parametrize("canceller", OTHER)
async def test_k6_with_the_meeting_its_links_die(world: Service, uma: Client, emil: Client, canceller: str):
    negotiation = await agreed(world, uma, emil)
    links = [await link(each, negotiation) for each in (uma, emil)]
    await negotiation.do(canceller, "cancelMeeting")
    for client in (uma, emil):
        found = await conference(client, negotiation)
        assert found
        assert (found["state"], found["joinUrl"]) == ("CANCELLED", None)
    world.clock.advance(days=10)
    async with world.nothing_changes():
        assert [(await opened(world, each)).status_code for each in links] == [410, 410]


@SIDE
async def test_l2_the_first_opening_by_a_side_is_on_the_timeline_and_each_one_is_kept(
    world: Service, uma: Client, emil: Client, side: str
):
    negotiation = await agreed(world, uma, emil)
    client, meeting_id = negotiation.side(side), negotiation.meeting["id"]
    path = await link(client, negotiation)
    at_the_start(world, negotiation)
    times = []
    for minutes in (0, 1, 30):
        world.clock.advance(minutes=minutes)
        times.append(world.at())
        assert (await opened(world, path)).status_code == 303
    meeting = await seen(emil, meeting_id)
    assert recorded(meeting) == [f"{side}_ATTENDANCE_RECORDED"]
    event = meeting["timeline"]["edges"][-1]["node"]
    assert (event["actor"], event["person"], event["occurredAt"]) == (side, {"id": client.id}, times[0])
    start = negotiation.meeting["startsAt"]
    assert meeting["attendance"] == [{"side": side, "openedAt": at, "meetingStartsAt": start} for at in times]
    joined = {"USER": "userJoinedAt", "EXPERT": "expertJoinedAt"}
    assert meeting["conference"][joined[side]] == times[0]
    assert meeting["conference"][joined[OTHER[side]]] is None


async def test_w1_both_sides_are_told_at_once_who_has_come(world: Service, uma: Client, emil: Client):
    negotiation = await agreed(world, uma, emil)
    path = await link(uma, negotiation)
    at_the_start(world, negotiation)
    async with uma.listening(UPDATES) as users, emil.listening(UPDATES) as experts:
        await opened(world, path)
        await opened(world, path)
        for socket in (users, experts):
            (update,) = await pushed(socket, 1)
            assert update["event"]["kind"] == "USER_ATTENDANCE_RECORDED"
            assert await socket.silent()


async def test_l2_openings_of_a_replaced_date_are_kept_and_count_for_nothing(world: Service, uma: Client, emil: Client):
    negotiation = await agreed(world, uma, emil)
    first_start = negotiation.meeting["startsAt"]
    old = await link(uma, negotiation)
    world.clock.advance(days=9, hours=23, minutes=50)
    came = world.at()
    assert (await opened(world, old)).status_code == 303
    await negotiation.choose("EXPERT", hours=1)
    await negotiation.do("USER", "approveAlternativeDate")
    await world.beat()
    meeting = await seen(uma, negotiation.meeting["id"])
    assert meeting["conference"]["userJoinedAt"] is None
    assert [each["meetingStartsAt"] for each in meeting["attendance"]] == [first_start]
    at_the_start(world, negotiation)
    assert (await opened(world, await link(uma, negotiation))).status_code == 303
    meeting = await seen(uma, negotiation.meeting["id"])
    assert recorded(meeting) == ["USER_ATTENDANCE_RECORDED"] * 2
    assert meeting["conference"]["userJoinedAt"] == world.at()
    assert [(each["openedAt"], each["meetingStartsAt"]) for each in meeting["attendance"]] == [
        (came, first_start),
        (world.at(), meeting["startsAt"]),
    ]


async def test_l2_who_came_is_still_told_after_the_meeting_was_cancelled(world: Service, uma: Client, emil: Client):
    negotiation = await agreed(world, uma, emil)
    path = await link(uma, negotiation)
    world.clock.advance(days=9, hours=23, minutes=50)
    came = world.at()
    await opened(world, path)
    await negotiation.do("EXPERT", "cancelMeeting", acknowledgeLateCancellation=True)
    assert (await conference(emil, negotiation))["userJoinedAt"] == came  # type: ignore[index]


async def test_l2_a_link_works_on_after_the_meeting_was_settled(world: Service, uma: Client, emil: Client):
    negotiation = await agreed(world, uma, emil)
    path = await link(uma, negotiation)
    at_the_start(world, negotiation)
    world.clock.advance(minutes=60)
    done = await emil.act("recordProgress", meetingId=negotiation.meeting["id"], progress="FAILED_BECAUSE_OF_ME")
    assert done["__typename"] == "MeetingChanged", done
    assert (await opened(world, path)).status_code == 303
    meeting = await seen(uma, negotiation.meeting["id"])
    assert recorded(meeting) == ["USER_ATTENDANCE_RECORDED"]


async def test_l1_a_secret_makes_the_links_and_is_in_none_of_them(world: Service, uma: Client, emil: Client):
    negotiation = await agreed(world, uma, emil)
    found = await conference(uma, negotiation)
    assert found
    token = urlsplit(found["joinUrl"]).path.removeprefix("/join/")
    assert surroundings().links.read(token) is not None
    assert surroundings().links.secret not in found["joinUrl"]
