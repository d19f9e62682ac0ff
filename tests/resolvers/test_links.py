"""What a link is made of: nobody can guess or alter one, and it is read in one spelling only (L1)."""

import base64
import string
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from conference.platform import ROOM_NAME
from resolvers.links import Links

LINKS = Links("a secret of nothing but the tests, long enough", "https://meet.example.com/api/")
LINK, OTHER = UUID("018f2f6a-1111-7000-8000-0000000000ff"), UUID("018f2f6a-2222-7000-8000-000000000000")
NOW = datetime(2027, 3, 1, 12, 0, tzinfo=UTC)
ALPHABET = string.ascii_letters + string.digits + "-_"


def altered(text: str) -> list[str]:
    """The text with each of its bits turned over, as base64 goes; and in any other spelling."""
    content = base64.urlsafe_b64decode(text)
    turned = [content[: bit // 8] + bytes([content[bit // 8] ^ 1 << bit % 8]) + content[bit // 8 + 1 :]
              for bit in range(8 * len(content))]  # fmt: skip
    spelled = [text + "=", text + "====", text + "\n", " " + text, text[:-1], text[1:], text[:-4], text + "AAAA", ""]
    spelled += [text[:20] + each + text[20:] for each in "%.!\0é"] + [text.swapcase(), text * 2]
    return [base64.urlsafe_b64encode(each).decode() for each in turned] + spelled


def test_l1_a_token_names_its_link():
    token = LINKS.token(LINK)
    assert LINKS.read(token) == LINK
    assert LINKS.token(LINK) == token != LINKS.token(OTHER)
    assert set(token) <= set(ALPHABET)
    assert LINKS.url(LINK) == f"https://meet.example.com/api/join/{token}"


def test_l1_an_altered_token_names_nothing_whichever_bit_it_is():
    assert {LINKS.read(each) for each in altered(LINKS.token(LINK))} == {None}


def test_l1_each_place_of_a_token_has_one_character_that_fits():
    token = LINKS.token(LINK)
    for place in range(len(token)):
        fitting = [each for each in ALPHABET if LINKS.read(token[:place] + each + token[place + 1 :])]
        assert fitting == [token[place]]


def test_l1_without_the_secret_no_token_can_be_made():
    assert LINKS.read(Links("another secret, which is quite as long as the first").token(LINK)) is None
    assert LINKS.read(Links().token(LINK)) is None
    assert "secret" not in repr(LINKS)


def test_l2_an_openings_value_is_good_for_its_link_alone():
    opening = uuid4()
    value = LINKS.opening(LINK, opening, NOW)
    assert LINKS.read_opening(LINK, value) == (opening, NOW)
    assert LINKS.read_opening(OTHER, value) is None
    assert {LINKS.read_opening(LINK, each) for each in altered(value)} == {None}


def test_l2_nothing_made_for_one_use_passes_for_another():
    value = LINKS.opening(LINK, uuid4(), NOW)
    assert LINKS.read(value) is None
    assert LINKS.read_opening(LINK, LINKS.token(LINK)) is None
    assert LINKS.read_opening(LINK, LINKS.room(LINK)) is None
    assert LINKS.read(LINKS.room(LINK)) is None


@pytest.mark.parametrize("made", [datetime(1970, 1, 1, tzinfo=UTC), NOW + timedelta(milliseconds=1), NOW.replace(9999)])
def test_l2_a_value_says_when_it_was_made(made: datetime):
    read = LINKS.read_opening(LINK, LINKS.opening(LINK, OTHER, made))
    assert read == (OTHER, made)


def test_l4_a_room_is_always_the_same_for_a_meeting_and_another_for_every_other():
    rooms = {LINKS.room(each) for each in (LINK, OTHER)} | {Links("another" * 10).room(LINK)}
    assert len(rooms) == 3
    assert all(ROOM_NAME.fullmatch(room) for room in rooms)
    assert LINKS.room(LINK) == LINKS.room(LINK)
