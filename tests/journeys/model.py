"""A small model of the market, written from the specification alone: what is answered, and what is left behind."""

import re
from datetime import datetime
from decimal import Decimal
from typing import Any

from tests.journeys.model_acting import Story
from tests.journeys.model_holding import Holding
from tests.journeys.model_state import (
    EXPERT,
    FARTHEST,
    OTHER,
    SERVICE_MINUTES,
    SYSTEM,
    USER,
    AlternativeDate,
    Link,
    Meeting,
    Person,
    Problem,
)


class Market(Holding):
    """Everybody's meetings and credits; a method for each mutation of a meeting, one for the worker."""

    def __init__(self, now: datetime, reasons: dict[str, set[str]]) -> None:
        self.now = now
        self.reasons = reasons
        self.meetings: list[Meeting] = []
        self.links: list[Link] = []

    def play(self, by: Person, action: str, key: str | None = None, **given: Any) -> dict[str, Any]:
        """What this action is answered (Q4, I1)."""
        if key in by.keys:
            first, answer = by.keys[key]
            return answer | {"repeated": True} if first == (action, given) else {"__typename": "IdempotencyKeyReused"}
        try:
            meeting, before = getattr(self, re.sub("([A-Z])", r"_\1", action).lower())(by, **given)
        except Problem as problem:
            return problem.answer
        answer = {"__typename": "MeetingChanged", "meeting": meeting, "before": before, "last": len(meeting.events)}
        if key is not None:
            by.keys[key] = (action, given), answer
        return answer | {"repeated": False}

    # ── proposing ──

    def propose_meeting(self, by: Person, expert: Person, service: Person, skill: Person, starts_at: datetime) -> Story:
        if by is expert:
            raise Problem("InvalidInput", any_of={("expertId", "SELF")})
        if expert.price is None:
            raise Problem("NotFound")
        self.check_proposal(expert, service, skill, starts_at)
        return self.new_meeting({USER: by, EXPERT: expert}, service, starts_at, SERVICE_MINUTES, expert.price, USER)

    def propose_meeting_to_user(
        self,
        by: Person,
        meeting: Meeting,
        service: Person,
        skill: Person,
        starts_at: datetime,
        minutes: int,
        price: Decimal,
    ) -> Story:
        side = meeting.side_of(by)
        if side is None:
            raise Problem("NotFound")
        wrong = self.wrong_start(starts_at)
        wrong |= set() if 5 <= minutes <= 480 else {("durationMinutes", "OUT_OF_RANGE")}
        wrong |= set() if 0 <= price <= 1_000_000 else {("price", "OUT_OF_RANGE")}
        if wrong:
            raise Problem("InvalidInput", any_of=wrong)
        if side == USER:
            raise Problem("ActionRefused", refusal="NOT_YOUR_SIDE", meeting=meeting)
        self.check_proposal(by, service, skill, starts_at)
        return self.new_meeting({USER: meeting.sides[USER], EXPERT: by}, service, starts_at, minutes, price, EXPERT)

    def check_proposal(self, expert: Person, service: Person, skill: Person, starts_at: datetime) -> None:
        """Service and skill are the expert's, the start is ahead (P4)."""
        wrong = self.wrong_start(starts_at)
        wrong |= set() if service is expert else {("serviceId", "UNKNOWN")}
        wrong |= set() if skill is expert else {("skillId", "UNKNOWN")}
        if wrong:
            raise Problem("InvalidInput", any_of=wrong)

    def wrong_start(self, starts_at: datetime) -> set[tuple[str, str]]:
        """What the input shows by itself, held against the clock (P4)."""
        if starts_at <= self.now:
            return {("startsAt", "IN_THE_PAST")}
        return {("startsAt", "OUT_OF_RANGE")} if starts_at > self.now + FARTHEST else set()

    def new_meeting(
        self, sides: dict[str, Person], service: Person, starts_at: datetime, minutes: int, price: Decimal, side: str
    ) -> Story:
        answers = {side: "APPROVED", OTHER[side]: "PENDING"}
        meeting = Meeting(len(self.meetings), sides, service, starts_at, minutes, price, side, answers)
        self.block(meeting, side)
        self.meetings.append(meeting)
        self.record(meeting, "MEETING_PROPOSED", side)
        self.record(meeting, f"{side}_APPROVED", side)
        self.tell(meeting, f"{side}_MEETING_INVITATION", OTHER[side])
        return meeting, 0

    # ── answering ──

    def approve_meeting(
        self, by: Person, meeting: Meeting, acknowledge: bool = False, version: int | None = None
    ) -> Story:
        side, before = self.enter(by, meeting, "APPROVE", version)
        self.check_conflicts(by, meeting, acknowledge)
        self.block(meeting, side)
        meeting.answers[side] = "APPROVED"
        self.agree(meeting)
        self.record(meeting, f"{side}_APPROVED", side)
        self.tell(meeting, "MEETING_APPROVED", OTHER[side], confirmed_to=side)
        return meeting, before

    def reject_meeting(self, by: Person, meeting: Meeting, reason: str, version: int | None = None) -> Story:
        side, before = self.enter(by, meeting, "REJECT", version, self.wrong_reason("REJECTION", reason))
        self.give_back(meeting)
        meeting.status, meeting.answers[side], meeting.reason = "REJECTED", "REJECTED", reason
        self.record(meeting, f"REJECTED_BY_{side}", side, reason=reason)
        self.tell(meeting, "MEETING_REJECTED", OTHER[side], confirmed_to=side)
        return meeting, before

    # ── cancelling ──

    def cancel_meeting(
        self,
        by: Person,
        meeting: Meeting,
        reason: str | None = None,
        acknowledge: bool = False,
        version: int | None = None,
    ) -> Story:
        side, before = self.enter(by, meeting, "CANCEL", version, self.wrong_reason("CANCELLATION", reason))
        if meeting.status == "AGREED" and reason is None:
            raise Problem("InvalidInput", any_of={("reasonCode", "REQUIRED")})
        cost = self.consequences(meeting, side, "CANCEL")
        if cost["acknowledgementRequired"] and not acknowledge:
            raise Problem("LateCancellation", consequences=cost)
        late, was_agreed = self.is_late(meeting), meeting.status == "AGREED"
        if meeting.pending:
            meeting.pending.status = "CANCELLED"
        meeting.status, meeting.reason = "CANCELLED", reason
        self.record(meeting, f"CANCELLED_BY_{side}", side, reason=reason)
        if late and side == USER:
            self.reimburse(meeting, cost)
        else:
            self.give_back(meeting)
        self.tell(meeting, f"MEETING_CANCELLED_BY_{side}", OTHER[side], confirmed_to=side if was_agreed else None)
        return meeting, before

    def reimburse(self, meeting: Meeting, cost: dict[str, Any]) -> None:
        """A part of the price goes to the expert, less Expertim's fee (K5)."""
        returned, received = cost["creditsReturnedToUser"], cost["creditsPaidToExpert"]
        self.move(meeting.sides[USER], "UNBLOCK", returned, -returned, meeting)
        self.pay_out(meeting, "CANCELLATION_REIMBURSEMENT", received, cost["creditsDeductedFromUser"] - received)
        meeting.credit_status = "REIMBURSED_CANCELLATION"
        self.record(meeting, "CANCELLATION_REIMBURSED", USER, credits=received)

    # ── rescheduling ──

    def choose_alternative_date(
        self, by: Person, meeting: Meeting, starts_at: datetime, version: int | None = None
    ) -> Story:
        side, before = self.enter(by, meeting, "CHOOSE_ALTERNATIVE_DATE", version, wrong=self.wrong_start(starts_at))
        if starts_at == meeting.starts_at:
            raise Problem("InvalidInput", any_of={("startsAt", "UNCHANGED")})
        agreed = meeting.status == "AGREED"
        chosen = AlternativeDate(starts_at, side, self.now, agreed, dict(meeting.answers), meeting.reason)
        if not agreed:
            self.block(meeting, side)
            meeting.status, meeting.starts_at, meeting.reason = "AWAITING_APPROVAL", starts_at, None
            meeting.answers = {side: "APPROVED", OTHER[side]: "PENDING"}
        meeting.alternatives.append(chosen)
        self.record(meeting, f"ALTERNATIVE_DATE_CHOSEN_BY_{side}", side, alternative=chosen)
        self.record(meeting, f"{side}_APPROVED", side, alternative=chosen)
        self.tell(meeting, f"{'AGREED' if agreed else 'REJECTED'}_MEETING_RESCHEDULED", OTHER[side])
        return meeting, before

    def approve_alternative_date(
        self, by: Person, meeting: Meeting, acknowledge: bool = False, version: int | None = None
    ) -> Story:
        side, before = self.enter(by, meeting, "APPROVE_ALTERNATIVE_DATE", version)
        self.check_conflicts(by, meeting, acknowledge)
        self.block(meeting, side)
        chosen = meeting.waiting
        chosen.status = "APPROVED"
        meeting.starts_at, meeting.answers = chosen.starts_at, {USER: "APPROVED", EXPERT: "APPROVED"}
        self.agree(meeting)
        self.record(meeting, f"ALTERNATIVE_DATE_APPROVED_BY_{side}", side, alternative=chosen)
        self.tell(meeting, "ALTERNATIVE_DATE_APPROVED", OTHER[side], confirmed_to=side)
        return meeting, before

    def reject_alternative_date(self, by: Person, meeting: Meeting, reason: str, version: int | None = None) -> Story:
        side, before = self.enter(
            by, meeting, "REJECT_ALTERNATIVE_DATE", version, self.wrong_reason("REJECTION", reason)
        )
        chosen = meeting.waiting
        chosen.status, chosen.reason = "REJECTED", reason
        if not chosen.beside_a_date_in_force:
            self.give_back(meeting)
            meeting.status, meeting.reason, meeting.answers[side] = "REJECTED", reason, "REJECTED"
        self.record(meeting, f"ALTERNATIVE_DATE_REJECTED_BY_{side}", side, alternative=chosen, reason=reason)
        asked_for = None if chosen.beside_a_date_in_force else side
        self.tell(meeting, "ALTERNATIVE_DATE_REJECTED", OTHER[side], confirmed_to=asked_for)
        return meeting, before

    def cancel_alternative_date(self, by: Person, meeting: Meeting, version: int | None = None) -> Story:
        side, before = self.enter(by, meeting, "CANCEL_ALTERNATIVE_DATE", version)
        chosen = self.take_back(meeting, "CANCELLED")
        self.record(meeting, f"ALTERNATIVE_DATE_CANCELLED_BY_{side}", side, alternative=chosen)
        self.tell(meeting, "ALTERNATIVE_DATE_CANCELLED", OTHER[side])
        return meeting, before

    def take_back(self, meeting: Meeting, status: str) -> AlternativeDate:
        """Status and answers are what they were before the choice; a rejected meeting keeps the new date (R6, R7)."""
        chosen = meeting.waiting
        chosen.status = status
        if not chosen.beside_a_date_in_force:
            self.give_back(meeting)
            meeting.status, meeting.reason = "REJECTED", chosen.reason_before
            meeting.answers = dict(chosen.answers_before)
        return chosen

    # ── the clock's own work ──

    def lapse(self, meeting: Meeting) -> None:
        """What the worker does to a meeting that is due (P6, R7)."""
        if meeting.pending:
            chosen = self.take_back(meeting, "LAPSED")
            self.record(meeting, "ALTERNATIVE_DATE_LAPSED", SYSTEM, alternative=chosen)
            self.tell(meeting, "ALTERNATIVE_DATE_LAPSED", USER, EXPERT)
        else:
            self.give_back(meeting)
            meeting.status = "CANCELLED"
            self.record(meeting, "PROPOSAL_LAPSED", SYSTEM)
            self.tell(meeting, "PROPOSAL_LAPSED", USER, EXPERT)
