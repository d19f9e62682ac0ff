"""Cancelling as both sides live it: every way to call a meeting off, early and late, whoever does it."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.driving import Client, Service
from tests.negotiations import (
    BALANCES,
    CANCELLER,
    CHOOSER,
    OTHER,
    PROPOSER,
    UPDATES,
    Negotiation,
    purse,
    pushed,
    times_told,
    told,
)

pytestmark = pytest.mark.usefixtures("whole_answers")

WHOLE, SPENT = ("100.00", "0.00"), ("60.00", "40.00")

MOVEMENTS = """
{ creditAccount { movements(first: 3) { edges { node { kind availableChange blockedChange meeting { id } } } } } }
"""


async def movements(client: Client) -> list[tuple[str, str, str, str]]:
    """The newest movements on a person's account, newest first."""
    edges = (await client.ask(MOVEMENTS))["creditAccount"]["movements"]["edges"]
    return [
        (node["kind"], node["availableChange"], node["blockedChange"], node["meeting"] and node["meeting"]["id"])
        for node in (edge["node"] for edge in edges)
    ]


@PROPOSER
@pytest.mark.parametrize("reason", [None, "ILLNESS"])
async def test_k1_the_proposer_takes_a_proposal_back_for_a_reason_or_none(
    world: Service, uma: Client, emil: Client, proposer: str, reason: str | None
):
    story = await Negotiation(world, uma, emil).propose(proposer)
    await story.do(proposer, "cancelMeeting", reasonCode=reason)
    assert story.standing == ("CANCELLED", {"USER": "RETURNED", "EXPERT": "NOT_BLOCKED"}[proposer])
    assert story.meeting["reason"] == (reason and {"code": reason})
    assert story.events(2) == [(f"CANCELLED_BY_{proposer}", proposer, reason, None, None)]
    assert (await told(story.side(OTHER[proposer])))[0] == f"MEETING_CANCELLED_BY_{proposer}"
    assert await uma.balance() == WHOLE
    assert await story.seen(proposer) == story.meeting


@PROPOSER
@CANCELLER
async def test_k2_k3_k6_48_hours_ahead_either_side_calls_an_agreed_meeting_off_and_all_credits_return(
    world: Service, uma: Client, emil: Client, proposer: str, canceller: str
):
    story = await Negotiation(world, uma, emil).agree(proposer)
    world.clock.time = datetime.fromisoformat(story.meeting["startsAt"]) - timedelta(hours=48)
    mine, theirs = story.side(canceller), story.side(OTHER[canceller])
    my_notices, their_notices = await times_told(mine), await times_told(theirs)
    async with uma.listening(UPDATES) as hers, emil.listening(UPDATES) as his, uma.listening(BALANCES) as balances:
        assert await purse(balances) == SPENT
        result = await story.do(canceller, "cancelMeeting", reasonCode="ILLNESS")
        assert [event["kind"] for event in result["events"]] == [f"CANCELLED_BY_{canceller}"]
        assert story.standing == ("CANCELLED", "RETURNED")
        assert story.meeting["reason"] == {"code": "ILLNESS"}
        assert story.events(3) == [(f"CANCELLED_BY_{canceller}", canceller, "ILLNESS", None, None)]
        assert await purse(balances) == WHOLE
        for socket in (hers, his):
            (update,) = await pushed(socket, 1)
            assert (update["event"]["kind"], update["meeting"]["status"]) == (f"CANCELLED_BY_{canceller}", "CANCELLED")
            assert update["meeting"]["creditPaymentStatus"] == "RETURNED"
    kind, facts = await told(theirs)
    assert kind == f"MEETING_CANCELLED_BY_{canceller}"
    assert facts == {
        "other": {"USER": "Uma User", "EXPERT": "Emil Expert"}[canceller],
        "service": "Advice",
        "starts_at": story.meeting["startsAt"],
        "ends_at": story.meeting["endsAt"],
        "price": 4000,
        "reason": {"EN": "I am ill", "DE": "Ich bin krank"},
        **({"returned": 4000} if canceller == "EXPERT" else {}),
    }
    assert (await times_told(mine), await times_told(theirs)) == (my_notices, their_notices + 1)
    assert await emil.balance() == ("0.00", "0.00")
    assert await story.seen(canceller) == story.meeting


