"""What lapses by itself, and when (P6, R7)."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from rules import lapsing
from rules.meetings import MeetingFacts
from rules.terms import Answer, CreditPaymentStatus, MeetingStatus, Refusal, Side
from tests.rules.playing import (
    CHOOSER,
    DAY,
    NOW,
    PRICE,
    PROPOSER,
    START,
    TICK,
    Play,
    agreed,
    kinds,
    moved,
    play,
    rejected,
    told,
)

FAR = START + timedelta(days=1000)
BOTH = [Side.USER, Side.EXPERT]


def lapsed(played: Play, now: datetime) -> bool:
    return lapsing.lapse(MeetingFacts(played.state, 0), now=now) is not None


@PROPOSER
def test_p6_an_unanswered_proposal_lapses_at_its_start_and_what_was_blocked_returns(proposer: Side):
    played = play(proposer)
    assert not lapsed(played, START - TICK)
    decision = played.lapse(START)
    assert played.state.status is MeetingStatus.CANCELLED
    assert (played.state.credit_payment_status, moved(decision)) == (
        (CreditPaymentStatus.RETURNED, [("UNBLOCK", PRICE)])
        if proposer is Side.USER
        else (CreditPaymentStatus.NOT_BLOCKED, [])
    )
    assert played.held == (0, 0, 0, 0)
    assert kinds(decision) == ["PROPOSAL_LAPSED"]
    (event,) = decision.events
    assert (event.side, event.gives_reason, event.of_alternative, event.credits) == (None, False, False, None)
    assert sorted(told(decision)) == sorted(("PROPOSAL_LAPSED", side) for side in BOTH)
    assert (played.state.answer(proposer), played.state.answer(proposer.other)) == (Answer.APPROVED, Answer.PENDING)
    assert not lapsed(played, FAR), "only once"


@PROPOSER
@CHOOSER
@pytest.mark.parametrize("chosen", [START - DAY, START + DAY], ids=["earlier", "later"])
def test_r7_the_alternative_of_an_agreed_meeting_lapses_at_the_earlier_of_the_two_starts(
    proposer: Side, chooser: Side, chosen: datetime
):
    played = agreed(proposer)
    played.do("choose", chooser, starts_at=chosen)
    due = min(chosen, START)
    assert not lapsed(played, due - TICK)
    for action, by in [
        ("approve alternative", chooser.other),
        ("reject alternative", chooser.other),
        ("cancel alternative", chooser),
    ]:
        assert played.refused(action, by, now=due) is Refusal.MEETING_STARTED, "until it has been recorded"
    decision = played.lapse(due)
    assert (played.state.status, played.state.starts_at) == (MeetingStatus.AGREED, START)
    assert sorted(told(decision)) == sorted(("ALTERNATIVE_DATE_LAPSED", side) for side in BOTH)
    assert not lapsed(played, FAR)


@PROPOSER
@CHOOSER
@pytest.mark.parametrize("chosen", [START - DAY, START + DAY], ids=["earlier", "later"])
def test_r7_the_alternative_of_a_rejected_meeting_lapses_at_its_own_start_whatever_the_old_one_was(
    proposer: Side, chooser: Side, chosen: datetime
):
    played = rejected(proposer)
    played.do("choose", chooser, starts_at=chosen)
    assert not lapsed(played, chosen - TICK)
    decision = played.lapse(chosen)
    assert kinds(decision) == ["ALTERNATIVE_DATE_LAPSED"], "it is no proposal that lapsed (P6)"
    assert (played.state.status, played.state.starts_at) == (MeetingStatus.REJECTED, chosen)
    assert played.held == (0, 0, 0, 0)
    assert not lapsed(played, FAR)


@PROPOSER
@pytest.mark.parametrize("of", [agreed, rejected, lambda side: play(side, ("cancel", side))])
def test_j1_what_nobody_has_to_answer_never_lapses(of: Any, proposer: Side):
    assert not any(lapsed(of(proposer), now) for now in (NOW, START, FAR))


@PROPOSER
@CHOOSER
def test_r7_what_has_been_answered_or_taken_back_never_lapses(proposer: Side, chooser: Side):
    for of in (agreed, rejected):
        for action, by in [
            ("approve alternative", chooser.other),
            ("reject alternative", chooser.other),
            ("cancel alternative", chooser),
            ("cancel", chooser),
        ]:
            assert not lapsed(of(proposer, ("choose", chooser), (action, by)), FAR)


@PROPOSER
@CHOOSER
def test_r7_after_a_lapse_another_alternative_can_be_chosen_while_the_start_in_force_is_ahead(
    proposer: Side, chooser: Side
):
    played = agreed(proposer)
    played.do("choose", chooser, starts_at=START - DAY)
    played.lapse(START - DAY)
    played.do("choose", chooser.other, now=START - DAY, starts_at=START + DAY)
    played.do("approve alternative", chooser, now=START - TICK)
    assert played.state.starts_at == START + DAY
