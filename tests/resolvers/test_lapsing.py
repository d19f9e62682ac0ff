"""What nobody answered in time lapses by itself, as both sides live it (P6, R7)."""

import asyncio
from typing import Any
from uuid import UUID

import pytest
from tortoise.connection import get_connection

from models import Notification
from models.transactions import before_each_statement
from resolvers import changing
from resolvers.lapsing import lapse_meeting, lapsed_meetings
from schema.ids import row_id
from tests.driving import Client, Service, Socket
from tests.jobs.test_lapsing import WAITING_FOR_A_LOCK
from tests.web.sockets import Held, reached

UPDATES = """
subscription { myMeetingUpdates {
  event { sequence kind actor person { id } alternativeDate { id } } meeting { id status creditPaymentStatus }
} }
"""
BALANCES = "subscription { creditAccountUpdates { available blocked } }"


async def told(client: Client) -> str:
    """What a person was notified of last."""
    newest = await Notification.filter(person_id=row_id("Person", client.id)).order_by("-id").first()
    assert newest is not None
    return newest.kind


async def refusal(client: Client, action: str, meeting: dict[str, Any], **given: Any) -> str:
    result = await client.act(action, meetingId=meeting["id"], **given)
    assert result["__typename"] == "ActionRefused", result
    return result["refusal"]


async def is_due(meeting: dict[str, Any]) -> bool:
    found: set[UUID] = set()
    while more := await lapsed_meetings(found):  # other tests leave many behind
        assert found.isdisjoint(more)
        found.update(more)
    return row_id("Meeting", meeting["id"]) in found


async def lapse(meeting: dict[str, Any]) -> bool:
    return await lapse_meeting(row_id("Meeting", meeting["id"]))


async def pushed(socket: Socket) -> dict[str, Any]:
    return (await socket.next())["myMeetingUpdates"]


async def seen(client: Client, meeting: dict[str, Any]) -> dict[str, Any]:
    found = await client.meeting(meeting["id"])
    assert found is not None
    return found


async def agreed(user: Client, expert: Client, **changes: Any) -> dict[str, Any]:
    meeting = await user.proposed(expert, **changes)
    approved = await expert.act("approveMeeting", meetingId=meeting["id"])
    assert approved["__typename"] == "MeetingChanged", approved
    return approved["meeting"]


async def rejected(user: Client, expert: Client) -> dict[str, Any]:
    meeting = await user.proposed(expert)
    return (await expert.act("rejectMeeting", meetingId=meeting["id"], reasonCode="OTHER"))["meeting"]


async def chosen(chooser: Client, meeting: dict[str, Any], **ahead: float) -> dict[str, Any]:
    """The meeting, with this alternative date waiting."""
    starts_at = chooser.world.at(**ahead)
    result = await chooser.act("chooseAlternativeDate", meetingId=meeting["id"], startsAt=starts_at)
    assert result["__typename"] == "MeetingChanged", result
    return result["meeting"]


# Proposals (P6)


@pytest.mark.parametrize("proposer", ["USER", "EXPERT"])
async def test_p6_a_proposal_lapses_at_its_start_its_credits_return_and_both_sides_are_told_live(
    world: Service, uma: Client, emil: Client, proposer: str
):
    meeting = await (uma.proposed(emil) if proposer == "USER" else emil.offered(uma, startsAt=world.at(days=1)))
    status = "RETURNED" if proposer == "USER" else "NOT_BLOCKED"
    async with uma.listening(UPDATES) as hers, emil.listening(UPDATES) as his, uma.listening(BALANCES) as purse:
        await purse.next()
        world.clock.advance(days=1)
        await world.beat()
        for socket in (hers, his):
            assert await pushed(socket) == {
                "event": {
                    "sequence": 3,
                    "kind": "PROPOSAL_LAPSED",
                    "actor": "SYSTEM",
                    "person": None,
                    "alternativeDate": None,
                },
                "meeting": {"id": meeting["id"], "status": "CANCELLED", "creditPaymentStatus": status},
            }
            assert await socket.silent()
        if proposer == "USER":
            assert (await purse.next())["creditAccountUpdates"] == {"available": "100.00", "blocked": "0.00"}
        assert await purse.silent()
    assert await uma.balance() == ("100.00", "0.00")
    assert await told(uma) == await told(emil) == "PROPOSAL_LAPSED"
    lapsed = await seen(uma, meeting)
    unchanged = ("startsAt", "userAnswer", "expertAnswer", "reason", "price")
    assert {name: lapsed[name] for name in unchanged} == {name: meeting[name] for name in unchanged}


