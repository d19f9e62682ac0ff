"""Free time held against another way to find it: minute by minute, by what the clock on the wall shows (V1, V2, P5)."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import accumulate, chain, groupby, pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.availability import Availability, Stretch, Window, check_bookable, free_slots
from rules.policy import Policy
from rules.problems import InvalidInput
from tests.examples import TIMES

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
BACK, AHEAD = 22, 4
"How many days before and after the hard one are walked through. The first ten have no exceptions."
BEGIN = datetime(1970, 1, 1)

HARD_DAYS = [
    ("UTC", date(2027, 3, 28)),
    ("Asia/Kathmandu", date(2027, 3, 28)),
    ("Europe/Berlin", date(2027, 3, 28)),
    ("Europe/Berlin", date(2027, 10, 31)),
    ("America/New_York", date(2027, 3, 14)),
    ("America/New_York", date(2027, 11, 7)),
    ("Australia/Lord_Howe", date(2027, 4, 4)),
    ("Australia/Lord_Howe", date(2027, 10, 3)),
    ("Antarctica/Troll", date(2027, 3, 28)),
    ("Antarctica/Troll", date(2027, 10, 31)),
    # midnight does not exist
    ("Africa/Cairo", date(2027, 4, 30)),
    ("Asia/Beirut", date(2027, 3, 28)),
    ("America/Havana", date(2027, 3, 14)),
    # the last hour of a day exists twice, or the first
    ("Africa/Cairo", date(2027, 10, 28)),
    ("Asia/Beirut", date(2027, 10, 30)),
    ("Atlantic/Azores", date(2027, 10, 31)),
    ("America/Havana", date(2027, 11, 7)),
    ("America/St_Johns", date(2010, 11, 7)),
    # a day that does not exist, and one that exists twice
    ("Pacific/Apia", date(2011, 12, 30)),
    ("Pacific/Kwajalein", date(1969, 9, 30)),
    ("Pacific/Kwajalein", date(1993, 8, 21)),
]


@dataclass(frozen=True)
class Walk:
    """What the clock shows at each minute around a day, in minutes of its own."""

    begins: datetime
    latest: list[int]
    "The latest that it has shown up to then, that minute included."
    earliest: list[int]
    "The earliest that it will show from then on."
    shown: list[int]

    def instant(self, index: int) -> datetime:
        return self.begins + index * MINUTE

    def open_minutes(self, windows: Iterable[tuple[date, Window]]) -> bytearray:
        """1 for each minute that is in a window: it has begun, and its end is yet to be, be it again."""
        found = bytearray(len(self.shown))
        for day, (from_minute, to_minute) in windows:
            midnight = (datetime.combine(day, time()) - BEGIN) // MINUTE
            first = bisect_left(self.latest, midnight + from_minute)
            end = bisect_right(self.earliest, midnight + to_minute)
            if end and self.shown[end - 1] == midnight + to_minute:
                end -= 1
            found[first:end] = b"\1" * len(found[first:end])
        return found


@cache
def walk(zone: str, day: date) -> Walk:
    begins = datetime.combine(day - BACK * DAY, time(), UTC)
    clock = ZoneInfo(zone)
    shown = [
        ((begins + minute * MINUTE).astimezone(clock).replace(tzinfo=None) - BEGIN) // MINUTE
        for minute in range((BACK + AHEAD) * 24 * 60)
    ]
    return Walk(begins, list(accumulate(shown, max)), list(accumulate(reversed(shown), min))[::-1], shown)


@dataclass(frozen=True)
class Scene:
    """An expert's windows and meetings around a hard day, and what is asked for."""

    zone: str
    day: date
    weekly: Mapping[int, Sequence[Window]]
    exceptions: Mapping[date, Sequence[Window]]
    meetings: Sequence[tuple[int, int]]
    "In minutes of the walk, from and until."
    now: int
    starts_from: int
    until: int
    duration: int

    @property
    def walk(self) -> Walk:
        return walk(self.zone, self.day)

    @property
    def availability(self) -> Availability:
        return Availability(self.zone, self.weekly, self.exceptions)

    def free_minutes(self) -> bytearray:
        days = [self.day + n * DAY for n in range(-BACK - 3, AHEAD + 4)]
        by_day = ((day, self.exceptions.get(day, self.weekly.get(day.isoweekday(), ()))) for day in days)
        free = self.walk.open_minutes((day, window) for day, several in by_day for window in several)
        for begins, ends in self.meetings:
            free[begins:ends] = bytes(len(free[begins:ends]))
        return free

    def dates(self, meetings: Iterable[tuple[int, int]]) -> list[Stretch]:
        return [(self.walk.instant(begins), self.walk.instant(ends)) for begins, ends in meetings]

    def slots(self) -> list[Stretch]:
        """As they are answered, from what is read for them: the meetings that reach into the range, and the last."""
        earliest = max(self.now, self.starts_from)
        over = [(begins, ends) for begins, ends in self.meetings if ends <= earliest]
        last = max(over, key=lambda each: each[1], default=None)
        reaching = [(begins, ends) for begins, ends in self.meetings if begins < self.until and earliest < ends]
        return free_slots(
            self.availability,
            starts_from=self.walk.instant(self.starts_from),
            until=self.walk.instant(self.until),
            duration=self.duration * MINUTE,
            agreed=self.dates(chain([last] if last else [], reaching)),
            now=self.walk.instant(self.now),
            policy=Policy(),
        )

    def bookable(self, begins: int, minutes: int) -> bool:
        (proposed,) = self.dates([(begins, begins + minutes)])
        agreed = self.dates(each for each in self.meetings if each[0] < begins + minutes and begins < each[1])
        try:
            check_bookable(self.availability, *proposed, agreed=agreed, now=self.walk.instant(self.now))
        except InvalidInput:
            return False
        return True


