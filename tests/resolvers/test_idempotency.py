"""Safe repetition (I1) and all-or-nothing (I2)."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import asyncpg
import pytest
from tortoise.connection import get_connection

from models import Service as ServiceRow
from models.transactions import before_each_statement
from tests.driving import Client, Service


async def test_i1_a_repetition_does_nothing_and_gives_the_first_answer_with_the_meeting_as_it_now_is(
    world: Service, uma: Client, emil: Client
):
    first = await uma.propose(emil, idempotencyKey="a key")
    await emil.act("approveMeeting", meetingId=first["meeting"]["id"])
    async with world.nothing_changes():
        again = await uma.propose(emil, startsAt=first["meeting"]["startsAt"], idempotencyKey="a key")
    assert again["events"] == first["events"]
    assert (again["meeting"]["id"], again["meeting"]["status"]) == (first["meeting"]["id"], "AGREED")


async def test_i1_every_mutation_of_a_meeting_can_be_repeated(world: Service, uma: Client, emil: Client):
    origin = await uma.proposed(emil)
    approve = {"meetingId": origin["id"], "idempotencyKey": "approve"}
    offer = {"startsAt": world.at(days=5), "idempotencyKey": "offer"}
    firsts = [await emil.act("approveMeeting", **approve), await emil.offer(uma, origin["id"], **offer)]
    reject = {"meetingId": firsts[1]["meeting"]["id"], "reasonCode": "OTHER", "idempotencyKey": "reject"}
    cancel = {"meetingId": (await uma.proposed(emil))["id"], "idempotencyKey": "cancel"}
    firsts += [await uma.act("rejectMeeting", **reject), await uma.act("cancelMeeting", **cancel)]
    async with world.nothing_changes():
        agains = [
            await emil.act("approveMeeting", **approve),
            await emil.offer(uma, origin["id"], **offer),
            await uma.act("rejectMeeting", **reject),
            await uma.act("cancelMeeting", **cancel),
        ]
    assert [result["__typename"] for result in agains] == ["MeetingChanged"] * 4
    assert [result["events"] for result in agains] == [result["events"] for result in firsts]


async def test_i1_another_input_under_the_same_key_is_refused_before_anything_else(
    world: Service, uma: Client, emil: Client
):
    meeting = await uma.proposed(emil, idempotencyKey="a key")
    async with world.nothing_changes():
        for reused in (
            await uma.propose(emil, startsAt=world.at(days=2), idempotencyKey="a key"),
            await uma.propose(emil, expertId="unknown", startsAt=world.at(days=-2), idempotencyKey="a key"),
            await uma.act("cancelMeeting", meetingId=meeting["id"], idempotencyKey="a key"),
            await uma.act("cancelMeeting", meetingId="unknown", idempotencyKey="a key"),
        ):
            assert reused["__typename"] == "IdempotencyKeyReused"


async def test_i1_two_spellings_of_one_instant_are_one_input(world: Service, uma: Client, emil: Client):
    first = await uma.propose(emil, startsAt="2027-03-05T10:00:00Z", idempotencyKey="a key")
    again = await uma.propose(emil, startsAt="2027-03-05T11:00:00.000+01:00", idempotencyKey="a key")
    assert again["meeting"]["id"] == first["meeting"]["id"]


async def test_i1_what_is_left_out_and_what_is_given_as_its_default_are_one_input(
    world: Service, uma: Client, emil: Client
):
    meeting = await uma.proposed(emil)
    given = {"meetingId": meeting["id"], "idempotencyKey": "a key"}
    first = await emil.act("approveMeeting", **given)
    again = await emil.act("approveMeeting", **given, acknowledgeConflicts=False, expectedVersion=None)
    assert again == first
    async with world.nothing_changes():
        other = await emil.act("approveMeeting", **given, acknowledgeConflicts=True)
    assert other["__typename"] == "IdempotencyKeyReused"


async def test_i1_a_key_is_its_persons_own(world: Service, uma: Client, emil: Client):
    other = await world.somebody("Otto Other", credits="100.00")
    first = await uma.proposed(emil, idempotencyKey="a key")
    second = await other.proposed(emil, idempotencyKey="a key")
    assert first["id"] != second["id"]


async def test_i1_a_problem_is_not_kept_and_the_retry_is_judged_anew(world: Service, emil: Client, stella: Client):
    poor = await world.somebody("Paul Poor", credits="39.00")
    async with world.nothing_changes():
        assert (await poor.propose(emil, idempotencyKey="a key"))["__typename"] == "InsufficientCredits"
    await stella.act("grantCredits", personId=poor.id, amount="1.00")
    assert (await poor.propose(emil, idempotencyKey="a key"))["__typename"] == "MeetingChanged"


@pytest.mark.parametrize(
    ("key", "code"),
    [("", "REQUIRED"), ("   ", "REQUIRED"), ("x" * 201, "TOO_LONG"), ("\x00", "MALFORMED"), ("\udfff", "MALFORMED")],
)
async def test_p4_a_key_that_can_not_be_kept_is_invalid(
    world: Service, uma: Client, emil: Client, stella: Client, key: str, code: str
):
    meeting = await uma.proposed(emil)
    actions: list[tuple[Client, str, dict[str, Any]]] = [
        (uma, "proposeMeeting", uma.proposal(emil)),
        (emil, "approveMeeting", {"meetingId": meeting["id"]}),
        (emil, "rejectMeeting", {"meetingId": meeting["id"], "reasonCode": "OTHER"}),
        (uma, "cancelMeeting", {"meetingId": meeting["id"]}),
        (stella, "grantCredits", {"personId": uma.id, "amount": "1.00"}),
        (emil, "saveService", {"name": "New", "durationMinutes": 30, "price": "1.00"}),
        (emil, "setSkills", {"names": ["New"]}),
        (emil, "updateProfile", {"language": "DE"}),
    ]
    async with world.nothing_changes():
        for somebody, action, given in actions:
            refused = await somebody.act(action, idempotencyKey=key, **given)
            assert (refused["__typename"], refused["field"], refused["code"]) == (
                "InvalidInput",
                "idempotencyKey",
                code,
            )


async def test_p4_a_key_of_200_characters_is_kept(world: Service, uma: Client, emil: Client):
    first = await uma.proposed(emil, idempotencyKey="ß" * 200)
    assert (await uma.proposed(emil, idempotencyKey="ß" * 200))["id"] == first["id"]


APPROVE = "mutation ($input: ApproveMeetingInput!) { approveMeeting(input: $input) { __typename } }"


class Stumble(Exception):
    """Something nobody expects."""


@contextmanager
def before_statement(number: int, act: Callable[[], Awaitable[None]]) -> Iterator[list[int]]:
    """Do something before one statement of the transactions to come; the list tells how many there were."""
    passed = [0]

    async def pass_by() -> None:
        passed[0] += 1
        if passed[0] == number:
            await act()

    before_each_statement(pass_by)
    try:
        yield passed
    finally:
        before_each_statement(None)


async def fresh_proposal(world: Service, emil: Client) -> dict[str, Any]:
    """A proposal to Emil that collides with none before it."""
    world.clock.advance(hours=2)
    user = await world.somebody("Una User", credits="40.00")
    return await user.proposed(emil)


async def stumble() -> None:
    raise Stumble


async def lose_the_connection() -> None:
    """What a crash of either end looks like to the other: the connection is gone, in the middle of it all."""
    get_connection("default")._connection.terminate()


@pytest.mark.parametrize(
    ("fail", "code"), [(stumble, "INTERNAL_SERVER_ERROR"), (lose_the_connection, "SERVICE_UNAVAILABLE")]
)
async def test_i2_an_action_that_fails_before_any_of_its_statements_has_done_nothing_and_its_key_is_free(
    world: Service, emil: Client, fail: Callable[[], Awaitable[None]], code: str
):
    meeting = await fresh_proposal(world, emil)
    with before_statement(0, stumble) as passed:
        await emil.act("approveMeeting", meetingId=meeting["id"], idempotencyKey="count")
    assert passed[0] > 8, "the key, the locks, the facts and all that is written"
    for number in range(1, passed[0] + 1):
        meeting = await fresh_proposal(world, emil)
        given = {"meetingId": meeting["id"], "idempotencyKey": f"{fail.__name__} {number}"}
        async with world.nothing_changes():
            with before_statement(number, fail):
                errors = await emil.errors(APPROVE, input=given)
            assert errors[0]["extensions"]["code"] == code
        retried = await emil.act("approveMeeting", **given)
        assert [event["kind"] for event in retried["events"]] == ["EXPERT_APPROVED"]


@pytest.mark.parametrize("failure", [asyncpg.DeadlockDetectedError, asyncpg.SerializationError])
async def test_a_deadlock_or_serialisation_failure_is_retried_and_the_client_never_knows(
    world: Service, emil: Client, failure: type[Exception]
):
    async def fail() -> None:
        raise failure("on purpose")

    meeting = await fresh_proposal(world, emil)
    with before_statement(4, fail) as passed:
        approved = await emil.act("approveMeeting", meetingId=meeting["id"], idempotencyKey="a key")
    assert [event["kind"] for event in approved["events"]] == ["EXPERT_APPROVED"]
    assert passed[0] > 12, "it was done from the start again"


async def test_i1_saving_a_service_twice_makes_one(world: Service, emil: Client):
    before = await ServiceRow.all().count()
    given = {"name": "Twice", "durationMinutes": 30, "price": "1.00", "idempotencyKey": "a key"}
    first, again = await emil.act("saveService", **given), await emil.act("saveService", **given)
    assert first == again
    assert await ServiceRow.all().count() == before + 1
