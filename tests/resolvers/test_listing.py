"""The list of one's meetings (Q1), over the public API."""

import asyncio
import random
from collections import Counter
from datetime import datetime, timedelta
from itertools import combinations, product
from typing import Any

import pytest

from models.ids import NOTHING
from schema.ids import global_id
from tests.driving import Client, Service, all_edges

MEETINGS = """
query(
  $phase: MeetingPhase, $side: Side, $status: [MeetingStatus!], $withPersonId: ID,
  $startsFrom: DateTime, $startsBefore: DateTime, $first: Int, $after: String
) {
  meetings(
    phase: $phase, side: $side, status: $status, withPersonId: $withPersonId,
    startsFrom: $startsFrom, startsBefore: $startsBefore, first: $first, after: $after
  ) {
    edges { cursor node { id startsAt } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}
"""


async def page_of_meetings(viewer: Client, first: int | None = 100, **asked: Any) -> dict[str, Any]:
    return (await viewer.ask(MEETINGS, first=first, **asked))["meetings"]


async def ids(viewer: Client, **asked: Any) -> list[str]:
    return [edge["node"]["id"] for edge in (await page_of_meetings(viewer, **asked))["edges"]]


async def codes(viewer: Client, **asked: Any) -> list[str]:
    return [error["extensions"]["code"] for error in await viewer.errors(MEETINGS, **asked)]


@pytest.fixture
async def frieda(world: Service) -> Client:
    """An expert who takes nothing, so that there may be many meetings with her."""
    return await world.expert("Frieda Free", price="0.00")


async def test_q1_nobody_has_meetings_at_first(world: Service, uma: Client):
    assert await page_of_meetings(uma) == {
        "edges": [],
        "pageInfo": {"hasNextPage": False, "hasPreviousPage": False, "startCursor": None, "endCursor": None},
    }


async def test_q1_the_list_has_ones_own_meetings_in_either_role_soonest_first(
    world: Service, uma: Client, emil: Client, stella: Client
):
    eva = await world.expert("Eva Expert", price="1.00")
    await stella.act("grantCredits", personId=emil.id, amount="10.00")
    late = await uma.proposed(emil, startsAt=world.at(days=9))
    soon = await emil.proposed(eva, startsAt=world.at(hours=1))
    middle = await uma.proposed(emil, startsAt=world.at(days=3))
    foreign = await uma.proposed(eva, startsAt=world.at(days=2))
    assert await ids(emil) == [soon["id"], middle["id"], late["id"]]
    assert await ids(uma) == [foreign["id"], middle["id"], late["id"]]
    assert await ids(eva) == [soon["id"], foreign["id"]]
    assert await ids(stella) == [], "staff may read every meeting, but this is a list of one's own"


async def test_q1_it_keeps_running_and_rejected_meetings_and_leaves_out_those_that_are_over_or_cancelled(
    world: Service, uma: Client, frieda: Client
):
    running = await uma.proposed(frieda, startsAt=world.at(minutes=10))
    rejected = await uma.proposed(frieda, startsAt=world.at(days=1))
    cancelled = await uma.proposed(frieda, startsAt=world.at(days=2))
    await frieda.act("approveMeeting", meetingId=running["id"])
    await frieda.act("rejectMeeting", meetingId=rejected["id"], reasonCode="OTHER")
    await uma.act("cancelMeeting", meetingId=cancelled["id"])
    for viewer in (uma, frieda):
        assert await ids(viewer) == [running["id"], rejected["id"]]
    world.clock.advance(minutes=69, seconds=59)
    assert await ids(uma) == [running["id"], rejected["id"]]
    world.clock.advance(seconds=1)  # half open: at its end it is over
    assert await ids(uma) == [rejected["id"]]
    world.clock.advance(days=1)
    assert await ids(uma) == []


@pytest.mark.parametrize("first", [1, 2, 3, 100])
async def test_q1_meetings_are_paged_without_loss_or_double_also_those_that_start_together(
    world: Service, uma: Client, frieda: Client, first: int
):
    for days in (3, 1, 2, 2, 2, 1):
        await uma.proposed(frieda, startsAt=world.at(days=days))
    everything = (await page_of_meetings(uma))["edges"]
    starts = [edge["node"]["startsAt"] for edge in everything]
    assert len(everything) == 6
    assert starts == sorted(starts)
    found = await all_edges(lambda after: page_of_meetings(uma, first=first, after=after), first=first)
    assert found == everything


async def test_q1_pages_are_stable_while_rows_change(world: Service, uma: Client, frieda: Client):
    meetings = [await uma.proposed(frieda, startsAt=world.at(days=days)) for days in (1, 2, 3, 4)]
    known = [each["id"] for each in meetings]
    page = await page_of_meetings(uma, first=2)
    await uma.act("cancelMeeting", meetingId=known[0])
    await uma.act("cancelMeeting", meetingId=known[1])  # the one the cursor is of
    await uma.proposed(frieda, startsAt=world.at(hours=5))
    later = await uma.proposed(frieda, startsAt=world.at(days=3, hours=5))
    assert await ids(uma, after=page["pageInfo"]["endCursor"]) == [known[2], later["id"], known[3]]


