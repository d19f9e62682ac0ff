"""Rescheduling, over the public API: what is refused or collides, and that then nothing has happened."""

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from models.ids import NOTHING
from schema.ids import global_id
from tests.driving import Client, Service
from tests.negotiations import CHOOSER, OTHER, PROPOSER, Negotiation

ACTIONS: dict[str, dict[str, Any]] = {
    "chooseAlternativeDate": {"startsAt": "2027-06-01T12:00:00Z"},
    "approveAlternativeDate": {},
    "rejectAlternativeDate": {"reasonCode": "OTHER"},
    "cancelAlternativeDate": {},
}
EACH_ACTION = pytest.mark.parametrize("action", ACTIONS)
ORIGIN = pytest.mark.parametrize("origin", ["agree", "reject"])


async def waiting(world: Service, uma: Client, emil: Client, origin: str, chooser: str) -> Negotiation:
    """An alternative date of an agreed or a rejected meeting, waiting to be answered."""
    story = Negotiation(world, uma, emil)
    await (story.agree("USER") if origin == "agree" else story.reject("USER"))
    return await story.choose(chooser)


def whose(action: str, chooser: str) -> str:
    """The side that may do it."""
    return chooser if action == "cancelAlternativeDate" else OTHER[chooser]


def refusal(result: dict[str, Any]) -> tuple[str, str | None]:
    return result["__typename"], result.get("refusal") or result.get("code")


@EACH_ACTION
async def test_w3_a_meeting_that_is_not_theirs_can_not_be_told_from_one_that_is_not_there(
    world: Service, uma: Client, emil: Client, action: str
):
    story = await waiting(world, uma, emil, "agree", "USER")
    stranger = await world.expert("Stan Stranger")
    alternative = story.meeting["alternativeDate"]["id"]
    async with world.nothing_changes():
        answers = [
            await stranger.act(action, **{**ACTIONS[action], "meetingId": each})
            for each in (story.meeting["id"], global_id("Meeting", NOTHING), alternative, stranger.id, "\x00garbage")
        ]
        assert await uma.act(action, **{**ACTIONS[action], "meetingId": alternative}) == answers[0]
    assert all(answer == answers[0] for answer in answers)
    assert answers[0]["__typename"] == "NotFound"
    query = "query($id: ID!) { node(id: $id) { id } }"
    assert await stranger.ask(query, id=alternative) == {"node": None}
    assert await emil.ask(query, id=alternative) == {"node": {"id": alternative}}


@EACH_ACTION
async def test_t_q3_staff_see_every_alternative_and_decide_none(
    world: Service, uma: Client, emil: Client, stella: Client, action: str
):
    story = await waiting(world, uma, emil, "reject", "EXPERT")
    seen = await stella.meeting(story.meeting["id"])
    assert seen is not None
    assert (seen["viewerSide"], seen["alternativeDate"]) == (None, story.meeting["alternativeDate"])
    async with world.nothing_changes():
        refused = await stella.act(action, meetingId=story.meeting["id"], **ACTIONS[action])
    assert refusal(refused) == ("ActionRefused", "NOT_YOUR_SIDE")


@ORIGIN
@CHOOSER
async def test_r1_r4_r5_r6_each_side_is_refused_what_is_the_others_to_do(
    world: Service, uma: Client, emil: Client, origin: str, chooser: str
):
    story = await waiting(world, uma, emil, origin, chooser)
    pending = "ALTERNATIVE_DATE_PENDING"
    again, answered = (pending, "WRONG_STATUS") if origin == "agree" else ("WRONG_STATUS", pending)
    expected = [
        (chooser, "approveAlternativeDate", "OWN_ALTERNATIVE_DATE"),
        (chooser, "rejectAlternativeDate", "OWN_ALTERNATIVE_DATE"),
        (OTHER[chooser], "cancelAlternativeDate", "NOT_OWN_ALTERNATIVE_DATE"),
        *((side, "chooseAlternativeDate", again) for side in OTHER),
        *((side, "approveMeeting", answered) for side in OTHER),
        *((side, "rejectMeeting", answered) for side in OTHER),
    ]
    async with world.nothing_changes():
        for side, action, why in expected:
            given = {"reasonCode": "OTHER"} if action == "rejectMeeting" else ACTIONS.get(action, {})
            refused = await story.attempt(side, action, **given)
            assert refusal(refused) == ("ActionRefused", why), (side, action)
            assert refused["currentMeeting"] == {"id": story.meeting["id"], "status": story.meeting["status"]}


