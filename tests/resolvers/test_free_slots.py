"""What is still free, and that it is what can be proposed (V2, P5)."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from models.ids import NOTHING
from schema.ids import global_id
from tests.driving import FREE_SLOTS, Client, Service

EVERY_DAY = range(1, 8)


async def opens(expert: Client, starts: str, ends: str, zone: str = "UTC", **changes: Any) -> None:
    """The expert can be met at these times every day."""
    weekly = [{"weekday": weekday, "from": starts, "to": ends} for weekday in EVERY_DAY]
    given = {"timeZone": zone, "weekly": weekly, "exceptions": [], **changes}
    assert (await expert.act("setAvailability", **given))["__typename"] == "AvailabilitySaved"


async def agreed(user: Client, expert: Client, starts_at: str, minutes: int = 60) -> str:
    """A meeting that the user has approved; experts may propose any time."""
    offered = await expert.offered(user, startsAt=starts_at, durationMinutes=minutes, price="0.00")
    approved = await user.act("approveMeeting", meetingId=offered["id"], acknowledgeConflicts=True)
    assert approved["__typename"] == "MeetingChanged", approved
    return str(offered["id"])


def times(slots: list[str] | None) -> list[str]:
    """The times of slots that are all on one day."""
    assert slots is not None
    assert len({slot[:10] for slot in slots}) <= 1
    return [slot[11:16] for slot in slots]


async def test_v2_slots_begin_at_each_quarter_hour_of_a_window_and_end_in_it(world: Service, uma: Client, emil: Client):
    await opens(emil, "13:05", "14:50")
    assert times(await uma.free_slots(emil, until="2027-03-02T00:00:00Z")) == ["13:05", "13:20", "13:35", "13:50"]


async def test_v2_now_and_the_range_leave_slots_out_and_do_not_move_them(world: Service, uma: Client, emil: Client):
    await opens(emil, "09:05", "15:00")
    assert times(await uma.free_slots(emil, until="2027-03-01T13:35:00Z")) == ["12:05", "12:20", "12:35"]
    assert times(await uma.free_slots(emil, until="2027-03-01T13:34:59Z")) == ["12:05", "12:20"]
    world.clock.advance(minutes=5)
    range_ = {"from": world.at(hours=-5), "until": "2027-03-01T13:36:00Z"}
    assert times(await uma.free_slots(emil, **range_)) == ["12:20", "12:35"], "the one that begins now is not to come"
    later = {"from": "2027-03-02T13:21:00Z", "until": "2027-03-02T15:00:00Z"}
    assert times(await uma.free_slots(emil, **later)) == ["13:35", "13:50"]


async def test_v2_agreed_meetings_in_either_role_are_taken_out_and_the_grid_goes_on_behind_them(
    world: Service, uma: Client
):
    emil, other = await world.expert("Emil Expert", credits="40.00"), await world.expert("Olaf Other")
    await agreed(uma, emil, "2027-03-02T09:05:00Z", 20)
    await agreed(emil, other, "2027-03-02T11:00:00Z", 30)
    await opens(emil, "08:00", "13:00")
    day = {"from": "2027-03-02T00:00:00Z", "until": "2027-03-03T00:00:00Z"}
    assert times(await uma.free_slots(emil, **day)) == ["08:00", "09:25", "09:40", "09:55", "11:30", "11:45", "12:00"]


async def test_v2_only_agreed_meetings_take_time(world: Service, uma: Client, emil: Client):
    await opens(emil, "14:00", "15:00")
    tomorrow = world.at(days=1, hours=2)
    day = {"from": "2027-03-02T00:00:00Z", "until": "2027-03-03T00:00:00Z"}
    meeting = await uma.proposed(emil, startsAt=tomorrow)
    assert times(await uma.free_slots(emil, **day)) == ["14:00"], "proposed"
    await emil.act("approveMeeting", meetingId=meeting["id"])
    assert times(await uma.free_slots(emil, **day)) == []
    await uma.act("cancelMeeting", meetingId=meeting["id"], reasonCode="OTHER", acknowledgeLateCancellation=True)
    assert times(await uma.free_slots(emil, **day)) == ["14:00"], "cancelled"
    meeting = await uma.proposed(emil, startsAt=tomorrow)
    await emil.act("rejectMeeting", meetingId=meeting["id"], reasonCode="OTHER")
    assert times(await uma.free_slots(emil, **day)) == ["14:00"], "rejected"


async def test_v2_a_pending_alternative_date_takes_no_time_and_the_date_in_force_does(
    world: Service, uma: Client, emil: Client
):
    meeting = await agreed(uma, emil, "2027-03-02T14:00:00Z")
    await uma.act("chooseAlternativeDate", meetingId=meeting, startsAt="2027-03-02T16:00:00Z")
    await opens(emil, "14:00", "17:00")
    day = {"from": "2027-03-02T00:00:00Z", "until": "2027-03-03T00:00:00Z"}
    assert times(await uma.free_slots(emil, **day)) == ["15:00", "15:15", "15:30", "15:45", "16:00"]


async def test_v2_a_stretch_that_began_before_the_range_counts_from_its_beginning_or_the_last_meeting_in_it(
    world: Service, uma: Client, emil: Client
):
    always: dict[str, Any] = {"weekly": [{"weekday": weekday, "from": "00:00", "to": "24:00"} for weekday in EVERY_DAY]}
    later = {"from": "2027-03-20T10:00:00Z", "until": "2027-03-20T11:30:00Z"}
    await opens(emil, "", "", **always)
    assert times(await uma.free_slots(emil, **later)) == ["10:00", "10:15", "10:30"], "from no beginning: the clock's"
    cut = {"date": "2027-03-05", "windows": [{"from": "00:00", "to": "10:00"}, {"from": "10:04", "to": "24:00"}]}
    await opens(emil, "", "", **always, exceptions=[cut])
    assert times(await uma.free_slots(emil, **later)) == ["10:04", "10:19"]
    await agreed(uma, emil, "2027-03-12T09:02:00Z", 480)
    await agreed(uma, emil, "2027-03-12T10:09:00Z", 30)
    assert times(await uma.free_slots(emil, **later)) == ["10:02", "10:17"], "the last to end, not the last to begin"


async def test_v1_v2_windows_of_two_days_that_meet_at_midnight_are_one_stretch(
    world: Service, uma: Client, emil: Client
):
    weekly = [{"weekday": 1, "from": "23:20", "to": "24:00"}, {"weekday": 2, "from": "00:00", "to": "00:50"}]
    await opens(emil, "", "", weekly=weekly)
    slots = await uma.free_slots(emil, until=world.at(days=2))
    assert slots == ["2027-03-01T23:20:00+00:00", "2027-03-01T23:35:00+00:00", "2027-03-01T23:50:00+00:00"]


@pytest.mark.parametrize(
    ("first", "last", "hours"),
    [
        ("2027-03-27T23:30:00+00:00", "2027-03-28T01:00:00+00:00", 3),
        ("2027-10-30T22:30:00+00:00", "2027-10-31T02:00:00+00:00", 5),
    ],
)
async def test_v2_slots_lie_right_on_the_days_clocks_change(
    world: Service, uma: Client, first: str, last: str, hours: int
):
    expert = await world.expert("Bea Berlin", minutes=90)
    await opens(expert, "00:30", "04:30", "Europe/Berlin")
    world.clock.time = datetime.fromisoformat(first) - timedelta(hours=1)
    slots = await uma.free_slots(expert, until=world.at(hours=12))
    assert slots
    assert (slots[0], slots[-1], len(slots)) == (first, last, 4 * hours - 5)


async def test_v2_nothing_is_free_where_nothing_is_published(world: Service, uma: Client, emil: Client):
    assert await uma.free_slots(emil, until=world.at(days=62)) == []
    over = {"date": "2027-02-28", "windows": [{"from": "00:00", "to": "24:00"}]}
    await opens(emil, "", "", weekly=[], exceptions=[over, {"date": "2027-03-03", "windows": []}])
    assert await uma.free_slots(emil, until=world.at(days=62)) == []


async def test_v2_slots_are_of_a_service_of_this_expert_that_the_viewer_may_see(
    world: Service, uma: Client, emil: Client, stella: Client
):
    await opens(emil, "13:00", "14:00")
    tomorrow, other = world.at(days=1), await world.expert("Olaf Other")
    assert await uma.free_slots(emil, until=tomorrow) == ["2027-03-01T13:00:00+00:00"]
    assert await uma.free_slots(emil, until=tomorrow, service=other.service) is None
    assert await uma.free_slots(other, until=tomorrow, service=emil.service) is None
    for unknown in ("", "nonsense", "\x00", global_id("Person", NOTHING), global_id("Service", NOTHING)):
        assert await uma.free_slots(Client(world, "", "", unknown, emil.service), until=tomorrow) is None
        assert await uma.free_slots(emil, until=tomorrow, service=unknown) is None
    changed = {"name": "Advice", "durationMinutes": 30, "price": "1.00", "serviceId": emil.service, "active": False}
    await emil.act("saveService", **changed)
    assert await uma.free_slots(emil, until=tomorrow) is None
    assert await emil.free_slots(emil, until=tomorrow) == await stella.free_slots(emil, until=tomorrow)
    assert len(await emil.free_slots(emil, until=tomorrow) or []) == 3


async def test_v2_a_range_has_62_days_at_most_and_does_not_end_before_it_begins(
    world: Service, uma: Client, emil: Client
):
    await opens(emil, "00:00", "24:00")
    assert len(await uma.free_slots(emil, until=world.at(days=62)) or []) == 62 * 24 * 4 - 4
    assert await uma.free_slots(emil, until=world.at()) == []
    for wrong in (world.at(days=62, microseconds=1), world.at(microseconds=-1), "9999-12-31T23:59:59Z"):
        asked = {"expert": emil.id, "service": emil.service, "from": world.at(), "until": wrong}
        (error,) = await uma.errors(FREE_SLOTS, **asked)
        assert error["extensions"]["code"] == "BAD_USER_INPUT"
        assert "62 days" in error["message"]


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Niue", "Europe/Berlin"])
async def test_v2_ranges_at_the_ends_of_the_calendar_are_answered(world: Service, uma: Client, emil: Client, zone: str):
    await opens(emil, "00:00", "24:00", zone)
    first = {"from": "0001-01-01T00:00:00Z", "until": "0001-03-01T00:00:00Z"}
    assert await uma.free_slots(emil, **first) == []
    last = {"from": "9999-11-01T00:00:00Z", "until": "9999-12-31T23:59:59Z"}
    assert await uma.free_slots(emil, **last)
    very_last = {"from": "9999-12-31T23:00:00Z", "until": "9999-12-31T23:59:59Z"}
    assert await uma.free_slots(emil, **very_last) == []


# ── proposing ──────────────────────────────────────────────────────────────────────────────────────────────────────


async def refused(user: Client, expert: Client, **given: Any) -> bool:
    """Whether a proposal lies outside the expert's time; then nothing has happened."""
    async with user.world.nothing_changes():
        result = await user.propose(expert, **given)
        assert (result["__typename"], result.get("field")) == ("InvalidInput", "startsAt"), result
        return bool(result["code"] == "OUTSIDE_AVAILABILITY")


