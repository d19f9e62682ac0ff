"""What the model says each person is shown: what they may do to a meeting, why not, and what it would do (Q3)."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from tests.journeys.model_state import LATE, USER, Meeting, Person, deducted, fee

WHILE = {
    "APPROVE": {"AWAITING_APPROVAL"},
    "REJECT": {"AWAITING_APPROVAL"},
    "CANCEL": {"AWAITING_APPROVAL", "AGREED"},
    "CHOOSE_ALTERNATIVE_DATE": {"AGREED", "REJECTED"},
    "APPROVE_ALTERNATIVE_DATE": {"AWAITING_APPROVAL", "AGREED"},
    "REJECT_ALTERNATIVE_DATE": {"AWAITING_APPROVAL", "AGREED"},
    "CANCEL_ALTERNATIVE_DATE": {"AWAITING_APPROVAL", "AGREED"},
}
"The statuses in which there is such a thing to do."

ANSWERS = {"APPROVE", "REJECT"}
ALTERNATIVE_ANSWERS = {"APPROVE_ALTERNATIVE_DATE", "REJECT_ALTERNATIVE_DATE"}
ABOUT_AN_ALTERNATIVE = ALTERNATIVE_ANSWERS | {"CANCEL_ALTERNATIVE_DATE"}
KINDS = {*WHILE, "PROPOSE_AGAIN"}


class Views:
    """Everything that is only looked at."""

    now: datetime
    meetings: list[Meeting]

    def may_see(self, viewer: Person, meeting: Meeting) -> bool:
        return viewer.is_staff or meeting.side_of(viewer) is not None

    def refusal(self, meeting: Meeting, side: str | None, kind: str) -> str | None:
        """The first reason why not, in the order of Q3."""
        pending = meeting.pending
        waiting = meeting.status == "AWAITING_APPROVAL"
        if side is None or (kind == "CANCEL" and waiting and side == meeting.waits_for):
            return "NOT_YOUR_SIDE"
        if kind == "PROPOSE_AGAIN":
            return None
        if meeting.status not in WHILE[kind]:
            return "WRONG_STATUS"
        if pending and kind in ANSWERS | {"CHOOSE_ALTERNATIVE_DATE"}:
            return "ALTERNATIVE_DATE_PENDING"
        if not pending and kind in ABOUT_AN_ALTERNATIVE:
            return "NO_ALTERNATIVE_DATE"
        if kind in ALTERNATIVE_ANSWERS and side != meeting.waits_for:
            return "OWN_ALTERNATIVE_DATE"
        if kind == "CANCEL_ALTERNATIVE_DATE" and side == meeting.waits_for:
            return "NOT_OWN_ALTERNATIVE_DATE"
        if kind in ANSWERS and meeting.answers[side] != "PENDING":
            return "ALREADY_ANSWERED"
        return "MEETING_STARTED" if self.now >= self.closes_at(meeting, kind) else None

    def closes_at(self, meeting: Meeting, kind: str) -> datetime:
        """Everything ends at the planned start; what concerns an alternative date, also at its own (R7)."""
        if kind in ABOUT_AN_ALTERNATIVE and meeting.pending:
            return min(meeting.starts_at, meeting.pending.starts_at)
        return meeting.starts_at

    def is_due(self, meeting: Meeting) -> bool:
        """Whether a proposal or an alternative date has gone unanswered for too long (P6, R7)."""
        if meeting.pending:
            return self.now >= min(meeting.starts_at, meeting.pending.starts_at)
        return meeting.status == "AWAITING_APPROVAL" and self.now >= meeting.starts_at

    def is_late(self, meeting: Meeting) -> bool:
        """Less than 48 hours ahead of an agreed meeting (K4)."""
        return meeting.status == "AGREED" and meeting.starts_at - self.now < LATE

    def consequences(self, meeting: Meeting, side: str, kind: str) -> dict[str, Any]:
        """What an action of one's own would do."""
        cost = {
            "creditsBlocked": Decimal(0),
            "creditsReturnedToUser": Decimal(0),
            "creditsDeductedFromUser": Decimal(0),
            "creditsPaidToExpert": Decimal(0),
            "acknowledgementRequired": False,
            "freeUntil": None,
            "originalDateStaysInForce": False,
            "conflicts": [],
        }
        is_blocked = meeting.credit_status == "BLOCKED"
        in_force = meeting.status == "AGREED"
        blocks = kind in {"APPROVE", "CHOOSE_ALTERNATIVE_DATE", "APPROVE_ALTERNATIVE_DATE"}
        returns = kind in {"REJECT", "REJECT_ALTERNATIVE_DATE", "CANCEL_ALTERNATIVE_DATE"} and not in_force
        if blocks and side == USER and not is_blocked:
            cost["creditsBlocked"] = meeting.price
        if is_blocked and (returns or kind == "CANCEL"):
            cost["creditsReturnedToUser"] = meeting.price
        if kind in {"APPROVE", "APPROVE_ALTERNATIVE_DATE"}:
            cost["conflicts"] = self.conflicts(meeting, meeting.sides[side])
            cost["acknowledgementRequired"] = bool(cost["conflicts"])
        if kind == "CANCEL" and in_force:
            self.add_cost_of_cancelling(cost, meeting, side)
        in_any_case = {"CHOOSE_ALTERNATIVE_DATE", "REJECT_ALTERNATIVE_DATE", "CANCEL_ALTERNATIVE_DATE"}
        cost["originalDateStaysInForce"] = in_force and kind in in_any_case
        return cost

    def add_cost_of_cancelling(self, cost: dict[str, Any], meeting: Meeting, side: str) -> None:
        """Half of the price, less than 48 hours ahead and by the user (K3, K4, K5)."""
        late = cost["acknowledgementRequired"] = self.is_late(meeting)
        if late and side == USER:
            taken = deducted(meeting.price)
            cost["creditsReturnedToUser"] = meeting.price - taken
            cost["creditsDeductedFromUser"] = taken
            cost["creditsPaidToExpert"] = taken - fee(taken)
        elif side == USER and deducted(meeting.price):
            cost["freeUntil"] = meeting.starts_at - LATE

    def conflicts(self, meeting: Meeting, person: Person) -> list[Meeting]:
        """A person's other agreed meetings that overlap the date that waits for their answer (C1, C2)."""
        side = meeting.side_of(person)
        if side != meeting.waits_for or not (meeting.pending or meeting.status == "AWAITING_APPROVAL"):
            return []
        start = (meeting.pending or meeting).starts_at
        end = start + timedelta(minutes=meeting.minutes)
        return [
            other
            for other in self.meetings
            if other is not meeting
            and other.status == "AGREED"
            and other.side_of(person)
            and other.starts_at < end
            and start < other.starts_at + timedelta(minutes=other.minutes)
        ]

    def actions(self, meeting: Meeting, viewer: Person) -> dict[str, dict[str, Any]]:
        """Everything there is to do, with the reason why not or what it would do."""
        side = meeting.side_of(viewer)
        shown = {}
        for kind in KINDS:
            refusal = self.refusal(meeting, side, kind)
            closes_at = effects = None
            if side and not refusal and kind != "PROPOSE_AGAIN":
                closes_at, effects = self.closes_at(meeting, kind), self.consequences(meeting, side, kind)
            shown[kind] = {
                "allowed": refusal is None,
                "refusal": refusal,
                "opensAt": None,
                "closesAt": closes_at,
                "consequences": effects if effects and any(effects.values()) else None,
            }
        return shown

    def to_do(self, people: Sequence[Person]) -> dict[str, list[tuple[Person, Meeting]]]:
        """What may be done at the moment, by whom and with which meeting, the newest first."""
        pairs = [(person, meeting) for meeting in reversed(self.meetings) for person in people]
        open_to = {
            kind: [(by, meeting) for by, meeting in pairs if not self.refusal(meeting, meeting.side_of(by), kind)]
            for kind in WHILE
        }
        return {kind: pairs for kind, pairs in open_to.items() if pairs}
