"""What an action would cost and bring, told before it is done (Q3, K4)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from rules.credits import EXPERT_AVAILABLE, USER_AVAILABLE, USER_BLOCKED, Account, Movement
from rules.meetings import Decision, MeetingState
from rules.terms import MeetingStatus


@dataclass(frozen=True, slots=True)
class Consequences:
    """Amounts in hundredths of a credit."""

    credits_blocked: int
    credits_returned_to_user: int
    credits_deducted_from_user: int
    credits_paid_to_expert: int
    original_date_stays_in_force: bool
    acknowledgement_required: bool = False
    free_until: datetime | None = None
    "Until when the same action would be free of charge; None if it always is, never is, or no longer."


def consequences_of(
    decision: Decision,
    *,
    before: MeetingState,
    acknowledgement_required: bool = False,
    free_until: datetime | None = None,
) -> Consequences:
    """What follows from a decision on a meeting in this state."""

    def moved(debited: Account, credited: Account) -> int:
        return _sum(each for each in decision.movements if (each.debited, each.credited) == (debited, credited))

    out_of_blocked = _sum(each for each in decision.movements if each.debited == USER_BLOCKED)
    returned = moved(USER_BLOCKED, USER_AVAILABLE)
    stays_agreed = before.status is decision.state.status is MeetingStatus.AGREED
    return Consequences(
        credits_blocked=moved(USER_AVAILABLE, USER_BLOCKED),
        credits_returned_to_user=returned,
        credits_deducted_from_user=out_of_blocked - returned,
        credits_paid_to_expert=_sum(each for each in decision.movements if each.credited == EXPERT_AVAILABLE),
        original_date_stays_in_force=stays_agreed and before.starts_at == decision.state.starts_at,
        acknowledgement_required=acknowledgement_required,
        free_until=free_until,
    )


def _sum(movements: Iterable[Movement]) -> int:
    return sum(movement.amount for movement in movements)
