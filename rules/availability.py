"""When an expert can be met (V1, V2, P5).

Windows are told in wall-clock time, as minutes since midnight, and turned into instants in one place. Everything after
that is arithmetic on instants.
"""

from bisect import bisect_left
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from operator import itemgetter
from typing import NamedTuple
from zoneinfo import ZoneInfo

from rules.policy import Policy
from rules.problems import InvalidInput
from rules.terms import InvalidInputCode

MIDNIGHT = 24 * 60
"24:00, the end of a day."
ONE_DAY = timedelta(days=1)
TICK = timedelta.resolution

# No clock can be asked for days that lie next to the ends of the calendar: nobody is met there.
FIRST_DAY = date.min + 3 * ONE_DAY
LAST_DAY = date.max - 3 * ONE_DAY
LAST_INSTANT = datetime.combine(LAST_DAY - ONE_DAY, time(), UTC)

Stretch = tuple[datetime, datetime]
"From an instant until before another one."


class Window(NamedTuple):
    """From a wall-clock time to a later one of the same day, which may be 24:00."""

    from_minute: int
    to_minute: int


@dataclass(frozen=True)
class Availability:
    """Weekly windows in a time zone, and for single dates the windows that replace them (V1)."""

    time_zone: str
    weekly: Mapping[int, Sequence[Window]] = field(default_factory=dict)
    "By weekday, Monday being 1."
    exceptions: Mapping[date, Sequence[Window]] = field(default_factory=dict)
    "No windows: a day off."

    @cached_property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    @cached_property
    def whole_weekdays(self) -> frozenset[int]:
        """Those that are open from midnight to midnight."""
        return frozenset(weekday for weekday, windows in self.weekly.items() if _whole(windows))

    def windows_on(self, day: date) -> Sequence[Window]:
        """In their order; an exception replaces the weekly ones."""
        return self.exceptions.get(day, self.weekly.get(day.isoweekday(), ()))


def checked(
    time_zone: str,
    weekly: Sequence[tuple[int, Window]],
    exceptions: Sequence[tuple[date, Sequence[Window]]],
    *,
    policy: Policy,
) -> Availability:
    """What was given, put in order; refused where it makes no sense or is too much (V1)."""
    _check_length(weekly, "weekly", at_most=policy.most_weekly_windows)
    _check_windows((window for _, window in weekly), "weekly")
    if any(not 1 <= weekday <= 7 for weekday, _ in weekly):
        raise InvalidInput("weekly", InvalidInputCode.OUT_OF_RANGE)
    _check_length(exceptions, "exceptions", at_most=policy.most_availability_exceptions)
    for _, windows in exceptions:
        _check_length(windows, "exceptions", at_most=policy.most_windows_of_an_exception)
        _check_windows(windows, "exceptions")
    by_weekday = {
        weekday: tuple(sorted(window for each, window in weekly if each == weekday))
        for weekday in sorted({each for each, _ in weekly})
    }
    by_day = {day: tuple(sorted(windows)) for day, windows in sorted(exceptions, key=itemgetter(0))}
    if len(by_day) < len(exceptions):  # a date is given twice
        raise InvalidInput("exceptions", InvalidInputCode.MALFORMED)
    return Availability(time_zone, by_weekday, by_day)


def _check_length(given: Collection[object], field: str, *, at_most: int) -> None:
    if len(given) > at_most:
        raise InvalidInput(field, InvalidInputCode.TOO_LONG)


def _check_windows(windows: Iterable[Window], field: str) -> None:
    """A window ends after it begins; so none begins at 24:00."""
    if any(not 0 <= window.from_minute < window.to_minute <= MIDNIGHT for window in windows):
        raise InvalidInput(field, InvalidInputCode.OUT_OF_RANGE)


def check_bookable(
    availability: Availability, starts_at: datetime, ends_at: datetime, *, agreed: Iterable[Stretch], now: datetime
) -> None:
    """A user proposes a date in the expert's free time; where no windows are published, not on a day off (P5)."""
    proposed = (starts_at, ends_at)
    if _published(availability, now):
        free = _less(_stretches(availability, *proposed), agreed)
    else:
        free = _less([proposed], _days_off(availability, *proposed))
    if not any(begins <= starts_at and ends_at <= ends for begins, ends in free):
        raise InvalidInput("startsAt", InvalidInputCode.OUTSIDE_AVAILABILITY)


def _published(availability: Availability, now: datetime) -> bool:
    """Whether there is any window, be it in an exception whose day is not over yet."""
    today = now.astimezone(availability.zone).date()
    return any(availability.weekly.values()) or any(
        windows and day >= today for day, windows in availability.exceptions.items()
    )


def _days_off(availability: Availability, starts_at: datetime, ends_at: datetime) -> list[Stretch]:
    """The days in a range for which an exception has no windows, each as far as there is such a day."""
    zone, exceptions = availability.zone, availability.exceptions
    off = [day for day in _days(zone, starts_at, ends_at) if day in exceptions and not exceptions[day]]
    return [(_begins(zone, day, 0), _begins(zone, day + ONE_DAY, 0)) for day in off]