async def test_q1_a_page_has_20_meetings_unless_another_number_is_asked_for(
    world: Service, uma: Client, frieda: Client
):
    for hours in range(21):
        await uma.proposed(frieda, startsAt=world.at(days=1, hours=hours))
    page = (await uma.ask("{ meetings { edges { cursor } pageInfo { hasNextPage } } }"))["meetings"]
    assert len(page["edges"]) == 20
    assert page["pageInfo"]["hasNextPage"]
    assert len(await ids(uma, first=None)) == 20
    assert len(await ids(uma, first=21)) == 21


# What to list


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def is_in(meeting: dict[str, Any], phase: str | None, now: datetime) -> bool:
    over, status = moment(meeting["endsAt"]) <= now, meeting["status"]
    match phase:
        case "UPCOMING":
            return not over and status != "CANCELLED"
        case "HELD":
            return over and status == "AGREED"
        case "PAST":
            return over or status == "CANCELLED"
    return True


def other_than(viewer: Client, meeting: dict[str, Any]) -> str:
    (other,) = {meeting["user"]["id"], meeting["expert"]["id"]} - {viewer.id}
    return str(other)


def expected(meetings: list[dict[str, Any]], viewer: Client, asked: dict[str, Any], now: datetime) -> list[str]:
    """What the list has to show, by the words of Q1."""
    phase = asked.get("phase") or (None if asked.get("status") else "UPCOMING")
    sides = {viewer.id: {"USER": "user", "EXPERT": "expert"}}
    found = [
        each
        for each in meetings
        if viewer.id in (each["user"]["id"], each["expert"]["id"])
        and is_in(each, phase, now)
        and (not asked.get("status") or each["status"] in asked["status"])
        and (not asked.get("side") or each[sides[viewer.id][asked["side"]]]["id"] == viewer.id)
        and asked.get("withPersonId", other_than(viewer, each)) == other_than(viewer, each)
        and (not asked.get("startsFrom") or moment(each["startsAt"]) >= moment(asked["startsFrom"]))
        and (not asked.get("startsBefore") or moment(each["startsAt"]) < moment(asked["startsBefore"]))
    ]
    found.sort(key=lambda each: moment(each["startsAt"]), reverse=phase != "UPCOMING")
    return [each["id"] for each in found]


async def meetings_of_every_kind(world: Service, mia: Client, frieda: Client, fritz: Client) -> list[dict[str, Any]]:
    """Mia's meetings with two others, on both sides, in each status, over, running and to come."""
    fates: dict[str, tuple[bool, str, dict[str, Any]] | None] = {
        "AWAITING_APPROVAL": None,
        "AGREED": (False, "approveMeeting", {"acknowledgeConflicts": True}),
        "REJECTED": (False, "rejectMeeting", {"reasonCode": "OTHER"}),
        "CANCELLED": (True, "cancelMeeting", {}),
    }
    made = []
    starts = [timedelta(hours=1), timedelta(hours=4, minutes=30), timedelta(days=2)]
    pairs = [(mia, frieda), (mia, fritz), (frieda, mia)]
    for number, (start, (user, expert), fate) in enumerate(product(starts, pairs, fates.values())):
        startsAt = (world.clock.time + start + timedelta(minutes=number)).isoformat()  # noqa: N806
        meeting = await user.proposed(expert, startsAt=startsAt)
        if fate:
            by_user, action, given = fate
            changed = await (user if by_user else expert).act(action, meetingId=meeting["id"], **given)
            meeting = changed["meeting"]
        made.append(meeting)
    world.clock.advance(hours=5)
    return made


async def test_q1_every_filter_and_every_two_of_them_show_what_they_say_in_their_order(world: Service):
    mia, frieda, fritz = [await world.expert(name, price="0.00") for name in ("Mia", "Frieda", "Fritz")]
    meetings = await meetings_of_every_kind(world, mia, frieda, fritz)
    assert Counter(each["status"] for each in meetings) == dict.fromkeys(STATUSES, 9)
    now = world.clock.time
    filters: list[dict[str, Any]] = [
        *({"phase": phase} for phase in ("UPCOMING", "HELD", "PAST")),
        *({"side": side} for side in ("USER", "EXPERT")),
        *({"status": [status]} for status in STATUSES),
        {"status": ["AGREED", "REJECTED", "AGREED"]},
        *({"withPersonId": each.id} for each in (frieda, fritz)),
        *({bound: (now + timedelta(hours=hours)).isoformat()} for bound in BOUNDS for hours in (-4, 0, 40)),
    ]
    pairs = [{**one, **other} for one, other in combinations(filters, 2) if not one.keys() & other.keys()]
    shown = set()
    for asked in ({}, *filters, *pairs):
        for viewer in (mia, frieda):
            found = await ids(viewer, **asked)
            assert found == expected(meetings, viewer, asked, now), asked
            shown.update(found)
    assert shown == {each["id"] for each in meetings}, "each of them was shown by some filter"