async def test_p5_every_slot_can_be_proposed_and_nothing_that_reaches_out_of_free_time(world: Service, emil: Client):
    user = await world.somebody("Rita Rich", credits="10000.00")
    await agreed(user, emil, "2027-03-02T10:05:00Z", 20)
    await opens(emil, "08:00", "12:00", exceptions=[{"date": "2027-03-03", "windows": []}])
    slots = await user.free_slots(emil, until="2027-03-04T00:00:00Z")
    assert slots
    assert len(slots) == 5 + 3
    for starts_at in slots:
        await user.proposed(emil, startsAt=starts_at)
    for outside in ("07:59", "09:06", "09:30", "10:05", "10:24", "11:01", "12:00", "20:00"):
        assert await refused(user, emil, startsAt=f"2027-03-02T{outside}:00Z")
    for inside in ("08:01", "09:05", "10:26", "10:59"):  # on the grid or not
        await user.proposed(emil, startsAt=f"2027-03-02T{inside}:00Z")
    assert await refused(user, emil, startsAt="2027-03-03T09:00:00Z")
    await user.proposed(emil, startsAt="2027-03-04T09:00:00Z")


async def test_p5_a_meeting_of_the_expert_as_a_user_takes_their_time_and_one_of_the_proposer_does_not(
    world: Service, uma: Client
):
    emil, other = await world.expert("Emil Expert", credits="40.00"), await world.expert("Olaf Other")
    await agreed(emil, other, "2027-03-02T10:00:00Z")
    await agreed(uma, other, "2027-03-02T11:00:00Z")
    await opens(emil, "08:00", "12:00")
    assert await refused(uma, emil, startsAt="2027-03-02T10:00:00Z")
    await uma.proposed(emil, startsAt="2027-03-02T11:00:00Z")