def free_slots(
    availability: Availability,
    *,
    starts_from: datetime,
    until: datetime,
    duration: timedelta,
    agreed: Collection[Stretch],
    now: datetime,
    policy: Policy,
) -> list[Stretch]:
    """The dates of this length that can be proposed, on the grid of each stretch of free time (V2).

    `agreed` holds the expert's meetings that reach into what is to come of the range, and in each role the last one
    that was over by then: the grid may begin at its end.
    """
    earliest, until = max(starts_from, now), min(until, LAST_INSTANT)
    if earliest >= until:
        return []
    windows = _stretches(availability, earliest, until)
    if windows and windows[0][0] <= earliest:
        begins = _followed_back(availability, windows[0][0])
        if begins is None:  # the grid of what never began is told by the clock, or by the meetings in it
            midnight = _begins(availability.zone, _day(availability.zone, earliest), 0)
            begins = min([midnight, *(over for _, over in agreed)])
        windows[0] = (begins, windows[0][1])
    every = timedelta(minutes=policy.slots_every_minutes)
    slots = []
    for begins, ends in _less(windows, agreed):
        from_the_first = max(starts_from, now + TICK) - begins
        starts_at = begins + max(0, -(-from_the_first // every)) * every
        while starts_at + duration <= min(ends, until):
            slots.append((starts_at, starts_at + duration))
            starts_at += every
    return slots


# ── from the clock on the wall to instants ─────────────────────────────────────────────────────────────────────────


def _stretches(availability: Availability, starts_at: datetime, ends_at: datetime) -> list[Stretch]:
    """The windows that reach into this range, those that touch as one; the first may have begun still earlier (V1)."""
    days = _days(availability.zone, starts_at, ends_at)
    found = _merged(stretch for day in days for stretch in _of_day(availability, day))
    return [(begins, ends) for begins, ends in found if begins < ends_at and starts_at < ends]


def _followed_back(availability: Availability, begins: datetime) -> datetime | None:
    """Where the stretch really begins that goes on at this instant; None if it never did."""
    zone = availability.zone
    day = _day(zone, begins) + ONE_DAY
    while begins <= _ends(zone, day, 0):  # a window of an earlier day may reach it
        cut = _last_day_not_whole(availability, before=day)
        if cut is None:
            return None
        if cut < day - ONE_DAY:
            begins = min(begins, _begins(zone, cut + ONE_DAY, 0))
        for earlier, ends in reversed(_of_day(availability, cut)):
            if ends >= begins:
                begins = min(begins, earlier)
        day = cut
    return begins


def _last_day_not_whole(availability: Availability, *, before: date) -> date | None:
    """The last day before this one that is not open from midnight to midnight, if there is one."""
    if len(availability.whole_weekdays) == 7:
        return max(
            (
                day
                for day, windows in availability.exceptions.items()
                if FIRST_DAY <= day < before and not _whole(windows)
            ),
            default=None,
        )
    day = before - ONE_DAY
    while _whole(availability.windows_on(day)):
        day -= ONE_DAY
    return day


def _whole(windows: Iterable[Window]) -> bool:
    """Whether these windows, in their order, leave nothing of a day."""
    reached = 0
    for window in windows:
        if window.from_minute > reached:
            break
        reached = max(reached, window.to_minute)
    return reached == MIDNIGHT


def _of_day(availability: Availability, day: date) -> list[Stretch]:
    """What a day's windows are in instants; one that the clocks jump over is empty."""
    zone = availability.zone
    return [
        (_begins(zone, day, window.from_minute), _ends(zone, day, window.to_minute))
        for window in availability.windows_on(day)
    ]


def _begins(zone: ZoneInfo, day: date, minute: int) -> datetime:
    """The instant of a wall-clock time, the first where it exists twice (V1)."""
    return _instant(zone, day, minute, fold=0)


def _ends(zone: ZoneInfo, day: date, minute: int) -> datetime:
    """The instant of a wall-clock time, the second where it exists twice (V1)."""
    return _instant(zone, day, minute, fold=1)


def _instant(zone: ZoneInfo, day: date, minute: int, *, fold: int) -> datetime:
    """Where the time does not exist, the instant the clocks jump to (V1)."""
    told = datetime.combine(day, time()) + timedelta(minutes=minute)
    instant = told.replace(tzinfo=zone, fold=fold).astimezone(UTC)
    if _told(zone, instant) == told:
        return instant
    # Read by the clock of after the jump it lies before the jump, and by the clock of before it does after.
    before, after = (told.replace(tzinfo=zone, fold=each).astimezone(UTC) for each in (1, 0))
    seconds = range(int((after - before).total_seconds()))
    jumped = bisect_left(seconds, True, key=lambda each: _told(zone, before + timedelta(seconds=each)) > told)
    return before + timedelta(seconds=jumped)


def _told(zone: ZoneInfo, instant: datetime) -> datetime:
    """What the clock shows."""
    return instant.astimezone(zone).replace(tzinfo=None)


def _day(zone: ZoneInfo, instant: datetime) -> date:
    return instant.astimezone(zone).date()


def _days(zone: ZoneInfo, starts_at: datetime, ends_at: datetime) -> Iterator[date]:
    """The days that lie in a range, and those next to them: what was open at 24:00 may still be when clocks go back."""
    day, last = _day(zone, starts_at) - ONE_DAY, _day(zone, ends_at) + ONE_DAY
    while day <= last:
        yield day
        day += ONE_DAY


# ── instants ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _merged(stretches: Iterable[Stretch]) -> list[Stretch]:
    """Those that overlap or touch are one (V1); empty ones are none."""
    merged: list[Stretch] = []
    for begins, ends in sorted(stretches):
        if merged and begins <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], ends))
        elif begins < ends:
            merged.append((begins, ends))
    return merged


def _less(stretches: Iterable[Stretch], taken: Iterable[Stretch]) -> Iterator[Stretch]:
    """What is left of these stretches, which are in order and apart."""
    coming = deque(_merged(taken))
    for begins, ends in stretches:
        while coming and coming[0][0] < ends:
            taken_from, taken_until = coming[0]
            if begins < taken_from:
                yield begins, taken_from
            begins = max(begins, taken_until)
            if taken_until > ends:  # it may take of the next one too
                break
            coming.popleft()
        if begins < ends:
            yield begins, ends
