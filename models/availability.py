"""When experts can be met."""

from uuid import UUID

from tortoise import fields
from tortoise.models import Model

from models.ids import uuid7
from models.people import Person
from models.references import reference


class Availability(Model):
    """A person's weekly windows and exceptions, read and replaced as a whole (V1). Times are minutes since midnight."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    person: fields.ForeignKeyRelation[Person] = reference("Person")
    person_id: UUID
    time_zone = fields.CharField(max_length=64, description="IANA name.")
    weekly: list[tuple[int, int, int]] = fields.JSONField(description="[weekday, from, to], in this order.")
    exceptions: list[tuple[str, list[tuple[int, int]]]] = fields.JSONField(description="[date, [[from, to], ...]].")

    class Meta:
        table = "availability"
        unique_together = (("person_id",),)
