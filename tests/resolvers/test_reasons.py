"""The lists of reasons, and how staff keep them (A3, K2, Q6), over the public API."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from models.ids import uuid7
from tests.driving import Client, Service


async def test_a3_k2_there_are_reasons_to_choose_from_in_both_languages(world: Service, uma: Client):
    uli = await world.somebody("Uli Umsichtig", locale="de")
    lists = {}
    for viewer in (uma, uli):
        told = await viewer.ask("{ rejectionReasons { code kind label } cancellationReasons { code kind label } }")
        for field, kind in (("rejectionReasons", "REJECTION"), ("cancellationReasons", "CANCELLATION")):
            assert len(told[field]) >= 6
            assert {each["kind"] for each in told[field]} == {kind}
            labels = [each["label"] for each in told[field]]
            assert len(set(labels)) == len(labels)
            assert all(label.strip() for label in labels)
            lists[viewer.sub, kind] = told[field]
    for kind in ("REJECTION", "CANCELLATION"):
        english, german = lists[uma.sub, kind], lists[uli.sub, kind]
        assert [each["code"] for each in english] == [each["code"] for each in german]
        assert not {each["label"] for each in english} & {each["label"] for each in german}


LISTS = "{ rejectionReasons { code label } cancellationReasons { code label } }"


async def lists(viewer: Client) -> dict[str, dict[str, str]]:
    told = await viewer.ask(LISTS)
    return {
        kind: {each["code"]: each["label"] for each in told[field]}
        for kind, field in (("REJECTION", "rejectionReasons"), ("CANCELLATION", "cancellationReasons"))
    }


ENTRY = {"kind": "REJECTION", "code": "ON_HOLIDAY", "labelEn": "I am on holiday", "labelDe": "Ich bin im Urlaub"}


@pytest.fixture
async def entry(stella: Client) -> AsyncIterator[dict[str, str]]:
    """An entry that no other test has; taken off its list in the end, as the lists are everybody's."""
    entry = {**ENTRY, "code": f"ON_HOLIDAY_{uuid7().hex}"}
    yield entry
    await stella.act("saveReason", **entry, active=False)


async def test_q6_staff_add_a_reason_at_the_end_of_its_list_and_it_can_be_given(
    world: Service, uma: Client, emil: Client, stella: Client, entry: dict[str, str]
):
    before = await lists(uma)
    saved = await stella.act("saveReason", **entry)
    assert saved["reason"] == {"code": entry["code"], "kind": "REJECTION", "label": "I am on holiday"}
    uli = await world.somebody("Uli Umsichtig", locale="de")
    for viewer, label in ((uma, entry["labelEn"]), (uli, entry["labelDe"])):
        listed = await lists(viewer)
        assert list(listed["REJECTION"].items())[-1] == (entry["code"], label)
        assert listed["CANCELLATION"].keys() == before["CANCELLATION"].keys(), "the other list stays as it was"
        assert listed["REJECTION"].keys() - before["REJECTION"].keys() == {entry["code"]}
    meeting = await uma.proposed(emil)
    rejected = await emil.act("rejectMeeting", meetingId=meeting["id"], reasonCode=entry["code"])
    assert rejected["meeting"]["reason"] == {"code": entry["code"]}


async def test_q6_a_new_label_is_shown_from_then_on_also_where_the_reason_was_given_before(
    world: Service, uma: Client, emil: Client, stella: Client, entry: dict[str, str]
):
    await stella.act("saveReason", **entry)
    order = list((await lists(uma))["REJECTION"])
    meeting = await uma.proposed(emil)
    await emil.act("rejectMeeting", meetingId=meeting["id"], reasonCode=entry["code"])
    await stella.act("saveReason", **{**entry, "labelEn": "I am away"})
    assert (await lists(uma))["REJECTION"][entry["code"]] == "I am away"
    assert list((await lists(uma))["REJECTION"]) == order, "it keeps its place"
    told = await uma.ask("query($id: ID!) { meeting(id: $id) { reason { label } } }", id=meeting["id"])
    assert told["meeting"]["reason"]["label"] == "I am away"