@pytest.mark.parametrize("proposer", ["USER", "EXPERT"])
async def test_p6_until_it_is_recorded_reads_show_the_old_status_and_nobody_can_do_anything(
    world: Service, uma: Client, emil: Client, proposer: str
):
    meeting = await (uma.proposed(emil) if proposer == "USER" else emil.offered(uma, startsAt=world.at(days=1)))
    mine, theirs = (uma, emil) if proposer == "USER" else (emil, uma)
    world.clock.advance(days=1)
    assert (await seen(uma, meeting))["status"] == "AWAITING_APPROVAL"
    async with world.nothing_changes():
        assert await refusal(theirs, "approveMeeting", meeting) == "MEETING_STARTED"
        assert await refusal(theirs, "rejectMeeting", meeting, reasonCode="OTHER") == "MEETING_STARTED"
        assert await refusal(mine, "cancelMeeting", meeting) == "MEETING_STARTED"
    await world.beat()
    assert (await seen(uma, meeting))["status"] == "CANCELLED"
    async with world.nothing_changes():
        assert await refusal(theirs, "approveMeeting", meeting) == "WRONG_STATUS"
        assert await refusal(mine, "cancelMeeting", meeting) == "WRONG_STATUS"


async def test_p6_not_a_microsecond_before_its_start(world: Service, uma: Client, emil: Client):
    meeting = await uma.proposed(emil)
    world.clock.advance(days=1, microseconds=-1)
    await world.beat()
    async with world.nothing_changes():
        assert not await is_due(meeting)
        assert not await lapse(meeting)
    world.clock.advance(microseconds=1)
    assert await is_due(meeting)
    assert await lapse(meeting)


async def test_p6_what_was_answered_or_taken_back_in_time_never_lapses(world: Service, uma: Client, emil: Client):
    stella = await world.somebody("Sara Second", credits="200.00")
    meetings = [await agreed(uma, emil), await rejected(stella, emil), await stella.proposed(emil)]
    await stella.act("cancelMeeting", meetingId=meetings[2]["id"])
    world.clock.advance(days=2)
    await world.beat()
    async with world.nothing_changes():
        for meeting in meetings:
            assert not await is_due(meeting)
            assert not await lapse(meeting)


async def test_j1_it_is_recorded_once_however_often_it_is_done(world: Service, uma: Client, emil: Client):
    meeting = await uma.proposed(emil)
    world.clock.advance(days=1)
    assert sum(await asyncio.gather(*(lapse(meeting) for _ in range(5)))) == 1
    async with world.nothing_changes():
        assert not await lapse(meeting)
        assert not await is_due(meeting)


async def test_j1_whoever_answers_a_meeting_is_not_waited_for_long_and_wins_if_they_came_first(
    world: Service, uma: Client, emil: Client
):
    """The approval has read the clock before the start; when the worker comes, it still holds the meeting."""
    meeting = await uma.proposed(emil)
    held = Held(at_statement=3)
    before_each_statement(held)
    try:
        approving = asyncio.create_task(emil.act("approveMeeting", meetingId=meeting["id"]))
        await reached(held)
        before_each_statement(None)
        world.clock.advance(days=1)
        assert await is_due(meeting)
        async with asyncio.timeout(4):  # well before PostgreSQL would give up waiting for the lock
            assert not await lapse(meeting)
    finally:
        before_each_statement(None)
        held.released.set()
    assert (await approving)["meeting"]["status"] == "AGREED"
    async with world.nothing_changes():
        assert not await lapse(meeting)
    assert await uma.balance() == ("60.00", "40.00")


