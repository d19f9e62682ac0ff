"""What every platform is told: a name that can stand in an address, a window in whole seconds, a name to show."""

from dataclasses import replace

import pytest

from tests.conference.rooms import ROOM, UMA, WINDOW


def test_a_room_is_open_in_whole_seconds_from_when_its_links_are_good_until_they_are_not_any_more_l2():
    assert ROOM.window == WINDOW


@pytest.mark.parametrize("name", ["", "a/b", "../meeting-tokens", "Room", "a b", "a?b", "a#b", "ä", "a\n", "a" * 129])
def test_no_room_has_a_name_that_means_something_else_in_an_address(name: str):
    with pytest.raises(ValueError, match="can't have this name"):
        replace(ROOM, name=name)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Uma Groß", "Uma Groß"),
        ("Uma\x00\x1b[31m\r\n\x7fGroß", "Uma[31mGroß"),
        ("Uma\u2028\u2029\x85Groß", "UmaGroß"),
        ("Uma \ud800Groß", "Uma Groß"),
        ("\N{WOMAN}\N{ZERO WIDTH JOINER}\N{PERSONAL COMPUTER}", "\N{WOMAN}\N{ZERO WIDTH JOINER}\N{PERSONAL COMPUTER}"),
        ("ß" * 101, "ß" * 100),
        ("\n" * 50 + "U" * 100, "U" * 100),
    ],
)
def test_a_name_is_shown_on_one_line_and_not_for_ever(name: str, shown: str):
    assert replace(UMA, name=name).shown_name == shown
