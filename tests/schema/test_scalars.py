"""Instants and amounts on the wire."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from graphql import GraphQLError
from hypothesis import given
from hypothesis import strategies as st

from schema.scalars import parse_credits, parse_instant, serialize_credits
from tests.driving import Client, Service

AMOUNTS = {
    "0": 0,
    "0.00": 0,
    "-0.00": 0,
    "1": 100,
    "12.5": 1250,
    "12.50": 1250,
    "007": 700,
    "-0.01": -1,
    "1000000.01": 100_000_001,
    "9" * 18 + ".99": 10**20 - 1,
}

NO_AMOUNTS: list[Any] = [
    *("", " ", ".", ".5", "1.", "1.000", "+1", "1e3", "1,00", " 1", "1 ", "1\n", "0x10", "NaN", "Infinity", "--1"),
    *("\u0661", "\uff11", "½", "1\x00", "\ud800", "1" * 19, "1" * 5_000, 1, 1.5, True, None, [], {}),
]

INSTANTS = {
    "2027-03-28T09:30:00+00:00": datetime(2027, 3, 28, 9, 30, tzinfo=UTC),
    "2027-03-28T09:30:00Z": datetime(2027, 3, 28, 9, 30, tzinfo=UTC),
    "2027-03-28t09:30:00z": datetime(2027, 3, 28, 9, 30, tzinfo=UTC),
    "2027-03-28T09:30Z": datetime(2027, 3, 28, 9, 30, tzinfo=UTC),
    "2027-03-28T11:30:00+02:00": datetime(2027, 3, 28, 9, 30, tzinfo=UTC),
    "2027-03-28T09:30:00.5Z": datetime(2027, 3, 28, 9, 30, 0, 500_000, tzinfo=UTC),
    "2027-03-28T09:30:00.123456789Z": datetime(2027, 3, 28, 9, 30, 0, 123_456, tzinfo=UTC),
}

NO_INSTANTS: list[Any] = [
    *("", "now", "2027-03-28", "2027-03-28T09:30:00", "2027-03-28 09:30:00Z", "20270328T093000Z", "2027-W12-7T09:30Z"),
    *("2027-02-29T09:30:00Z", "2027-13-01T09:30:00Z", "2027-03-28T24:00:00Z", "2027-03-28T09:60:00Z"),
    *("2027-03-28T09:30:60Z", "2027-03-28T09:30:00+24:00", "2027-03-28T09:30:00+02", "0000-01-01T00:00:00Z"),
    *("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "\uff12027-03-28T09:30:00Z", "2027-03-28T09:30:00Z\n"),
    *("2027-03-28T09:30:00.Z", "2027-03-28T09:30:00.1234567890Z", "\x00", "\ud800", 1_800_000_000, 1.5, None, [], {}),
]


@pytest.mark.parametrize(("written", "hundredths"), AMOUNTS.items())
def test_an_amount_is_a_decimal_string_with_at_most_two_places(written: str, hundredths: int):
    assert parse_credits(written) == hundredths


@pytest.mark.parametrize("written", NO_AMOUNTS)
def test_what_is_no_amount_is_the_clients_fault(written: Any):
    with pytest.raises(GraphQLError) as fault:
        parse_credits(written)
    assert fault.value.extensions == {"code": "BAD_USER_INPUT"}


@given(st.integers(-(10**20) + 1, 10**20 - 1))
def test_an_amount_is_read_back_as_it_was_written(hundredths: int):
    assert parse_credits(serialize_credits(hundredths)) == hundredths


@pytest.mark.parametrize(
    ("hundredths", "written"), [(0, "0.00"), (5, "0.05"), (-5, "-0.05"), (-105, "-1.05"), (100_000_000, "1000000.00")]
)
def test_an_amount_is_written_with_two_places(hundredths: int, written: str):
    assert serialize_credits(hundredths) == written


@pytest.mark.parametrize(("written", "instant"), INSTANTS.items())
def test_an_instant_is_iso_8601_with_offset_and_kept_in_utc(written: str, instant: datetime):
    assert parse_instant(written) == instant
    assert parse_instant(written).tzinfo is UTC


@pytest.mark.parametrize("written", NO_INSTANTS)
def test_what_is_no_instant_is_the_clients_fault(written: Any):
    with pytest.raises(GraphQLError) as fault:
        parse_instant(written)
    assert fault.value.extensions == {"code": "BAD_USER_INPUT"}


@given(
    st.datetimes(datetime(1000, 1, 2), datetime(9999, 12, 30)),
    st.timedeltas(timedelta(hours=-23), timedelta(hours=23)).map(
        lambda by: timedelta(minutes=by // timedelta(minutes=1))
    ),
)
def test_an_instant_is_the_same_whatever_offset_it_is_written_with(local: datetime, offset: timedelta):
    instant = local.replace(tzinfo=timezone(offset))
    assert parse_instant(instant.isoformat()) == instant


GRANT = 'mutation($amount: Credits!) { grantCredits(input: { personId: "x", amount: $amount }) { __typename } }'
GRANT_LITERAL = 'mutation { grantCredits(input: { personId: "x", amount: %s }) { __typename } }'


@pytest.mark.parametrize("amount", ["1.000", "", 1, 1.5, None, "\ud800", "\x00"])
async def test_an_amount_that_is_none_is_answered_as_the_clients_fault(world: Service, stella: Client, amount: Any):
    async with world.nothing_changes():
        (error,) = await stella.errors(GRANT, amount=amount)
    assert error["extensions"]["code"] == "BAD_USER_INPUT"


@pytest.mark.parametrize("literal", ['"1.000"', "1", "1.5", "{a: 1}", "ENUM"])
async def test_a_literal_that_is_no_amount_is_answered_as_the_clients_fault(
    world: Service, stella: Client, literal: str
):
    async with world.nothing_changes():
        (error,) = await stella.errors(GRANT_LITERAL % literal)
    assert error["extensions"]["code"] == "BAD_USER_INPUT"


async def test_instants_are_answered_in_utc_whatever_offset_they_came_with(world: Service, uma: Client, emil: Client):
    meeting = await uma.proposed(emil, startsAt="2027-03-05T10:00:00+05:30")
    assert meeting["startsAt"] == "2027-03-05T04:30:00+00:00"