@PROPOSER
async def test_k4_k5_the_user_is_told_what_a_late_cancellation_costs_confirms_and_the_expert_is_reimbursed(
    world: Service, uma: Client, emil: Client, proposer: str
):
    story = await Negotiation(world, uma, emil).agree(proposer)
    world.clock.time = datetime.fromisoformat(story.meeting["startsAt"]) - timedelta(hours=48, microseconds=-1)
    async with world.nothing_changes():
        asked = await story.attempt("USER", "cancelMeeting", reasonCode="ILLNESS")
    assert asked["__typename"] == "LateCancellation"
    assert asked["consequences"] == {
        "creditsBlocked": "0.00",
        "creditsReturnedToUser": "20.00",
        "creditsDeductedFromUser": "20.00",
        "creditsPaidToExpert": "16.00",
        "acknowledgementRequired": True,
        "freeUntil": None,
        "originalDateStaysInForce": False,
        "conflicts": [],
    }
    async with uma.listening(BALANCES) as hers, emil.listening(BALANCES) as his, emil.listening(UPDATES) as updates:
        assert (await purse(hers), await purse(his)) == (SPENT, ("0.00", "0.00"))
        await story.do("USER", "cancelMeeting", reasonCode="ILLNESS", acknowledgeLateCancellation=True)
        assert story.standing == ("CANCELLED", "REIMBURSED_CANCELLATION")
        assert story.events(3) == [
            ("CANCELLED_BY_USER", "USER", "ILLNESS", None, None),
            ("CANCELLATION_REIMBURSED", "USER", None, "16.00", None),
        ]
        assert (await purse(hers), await purse(his)) == (("80.00", "0.00"), ("16.00", "0.00"))
        seen = [(update["event"]["kind"], update["event"]["credits"]) for update in await pushed(updates, 2)]
        assert seen == [("CANCELLED_BY_USER", None), ("CANCELLATION_REIMBURSED", "16.00")]
    assert (await told(emil))[0] == "MEETING_CANCELLED_BY_USER"
    meeting = story.meeting["id"]
    assert await movements(uma) == [
        ("UNBLOCK", "20.00", "-20.00", meeting),
        ("FEE", "0.00", "-4.00", meeting),
        ("CANCELLATION_REIMBURSEMENT", "0.00", "-16.00", meeting),
    ]
    assert await movements(emil) == [("CANCELLATION_REIMBURSEMENT", "16.00", "0.00", meeting)]


@PROPOSER
async def test_k3_k4_the_expert_confirms_a_late_cancellation_and_all_credits_return(
    world: Service, uma: Client, emil: Client, proposer: str
):
    story = await Negotiation(world, uma, emil).agree(proposer)
    world.clock.time = datetime.fromisoformat(story.meeting["startsAt"]) - timedelta(microseconds=1)
    async with world.nothing_changes():
        asked = await story.attempt("EXPERT", "cancelMeeting", reasonCode="ILLNESS")
    assert asked["__typename"] == "LateCancellation"
    cost = asked["consequences"]
    assert (cost["creditsReturnedToUser"], cost["creditsDeductedFromUser"]) == ("40.00", "0.00")
    assert (cost["creditsPaidToExpert"], cost["acknowledgementRequired"]) == ("0.00", True)
    await story.do("EXPERT", "cancelMeeting", acknowledgeLateCancellation=True)
    assert story.standing == ("CANCELLED", "RETURNED")
    assert story.events(3) == [("CANCELLED_BY_EXPERT", "EXPERT", "OTHER", None, None)]
    assert (await uma.balance(), await emil.balance()) == (WHOLE, ("0.00", "0.00"))


@pytest.mark.parametrize(
    ("price", "hers", "his", "of_expertim"),
    [
        ("0.00", "100.00", "0.00", "0.00"),
        ("0.01", "99.99", "0.01", "0.00"),
        ("0.03", "99.98", "0.02", "0.00"),
        ("12.55", "93.72", "5.02", "1.26"),
        ("33.33", "83.33", "13.34", "3.33"),
    ],
)
async def test_k5_m3_awkward_prices_are_shared_out_to_the_hundredth(
    world: Service, uma: Client, emil: Client, price: str, hers: str, his: str, of_expertim: str
):
    story = await Negotiation(world, uma, emil).agree("EXPERT", price=price, startsAt=world.at(hours=47))
    await story.do("USER", "cancelMeeting", acknowledgeLateCancellation=True)
    assert story.standing == ("CANCELLED", "REIMBURSED_CANCELLATION"), "also of a free meeting"
    assert story.events(3)[1] == ("CANCELLATION_REIMBURSED", "USER", None, his, None)
    assert (await uma.balance(), await emil.balance()) == ((hers, "0.00"), (his, "0.00"))
    meeting = story.meeting["id"]
    fees = [blocked for kind, _, blocked, of in await movements(uma) if (kind, of) == ("FEE", meeting)]
    assert fees == ([f"-{of_expertim}"] if of_expertim != "0.00" else [])


