"""What the model remembers: people, their credits, their meetings; the words are those of the specification."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

USER, EXPERT, SYSTEM, EXPERTIM = "USER", "EXPERT", "SYSTEM", "EXPERTIM"
OTHER = {USER: EXPERT, EXPERT: USER}

SERVICE_MINUTES = 60
LATE = timedelta(hours=48)
FARTHEST = timedelta(days=730)
LINK_OPENS_BEFORE = timedelta(minutes=15)
LINK_CLOSES_AFTER = timedelta(minutes=60)
TIME_TO_RECORD = timedelta(hours=168)
REMINDED_BEFORE = timedelta(hours=24)
LINK_TOLD_BEFORE = timedelta(minutes=60)
REMINDED_AFTER = timedelta(hours=24)


def half_up(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"), ROUND_HALF_UP)


def half(price: Decimal) -> Decimal:
    """What a late cancellation costs the user (K5), and what compensates the expert (S)."""
    return half_up(price * 50 / 100)


def fee(amount: Decimal) -> Decimal:
    """What Expertim keeps of what the expert is to get (K5, S)."""
    return half_up(amount * 20 / 100)


class Told:
    """Shown as it is in a story, by Hypothesis too, which would look inside and find everything else there."""

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(repr(self))


@dataclass(eq=False)
class Person(Told):
    name: str
    is_staff: bool = False
    price: Decimal | None = None
    "Of their one service; an expert is who has one."
    available: Decimal = Decimal(0)
    blocked: Decimal = Decimal(0)
    movements: list[tuple[Any, ...]] = field(default_factory=list)
    notifications: list[tuple[Any, ...]] = field(default_factory=list)
    mails: list["Mail"] = field(default_factory=list)
    keys: dict[str, tuple[Any, ...]] = field(default_factory=dict)

    def __repr__(self) -> str:
        return self.name


@dataclass(eq=False)
class AlternativeDate(Told):
    starts_at: datetime
    chosen_by: str
    chosen_at: datetime
    beside_a_date_in_force: bool
    answers_before: dict[str, str]
    reason_before: str | None
    status: str = "PENDING"
    reason: str | None = None

    def __repr__(self) -> str:
        return f"the date chosen at {self.chosen_at} for {self.starts_at}"


@dataclass(eq=False)
class Link(Told):
    """One side's way to one date, which is the meeting's own for as long as that date is in force (L1)."""

    meeting: "Meeting"
    side: str
    starts_at: datetime

    def __repr__(self) -> str:
        return f"the {self.side}'s link to {self.meeting} at {self.starts_at}"


@dataclass(eq=False)
class Meeting(Told):
    number: int
    sides: dict[str, Person]
    service: Person
    "Whose service it is of."
    starts_at: datetime
    minutes: int
    price: Decimal
    proposed_by: str
    answers: dict[str, str]
    status: str = "AWAITING_APPROVAL"
    credit_status: str = "NOT_BLOCKED"
    reason: str | None = None
    alternatives: list[AlternativeDate] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    links: dict[str, Link] = field(default_factory=dict)
    "To the date in force, or the last that was."
    platform_is_ready: bool = False
    attendance: list[tuple[Link, datetime]] = field(default_factory=list)
    progress: dict[str, dict[str, Any]] = field(default_factory=dict)
    settlement: dict[str, Any] | None = None
    reminded: set[str] = field(default_factory=set)
    "Of what the sides were reminded for the date in force, or it was too late to be."

    @property
    def ends_at(self) -> datetime:
        return self.starts_at + timedelta(minutes=self.minutes)

    @property
    def pending(self) -> AlternativeDate | None:
        """The alternative date that waits for an answer."""
        return next((each for each in self.alternatives if each.status == "PENDING"), None)

    @property
    def waiting(self) -> AlternativeDate:
        """The same, where there must be one."""
        return next(each for each in self.alternatives if each.status == "PENDING")

    @property
    def waits_for(self) -> str:
        """The side that did not propose, or did not choose the pending alternative date."""
        return OTHER[self.pending.chosen_by if self.pending else self.proposed_by]

    def side_of(self, person: Person) -> str | None:
        return next((side for side, one in self.sides.items() if one is person), None)

    def __repr__(self) -> str:
        return f"#{self.number}"


@dataclass(eq=False)
class Mail(Told):
    """An e-mail to one side: what it was notified of, or confirms that it did of which the other side was (N)."""

    kind: str
    meeting: Meeting
    starts_at: datetime
    "When the meeting was to begin as this was written."
    link: Link | None
    "Its recipient's, by then."
    is_confirmation: bool
    status: str = "PENDING"


class Problem(Exception):
    """What stands in the way of an action."""

    def __init__(self, typename: str, **fields: Any) -> None:
        super().__init__(typename, fields)
        self.answer = {"__typename": typename, **fields}
