"""Where agreed meetings are held: the platform's part, the sides' personal links, and who came."""

from uuid import UUID

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from models.ids import uuid7
from models.meetings import Meeting
from models.references import reference
from rules.terms import Side


class Conference(Model):
    """What the video platform is to know of a meeting, and how far it has been brought there (L4)."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    meeting: fields.ForeignKeyRelation[Meeting] = reference("Meeting")
    meeting_id: UUID
    room = fields.CharField(max_length=64, description="What the platform calls it.")
    starts_at = fields.DatetimeField()
    ends_at = fields.DatetimeField()
    cancelled = fields.BooleanField(default=False)
    wanted = fields.IntField(default=1, description="Grows whenever the date changes or the meeting is cancelled.")
    reached = fields.IntField(default=0, description="What was `wanted` when the platform last did as it was asked.")
    failures = fields.IntField(default=0, description="Since then, in a row.")
    due_at = fields.DatetimeField(description="When the platform is to be asked next, if it is behind.")
    lease = fields.UUIDField(null=True, description="Whoever is asking the platform now.")
    lease_until = fields.DatetimeField(null=True, description="When somebody else may take over.")

    class Meta:
        table = "conference"
        unique_together = (("meeting_id",),)


class JoinLink(Model):
    """One side's way to a meeting on one date; its token is derived from its id, and stored nowhere (L1)."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    meeting: fields.ForeignKeyRelation[Meeting] = reference("Meeting")
    meeting_id: UUID
    side = fields.CharEnumField(Side, max_length=10, description="Whose it is.")
    starts_at = fields.DatetimeField()
    ends_at = fields.DatetimeField()
    revoked_at = fields.DatetimeField(null=True, description="When another date came into force, or none.")

    class Meta:
        table = "join_link"
        indexes = (Index(fields=("meeting_id", "id")),)


class Attendance(Model):
    """An opening of a link by a person (L2)."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    link: fields.ForeignKeyRelation[JoinLink] = reference("JoinLink")
    link_id: UUID
    opened_at = fields.DatetimeField()

    class Meta:
        table = "attendance"
        indexes = (Index(fields=("link_id", "opened_at")),)