async def test_p5_without_windows_any_time_may_be_proposed_but_on_days_off(world: Service, uma: Client, emil: Client):
    await agreed(uma, emil, "2027-03-04T12:00:00Z")
    off = [{"date": "2027-03-03", "windows": []}]
    await opens(emil, "", "", "Europe/Berlin", weekly=[], exceptions=off)
    for outside in ("2027-03-02T22:01:00Z", "2027-03-02T23:00:00Z", "2027-03-03T12:00:00Z", "2027-03-03T22:59:00Z"):
        assert await refused(uma, emil, startsAt=outside)
    await uma.proposed(emil, startsAt="2027-03-02T22:00:00Z")
    await uma.proposed(emil, startsAt="2027-03-03T23:00:00Z")


async def test_p5_what_is_agreed_is_no_matter_where_nothing_is_published(world: Service, uma: Client, emil: Client):
    await agreed(uma, emil, "2027-03-04T12:00:00Z")
    await opens(emil, "", "", weekly=[], exceptions=[{"date": "2027-03-03", "windows": []}])
    await uma.proposed(emil, startsAt="2027-03-04T12:00:00Z")


async def test_p5_a_window_of_one_day_is_published_until_that_day_is_over_where_the_expert_is(
    world: Service, uma: Client, emil: Client
):
    today = {"date": "2027-03-01", "windows": [{"from": "08:00", "to": "09:00"}]}
    await opens(emil, "", "", "America/New_York", weekly=[], exceptions=[today])
    world.clock.time = datetime.fromisoformat("2027-03-02T04:59:59Z")  # a second before midnight
    assert await refused(uma, emil)
    world.clock.advance(seconds=1)
    await uma.proposed(emil)


