"""Races for a link and for the platform: one event, every opening kept, one room (L2, L4)."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from tortoise.expressions import F

from models import Attendance, Conference, JoinLink
from resolvers.conferencing import bring_next_conference
from schema.ids import row_id
from tests.conference.daily_server import DailyServer
from tests.driving import Client, Service
from tests.joining import Form, agreed, link_of, opened, pressed, recorded, seen
from tests.negotiations import Negotiation
from tests.platforms import meetings_on_daily
from tests.races import ROUNDS, all_at_once


async def status(answer: Any) -> dict[str, Any]:
    found: httpx2.Response = await answer
    return {"status": found.status_code}


async def almost_there(world: Service, uma: Client, emil: Client) -> tuple[Negotiation, str]:
    """A free meeting that begins in ten minutes, and the path of the user's link."""
    negotiation = await agreed(world, uma, emil, startsAt=world.at(minutes=10))
    return negotiation, await link_of(uma, negotiation.meeting["id"])


async def openings(negotiation: Negotiation) -> int:
    links = await JoinLink.filter(meeting_id=row_id("Meeting", negotiation.meeting["id"]))
    return await Attendance.filter(link_id__in=[link.id for link in links]).count()


@pytest.fixture
async def rita(world: Service) -> Client:
    return await world.somebody("Rita Rich", credits="100000.00")


async def test_l2_however_often_a_link_is_opened_at_once_it_is_one_event_and_all_openings_are_kept(
    world: Service, rita: Client, emil: Client
):
    for _ in range(ROUNDS):
        negotiation, path = await almost_there(world, rita, emil)
        experts = await link_of(emil, negotiation.meeting["id"])
        results = await all_at_once(*(status(opened(world, each)) for each in (path, path, experts, experts)))
        assert [each["status"] for each in results] == [303] * 4
        assert sorted(recorded(await seen(rita, negotiation.meeting["id"]))) == [
            "EXPERT_ATTENDANCE_RECORDED",
            "USER_ATTENDANCE_RECORDED",
        ]
        assert await openings(negotiation) == 4
        world.clock.advance(minutes=200)


async def test_l2_a_pages_value_is_good_once_also_at_once(world: Service, rita: Client, emil: Client):
    for _ in range(ROUNDS):
        negotiation, path = await almost_there(world, rita, emil)
        form = Form.of(await world.http.get(path))
        results = await all_at_once(*(status(pressed(world, path, form)) for _ in range(3)))
        assert [each["status"] for each in results] == [303, 303, 303]
        assert await openings(negotiation) == 1
        world.clock.advance(minutes=200)


@pytest.mark.parametrize("how", ["moved", "cancelled"])
async def test_l2_a_link_that_is_opened_as_it_dies_is_recorded_before_or_not_at_all(
    world: Service, rita: Client, emil: Client, how: str
):
    seen_statuses = set()
    for _ in range(ROUNDS):
        negotiation, path = await almost_there(world, rita, emil)
        given = {"meetingId": negotiation.meeting["id"]}
        if how == "moved":
            await negotiation.choose("USER", days=1)
            ending = emil.act("approveAlternativeDate", **given, acknowledgeConflicts=True)
        else:
            ending = emil.act("cancelMeeting", **given, reasonCode="OTHER", acknowledgeLateCancellation=True)
        opening, ended = await all_at_once(status(opened(world, path)), ending)
        assert ended["__typename"] == "MeetingChanged", ended
        kinds = [edge["node"]["kind"] for edge in (await seen(rita, given["meetingId"]))["timeline"]["edges"]]
        # Recorded, it leads on or, with the room gone by then, waits for it.
        assert opening["status"] in ({303, 200} if "USER_ATTENDANCE_RECORDED" in kinds else {410})
        assert await openings(negotiation) == (opening["status"] != 410)
        assert kinds[-1] != "USER_ATTENDANCE_RECORDED"
        seen_statuses.add(opening["status"])
        world.clock.advance(days=2)
        await world.beat()
    assert seen_statuses


@pytest.fixture
async def daily(world: Service) -> AsyncIterator[DailyServer]:
    await Conference.all().update(reached=F("wanted"))  # what other tests have left to do is not asked of this one
    async with meetings_on_daily() as server:
        yield server


async def test_l4_any_number_of_workers_ask_for_each_change_once(
    world: Service, rita: Client, emil: Client, daily: DailyServer
):
    async def worker() -> dict[str, Any]:
        done = 0
        while asked := await bring_next_conference():
            done += asked
        return {"done": done}

    for _ in range(ROUNDS):
        negotiations = [await Negotiation(world, rita, emil).agree("USER") for _ in range(3)]
        daily.calls.clear()
        workers = await all_at_once(*(worker() for _ in range(5)))
        assert sum(each["done"] for each in workers) == len(daily.calls) == 3
        for each in negotiations:
            await each.do("USER", "cancelMeeting")
        await all_at_once(*(worker() for _ in range(5)))
        assert len(daily.calls) == 6
        assert daily.rooms == {}


async def test_l4_whatever_is_changed_while_workers_are_at_it_the_platform_ends_where_it_should(
    world: Service, rita: Client, emil: Client, daily: DailyServer
):
    negotiation = await Negotiation(world, rita, emil).agree("USER")
    stop = asyncio.Event()

    async def worker() -> None:
        while not stop.is_set():
            await bring_next_conference()

    workers = [asyncio.create_task(worker()) for _ in range(3)]
    for day in range(ROUNDS):
        await negotiation.choose("USER", days=12 + day)
        await negotiation.do("EXPERT", "approveAlternativeDate")
    stop.set()
    await asyncio.gather(*workers)
    await world.beat()
    conference = await Conference.get(meeting_id=row_id("Meeting", negotiation.meeting["id"]))
    assert conference.reached == conference.wanted == ROUNDS + 1
    opens_at = (await seen(rita, negotiation.meeting["id"]))["conference"]["validFrom"]
    assert daily.properties(conference.room)["nbf"] == int(conference.starts_at.timestamp()) - 15 * 60
    assert opens_at == world.at(days=11 + ROUNDS, minutes=-15)
