"""Proposing, over the public API: what is refused, and that then nothing has happened."""

import pytest

from models.ids import NOTHING
from schema.ids import global_id
from tests.driving import Client, Service

UNKNOWN_IDS = ["", "nonsense", "Ümläut", "TWVldGluZzo=", "\x00", global_id("Person", NOTHING), "x" * 5000]


async def test_p1_too_few_available_credits_creates_nothing_and_says_how_many_are_missing(world: Service, emil: Client):
    poor = await world.somebody("Paul Poor", credits="39.99")
    async with world.nothing_changes():
        refused = await poor.propose(emil)
    assert refused["__typename"] == "InsufficientCredits"
    assert (refused["required"], refused["available"], refused["missing"]) == ("40.00", "39.99", "0.01")


async def test_p1_blocked_credits_are_not_available_for_a_second_proposal(world: Service, emil: Client):
    user = await world.somebody("Nora Narrow", credits="79.99")
    await user.proposed(emil)
    async with world.nothing_changes():
        refused = await user.propose(emil, startsAt=world.at(days=3))
    assert (refused["__typename"], refused["missing"]) == ("InsufficientCredits", "0.01")


async def test_p1_m4_a_free_meeting_is_blocked_without_a_movement(world: Service, uma: Client):
    expert = await world.expert("Frieda Free", price="0.00")
    meeting = await uma.proposed(expert)
    assert meeting["creditPaymentStatus"] == "BLOCKED"
    assert await uma.balance() == ("100.00", "0.00")
    rejected = await expert.act("rejectMeeting", meetingId=meeting["id"], reasonCode="OTHER")
    assert rejected["meeting"]["creditPaymentStatus"] == "RETURNED"


@pytest.mark.parametrize("expert_id", UNKNOWN_IDS)
async def test_p4_an_unknown_expert_is_not_found(world: Service, uma: Client, emil: Client, expert_id: str):
    async with world.nothing_changes():
        assert (await uma.propose(emil, expertId=expert_id))["__typename"] == "NotFound"


async def test_p4_somebody_who_never_offered_anything_is_no_expert_and_not_found(
    world: Service, uma: Client, emil: Client
):
    nobody = await world.somebody("Norbert Nobody")
    async with world.nothing_changes():
        unknown = await uma.propose(emil, expertId=global_id("Person", NOTHING))
        assert await uma.propose(emil, expertId=nobody.id) == unknown, "the two are never told apart"


async def test_p4_nobody_meets_themselves(world: Service, emil: Client):
    async with world.nothing_changes():
        refused = await emil.propose(emil)
    assert (refused["__typename"], refused["field"], refused["code"]) == ("InvalidInput", "expertId", "SELF")


@pytest.mark.parametrize(
    ("ahead", "code"),
    [
        ({"seconds": 0}, "IN_THE_PAST"),
        ({"days": -1}, "IN_THE_PAST"),
        ({"days": -700_000}, "IN_THE_PAST"),
        ({"days": 730, "microseconds": 1}, "OUT_OF_RANGE"),
        ({"days": 2_900_000}, "OUT_OF_RANGE"),
    ],
)
async def test_p4_past_and_absurd_starts_are_refused_on_both_sides(
    world: Service, uma: Client, emil: Client, ahead: dict[str, float], code: str
):
    origin = await uma.proposed(emil)
    async with world.nothing_changes():
        for refused in (
            await uma.propose(emil, startsAt=world.at(**ahead)),
            await emil.offer(uma, origin["id"], startsAt=world.at(**ahead)),
        ):
            assert (refused["__typename"], refused["field"], refused["code"]) == ("InvalidInput", "startsAt", code)


async def test_p4_the_last_possible_start_is_possible(world: Service, uma: Client, emil: Client):
    await uma.proposed(emil, startsAt=world.at(days=730))


@pytest.mark.parametrize("field", ["serviceId", "skillId"])
@pytest.mark.parametrize("value", [*UNKNOWN_IDS, "of another expert", "of another type"])
async def test_p4_service_and_skill_must_be_the_experts_on_both_sides(
    world: Service, uma: Client, emil: Client, field: str, value: str
):
    other = await world.expert("Olga Other")
    await other.act("setSkills", names=["Rust"])
    of_other = {
        "serviceId": other.service,
        "skillId": (await other.ask("{ me { skills { id } } }"))["me"]["skills"][0]["id"],
    }
    value = {"of another expert": of_other[field], "of another type": emil.id}.get(value, value)
    origin = await uma.proposed(emil)
    async with world.nothing_changes():
        for refused in (
            await uma.propose(emil, startsAt=world.at(days=2), **{field: value}),
            await emil.offer(uma, origin["id"], **{field: value}),
        ):
            assert (refused["__typename"], refused["field"], refused["code"]) == ("InvalidInput", field, "UNKNOWN")


