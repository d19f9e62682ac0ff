"""What can stand in the way of an action. A rule raises one of these; nothing is written, moved or pushed."""

from typing import TYPE_CHECKING
from uuid import UUID

from rules.terms import InvalidInputCode, Refusal

if TYPE_CHECKING:
    from rules.consequences import Consequences


class Problem(Exception):
    """What went wrong, to be answered as data."""


class NotFound(Problem):
    """There is no such thing, or it is not this person's to see: the two are never told apart."""


class ActionRefused(Problem):
    """The action is not open to this person now."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal)
        self.refusal = refusal


class InvalidInput(Problem):
    """A field of the input, named as in the contract, can't be used."""

    def __init__(self, field: str, code: InvalidInputCode) -> None:
        super().__init__(field, code)
        self.field = field
        self.code = code


class StaleVersion(Problem):
    """The meeting has moved on since the version the client expected."""


class ConflictsFound(Problem):
    """Approving would overlap agreed meetings of the answering side, which has not acknowledged them (C2)."""

    def __init__(self, meeting_ids: tuple[UUID, ...]) -> None:
        super().__init__(meeting_ids)
        self.meeting_ids = meeting_ids


class LateCancellation(Problem):
    """The meeting is so near that its canceller must confirm; nothing has changed yet (K4)."""

    def __init__(self, consequences: "Consequences") -> None:
        super().__init__(consequences)
        self.consequences = consequences


class InsufficientCredits(Problem):
    """The payer's available credits don't cover the price; only ever told to the payer (P7). Hundredths of a credit."""

    def __init__(self, *, required: int, available: int) -> None:
        super().__init__(required, available)
        self.required = required
        self.available = available

    @property
    def missing(self) -> int:
        return self.required - self.available


class IdempotencyKeyReused(Problem):
    """The idempotency key was used before with another input (I1)."""
