"""Rescheduling as both sides live it: every path an alternative date can take, whoever proposed and whoever chose."""

from typing import Any

import pytest

from tests.driving import Client, Service
from tests.negotiations import (
    BALANCES,
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


def history(meeting: dict[str, Any]) -> list[tuple[str, str, bool, str | None]]:
    """Of every alternative date: who chose it, what became of it, whether a date is in force beside it, and why not."""
    return [
        (each["chosenBy"], each["status"], each["originalDateInForce"], each["reason"] and each["reason"]["code"])
        for each in meeting["alternativeDates"]
    ]


@PROPOSER
@CHOOSER
async def test_r3_r4_of_an_agreed_meeting_both_see_the_choice_and_the_approval_the_moment_they_commit(
    world: Service, uma: Client, emil: Client, proposer: str, chooser: str
):
    story = await Negotiation(world, uma, emil).agree(proposer)
    old_start, new_start = story.meeting["startsAt"], world.at(days=20)
    new_end = world.at(days=20, hours=1)
    mine, theirs = story.side(chooser), story.side(OTHER[chooser])
    async with uma.listening(UPDATES) as hers, emil.listening(UPDATES) as his, uma.listening(BALANCES) as balances:
        assert await purse(balances) == SPENT
        my_notices = await times_told(mine)
        world.clock.advance(minutes=5)
        result = await story.do(chooser, "chooseAlternativeDate", startsAt=new_start)
        alternative = story.meeting["alternativeDate"]
        assert alternative == {
            "id": alternative["id"],
            "startsAt": new_start,
            "endsAt": new_end,
            "chosenBy": chooser,
            "status": "PENDING",
            "originalDateInForce": True,  # the answer to the chooser says so (R3)
            "reason": None,
            "chosenAt": world.at(),
        }
        assert story.meeting["alternativeDates"] == [alternative]
        assert story.standing == ("AGREED", "BLOCKED")
        assert story.meeting["startsAt"] == old_start
        assert story.answers(chooser) == ("APPROVED", "APPROVED")
        assert [event["kind"] for event in result["events"]] == [
            f"ALTERNATIVE_DATE_CHOSEN_BY_{chooser}",
            f"{chooser}_APPROVED",
        ]
        chosen = [
            (f"ALTERNATIVE_DATE_CHOSEN_BY_{chooser}", chooser, None, None, alternative["id"]),
            (f"{chooser}_APPROVED", chooser, None, None, alternative["id"]),
        ]
        assert story.events(3) == chosen
        assert await story.seen(chooser) == story.meeting
        for socket in (hers, his):
            for update, (kind, actor, _, _, date) in zip(await pushed(socket, 2), chosen, strict=True):
                assert (update["event"]["kind"], update["event"]["actor"]) == (kind, actor)
                assert update["event"]["alternativeDate"] == {"id": date}
                assert update["meeting"] == {
                    "id": story.meeting["id"],
                    "status": "AGREED",
                    "creditPaymentStatus": "BLOCKED",
                    "startsAt": old_start,
                    "alternativeDate": {"id": date, "status": "PENDING", "originalDateInForce": True},
                }
        assert await told(theirs) == (
            "AGREED_MEETING_RESCHEDULED",
            {
                "other": {"USER": "Uma User", "EXPERT": "Emil Expert"}[chooser],
                "service": "Advice",
                "starts_at": old_start,
                "ends_at": story.meeting["endsAt"],
                "alternative_starts_at": new_start,
                "alternative_ends_at": new_end,
                "original_date_in_force": True,
                "price": 4000,
            },
        )
        assert await times_told(mine) == my_notices, "nobody is told what they did themselves"

        await story.do(OTHER[chooser], "approveAlternativeDate")
        assert story.standing == ("AGREED", "BLOCKED")
        assert (story.meeting["startsAt"], story.meeting["endsAt"]) == (new_start, new_end)
        assert (story.meeting["alternativeDate"], story.meeting["durationMinutes"]) == (None, 60)
        assert history(story.meeting) == [(chooser, "APPROVED", False, None)]
        assert story.events(5) == [
            (f"ALTERNATIVE_DATE_APPROVED_BY_{OTHER[chooser]}", OTHER[chooser], None, None, alternative["id"])
        ]
        for socket in (hers, his):
            (update,) = await pushed(socket, 1)
            assert (update["meeting"]["startsAt"], update["meeting"]["alternativeDate"]) == (new_start, None)
        kind, facts = await told(mine)
        assert (kind, facts["starts_at"], facts["ends_at"]) == ("ALTERNATIVE_DATE_APPROVED", new_start, new_end)
        assert await balances.silent(), "not a credit has moved"
    assert await story.seen(OTHER[chooser]) == story.meeting


@PROPOSER
@CHOOSER
async def test_r5_rejected_with_a_date_in_force_all_stays_as_it_was_agreed(
    world: Service, uma: Client, emil: Client, proposer: str, chooser: str
):
    story = await Negotiation(world, uma, emil).agree(proposer)
    before = story.meeting
    await story.choose(chooser)
    alternative = story.meeting["alternativeDate"]["id"]
    await story.do(OTHER[chooser], "rejectAlternativeDate", reasonCode="TOO_SHORT_NOTICE")
    assert story.standing == ("AGREED", "BLOCKED"), "a valid date is a paid date"
    for kept in ("startsAt", "endsAt", "userAnswer", "expertAnswer", "reason", "alternativeDate"):
        assert story.meeting[kept] == before[kept], kept
    assert before["reason"] is None
    assert history(story.meeting) == [(chooser, "REJECTED", False, "TOO_SHORT_NOTICE")]
    assert story.events(5) == [
        (
            f"ALTERNATIVE_DATE_REJECTED_BY_{OTHER[chooser]}",
            OTHER[chooser],
            "TOO_SHORT_NOTICE",
            None,
            alternative,
        )
    ]
    kind, facts = await told(story.side(chooser))
    assert (kind, facts["starts_at"]) == ("ALTERNATIVE_DATE_REJECTED", before["startsAt"])
    assert facts["alternative_starts_at"] == world.at(days=20)
    assert await uma.balance() == SPENT
    assert await story.seen(OTHER[chooser]) == story.meeting


@PROPOSER
@CHOOSER
async def test_r6_taken_back_with_a_date_in_force_all_stays_as_it_was_agreed(
    world: Service, uma: Client, emil: Client, proposer: str, chooser: str
):
    story = await Negotiation(world, uma, emil).agree(proposer)
    before = story.meeting
    await story.choose(chooser)
    alternative = story.meeting["alternativeDate"]["id"]
    await story.do(chooser, "cancelAlternativeDate")
    changed = {"version", "alternativeDates", "timeline"}
    assert {name for name in before if story.meeting[name] != before[name]} == changed | (
        {"viewerSide"} if before["viewerSide"] != chooser else set()
    )
    assert history(story.meeting) == [(chooser, "CANCELLED", False, None)]
    assert story.events(5) == [(f"ALTERNATIVE_DATE_CANCELLED_BY_{chooser}", chooser, None, None, alternative)]
    assert (await told(story.side(OTHER[chooser])))[0] == "ALTERNATIVE_DATE_CANCELLED"
    assert await uma.balance() == SPENT


@PROPOSER
@CHOOSER
async def test_r2_r4_a_rejected_meeting_is_agreed_on_another_date(
    world: Service, uma: Client, emil: Client, proposer: str, chooser: str
):
    story = await Negotiation(world, uma, emil).reject(proposer)
    new_start = world.at(days=20)
    credits_were = story.meeting["creditPaymentStatus"]
    assert credits_were == {"USER": "RETURNED", "EXPERT": "NOT_BLOCKED"}[proposer]
    async with uma.listening(UPDATES) as hers, emil.listening(UPDATES) as his, uma.listening(BALANCES) as balances:
        assert await purse(balances) == WHOLE
        await story.choose(chooser)
        alternative = story.meeting["alternativeDate"]["id"]
        pays_now = chooser == "USER"
        assert story.standing == ("AWAITING_APPROVAL", "BLOCKED" if pays_now else credits_were)
        assert story.answers(chooser) == ("APPROVED", "PENDING")
        assert (story.meeting["startsAt"], story.meeting["endsAt"]) == (new_start, world.at(days=20, hours=1))
        assert history(story.meeting) == [(chooser, "PENDING", False, None)]
        assert story.meeting["reason"] is None, "it is not rejected now (K6)"
        assert story.events(3) == [
            (f"ALTERNATIVE_DATE_CHOSEN_BY_{chooser}", chooser, None, None, alternative),
            (f"{chooser}_APPROVED", chooser, None, None, alternative),
        ]
        kind, facts = await told(story.side(OTHER[chooser]))
        assert (kind, facts["starts_at"]) == ("REJECTED_MEETING_RESCHEDULED", new_start)
        if pays_now:
            assert await purse(balances) == SPENT
        assert await balances.silent()
        assert await story.seen(chooser) == story.meeting

        await story.do(OTHER[chooser], "approveAlternativeDate")
        assert story.standing == ("AGREED", "BLOCKED")
        assert story.answers(chooser) == ("APPROVED", "APPROVED")
        assert (story.meeting["startsAt"], story.meeting["reason"]) == (new_start, None)
        assert history(story.meeting) == [(chooser, "APPROVED", False, None)]
        assert (await told(story.side(chooser)))[0] == "ALTERNATIVE_DATE_APPROVED"
        if not pays_now:
            assert await purse(balances) == SPENT
        assert await balances.silent()
        for socket in (hers, his):
            updates = await pushed(socket, 3)
            assert [update["meeting"]["status"] for update in updates] == ["AWAITING_APPROVAL"] * 2 + ["AGREED"]
            assert {update["meeting"]["startsAt"] for update in updates} == {new_start}


@PROPOSER
@CHOOSER
async def test_r5_rejected_again_without_a_date_in_force_the_side_that_rejected_it_now_has_and_credits_return(
    world: Service, uma: Client, emil: Client, proposer: str, chooser: str
):
    story = await Negotiation(world, uma, emil).reject(proposer)
    credits_were = story.meeting["creditPaymentStatus"]
    await story.choose(chooser)
    alternative = story.meeting["alternativeDate"]["id"]
    await story.do(OTHER[chooser], "rejectAlternativeDate", reasonCode="PRICE_DOES_NOT_SUIT")
    assert story.standing == ("REJECTED", "RETURNED" if chooser == "USER" else credits_were)
    assert story.answers(chooser) == ("APPROVED", "REJECTED")
    assert story.meeting["startsAt"] == world.at(days=20), "it keeps its new date"
    assert story.meeting["reason"] == {"code": "PRICE_DOES_NOT_SUIT"}
    assert history(story.meeting) == [(chooser, "REJECTED", False, "PRICE_DOES_NOT_SUIT")]
    rejected_by = f"ALTERNATIVE_DATE_REJECTED_BY_{OTHER[chooser]}"
    assert story.events(5) == [(rejected_by, OTHER[chooser], "PRICE_DOES_NOT_SUIT", None, alternative)]
    assert (await told(story.side(chooser)))[0] == "ALTERNATIVE_DATE_REJECTED"
    assert await uma.balance() == WHOLE
    assert await story.seen(OTHER[chooser]) == story.meeting


@PROPOSER
@CHOOSER
async def test_r6_taken_back_without_a_date_in_force_it_is_rejected_as_before_but_on_its_new_date(
    world: Service, uma: Client, emil: Client, proposer: str, chooser: str
):
    story = await Negotiation(world, uma, emil).reject(proposer)
    credits_were = story.meeting["creditPaymentStatus"]
    async with uma.listening(BALANCES) as balances:
        await story.choose(chooser)
        await story.do(chooser, "cancelAlternativeDate")
        expected = [WHOLE, SPENT, WHOLE] if chooser == "USER" else [WHOLE]
        assert [await purse(balances) for _ in expected] == expected
        assert await balances.silent()
    assert story.standing == ("REJECTED", "RETURNED" if chooser == "USER" else credits_were)
    assert story.answers(proposer) == ("APPROVED", "REJECTED"), "as they were, whoever chose"
    assert story.meeting["startsAt"] == world.at(days=20)
    assert story.meeting["reason"] == {"code": "TIME_DOES_NOT_SUIT"}, "why it was rejected stands again"
    assert history(story.meeting) == [(chooser, "CANCELLED", False, None)]
    assert (await told(story.side(OTHER[chooser])))[0] == "ALTERNATIVE_DATE_CANCELLED"
    assert await story.seen(chooser) == story.meeting


@CHOOSER
async def test_r1_one_after_the_other_the_alternatives_and_what_became_of_them_are_kept_newest_first(
    world: Service, uma: Client, emil: Client, chooser: str
):
    other = OTHER[chooser]
    story = await Negotiation(world, uma, emil).reject("USER")
    await story.choose(chooser, days=11)
    await story.do(other, "rejectAlternativeDate", reasonCode="TOO_SHORT_NOTICE")
    await story.choose(other, days=12)
    await story.do(other, "cancelAlternativeDate")
    assert story.answers(chooser) == ("APPROVED", "REJECTED"), "as the rejected alternative left them"
    assert story.meeting["reason"] == {"code": "TOO_SHORT_NOTICE"}
    await story.choose(other, days=13)
    await story.do(chooser, "approveAlternativeDate")
    await story.choose(chooser, days=14)
    assert history(story.meeting) == [
        (chooser, "PENDING", True, None),
        (other, "APPROVED", False, None),
        (other, "CANCELLED", False, None),
        (chooser, "REJECTED", False, "TOO_SHORT_NOTICE"),
    ]
    assert [each["startsAt"] for each in story.meeting["alternativeDates"]] == [
        world.at(days=days) for days in (14, 13, 12, 11)
    ]
    assert story.meeting["startsAt"] == world.at(days=13)
    assert story.meeting["alternativeDate"] == story.meeting["alternativeDates"][0]
    assert story.meeting["reason"] is None
    ids = [each["id"] for each in reversed(story.meeting["alternativeDates"])]
    assert [event[4] for event in story.events(3)] == [
        one for one, times in zip(ids, (3, 3, 3, 2), strict=True) for _ in range(times)
    ]
