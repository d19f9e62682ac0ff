"""What two people, and the clock, can do at the same instant to the date of a meeting (R, K, J1)."""

import asyncio
import random
from collections import Counter
from collections.abc import Iterable
from typing import Any

import pytest

from resolvers.lapsing import lapse_meeting
from schema.ids import row_id
from tests.driving import Client, Service
from tests.races import ROUNDS, all_at_once

REFUSED = "ActionRefused"
DONE = "MeetingChanged"


def kinds(results: Iterable[dict[str, Any]]) -> Counter[str]:
    return Counter(result["__typename"] for result in results)


def refusals(results: Iterable[dict[str, Any]]) -> set[str]:
    return {result["refusal"] for result in results if result["__typename"] == REFUSED}


def the_one_done(results: Iterable[dict[str, Any]]) -> dict[str, Any]:
    (done,) = [result["meeting"] for result in results if result["__typename"] == DONE]
    return done


def last_events(meeting: dict[str, Any], number: int) -> list[str]:
    return [edge["node"]["kind"] for edge in meeting["timeline"]["edges"]][-number:]


async def act(client: Client, action: str, meeting: dict[str, Any], **given: Any) -> dict[str, Any]:
    result = await client.act(action, meetingId=meeting["id"], **given)
    assert result["__typename"] == DONE, result
    return result["meeting"]


async def agreed(user: Client, expert: Client, **ahead: float) -> dict[str, Any]:
    meeting = await user.proposed(expert, startsAt=user.world.at(**ahead))
    return await act(expert, "approveMeeting", meeting, acknowledgeConflicts=True)


async def rejected(user: Client, expert: Client, **ahead: float) -> dict[str, Any]:
    meeting = await user.proposed(expert, startsAt=user.world.at(**ahead))
    return await act(expert, "rejectMeeting", meeting, reasonCode="OTHER")


async def chosen(chooser: Client, meeting: dict[str, Any], **ahead: float) -> dict[str, Any]:
    return await act(chooser, "chooseAlternativeDate", meeting, startsAt=chooser.world.at(**ahead))


async def now(client: Client, meeting: dict[str, Any]) -> dict[str, Any]:
    found = await client.meeting(meeting["id"])
    assert found is not None
    return found