def windows(zone: str, day: date) -> st.SearchStrategy[tuple[Window, ...]]:
    """The windows of a day, many of them where the clock jumps."""
    anywhere = st.one_of(st.sampled_from([0, 0, 15, 60, 22 * 60, 23 * 60]), st.integers(0, 1_440))
    jumped = [st.integers(*sorted(jump)).map(lambda minute: minute % 1_440) for jump in jumps(zone, day)]
    minutes = st.one_of(anywhere, *jumped)
    some = st.tuples(minutes, st.one_of(minutes, st.just(1_440))).map(sorted).filter(lambda ends: ends[0] < ends[1])
    several = st.lists(some.map(lambda ends: Window(*ends)), max_size=3).map(lambda found: tuple(sorted(found)))
    return st.one_of(st.just((Window(0, 1_440),)), st.just(()), several, several)


def jumps(zone: str, day: date) -> list[tuple[int, int]]:
    """From where to where the clock jumps around a day, in minutes of its own."""
    shown = walk(zone, day).shown[(BACK - 1) * 1_440 : (BACK + 2) * 1_440]
    return [(earlier, later) for earlier, later in pairwise(shown) if later - earlier != 1]


@st.composite
def scenes(draw: st.DrawFn) -> Scene:
    zone, day = draw(st.sampled_from(HARD_DAYS))
    some_windows = windows(zone, day)
    usual = draw(some_windows)
    weekdays = st.just(usual) if draw(st.booleans()) else st.one_of(st.just(usual), some_windows)
    weekly = {weekday: draw(weekdays) for weekday in range(1, 8)}
    days = st.integers(-BACK + 10, AHEAD).map(lambda n: day + n * DAY)
    exceptions = draw(st.dictionaries(st.one_of(st.just(day), days), some_windows, max_size=4))
    around = BACK * 24 * 60
    starts_from = draw(st.integers(around - 2 * 1_440, around + 2 * 1_440))
    begins = st.integers(around - 4 * 1_440, around + 3 * 1_440)
    length = st.one_of(st.sampled_from([5, 15, 30, 60]), st.integers(5, 1_440))
    meetings = draw(st.lists(st.tuples(begins, length).map(lambda one: (one[0], sum(one))), max_size=4))
    return Scene(
        zone,
        day,
        weekly,
        exceptions,
        meetings,
        now=starts_from + draw(st.integers(-1_440, 1_440)),
        starts_from=starts_from,
        until=starts_from + draw(st.integers(0, 2 * 1_440)),
        duration=draw(length),
    )


