"""Grants, balances and movements, over the public API."""

import asyncio
from decimal import Decimal
from typing import Any

import pytest

from models.ids import NOTHING
from schema.ids import global_id
from tests.driving import Client, Service, all_edges

ACCOUNT = """
query($first: Int = 100, $after: String) { creditAccount { available blocked movements(first: $first, after: $after) {
  edges { cursor node { id kind availableChange blockedChange note occurredAt meeting { id } } }
  pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
} } }
"""


async def account(person: Client, **paging: Any) -> dict[str, Any]:
    return (await person.ask(ACCOUNT, **paging))["creditAccount"]


def nodes(page: dict[str, Any]) -> list[dict[str, Any]]:
    return [edge["node"] for edge in page["movements"]["edges"]]


async def eventful(world: Service, uma: Client, emil: Client, stella: Client) -> None:
    """Credits come, are blocked and come back, some of them at the same instant; others' credits move as well."""
    kept = await uma.proposed(emil)
    rejected = await uma.proposed(emil, startsAt=world.at(days=3))
    world.clock.advance(hours=1)
    await emil.act("approveMeeting", meetingId=kept["id"])
    await emil.act("rejectMeeting", meetingId=rejected["id"], reasonCode="OTHER")
    world.clock.advance(hours=1)
    cancelled = await uma.proposed(emil, startsAt=world.at(days=4))
    await uma.act("cancelMeeting", meetingId=cancelled["id"])
    await stella.act("grantCredits", personId=uma.id, amount="0.01", note="a hundredth")
    await stella.act("grantCredits", personId=emil.id, amount="7.00")


async def test_m4_staff_give_credits_and_the_receiver_sees_where_they_came_from(
    world: Service, uma: Client, stella: Client
):
    granted = await stella.act("grantCredits", personId=uma.id, amount="12.5", note="  Welcome  ")
    movement = {
        "id": granted["movement"]["id"],
        "kind": "TOP_UP",
        "availableChange": "12.50",
        "blockedChange": "0.00",
        "note": "Welcome",
    }
    assert granted == {"__typename": "CreditsGranted", "movement": movement}
    assert await uma.balance() == ("112.50", "0.00")
    newest = nodes(await account(uma))[0]
    assert newest == {**movement, "occurredAt": world.at(), "meeting": None}
    assert await stella.balance() == ("0.00", "0.00")


@pytest.mark.parametrize("amount", ["0.01", "1000000.00"])
async def test_p4_a_grant_may_reach_its_bounds(world: Service, emil: Client, stella: Client, amount: str):
    granted = await stella.act("grantCredits", personId=emil.id, amount=amount, note="x" * 2_000)
    assert granted["movement"]["availableChange"] == amount
    assert await emil.balance() == (amount, "0.00")


@pytest.mark.parametrize("note", [None, "", "   "])
async def test_m4_a_grant_needs_no_note(world: Service, uma: Client, stella: Client, note: str | None):
    assert (await stella.act("grantCredits", personId=uma.id, amount="1", note=note))["movement"]["note"] is None


BAD_GRANTS = [
    *(({"amount": amount}, "amount", "OUT_OF_RANGE") for amount in ("0", "0.00", "-0.00", "-0.01", "-1000000.00")),
    *(({"amount": amount}, "amount", "OUT_OF_RANGE") for amount in ("1000000.01", "9" * 18 + ".99")),
    ({"note": "x" * 2_001}, "note", "TOO_LONG"),
    ({"note": "one\x00two"}, "note", "MALFORMED"),
    ({"note": "half \udc00 a pair"}, "note", "MALFORMED"),
    ({"idempotencyKey": ""}, "idempotencyKey", "REQUIRED"),
    ({"idempotencyKey": "\t"}, "idempotencyKey", "REQUIRED"),
    ({"idempotencyKey": "k" * 201}, "idempotencyKey", "TOO_LONG"),
    ({"idempotencyKey": "\x00"}, "idempotencyKey", "MALFORMED"),
    ({"idempotencyKey": "\ud800"}, "idempotencyKey", "MALFORMED"),
]


@pytest.mark.parametrize(("bad", "field", "code"), BAD_GRANTS)
async def test_p4_a_bad_grant_is_refused(
    world: Service, uma: Client, stella: Client, bad: dict[str, str], field: str, code: str
):
    async with world.nothing_changes():
        refused = await stella.act("grantCredits", **{"personId": uma.id, "amount": "1.00", **bad})
    assert refused == {"__typename": "InvalidInput", "field": field, "code": code, "message": refused["message"]}
    assert refused["message"]


async def test_q4_an_unknown_person_is_not_found_whatever_else_is_wrong(world: Service, emil: Client, stella: Client):
    unknown = [global_id("Person", NOTHING), emil.service, emil.skill, "", "nonsense", "\x00", "\ud800"]
    async with world.nothing_changes():
        answers = [
            await stella.act("grantCredits", **{"personId": each, "amount": "1.00", **bad})
            for each in unknown
            for bad in ({}, {"amount": "0", "idempotencyKey": ""})
        ]
    assert {answer["__typename"] for answer in answers} == {"NotFound"}


async def test_q4_others_than_staff_are_refused_whoever_it_is_for_and_whatever_else_is_wrong(
    world: Service, uma: Client, emil: Client
):
    async with world.nothing_changes():
        for person_id in (uma.id, emil.id, global_id("Person", NOTHING), emil.service, "nonsense"):
            for bad in ({}, {"amount": "0"}, {"note": "\x00"}, {"idempotencyKey": "k" * 999}):
                refused = await emil.act("grantCredits", **{"personId": person_id, "amount": "1.00", **bad})
                assert (refused["__typename"], refused["refusal"]) == ("ActionRefused", "STAFF_ONLY")
                assert refused["currentMeeting"] is None