@pytest.fixture(params=range(max(1, ROUNDS // 4)))
def round_(request: pytest.FixtureRequest) -> int:
    return int(request.param)


# The alternative date


@pytest.mark.usefixtures("round_")
@pytest.mark.parametrize("origin", [agreed, rejected])
@pytest.mark.parametrize("chooser", ["USER", "EXPERT"])
async def test_r4_r5_r6_approve_against_reject_against_cancel_of_an_alternative_has_one_legal_outcome(
    world: Service, uma: Client, emil: Client, origin: Any, chooser: str
):
    mine, theirs = (uma, emil) if chooser == "USER" else (emil, uma)
    before = await origin(uma, emil, days=5)
    meeting = await chosen(mine, before, days=6)
    results = await all_at_once(
        mine.act("cancelAlternativeDate", meetingId=meeting["id"]),
        theirs.act("approveAlternativeDate", meetingId=meeting["id"]),
        theirs.act("rejectAlternativeDate", meetingId=meeting["id"], reasonCode="OTHER"),
    )
    assert kinds(results) == {DONE: 1, REFUSED: 2}
    assert refusals(results) <= {"NO_ALTERNATIVE_DATE", "WRONG_STATUS"}
    after = await now(uma, meeting)
    (alternative,) = after["alternativeDates"]
    assert (after["version"], after["alternativeDate"]) == (meeting["version"] + 1, None)
    if alternative["status"] == "APPROVED":
        assert (after["status"], after["creditPaymentStatus"]) == ("AGREED", "BLOCKED")
        assert after["startsAt"] == alternative["startsAt"]
        assert await uma.balance() == ("60.00", "40.00")
    else:
        assert (after["status"], after["creditPaymentStatus"]) == (before["status"], before["creditPaymentStatus"])
        assert after["startsAt"] == (before if origin is agreed else meeting)["startsAt"]
        assert await uma.balance() == (("60.00", "40.00") if origin is agreed else ("100.00", "0.00"))


@pytest.mark.usefixtures("round_")
@pytest.mark.parametrize("origin", [agreed, rejected])
async def test_r1_of_many_alternatives_chosen_at_once_by_both_sides_one_is_pending(
    world: Service, uma: Client, emil: Client, origin: Any
):
    """Each side more than once."""
    meeting = await origin(uma, emil, days=5)
    results = await all_at_once(
        *(
            client.act("chooseAlternativeDate", meetingId=meeting["id"], startsAt=world.at(days=6, hours=n))
            for n, client in enumerate((uma, emil, uma, emil))
        )
    )
    assert kinds(results) == {DONE: 1, REFUSED: 3}
    assert refusals(results) <= {"ALTERNATIVE_DATE_PENDING", "WRONG_STATUS"}
    after = await now(uma, meeting)
    assert (after["version"], len(after["alternativeDates"])) == (meeting["version"] + 2, 1)
    blocked = origin is agreed or after["alternativeDate"]["chosenBy"] == "USER"
    assert await uma.balance() == (("60.00", "40.00") if blocked else ("100.00", "0.00"))


@pytest.mark.usefixtures("round_")
async def test_c2_an_alternative_and_an_overlapping_meeting_are_never_both_approved_unacknowledged(
    world: Service, emil: Client
):
    """By one person, who is asked for both at the same instant; a third waits in their other role."""
    users = [await world.somebody(f"User {number}", credits="40.00") for number in range(2)]
    teacher = await world.expert("Tina Teacher", price="0.00")
    lesson = await teacher.offered(emil, startsAt=world.at(days=1, minutes=20), price="0.00")
    moved = await chosen(users[0], await agreed(users[0], emil, days=9), days=1)
    proposal = await users[1].proposed(emil, startsAt=world.at(days=1, minutes=30))
    results = await all_at_once(
        emil.act("approveAlternativeDate", meetingId=moved["id"]),
        emil.act("approveMeeting", meetingId=proposal["id"]),
        emil.act("approveMeeting", meetingId=lesson["id"]),
    )
    assert kinds(results) == {DONE: 1, "ConflictsFound": 2}
    done = the_one_done(results)["id"]
    assert all(result["conflicts"] == [{"id": done}] for result in results if result["__typename"] == "ConflictsFound")


@pytest.mark.usefixtures("round_")
async def test_r2_credits_for_one_meeting_pay_for_exactly_one_of_many_rejected_meetings_chosen_anew(
    world: Service, emil: Client
):
    user = await world.somebody("Urs User", credits="40.00")
    meetings = [await rejected(user, emil, days=n) for n in range(1, 5)]
    results = await all_at_once(
        *(
            user.act("chooseAlternativeDate", meetingId=meeting["id"], startsAt=world.at(days=10 + n))
            for n, meeting in enumerate(meetings)
        )
    )
    assert kinds(results) == {DONE: 1, "InsufficientCredits": 3}
    assert await user.balance() == ("0.00", "40.00")


@pytest.mark.usefixtures("round_")
async def test_r4_credits_for_one_meeting_pay_for_exactly_one_of_many_alternatives_approved(
    world: Service, emil: Client
):
    """The expert chose them, so that nothing is blocked until the user approves."""
    user = await world.somebody("Urs User", credits="40.00")
    meetings = [await chosen(emil, await rejected(user, emil, days=n), days=10 + n) for n in range(1, 5)]
    results = await all_at_once(*(user.act("approveAlternativeDate", meetingId=meeting["id"]) for meeting in meetings))
    assert kinds(results) == {DONE: 1, "InsufficientCredits": 3}
    assert await user.balance() == ("0.00", "40.00")


# Cancelling


@pytest.mark.usefixtures("round_")
@pytest.mark.parametrize("canceller", ["USER", "EXPERT"])
async def test_k6_r1_cancelling_against_choosing_leaves_no_alternative_waiting(
    world: Service, uma: Client, emil: Client, canceller: str
):
    """Whoever comes first: a meeting that is cancelled takes an alternative along."""
    one, other = (uma, emil) if canceller == "USER" else (emil, uma)
    meeting = await agreed(uma, emil, days=5)
    cancelled, choice = await all_at_once(
        one.act("cancelMeeting", meetingId=meeting["id"], reasonCode="OTHER"),
        other.act("chooseAlternativeDate", meetingId=meeting["id"], startsAt=world.at(days=6)),
    )
    assert cancelled["__typename"] == DONE
    after = await now(uma, meeting)
    if choice["__typename"] == DONE:
        assert last_events(after, 3)[0] == f"ALTERNATIVE_DATE_CHOSEN_BY_{'EXPERT' if canceller == 'USER' else 'USER'}"
        assert [each["status"] for each in after["alternativeDates"]] == ["CANCELLED"]
    else:
        assert choice["refusal"] == "WRONG_STATUS"
        assert after["alternativeDates"] == []
    assert last_events(after, 1) == [f"CANCELLED_BY_{canceller}"]
    assert (after["status"], after["creditPaymentStatus"]) == ("CANCELLED", "RETURNED")
    assert await uma.balance() == ("100.00", "0.00")


@pytest.mark.usefixtures("round_")
@pytest.mark.parametrize("origin", [agreed, rejected])
async def test_k_r4_cancelling_against_approving_an_alternative_ends_cancelled_with_the_credits_returned(
    world: Service, uma: Client, emil: Client, origin: Any
):
    """An agreed meeting can be cancelled before and after; what still waits only before, and by its chooser."""
    meeting = await chosen(uma, await origin(uma, emil, days=5), days=6)
    cancelled, approved = await all_at_once(
        uma.act("cancelMeeting", meetingId=meeting["id"], reasonCode="OTHER"),
        emil.act("approveAlternativeDate", meetingId=meeting["id"]),
    )
    assert cancelled["__typename"] == DONE
    after = await now(uma, meeting)
    (alternative,) = after["alternativeDates"]
    if approved["__typename"] == DONE:
        assert (alternative["status"], after["startsAt"]) == ("APPROVED", alternative["startsAt"])
        assert last_events(after, 2) == ["ALTERNATIVE_DATE_APPROVED_BY_EXPERT", "CANCELLED_BY_USER"]
    else:
        assert (alternative["status"], approved["refusal"]) == ("CANCELLED", "WRONG_STATUS")
    assert (after["status"], after["creditPaymentStatus"]) == ("CANCELLED", "RETURNED")
    assert await uma.balance() == ("100.00", "0.00")


@pytest.mark.usefixtures("round_")
async def test_k5_of_late_cancellations_at_once_one_deducts(world: Service, uma: Client, emil: Client):
    """The user in two windows, and the expert, whose cancellation costs nothing."""
    meeting = await agreed(uma, emil, days=1)
    given = {"meetingId": meeting["id"], "reasonCode": "OTHER", "acknowledgeLateCancellation": True}
    results = await all_at_once(*(client.act("cancelMeeting", **given) for client in (uma, uma, emil)))
    assert kinds(results) == {DONE: 1, REFUSED: 2}
    assert refusals(results) == {"WRONG_STATUS"}
    after = await now(uma, meeting)
    by_user = "CANCELLED_BY_USER" in last_events(after, 2)
    assert after["creditPaymentStatus"] == ("REIMBURSED_CANCELLATION" if by_user else "RETURNED")
    assert await uma.balance() == (("80.00", "0.00") if by_user else ("100.00", "0.00"))
    assert await emil.balance() == (("16.00", "0.00") if by_user else ("0.00", "0.00"))


@pytest.mark.usefixtures("round_")
async def test_k5_r4_a_late_cancellation_against_an_approval_that_moves_the_meeting_away_asks_or_deducts_once(
    world: Service, uma: Client, emil: Client
):
    """What it costs is judged by the date in force when it is done."""
    meeting = await chosen(uma, await agreed(uma, emil, days=1), days=9)
    given = {"meetingId": meeting["id"], "reasonCode": "OTHER", "acknowledgeLateCancellation": True}
    cancelled, approved = await all_at_once(
        uma.act("cancelMeeting", **given), emil.act("approveAlternativeDate", meetingId=meeting["id"])
    )
    assert cancelled["__typename"] == DONE
    moved_away = approved["__typename"] == DONE
    assert cancelled["meeting"]["creditPaymentStatus"] == ("RETURNED" if moved_away else "REIMBURSED_CANCELLATION")
    assert await uma.balance() == (("100.00", "0.00") if moved_away else ("80.00", "0.00"))


# One key


@pytest.mark.usefixtures("round_")
@pytest.mark.parametrize(
    ("action", "by", "given"),
    [
        ("chooseAlternativeDate", "uma", {}),
        ("approveAlternativeDate", "emil", {}),
        ("rejectAlternativeDate", "emil", {"reasonCode": "OTHER"}),
        ("cancelAlternativeDate", "uma", {}),
        ("cancelMeeting", "uma", {"reasonCode": "OTHER", "acknowledgeLateCancellation": True}),
    ],
)
async def test_i1_one_key_fired_many_times_at_once_has_one_effect_and_equal_answers(
    world: Service, uma: Client, emil: Client, action: str, by: str, given: dict[str, Any]
):
    meeting = await agreed(uma, emil, days=1)
    if action == "chooseAlternativeDate":
        given = {**given, "startsAt": world.at(days=2)}
    else:
        meeting = await chosen(uma, meeting, days=2)
    client = {"uma": uma, "emil": emil}[by]
    results = await all_at_once(
        *(client.act(action, meetingId=meeting["id"], idempotencyKey="many", **given) for _ in range(8))
    )
    assert results[0]["__typename"] == DONE
    assert all(result == results[0] for result in results)
    events = [event["sequence"] for event in results[0]["events"]]
    assert (await now(uma, meeting))["version"] == meeting["version"] + len(events)
    assert events == list(range(meeting["version"] + 1, meeting["version"] + len(events) + 1))


# Against the clock


async def lapsing(meeting: dict[str, Any]) -> dict[str, Any]:
    """A worker that finds the meeting due, over and over until its start has come and it is not held by anybody."""
    meeting_id = row_id("Meeting", meeting["id"])
    times = 0
    for _ in range(30):
        times += await lapse_meeting(meeting_id)
    return {"__typename": "Lapsed", "times": times}


async def the_start_comes(world: Service, **ahead: float) -> dict[str, Any]:
    """At some instant meanwhile."""
    for _ in range(random.randrange(60)):
        await asyncio.sleep(0)
    world.clock.advance(**ahead)
    return {"__typename": "Advanced"}


@pytest.mark.usefixtures("round_")
@pytest.mark.parametrize("proposer", ["USER", "EXPERT"])
async def test_p6_approve_against_reject_against_cancel_against_lapse_has_exactly_one_outcome(
    world: Service, uma: Client, emil: Client, proposer: str
):
    """With two workers; credits are blocked if and only if it was approved."""
    start = {"startsAt": world.at(days=1)}
    meeting = await (uma.proposed(emil, **start) if proposer == "USER" else emil.offered(uma, **start, price="40.00"))
    mine, theirs = (uma, emil) if proposer == "USER" else (emil, uma)
    approved, refused, cancelled, _, first, second = await all_at_once(
        theirs.act("approveMeeting", meetingId=meeting["id"]),
        theirs.act("rejectMeeting", meetingId=meeting["id"], reasonCode="OTHER"),
        mine.act("cancelMeeting", meetingId=meeting["id"]),
        the_start_comes(world, days=1),
        lapsing(meeting),
        lapsing(meeting),
    )
    late = await lapsing(meeting)
    done = kinds((approved, refused, cancelled))[DONE]
    lapsed = first["times"] + second["times"] + late["times"]
    assert done + lapsed == 1
    assert refusals((approved, refused, cancelled)) <= {"MEETING_STARTED", "WRONG_STATUS"}
    after = await now(uma, meeting)
    assert after["version"] == 3
    agreed_ = approved["__typename"] == DONE
    assert after["status"] == ("AGREED" if agreed_ else "REJECTED" if refused["__typename"] == DONE else "CANCELLED")
    assert await uma.balance() == (("60.00", "40.00") if agreed_ else ("100.00", "0.00"))
    assert (last_events(after, 1) == ["PROPOSAL_LAPSED"]) == (lapsed == 1)


@pytest.mark.usefixtures("round_")
@pytest.mark.parametrize("origin", [agreed, rejected])
async def test_r7_approve_against_reject_against_cancel_against_lapse_has_exactly_one_outcome(
    world: Service, uma: Client, emil: Client, origin: Any
):
    before = await origin(uma, emil, days=5)
    meeting = await chosen(uma, before, days=1)
    approved, refused, cancelled, _, first, second = await all_at_once(
        emil.act("approveAlternativeDate", meetingId=meeting["id"]),
        emil.act("rejectAlternativeDate", meetingId=meeting["id"], reasonCode="OTHER"),
        uma.act("cancelAlternativeDate", meetingId=meeting["id"]),
        the_start_comes(world, days=1),
        lapsing(meeting),
        lapsing(meeting),
    )
    late = await lapsing(meeting)
    lapsed = first["times"] + second["times"] + late["times"]
    assert kinds((approved, refused, cancelled))[DONE] + lapsed == 1
    after = await now(uma, meeting)
    (alternative,) = after["alternativeDates"]
    assert (after["version"], after["alternativeDate"]) == (meeting["version"] + 1, None)
    assert (alternative["status"] == "LAPSED") == (lapsed == 1)
    agreed_ = alternative["status"] == "APPROVED"
    assert after["status"] == ("AGREED" if agreed_ else before["status"])
    blocked = agreed_ or origin is agreed
    assert await uma.balance() == (("60.00", "40.00") if blocked else ("100.00", "0.00"))
