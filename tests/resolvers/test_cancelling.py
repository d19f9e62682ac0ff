"""Cancelling, over the public API: what is refused, and that then nothing has happened."""

from typing import Any

import pytest

from tests.driving import Client, Service
from tests.negotiations import CANCELLER, CHOOSER, OTHER, PROPOSER, Negotiation

REASON = {"reasonCode": "ILLNESS"}
CONFIRMED = {**REASON, "acknowledgeLateCancellation": True}


def refusal(result: dict[str, Any]) -> tuple[str, str | None]:
    return result["__typename"], result.get("refusal") or result.get("code")


@CANCELLER
@pytest.mark.parametrize("hours", [240, 1])
async def test_k2_an_agreed_meeting_is_not_called_off_without_a_reason_of_the_list(
    world: Service, uma: Client, emil: Client, canceller: str, hours: int
):
    """Early or late, and whether or not the consequences are accepted."""
    story = await Negotiation(world, uma, emil).agree("USER", startsAt=world.at(hours=hours))
    async with world.nothing_changes():
        for reason, code in [(None, "REQUIRED"), ("", "UNKNOWN"), ("ILL", "UNKNOWN"), ("TOO_SHORT_NOTICE", "UNKNOWN")]:
            for confirmed in (False, True):
                refused = await story.attempt(
                    canceller, "cancelMeeting", reasonCode=reason, acknowledgeLateCancellation=confirmed
                )
                assert (refused["__typename"], refused["field"]) == ("InvalidInput", "reasonCode")
                assert refused["code"] == code


async def test_k2_a_reason_taken_off_the_list_is_not_one_any_more(
    world: Service, uma: Client, emil: Client, stella: Client
):
    story = await Negotiation(world, uma, emil).agree("USER")
    listed = {"kind": "CANCELLATION", "code": "GONE_FISHING", "labelEn": "Gone fishing", "labelDe": "Beim Angeln"}
    await stella.act("saveReason", **listed, active=False)
    async with world.nothing_changes():
        assert refusal(await story.attempt("USER", "cancelMeeting", reasonCode="GONE_FISHING")) == (
            "InvalidInput",
            "UNKNOWN",
        )
    await stella.act("saveReason", **listed, active=True)
    await story.do("USER", "cancelMeeting", reasonCode="GONE_FISHING")
    await stella.act("saveReason", **listed, active=False)
    assert (await story.seen("USER"))["reason"] == {"code": "GONE_FISHING"}, "what was said stays said"


@CANCELLER
async def test_k1_k2_what_is_rejected_or_cancelled_or_has_begun_is_not_cancelled(
    world: Service, uma: Client, emil: Client, canceller: str
):
    rejected = await Negotiation(world, uma, emil).reject("USER")
    cancelled = await Negotiation(world, uma, emil).agree("EXPERT")
    await cancelled.do(OTHER[canceller], "cancelMeeting")
    begun = await Negotiation(world, uma, emil).agree("USER", startsAt=world.at(hours=1))
    world.clock.advance(hours=1)
    async with world.nothing_changes():
        for story, why in [(rejected, "WRONG_STATUS"), (cancelled, "WRONG_STATUS"), (begun, "MEETING_STARTED")]:
            refused = await story.attempt(canceller, "cancelMeeting", **CONFIRMED)
            assert refusal(refused) == ("ActionRefused", why)
            assert refused["currentMeeting"] == {"id": story.meeting["id"], "status": story.meeting["status"]}


@PROPOSER
@CHOOSER
async def test_k1_r2_the_other_side_rejects_instead_even_once_it_has_begun(
    world: Service, uma: Client, emil: Client, proposer: str, chooser: str
):
    proposal = await Negotiation(world, uma, emil).propose(proposer)
    rescheduled = await (await Negotiation(world, uma, emil).reject(proposer)).choose(chooser)
    for _ in range(2):
        async with world.nothing_changes():
            for story, own in ((proposal, proposer), (rescheduled, chooser)):
                refused = await story.attempt(OTHER[own], "cancelMeeting", **CONFIRMED)
                assert refusal(refused) == ("ActionRefused", "NOT_YOUR_SIDE")
        world.clock.advance(days=30)


@CANCELLER
async def test_q4_a_cancellation_is_answered_with_the_first_of_its_problems(
    world: Service, uma: Client, emil: Client, canceller: str
):
    """Each attempt has one thing less wrong with it than the one before."""
    story = await Negotiation(world, uma, emil).agree("USER", startsAt=world.at(hours=47))
    stale: dict[str, Any] = {"expectedVersion": 1}
    unknown: dict[str, Any] = {"reasonCode": "nonsense"}
    async with world.nothing_changes():
        for given, kind in [
            ({"meetingId": "unknown", **unknown, **stale}, "NotFound"),
            ({**unknown, **stale}, "InvalidInput"),
            (stale, "StaleVersion"),
            ({}, "InvalidInput"),
            (REASON, "LateCancellation"),
        ]:
            assert (await story.attempt(canceller, "cancelMeeting", **given))["__typename"] == kind, given
        world.clock.advance(hours=47)
        refused = await story.attempt(canceller, "cancelMeeting")
        assert refusal(refused) == ("ActionRefused", "MEETING_STARTED"), "before a reason is asked for"
    world.clock.advance(hours=-47)
    await story.do(canceller, "cancelMeeting", **CONFIRMED, expectedVersion=3)


async def test_k4_the_consequences_are_told_in_each_persons_language(world: Service, uma: Client):
    egon = await world.expert("Egon Experte", locale="de")
    story = await Negotiation(world, uma, egon).agree("USER", startsAt=world.at(hours=1))
    texts = {side: (await story.attempt(side, "cancelMeeting", **REASON))["message"] for side in OTHER}
    assert texts == {
        "USER": "The meeting begins so soon that you must confirm its cancellation, knowing what it would bring about.",
        "EXPERT": "Das Treffen beginnt so bald, dass Sie die Absage in Kenntnis der Folgen bestätigen müssen.",
    }