@pytest.mark.parametrize(
    ("start", "free_until"),
    [
        ("2027-03-28T09:00:00+02:00", "2027-03-26T08:00:00+01:00"),  # clocks went forward that night
        ("2027-10-31T09:00:00+01:00", "2027-10-29T10:00:00+02:00"),  # and back that night
    ],
)
@CANCELLER
async def test_k4_48_hours_are_elapsed_hours_across_a_change_of_the_clocks(
    world: Service, uma: Client, emil: Client, start: str, free_until: str, canceller: str
):
    late = await Negotiation(world, uma, emil).agree("USER", startsAt=start)
    in_time = await Negotiation(world, uma, await world.expert("Eva Expert")).agree("USER", startsAt=start)
    world.clock.time = datetime.fromisoformat(free_until)
    await in_time.do(canceller, "cancelMeeting")
    assert in_time.standing == ("CANCELLED", "RETURNED")
    world.clock.advance(microseconds=1)
    async with world.nothing_changes():
        attempted = await late.attempt(canceller, "cancelMeeting", reasonCode="OTHER")
    assert attempted["__typename"] == "LateCancellation"


@PROPOSER
@CHOOSER
@CANCELLER
async def test_k6_with_an_agreed_meeting_its_pending_alternative_dies_unannounced(
    world: Service, uma: Client, emil: Client, proposer: str, chooser: str, canceller: str
):
    story = await (await Negotiation(world, uma, emil).agree(proposer)).choose(chooser)
    notices = await times_told(story.side(OTHER[canceller]))
    await story.do(canceller, "cancelMeeting")
    assert story.standing == ("CANCELLED", "RETURNED")
    assert story.meeting["alternativeDate"] is None
    (alternative,) = story.meeting["alternativeDates"]
    assert (alternative["status"], alternative["originalDateInForce"]) == ("CANCELLED", False)
    assert alternative["reason"] is None, "the reason is the meeting's"
    assert story.events(5) == [(f"CANCELLED_BY_{canceller}", canceller, "OTHER", None, None)]
    assert (await told(story.side(OTHER[canceller])))[0] == f"MEETING_CANCELLED_BY_{canceller}"
    assert await times_told(story.side(OTHER[canceller])) == notices + 1
    assert await uma.balance() == WHOLE


@PROPOSER
@CHOOSER
async def test_r2_k1_who_chose_the_alternative_of_a_rejected_meeting_takes_all_of_it_back(
    world: Service, uma: Client, emil: Client, proposer: str, chooser: str
):
    story = await (await Negotiation(world, uma, emil).reject(proposer)).choose(chooser, hours=1)
    credits_were = story.meeting["creditPaymentStatus"]
    async with world.nothing_changes():
        result = await story.attempt(OTHER[chooser], "cancelMeeting", reasonCode="OTHER")
    assert (result["__typename"], result["refusal"]) == ("ActionRefused", "NOT_YOUR_SIDE")
    await story.do(chooser, "cancelMeeting", reasonCode=None)  # an hour ahead, and no less free for that
    assert story.standing == ("CANCELLED", "RETURNED" if chooser == "USER" else credits_were)
    assert story.meeting["reason"] is None, "not why it had been rejected"
    assert story.events(5) == [(f"CANCELLED_BY_{chooser}", chooser, None, None, None)]
    (alternative,) = story.meeting["alternativeDates"]
    assert alternative["status"] == "CANCELLED"
    assert await uma.balance() == WHOLE


async def test_k4_a_confirmation_is_not_asked_for_again_by_a_repetition(world: Service, uma: Client, emil: Client):
    """A problem is not kept (I1): the retry is another input, and needs another key."""
    story = await Negotiation(world, uma, emil).agree("USER", startsAt=world.at(hours=1))
    given: dict[str, Any] = {"reasonCode": "ILLNESS", "idempotencyKey": "cancel"}
    async with world.nothing_changes():
        assert (await story.attempt("USER", "cancelMeeting", **given))["__typename"] == "LateCancellation"
    confirmed = {**given, "acknowledgeLateCancellation": True}
    first = await story.attempt("USER", "cancelMeeting", **confirmed)
    async with world.nothing_changes():
        again = await story.attempt("USER", "cancelMeeting", **confirmed)
        other = await story.attempt("USER", "cancelMeeting", **given)
    assert (first["__typename"], again) == ("MeetingChanged", first)
    assert other["__typename"] == "IdempotencyKeyReused"
