"""A time zone's rules, as calendars are told them.

Outlook understands two yearly changes of the clocks and nothing else, RDATE least of all. A zone that goes by the
moon, or went by another law a year ago, has no such rules: what happens there is told in UTC, which is never wrong.
"""

import calendar
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from icalendar import Timezone, TimezoneDaylight, TimezoneStandard

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
FOR_YEARS = 12
"How long a rule must hold: long enough to tell the fourth Sunday of a month from the last."


@dataclass(frozen=True, slots=True)
class StatedZone:
    """A zone to tell times in, and its rules."""

    zone: ZoneInfo
    rules: Timezone

    def local(self, *instants: datetime) -> list[datetime]:
        """The instants on the zone's clock, or in UTC if one of them is in an hour that the clock goes through again.

        Of such an hour a calendar can only be told the first (RFC 5545, 3.3.5).
        """
        local = [instant.astimezone(self.zone) for instant in instants]
        return [instant.astimezone(UTC) for instant in instants] if any(each.fold for each in local) else local


@lru_cache(maxsize=1_000)
def stated_zone(name: str, first_year: int, last_year: int) -> StatedZone:
    """The zone, if it has rules that hold in these years; otherwise UTC."""
    zone = ZoneInfo(name)
    rules = Timezone()
    rules.add("tzid", name)
    years = range(first_year - 1, last_year + FOR_YEARS)
    changes = list(_changes(zone, years))
    if not changes:
        offset = _offset(zone, datetime(first_year, 1, 1, tzinfo=UTC))
        rules.add_component(_observance(_Change(datetime(1970, 1, 1), offset, offset)))
    for direction in dict.fromkeys((each.before, each.after) for each in changes):
        alike = [each for each in changes if (each.before, each.after) == direction]
        rule = _yearly_rule([each.at for each in alike])
        if rule is None or len(alike) != len(years) or len(changes) != 2 * len(years):
            return stated_zone("UTC", first_year, last_year)
        rules.add_component(_observance(alike[0], rule))
    return StatedZone(zone, rules)


@dataclass(frozen=True, slots=True)
class _Change:
    """The clocks are changed."""

    at: datetime
    "On the clock as it was until then."
    before: timedelta
    after: timedelta


def _changes(zone: ZoneInfo, years: range) -> Iterator[_Change]:
    day = datetime(years.start, 1, 1, tzinfo=UTC)
    before = _offset(zone, day)
    while day.year < years.stop:
        after = _offset(zone, day + DAY)
        if before != after:
            start, until_then = day, before
            minutes = bisect_left(
                range(1_440), True, key=lambda each: _offset(zone, start + each * MINUTE) != until_then
            )
            at = day + minutes * MINUTE + before
            yield _Change(at.replace(tzinfo=None), before, after)
        day, before = day + DAY, after


def _offset(zone: ZoneInfo, instant: datetime) -> timedelta:
    offset = instant.astimezone(zone).utcoffset()
    assert offset is not None
    return offset


def _yearly_rule(changes: list[datetime]) -> dict[str, object] | None:
    """The month, and which weekday of it, that all of these are on at the same time of the day."""
    if len({(each.month, each.weekday(), each.time()) for each in changes}) > 1:
        return None
    if all(each.day + 7 > calendar.monthrange(each.year, each.month)[1] for each in changes):
        place = -1
    else:
        place, *others = {(each.day + 6) // 7 for each in changes}
        if others:
            return None
    first = changes[0]
    return {"FREQ": "YEARLY", "BYMONTH": first.month, "BYDAY": f"{place}{WEEKDAYS[first.weekday()]}"}


def _observance(change: _Change, rule: dict[str, object] | None = None) -> TimezoneStandard | TimezoneDaylight:
    observance = TimezoneDaylight() if change.after > change.before else TimezoneStandard()
    observance.add("dtstart", change.at)
    observance.add("tzoffsetfrom", change.before)
    observance.add("tzoffsetto", change.after)
    if rule is not None:
        observance.add("rrule", rule)
    return observance
