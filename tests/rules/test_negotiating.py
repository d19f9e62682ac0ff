"""The rules of a proposal and its answers, played from the proposal on, for both sides."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import product
from uuid import uuid4

import pytest

from rules import answering, cancelling, proposing
from rules.meetings import Decision, MeetingFacts, MeetingState
from rules.policy import Policy
from rules.problems import ActionRefused, ConflictsFound, InsufficientCredits, InvalidInput, Problem
from rules.proposing import Terms
from rules.terms import (
    Answer,
    CreditMovementKind,
    CreditPaymentStatus,
    InvalidInputCode,
    MeetingStatus,
    NotificationKind,
    Refusal,
    Side,
    TimelineEventKind,
)

NOW = datetime(2027, 3, 1, 12, 0, tzinfo=UTC)
TERMS = Terms(NOW + timedelta(days=1), 60, 4000)
BOTH = pytest.mark.parametrize("proposer", list(Side))

approve = partial(answering.approve, acknowledge_conflicts=False)
Act = Callable[..., Decision]
ACTIONS: dict[str, Act] = {"approve": approve, "reject": answering.reject, "cancel": cancelling.cancel}


def proposed(proposer: Side, terms: Terms = TERMS) -> Decision:
    return proposing.by_user(terms, user_available=10_000) if proposer is Side.USER else proposing.by_expert(terms)


def facts(state: MeetingState, *, available: int = 10_000, conflicts=()) -> MeetingFacts:
    return MeetingFacts(state=state, user_available=available, conflicts=tuple(conflicts))


def after(proposer: Side, *actions: tuple[str, Side]) -> MeetingState:
    """The state that these actions lead to."""
    state = proposed(proposer).state
    for name, side in actions:
        state = ACTIONS[name](facts(state), by=side, now=NOW).state
    return state


def refusal(action: Callable[[], Decision]) -> Problem:
    with pytest.raises(Problem) as refused:
        action()
    return refused.value


def test_p1_p3_a_users_proposal_is_approved_by_the_user_and_blocks_its_price():
    decision = proposed(Side.USER)
    assert decision.state.status is MeetingStatus.AWAITING_APPROVAL
    assert decision.state.credit_payment_status is CreditPaymentStatus.BLOCKED
    assert (decision.state.user_answer, decision.state.expert_answer) == (Answer.APPROVED, Answer.PENDING)
    assert [event.kind for event in decision.events] == [
        TimelineEventKind.MEETING_PROPOSED,
        TimelineEventKind.USER_APPROVED,
    ]
    assert [(movement.kind, movement.amount) for movement in decision.movements] == [(CreditMovementKind.BLOCK, 4000)]
    assert [(notice.kind, notice.to) for notice in decision.notices] == [
        (NotificationKind.USER_MEETING_INVITATION, Side.EXPERT)
    ]


def test_p2_p3_an_experts_proposal_is_approved_by_the_expert_and_blocks_nothing():
    decision = proposed(Side.EXPERT)
    assert decision.state.status is MeetingStatus.AWAITING_APPROVAL
    assert decision.state.credit_payment_status is CreditPaymentStatus.NOT_BLOCKED
    assert (decision.state.user_answer, decision.state.expert_answer) == (Answer.PENDING, Answer.APPROVED)
    assert [event.kind for event in decision.events] == [
        TimelineEventKind.MEETING_PROPOSED,
        TimelineEventKind.EXPERT_APPROVED,
    ]
    assert decision.movements == ()
    assert [(notice.kind, notice.to) for notice in decision.notices] == [
        (NotificationKind.EXPERT_MEETING_INVITATION, Side.USER)
    ]


@BOTH
def test_a1_the_other_side_approves_and_the_meeting_is_agreed_with_its_price_blocked(proposer: Side):
    other = proposer.other
    decision = approve(facts(after(proposer)), by=other, now=NOW)
    assert decision.state.status is MeetingStatus.AGREED
    assert decision.state.credit_payment_status is CreditPaymentStatus.BLOCKED
    assert decision.state.answer(other) is decision.state.answer(proposer) is Answer.APPROVED
    assert [event.kind for event in decision.events] == [TimelineEventKind[f"{other}_APPROVED"]]
    assert [movement.kind for movement in decision.movements] == (
        [CreditMovementKind.BLOCK] if proposer is Side.EXPERT else []
    )
    assert [(notice.kind, notice.to) for notice in decision.notices] == [(NotificationKind.MEETING_APPROVED, proposer)]


def test_a1_p7_only_the_user_can_lack_credits_and_then_nothing_changes():
    poor = facts(after(Side.EXPERT), available=3999)
    assert isinstance(refusal(lambda: approve(poor, by=Side.USER, now=NOW)), InsufficientCredits)
    assert approve(facts(after(Side.USER), available=0), by=Side.EXPERT, now=NOW).movements == ()


@BOTH
def test_a3_p7_the_other_side_rejects_and_what_was_blocked_returns(proposer: Side):
    other = proposer.other
    decision = answering.reject(facts(after(proposer)), by=other, now=NOW)
    assert decision.state.status is MeetingStatus.REJECTED
    assert decision.state.answer(other) is Answer.REJECTED
    assert decision.state.answer(proposer) is Answer.APPROVED
    blocked = proposer is Side.USER
    assert decision.state.credit_payment_status is (
        CreditPaymentStatus.RETURNED if blocked else CreditPaymentStatus.NOT_BLOCKED
    )
    assert [movement.kind for movement in decision.movements] == ([CreditMovementKind.UNBLOCK] if blocked else [])
    (event,) = decision.events
    assert (event.kind, event.gives_reason) == (TimelineEventKind[f"REJECTED_BY_{other}"], True)
    assert [(notice.kind, notice.to) for notice in decision.notices] == [(NotificationKind.MEETING_REJECTED, proposer)]


@BOTH
def test_k1_p7_the_proposer_cancels_an_unanswered_proposal_and_what_was_blocked_returns(proposer: Side):
    decision = cancelling.cancel(facts(after(proposer)), by=proposer, now=NOW)
    assert decision.state.status is MeetingStatus.CANCELLED
    blocked = proposer is Side.USER
    assert decision.state.credit_payment_status is (
        CreditPaymentStatus.RETURNED if blocked else CreditPaymentStatus.NOT_BLOCKED
    )
    assert [movement.kind for movement in decision.movements] == ([CreditMovementKind.UNBLOCK] if blocked else [])
    assert [event.kind for event in decision.events] == [TimelineEventKind[f"CANCELLED_BY_{proposer}"]]
    assert [(notice.kind, notice.to) for notice in decision.notices] == [
        (NotificationKind[f"MEETING_CANCELLED_BY_{proposer}"], proposer.other)
    ]


@BOTH
def test_k1_the_other_side_does_not_cancel_a_proposal_it_rejects_it(proposer: Side):
    refused = refusal(lambda: cancelling.cancel(facts(after(proposer)), by=proposer.other, now=NOW))
    assert isinstance(refused, ActionRefused)
    assert refused.refusal is Refusal.NOT_YOUR_SIDE


@BOTH
@pytest.mark.parametrize("action", ["approve", "reject"])
def test_a_nobody_answers_their_own_proposal(proposer: Side, action: str):
    refused = refusal(lambda: ACTIONS[action](facts(after(proposer)), by=proposer, now=NOW))
    assert isinstance(refused, ActionRefused)
    assert refused.refusal is Refusal.ALREADY_ANSWERED


@BOTH
@pytest.mark.parametrize(("ended_by", "action", "side"), list(product(ACTIONS, ACTIONS, Side)))
def test_a_k1_what_has_been_answered_or_cancelled_is_refused_every_further_action(
    proposer: Side, ended_by: str, action: str, side: Side
):
    ender = proposer if ended_by == "cancel" else proposer.other
    ended = after(proposer, (ended_by, ender))
    refused = refusal(lambda: ACTIONS[action](facts(ended), by=side, now=NOW))
    assert isinstance(refused, ActionRefused)
    assert refused.refusal is Refusal.WRONG_STATUS


@BOTH
@pytest.mark.parametrize("action", ACTIONS)
def test_a_k1_only_before_the_planned_start_to_the_microsecond(proposer: Side, action: str):
    side = proposer if action == "cancel" else proposer.other
    state = after(proposer)
    just_before = state.starts_at - timedelta(microseconds=1)
    assert ACTIONS[action](facts(state), by=side, now=just_before)
    refused = refusal(lambda: ACTIONS[action](facts(state), by=side, now=state.starts_at))
    assert isinstance(refused, ActionRefused)
    assert refused.refusal is Refusal.MEETING_STARTED


@BOTH
def test_c2_an_approval_is_answered_with_the_conflicts_unless_it_acknowledges_them(proposer: Side):
    other = proposer.other
    clash = uuid4()
    conflicting = facts(after(proposer), conflicts=[clash])
    refused = refusal(lambda: approve(conflicting, by=other, now=NOW))
    assert isinstance(refused, ConflictsFound)
    assert refused.meeting_ids == (clash,)
    acknowledged = answering.approve(conflicting, by=other, now=NOW, acknowledge_conflicts=True)
    assert acknowledged.state.status is MeetingStatus.AGREED


def test_q4_of_several_problems_refusals_come_before_conflicts_and_conflicts_before_credits():
    state = after(Side.EXPERT)
    hopeless = facts(state, available=0, conflicts=[uuid4()])
    assert isinstance(refusal(lambda: approve(hopeless, by=Side.USER, now=NOW)), ConflictsFound)
    assert isinstance(refusal(lambda: approve(hopeless, by=Side.USER, now=state.starts_at)), ActionRefused)
    poor = replace(hopeless, conflicts=())
    assert isinstance(refusal(lambda: approve(poor, by=Side.USER, now=NOW)), InsufficientCredits)


def test_q3_an_answer_already_given_is_named_before_a_start_that_has_passed():
    state = after(Side.USER)
    refused = refusal(lambda: approve(facts(state), by=Side.USER, now=state.starts_at))
    assert isinstance(refused, ActionRefused)
    assert refused.refusal is Refusal.ALREADY_ANSWERED


POLICY = Policy()
DAY = timedelta(days=1)
TICK = timedelta(microseconds=1)


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
