"""Words that carry what they mean are strings like any other enum's."""

import copy
import json
import pickle

import pytest

from rules.terms import Side, Term


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda word: pickle.loads(pickle.dumps(word)), Side])
def test_a_word_that_was_copied_or_read_back_is_the_same_one(again):
    assert again(Side.USER) is Side.USER


def test_a_word_is_the_text_that_it_stands_for():
    assert Side("USER") is Side.USER
    assert Side.USER == Side.USER.value == str(Side.USER) == f"{Side.USER}" == "USER"
    assert type(Side.USER.value) is str
    assert json.dumps({Side.USER: Side.EXPERT}) == '{"USER": "EXPERT"}'
    assert hash(Side.USER) == hash("USER")


def test_every_word_says_what_it_means_and_no_two_of_a_kind_say_the_same():
    for kind in Term.__subclasses__():
        described = [word.description for word in kind]
        assert all(described)
        assert len(set(described)) == len(described), kind