async def test_t_whether_somebody_is_staff_is_judged_from_the_token_at_hand(world: Service, uma: Client, emil: Client):
    tokens = {
        roles: world.token(sub=uma.sub, name="Uma User", roles=roles)
        for roles in (("staff",), (), ("other", "staff"), ("STAFF", "staff-like"))
    }
    for roles, uma.token in tokens.items():
        await uma.balance()
        if "staff" in roles:
            granted = await uma.act("grantCredits", personId=emil.id, amount="1.00")
            assert granted["__typename"] == "CreditsGranted"
        else:
            async with world.nothing_changes():
                refused = await uma.act("grantCredits", personId=emil.id, amount="1.00")
            assert refused["refusal"] == "STAFF_ONLY"


async def test_i1_a_grant_repeated_gives_once(world: Service, uma: Client, stella: Client):
    given = {"personId": uma.id, "amount": "5.00", "note": "once", "idempotencyKey": "once"}
    first = await stella.act("grantCredits", **given)
    async with world.nothing_changes():
        assert await stella.act("grantCredits", **{**given, "amount": "5"}) == first, "the same amount"
        for other in ({"amount": "5.01"}, {"note": "twice"}, {"personId": stella.id}):
            assert (await stella.act("grantCredits", **{**given, **other}))["__typename"] == "IdempotencyKeyReused"
    assert await uma.balance() == ("105.00", "0.00")


async def test_i1_grants_at_once_with_one_key_give_once_and_without_one_each(
    world: Service, uma: Client, stella: Client
):
    given = {"personId": uma.id, "amount": "1.00"}
    first, *others = await asyncio.gather(
        *(stella.act("grantCredits", **given, idempotencyKey="at once") for _ in range(5))
    )
    assert all(each == first for each in others)
    assert await uma.balance() == ("101.00", "0.00")
    await asyncio.gather(*(stella.act("grantCredits", **given) for _ in range(10)))
    assert await uma.balance() == ("111.00", "0.00")


async def test_m4_the_changes_of_all_movements_add_up_to_the_two_balances(
    world: Service, uma: Client, emil: Client, stella: Client
):
    await eventful(world, uma, emil, stella)
    for person in (uma, emil, stella):
        seen = await account(person)
        changes = [(Decimal(each["availableChange"]), Decimal(each["blockedChange"])) for each in nodes(seen)]
        assert sum(available for available, _ in changes) == Decimal(seen["available"])
        assert sum(blocked for _, blocked in changes) == Decimal(seen["blocked"])
        assert (Decimal(0), Decimal(0)) not in changes, "movements of nothing are not recorded"
    assert await uma.balance() == ("60.01", "40.00")


async def test_m4_movements_say_kind_meeting_time_and_change_newest_first(
    world: Service, uma: Client, emil: Client, stella: Client
):
    await eventful(world, uma, emil, stella)
    seen = nodes(await account(uma))
    assert [(each["kind"], each["availableChange"], each["blockedChange"]) for each in seen] == [
        ("TOP_UP", "0.01", "0.00"),
        ("UNBLOCK", "40.00", "-40.00"),
        ("BLOCK", "-40.00", "40.00"),
        ("UNBLOCK", "40.00", "-40.00"),
        ("BLOCK", "-40.00", "40.00"),
        ("BLOCK", "-40.00", "40.00"),
        ("TOP_UP", "100.00", "0.00"),
    ]
    meetings = [each["meeting"] and each["meeting"]["id"] for each in seen]
    assert meetings[0] is meetings[-1] is None
    assert meetings[1] == meetings[2]
    assert meetings[3] == meetings[4] != meetings[5]
    times = [each["occurredAt"] for each in seen]
    assert times == sorted(times, reverse=True)
    assert len(set(times)) == 3


@pytest.mark.parametrize("first", [1, 2, 3, 7, 100])
async def test_m4_movements_are_paged_without_loss_or_double(
    world: Service, uma: Client, emil: Client, stella: Client, first: int
):
    await eventful(world, uma, emil, stella)
    everything = (await account(uma))["movements"]["edges"]

    async def read(after: str | None) -> dict[str, Any]:
        page = (await account(uma, first=first, after=after))["movements"]
        await stella.act("grantCredits", personId=uma.id, amount="1.00")  # what is new doesn't shift the pages
        return page

    assert await all_edges(read, first=first) == everything


async def test_m4_after_the_last_movement_there_is_an_empty_page(world: Service, uma: Client):
    last = (await account(uma))["movements"]["pageInfo"]["endCursor"]
    page = (await account(uma, after=last))["movements"]
    assert page["edges"] == []
    assert page["pageInfo"] == {"hasNextPage": False, "hasPreviousPage": True, "startCursor": None, "endCursor": None}


HOLDER = "query($id: ID!) { meeting(id: $id) { user { creditAccount { available movements { edges { cursor } } } } } }"


async def test_q5_staff_see_the_balances_and_movements_of_others(
    world: Service, uma: Client, emil: Client, stella: Client
):
    meeting = await uma.proposed(emil)
    seen = (await stella.ask(HOLDER, id=meeting["id"]))["meeting"]["user"]["creditAccount"]
    assert seen["available"] == "60.00"
    assert len(seen["movements"]["edges"]) == 2
    assert (await emil.ask(HOLDER, id=meeting["id"]))["meeting"]["user"]["creditAccount"] is None
