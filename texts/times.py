"""Dates as people read them: in their language and on their own clock."""

from datetime import datetime
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_time, get_timezone_gmt

from rules.terms import Language

LOCALES = {Language.EN: "en_GB", Language.DE: "de"}
DAYS = {Language.EN: "EEEE, d MMMM y", Language.DE: "EEEE, d. MMMM y"}


def period_text(starts_at: datetime, ends_at: datetime, language: Language, time_zone: str) -> str:
    """From when to when, as clocks in this zone show it; with the offset, as one time may come twice a year."""
    start, end = (instant.astimezone(ZoneInfo(time_zone)) for instant in (starts_at, ends_at))
    locale = LOCALES[language]

    def day(local: datetime) -> str:
        return format_date(local, DAYS[language], locale=locale)

    def time(local: datetime) -> str:
        return format_time(local, "HH:mm", tzinfo=local.tzinfo, locale=locale)

    until = time(end) if end.date() == start.date() else f"{day(end)}, {time(end)}"
    return f"{day(start)}, {time(start)} – {until} ({_offset(start, end, locale)})"


def _offset(start: datetime, end: datetime, locale: str) -> str:
    """How far the clock is from Greenwich; both, if it is put forward or back meanwhile."""
    offsets = [get_timezone_gmt(local, width="long", locale=locale) for local in (start, end)]
    return " – ".join(dict.fromkeys(offsets))