async def test_r1_what_is_not_agreed_or_rejected_has_no_alternative_date(world: Service, uma: Client, emil: Client):
    story = await Negotiation(world, uma, emil).propose("USER")

    async def each_is_refused(**whys: str) -> None:
        async with world.nothing_changes():
            for side in OTHER:
                for action, given in ACTIONS.items():
                    refused = await story.attempt(side, action, **given)
                    assert refusal(refused) == ("ActionRefused", whys.get(action, whys["otherwise"])), action

    await each_is_refused(chooseAlternativeDate="WRONG_STATUS", otherwise="NO_ALTERNATIVE_DATE")
    await story.do("USER", "cancelMeeting", reasonCode=None)
    await each_is_refused(otherwise="WRONG_STATUS")
    rejected = await Negotiation(world, uma, emil).reject("USER")
    async with world.nothing_changes():
        for action in ("approveAlternativeDate", "rejectAlternativeDate", "cancelAlternativeDate"):
            refused = await rejected.attempt("EXPERT", action, **ACTIONS[action])
            assert refusal(refused) == ("ActionRefused", "WRONG_STATUS")


@ORIGIN
async def test_r1_nothing_is_chosen_from_the_planned_start_on(world: Service, uma: Client, emil: Client, origin: str):
    story = Negotiation(world, uma, emil)
    await (story.agree("USER") if origin == "agree" else story.reject("USER"))
    world.clock.advance(days=10)
    async with world.nothing_changes():
        for side in OTHER:
            refused = await story.attempt(side, "chooseAlternativeDate", startsAt=world.at(days=1))
            assert refusal(refused) == ("ActionRefused", "MEETING_STARTED")
    world.clock.advance(microseconds=-1)
    await story.choose("EXPERT", days=1)


@CHOOSER
@pytest.mark.parametrize(("origin", "days", "due"), [("agree", 5, 5), ("agree", 20, 10), ("reject", 20, 20)])
async def test_r4_r7_an_alternative_is_answered_before_either_start_or_never(
    world: Service, uma: Client, emil: Client, chooser: str, origin: str, days: float, due: float
):
    story = Negotiation(world, uma, emil)
    await (story.agree("USER") if origin == "agree" else story.reject("USER"))
    await story.choose(chooser, days=days)
    world.clock.advance(days=due)
    async with world.nothing_changes():
        for action in ("approveAlternativeDate", "rejectAlternativeDate", "cancelAlternativeDate"):
            refused = await story.attempt(whose(action, chooser), action, **ACTIONS[action])
            assert refusal(refused) == ("ActionRefused", "MEETING_STARTED")
    world.clock.advance(microseconds=-1)
    await story.do(OTHER[chooser], "approveAlternativeDate")


@ORIGIN
@CHOOSER
async def test_p4_r1_an_impossible_start_or_the_same_one_can_not_be_chosen(
    world: Service, uma: Client, emil: Client, origin: str, chooser: str
):
    story = Negotiation(world, uma, emil)
    await (story.agree("EXPERT") if origin == "agree" else story.reject("EXPERT"))
    same = datetime.fromisoformat(story.meeting["startsAt"]).astimezone(timezone(timedelta(hours=-7)))
    async with world.nothing_changes():
        for start, code in [
            (world.at(), "IN_THE_PAST"),
            (world.at(days=-700_000), "IN_THE_PAST"),
            (world.at(days=730, microseconds=1), "OUT_OF_RANGE"),
            (story.meeting["startsAt"], "UNCHANGED"),
            (same.isoformat(), "UNCHANGED"),
        ]:
            refused = await story.attempt(chooser, "chooseAlternativeDate", startsAt=start)
            assert (refused["__typename"], refused["field"], refused["code"]) == ("InvalidInput", "startsAt", code)
    await story.choose(chooser, days=730)


@pytest.mark.parametrize("reason", ["", "nonsense", "ILLNESS", "\x00", "\ud800"])
async def test_r5_a_reason_must_be_one_of_the_rejection_reasons(world: Service, uma: Client, emil: Client, reason: str):
    story = await waiting(world, uma, emil, "agree", "USER")
    async with world.nothing_changes():
        refused = await story.attempt("EXPERT", "rejectAlternativeDate", reasonCode=reason)
    assert (refused["__typename"], refused["field"], refused["code"]) == ("InvalidInput", "reasonCode", "UNKNOWN")


