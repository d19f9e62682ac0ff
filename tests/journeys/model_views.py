"""What the model says each person is shown: what they may do to a meeting, why not, and what it would do (Q3)."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from tests.journeys.model_state import (
    LATE,
    LINK_CLOSES_AFTER,
    LINK_OPENS_BEFORE,
    LINK_TOLD_BEFORE,
    REMINDED_AFTER,
    REMINDED_BEFORE,
    TIME_TO_RECORD,
    USER,
    Link,
    Meeting,
    Person,
    fee,
    half,
)

WHILE = {
    "APPROVE": {"AWAITING_APPROVAL"},
    "REJECT": {"AWAITING_APPROVAL"},
    "CANCEL": {"AWAITING_APPROVAL", "AGREED"},
    "CHOOSE_ALTERNATIVE_DATE": {"AGREED", "REJECTED"},
    "APPROVE_ALTERNATIVE_DATE": {"AWAITING_APPROVAL", "AGREED"},
    "REJECT_ALTERNATIVE_DATE": {"AWAITING_APPROVAL", "AGREED"},
    "CANCEL_ALTERNATIVE_DATE": {"AWAITING_APPROVAL", "AGREED"},
    "JOIN": {"AGREED"},
    "RECORD_PROGRESS": {"AGREED"},
}
"The statuses in which there is such a thing to do."

ANSWERS = {"APPROVE", "REJECT"}
ALTERNATIVE_ANSWERS = {"APPROVE_ALTERNATIVE_DATE", "REJECT_ALTERNATIVE_DATE"}
ABOUT_AN_ALTERNATIVE = ALTERNATIVE_ANSWERS | {"CANCEL_ALTERNATIVE_DATE"}
KINDS = (*WHILE, "DECIDE", "PROPOSE_AGAIN")


class Views:
    """Everything that is only looked at."""

    now: datetime
    meetings: list[Meeting]

    def may_see(self, viewer: Person, meeting: Meeting) -> bool:
        return viewer.is_staff or meeting.side_of(viewer) is not None

    def refusal(self, meeting: Meeting, side: str | None, kind: str) -> str | None:
        """The first reason why not, in the order of Q3."""
        if kind == "DECIDE":
            if side:
                return "STAFF_ONLY"
            return None if self.is_referred(meeting) else "WRONG_STATUS"
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
        if kind == "RECORD_PROGRESS" and side in meeting.progress:
            return "ALREADY_RECORDED"
        opens_at = self.opens_at(meeting, kind)
        if self.now >= self.closes_at(meeting, kind):
            return "TOO_LATE" if opens_at else "MEETING_STARTED"
        return "TOO_EARLY" if opens_at and self.now < opens_at else None

    def opens_at(self, meeting: Meeting, kind: str) -> datetime | None:
        """Most things may be done at once (L1, E1)."""
        return {"JOIN": meeting.starts_at - LINK_OPENS_BEFORE, "RECORD_PROGRESS": meeting.ends_at}.get(kind)

    def closes_at(self, meeting: Meeting, kind: str) -> datetime:
        """Negotiating ends at the planned start; what concerns an alternative date, also at its own (L1, E1, R7)."""
        if kind == "JOIN":
            return meeting.ends_at + LINK_CLOSES_AFTER
        if kind == "RECORD_PROGRESS":
            return meeting.ends_at + TIME_TO_RECORD
        if kind in ABOUT_AN_ALTERNATIVE and meeting.pending:
            return min(meeting.starts_at, meeting.pending.starts_at)
        return meeting.starts_at

    def is_due(self, meeting: Meeting) -> bool:
        """Whether a proposal or an alternative date has gone unanswered for too long (P6, R7)."""
        if meeting.pending:
            return self.now >= min(meeting.starts_at, meeting.pending.starts_at)
        return meeting.status == "AWAITING_APPROVAL" and self.now >= meeting.starts_at

    def is_unsettled(self, meeting: Meeting) -> bool:
        """Whether nothing is decided, and nobody may say any more how it went (S)."""
        is_open = meeting.credit_status == "BLOCKED" and meeting.status == "AGREED" and not meeting.settlement
        return is_open and self.now >= meeting.ends_at + TIME_TO_RECORD

    def reminders(self, meeting: Meeting) -> dict[str, datetime]:
        """When the sides of an agreed meeting are to be told what (N1, N2, N3)."""
        return {
            "MEETING_REMINDER": meeting.starts_at - REMINDED_BEFORE,
            "MEETING_LINK": meeting.starts_at - LINK_TOLD_BEFORE,
            "PROGRESS_REMINDER": meeting.ends_at + REMINDED_AFTER,
        }

    def reminders_due(self, meeting: Meeting) -> set[str]:
        """Which of them the worker is still to see to, while the meeting is neither called off nor settled."""
        if meeting.status != "AGREED" or meeting.credit_status != "BLOCKED":
            return set()
        return {kind for kind, at in self.reminders(meeting).items() if self.now >= at} - meeting.reminded

    def is_to_be_reminded(self, meeting: Meeting) -> bool:
        return bool(self.reminders_due(meeting))

    def is_to_be_prepared(self, meeting: Meeting) -> bool:
        """Whether the platform is to be told of the date in force, to which somebody can still come (L4)."""
        is_over = self.now >= self.closes_at(meeting, "JOIN")
        return meeting.status == "AGREED" and not meeting.platform_is_ready and not is_over

    def has_work(self) -> bool:
        """Whether the worker would find something to do."""
        what = (self.is_due, self.is_unsettled, self.is_to_be_reminded, self.is_to_be_prepared)
        return any(is_so(meeting) for meeting in self.meetings for is_so in what)

    def is_referred(self, meeting: Meeting) -> bool:
        """Whether it is staff's to decide (S3)."""
        return bool(meeting.settlement and meeting.settlement["referred"])

    def referred_at(self, meeting: Meeting) -> datetime:
        return next(each["at"] for each in meeting.events if each["kind"] == "REFERRED_TO_EXPERTIM")

    def is_dead(self, link: Link) -> bool:
        """Whether the date it leads to was replaced, or the meeting cancelled (L3)."""
        return link.meeting.status != "AGREED" or link is not link.meeting.links[link.side]

    def joined_at(self, meeting: Meeting, side: str) -> datetime | None:
        """When this side first opened its link to the date in force (L2)."""
        return next((at for link, at in meeting.attendance if link is meeting.links.get(side)), None)

    def progress(self, meeting: Meeting, side: str, viewer: Person) -> dict[str, Any] | None:
        """What this side said, as far as it is the viewer's to see (E3)."""
        own = meeting.side_of(viewer)
        has_spoken = own is None or own in meeting.progress
        is_over = self.now >= meeting.ends_at + TIME_TO_RECORD
        is_settled = meeting.settlement is not None and not self.is_referred(meeting)
        return meeting.progress.get(side) if own == side or has_spoken or is_settled or is_over else None

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
            taken = half(meeting.price)
            cost["creditsReturnedToUser"] = meeting.price - taken
            cost["creditsDeductedFromUser"] = taken
            cost["creditsPaidToExpert"] = taken - fee(taken)
        elif side == USER and half(meeting.price):
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
            and start < other.ends_at
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
                "opensAt": self.opens_at(meeting, kind) if refusal == "TOO_EARLY" else None,
                "closesAt": closes_at,
                "consequences": effects if effects and any(effects.values()) else None,
            }
        return shown

    def to_do(self, people: Sequence[Person]) -> dict[str, list[tuple[Person, Meeting]]]:
        """What may be done at the moment, by whom and with which meeting, the newest first."""
        seen = [(by, each) for each in reversed(self.meetings) for by in people if self.may_see(by, each)]
        open_to = {
            kind: [(by, meeting) for by, meeting in seen if not self.refusal(meeting, meeting.side_of(by), kind)]
            for kind in KINDS
            if kind not in {"JOIN", "PROPOSE_AGAIN"}
        }
        return {kind: pairs for kind, pairs in open_to.items() if pairs}
