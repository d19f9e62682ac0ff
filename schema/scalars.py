"""How instants and amounts stand on the wire."""

import re
from datetime import UTC, datetime
from typing import NewType

import strawberry
from graphql import GraphQLError
from strawberry.types.scalar import ScalarDefinition

from resolvers.errors import ErrorCode
from rules.credits import HUNDREDTHS

Credits = NewType("Credits", int)
"An amount in hundredths of a credit, inside the service."

INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?([Zz]|[+-]\d{2}:\d{2})", re.ASCII)
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
        serialize=lambda instant: instant.astimezone(UTC).isoformat(),
        parse_value=parse_instant,
    ),
    Credits: strawberry.scalar(
        name="Credits",
        description='An amount of credits: a decimal string with at most two places, e.g. "12.50".',
        serialize=serialize_credits,
        parse_value=parse_credits,
    ),
}
