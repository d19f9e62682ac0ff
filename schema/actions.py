"""What may be done with a meeting, and what it would bring about (Q3)."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

import schema.enums  # noqa: F401 - the enums below must be known to Strawberry
from rules import actions, consequences
from rules.terms import MeetingActionKind, Refusal
from schema.scalars import Credits

if TYPE_CHECKING:
    from schema.meetings import Meeting


@strawberry.type
class Consequences:
    """What an action would cost and bring, for the dialog that asks (Q3, K4)."""

    credits_blocked: Credits = strawberry.field(description="What would be set aside on the user's account.")
    credits_returned_to_user: Credits = strawberry.field(description="What would be available to the user again.")
    credits_deducted_from_user: Credits = strawberry.field(
        description="What the user would lose; the expert and Expertim share it (K5)."
    )
    credits_paid_to_expert: Credits = strawberry.field(description="What the expert would receive of that (K5).")
    acknowledgement_required: bool = strawberry.field(
        description="Whether the input must acknowledge these conflicts (C2), or that it is late (K4)."
    )
    free_until: datetime | None = strawberry.field(
        description="Until when the same action would be free of charge; null if it always is, never is, or no longer."
    )
    original_date_stays_in_force: bool = strawberry.field(
        description="Whether the agreed date stays valid, until a new one is approved (R3)."
    )
    conflicts: list[Annotated["Meeting", strawberry.lazy("schema.meetings")]] = strawberry.field(
        description="Agreed meetings of the viewer that overlap the date this would approve (C2)."
    )

    @classmethod
    def of(cls, known: consequences.Consequences, conflicts: Sequence["Meeting"]) -> "Consequences":
        return cls(
            credits_blocked=Credits(known.credits_blocked),
            credits_returned_to_user=Credits(known.credits_returned_to_user),
            credits_deducted_from_user=Credits(known.credits_deducted_from_user),
            credits_paid_to_expert=Credits(known.credits_paid_to_expert),
            acknowledgement_required=known.acknowledgement_required or bool(conflicts),
            free_until=known.free_until,
            original_date_stays_in_force=known.original_date_stays_in_force,
            conflicts=list(conflicts),
        )


@strawberry.type
class MeetingAction:
    """Something that can be done with meetings, and whether the viewer may do it with this one now (Q3).

    Whether it is allowed looks at neither credits nor conflicts.
    """

    kind: MeetingActionKind = strawberry.field(description="What can be done.")
    allowed: bool = strawberry.field(description="Whether it is open to the viewer now.")
    refusal: Refusal | None = strawberry.field(description="Why not, when it is not: what its mutation would say.")
    opens_at: datetime | None = strawberry.field(description="When time alone will open it.")
    closes_at: datetime | None = strawberry.field(description="When time alone will close it, while it is allowed.")
    consequences: Consequences | None = strawberry.field(
        description="What it would do; null when it is refused or has none."
    )

    @classmethod
    def of(cls, action: actions.MeetingAction, conflicts: Sequence["Meeting"]) -> "MeetingAction":
        met = conflicts if action.kind in APPROVING else ()
        return cls(
            kind=action.kind,
            allowed=action.refusal is None,
            refusal=action.refusal,
            opens_at=action.opens_at,
            closes_at=action.closes_at,
            consequences=Consequences.of(action.consequences, met) if action.consequences else None,
        )


APPROVING = (MeetingActionKind.APPROVE, MeetingActionKind.APPROVE_ALTERNATIVE_DATE)
