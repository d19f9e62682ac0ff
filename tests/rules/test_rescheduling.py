"""Alternative dates, for both sides, of agreed and of rejected meetings (R1-R7)."""

from dataclasses import replace
from datetime import timedelta, timezone
from typing import Any
from uuid import uuid4

import pytest

from rules import rescheduling
from rules.meetings import MeetingState
from rules.problems import ConflictsFound, InsufficientCredits, InvalidInput
from rules.terms import AlternativeDateStatus, Answer, CreditPaymentStatus, InvalidInputCode, MeetingStatus, Side
from tests.rules.playing import (
    CHOOSER,
    DAY,
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

NEW_START = START + DAY
HOUR = timedelta(hours=1)


def answers(state: MeetingState, side: Side) -> tuple[Answer, Answer]:
    """This side's, and the other's."""
    return state.answer(side), state.answer(side.other)


def dates(state: MeetingState) -> tuple[Any, Any]:
    return state.starts_at, state.ends_at


@PROPOSER
@CHOOSER
def test_r3_the_date_in_force_stays_while_the_alternative_waits_and_both_answers_stay_approved(
    proposer: Side, chooser: Side
):
    played = agreed(proposer)
    before = played.state
    decision = played.do("choose", chooser)
    assert replace(played.state, alternative=None) == before, "nothing but the alternative is new"
    assert played.state.alternative is not None
    assert played.state.alternative.original_date_in_force
    assert played.state.alternative.chosen_by is chooser
    assert (played.state.alternative.starts_at, played.state.alternative.ends_at) == (NEW_START, NEW_START + HOUR)
    assert kinds(decision) == [f"ALTERNATIVE_DATE_CHOSEN_BY_{chooser}", f"{chooser}_APPROVED"]
    assert all(event.side is chooser and event.of_alternative for event in decision.events)
    assert not any(event.gives_reason for event in decision.events)
    assert (moved(decision), decision.alternative_became) == ([], None)
    assert told(decision) == [("AGREED_MEETING_RESCHEDULED", chooser.other)]


@PROPOSER
@CHOOSER
def test_r2_the_date_of_a_rejected_meeting_is_the_alternative_at_once(proposer: Side, chooser: Side):
    played = rejected(proposer)
    credits_were = played.state.credit_payment_status
    decision = played.do("choose", chooser)
    state = played.state
    assert (state.status, dates(state)) == (MeetingStatus.AWAITING_APPROVAL, (NEW_START, NEW_START + HOUR))
    assert answers(state, chooser) == (Answer.APPROVED, Answer.PENDING)
    assert state.alternative is not None
    assert not state.alternative.original_date_in_force
    assert (state.alternative.starts_at, state.alternative.ends_at) == dates(state)
    assert kinds(decision) == [f"ALTERNATIVE_DATE_CHOSEN_BY_{chooser}", f"{chooser}_APPROVED"]
    assert all(event.side is chooser and event.of_alternative for event in decision.events)
    assert told(decision) == [("REJECTED_MEETING_RESCHEDULED", chooser.other)]
    if chooser is Side.USER:
        assert (state.credit_payment_status, moved(decision)) == (CreditPaymentStatus.BLOCKED, [("BLOCK", PRICE)])
    else:
        assert (state.credit_payment_status, moved(decision)) == (credits_were, [])
    assert (state.price, state.proposed_by) == (PRICE, proposer), "what else there is stays"


@PROPOSER
def test_r2_p7_too_few_credits_stop_a_users_choice_and_never_an_experts(proposer: Side):
    played = rejected(proposer)
    problem = played.problem("choose", Side.USER, available=PRICE - 1)
    assert isinstance(problem, InsufficientCredits)
    assert (problem.required, problem.available, problem.missing) == (PRICE, PRICE - 1, 1)
    played.accounts = dict.fromkeys(played.accounts, 0)
    assert moved(played.do("choose", Side.EXPERT)) == []


@PROPOSER
@CHOOSER
def test_r3_p7_of_an_agreed_meeting_a_choice_and_its_approval_need_no_credits(proposer: Side, chooser: Side):
    played = agreed(proposer)
    purse = played.accounts
    played.accounts = dict.fromkeys(purse, 0)
    assert moved(played.do("choose", chooser)) == []
    assert moved(played.do("approve alternative", chooser.other)) == []


@PROPOSER
@CHOOSER
@pytest.mark.parametrize("of", [agreed, rejected])
def test_r1_the_same_start_again_is_unchanged_however_it_is_written(of: Any, proposer: Side, chooser: Side):
    played = of(proposer)
    elsewhere = timezone(timedelta(hours=5, minutes=45))
    for start in (START, START.astimezone(elsewhere)):
        problem = played.problem("choose", chooser, starts_at=start, available=0)
        assert isinstance(problem, InvalidInput)
        assert (problem.field, problem.code) == ("startsAt", InvalidInputCode.UNCHANGED)
    played.do("choose", chooser, starts_at=START + TICK)


@PROPOSER
@CHOOSER
@pytest.mark.parametrize("of", [agreed, rejected])
@pytest.mark.parametrize("minutes", [5, 45, 480])
def test_r1_length_and_price_stay_whatever_they_were(of: Any, proposer: Side, chooser: Side, minutes: int):
    played = of(proposer, ("choose", chooser), ("approve alternative", chooser.other), minutes=minutes, price=1255)
    assert dates(played.state) == (NEW_START, NEW_START + timedelta(minutes=minutes))
    assert played.state.price == 1255


@PROPOSER
@CHOOSER
def test_r1_an_earlier_date_can_be_chosen_too(proposer: Side, chooser: Side):
    played = agreed(proposer)
    played.do("choose", chooser, starts_at=START - DAY)
    played.do("approve alternative", chooser.other)
    assert dates(played.state) == (START - DAY, START - DAY + HOUR)


@PROPOSER
@CHOOSER
@pytest.mark.parametrize("of", [agreed, rejected])
def test_r4_the_other_side_approves_and_the_alternative_is_the_date_in_force(of: Any, proposer: Side, chooser: Side):
    played = of(proposer, ("choose", chooser))
    was_blocked = played.state.credit_payment_status is CreditPaymentStatus.BLOCKED
    decision = played.do("approve alternative", chooser.other)
    assert (played.state.status, dates(played.state)) == (MeetingStatus.AGREED, (NEW_START, NEW_START + HOUR))
    assert answers(played.state, chooser) == (Answer.APPROVED, Answer.APPROVED)
    assert played.state.credit_payment_status is CreditPaymentStatus.BLOCKED
    assert moved(decision) == ([] if was_blocked else [("BLOCK", PRICE)])
    assert played.held == (PRICE, PRICE, 0, 0)
    assert (played.state.alternative, decision.alternative_became) == (None, AlternativeDateStatus.APPROVED)
    assert kinds(decision) == [f"ALTERNATIVE_DATE_APPROVED_BY_{chooser.other}"]
    (event,) = decision.events
    assert (event.side, event.of_alternative, event.gives_reason) == (chooser.other, True, False)
    assert told(decision) == [("ALTERNATIVE_DATE_APPROVED", chooser)]


@PROPOSER
def test_r4_p7_the_user_who_approves_an_experts_alternative_of_a_rejected_meeting_pays_then(proposer: Side):
    played = rejected(proposer, ("choose", Side.EXPERT))
    problem = played.problem("approve alternative", Side.USER, available=PRICE - 1)
    assert isinstance(problem, InsufficientCredits)
    assert problem.missing == 1


@PROPOSER
@CHOOSER
def test_r5_rejected_with_a_date_in_force_the_meeting_stays_agreed_and_paid_for(proposer: Side, chooser: Side):
    played = agreed(proposer)
    before = played.state
    played.do("choose", chooser)
    decision = played.do("reject alternative", chooser.other)
    assert played.state == before
    assert (moved(decision), played.held) == ([], (PRICE, PRICE, 0, 0))
    assert decision.alternative_became is AlternativeDateStatus.REJECTED
    assert kinds(decision) == [f"ALTERNATIVE_DATE_REJECTED_BY_{chooser.other}"]
    (event,) = decision.events
    assert (event.side, event.of_alternative, event.gives_reason) == (chooser.other, True, True)
    assert told(decision) == [("ALTERNATIVE_DATE_REJECTED", chooser)]


@PROPOSER
@CHOOSER
def test_r5_rejected_without_a_date_in_force_the_meeting_is_rejected_by_who_rejected_it_now(
    proposer: Side, chooser: Side
):
    played = rejected(proposer, ("choose", chooser))
    credits_were = played.state.credit_payment_status
    decision = played.do("reject alternative", chooser.other)
    assert (played.state.status, played.state.alternative) == (MeetingStatus.REJECTED, None)
    assert dates(played.state) == (NEW_START, NEW_START + HOUR), "it keeps its new date (R2)"
    assert answers(played.state, chooser) == (Answer.APPROVED, Answer.REJECTED)
    assert kinds(decision) == [f"ALTERNATIVE_DATE_REJECTED_BY_{chooser.other}"]
    assert decision.events[0].gives_reason
    assert told(decision) == [("ALTERNATIVE_DATE_REJECTED", chooser)]
    assert played.held == (0, 0, 0, 0)
    if chooser is Side.USER:
        assert moved(decision) == [("UNBLOCK", PRICE)]
        assert played.state.credit_payment_status is CreditPaymentStatus.RETURNED
    else:
        assert moved(decision) == []
        assert played.state.credit_payment_status is credits_were


@PROPOSER
@CHOOSER
@pytest.mark.parametrize("ended_by", ["its chooser", "time"])
def test_r6_r7_ended_unanswered_an_agreed_meeting_is_what_it_was(proposer: Side, chooser: Side, ended_by: str):
    played = agreed(proposer)
    before = played.state
    played.do("choose", chooser)
    decision = end(played, chooser, ended_by)
    assert played.state == before
    assert (moved(decision), played.held) == ([], (PRICE, PRICE, 0, 0))


@PROPOSER
@CHOOSER
@pytest.mark.parametrize("ended_by", ["its chooser", "time"])
def test_r6_r7_ended_unanswered_a_rejected_meeting_is_what_it_was_but_for_its_date_and_credits_that_returned(
    proposer: Side, chooser: Side, ended_by: str
):
    played = rejected(proposer)
    before = played.state
    played.do("choose", chooser)
    decision = end(played, chooser, ended_by)
    credits_are = CreditPaymentStatus.RETURNED if chooser is Side.USER else before.credit_payment_status
    assert played.state == replace(
        before, starts_at=NEW_START, ends_at=NEW_START + HOUR, credit_payment_status=credits_are
    )
    assert answers(played.state, proposer) == (Answer.APPROVED, Answer.REJECTED), "as before the choice"
    assert moved(decision) == ([("UNBLOCK", PRICE)] if chooser is Side.USER else [])
    assert played.held == (0, 0, 0, 0)


def end(played: Play, chooser: Side, ended_by: str) -> Any:
    """End an alternative unanswered, and see what is recorded and told."""
    if ended_by == "its chooser":
        decision = played.do("cancel alternative", chooser)
        assert decision.alternative_became is AlternativeDateStatus.CANCELLED
        assert kinds(decision) == [f"ALTERNATIVE_DATE_CANCELLED_BY_{chooser}"]
        assert told(decision) == [("ALTERNATIVE_DATE_CANCELLED", chooser.other)]
        assert decision.events[0].side is chooser
    else:
        decision = played.lapse(NEW_START)
        assert decision.alternative_became is AlternativeDateStatus.LAPSED
        assert kinds(decision) == ["ALTERNATIVE_DATE_LAPSED"]
        assert set(told(decision)) == {("ALTERNATIVE_DATE_LAPSED", side) for side in Side}
        assert decision.events[0].side is None, "nobody did it"
    assert len(told(decision)) == len(set(told(decision)))
    assert decision.events[0].of_alternative
    assert not decision.events[0].gives_reason
    return decision


@PROPOSER
@pytest.mark.parametrize("ended_by", ["reject alternative", "its chooser", "time"])
def test_r5_r6_r7_a_free_meeting_is_blocked_and_returned_without_a_movement(proposer: Side, ended_by: str):
    played = rejected(proposer, ("choose", Side.USER), price=0)
    assert (played.state.credit_payment_status, moved(played.decision)) == (CreditPaymentStatus.BLOCKED, [])
    decision = (
        played.do(ended_by, Side.EXPERT) if ended_by == "reject alternative" else end(played, Side.USER, ended_by)
    )
    assert (played.state.credit_payment_status, moved(decision)) == (CreditPaymentStatus.RETURNED, [])


def test_p7_what_was_never_blocked_is_never_returned():
    played = play(Side.EXPERT, ("reject", Side.USER))
    for ending in ("reject alternative", "cancel alternative"):
        by = Side.USER if ending == "reject alternative" else Side.EXPERT
        played.do("choose", Side.EXPERT)
        played.do(ending, by)
        assert played.state.credit_payment_status is CreditPaymentStatus.NOT_BLOCKED


@CHOOSER
def test_r2_r5_r6_after_earlier_alternatives_the_answers_are_those_before_the_last_choice(chooser: Side):
    """The user proposed and the expert rejected; then an alternative was rejected by its other side."""
    played = rejected(Side.USER, ("choose", chooser), ("reject alternative", chooser.other))
    for next_chooser in Side:
        played.do("choose", next_chooser)
        assert answers(played.state, next_chooser) == (Answer.APPROVED, Answer.PENDING)
        played.do("cancel alternative", next_chooser)
        assert answers(played.state, chooser) == (Answer.APPROVED, Answer.REJECTED), "as before that choice"
    played.do("choose", chooser.other)
    played.do("reject alternative", chooser)
    assert answers(played.state, chooser.other) == (Answer.APPROVED, Answer.REJECTED), "the sides have changed"
    assert played.state.starts_at == START + 4 * DAY
    played.do("choose", chooser, starts_at=START)
    played.do("approve alternative", chooser.other)
    assert (played.state.status, played.state.starts_at, played.held[1]) == (MeetingStatus.AGREED, START, PRICE)


@PROPOSER
@CHOOSER
def test_r1_an_agreed_meeting_can_be_rescheduled_again_and_again(proposer: Side, chooser: Side):
    played = agreed(proposer)
    for ending, by in [
        ("reject alternative", chooser.other),
        ("cancel alternative", chooser),
        ("approve alternative", chooser.other),
    ] * 2:
        played.do("choose", chooser)
        played.do(ending, by)
        assert played.state.status is MeetingStatus.AGREED
    assert (played.state.starts_at, played.held) == (START + 2 * DAY, (PRICE, PRICE, 0, 0))


@PROPOSER
@CHOOSER
@pytest.mark.parametrize("of", [agreed, rejected])
def test_r4_c2_an_approval_is_answered_with_the_conflicts_unless_it_acknowledges_them(
    of: Any, proposer: Side, chooser: Side
):
    played = of(proposer, ("choose", chooser))
    clashes = (uuid4(), uuid4())
    problem = played.problem("approve alternative", chooser.other, conflicts=clashes, available=0)
    assert isinstance(problem, ConflictsFound), "before the credits (Q4)"
    assert problem.meeting_ids == clashes
    facts = replace(played.facts, conflicts=clashes)
    decision = rescheduling.approve(facts, by=chooser.other, now=START - TICK, acknowledge_conflicts=True)
    assert decision.state.status is MeetingStatus.AGREED


@PROPOSER
@CHOOSER
def test_c2_the_date_that_waits_is_the_other_sides_to_answer_and_nobody_elses(proposer: Side, chooser: Side):
    old, new = (START, START + HOUR), (NEW_START, NEW_START + HOUR)
    waiting = play(proposer).state
    assert (waiting.date_awaiting(proposer), waiting.date_awaiting(proposer.other)) == (None, old)
    for state in (agreed(proposer).state, rejected(proposer).state, play(proposer, ("cancel", proposer)).state):
        assert [state.date_awaiting(side) for side in Side] == [None, None]
    for of in (agreed, rejected):
        state = of(proposer, ("choose", chooser)).state
        assert (state.date_awaiting(chooser), state.date_awaiting(chooser.other)) == (None, new)