async def test_r2_r4_p7_only_the_user_is_told_of_too_few_credits_and_nothing_changes(world: Service, emil: Client):
    poor = await world.somebody("Paul Poor", credits="40.00")
    story = await Negotiation(world, poor, emil).reject("EXPERT", price="40.01")
    async with world.nothing_changes():
        refused = await story.attempt("USER", "chooseAlternativeDate", startsAt=world.at(days=20))
    assert refused["__typename"] == "InsufficientCredits"
    assert (refused["required"], refused["available"], refused["missing"]) == ("40.01", "40.00", "0.01")
    await story.choose("EXPERT")
    assert story.standing == ("AWAITING_APPROVAL", "NOT_BLOCKED")
    async with world.nothing_changes():
        refused = await story.attempt("USER", "approveAlternativeDate")
    assert (refused["__typename"], refused["missing"]) == ("InsufficientCredits", "0.01")


# Conflicts (C1, C2)


async def busy(person: Client, world: Service, *, as_user: bool, **ahead: float) -> str:
    """Another agreed meeting of an hour of this person's, in either role."""
    if as_user:
        story = await Negotiation(world, person, await world.expert("Olga Other", price="0.00")).agree(
            "USER", startsAt=world.at(**ahead)
        )
    else:
        other = await world.somebody("Otto Other", credits="100.00")
        story = await Negotiation(world, other, person).agree("USER", startsAt=world.at(**ahead))
    return story.meeting["id"]


@pytest.mark.usefixtures("whole_answers")
@ORIGIN
@CHOOSER
@pytest.mark.parametrize("as_user", [True, False])
async def test_c1_c2_approving_an_alternative_that_overlaps_must_be_acknowledged(
    world: Service, origin: str, chooser: str, as_user: bool
):
    """The date in force is no conflict of its own alternative, and what only touches is none."""
    one, two = [await world.expert(name) for name in ("Uma Both", "Emil Both")]
    staff = await world.somebody("Staff", roles=["staff"])
    await staff.act("grantCredits", personId=one.id, amount="100.00")
    story = Negotiation(world, one, two)
    await (story.agree("USER") if origin == "agree" else story.reject("USER"))
    mine, theirs = story.side(chooser), story.side(OTHER[chooser])
    overlapping = await busy(theirs, world, as_user=as_user, days=10, minutes=89)
    await busy(theirs, world, as_user=not as_user, days=10, minutes=-30)  # overlaps the old date, touches the new
    await busy(mine, world, as_user=as_user, days=10, minutes=45)  # nobody else's conflict
    await story.choose(chooser, days=10, minutes=30)

    clash = [{"id": overlapping}]
    assert [story.meeting["conflicts"], (await story.seen(OTHER[chooser]))["conflicts"]] == [[], clash]
    async with world.nothing_changes():
        refused = await story.attempt(OTHER[chooser], "approveAlternativeDate")
    assert (refused["__typename"], refused["conflicts"]) == ("ConflictsFound", clash)
    await story.do(OTHER[chooser], "approveAlternativeDate", acknowledgeConflicts=True)
    assert (story.meeting["status"], story.meeting["startsAt"]) == ("AGREED", world.at(days=10, minutes=30))


async def test_c1_once_an_alternative_is_approved_it_is_the_new_date_that_others_conflict_with(
    world: Service, uma: Client, emil: Client
):
    story = await Negotiation(world, uma, emil).agree("USER")
    await story.choose("USER", days=20)
    other = await world.somebody("Otto Other", credits="100.00")
    at_new = await other.proposed(emil, startsAt=world.at(days=20))
    assert (await emil.meeting(at_new["id"]) or {})["conflicts"] == [], "a date that waits is no conflict"
    await story.do("EXPERT", "approveAlternativeDate")
    assert (await emil.meeting(at_new["id"]) or {})["conflicts"] == [{"id": story.meeting["id"]}]
    at_old = await other.proposed(emil, startsAt=world.at(days=10))
    assert (await emil.act("approveMeeting", meetingId=at_old["id"]))["__typename"] == "MeetingChanged"


async def test_c1_what_touches_one_waiting_date_and_overlaps_another_conflicts_with_the_other_only(
    world: Service, uma: Client, emil: Client
):
    in_the_way = await busy(emil, world, as_user=False, days=10, hours=1)
    proposal = await Negotiation(world, await world.somebody("Urs User", credits="40.00"), emil).propose("USER")
    story = await (await Negotiation(world, uma, emil).reject("USER")).choose("USER", days=10, minutes=90)
    edges = (await emil.ask("{ meetings { edges { node { id conflicts { id } } } } }"))["meetings"]["edges"]
    assert {edge["node"]["id"]: edge["node"]["conflicts"] for edge in edges} == {
        proposal.meeting["id"]: [],
        story.meeting["id"]: [{"id": in_the_way}],
        in_the_way: [],
    }


# Which of several problems (Q4)


