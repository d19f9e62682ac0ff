"""How held meetings went, and what became of their price."""

from uuid import UUID

from tortoise import fields
from tortoise.models import Model

from models.ids import uuid7
from models.meetings import Meeting
from models.references import reference
from rules.terms import Actor, Progress, SettlementOutcome, Side


class ProgressRecord(Model):
    """What one side said of how a meeting went; each says it once (E1)."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    meeting: fields.ForeignKeyRelation[Meeting] = reference("Meeting")
    meeting_id: UUID
    side = fields.CharEnumField(Side, max_length=10, description="Who says so.")
    progress = fields.CharEnumField(Progress, max_length=40, description="How it went.")
    rating = fields.IntField(null=True)
    comment = fields.TextField(null=True)
    recorded_at = fields.DatetimeField()

    class Meta:
        table = "progress_record"
        unique_together = (("meeting_id", "side"),)


class Settlement(Model):
    """What became of a meeting's price; without an outcome, staff are to decide it. Amounts in hundredths."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    meeting: fields.ForeignKeyRelation[Meeting] = reference("Meeting")
    meeting_id: UUID
    user_said = fields.CharEnumField(Progress, max_length=40, null=True, description="What it was based on.")
    expert_said = fields.CharEnumField(Progress, max_length=40, null=True, description="What it was based on.")
    outcome = fields.CharEnumField(SettlementOutcome, max_length=40, null=True, description="What became of the price.")
    decided_by = fields.CharEnumField(Actor, max_length=10, null=True, description="Staff, or nobody.")
    note = fields.TextField(null=True)
    paid_to_user = fields.BigIntField()
    paid_to_expert = fields.BigIntField()
    fee = fields.BigIntField()
    referred_at = fields.DatetimeField(null=True)
    settled_at = fields.DatetimeField(null=True)

    class Meta:
        table = "settlement"
        unique_together = (("meeting_id",),)


class StaffFeed(Model):
    """How many events of all timelines staff have been told; a single row, whose lock keeps their numbers gapless."""

    id = fields.IntField(primary_key=True)
    head = fields.BigIntField()

    class Meta:
        table = "staff_feed"