async def test_j1_whoever_asks_for_what_is_refused_does_not_keep_a_meeting_from_lapsing(
    world: Service, uma: Client, emil: Client, monkeypatch: pytest.MonkeyPatch
):
    """Each of those calls holds the meeting for a while; the clock waits in the same queue as everybody else."""
    monkeypatch.setattr(changing, "LOCKS_WITHIN_MILLISECONDS", 4_000)
    meeting = await uma.proposed(emil)
    world.clock.advance(days=1)
    held = Held(at_statement=2)
    before_each_statement(held)
    try:
        asking = asyncio.create_task(refusal(uma, "cancelAlternativeDate", meeting))
        await reached(held)
        before_each_statement(None)
        lapsing = asyncio.create_task(lapse(meeting))
        async with asyncio.timeout(4):
            while not await get_connection("default").execute_query_dict(WAITING_FOR_A_LOCK):
                assert not lapsing.done(), "it does not wait"
    finally:
        before_each_statement(None)
        held.released.set()
    assert await asking == "NO_ALTERNATIVE_DATE"
    assert await lapsing


async def test_w3_a_stranger_waits_for_nobody_and_locks_nothing(world: Service, uma: Client, emil: Client):
    """What is not theirs to see is not theirs to lock: they are answered while somebody is at work on it."""
    meeting = await uma.proposed(emil)
    stranger = await world.somebody("Sam Stranger")
    held = Held(at_statement=3)
    before_each_statement(held)
    try:
        approving = asyncio.create_task(emil.act("approveMeeting", meetingId=meeting["id"]))
        await reached(held)
        before_each_statement(None)
        async with asyncio.timeout(4):
            assert (await stranger.act("cancelMeeting", meetingId=meeting["id"]))["__typename"] == "NotFound"
    finally:
        before_each_statement(None)
        held.released.set()
    assert (await approving)["meeting"]["status"] == "AGREED"


# Alternative dates (R7)


@pytest.mark.parametrize("chooser", ["USER", "EXPERT"])
@pytest.mark.parametrize(
    ("alternative", "lapses"),
    [({"days": 3}, {"days": 1}), ({"hours": 2}, {"hours": 2})],
    ids=["at the start in force", "at its own start"],
)
async def test_r7_of_an_agreed_meeting_the_alternative_lapses_at_whichever_start_comes_first(
    world: Service,
    uma: Client,
    emil: Client,
    chooser: str,
    alternative: dict[str, float],
    lapses: dict[str, float],
):
    """The meeting stays agreed at its date, and its credits stay blocked."""
    before = await agreed(uma, emil)
    meeting = await chosen(uma if chooser == "USER" else emil, before, **alternative)
    world.clock.advance(**lapses)
    world.clock.advance(microseconds=-1)
    assert not await is_due(meeting)
    assert not await lapse(meeting)
    world.clock.advance(microseconds=1)
    async with uma.listening(UPDATES) as hers, emil.listening(UPDATES) as his, uma.listening(BALANCES) as purse:
        await purse.next()
        assert await lapse(meeting)
        for socket in (hers, his):
            assert await pushed(socket) == {
                "event": {
                    "sequence": 6,
                    "kind": "ALTERNATIVE_DATE_LAPSED",
                    "actor": "SYSTEM",
                    "person": None,
                    "alternativeDate": {"id": meeting["alternativeDate"]["id"]},
                },
                "meeting": {"id": meeting["id"], "status": "AGREED", "creditPaymentStatus": "BLOCKED"},
            }
            assert await socket.silent()
        assert await purse.silent()
    assert await told(uma) == await told(emil) == "ALTERNATIVE_DATE_LAPSED"
    after = await seen(uma, meeting)
    assert (after["alternativeDate"], [each["status"] for each in after["alternativeDates"]]) == (None, ["LAPSED"])
    unchanged = ("status", "creditPaymentStatus", "startsAt", "endsAt", "userAnswer", "expertAnswer", "reason")
    assert {name: after[name] for name in unchanged} == {name: before[name] for name in unchanged}


