"""Playing a meeting by the rules alone: states are played to, never built."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from rules import answering, cancelling, lapsing, progress, proposing, reminding, rescheduling, settling
from rules.actions import MeetingAction, actions
from rules.credits import EXPERT_AVAILABLE, EXPERTIM, USER_AVAILABLE, USER_BLOCKED, Account
from rules.meetings import Decision, MeetingFacts, MeetingState
from rules.policy import Policy
from rules.problems import ActionRefused, Problem
from rules.proposing import Terms
from rules.terms import MeetingActionKind, MeetingStatus, Progress, Refusal, SettlementOutcome, Side

NOW = datetime(2027, 3, 1, 12, 0, tzinfo=UTC)
START = NOW + timedelta(days=10)
"When proposed meetings begin."
DAY = timedelta(days=1)
TICK = timedelta(microseconds=1)
POLICY = Policy()
PRICE = 4000
PURSE = 1_000_000_000
"What the user has to begin with, in hundredths."

Move = tuple[str, Side]


def of_side(action: Callable[..., Decision], **given: Any) -> Callable[..., Decision]:
    """An action with what its caller would give, unless the test gives something else."""

    def act(facts: MeetingFacts, *, by: Side, now: datetime, policy: Policy = POLICY, **changes: Any) -> Decision:
        by_policy = {"policy": policy} if action in (cancelling.cancel, progress.record) else {}
        later = {"starts_at": facts.state.starts_at + DAY} if action is rescheduling.choose else {}
        return action(facts, by=by, now=now, **{**by_policy, **later, **given, **changes})

    return act


ACTIONS: dict[str, Callable[..., Decision]] = {
    "approve": of_side(answering.approve, acknowledge_conflicts=False),
    "reject": of_side(answering.reject),
    "cancel": of_side(cancelling.cancel, gives_reason=True, acknowledge_late=True),
    "choose": of_side(rescheduling.choose),
    "approve alternative": of_side(rescheduling.approve, acknowledge_conflicts=False),
    "reject alternative": of_side(rescheduling.reject),
    "cancel alternative": of_side(rescheduling.cancel),
    "record": of_side(progress.record, progress=Progress.WENT_SMOOTHLY),
}
"What a side can do."

KINDS = {
    MeetingActionKind.APPROVE: "approve",
    MeetingActionKind.REJECT: "reject",
    MeetingActionKind.CANCEL: "cancel",
    MeetingActionKind.CHOOSE_ALTERNATIVE_DATE: "choose",
    MeetingActionKind.APPROVE_ALTERNATIVE_DATE: "approve alternative",
    MeetingActionKind.REJECT_ALTERNATIVE_DATE: "reject alternative",
    MeetingActionKind.CANCEL_ALTERNATIVE_DATE: "cancel alternative",
}
"What each of them is as a kind, of those that negotiate; PROPOSE_AGAIN has no rule of its own."


@dataclass
class Play:
    """A meeting being played, and what every account holds because of it."""

    state: MeetingState
    decision: Decision
    accounts: dict[Account, int] = field(default_factory=lambda: {USER_AVAILABLE: PURSE})

    @property
    def facts(self) -> MeetingFacts:
        return MeetingFacts(self.state, self.accounts[USER_AVAILABLE])

    def take(self, decision: Decision) -> Decision:
        """Carry a decision out."""
        was_agreed = self.state.status is MeetingStatus.AGREED
        due = reminding.still_due(decision, was_agreed=was_agreed, policy=POLICY)
        self.state, self.decision = replace(decision.state, due=due), decision
        for movement in decision.movements:
            self.accounts[movement.debited] = self.accounts.get(movement.debited, 0) - movement.amount
            self.accounts[movement.credited] = self.accounts.get(movement.credited, 0) + movement.amount
        return decision

    def do(self, action: str, by: Side, *, now: datetime = NOW, **given: Any) -> Decision:
        """A side does something, and it goes through."""
        return self.take(ACTIONS[action](self.facts, by=by, now=now, **given))

    def lapse(self, now: datetime) -> Decision:
        """The time has come, and something lapses."""
        decision = lapsing.lapse(self.facts, now=now)
        assert decision is not None
        return self.take(decision)

    def settle(self, now: datetime, policy: Policy = POLICY) -> Decision | None:
        """What becomes of the price by now, if anything does."""
        decision = settling.settle(self.facts, now=now, policy=policy)
        return self.take(decision) if decision else None

    def remind(self, now: datetime, policy: Policy = POLICY) -> Decision | None:
        """What the sides are told of by now, if anything is due."""
        decision = reminding.remind(self.facts, now=now, policy=policy)
        return self.take(decision) if decision else None

    def decide(self, outcome: SettlementOutcome, now: datetime = NOW, policy: Policy = POLICY) -> Decision:
        """Staff decide what becomes of the price."""
        return self.take(settling.decide(self.facts, now=now, policy=policy, outcome=outcome))

    def refused(self, action: str, by: Side, *, now: datetime = NOW, **given: Any) -> Refusal:
        """Why a side may not do something."""
        problem = self.problem(action, by, now=now, **given)
        assert isinstance(problem, ActionRefused), problem
        return problem.refusal

    def problem(
        self,
        action: str,
        by: Side,
        *,
        now: datetime = NOW,
        available: int = PURSE,
        conflicts: tuple[UUID, ...] = (),
        **given: Any,
    ) -> Problem:
        """What stands in a side's way."""
        facts = MeetingFacts(self.state, available, conflicts)
        with pytest.raises(Problem) as stopped:
            ACTIONS[action](facts, by=by, now=now, **given)
        return stopped.value

    @property
    def held(self) -> tuple[int, int, int, int]:
        """What the user has spent of their purse, has blocked, and what the expert and Expertim have received."""
        held = [self.accounts.get(each, 0) for each in (USER_AVAILABLE, USER_BLOCKED, EXPERT_AVAILABLE, EXPERTIM)]
        assert sum(self.accounts.values()) == PURSE, "what one account lost another got (M1)"
        return PURSE - held[0], held[1], held[2], held[3]


