"""Proposals and their answers, for both sides (P1-P4, A1-A3, C2)."""

from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from rules import answering, proposing
from rules.problems import ActionRefused, ConflictsFound, InsufficientCredits, InvalidInput
from rules.terms import Answer, CreditPaymentStatus, InvalidInputCode, MeetingStatus, Side
from tests.rules.playing import (
    CHOOSER,
    DAY,
    NOW,
    POLICY,
    PRICE,
    PROPOSER,
    START,
    TICK,
    agreed,
    kinds,
    moved,
    play,
    rejected,
    told,
)


@PROPOSER
def test_p1_p2_p3_a_proposal_is_approved_by_its_proposer_and_a_users_blocks_its_price(proposer: Side):
    played = play(proposer)
    assert played.state.status is MeetingStatus.AWAITING_APPROVAL
    assert (played.state.answer(proposer), played.state.answer(proposer.other)) == (Answer.APPROVED, Answer.PENDING)
    assert kinds(played.decision) == ["MEETING_PROPOSED", f"{proposer}_APPROVED"]
    assert all(event.side is proposer for event in played.decision.events)
    assert told(played.decision) == [(f"{proposer}_MEETING_INVITATION", proposer.other)]
    assert (played.state.credit_payment_status, moved(played.decision)) == (
        (CreditPaymentStatus.BLOCKED, [("BLOCK", PRICE)])
        if proposer is Side.USER
        else (CreditPaymentStatus.NOT_BLOCKED, [])
    )


@PROPOSER
def test_a1_the_other_side_approves_and_the_meeting_is_agreed_with_its_price_blocked(proposer: Side):
    played = play(proposer)
    decision = played.do("approve", proposer.other, now=START - TICK)
    assert played.state.status is MeetingStatus.AGREED
    assert played.state.credit_payment_status is CreditPaymentStatus.BLOCKED
    assert played.state.user_answer is played.state.expert_answer is Answer.APPROVED
    assert kinds(decision) == [f"{proposer.other}_APPROVED"]
    assert moved(decision) == ([("BLOCK", PRICE)] if proposer is Side.EXPERT else [])
    assert told(decision) == [("MEETING_APPROVED", proposer)]


def test_a1_p7_only_the_user_can_lack_credits():
    problem = play(Side.EXPERT).problem("approve", Side.USER, available=PRICE - 1)
    assert isinstance(problem, InsufficientCredits)
    assert problem.missing == 1
    played = play(Side.USER)
    played.accounts = dict.fromkeys(played.accounts, 0)
    assert moved(played.do("approve", Side.EXPERT)) == []


@PROPOSER
def test_a3_p7_the_other_side_rejects_and_what_was_blocked_returns(proposer: Side):
    played = play(proposer)
    decision = played.do("reject", proposer.other, now=START - TICK)
    assert played.state.status is MeetingStatus.REJECTED
    assert (played.state.answer(proposer), played.state.answer(proposer.other)) == (Answer.APPROVED, Answer.REJECTED)
    assert (played.state.credit_payment_status, moved(decision)) == (
        (CreditPaymentStatus.RETURNED, [("UNBLOCK", PRICE)])
        if proposer is Side.USER
        else (CreditPaymentStatus.NOT_BLOCKED, [])
    )
    (event,) = decision.events
    assert (event.kind, event.side, event.gives_reason) == (f"REJECTED_BY_{proposer.other}", proposer.other, True)
    assert told(decision) == [("MEETING_REJECTED", proposer)]


@PROPOSER
def test_c2_an_approval_is_answered_with_the_conflicts_unless_it_acknowledges_them(proposer: Side):
    played = play(proposer)
    clash = uuid4()
    problem = played.problem("approve", proposer.other, conflicts=(clash,))
    assert isinstance(problem, ConflictsFound)
    assert problem.meeting_ids == (clash,)
    facts = replace(played.facts, conflicts=(clash,))
    decision = answering.approve(facts, by=proposer.other, now=NOW, acknowledge_conflicts=True)
    assert decision.state.status is MeetingStatus.AGREED


def test_q4_of_several_problems_refusals_come_before_conflicts_and_conflicts_before_credits():
    played = play(Side.EXPERT)
    hopeless: dict[str, Any] = {"available": 0, "conflicts": (uuid4(),)}
    assert isinstance(played.problem("approve", Side.USER, now=START, **hopeless), ActionRefused)
    assert isinstance(played.problem("approve", Side.USER, **hopeless), ConflictsFound)
    assert isinstance(played.problem("approve", Side.USER, available=0), InsufficientCredits)


@PROPOSER
@CHOOSER
def test_a1_r2_what_was_rejected_is_agreed_by_way_of_an_alternative_only(proposer: Side, chooser: Side):
    played = rejected(proposer, ("choose", chooser))
    for action in ("approve", "reject"):
        for side in Side:
            assert played.refused(action, side).value == "ALTERNATIVE_DATE_PENDING"
    played.do("approve alternative", chooser.other)
    expected = agreed(proposer).state
    at_the_first_date = replace(played.state, starts_at=START, ends_at=expected.ends_at, due=expected.due)
    assert at_the_first_date == expected


@pytest.mark.parametrize(
    ("check", "fault"),
    [
        (lambda: proposing.check_start(NOW, now=NOW, policy=POLICY), InvalidInputCode.IN_THE_PAST),
        (lambda: proposing.check_start(NOW + TICK, now=NOW, policy=POLICY), None),
        (lambda: proposing.check_start(NOW + 730 * DAY, now=NOW, policy=POLICY), None),
        (lambda: proposing.check_start(NOW + 730 * DAY + TICK, now=NOW, policy=POLICY), InvalidInputCode.OUT_OF_RANGE),
        (lambda: proposing.check_duration(4, policy=POLICY), InvalidInputCode.OUT_OF_RANGE),
        (lambda: proposing.check_duration(5, policy=POLICY), None),
        (lambda: proposing.check_duration(480, policy=POLICY), None),
        (lambda: proposing.check_duration(481, policy=POLICY), InvalidInputCode.OUT_OF_RANGE),
        (lambda: proposing.check_price(-1, policy=POLICY), InvalidInputCode.OUT_OF_RANGE),
        (lambda: proposing.check_price(0, policy=POLICY), None),
        (lambda: proposing.check_price(100_000_000, policy=POLICY), None),
        (lambda: proposing.check_price(100_000_001, policy=POLICY), InvalidInputCode.OUT_OF_RANGE),
    ],
)
def test_p4_starts_lengths_and_prices_have_bounds_that_are_themselves_allowed(check, fault):
    if fault is None:
        check()
        return
    with pytest.raises(InvalidInput) as refused:
        check()
    assert refused.value.code is fault
