"""When a side's link lets it in, to the microsecond, and what its first opening leaves on the record (L1-L3)."""

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import product

import pytest

from rules.joining import Standing, join, standing, window
from rules.meetings import Event
from rules.problems import ActionRefused
from rules.terms import MeetingActionKind, Refusal, Side, TimelineEventKind
from tests.rules.playing import CHOOSER, DAY, NOW, POLICY, PROPOSER, START, TICK, Play, agreed, play, rejected, shown

END = START + timedelta(hours=1)
OPENS = START - timedelta(minutes=15)
CLOSES = END + timedelta(minutes=60)
SIDE = pytest.mark.parametrize("side", list(Side))
JOIN = MeetingActionKind.JOIN

EDGES = [
    (NOW, Standing.TOO_EARLY),
    (OPENS - TICK, Standing.TOO_EARLY),
    (OPENS, Standing.OPEN),
    (START, Standing.OPEN),
    (END, Standing.OPEN),
    (CLOSES - TICK, Standing.OPEN),
    (CLOSES, Standing.OVER),
    (CLOSES + 1000 * DAY, Standing.OVER),
]
REFUSED = {Standing.TOO_EARLY: Refusal.TOO_EARLY, Standing.OVER: Refusal.TOO_LATE, Standing.OPEN: None}
EDGE = pytest.mark.parametrize(("now", "stands"), EDGES)


def refusal(played: Play, side: Side, now: datetime) -> Refusal | None:
    """Why a side can't join."""
    try:
        join(played.facts, by=side, now=now, policy=POLICY)
    except ActionRefused as refused:
        return refused.refusal
    return None


@EDGE
def test_l1_a_link_lets_in_from_15_minutes_before_the_start_until_60_after_the_end(now: datetime, stands: Standing):
    for proposer in Side:
        assert standing(agreed(proposer).state, now=now, policy=POLICY) is stands


def test_l1_the_window_is_the_policys():
    policy = replace(POLICY, link_opens_minutes_before=0, link_valid_minutes_after=7)
    assert window(START, END, policy) == (START, END + timedelta(minutes=7))
    assert standing(agreed(Side.USER).state, now=START - TICK, policy=policy) is Standing.TOO_EARLY
    assert standing(agreed(Side.USER).state, now=START, policy=policy) is Standing.OPEN


@EDGE
@SIDE
def test_l2_what_the_action_says_is_what_the_link_does(side: Side, now: datetime, stands: Standing):
    played = agreed(Side.USER)
    assert refusal(played, side, now) is REFUSED[stands]
    action = shown(played, side, now)[JOIN]
    assert action.refusal is REFUSED[stands]
    assert action.consequences is None
    assert action.opens_at == (OPENS if stands is Standing.TOO_EARLY else None)
    assert action.closes_at == (CLOSES if stands is Standing.OPEN else None)


@SIDE
def test_l2_joining_records_the_sides_own_attendance_and_changes_nothing_else(side: Side):
    played = agreed(Side.USER)
    decision = join(played.facts, by=side, now=START, policy=POLICY)
    assert decision.events == (Event(TimelineEventKind[f"{side}_ATTENDANCE_RECORDED"], side),)
    assert decision == replace(decision, state=played.state, movements=(), notices=(), alternative_became=None)


@PROPOSER
@CHOOSER
def test_l1_without_a_date_in_force_nobody_can_join(proposer: Side, chooser: Side):
    for played in (
        play(proposer),
        rejected(proposer),
        rejected(proposer, ("choose", chooser)),
        play(proposer, ("cancel", proposer)),
        agreed(proposer, ("cancel", chooser)),
    ):
        for side, (now, _) in product(Side, EDGES):
            assert refusal(played, side, now) is Refusal.WRONG_STATUS
            assert standing(played.state, now=now, policy=POLICY) is Standing.NOT_AGREED
            assert shown(played, side, now)[JOIN].opens_at is None


@PROPOSER
@CHOOSER
def test_r3_a_pending_alternative_leaves_the_date_in_force_open(proposer: Side, chooser: Side):
    played = agreed(proposer, ("choose", chooser))
    for side, (now, stands) in product(Side, EDGES):
        assert refusal(played, side, now) is REFUSED[stands]


@PROPOSER
@CHOOSER
def test_r4_an_approved_alternative_moves_the_window(proposer: Side, chooser: Side):
    played = agreed(proposer, ("choose", chooser), ("approve alternative", chooser.other))
    assert refusal(played, chooser, START) is Refusal.TOO_EARLY
    assert refusal(played, chooser, OPENS + DAY) is None
    assert shown(played, chooser, NOW)[JOIN].opens_at == OPENS + DAY


@EDGE
def test_l3_a_replaced_link_lets_nobody_in_whenever_it_is_opened(now: datetime, stands: Standing):
    assert standing(agreed(Side.USER).state, replaced=True, now=now, policy=POLICY) is Standing.REPLACED


@EDGE
def test_q3_staff_have_no_link(now: datetime, stands: Standing):
    assert shown(agreed(Side.USER), None, now)[JOIN].refusal is Refusal.NOT_YOUR_SIDE
