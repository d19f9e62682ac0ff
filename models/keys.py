"""Idempotency keys."""

from uuid import UUID

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from models.ids import uuid7
from models.people import Person
from models.references import reference


class IdempotencyKey(Model):
    """The first answer to an action, by reference, so that a repetition does nothing twice (I1)."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    person: fields.ForeignKeyRelation[Person] = reference("Person")
    person_id: UUID
    key = fields.CharField(max_length=1000)
    input_digest = fields.BinaryField(description="SHA-256 of the action's name and input.")
    made_id = fields.UUIDField(null=True, description="The meeting changed, or the one thing made or saved.")
    first_event = fields.IntField(null=True, description="Sequence of the first event recorded on that meeting.")
    last_event = fields.IntField(null=True)
    created_at = fields.DatetimeField()

    class Meta:
        table = "idempotency_key"
        unique_together = (("person_id", "key"),)
        indexes = (Index(fields=("created_at",)),)