@pytest.mark.parametrize("chooser", ["USER", "EXPERT"])
async def test_r7_of_a_rejected_meeting_all_is_as_before_the_choice_but_for_the_date(
    world: Service, uma: Client, emil: Client, chooser: str
):
    before = await rejected(uma, emil)
    meeting = await chosen(uma if chooser == "USER" else emil, before, hours=2)
    assert meeting["status"] == "AWAITING_APPROVAL"
    assert await uma.balance() == (("60.00", "40.00") if chooser == "USER" else ("100.00", "0.00"))
    world.clock.advance(hours=2)
    async with uma.listening(UPDATES) as hers, emil.listening(UPDATES) as his:
        await world.beat()
        for socket in (hers, his):
            update = await pushed(socket)
            assert (update["event"]["kind"], update["event"]["actor"]) == ("ALTERNATIVE_DATE_LAPSED", "SYSTEM")
            assert update["meeting"]["status"] == "REJECTED"
            assert await socket.silent(), "and not as a proposal besides"
    assert await uma.balance() == ("100.00", "0.00")
    assert await told(uma) == await told(emil) == "ALTERNATIVE_DATE_LAPSED"
    after = await seen(uma, meeting)
    assert (after["startsAt"], after["endsAt"]) == (meeting["startsAt"], meeting["endsAt"])
    assert [each["status"] for each in after["alternativeDates"]] == ["LAPSED"]
    unchanged = ("status", "creditPaymentStatus", "userAnswer", "expertAnswer", "reason")
    assert {name: after[name] for name in unchanged} == {name: before[name] for name in unchanged}


@pytest.mark.parametrize("origin", [agreed, rejected])
@pytest.mark.parametrize("chooser", ["USER", "EXPERT"])
async def test_r7_until_it_is_recorded_the_alternative_is_shown_and_nobody_can_answer_it(
    world: Service, uma: Client, emil: Client, origin: Any, chooser: str
):
    mine, theirs = (uma, emil) if chooser == "USER" else (emil, uma)
    meeting = await chosen(mine, await origin(uma, emil), hours=2)
    world.clock.advance(hours=2)
    assert (await seen(uma, meeting))["alternativeDate"]["status"] == "PENDING"
    async with world.nothing_changes():
        assert await refusal(theirs, "approveAlternativeDate", meeting) == "MEETING_STARTED"
        assert await refusal(theirs, "rejectAlternativeDate", meeting, reasonCode="OTHER") == "MEETING_STARTED"
        assert await refusal(mine, "cancelAlternativeDate", meeting) == "MEETING_STARTED"
    await world.beat()
    assert (await seen(uma, meeting))["alternativeDate"] is None


@pytest.mark.usefixtures("whole_answers")
async def test_r7_a_meeting_whose_alternative_lapsed_before_its_start_can_be_rescheduled_again(
    world: Service, uma: Client, emil: Client
):
    meeting = await chosen(uma, await agreed(uma, emil), hours=2)
    world.clock.advance(hours=2)
    await world.beat()
    again = await chosen(emil, meeting, days=4)
    approved = await uma.act("approveAlternativeDate", meetingId=meeting["id"])
    assert approved["meeting"]["startsAt"] == again["alternativeDate"]["startsAt"]
    statuses = [each["status"] for each in approved["meeting"]["alternativeDates"]]
    assert statuses == ["APPROVED", "LAPSED"], "newest first"


@pytest.mark.parametrize(("action", "given"), [("approve", {}), ("reject", {"reasonCode": "OTHER"}), ("cancel", {})])
async def test_r7_an_alternative_that_was_answered_in_time_never_lapses(
    world: Service, uma: Client, emil: Client, action: str, given: dict[str, str]
):
    meeting = await chosen(uma, await agreed(uma, emil), hours=2)
    by = uma if action == "cancel" else emil
    answered = await by.act(f"{action}AlternativeDate", meetingId=meeting["id"], **given)
    assert answered["meeting"]["status"] == "AGREED", answered
    world.clock.advance(days=2)
    await world.beat()
    async with world.nothing_changes():
        assert not await is_due(meeting)
        assert not await lapse(meeting)


async def test_r7_a_meeting_that_was_cancelled_takes_its_alternative_along(world: Service, uma: Client, emil: Client):
    meeting = await chosen(uma, await agreed(uma, emil, startsAt=world.at(days=5)), days=3)
    cancelled = await emil.act("cancelMeeting", meetingId=meeting["id"], reasonCode="OTHER")
    assert cancelled["meeting"]["status"] == "CANCELLED", cancelled
    world.clock.advance(days=6)
    async with world.nothing_changes():
        assert not await is_due(meeting)
        assert not await lapse(meeting)
