"""Instants and dates as people read them: in their language and on their own clock.

With the clock's offset, because in autumn one time comes twice.
"""

from datetime import datetime
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_time, get_timezone_gmt

from rules.terms import Language

LOCALES = {Language.EN: "en_GB", Language.DE: "de"}
DAYS = {Language.EN: "EEEE, d MMMM y", Language.DE: "EEEE, d. MMMM y"}


def instant_text(instant: datetime, language: Language, time_zone: str) -> str:
    """Day and time: Monday, 1 March 2027, 13:45 (GMT+01:00)."""
    local = instant.astimezone(ZoneInfo(time_zone))
    return f"{_day(local, language)}, {_time(local, language)} ({_offset(local, language)})"


def period_text(starts_at: datetime, ends_at: datetime, language: Language, time_zone: str) -> str:
    """From when to when: Monday, 1 March 2027, 13:45 – 14:45 (GMT+01:00)."""
    start, end = (instant.astimezone(ZoneInfo(time_zone)) for instant in (starts_at, ends_at))
    until = _time(end, language) if end.date() == start.date() else f"{_day(end, language)}, {_time(end, language)}"
    offsets = dict.fromkeys(_offset(local, language) for local in (start, end))  # two, if it is changed meanwhile
    return f"{_day(start, language)}, {_time(start, language)} – {until} ({' – '.join(offsets)})"


def _day(local: datetime, language: Language) -> str:
    return format_date(local, DAYS[language], locale=LOCALES[language])


def _time(local: datetime, language: Language) -> str:
    return format_time(local, "HH:mm", tzinfo=local.tzinfo, locale=LOCALES[language])


def _offset(local: datetime, language: Language) -> str:
    return get_timezone_gmt(local, width="long", locale=LOCALES[language])