async def test_q4_a_choice_is_answered_with_the_first_of_its_problems(world: Service, uma: Client, emil: Client):
    """Each attempt has one thing less wrong with it than the one before."""
    story = await Negotiation(world, uma, emil).reject("USER")
    stale, past = {"expectedVersion": 1}, {"startsAt": world.at(days=-1)}
    same = {"startsAt": story.meeting["startsAt"]}
    drained = await Negotiation(world, uma, await world.expert("Eva", price="100.00")).agree("USER")
    assert drained.standing[1] == "BLOCKED"
    async with world.nothing_changes():
        for given, kind in [
            ({"meetingId": "unknown", **stale, **past}, "NotFound"),
            ({**stale, **past}, "InvalidInput"),
            ({**stale, **same}, "StaleVersion"),
            (same, "InvalidInput"),
            ({"startsAt": world.at(days=20)}, "InsufficientCredits"),
        ]:
            assert (await story.attempt("USER", "chooseAlternativeDate", **given))["__typename"] == kind
    world.clock.advance(days=10)
    async with world.nothing_changes():
        for given, kind in [
            ({**stale, **same}, "InvalidInput"),  # in the past, by now
            ({**stale, "startsAt": world.at(days=1)}, "StaleVersion"),
            ({"startsAt": world.at(days=1)}, "ActionRefused"),
        ]:
            assert (await story.attempt("USER", "chooseAlternativeDate", **given))["__typename"] == kind


async def test_q4_an_answer_to_an_alternative_is_answered_with_the_first_of_its_problems(
    world: Service, uma: Client, emil: Client
):
    story = await waiting(world, uma, emil, "reject", "EXPERT")
    expert = await world.expert("Eva Expert", price="100.00")
    blocking = await Negotiation(world, uma, expert).agree("USER", startsAt=story.meeting["startsAt"])
    stale, nonsense = {"expectedVersion": 1}, {"reasonCode": "nonsense"}
    attempts: list[tuple[str, str, dict[str, Any], str]] = [
        ("USER", "approveAlternativeDate", {"meetingId": "unknown", **stale}, "NotFound"),
        ("EXPERT", "approveAlternativeDate", {**stale, "idempotencyKey": " "}, "InvalidInput"),
        ("EXPERT", "approveAlternativeDate", stale, "StaleVersion"),
        ("EXPERT", "approveAlternativeDate", {}, "ActionRefused"),
        ("USER", "approveAlternativeDate", {}, "ConflictsFound"),
        ("USER", "approveAlternativeDate", {"acknowledgeConflicts": True}, "InsufficientCredits"),
        ("EXPERT", "rejectAlternativeDate", {**stale, **nonsense}, "InvalidInput"),
        ("EXPERT", "rejectAlternativeDate", {**stale, "reasonCode": "OTHER"}, "StaleVersion"),
        ("EXPERT", "rejectAlternativeDate", {"reasonCode": "OTHER"}, "ActionRefused"),
        ("USER", "cancelAlternativeDate", stale, "StaleVersion"),
        ("USER", "cancelAlternativeDate", {}, "ActionRefused"),
    ]
    async with world.nothing_changes():
        for side, action, given, kind in attempts:
            assert (await story.attempt(side, action, **given))["__typename"] == kind, (side, action, given)
    await blocking.do("USER", "cancelMeeting")
    await story.do("USER", "approveAlternativeDate", expectedVersion=story.meeting["version"])


@PROPOSER
@CHOOSER
async def test_i1_each_step_of_a_rescheduling_can_be_repeated_and_does_nothing_twice(
    world: Service, uma: Client, emil: Client, proposer: str, chooser: str
):
    story = await Negotiation(world, uma, emil).reject(proposer)
    for action in ("rejectAlternativeDate", "cancelAlternativeDate", "approveAlternativeDate"):
        # The start as it will have been: a repetition has the same input.
        choose = {"startsAt": world.at(days=20 + story.meeting["version"]), "idempotencyKey": f"before {action}"}
        answer = {**ACTIONS[action], "idempotencyKey": action}
        chosen = await story.do(chooser, "chooseAlternativeDate", **choose)
        answered = await story.do(whose(action, chooser), action, **answer)
        async with world.nothing_changes():
            again = await story.attempt(chooser, "chooseAlternativeDate", **choose)
            answered_again = await story.attempt(whose(action, chooser), action, **answer)
            reused = await story.attempt(chooser, "chooseAlternativeDate", **{**choose, "startsAt": world.at(days=9)})
        assert (again["events"], answered_again) == (chosen["events"], answered)
        assert again["meeting"]["version"] == answered["meeting"]["version"], "the meeting in it as it now is"
        assert reused["__typename"] == "IdempotencyKeyReused"
