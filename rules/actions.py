"""Which actions are open to whom, and what they would do: asked of the rules that act themselves (Q3)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from rules import answering, cancelling, joining, progress, rescheduling, settling
from rules.consequences import Consequences, consequences_of
from rules.meetings import Decision, MeetingFacts, MeetingState
from rules.policy import Policy
from rules.problems import ActionRefused
from rules.terms import MeetingActionKind, Progress, Refusal, SettlementOutcome, Side

Preview = Callable[[MeetingFacts, Side, datetime, Policy], Decision]


@dataclass(frozen=True, slots=True)
class MeetingAction:
    """An action as it stands for one person: allowed unless it is refused."""

    kind: MeetingActionKind
    refusal: Refusal | None = None
    opens_at: datetime | None = None
    "When time alone will open it, if it is too early."
    closes_at: datetime | None = None
    "When time alone will close it, while it is open."
    consequences: Consequences | None = None


def actions(state: MeetingState, *, by: Side | None, now: datetime, policy: Policy) -> tuple[MeetingAction, ...]:
    """Every action there is, for a side of the meeting, or for staff (`by` is None), who can decide and no more."""
    return tuple(_action(kind, state, by=by, now=now, policy=policy) for kind in MeetingActionKind)


def _action(
    kind: MeetingActionKind, state: MeetingState, *, by: Side | None, now: datetime, policy: Policy
) -> MeetingAction:
    if kind is MeetingActionKind.DECIDE:
        return _deciding(state, by=by, now=now, policy=policy)
    if by is None:
        return MeetingAction(kind, refusal=Refusal.NOT_YOUR_SIDE)
    if kind is MeetingActionKind.PROPOSE_AGAIN:
        return MeetingAction(kind)
    # What is allowed looks at neither credits nor conflicts: there are enough of the ones and none of the others.
    facts = MeetingFacts(state=state, user_available=state.price)
    try:
        decision = _PREVIEWS[kind](facts, by, now, policy)
    except ActionRefused as refused:
        too_early = refused.refusal is Refusal.TOO_EARLY
        return MeetingAction(
            kind, refusal=refused.refusal, opens_at=_WINDOWS[kind](state, policy)[0] if too_early else None
        )
    if kind in _WINDOWS:
        return MeetingAction(kind, closes_at=_WINDOWS[kind](state, policy)[1])
    return MeetingAction(
        kind,
        closes_at=_closes_at(kind, state),
        consequences=cancelling.consequences(decision, before=state, by=by, now=now, policy=policy)
        if kind is MeetingActionKind.CANCEL
        else consequences_of(decision, before=state),
    )


def _deciding(state: MeetingState, *, by: Side | None, now: datetime, policy: Policy) -> MeetingAction:
    """For staff alone, which a side is not in its own meeting (S3)."""
    if by is not None:
        return MeetingAction(MeetingActionKind.DECIDE, refusal=Refusal.STAFF_ONLY)
    facts = MeetingFacts(state=state, user_available=state.price)
    try:
        settling.decide(facts, now=now, policy=policy, outcome=SettlementOutcome.PAY_EXPERT)
    except ActionRefused as refused:
        return MeetingAction(MeetingActionKind.DECIDE, refusal=refused.refusal)
    return MeetingAction(MeetingActionKind.DECIDE)


def _closes_at(kind: MeetingActionKind, state: MeetingState) -> datetime:
    if kind in _OF_THE_ALTERNATIVE and state.alternative is not None:
        return rescheduling.lapses_at(state, state.alternative)
    return state.starts_at


_OF_THE_ALTERNATIVE = {
    MeetingActionKind.APPROVE_ALTERNATIVE_DATE,
    MeetingActionKind.REJECT_ALTERNATIVE_DATE,
    MeetingActionKind.CANCEL_ALTERNATIVE_DATE,
}

_PREVIEWS: dict[MeetingActionKind, Preview] = {
    MeetingActionKind.APPROVE: lambda facts, by, now, _: answering.approve(
        facts, by=by, now=now, acknowledge_conflicts=True
    ),
    MeetingActionKind.REJECT: lambda facts, by, now, _: answering.reject(facts, by=by, now=now),
    MeetingActionKind.CANCEL: lambda facts, by, now, policy: cancelling.cancel(
        facts, by=by, now=now, policy=policy, gives_reason=True, acknowledge_late=True
    ),
    MeetingActionKind.CHOOSE_ALTERNATIVE_DATE: lambda facts, by, now, _: rescheduling.choose(
        facts, by=by, now=now, starts_at=facts.state.starts_at + timedelta(minutes=1)
    ),
    MeetingActionKind.APPROVE_ALTERNATIVE_DATE: lambda facts, by, now, _: rescheduling.approve(
        facts, by=by, now=now, acknowledge_conflicts=True
    ),
    MeetingActionKind.REJECT_ALTERNATIVE_DATE: lambda facts, by, now, _: rescheduling.reject(facts, by=by, now=now),
    MeetingActionKind.CANCEL_ALTERNATIVE_DATE: lambda facts, by, now, _: rescheduling.cancel(facts, by=by, now=now),
    MeetingActionKind.JOIN: lambda facts, by, now, policy: joining.join(facts, by=by, now=now, policy=policy),
    MeetingActionKind.RECORD_PROGRESS: lambda facts, by, now, policy: progress.record(
        facts, by=by, now=now, policy=policy, progress=Progress.WENT_SMOOTHLY
    ),
}

_WINDOWS: dict[MeetingActionKind, Callable[[MeetingState, Policy], tuple[datetime, datetime]]] = {
    MeetingActionKind.JOIN: lambda state, policy: joining.window(state.starts_at, state.ends_at, policy),
    MeetingActionKind.RECORD_PROGRESS: progress.window,
}
"What is open from one instant until another, and has no consequences to show before."
