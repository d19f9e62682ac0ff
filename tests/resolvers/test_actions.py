"""What a viewer may do with a meeting and what it would bring, over the public API (Q3)."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from rules.terms import MeetingActionKind
from tests.driving import COST, Client, Service
from tests.negotiations import CHOOSER, OTHER, PROPOSER, Negotiation
from tests.statements import statements

FIELDS = "actions { kind allowed refusal opensAt closesAt consequences { ...Cost } }"
ACTIONS = f"query($id: ID!) {{ meeting(id: $id) {{ {FIELDS} }} }} {COST}"
LIST = f"{{ meetings {{ edges {{ node {{ id {FIELDS} }} }} }} }} {COST}"

MUTATIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "APPROVE": ("approveMeeting", {"acknowledgeConflicts": True}),
    "REJECT": ("rejectMeeting", {"reasonCode": "OTHER"}),
    "CANCEL": ("cancelMeeting", {"reasonCode": "OTHER", "acknowledgeLateCancellation": True}),
    "CHOOSE_ALTERNATIVE_DATE": ("chooseAlternativeDate", {}),
    "APPROVE_ALTERNATIVE_DATE": ("approveAlternativeDate", {"acknowledgeConflicts": True}),
    "REJECT_ALTERNATIVE_DATE": ("rejectAlternativeDate", {"reasonCode": "OTHER"}),
    "CANCEL_ALTERNATIVE_DATE": ("cancelAlternativeDate", {}),
}

NOTHING = {
    "creditsBlocked": "0.00",
    "creditsReturnedToUser": "0.00",
    "creditsDeductedFromUser": "0.00",
    "creditsPaidToExpert": "0.00",
    "acknowledgementRequired": False,
    "freeUntil": None,
    "originalDateStaysInForce": False,
    "conflicts": [],
}

SITUATIONS = ["proposed", "agreed", "rejected", "cancelled", "agreed-alt", "rejected-alt"]


async def bring_about(story: Negotiation, situation: str, proposer: str) -> Negotiation:
    """A meeting in this situation; in the last two the proposer chose."""
    match situation:
        case "proposed":
            return await story.propose(proposer)
        case "agreed" | "agreed-alt":
            await story.agree(proposer)
        case "rejected" | "rejected-alt":
            await story.reject(proposer)
        case "cancelled":
            await story.propose(proposer)
            await story.do(proposer, "cancelMeeting")
    return await story.choose(proposer) if situation.endswith("-alt") else story


async def shown(viewer: Client, story: Negotiation) -> dict[str, dict[str, Any]]:
    """What a viewer may do, by kind."""
    actions = (await viewer.ask(ACTIONS, id=story.meeting["id"]))["meeting"]["actions"]
    assert [each["kind"] for each in actions] == [kind.value for kind in MeetingActionKind], "every kind, each once"
    for each in actions:
        assert each["allowed"] == (each["refusal"] is None)
        assert (each["opensAt"] is not None) == (each["refusal"] == "TOO_EARLY")
        if each["refusal"]:
            assert (each["closesAt"], each["consequences"]) == (None, None)
    return {each["kind"]: each for each in actions}


@PROPOSER
@pytest.mark.parametrize("situation", SITUATIONS)
@pytest.mark.parametrize("begun", [False, True])
async def test_q3_what_is_shown_as_allowed_goes_through_as_shown_and_what_is_refused_is_refused_for_that_reason(
    world: Service, uma: Client, emil: Client, situation: str, proposer: str, begun: bool
):
    story = await bring_about(Negotiation(world, uma, emil), situation, proposer)
    if begun:
        world.clock.advance(days=20)
    allowed: list[tuple[str, str]] = []
    for side in OTHER:
        seen = await shown(story.side(side), story)
        assert seen["PROPOSE_AGAIN"]["allowed"]
        assert (seen["PROPOSE_AGAIN"]["closesAt"], seen["PROPOSE_AGAIN"]["consequences"]) == (None, None)
        async with world.nothing_changes():
            for kind, (mutation, _) in MUTATIONS.items():
                if seen[kind]["allowed"]:
                    allowed.append((side, kind))
                    continue
                given = {
                    "chooseAlternativeDate": {"startsAt": world.at(days=40)},
                    "rejectMeeting": {"reasonCode": "OTHER"},
                    "rejectAlternativeDate": {"reasonCode": "OTHER"},
                }.get(mutation, {})
                refused = await story.attempt(side, mutation, **given)
                assert (refused["__typename"], refused["refusal"]) == ("ActionRefused", seen[kind]["refusal"])
    assert bool(allowed) == (not begun and situation != "cancelled")
    for number, (side, kind) in enumerate(allowed):
        if number:  # each is tried from the same situation
            story = await bring_about(Negotiation(world, uma, emil), situation, proposer)
        await goes_through_as_shown(story, side, kind)
        if story.meeting["status"] == "AGREED":
            await story.do("EXPERT", "cancelMeeting")
        elif story.meeting["status"] == "AWAITING_APPROVAL":
            await story.do(side, "cancelMeeting")


async def goes_through_as_shown(story: Negotiation, side: str, kind: str) -> None:
    """Do what is allowed and compare the balances, and the date, with the consequences."""
    cost = (await shown(story.side(side), story))[kind]["consequences"]
    before, (available, blocked) = story.meeting, await story.user.balance()
    of_expert, _ = await story.expert.balance()
    mutation, given = MUTATIONS[kind]
    if kind == "CHOOSE_ALTERNATIVE_DATE":
        given = {"startsAt": story.world.at(days=30)}
    await story.do(side, mutation, **given)

    def hundredths(amount: str) -> int:
        return int(amount.replace(".", ""))

    now_available, now_blocked = await story.user.balance()
    now_of_expert, _ = await story.expert.balance()
    returned, taken = hundredths(cost["creditsReturnedToUser"]), hundredths(cost["creditsBlocked"])
    assert hundredths(now_available) - hundredths(available) == returned - taken
    assert hundredths(blocked) - hundredths(now_blocked) == (
        returned + hundredths(cost["creditsDeductedFromUser"]) - taken
    )
    assert hundredths(now_of_expert) - hundredths(of_expert) == hundredths(cost["creditsPaidToExpert"])
    stayed = before["status"] == story.meeting["status"] == "AGREED"
    assert cost["originalDateStaysInForce"] == (stayed and before["startsAt"] == story.meeting["startsAt"])


@pytest.mark.parametrize("situation", SITUATIONS)
async def test_q3_nothing_of_it_is_staffs_to_do_but_to_decide_what_is_referred(
    world: Service, uma: Client, emil: Client, stella: Client, situation: str
):
    story = await bring_about(Negotiation(world, uma, emil), situation, "USER")
    seen = await shown(stella, story)
    assert seen.pop("DECIDE")["refusal"] == "WRONG_STATUS"
    assert {each["refusal"] for each in seen.values()} == {"NOT_YOUR_SIDE"}


async def test_t_q3_on_a_meeting_of_their_own_staff_are_only_a_side(world: Service, emil: Client):
    boss = await world.somebody("Bossa Staff", roles=["staff"], credits="40.00")
    story = await Negotiation(world, boss, emil).propose("USER")
    seen = await shown(boss, story)
    assert seen["CANCEL"]["allowed"]
    assert seen["APPROVE"]["refusal"] == "ALREADY_ANSWERED"


async def test_k5_q3_calling_off_is_free_until_48_hours_before_and_then_costs_the_user_half(
    world: Service, uma: Client, emil: Client
):
    story = await Negotiation(world, uma, emil).agree("USER")
    start = datetime.fromisoformat(story.meeting["startsAt"])
    free_until = start - timedelta(hours=48)
    free = {**NOTHING, "creditsReturnedToUser": "40.00"}
    half = {"creditsReturnedToUser": "20.00", "creditsDeductedFromUser": "20.00", "creditsPaidToExpert": "16.00"}
    for now, hers, his in [
        (world.clock.time, {**free, "freeUntil": free_until.isoformat()}, free),
        (free_until, {**free, "freeUntil": free_until.isoformat()}, free),
        (
            free_until + timedelta(microseconds=1),
            {**NOTHING, **half, "acknowledgementRequired": True},
            {**free, "acknowledgementRequired": True},
        ),
    ]:
        world.clock.time = now
        for viewer, expected in ((uma, hers), (emil, his)):
            action = (await shown(viewer, story))["CANCEL"]
            assert (action["closesAt"], action["consequences"]) == (start.isoformat(), expected)


@CHOOSER
@pytest.mark.parametrize("days", [5, 20])
async def test_r1_r3_r7_what_a_choice_means_is_shown_before_and_until_when_it_can_be_answered(
    world: Service, uma: Client, emil: Client, chooser: str, days: int
):
    story = await Negotiation(world, uma, emil).agree("USER")
    start = story.meeting["startsAt"]
    choosing = (await shown(story.side(chooser), story))["CHOOSE_ALTERNATIVE_DATE"]
    assert choosing["consequences"] == {**NOTHING, "originalDateStaysInForce": True}
    assert choosing["closesAt"] == start
    await story.choose(chooser, days=days)
    closes = min(start, story.meeting["alternativeDate"]["startsAt"])
    hers = await shown(story.side(chooser), story)
    theirs = await shown(story.side(OTHER[chooser]), story)
    stays = {**NOTHING, "originalDateStaysInForce": True}
    for action, consequences in [
        (hers["CANCEL_ALTERNATIVE_DATE"], stays),
        (theirs["REJECT_ALTERNATIVE_DATE"], stays),
        (theirs["APPROVE_ALTERNATIVE_DATE"], NOTHING),
    ]:
        assert (action["closesAt"], action["consequences"]) == (closes, consequences)
    assert hers["CANCEL"]["closesAt"] == theirs["CANCEL"]["closesAt"] == start


async def test_c2_q3_an_approval_shows_what_it_would_collide_with_and_asks_for_an_acknowledgement(
    world: Service, uma: Client, emil: Client, stella: Client
):
    other = await world.somebody("Otto Other", credits="100.00")
    in_the_way = await Negotiation(world, other, emil).agree("USER")
    proposal = await Negotiation(world, uma, emil).propose("USER")
    rescheduled = await Negotiation(world, uma, emil).reject("USER")
    await rescheduled.choose("USER", days=10, minutes=59)
    clash = {**NOTHING, "acknowledgementRequired": True, "conflicts": [{"id": in_the_way.meeting["id"]}]}
    for story, approve, reject in [
        (proposal, "APPROVE", "REJECT"),
        (rescheduled, "APPROVE_ALTERNATIVE_DATE", "REJECT_ALTERNATIVE_DATE"),
    ]:
        his = await shown(emil, story)
        assert his[approve]["allowed"], "whether it is allowed looks at no conflicts"
        assert his[approve]["consequences"] == clash
        assert his[reject]["consequences"] == {**NOTHING, "creditsReturnedToUser": "40.00"}, (
            "that collides with nothing"
        )
        for viewer in (uma, stella):
            seen = await shown(viewer, story)
            assert not any(each["consequences"]["conflicts"] for each in seen.values() if each["consequences"])


async def test_q3_whether_it_is_allowed_looks_at_no_credits(world: Service, emil: Client):
    poor = await world.somebody("Paul Poor", credits="40.00")
    proposal = await Negotiation(world, poor, emil).propose("EXPERT", price="50.00")
    rejected = await Negotiation(world, poor, emil).reject("EXPERT", price="50.00")
    for story, kind in ((proposal, "APPROVE"), (rejected, "CHOOSE_ALTERNATIVE_DATE")):
        action = (await shown(poor, story))[kind]
        assert (action["allowed"], action["consequences"]) == (True, {**NOTHING, "creditsBlocked": "50.00"})


async def test_q3_a_list_with_the_actions_of_every_meeting_takes_no_more_statements_than_with_one(
    world: Service, uma: Client, emil: Client
):
    await bring_about(Negotiation(world, uma, emil), "rejected-alt", "EXPERT")
    with statements() as for_one:
        assert len((await uma.ask(LIST))["meetings"]["edges"]) == 1
    for situation in ("agreed-alt", "rejected-alt", "rejected"):
        await bring_about(Negotiation(world, uma, emil), situation, "EXPERT")
    with statements() as for_four:
        assert len((await uma.ask(LIST))["meetings"]["edges"]) == 4
    assert len(for_four) == len(for_one)