def runs(free: bytearray) -> list[tuple[int, int]]:
    """The stretches of free time."""
    found, at = [], 0
    for is_free, several in groupby(free):
        length = len(list(several))
        if is_free:
            found.append((at, at + length))
        at += length
    return found


def expected_slots(scene: Scene) -> list[Stretch]:
    """Every minute is tried. What has not begun in all the days of the walk never did: its quarters are the clock's."""
    shown = scene.walk.shown
    return scene.dates(
        (start, start + scene.duration)
        for begins, ends in runs(scene.free_minutes())
        for start in range(begins, ends)
        if (shown[start] % 15 == 0 if begins == 0 else (start - begins) % 15 == 0)
        if scene.now < start and scene.starts_from <= start and start + scene.duration <= min(ends, scene.until)
    )


@settings(max_examples=150 * TIMES, deadline=None)
@given(scenes())
def test_v2_slots_are_those_found_minute_by_minute(scene: Scene):
    assert scene.slots() == expected_slots(scene)


@settings(max_examples=100 * TIMES, deadline=None)
@given(scenes(), st.data())
def test_p5_a_date_can_be_proposed_if_all_its_minutes_are_free(scene: Scene, data: st.DataObject):
    free = scene.free_minutes()
    published = any(scene.weekly.values()) or any(
        windows and day >= scene.walk.instant(scene.now).astimezone(ZoneInfo(scene.zone)).date()
        for day, windows in scene.exceptions.items()
    )
    last = len(free) - max(60, scene.duration) - 2  # what begins later would end after the walk
    edges = [edge for run in runs(free) for edge in run if scene.starts_from - 1_440 < edge <= last]
    near = st.sampled_from(edges or [scene.starts_from])
    for begins in data.draw(st.lists(st.tuples(near, st.integers(-2, 2)).map(sum), min_size=1, max_size=10)):
        for minutes in (5, 60, scene.duration):
            if published:
                assert scene.bookable(begins, minutes) == all(free[begins : begins + minutes])
            else:
                of = {BEGIN.date() + each // 1_440 * DAY for each in scene.walk.shown[begins : begins + minutes]}
                off = {day for day, windows in scene.exceptions.items() if not windows}
                assert scene.bookable(begins, minutes) == (not of & off)


@settings(max_examples=50 * TIMES, deadline=None)
@given(scenes())
def test_p5_every_slot_can_be_proposed(scene: Scene):
    for starts_at, _ in scene.slots():
        assert scene.bookable((starts_at - scene.walk.begins) // MINUTE, scene.duration)


@settings(max_examples=50 * TIMES, deadline=None)
@given(scenes(), st.data())
def test_v2_a_narrower_range_or_a_later_now_only_leaves_slots_out(scene: Scene, data: st.DataObject):
    later = data.draw(st.integers(0, 1_440)), data.draw(st.integers(0, 1_440))
    narrower = Scene(**{**vars(scene), "now": scene.now + later[0], "starts_from": scene.starts_from + later[1]})
    begins, now = narrower.walk.instant(narrower.starts_from), narrower.walk.instant(narrower.now)
    assert narrower.slots() == [slot for slot in scene.slots() if begins <= slot[0] and now < slot[0]]


@pytest.mark.parametrize(("zone", "day"), HARD_DAYS)
def test_v1_the_days_are_hard(zone: str, day: date):
    """On all but the first two the clock jumps within a day, and the walk knows it."""
    assert bool(jumps(zone, day)) == (zone not in {"UTC", "Asia/Kathmandu"})