async def test_q6_a_reason_taken_off_its_list_can_no_longer_be_given_but_is_still_told(
    world: Service, uma: Client, emil: Client, stella: Client, entry: dict[str, str]
):
    await stella.act("saveReason", **entry)
    old, new = await uma.proposed(emil), await uma.proposed(emil, startsAt=world.at(days=3))
    await emil.act("rejectMeeting", meetingId=old["id"], reasonCode=entry["code"])
    await stella.act("saveReason", **entry, active=False)
    assert entry["code"] not in (await lists(uma))["REJECTION"]
    async with world.nothing_changes():
        refused = await emil.act("rejectMeeting", meetingId=new["id"], reasonCode=entry["code"])
    assert (refused["__typename"], refused["field"], refused["code"]) == ("InvalidInput", "reasonCode", "UNKNOWN")
    told = await uma.meeting(old["id"])
    assert told is not None
    assert told["reason"] == {"code": entry["code"]}
    await stella.act("saveReason", **entry)
    assert entry["code"] in (await lists(uma))["REJECTION"], "and it can be put back"


async def test_q6_one_code_may_stand_in_both_lists(world: Service, uma: Client, stella: Client, entry: dict[str, str]):
    other = {**entry, "kind": "CANCELLATION", "labelEn": "Something else"}
    await stella.act("saveReason", **entry)
    await stella.act("saveReason", **other)
    listed = await lists(uma)
    assert listed["REJECTION"][entry["code"]] == entry["labelEn"]
    assert listed["CANCELLATION"][entry["code"]] == "Something else"
    await stella.act("saveReason", **other, active=False)


@pytest.mark.parametrize("roles", [[], ["Staff"], "staff"])
async def test_q4_others_than_staff_are_refused_whatever_else_is_wrong(world: Service, roles: object):
    somebody = await world.somebody("Sam Somebody", roles=roles)
    async with world.nothing_changes():
        for wrong in ({}, {"code": ""}, {"labelDe": "x" * 201}, {"idempotencyKey": " "}):
            refused = await somebody.act("saveReason", **{**ENTRY, **wrong})
            assert (refused["__typename"], refused["refusal"]) == ("ActionRefused", "STAFF_ONLY")
            assert refused["currentMeeting"] is None


@pytest.mark.parametrize("field", ["code", "labelEn", "labelDe"])
@pytest.mark.parametrize(
    ("text", "code"), [("", "REQUIRED"), (" \t ", "REQUIRED"), ("x" * 201, "TOO_LONG"), ("a\x00b", "MALFORMED")]
)
async def test_p4_a_bad_entry_is_refused(world: Service, stella: Client, field: str, text: str, code: str):
    async with world.nothing_changes():
        refused = await stella.act("saveReason", **{**ENTRY, field: text})
    assert (refused["__typename"], refused["field"], refused["code"]) == ("InvalidInput", field, code)


async def test_i1_a_repetition_saves_nothing_twice(world: Service, uma: Client, stella: Client, entry: dict[str, str]):
    first = await stella.act("saveReason", **entry, idempotencyKey="once")
    await stella.act("saveReason", **{**entry, "labelEn": "I am away"})
    async with world.nothing_changes():
        again = await stella.act("saveReason", **entry, idempotencyKey="once")
        other = await stella.act("saveReason", **{**entry, "labelDe": "Weg"}, idempotencyKey="once")
    assert first["__typename"] == again["__typename"] == "ReasonSaved"
    assert again["reason"]["label"] == "I am away", "as it now is"
    assert other["__typename"] == "IdempotencyKeyReused"


async def test_q6_staff_who_save_one_new_entry_at_once_make_one(
    world: Service, uma: Client, stella: Client, entry: dict[str, str]
):
    saved = await asyncio.gather(*(stella.act("saveReason", **entry) for _ in range(8)))
    assert {each["__typename"] for each in saved} == {"ReasonSaved"}
    told = await uma.ask(LISTS)
    assert [each["code"] for each in told["rejectionReasons"]].count(entry["code"]) == 1
