"""What becomes of the price of a held meeting: the table of the specification, whichever side speaks first (S, M3)."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import product
from typing import Any

import pytest

from rules.meetings import Event, Settled
from rules.policy import Policy
from rules.problems import ActionRefused
from rules.settling import Ruling, Said, ruling
from rules.terms import CreditPaymentStatus, MeetingStatus, Progress, Refusal, SettlementOutcome, Side
from tests.rules.playing import NOW, POLICY, TICK, Play, agreed, kinds, moved, play, told

TABLE = """
| user, expert      | none yet                   | smooth                     | because of me    | other party                | Expertim                      |
|-------------------|----------------------------|----------------------------|------------------|----------------------------|-------------------------------|
| **none yet**      | wait; at 168 h **pay**     | wait; at 168 h **pay**     | return           | wait; at 168 h **pay**     | wait; at 168 h **decide**     |
| **smooth**        | pay                        | pay                        | who spoke first  | pay                        | pay                           |
| **because of me** | pay                        | pay                        | who spoke first  | pay                        | pay                           |
| **other party**   | wait; at 168 h **return**  | decide                     | return           | decide                     | decide                        |
| **Expertim**      | wait; at 168 h **decide**  | decide                     | return           | decide                     | return + compensate           |
"""  # noqa: E501 - the specification's own shape
"Read from the specification. Whoever spoke first decided it: their word alone is in the column or row of none yet."

WORDS = {
    "none yet": None,
    "smooth": Progress.WENT_SMOOTHLY,
    "because of me": Progress.FAILED_BECAUSE_OF_ME,
    "other party": Progress.FAILED_BECAUSE_OF_OTHER_PARTY,
    "Expertim": Progress.FAILED_BECAUSE_OF_EXPERTIM,
}
RULINGS = {
    "wait": Ruling.WAIT,
    "pay": Ruling.PAY,
    "return": Ruling.RETURN,
    "return + compensate": Ruling.RETURN_AND_COMPENSATE,
    "decide": Ruling.DECIDE,
}
PAY, RETURN, COMPENSATE = SettlementOutcome
OVER = timedelta(hours=168)


def rows() -> Iterator[tuple[Said, str]]:
    """Everything that can have been said, in every order, with its cell."""
    heading, _, *lines = [[cell.strip(" *") for cell in line.strip("|").split("|")] for line in TABLE.split("\n")[1:-1]]
    for user, *cells in lines:
        for expert, cell in zip(heading[1:], cells, strict=True):
            said = [(side, WORDS[word]) for side, word in ((Side.USER, user), (Side.EXPERT, expert)) if WORDS[word]]
            for order in [said, said[::-1]] if len(said) == 2 else [said]:
                yield tuple((side, word) for side, word in order if word), cell


ROWS = dict(rows())


def expected(said: Said, *, over: bool) -> Ruling:
    cell = ROWS[said]
    if cell == "who spoke first":
        return expected(said[:1], over=over)
    at_once, _, later = cell.replace("*", "").partition("; at 168 h ")
    return RULINGS[later if over and later else at_once]


def everything_that_can_be_said() -> Iterator[Said]:
    yield ()
    for side, word in product(Side, Progress):
        yield ((side, word),)
        for other in Progress:
            yield (side, word), (side.other, other)


def test_s1_every_input_meets_exactly_one_row_and_gets_what_the_specification_has_there():
    inputs = list(everything_that_can_be_said())
    assert len(inputs) == len(set(inputs)) == 1 + 8 + 32
    assert set(inputs) == set(ROWS)
    for said, over in product(inputs, (False, True)):
        assert ruling(said, over=over) is expected(said, over=over), (said, over)


def test_s1_when_the_time_is_over_nothing_waits():
    assert all(ruling(said, over=True) is not Ruling.WAIT for said in everything_that_can_be_said())


def test_s2_the_order_of_speaking_matters_only_where_the_table_says_so():
    differing = {
        tuple(sorted(said))
        for said in everything_that_can_be_said()
        if len(said) == 2 and ruling(said, over=False) is not ruling(said[::-1], over=False)
    }
    fault = (Side.EXPERT, Progress.FAILED_BECAUSE_OF_ME)
    assert differing == {(fault, (Side.USER, word)) for word in (Progress.WENT_SMOOTHLY, Progress.FAILED_BECAUSE_OF_ME)}


def held(said: Said = (), **terms: Any) -> Play:
    """A meeting that is over, and what was said of it since, a second after another."""
    played = agreed(Side.USER, **terms)
    for number, (side, word) in enumerate(said):
        played.do("record", side, now=played.state.ends_at + timedelta(seconds=number), progress=word)
    return played


SETTLED = {
    Ruling.PAY: (CreditPaymentStatus.PAID, (4000, 0, 3200, 800)),
    Ruling.RETURN: (CreditPaymentStatus.RETURNED, (0, 0, 0, 0)),
    Ruling.RETURN_AND_COMPENSATE: (CreditPaymentStatus.RETURNED, (0, 0, 2000, -2000)),
    Ruling.DECIDE: (CreditPaymentStatus.BLOCKED, (4000, 4000, 0, 0)),
    Ruling.WAIT: (CreditPaymentStatus.BLOCKED, (4000, 4000, 0, 0)),
}


@pytest.mark.parametrize("said", list(everything_that_can_be_said()))
def test_s1_s2_whatever_is_said_in_whatever_order_the_first_final_outcome_stands(said: Said):
    """By the table's word for what has been said so far, each time somebody speaks; and at 168 h for what waits."""
    so_far = [expected(said[:number], over=False) for number in range(1, len(said) + 1)]
    final = next((each for each in so_far if each is not Ruling.WAIT), Ruling.WAIT)
    played = held(said)
    assert (played.state.credit_payment_status, played.held) == SETTLED[final]
    assert played.state.referred is (final is Ruling.DECIDE)
    assert played.state.progress == said, "what is said after the settlement is kept (E2)"

    assert played.settle(played.state.ends_at + OVER - TICK) is None
    assert bool(played.settle(played.state.ends_at + OVER)) is (final is Ruling.WAIT)
    final = expected(said, over=True) if final is Ruling.WAIT else final
    assert (played.state.credit_payment_status, played.held) == SETTLED[final]
    for later in (OVER, 2 * OVER):
        assert played.settle(played.state.ends_at + later) is None, "once"


