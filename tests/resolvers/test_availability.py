"""Saying when one can be met (V1)."""

from typing import Any

import pytest

from models.ids import NOTHING
from schema.ids import global_id
from tests.driving import Client, Service

AVAILABILITY = """query($id: ID!) { availability(expertId: $id) {
  timeZone weekly { weekday from to } exceptions { date windows { from to } }
} }"""


def window(starts: str, ends: str, weekday: int | None = None) -> dict[str, Any]:
    return {**({"weekday": weekday} if weekday else {}), "from": starts, "to": ends}


def exception(date: str, *windows: dict[str, Any]) -> dict[str, Any]:
    return {"date": date, "windows": list(windows)}


SAID: dict[str, Any] = {
    "timeZone": "Europe/Berlin",
    "weekly": [window("09:00", "12:00", 1), window("13:00", "24:00", 1), window("00:00", "01:00", 2)],
    "exceptions": [exception("2027-03-28"), exception("2027-12-24", window("09:00", "12:00"))],
}


async def availability(viewer: Client, expert: Client) -> Any:
    return (await viewer.ask(AVAILABILITY, id=expert.id))["availability"]


async def test_v1_what_is_set_is_answered_and_shown_to_everybody(uma: Client, emil: Client):
    saved = await emil.act("setAvailability", **SAID)
    assert saved == {"__typename": "AvailabilitySaved", "availability": SAID}
    assert await availability(uma, emil) == await availability(emil, emil) == SAID


async def test_v1_setting_replaces_all(emil: Client):
    await emil.act("setAvailability", **SAID)
    less = {"timeZone": "UTC", "weekly": [window("10:00", "11:00", 7)], "exceptions": []}
    await emil.act("setAvailability", **less)
    assert await availability(emil, emil) == less
    nothing = {"timeZone": "UTC", "weekly": [], "exceptions": []}
    await emil.act("setAvailability", **nothing)
    assert await availability(emil, emil) == nothing


async def test_v1_windows_come_back_in_order_and_as_they_were_given(emil: Client):
    overlapping = [window("09:00", "12:00", 2), window("10:00", "11:00", 2), window("11:00", "24:00", 2)]
    days = [exception("2027-03-01"), exception("2028-02-29", window("00:00", "00:01"), window("23:59", "24:00"))]
    reversed_days = [{**each, "windows": each["windows"][::-1]} for each in reversed(days)]
    weekly = [window("00:00", "24:00", 7), *reversed(overlapping), window("00:00", "24:00", 1)]
    await emil.act("setAvailability", timeZone="UTC", weekly=weekly, exceptions=reversed_days)
    said = await availability(emil, emil)
    assert said["weekly"] == [weekly[-1], *overlapping, weekly[0]]
    assert said["exceptions"] == days


async def test_v1_who_never_set_any_has_no_windows_in_their_own_zone(world: Service, uma: Client):
    expert = await world.expert("Zoe Zone", zoneinfo="Asia/Tokyo")
    assert await availability(uma, expert) == {"timeZone": "Asia/Tokyo", "weekly": [], "exceptions": []}


async def test_v1_anyone_signed_in_may_set_theirs_before_they_offer_anything(world: Service, uma: Client):
    assert (await uma.act("setAvailability", **SAID))["availability"] == SAID
    assert not (await uma.ask("{ me { isExpert } }"))["me"]["isExpert"]


async def test_q5_the_availability_of_somebody_unknown_is_null_and_they_are_not_told_from_nobody(
    world: Service, uma: Client, emil: Client, stella: Client
):
    stranger = await world.somebody("Sam Stranger")
    await stranger.act("setAvailability", **SAID)
    for viewer in (uma, emil):
        assert await availability(viewer, stranger) is None
    assert await availability(stella, stranger) == await availability(stranger, stranger) == SAID
    for unknown in ("", "nonsense", "\x00", global_id("Person", NOTHING), emil.service):
        assert (await uma.ask(AVAILABILITY, id=unknown))["availability"] is None


