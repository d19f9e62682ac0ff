"""What everything has in common that somebody does in the model: what is looked at first, and what is left behind."""

from collections.abc import Set
from decimal import Decimal
from typing import Any

from tests.journeys.model_state import EXPERT, EXPERTIM, USER, Mail, Meeting, Person, Problem
from tests.journeys.model_views import Views

Story = tuple[Meeting, int]
"The meeting, and how many events it had before."
NOTHING = Decimal(0)


class Acting(Views):
    """Actions on a meeting begin with `enter` and leave events, movements and notifications."""

    reasons: dict[str, set[str]]

    def enter(
        self, by: Person, meeting: Meeting, kind: str, version: int | None, wrong: Set[tuple[str, str]] = frozenset()
    ) -> tuple[str, int]:
        """The side that acts, or Expertim, once nothing about the meeting stands in the way (Q4)."""
        if not self.may_see(by, meeting):
            raise Problem("NotFound")
        if wrong:
            raise Problem("InvalidInput", any_of=wrong)
        if version is not None and version != len(meeting.events):
            raise Problem("StaleVersion", meeting=meeting)
        side = meeting.side_of(by)
        if refusal := self.refusal(meeting, side, kind):
            raise Problem("ActionRefused", refusal=refusal, meeting=meeting)
        return side or EXPERTIM, len(meeting.events)

    def wrong_reason(self, kind: str, reason: str | None) -> set[tuple[str, str]]:
        return set() if reason is None or reason in self.reasons[kind] else {("reasonCode", "UNKNOWN")}

    def check_conflicts(self, by: Person, meeting: Meeting, acknowledge: bool) -> None:
        if not acknowledge and (conflicts := self.conflicts(meeting, by)):
            raise Problem("ConflictsFound", conflicts=conflicts)

    def block(self, meeting: Meeting, side: str) -> None:
        """The price is blocked by a step of the payer's own, if it is not yet (P1, A1, R2, R4, P7)."""
        if side == EXPERT or meeting.credit_status == "BLOCKED":
            return
        user, price = meeting.sides[USER], meeting.price
        if price > user.available:
            missing = price - user.available
            raise Problem("InsufficientCredits", required=price, available=user.available, missing=missing)
        self.move(user, "BLOCK", -price, price, meeting)
        meeting.credit_status = "BLOCKED"

    def give_back(self, meeting: Meeting) -> None:
        """Wherever credits return (P7)."""
        if meeting.credit_status == "BLOCKED":
            self.move(meeting.sides[USER], "UNBLOCK", meeting.price, -meeting.price, meeting)
            meeting.credit_status = "RETURNED"

    def pay_out(self, meeting: Meeting, kind: str, to_expert: Decimal, fee: Decimal) -> None:
        """Of what was blocked, the expert's part and Expertim's (M4)."""
        user, expert = meeting.sides[USER], meeting.sides[EXPERT]
        self.move(user, kind, NOTHING, -to_expert, meeting)
        self.move(expert, kind, to_expert, NOTHING, meeting)
        self.move(user, "FEE", NOTHING, -fee, meeting)

    def move(self, person: Person, kind: str, available: Decimal, blocked: Decimal, meeting: Meeting | None) -> None:
        """What one movement did to one person's balances; movements of nothing are not recorded (M4)."""
        if available or blocked:
            person.available += available
            person.blocked += blocked
            person.movements.append((kind, available, blocked, meeting, self.now))

    def record(self, meeting: Meeting, kind: str, actor: str, **fields: Any) -> None:
        person = meeting.sides.get(actor)
        meeting.events.append({"kind": kind, "actor": actor, "person": person, "at": self.now, **fields})

    def tell(self, meeting: Meeting, kind: str, *sides: str, confirmed_to: str | None = None) -> None:
        """Sides are notified, by e-mail too; the one that did it may have it confirmed, by e-mail alone (N4)."""
        for side in sides:
            meeting.sides[side].notifications.append((kind, meeting, self.now))
            mail = Mail(kind, meeting, meeting.starts_at, meeting.links.get(side), is_confirmation=False)
            meeting.sides[side].mails.append(mail)
        if confirmed_to:
            mail = Mail(kind, meeting, meeting.starts_at, None, is_confirmation=True)
            meeting.sides[confirmed_to].mails.append(mail)