def test_e2_what_is_said_after_the_settlement_is_an_event_and_nothing_else():
    played = held(((Side.USER, Progress.WENT_SMOOTHLY),))
    later = played.do("record", Side.EXPERT, now=played.state.ends_at + OVER - TICK)
    assert (kinds(later), later.movements, later.notices, later.settled) == (
        ["PROGRESS_RECORDED_BY_EXPERT"],
        (),
        (),
        None,
    )


def test_s2_what_is_said_after_a_referral_does_not_settle_over_staffs_heads():
    """It takes a time for speaking that was made longer meanwhile: otherwise nobody has a word left by then."""
    longer = Policy(progress_hours=1000)
    played = held(((Side.USER, Progress.FAILED_BECAUSE_OF_EXPERTIM),))
    played.settle(played.state.ends_at + OVER)
    assert played.state.referred
    said = played.do(
        "record",
        Side.EXPERT,
        now=played.state.ends_at + OVER + TICK,
        policy=longer,
        progress=Progress.FAILED_BECAUSE_OF_ME,
    )
    assert (kinds(said), said.movements, said.settled) == (["PROGRESS_RECORDED_BY_EXPERT"], (), None)
    assert played.state.referred
    assert played.settle(played.state.ends_at + 1001 * (OVER / 168), longer) is None


@pytest.mark.parametrize("price", [0, 1, 2, 3, 5, 7, 12, 13, 3333, 99_999_999])
@pytest.mark.parametrize("fee", [0, 20, 33, 100])
def test_m3_fee_and_compensation_are_rounded_half_up_and_the_rest_is_exactly_the_rest(price: int, fee: int):
    policy = Policy(fee_percent=fee)
    kept, half = (price * fee + 50) // 100, (price + 1) // 2
    for outcome, spent, received, operators in (
        (PAY, price, price - kept, kept),
        (RETURN, 0, 0, 0),
        (COMPENSATE, 0, half, -half),
    ):
        played = referred(price=price)
        decision = played.decide(outcome, policy=policy)
        assert played.held == (spent, 0, received, operators)
        assert all(movement.amount for movement in decision.movements), "movements of nothing are not recorded (M4)"
        assert decision.settled == Settled(
            outcome,
            paid_to_user=0 if outcome is PAY else price,
            paid_to_expert=received,
            fee=kept if outcome is PAY else 0,
        )