REFUSED: list[tuple[dict[str, Any], str, str]] = [
    *(
        ({"timeZone": zone}, "timeZone", "UNKNOWN")
        for zone in ("", "Europe/Atlantis", "CEST!", "\x00", "\ud800", "x" * 999)
    ),
    *(({"weekly": [window("09:00", "12:00", day)]}, "weekly", "OUT_OF_RANGE") for day in (8, -1, 2**31 - 1)),
    ({"weekly": [{"weekday": 0, **window("09:00", "12:00")}]}, "weekly", "OUT_OF_RANGE"),
    *(
        (given, given_field, "OUT_OF_RANGE")
        for ends in (("12:00", "12:00"), ("12:00", "09:00"), ("24:00", "24:00"), ("24:00", "00:00"), ("00:00", "00:00"))
        for given_field, given in (
            ("weekly", {"weekly": [window("09:00", "10:00", 1), window(*ends, 1)]}),
            ("exceptions", {"exceptions": [exception("2027-03-28", window(*ends))]}),
        )
    ),
    ({"exceptions": [exception("2027-03-28"), exception("2027-03-28")]}, "exceptions", "MALFORMED"),
    ({"weekly": [window("09:00", "12:00", 1)] * 101}, "weekly", "TOO_LONG"),
    ({"exceptions": [exception(f"{year}-01-01") for year in range(2000, 2401)]}, "exceptions", "TOO_LONG"),
    ({"exceptions": [exception("2027-01-01", *[window("09:00", "12:00")] * 25)]}, "exceptions", "TOO_LONG"),
    ({"idempotencyKey": " "}, "idempotencyKey", "REQUIRED"),
]


@pytest.mark.parametrize(("changes", "field", "code"), REFUSED)
async def test_v1_what_makes_no_sense_is_refused(
    world: Service, emil: Client, changes: dict[str, Any], field: str, code: str
):
    await emil.act("setAvailability", **SAID)
    async with world.nothing_changes():
        refused = await emil.act("setAvailability", **{**SAID, **changes})
    assert (refused["__typename"], refused["field"], refused["code"]) == ("InvalidInput", field, code)


async def test_v1_as_much_as_is_allowed_is_taken(emil: Client):
    most = {
        "timeZone": "UTC",
        "weekly": [window("09:00", "12:00", 1)] * 100,
        "exceptions": [
            exception("1999-01-01", *[window("09:00", "12:00")] * 24),
            *(exception(f"{year}-01-01") for year in range(2000, 2399)),
        ],
    }
    assert (await emil.act("setAvailability", **most))["availability"] == most


@pytest.mark.parametrize("date", ["0001-01-01", "0001-01-04", "9999-12-31"])
@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Niue", "Europe/Berlin"])
async def test_v1_a_date_at_the_end_of_the_calendar_does_no_harm(
    world: Service, uma: Client, emil: Client, date: str, zone: str
):
    always = [window("00:00", "24:00", day) for day in range(1, 8)]
    given = {"timeZone": zone, "weekly": always, "exceptions": [exception(date, window("01:00", "24:00"))]}
    assert (await emil.act("setAvailability", **given))["availability"] == given
    slots = await uma.free_slots(emil, until=world.at(hours=24))
    assert slots
    assert len(slots) == 4 * 24 - 4
    await uma.proposed(emil)


@pytest.mark.parametrize("value", ["9:00", "24:01", "25:00", "09:60", "09:00:00", "", 540, None])
async def test_a_time_that_can_not_be_read_is_the_clients_fault(world: Service, emil: Client, value: Any):
    mutation = "mutation($input: SetAvailabilityInput!) { setAvailability(input: $input) { __typename } }"
    given = {**SAID, "weekly": [{"weekday": 1, "from": value, "to": "24:00"}]}
    async with world.nothing_changes():
        (error,) = await emil.errors(mutation, input=given)
    assert error["extensions"]["code"] == "BAD_USER_INPUT"


async def test_i1_a_repetition_does_nothing_again_and_another_input_is_refused(emil: Client, world: Service):
    first = await emil.act("setAvailability", **SAID, idempotencyKey="once")
    later = {**SAID, "weekly": []}
    changed = await emil.act("setAvailability", **later)
    async with world.nothing_changes():
        assert await emil.act("setAvailability", **SAID, idempotencyKey="once") == changed, (
            "done once, and as it is now"
        )
        other = {**SAID, "exceptions": SAID["exceptions"][:1]}
        reused = await emil.act("setAvailability", **other, idempotencyKey="once")
    assert reused["__typename"] == "IdempotencyKeyReused"
    assert first["availability"] == SAID


async def test_v1_what_is_wrong_is_said_in_the_readers_language(emil: Client, uma: Client):
    await emil.act("setAvailability", timeZone="UTC", weekly=[window("00:00", "00:05", 1)], exceptions=[])
    assert (await uma.propose(emil))["message"] == "The expert is not free at this time."
    await uma.act("updateProfile", language="DE")
    assert (await uma.propose(emil))["message"] == "Zu dieser Zeit ist der Experte nicht frei."
