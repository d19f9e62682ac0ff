"""Answering, and taking a proposal back, over the public API: what is refused, and that then nothing has happened."""

from itertools import product
from typing import Any

import pytest

from models.ids import NOTHING
from schema.ids import global_id
from tests.driving import Client, Service

ACTIONS: dict[str, dict[str, Any]] = {
    "approveMeeting": {},
    "rejectMeeting": {"reasonCode": "OTHER"},
    "cancelMeeting": {},
}
EACH_ACTION = pytest.mark.parametrize("action", ACTIONS)


def refused_with(result: dict[str, Any]) -> tuple[str, str | None]:
    return result["__typename"], result.get("refusal") or result.get("code")


@EACH_ACTION
async def test_w3_a_meeting_that_is_not_theirs_can_not_be_told_from_one_that_is_not_there(
    world: Service, uma: Client, emil: Client, action: str
):
    meeting = await uma.proposed(emil)
    stranger = await world.expert("Stan Stranger")
    async with world.nothing_changes():
        foreign = await stranger.act(action, meetingId=meeting["id"], **ACTIONS[action])
        unknown = await stranger.act(action, meetingId=global_id("Meeting", NOTHING), **ACTIONS[action])
        another_type = await stranger.act(action, meetingId=stranger.id, **ACTIONS[action])
        garbage = await stranger.act(action, meetingId="\x00garbage", **ACTIONS[action])
    assert foreign == unknown == another_type == garbage
    assert foreign["__typename"] == "NotFound"


@EACH_ACTION
async def test_t_q3_staff_see_every_meeting_but_act_on_none_that_is_not_their_own(
    world: Service, uma: Client, emil: Client, stella: Client, action: str
):
    meeting = await uma.proposed(emil)
    async with world.nothing_changes():
        refused = await stella.act(action, meetingId=meeting["id"], **ACTIONS[action])
    assert refused_with(refused) == ("ActionRefused", "NOT_YOUR_SIDE")
    seen = await stella.meeting(meeting["id"])
    assert seen is not None
    assert seen["viewerSide"] is None


async def test_t_on_a_meeting_of_their_own_staff_are_only_a_side(world: Service, emil: Client):
    boss = await world.somebody("Bossa Staff", roles=["staff"], credits="40.00")
    meeting = await boss.proposed(emil)
    assert meeting["viewerSide"] == "USER"
    async with world.nothing_changes():
        refused = await boss.act("approveMeeting", meetingId=meeting["id"])
    assert refused_with(refused) == ("ActionRefused", "ALREADY_ANSWERED")
    assert (await boss.act("cancelMeeting", meetingId=meeting["id"]))["__typename"] == "MeetingChanged"


@pytest.mark.parametrize(("action", "code"), [("rejectMeeting", "REJECTION"), ("cancelMeeting", "CANCELLATION")])
@pytest.mark.parametrize("reason", ["", "nonsense", "other", "\x00", "\ud800", "x" * 5000, "of the other list"])
async def test_a3_k1_a_reason_must_be_one_of_its_list(
    world: Service, uma: Client, emil: Client, action: str, code: str, reason: str
):
    if reason == "of the other list":
        reason = {"REJECTION": "ILLNESS", "CANCELLATION": "TOO_SHORT_NOTICE"}[code]
    meeting = await uma.proposed(emil)
    somebody = emil if action == "rejectMeeting" else uma
    async with world.nothing_changes():
        refused = await somebody.act(action, meetingId=meeting["id"], reasonCode=reason)
    assert (refused["__typename"], refused["field"], refused["code"]) == ("InvalidInput", "reasonCode", "UNKNOWN")


async def test_a1_too_few_credits_to_approve_and_nothing_changes(world: Service, emil: Client):
    poor = await world.somebody("Paul Poor", credits="40.00")
    meeting = await emil.offered(poor, price="40.01")
    async with world.nothing_changes():
        refused = await poor.act("approveMeeting", meetingId=meeting["id"])
    assert refused["__typename"] == "InsufficientCredits"
    assert (refused["required"], refused["available"], refused["missing"]) == ("40.01", "40.00", "0.01")