async def test_p4_an_inactive_service_can_not_be_proposed(world: Service, uma: Client, emil: Client):
    origin = await uma.proposed(emil)
    await emil.act(
        "saveService", serviceId=emil.service, name="Advice", durationMinutes=60, price="40.00", active=False
    )
    async with world.nothing_changes():
        for refused in (await uma.propose(emil), await emil.offer(uma, origin["id"])):
            assert (refused["__typename"], refused["field"], refused["code"]) == (
                "InvalidInput",
                "serviceId",
                "UNKNOWN",
            )


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"durationMinutes": 4}, "durationMinutes"),
        ({"durationMinutes": 481}, "durationMinutes"),
        ({"durationMinutes": -60}, "durationMinutes"),
        ({"durationMinutes": 2**31 - 1}, "durationMinutes"),
        ({"price": "-0.01"}, "price"),
        ({"price": "1000000.01"}, "price"),
        ({"price": "999999999999999999"}, "price"),
    ],
)
async def test_p4_lengths_and_prices_out_of_range_are_refused(
    world: Service, uma: Client, emil: Client, changes: dict[str, object], field: str
):
    origin = await uma.proposed(emil)
    async with world.nothing_changes():
        refused = await emil.offer(uma, origin["id"], **changes)
    assert (refused["__typename"], refused["field"], refused["code"]) == ("InvalidInput", field, "OUT_OF_RANGE")


async def test_p1_the_price_and_length_are_those_of_the_service_when_it_is_proposed(
    world: Service, uma: Client, emil: Client
):
    before = await uma.proposed(emil)
    await emil.act("saveService", serviceId=emil.service, name="Advice", durationMinutes=30, price="15.00")
    after = await uma.proposed(emil, startsAt=world.at(days=2))
    assert (after["price"], after["durationMinutes"]) == ("15.00", 30)
    kept = await uma.meeting(before["id"])
    assert kept is not None
    assert (kept["price"], kept["durationMinutes"]) == ("40.00", 60)


async def test_p2_an_expert_proposes_from_any_meeting_of_the_two_whatever_became_of_it(
    world: Service, uma: Client, emil: Client
):
    meeting = await uma.proposed(emil)
    await emil.act("rejectMeeting", meetingId=meeting["id"], reasonCode="OTHER")
    assert (await emil.offer(uma, meeting["id"]))["__typename"] == "MeetingChanged"


async def test_p2_from_a_meeting_where_one_was_the_user_one_can_not_propose_as_its_expert(
    world: Service, uma: Client, emil: Client
):
    meeting = await uma.proposed(emil)
    both = await world.expert("Bea Both", price="1.00")
    async with world.nothing_changes():
        as_user = await uma.offer(emil, meeting["id"], serviceId=both.service, skillId=both.skill)
    assert (as_user["__typename"], as_user["refusal"]) == ("ActionRefused", "NOT_YOUR_SIDE")
    assert as_user["currentMeeting"] == {"id": meeting["id"], "status": "AWAITING_APPROVAL"}


async def test_p2_a_meeting_that_is_not_theirs_is_not_found_not_even_for_staff(
    world: Service, uma: Client, emil: Client, stella: Client
):
    meeting = await uma.proposed(emil)
    stranger = await world.expert("Stan Stranger")
    async with world.nothing_changes():
        for somebody in (stranger, stella):
            refused = await somebody.offer(uma, meeting["id"], serviceId=stranger.service, skillId=stranger.skill)
            assert refused["__typename"] == "NotFound"
        for unknown in UNKNOWN_IDS:
            assert (await emil.offer(uma, unknown))["__typename"] == "NotFound"


async def test_p2_a_proposal_to_a_user_must_come_from_somewhere(world: Service, uma: Client, emil: Client):
    async with world.nothing_changes():
        refused = await emil.offer(uma, "", meetingId=None)
    assert (refused["__typename"], refused["field"], refused["code"]) == ("InvalidInput", "meetingId", "REQUIRED")


async def test_q4_what_is_not_found_comes_before_what_is_wrong_and_that_before_what_is_refused(
    world: Service, uma: Client, emil: Client
):
    meeting = await uma.proposed(emil)
    wrong = {"startsAt": world.at(days=-1), "serviceId": emil.service, "skillId": emil.skill}
    async with world.nothing_changes():
        assert (await uma.offer(emil, "unknown", **wrong))["__typename"] == "NotFound"
        assert (await uma.offer(emil, meeting["id"], **wrong))["__typename"] == "InvalidInput"
        right = {"serviceId": emil.service, "skillId": emil.skill}
        assert (await uma.offer(emil, meeting["id"], **right))["__typename"] == "ActionRefused"


async def test_q4_an_input_that_depends_on_the_state_comes_before_the_credits(world: Service, emil: Client):
    poor = await world.somebody("Paula Poor")
    async with world.nothing_changes():
        assert (await poor.propose(emil, skillId="unknown"))["__typename"] == "InvalidInput"
        assert (await poor.propose(emil))["__typename"] == "InsufficientCredits"