async def test_p5_the_expert_and_an_alternative_date_are_free_of_it(world: Service, uma: Client, emil: Client):
    await opens(emil, "08:00", "09:00")
    meeting = await uma.proposed(emil, startsAt="2027-03-02T08:00:00Z")
    offered = await emil.offer(uma, meeting["id"], startsAt="2027-03-02T20:00:00Z")
    assert offered["__typename"] == "MeetingChanged"
    await emil.act("approveMeeting", meetingId=meeting["id"])
    for chooser, answerer in ((uma, emil), (emil, uma)):
        chosen = await chooser.act(
            "chooseAlternativeDate", meetingId=meeting["id"], startsAt=world.at(days=3 if chooser is uma else 4)
        )
        assert chosen["__typename"] == "MeetingChanged"
        approved = await answerer.act("approveAlternativeDate", meetingId=meeting["id"])
        assert approved["__typename"] == "MeetingChanged"


async def test_q4_p5_what_is_wrong_with_the_input_comes_before_it_and_the_credits_after(world: Service, emil: Client):
    poor = await world.somebody("Paula Poor")
    await opens(emil, "08:00", "09:00")
    outside = {"startsAt": "2027-03-02T20:00:00Z"}
    assert await refused(poor, emil, **outside)
    async with world.nothing_changes():
        assert (await poor.propose(emil, **outside, skillId="unknown"))["field"] == "skillId"
        assert (await poor.propose(emil, startsAt=world.at(days=-1)))["code"] == "IN_THE_PAST"
        assert (await poor.propose(emil, startsAt=world.at(days=800)))["code"] == "OUT_OF_RANGE"
        assert (await poor.propose(emil, startsAt="2027-03-02T08:00:00Z"))["__typename"] == "InsufficientCredits"


async def test_i1_p5_a_proposal_that_went_through_is_answered_again_after_the_windows_are_gone(
    world: Service, uma: Client, emil: Client
):
    await opens(emil, "00:00", "24:00")
    first = await uma.propose(emil, idempotencyKey="once")
    await opens(emil, "00:00", "00:05")
    assert (await uma.propose(emil, idempotencyKey="once"))["meeting"]["id"] == first["meeting"]["id"]
    assert await refused(uma, emil)