async def test_p7_an_expert_is_never_told_of_the_users_credits(world: Service, emil: Client):
    user = await world.somebody("Ursel User", credits="40.00")
    meeting = await user.proposed(emil)
    assert (await emil.act("approveMeeting", meetingId=meeting["id"]))["__typename"] == "MeetingChanged"
    person = (
        await emil.ask(
            "query($id: ID!) { meeting(id: $id) { user { email creditAccount { available } } } }", id=meeting["id"]
        )
    )["meeting"]["user"]
    assert person == {"email": None, "creditAccount": None}


@EACH_ACTION
async def test_a_k1_from_the_planned_start_on_nothing_can_be_answered_or_cancelled(
    world: Service, uma: Client, emil: Client, action: str
):
    meeting = await uma.proposed(emil)
    world.clock.advance(days=1)
    somebody = uma if action == "cancelMeeting" else emil
    async with world.nothing_changes():
        refused = await somebody.act(action, meetingId=meeting["id"], **ACTIONS[action])
    assert refused_with(refused) == ("ActionRefused", "MEETING_STARTED")
    assert refused["currentMeeting"] == {"id": meeting["id"], "status": "AWAITING_APPROVAL"}


@pytest.mark.parametrize(
    ("ended_by", "action"), [pair for pair in product(ACTIONS, ACTIONS) if pair != ("approveMeeting", "cancelMeeting")]
)
async def test_a_k1_what_is_answered_or_cancelled_stays_so(
    world: Service, uma: Client, emil: Client, ended_by: str, action: str
):
    """But what is agreed can be called off (K2)."""
    meeting = await uma.proposed(emil)
    ender = uma if ended_by == "cancelMeeting" else emil
    assert (await ender.act(ended_by, meetingId=meeting["id"], **ACTIONS[ended_by]))["__typename"] == "MeetingChanged"
    async with world.nothing_changes():
        for somebody in (uma, emil):
            refused = await somebody.act(action, meetingId=meeting["id"], **ACTIONS[action])
            assert refused_with(refused) == ("ActionRefused", "WRONG_STATUS")


async def test_k1_the_other_side_rejects_instead_of_cancelling(world: Service, uma: Client, emil: Client):
    meeting = await uma.proposed(emil)
    async with world.nothing_changes():
        refused = await emil.act("cancelMeeting", meetingId=meeting["id"])
    assert refused_with(refused) == ("ActionRefused", "NOT_YOUR_SIDE")


@EACH_ACTION
async def test_q4_a_version_that_has_moved_on_is_told_before_what_would_be_refused(
    world: Service, uma: Client, emil: Client, action: str
):
    meeting = await uma.proposed(emil)
    somebody = uma if action == "cancelMeeting" else emil
    async with world.nothing_changes():
        for version in (1, 3, -1, 0):
            stale = await somebody.act(action, meetingId=meeting["id"], expectedVersion=version, **ACTIONS[action])
            assert stale["__typename"] == "StaleVersion"
            assert stale["meeting"] == {"id": meeting["id"], "version": 2}
        given = {"meetingId": meeting["id"], "expectedVersion": 1, **ACTIONS[action]}
        unnamed = await somebody.act(action, idempotencyKey="", **given)
        assert unnamed["__typename"] == "InvalidInput", "what the input alone shows comes first"
    done = await somebody.act(action, meetingId=meeting["id"], expectedVersion=2, **ACTIONS[action])
    assert done["__typename"] == "MeetingChanged"


@pytest.mark.usefixtures("whole_answers")
async def test_t_a_timelines_times_never_run_backwards_even_if_the_clock_does(
    world: Service, uma: Client, emil: Client
):
    meeting = await uma.proposed(emil)
    world.clock.advance(seconds=-30)
    approved = await emil.act("approveMeeting", meetingId=meeting["id"])
    times = [edge["node"]["occurredAt"] for edge in approved["meeting"]["timeline"]["edges"]]
    assert times == sorted(times)