BOUNDS = ("startsFrom", "startsBefore")
STATUSES = ("AWAITING_APPROVAL", "AGREED", "REJECTED", "CANCELLED")


async def test_q1_a_range_has_its_beginning_and_lacks_its_end(world: Service, uma: Client, frieda: Client):
    meeting = await uma.proposed(frieda)
    at = meeting["startsAt"]
    a_moment_later = (moment(at) + timedelta(microseconds=1)).isoformat()
    assert await ids(uma, startsFrom=at, startsBefore=a_moment_later) == [meeting["id"]]
    assert await ids(uma, startsFrom=at, startsBefore=at) == []
    assert await ids(uma, startsFrom=a_moment_later) == []
    in_prague = moment(at).astimezone(datetime.fromisoformat("2027-03-02T13:00:00+05:45").tzinfo).isoformat()
    assert await ids(uma, startsFrom=in_prague) == [meeting["id"]], "the same instant, whatever its offset"


@pytest.mark.parametrize("bound", BOUNDS)
@pytest.mark.parametrize("end", ["0001-01-01T00:00:00+00:00", "9999-12-31T23:59:59+00:00"])
async def test_q1_a_range_may_reach_to_the_ends_of_time(
    world: Service, uma: Client, frieda: Client, bound: str, end: str
):
    meeting = await uma.proposed(frieda)
    everything = (bound == "startsFrom") == end.startswith("0001")
    assert await ids(uma, **{bound: end}) == ([meeting["id"]] if everything else [])


async def test_q1_nobody_has_meetings_with_strangers_with_nobody_or_with_themselves(
    world: Service, uma: Client, frieda: Client, emil: Client
):
    await uma.proposed(frieda)
    for other in (emil.id, uma.id, frieda.service, global_id("Person", NOTHING), "nonsense", ""):
        assert await ids(uma, withPersonId=other) == []


async def test_q1_no_status_at_all_is_none_asked_for(world: Service, uma: Client, frieda: Client):
    kept, cancelled = [await uma.proposed(frieda, startsAt=world.at(days=days)) for days in (2, 1)]
    await uma.act("cancelMeeting", meetingId=cancelled["id"])
    nothings: list[dict[str, Any]] = [{"status": []}, {"status": None}]
    for nothing in nothings:
        assert await ids(uma, **nothing) == [kept["id"]]


async def test_q1_a_cursor_is_of_the_list_with_its_filters(world: Service, uma: Client, frieda: Client):
    for days in (1, 2):
        await uma.proposed(frieda, startsAt=world.at(days=days))
    asked = {"side": "USER", "status": ["AGREED", "AWAITING_APPROVAL"]}
    cursor = (await page_of_meetings(uma, first=1, **asked))["pageInfo"]["endCursor"]
    same = {"side": "USER", "status": ["AWAITING_APPROVAL", "AGREED", "AGREED"]}
    assert len(await ids(uma, **same, after=cursor)) == 1
    for other in ({}, {"side": "USER"}, {**asked, "phase": "UPCOMING"}, {**asked, "startsFrom": world.at()}):
        assert await codes(uma, **other, after=cursor) == ["BAD_USER_INPUT"], other
    upcoming = (await page_of_meetings(uma, first=1))["pageInfo"]["endCursor"]
    assert len(await ids(uma, phase="UPCOMING", after=upcoming)) == 1, "it is what nothing asked for means"


@pytest.mark.parametrize("phase", ["UPCOMING", "PAST"])
async def test_q1_pages_walked_while_rows_come_go_and_change_miss_and_double_nothing(
    world: Service, uma: Client, frieda: Client, phase: str
):
    stable = {(await uma.proposed(frieda, startsAt=world.at(days=1 + number % 7)))["id"] for number in range(24)}
    if phase == "PAST":
        for each in stable:
            await uma.act("cancelMeeting", meetingId=each)
    walked = asyncio.Event()

    async def churn(chance: random.Random) -> None:
        while not walked.is_set():
            meeting = await uma.proposed(frieda, startsAt=world.at(days=chance.uniform(0.1, 9)))
            if chance.random() < 0.3:
                await frieda.act("approveMeeting", meetingId=meeting["id"])
            else:
                await uma.act("cancelMeeting", meetingId=meeting["id"])

    churning = [asyncio.create_task(churn(random.Random(seed))) for seed in range(3)]
    try:
        for first in (2, 3, 7):
            found = await all_edges(
                lambda after, first=first: page_of_meetings(uma, first=first, after=after, phase=phase),  # type: ignore[misc]
                first=first,
            )
            seen = [edge["node"]["id"] for edge in found]
            assert len(set(seen)) == len(seen)
            assert stable <= set(seen)
    finally:
        walked.set()
        await asyncio.gather(*churning)
