"""Amounts and movements."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.credits import block, share, unblock
from rules.problems import InsufficientCredits


@pytest.mark.parametrize(
    ("amount", "percent", "part"),
    [(1, 50, 1), (1255, 50, 628), (3333, 50, 1667), (3333, 20, 667), (100, 50, 50), (0, 50, 0), (5, 10, 1), (4, 10, 0)],
)
def test_m3_a_share_is_rounded_half_up_to_a_hundredth(amount: int, percent: int, part: int):
    assert share(amount, percent) == part


@given(st.integers(0, 10**11), st.integers(0, 100))
def test_m3_a_share_is_never_more_than_half_a_hundredth_off_and_never_more_than_the_whole(amount: int, percent: int):
    part = share(amount, percent)
    assert -50 < 100 * part - amount * percent <= 50, "half a hundredth is rounded up"
    assert 0 <= part <= amount


def test_m4_movements_of_nothing_are_not_recorded():
    assert block(0, available=0) == ()
    assert unblock(0) == ()


def test_p1_blocking_more_than_is_available_says_how_much_is_missing():
    with pytest.raises(InsufficientCredits) as refused:
        block(4000, available=3999)
    assert (refused.value.required, refused.value.available, refused.value.missing) == (4000, 3999, 1)


def test_p1_blocking_all_that_is_available_is_possible():
    (movement,) = block(4000, available=4000)
    assert movement.amount == 4000