def referred(**terms: Any) -> Play:
    """A meeting that was referred to Expertim at once."""
    return held(((Side.USER, Progress.FAILED_BECAUSE_OF_OTHER_PARTY), (Side.EXPERT, Progress.WENT_SMOOTHLY)), **terms)


def shown_events(events: tuple[Event, ...]) -> list[tuple[str, Side | None, int | None]]:
    return [(event.kind.value, event.side, event.credits) for event in events]


def test_s1_n4_what_is_recorded_moved_and_told_of_each_outcome():
    paid = held(((Side.USER, Progress.WENT_SMOOTHLY),)).decision
    assert shown_events(paid.events) == [
        ("PROGRESS_RECORDED_BY_USER", Side.USER, None),
        ("CREDITS_PAID_TO_EXPERT", None, 3200),
    ]
    assert moved(paid) == [("PAYMENT_TO_EXPERT", 3200), ("FEE", 800)]
    assert told(paid) == [("CREDITS_RECEIVED", Side.EXPERT), ("MEETING_SETTLED", Side.USER)]

    returned = held(((Side.EXPERT, Progress.FAILED_BECAUSE_OF_ME),)).decision
    assert shown_events(returned.events)[1:] == [("PAYMENT_RETURNED_TO_USER", None, 4000)]
    assert moved(returned) == [("UNBLOCK", 4000)]
    assert told(returned) == [("MEETING_SETTLED", Side.EXPERT), ("PAYMENT_RETURNED", Side.USER)]

    theirs = Progress.FAILED_BECAUSE_OF_EXPERTIM
    compensated = held(((Side.USER, theirs), (Side.EXPERT, theirs))).decision
    assert shown_events(compensated.events)[1:] == [
        ("PAYMENT_RETURNED_TO_USER", None, 4000),
        ("EXPERT_COMPENSATED", None, 2000),
    ]
    assert moved(compensated) == [("UNBLOCK", 4000), ("COMPENSATION", 2000)]
    assert told(compensated) == [("CREDITS_RECEIVED", Side.EXPERT), ("PAYMENT_RETURNED", Side.USER)]

    handed_over = referred().decision
    assert shown_events(handed_over.events)[1:] == [("REFERRED_TO_EXPERTIM", None, None)]
    assert told(handed_over) == [("REFERRED_TO_EXPERTIM", Side.USER), ("REFERRED_TO_EXPERTIM", Side.EXPERT)]
    assert handed_over.settled == Settled(None)


def test_n4_of_a_free_meeting_nobody_is_told_of_credits_and_everything_else_is_as_ever():
    for outcome in SettlementOutcome:
        played = referred(price=0)
        decision = played.decide(outcome)
        assert told(decision) == [("MEETING_SETTLED", Side.EXPERT), ("MEETING_SETTLED", Side.USER)]
        assert decision.movements == ()
        assert played.state.credit_payment_status is (
            CreditPaymentStatus.PAID if outcome is PAY else CreditPaymentStatus.RETURNED
        )


@pytest.mark.parametrize("outcome", list(SettlementOutcome))
def test_s3_staff_decide_once_what_was_referred_and_nothing_else(outcome: SettlementOutcome):
    for played in (
        play(Side.USER),
        agreed(Side.USER),
        held(),
        held(((Side.USER, Progress.WENT_SMOOTHLY),)),
        agreed(Side.USER, ("cancel", Side.EXPERT)),
    ):
        with pytest.raises(ActionRefused) as refused:
            played.decide(outcome)
        assert refused.value.refusal is Refusal.WRONG_STATUS
    played = referred()
    decision = played.decide(outcome)
    assert kinds(decision)[0] == "DECIDED_BY_EXPERTIM"
    assert all(event.side is None for event in decision.events)
    with pytest.raises(ActionRefused):
        played.decide(outcome)
    assert played.settle(played.state.ends_at + OVER) is None


def test_s_nothing_is_settled_but_an_agreed_meeting_that_is_over_and_blocked():
    for status, credits in product(MeetingStatus, CreditPaymentStatus):
        played = held()
        played.state = replace(played.state, status=status, credit_payment_status=credits)
        is_open = status is MeetingStatus.AGREED and credits is CreditPaymentStatus.BLOCKED
        assert bool(played.settle(played.state.ends_at + OVER)) is is_open
    assert held().settle(NOW, POLICY) is None
