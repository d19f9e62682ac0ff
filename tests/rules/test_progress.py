"""Who may say how a meeting went, when, and what is shown of it to whom (E1-E3)."""

from datetime import timedelta
from itertools import product

import pytest

from rules.meetings import Recording
from rules.policy import Policy
from rules.problems import InvalidInput
from rules.progress import check_rating, shows_progress_of
from rules.terms import InvalidInputCode, MeetingActionKind, Progress, Refusal, Side
from tests.rules.playing import NOW, POLICY, PROPOSER, TICK, Play, agreed, kinds, play, rejected, shown

RECORD = MeetingActionKind.RECORD_PROGRESS
WEEK = timedelta(hours=168)
SIDE = pytest.mark.parametrize("side", list(Side))


@PROPOSER
@SIDE
def test_e1_from_the_end_until_168_h_after_it_to_the_microsecond_and_it_is_shown_so(proposer: Side, side: Side):
    played = agreed(proposer)
    end = played.state.ends_at
    for now in (NOW, played.state.starts_at, end - TICK):
        assert played.refused("record", side, now=now) is Refusal.TOO_EARLY
        action = shown(played, side, now)[RECORD]
        assert (action.refusal, action.opens_at, action.closes_at) == (Refusal.TOO_EARLY, end, None)
    for now in (end, end + WEEK - TICK):
        action = shown(played, side, now)[RECORD]
        assert (action.refusal, action.opens_at, action.closes_at) == (None, None, end + WEEK)
        assert action.consequences is None
        recorded = Play(played.state, played.decision, dict(played.accounts)).do("record", side, now=now)
        assert kinds(recorded)[0] == f"PROGRESS_RECORDED_BY_{side}"
        assert recorded.recording == Recording(side, Progress.WENT_SMOOTHLY)
    assert played.refused("record", side, now=end + WEEK) is Refusal.TOO_LATE
    assert shown(played, side, end + WEEK)[RECORD].refusal is Refusal.TOO_LATE


@SIDE
def test_e1_once_also_after_the_time_is_over(side: Side):
    played = agreed(Side.USER)
    played.do("record", side, now=played.state.ends_at)
    for now in (played.state.ends_at, played.state.ends_at + WEEK):
        assert played.refused("record", side, now=now) is Refusal.ALREADY_RECORDED
        assert shown(played, side, now)[RECORD].refusal is Refusal.ALREADY_RECORDED


@SIDE
def test_e1_of_agreed_meetings_only(side: Side):
    for played in (play(side), rejected(side), agreed(side, ("cancel", side)), rejected(side, ("choose", side))):
        after = played.state.ends_at + TICK
        assert played.refused("record", side, now=after) is Refusal.WRONG_STATUS
        assert shown(played, side, after)[RECORD].refusal is Refusal.WRONG_STATUS


@SIDE
def test_e1_an_alternative_date_that_nobody_answered_keeps_nobody_from_it(side: Side):
    played = agreed(Side.USER, ("choose", side))
    played.do("record", side, now=played.state.ends_at)
    assert played.state.alternative is not None


def test_e1_only_the_user_adds_a_rating_and_a_comment():
    played = agreed(Side.USER)
    end = played.state.ends_at
    for given in ({"rating": 5}, {"comment": "Fine"}):
        problem = played.problem("record", Side.EXPERT, now=end, **given)
        assert isinstance(problem, InvalidInput)
        assert (problem.field, problem.code) == (next(iter(given)), InvalidInputCode.UNKNOWN)
        assert played.refused("record", Side.EXPERT, now=end - TICK, **given) is Refusal.TOO_EARLY, "first (Q4)"
    said = played.do("record", Side.USER, now=end, rating=5, comment=" Fine ")
    assert said.recording == Recording(Side.USER, Progress.WENT_SMOOTHLY, 5, "Fine")
    assert isinstance(played.problem("record", Side.EXPERT, now=end, comment="  "), InvalidInput)


@pytest.mark.parametrize(
    ("rating", "comment", "field", "code"),
    [
        (0, None, "rating", InvalidInputCode.OUT_OF_RANGE),
        (6, None, "rating", InvalidInputCode.OUT_OF_RANGE),
        (-(2**31), None, "rating", InvalidInputCode.OUT_OF_RANGE),
        (1, "x" * 2001, "comment", InvalidInputCode.TOO_LONG),
        (None, "\x00", "comment", InvalidInputCode.MALFORMED),
    ],
)
def test_e1_p4_what_the_input_alone_shows_to_be_wrong(
    rating: int | None, comment: str | None, field: str, code: InvalidInputCode
):
    with pytest.raises(InvalidInput) as wrong:
        check_rating(rating, comment, POLICY)
    assert (wrong.value.field, wrong.value.code) == (field, code)


def test_e1_p4_what_is_just_within_the_bounds():
    for rating, comment in product((None, 1, 5), (None, "", "x" * 2000)):
        check_rating(rating, comment, POLICY)


def sees_the_others(played: Play, side: Side, *, after: timedelta = timedelta(0), policy: Policy = POLICY) -> bool:
    now = played.state.ends_at + after
    assert shows_progress_of(side, played.state, to=side, now=now, policy=policy), "one's own at once"
    return shows_progress_of(side.other, played.state, to=side, now=now, policy=policy)


def test_e3_the_others_word_is_shown_once_one_has_spoken_it_is_settled_or_168_h_have_passed():
    waiting = agreed(Side.USER)
    waiting.do("record", Side.EXPERT, now=waiting.state.ends_at)
    assert not sees_the_others(waiting, Side.USER)
    assert not sees_the_others(waiting, Side.USER, after=WEEK - TICK)
    assert sees_the_others(waiting, Side.USER, after=WEEK)
    assert sees_the_others(waiting, Side.EXPERT)

    settled = agreed(Side.USER)
    settled.do("record", Side.USER, now=settled.state.ends_at)
    assert sees_the_others(settled, Side.EXPERT)

    waiting.do("record", Side.USER, now=waiting.state.ends_at, progress=Progress.FAILED_BECAUSE_OF_OTHER_PARTY)
    assert waiting.state.referred
    assert all(sees_the_others(waiting, side) for side in Side)


@SIDE
def test_q3_s3_deciding_is_staffs_and_never_a_sides(side: Side):
    played = agreed(Side.USER)
    end = played.state.ends_at
    played.do("record", Side.USER, now=end, progress=Progress.FAILED_BECAUSE_OF_OTHER_PARTY)
    assert shown(played, None, end)[MeetingActionKind.DECIDE].refusal is Refusal.WRONG_STATUS
    played.do("record", Side.EXPERT, now=end)
    assert shown(played, None, end)[MeetingActionKind.DECIDE].refusal is None
    assert shown(played, side, end)[MeetingActionKind.DECIDE].refusal is Refusal.STAFF_ONLY