def play(proposer: Side, *moves: Move, price: int = PRICE, starts_at: datetime = START, minutes: int = 60) -> Play:
    """The meeting after a proposal and these moves."""
    terms = Terms(starts_at, minutes, price)
    decision = proposing.by_user(terms, user_available=PURSE) if proposer is Side.USER else proposing.by_expert(terms)
    played = Play(decision.state, decision)
    played.take(decision)
    for action, by in moves:
        played.do(action, by)
    return played


def agreed(proposer: Side, *moves: Move, **terms: Any) -> Play:
    """The meeting after the other side approved, and these moves."""
    return play(proposer, ("approve", proposer.other), *moves, **terms)


def rejected(proposer: Side, *moves: Move, **terms: Any) -> Play:
    """The meeting after the other side rejected, and these moves."""
    return play(proposer, ("reject", proposer.other), *moves, **terms)


PROPOSER = pytest.mark.parametrize("proposer", list(Side))
CHOOSER = pytest.mark.parametrize("chooser", list(Side))


def kinds(decision: Decision) -> list[str]:
    """The kinds of the events, in order."""
    return [event.kind.value for event in decision.events]


def told(decision: Decision) -> list[tuple[str, Side]]:
    """Who is notified of what."""
    return [(notice.kind.value, notice.to) for notice in decision.notices]


def moved(decision: Decision) -> list[tuple[str, int]]:
    """The credits that move, and why."""
    return [(movement.kind.value, movement.amount) for movement in decision.movements]


def shown(played: Play, by: Side | None, now: datetime = NOW, policy: Policy = POLICY) -> dict[Any, MeetingAction]:
    """What somebody is shown, by its kind."""
    found = actions(played.state, by=by, now=now, policy=policy)
    assert [action.kind for action in found] == list(MeetingActionKind), "every action there is, each once"
    return {action.kind: action for action in found}
