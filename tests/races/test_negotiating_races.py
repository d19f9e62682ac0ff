"""What two people, or one with two windows, can do to each other at the same instant."""

from collections import Counter

import pytest

from tests.driving import Client, Service
from tests.races import ROUNDS, all_at_once


def kinds(results) -> Counter[str]:
    return Counter(result["__typename"] for result in results)


@pytest.mark.parametrize("round_", range(ROUNDS))
async def test_c2_two_overlapping_approvals_by_one_person_never_both_go_through_unacknowledged(
    world: Service, emil: Client, round_: int
):
    users = [await world.somebody(f"User {number}", credits="40.00") for number in range(4)]
    meetings = [await user.proposed(emil, startsAt=world.at(days=1, minutes=n * 10)) for n, user in enumerate(users)]
    results = await all_at_once(*(emil.act("approveMeeting", meetingId=meeting["id"]) for meeting in meetings))
    assert kinds(results) == {"MeetingChanged": 1, "ConflictsFound": 3}
    (agreed,) = [result["meeting"]["id"] for result in results if result["__typename"] == "MeetingChanged"]
    assert all(
        result["conflicts"] == [{"id": agreed}] for result in results if result["__typename"] == "ConflictsFound"
    )


@pytest.mark.parametrize("round_", range(ROUNDS))
async def test_c2_the_same_in_both_roles_with_people_locked_from_both_ends(world: Service, round_: int):
    """Anna and Bert are each other's expert and user, so their rows are wanted in either order."""
    anna = await world.expert("Anna", price="1.00")
    bert = await world.expert("Bert", price="1.00")
    for person in (anna, bert):
        staff = await world.somebody("Staff", roles=["staff"])
        await staff.act("grantCredits", personId=person.id, amount="100.00")
    to_bert = [await anna.proposed(bert) for _ in range(2)]
    to_anna = [await bert.proposed(anna) for _ in range(2)]
    results = await all_at_once(
        *(bert.act("approveMeeting", meetingId=meeting["id"]) for meeting in to_bert),
        *(anna.act("approveMeeting", meetingId=meeting["id"]) for meeting in to_anna),
    )
    assert kinds(results) == {"MeetingChanged": 1, "ConflictsFound": 3}


@pytest.mark.parametrize("round_", range(ROUNDS))
async def test_p1_credits_for_one_meeting_pay_for_exactly_one_of_many_proposals(
    world: Service, emil: Client, round_: int
):
    user = await world.somebody("Urs User", credits="40.00")
    results = await all_at_once(*(user.propose(emil, startsAt=world.at(days=n)) for n in range(1, 9)))
    assert kinds(results) == {"MeetingChanged": 1, "InsufficientCredits": 7}
    assert await user.balance() == ("0.00", "40.00")


@pytest.mark.parametrize("round_", range(ROUNDS))
async def test_a1_credits_for_one_meeting_pay_for_exactly_one_of_many_approvals(
    world: Service, emil: Client, round_: int
):
    user = await world.somebody("Urs User", credits="40.00")
    offers = [await emil.offered(user, price="40.00", startsAt=world.at(days=n)) for n in range(2, 6)]
    results = await all_at_once(*(user.act("approveMeeting", meetingId=offer["id"]) for offer in offers))
    assert kinds(results) == {"MeetingChanged": 1, "InsufficientCredits": 3}


@pytest.mark.parametrize("round_", range(max(1, ROUNDS // 5)))
async def test_i1_one_key_fired_50_times_at_once_has_one_effect_and_equal_answers(
    world: Service, uma: Client, emil: Client, round_: int
):
    given = {**uma.proposal(emil), "idempotencyKey": "fifty"}
    results = await all_at_once(*(uma.act("proposeMeeting", **given) for _ in range(50)))
    assert all(result == results[0] for result in results)
    assert results[0]["__typename"] == "MeetingChanged"
    assert await uma.balance() == ("60.00", "40.00")

    approve = {"meetingId": results[0]["meeting"]["id"], "idempotencyKey": "fifty"}
    results = await all_at_once(*(emil.act("approveMeeting", **approve) for _ in range(50)))
    assert all(result == results[0] for result in results)
    assert [event["sequence"] for event in results[0]["events"]] == [3]


@pytest.mark.parametrize("round_", range(ROUNDS))
async def test_i1_of_two_inputs_under_one_key_at_once_one_is_done_and_the_other_refused(
    world: Service, uma: Client, emil: Client, round_: int
):
    results = await all_at_once(
        *(uma.propose(emil, startsAt=world.at(days=1 + n % 2), idempotencyKey="a key") for n in range(6))
    )
    assert kinds(results) == {"MeetingChanged": 3, "IdempotencyKeyReused": 3}


@pytest.mark.parametrize("proposer", ["USER", "EXPERT"])
@pytest.mark.parametrize("round_", range(ROUNDS))
async def test_a_k1_approve_against_reject_against_cancel_has_one_legal_outcome(
    world: Service, uma: Client, emil: Client, proposer: str, round_: int
):
    meeting = await uma.proposed(emil) if proposer == "USER" else await emil.offered(uma)
    mine, theirs = (uma, emil) if proposer == "USER" else (emil, uma)
    results = await all_at_once(
        theirs.act("approveMeeting", meetingId=meeting["id"]),
        theirs.act("rejectMeeting", meetingId=meeting["id"], reasonCode="OTHER"),
        mine.act("cancelMeeting", meetingId=meeting["id"]),
    )
    agreed = results[0]["__typename"] == "MeetingChanged"
    # Once it is agreed, it can be called off all the same, but not without a reason (K2).
    assert results[2]["__typename"] == "InvalidInput" if agreed else kinds(results)["ActionRefused"] == 2
    assert {result["refusal"] for result in results if result["__typename"] == "ActionRefused"} == {"WRONG_STATUS"}
    (done,) = [result for result in results if result["__typename"] == "MeetingChanged"]
    now = await uma.meeting(meeting["id"])
    assert now is not None
    assert (now["status"], now["version"]) == (done["meeting"]["status"], 3)
    assert (now["status"] == "AGREED") is agreed
    assert await uma.balance() == (
        ("100.00", "0.00") if not agreed else {"USER": ("60.00", "40.00"), "EXPERT": ("75.00", "25.00")}[proposer]
    )


@pytest.mark.parametrize("round_", range(max(1, ROUNDS // 5)))
async def test_many_people_at_once_deadlock_nobody_and_leave_the_ledger_exact(world: Service, round_: int):
    people = [await world.expert(f"Person {number}", price="10.00") for number in range(5)]
    staff = await world.somebody("Staff", roles=["staff"])
    for person in people:
        await staff.act("grantCredits", personId=person.id, amount="40.00")
    pairs = [(one, other) for one in people for other in people if one is not other]
    results = await all_at_once(
        *(one.propose(other, startsAt=world.at(days=n)) for n, (one, other) in enumerate(pairs, start=1)),
        *(staff.act("grantCredits", personId=person.id, amount="1.00") for person in people),
    )
    assert set(kinds(results)) <= {"MeetingChanged", "InsufficientCredits", "CreditsGranted"}
    proposed = [
        (one, other, result["meeting"]["id"])
        for (one, other), result in zip(pairs, results, strict=False)
        if result["__typename"] == "MeetingChanged"
    ]
    answers = await all_at_once(
        *(other.act("approveMeeting", meetingId=meeting) for _, other, meeting in proposed),
        *(one.act("cancelMeeting", meetingId=meeting) for one, _, meeting in proposed),
    )
    assert kinds(answers)["MeetingChanged"] == len(proposed)
