"""How times and amounts stand on the wire."""

import re
from datetime import UTC, date, datetime
from typing import NewType

import strawberry
from graphql import GraphQLError
from strawberry.types.scalar import ScalarDefinition

from resolvers.errors import ErrorCode
from rules.credits import HUNDREDTHS

Credits = NewType("Credits", int)
"An amount in hundredths of a credit, inside the service."
Time = NewType("Time", int)
"A time of a day in minutes since midnight, inside the service."

INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?([Zz]|[+-]\d{2}:\d{2})", re.ASCII)
DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
CLOCK = re.compile(r"(?P<hours>[01]\d|2[0-3]):(?P<minutes>[0-5]\d)|24:00", re.ASCII)
AMOUNT = re.compile(r"(?P<minus>-?)(?P<whole>\d{1,18})(\.(?P<part>\d{1,2}))?", re.ASCII)


def _unreadable(expected: str) -> GraphQLError:
    return GraphQLError(f"This is not {expected}.", extensions={"code": ErrorCode.BAD_USER_INPUT.value})


def parse_instant(value: object) -> datetime:
    """The instant in UTC; one without an offset means nothing to a server."""
    fault = _unreadable("an instant in ISO 8601 with offset, like 2027-03-28T09:30:00+00:00")
    if not isinstance(value, str) or not INSTANT.fullmatch(value):
        raise fault
    try:
        return datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError) as cause:
        raise fault from cause


def serialize_instant(instant: datetime) -> str:
    return (instant if instant.tzinfo is UTC else instant.astimezone(UTC)).isoformat()


def parse_date(value: object) -> date:
    """The calendar day, whatever the zone."""
    fault = _unreadable("a calendar day in ISO 8601, like 2027-03-28")
    if not isinstance(value, str) or not DAY.fullmatch(value):
        raise fault
    try:
        return date.fromisoformat(value)
    except ValueError as cause:
        raise fault from cause


def parse_time(value: object) -> Time:
    """The minutes since midnight; 24:00 is the end of a day."""
    match = CLOCK.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise _unreadable("a time of a day, from 00:00 to 24:00")
    return Time(int(match["hours"] or 24) * 60 + int(match["minutes"] or 0))


def serialize_time(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def parse_credits(value: object) -> Credits:
    """The hundredths that a decimal string with at most two places says."""
    match = AMOUNT.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise _unreadable('an amount of credits: a decimal string with at most two places, like "12.50"')
    hundredths = int(match["whole"]) * HUNDREDTHS + int((match["part"] or "0").ljust(2, "0"))
    return Credits(-hundredths if match["minus"] else hundredths)


def serialize_credits(amount: int) -> str:
    whole, part = divmod(abs(amount), HUNDREDTHS)
    return f"{'-' if amount < 0 else ''}{whole}.{part:02}"


SCALARS: dict[object, ScalarDefinition] = {
    datetime: strawberry.scalar(
        name="DateTime",
        description="An instant, ISO 8601 with offset, e.g. 2027-03-28T09:30:00+00:00.",
        serialize=serialize_instant,
        parse_value=parse_instant,
    ),
    date: strawberry.scalar(
        name="Date",
        description="A calendar day, ISO 8601, e.g. 2027-03-28.",
        serialize=date.isoformat,
        parse_value=parse_date,
    ),
    Time: strawberry.scalar(
        name="Time",
        description="A wall-clock time, HH:MM; 24:00 only as an end.",
        serialize=serialize_time,
        parse_value=parse_time,
    ),
    Credits: strawberry.scalar(
        name="Credits",
        description='An amount of credits: a decimal string with at most two places, e.g. "12.50".',
        serialize=serialize_credits,
        parse_value=parse_credits,
    ),
}
