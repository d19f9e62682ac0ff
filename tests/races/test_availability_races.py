"""Windows that are set, and time that is taken, while others propose (V1, V2, P5)."""

import pytest

from tests.driving import Client, Service
from tests.races import ROUNDS, all_at_once
from tests.races.test_negotiating_races import kinds
from tests.resolvers.test_availability import availability, exception, window

DAY = {"from": "2027-03-02T00:00:00Z", "until": "2027-03-03T00:00:00Z"}


def open_on_tuesdays(starts: str, ends: str) -> dict[str, object]:
    return {"timeZone": "UTC", "weekly": [window(starts, ends, 2)], "exceptions": []}


@pytest.mark.parametrize("round_", range(ROUNDS))
async def test_p5_a_proposal_is_judged_by_the_windows_of_before_or_of_after_a_change(
    world: Service, emil: Client, round_: int
):
    """Before, only nine o'clock can be proposed, and after it only ten: who hears that it was set sees it hold."""
    users = [await world.somebody(f"User {number}", credits="80.00") for number in range(3)]
    await emil.act("setAvailability", **open_on_tuesdays("09:00", "10:00"))
    results = await all_at_once(
        emil.act("setAvailability", **open_on_tuesdays("10:00", "11:00")),
        *(user.propose(emil, startsAt=f"2027-03-02T{hour}:00Z") for user in users for hour in ("09:00", "10:00")),
    )
    assert results[0]["__typename"] == "AvailabilitySaved"
    assert set(kinds(results[1:])) <= {"MeetingChanged", "InvalidInput"}
    assert {result["code"] for result in results if result["__typename"] == "InvalidInput"} <= {"OUTSIDE_AVAILABILITY"}
    assert (await users[0].propose(emil, startsAt="2027-03-02T09:00:00Z"))["code"] == "OUTSIDE_AVAILABILITY"


@pytest.mark.parametrize("round_", range(ROUNDS))
async def test_v1_of_many_that_set_windows_at_once_one_has_replaced_all_the_others(emil: Client, round_: int):
    given = [
        {
            "timeZone": zone,
            "weekly": [window(f"{hour:02}:00", "24:00", weekday) for weekday in range(1, 8)],
            "exceptions": [exception(f"2027-03-{hour:02}")],
        }
        for hour, zone in enumerate(("UTC", "Europe/Berlin", "Asia/Tokyo", "America/Lima"), start=1)
    ]
    results = await all_at_once(*(emil.act("setAvailability", **each) for each in given))
    assert kinds(results) == {"AvailabilitySaved": len(given)}
    assert await availability(emil, emil) in given


@pytest.mark.parametrize("round_", range(ROUNDS))
async def test_p5_while_a_meeting_is_agreed_another_proposal_of_its_time_is_refused_or_waits_beside_it(
    world: Service, uma: Client, emil: Client, round_: int
):
    """Never is one made after the time was taken: what was proposed first is older than the agreement."""
    late = await world.somebody("Lars Late", credits="40.00")
    await emil.act("setAvailability", **open_on_tuesdays("09:00", "10:00"))
    meeting = await uma.proposed(emil, startsAt="2027-03-02T09:00:00Z")
    agreed, proposed = await all_at_once(
        emil.act("approveMeeting", meetingId=meeting["id"]), late.propose(emil, startsAt="2027-03-02T09:00:00Z")
    )
    assert agreed["__typename"] == "MeetingChanged"
    assert proposed["__typename"] in {"MeetingChanged", "InvalidInput"}
    assert await late.free_slots(emil, **DAY) == []
    assert (await late.propose(emil, startsAt="2027-03-02T09:00:00Z"))["code"] == "OUTSIDE_AVAILABILITY"
    if proposed["__typename"] == "MeetingChanged":
        refused = await emil.act("approveMeeting", meetingId=proposed["meeting"]["id"])
        assert refused["__typename"] == "ConflictsFound"


@pytest.mark.parametrize("round_", range(ROUNDS))
async def test_i1_one_key_at_once_sets_windows_once(emil: Client, round_: int):
    given = {**open_on_tuesdays("09:00", "10:00"), "idempotencyKey": "once"}
    results = await all_at_once(*(emil.act("setAvailability", **given) for _ in range(5)))
    assert all(result == results[0] for result in results)
    assert results[0]["__typename"] == "AvailabilitySaved"
