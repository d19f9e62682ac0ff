"""How held meetings went, and what became of their price."""

from datetime import datetime
from typing import ClassVar

import strawberry
from tortoise.models import Model

import models
import schema.enums  # noqa: F401 - the enums below must be known to Strawberry
from rules.terms import Actor, Progress, SettlementOutcome, Side
from schema.scalars import Credits
from texts.settlements import explanation


@strawberry.type
class ProgressRecord:
    """What one side said of how the meeting went; it says so once (E1)."""

    side: Side = strawberry.field(description="Who said so.")
    progress: Progress = strawberry.field(description="How it went.")
    rating: int | None = strawberry.field(description="From 1 to 5, if the user added one.")
    comment: str | None = strawberry.field(description="In the user's own words, if they added any.")
    recorded_at: datetime = strawberry.field(description="When it was said.")

    @classmethod
    def of(cls, row: models.ProgressRecord) -> "ProgressRecord":
        return cls(
            side=row.side, progress=row.progress, rating=row.rating, comment=row.comment, recorded_at=row.recorded_at
        )


@strawberry.type
class Settlement:
    """What became of the price of a held meeting, or that Expertim's staff are to decide it (S)."""

    table: ClassVar[type[Model]] = models.Settlement
    outcome: SettlementOutcome | None = strawberry.field(description="Null while Expertim has still to decide.")
    referred: bool = strawberry.field(description="True while it waits for staff (S3).")
    decided_by: Actor | None = strawberry.field(
        description="EXPERTIM if staff decided, SYSTEM if what the sides said did; null while it waits (S4)."
    )
    paid_to_user: Credits = strawberry.field(description="What the user got back.")
    paid_to_expert: Credits = strawberry.field(description="What the expert received, as payment or compensation.")
    fee: Credits = strawberry.field(description="What Expertim kept.")
    explanation: str = strawberry.field(description="Why it came out like this, for people, in the viewer's language.")
    note: str | None = strawberry.field(description="What staff wrote to both sides, if they decided (S3).")
    settled_at: datetime | None = strawberry.field(description="When the credits went where they are now.")

    @classmethod
    def of(cls, row: models.Settlement, viewer: models.Person) -> "Settlement":
        return cls(
            outcome=row.outcome,
            referred=row.outcome is None,
            decided_by=row.decided_by,
            paid_to_user=Credits(row.paid_to_user),
            paid_to_expert=Credits(row.paid_to_expert),
            fee=Credits(row.fee),
            explanation=explanation(
                row.user_said, row.expert_said, row.outcome, decided_by=row.decided_by, language=viewer.language
            ),
            note=row.note,
            settled_at=row.settled_at,
        )
