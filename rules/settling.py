"""Settlement: what becomes of the price of a held meeting, by what the two sides said and the time that passed (S)."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum, auto

from rules.credits import EXPERT_AVAILABLE, EXPERTIM, USER_BLOCKED, Movement, recorded, share
from rules.meetings import Decision, Event, MeetingFacts, MeetingState, Notice, Settled, with_credits_returned
from rules.policy import Policy
from rules.problems import ActionRefused
from rules.terms import (
    CreditMovementKind,
    CreditPaymentStatus,
    MeetingStatus,
    NotificationKind,
    Progress,
    Refusal,
    SettlementOutcome,
    Side,
    TimelineEventKind,
)

Said = tuple[tuple[Side, Progress], ...]
"What each side has said, who spoke first before the other."


class Ruling(Enum):
    """What is to be done."""

    PAY = auto()
    RETURN = auto()
    RETURN_AND_COMPENSATE = auto()
    DECIDE = auto()
    WAIT = auto()


@dataclass(frozen=True, slots=True)
class Cell:
    """What is to be done at once, and what if nothing has changed when the time for saying something is over."""

    at_once: Ruling
    in_the_end: Ruling


def _at_once(ruling: Ruling) -> Cell:
    return Cell(ruling, ruling)


def _wait_then(ruling: Ruling) -> Cell:
    return Cell(Ruling.WAIT, ruling)


PAY, RETURN, DECIDE = _at_once(Ruling.PAY), _at_once(Ruling.RETURN), _at_once(Ruling.DECIDE)
COMPENSATE = _at_once(Ruling.RETURN_AND_COMPENSATE)
LATER_PAY, LATER_RETURN, LATER_DECIDE = (_wait_then(each) for each in (Ruling.PAY, Ruling.RETURN, Ruling.DECIDE))
WHO_WAS_FIRST = None
"Whoever spoke first decided it, by what follows from their word alone (S2)."

SMOOTH, BECAUSE_OF_ME, OTHER_PARTY, BECAUSE_OF_EXPERTIM = Progress

# The table as the specification has it, kept in its shape.
# fmt: off
EXPERT_SAYS = (              None,         SMOOTH,    BECAUSE_OF_ME, OTHER_PARTY, BECAUSE_OF_EXPERTIM)
USER_SAYS = {
    None:                   (LATER_PAY,    LATER_PAY, RETURN,        LATER_PAY,   LATER_DECIDE),
    SMOOTH:                 (PAY,          PAY,       WHO_WAS_FIRST, PAY,         PAY),
    BECAUSE_OF_ME:          (PAY,          PAY,       WHO_WAS_FIRST, PAY,         PAY),
    OTHER_PARTY:            (LATER_RETURN, DECIDE,    RETURN,        DECIDE,      DECIDE),
    BECAUSE_OF_EXPERTIM:    (LATER_DECIDE, DECIDE,    RETURN,        DECIDE,      COMPENSATE),
}
# fmt: on
TABLE = {(user, expert): cell for user, row in USER_SAYS.items() for expert, cell in zip(EXPERT_SAYS, row, strict=True)}


def ruling(said: Said, *, over: bool) -> Ruling:
    """What the table has for what was said, and for whether the time for saying something is over (S1, S2)."""
    words = dict(said)
    cell = TABLE[words.get(Side.USER), words.get(Side.EXPERT)]
    if cell is WHO_WAS_FIRST:
        return ruling(said[:1], over=over)
    return cell.in_the_end if over else cell.at_once


def settles_at(state: MeetingState, policy: Policy) -> datetime:
    """When the time for saying how it went is over, and it is settled by what was said until then (E1)."""
    return state.ends_at + timedelta(hours=policy.progress_hours)


def settle(facts: MeetingFacts, *, now: datetime, policy: Policy) -> Decision | None:
    """What follows from what was said and from the time; nothing while it waits, and nothing ever again (S1, S2)."""
    state = facts.state
    is_open = state.status is MeetingStatus.AGREED and state.credit_payment_status is CreditPaymentStatus.BLOCKED
    if not is_open or state.referred or now < state.ends_at:
        return None
    match ruling(state.progress, over=now >= settles_at(state, policy)):
        case Ruling.WAIT:
            return None
        case Ruling.DECIDE:
            return _refer(state)
        case Ruling.PAY:
            return _pay(state, policy)
        case Ruling.RETURN:
            return _give_back(state)
        case Ruling.RETURN_AND_COMPENSATE:
            return _compensate(state, policy)


def decide(facts: MeetingFacts, *, now: datetime, policy: Policy, outcome: SettlementOutcome) -> Decision:
    """Staff decide what was referred to them (S3)."""
    state = facts.state
    if not state.referred:
        raise ActionRefused(Refusal.WRONG_STATUS)
    state = replace(state, referred=False)
    match outcome:
        case SettlementOutcome.PAY_EXPERT:
            decision = _pay(state, policy)
        case SettlementOutcome.RETURN_TO_USER:
            decision = _give_back(state)
        case SettlementOutcome.RETURN_AND_COMPENSATE_EXPERT:
            decision = _compensate(state, policy)
    return replace(decision, events=(Event(TimelineEventKind.DECIDED_BY_EXPERTIM, None), *decision.events))


def _refer(state: MeetingState) -> Decision:
    return Decision(
        state=replace(state, referred=True),
        events=(Event(TimelineEventKind.REFERRED_TO_EXPERTIM, None),),
        notices=tuple(Notice(NotificationKind.REFERRED_TO_EXPERTIM, to=side) for side in Side),
        settled=Settled(None),
    )


def _pay(state: MeetingState, policy: Policy) -> Decision:
    """The expert gets the price, less Expertim's fee (M3)."""
    fee = share(state.price, policy.fee_percent)
    settled = Settled(SettlementOutcome.PAY_EXPERT, paid_to_expert=state.price - fee, fee=fee)
    return Decision(
        state=replace(state, credit_payment_status=CreditPaymentStatus.PAID),
        events=(Event(TimelineEventKind.CREDITS_PAID_TO_EXPERT, None, credits=settled.paid_to_expert),),
        movements=recorded(
            Movement(CreditMovementKind.PAYMENT_TO_EXPERT, USER_BLOCKED, EXPERT_AVAILABLE, settled.paid_to_expert),
            Movement(CreditMovementKind.FEE, USER_BLOCKED, EXPERTIM, fee),
        ),
        notices=_notices(settled),
        settled=settled,
    )


