"""When an expert can be met, on ordinary days and hard ones, told as a table (V1, V2, P5)."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import pytest

from rules.availability import Availability, Window, check_bookable, checked, free_slots
from rules.policy import Policy
from rules.problems import InvalidInput

POLICY = Policy()


def window(told: str) -> Window:
    """From and to, as `09:00-12:30`."""
    minutes = [int(each[:2]) * 60 + int(each[3:]) for each in told.split("-")]
    return Window(*minutes)


def on(day: str, *told: str) -> dict[date, Sequence[Window]]:
    return {date.fromisoformat(day): [window(each) for each in told]}


def at(instant: str) -> datetime:
    return datetime.fromisoformat(instant).replace(tzinfo=UTC)


def free(
    availability: Availability, starts_from: str, until: str, *, agreed: Sequence[tuple[str, str]] = ()
) -> list[str]:
    """From where to where quarters of an hour are free in a range, as day and time in UTC."""
    slots = free_slots(
        availability,
        starts_from=at(starts_from),
        until=at(until),
        duration=timedelta(minutes=15),
        agreed=[(at(begins), at(ends)) for begins, ends in agreed],
        now=at(starts_from) - timedelta(days=1),
        policy=POLICY,
    )
    stretches: list[tuple[datetime, datetime]] = []
    for begins, ends in slots:
        if stretches and stretches[-1][1] == begins:
            stretches[-1] = (stretches[-1][0], ends)
        else:
            stretches.append((begins, ends))
    return [f"{begins:%d %H:%M}-{ends:%d %H:%M}" for begins, ends in stretches]


HARD_DAYS = [
    # clocks go from 02:00 to 03:00 at 01:00 UTC
    ("Europe/Berlin", "2027-03-28", ["00:00-24:00"], ["27 23:00-28 22:00"]),
    ("Europe/Berlin", "2027-03-28", ["01:00-02:30"], ["28 00:00-28 01:00"]),
    ("Europe/Berlin", "2027-03-28", ["02:30-04:00"], ["28 01:00-28 02:00"]),
    ("Europe/Berlin", "2027-03-28", ["02:00-03:00"], []),
    ("Europe/Berlin", "2027-03-28", ["02:10-02:50"], []),
    ("Europe/Berlin", "2027-03-28", ["01:00-02:00", "03:00-04:00"], ["28 00:00-28 02:00"]),
    # and from 03:00 back to 02:00 at 01:00 UTC
    ("Europe/Berlin", "2027-10-31", ["00:00-24:00"], ["30 22:00-31 23:00"]),
    ("Europe/Berlin", "2027-10-31", ["02:30-02:45"], ["31 00:30-31 01:45"]),
    ("Europe/Berlin", "2027-10-31", ["01:00-02:00"], ["30 23:00-31 01:00"]),
    ("Europe/Berlin", "2027-10-31", ["03:00-04:00"], ["31 02:00-31 03:00"]),
    ("America/New_York", "2027-03-14", ["01:30-03:30"], ["14 06:30-14 07:30"]),
    ("America/New_York", "2027-11-07", ["01:00-02:00"], ["07 05:00-07 07:00"]),
    # half an hour, from 02:00 to 02:30 and back
    ("Australia/Lord_Howe", "2027-10-03", ["01:45-02:45"], ["02 15:15-02 15:45"]),
    ("Australia/Lord_Howe", "2027-10-03", ["02:15-03:00"], ["02 15:30-02 16:00"]),
    ("Australia/Lord_Howe", "2027-04-04", ["01:30-01:45"], ["03 14:30-03 15:15"]),
    # midnight does not exist: from 00:00 to 01:00
    ("Africa/Cairo", "2027-04-30", ["00:00-02:00"], ["29 22:00-29 23:00"]),
    ("Africa/Cairo", "2027-04-29", ["23:00-24:00"], ["29 21:00-29 22:00"]),
    ("Asia/Beirut", "2027-03-28", ["00:30-01:30"], ["27 22:00-27 22:30"]),
    # the last hour of the day exists twice
    ("Africa/Cairo", "2027-10-28", ["23:15-23:30"], ["28 20:15-28 21:30"]),
    ("Asia/Beirut", "2027-10-30", ["23:00-24:00"], ["30 20:00-30 22:00"]),
    # the first hour does, and so does midnight
    ("Atlantic/Azores", "2027-10-31", ["00:00-00:30"], ["31 00:00-31 01:30"]),
    ("Atlantic/Azores", "2027-10-30", ["23:00-24:00"], ["30 23:00-31 01:00"]),
    # a day that does not exist
    ("Pacific/Apia", "2011-12-30", ["00:00-24:00"], []),
    ("Pacific/Apia", "2011-12-29", ["23:00-24:00"], ["30 09:00-30 10:00"]),
]


@pytest.mark.parametrize(("zone", "day", "windows", "expected"), HARD_DAYS)
def test_v1_windows_on_days_when_clocks_change(zone: str, day: str, windows: list[str], expected: list[str]):
    noon = at(f"{day}T12:00")
    around = ((noon + timedelta(days=n)).isoformat()[:16] for n in (-2, 2))
    assert free(Availability(zone, exceptions=on(day, *windows)), *around) == expected


def test_v1_windows_that_meet_at_midnight_are_one_stretch_whose_grid_is_that_of_its_beginning():
    both = Availability("UTC", exceptions=on("2027-03-01", "23:20-24:00") | on("2027-03-02", "00:00-00:35"))
    assert free(both, "2027-03-01T00:00", "2027-03-03T00:00") == ["01 23:20-02 00:35"]


def test_v1_where_a_day_does_not_exist_those_before_and_after_it_touch():
    both = Availability("Pacific/Apia", exceptions=on("2011-12-29", "23:50-24:00") | on("2011-12-31", "00:00-00:20"))
    assert free(both, "2011-12-29T00:00", "2012-01-01T00:00") == ["30 09:50-30 10:20"]


def test_v1_what_is_open_until_a_midnight_that_exists_twice_is_until_the_second():
    days = on("2027-10-30", "22:07-24:00")
    assert free(Availability("Atlantic/Azores", exceptions=days), "2027-10-31T00:10", "2027-10-31T12:00") == [
        "31 00:22-31 00:52"
    ]
    days |= on("2027-10-31", "00:30-24:00") | on("2027-11-01", "00:00-24:00") | on("2027-11-02", "00:00-24:00")
    assert free(Availability("Atlantic/Azores", exceptions=days), "2027-11-02T10:00", "2027-11-02T10:30") == [
        "02 10:07-02 10:22"
    ]


def test_v2_a_meeting_moves_the_grid_of_what_is_left_behind_it():
    day = Availability("UTC", exceptions=on("2027-03-01", "08:00-12:00"))
    agreed = [("2027-03-01T09:07", "2027-03-01T10:02"), ("2027-03-01T09:30", "2027-03-01T09:40")]
    found = free(day, "2027-03-01T00:00", "2027-03-02T00:00", agreed=agreed)
    assert found == ["01 08:00-01 09:00", "01 10:02-01 11:47"]


def test_v2_a_very_old_exception_is_where_an_unbroken_stretch_began():
    """And it is not walked to day by day: this would take minutes."""
    always = {weekday: [window("00:00-24:00")] for weekday in range(1, 8)}
    for day in ("0001-01-04", "1900-01-01", "2027-02-28"):
        cut = Availability("UTC", always, on(day, "00:07-24:00"))
        for _ in range(100):
            assert free(cut, "2027-03-01T10:00", "2027-03-01T10:30") == ["01 10:07-01 10:22"]


def test_v2_a_gap_of_every_week_is_found_behind_as_many_exceptions_as_there_may_be():
    workdays = {weekday: [window("00:00-24:00")] for weekday in range(1, 7)} | {7: [window("00:09-24:00")]}
    sunday = date(2027, 2, 28)
    filled = {sunday - n * timedelta(days=7): [window("00:00-24:00")] for n in range(400)}
    assert free(Availability("UTC", workdays, filled), "2027-03-01T10:00", "2027-03-01T10:30") == ["01 10:09-01 10:24"]


def test_v2_of_what_never_began_the_grid_is_the_clocks_wherever_it_stands():
    always = {weekday: [window("00:00-24:00")] for weekday in range(1, 8)}
    for zone in ("Asia/Kathmandu", "UTC"):
        found = free(Availability(zone, always), "2027-03-01T10:03", "2027-03-01T11:00")
        assert found == ["01 10:15-01 11:00"]


@pytest.mark.parametrize(
    ("zone", "starts_at", "possible"),
    [
        ("Africa/Cairo", "2027-04-29T21:59", False),
        ("Africa/Cairo", "2027-04-29T21:00", True),
        ("Africa/Cairo", "2027-04-30T20:59", False),
        ("Africa/Cairo", "2027-04-30T21:00", True),
    ],
)
def test_p5_a_day_off_is_as_long_as_the_day_is(zone: str, starts_at: str, possible: bool):
    """It has 23 hours: its midnight does not exist."""
    off = Availability(zone, exceptions=on("2027-04-30"))
    assert bookable(off, starts_at) == possible


def test_p5_a_day_off_that_does_not_exist_is_in_nobodys_way():
    assert bookable(Availability("Pacific/Apia", exceptions=on("2011-12-30")), "2011-12-30T09:30")
    assert not bookable(Availability("Pacific/Apia", exceptions=on("2011-12-31")), "2011-12-30T09:30")


def bookable(availability: Availability, starts_at: str) -> bool:
    begins = at(starts_at)
    try:
        check_bookable(availability, begins, begins + timedelta(hours=1), agreed=[], now=begins - timedelta(days=1))
    except InvalidInput as refused:
        assert (refused.field, refused.code) == ("startsAt", "OUTSIDE_AVAILABILITY")
        return False
    return True


def test_v1_what_was_said_is_put_in_order():
    nine, ten = window("09:00-12:00"), window("10:00-11:00")
    said = checked(
        "UTC", [(7, ten), (1, ten), (7, nine)], [(date(2028, 1, 1), [ten, nine]), (date(2027, 1, 1), [])], policy=POLICY
    )
    assert list(said.weekly.items()) == [(1, (ten,)), (7, (nine, ten))]
    assert list(said.exceptions.items()) == [(date(2027, 1, 1), ()), (date(2028, 1, 1), (nine, ten))]
