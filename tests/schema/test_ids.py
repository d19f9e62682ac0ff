"""Ids as clients see them."""

import base64
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.ids import NOTHING, uuid7
from schema.ids import global_id, optional_row_id, row_id

KNOWN = UUID("01890af0-0000-7000-8000-0000000000ff")


def encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode()


@given(st.uuids())
def test_an_id_names_the_row_it_was_made_of(known: UUID):
    assert row_id("Meeting", global_id("Meeting", known)) == known


def test_an_id_of_another_type_names_nothing():
    assert row_id("Meeting", global_id("Person", KNOWN)) == NOTHING


@pytest.mark.parametrize(
    "garbage",
    [
        "",
        "x",
        "%%%%",
        "Ümläut",
        "\x00",
        "\ud800",
        "💥",
        "a" * 10_000,
        str(KNOWN),
        0,
        -1,
        2**70,
        1.5,
        True,
        encoded("Meeting"),
        encoded("Meeting:"),
        encoded("Meeting:zz"),
        encoded(f"meeting:{KNOWN.hex}"),
        encoded(f":{KNOWN.hex}"),
        encoded(f"Meeting:{KNOWN.hex}0"),
        base64.urlsafe_b64encode(b"Meeting:\xff\xfe").decode(),
        encoded("Meeting:" + "1" * 5_000),
    ],
)
def test_an_unreadable_id_names_nothing_like_any_unknown_one(garbage: object):
    assert row_id("Meeting", garbage) == NOTHING


@given(st.text() | st.binary().map(lambda raw: base64.urlsafe_b64encode(raw).decode()) | st.integers())
def test_whatever_a_client_sends_as_an_id_is_no_error(garbage: object):
    assert row_id("Meeting", garbage) == NOTHING


def test_an_id_that_is_left_out_is_none():
    assert optional_row_id("Service", None) is None
    assert optional_row_id("Service", global_id("Service", KNOWN)) == KNOWN
    assert optional_row_id("Service", "nonsense") == NOTHING


def test_ids_are_in_the_order_they_were_made():
    made = [uuid7() for _ in range(10_000)]
    assert made == sorted(made)
    assert len(set(made)) == len(made)