def _give_back(state: MeetingState) -> Decision:
    """The user gets the price back."""
    settled = Settled(SettlementOutcome.RETURN_TO_USER, paid_to_user=state.price)
    state, movements = with_credits_returned(state)
    return Decision(
        state=state,
        events=(Event(TimelineEventKind.PAYMENT_RETURNED_TO_USER, None, credits=settled.paid_to_user),),
        movements=movements,
        notices=_notices(settled),
        settled=settled,
    )


def _compensate(state: MeetingState, policy: Policy) -> Decision:
    """The user gets the price back, and the expert part of it from Expertim's own account, without a fee (M3)."""
    returned = _give_back(state)
    compensation = share(state.price, policy.compensation_percent)
    settled = Settled(
        SettlementOutcome.RETURN_AND_COMPENSATE_EXPERT, paid_to_user=state.price, paid_to_expert=compensation
    )
    moved = recorded(Movement(CreditMovementKind.COMPENSATION, EXPERTIM, EXPERT_AVAILABLE, compensation))
    return replace(
        returned,
        events=(*returned.events, Event(TimelineEventKind.EXPERT_COMPENSATED, None, credits=compensation)),
        movements=(*returned.movements, *moved),
        notices=_notices(settled),
        settled=settled,
    )


def _notices(settled: Settled) -> tuple[Notice, ...]:
    """Both are told, each of the credits that came to them, if any did (N4)."""
    came = {
        Side.EXPERT: (NotificationKind.CREDITS_RECEIVED, settled.paid_to_expert),
        Side.USER: (NotificationKind.PAYMENT_RETURNED, settled.paid_to_user),
    }
    return tuple(
        Notice(kind if amount else NotificationKind.MEETING_SETTLED, to=side) for side, (kind, amount) in came.items()
    )
