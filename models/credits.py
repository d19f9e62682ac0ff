"""The ledger."""

from uuid import UUID

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from models.ids import uuid7
from models.meetings import Meeting
from models.people import Person
from models.references import reference
from rules.terms import AccountKind, CreditMovementKind


class CreditMovement(Model):
    """Credits that went from one account to another; never changed and never deleted (M1).

    An account is a kind and, if it is a person's, that person.
    """

    id = fields.UUIDField(primary_key=True, default=uuid7)
    kind = fields.CharEnumField(CreditMovementKind, max_length=30, description="Why credits moved.")
    debited_account = fields.CharEnumField(AccountKind, max_length=10, description="Where they left.")
    debited_person: fields.ForeignKeyNullableRelation[Person] = reference("Person", null=True)
    debited_person_id: UUID | None
    credited_account = fields.CharEnumField(AccountKind, max_length=10, description="Where they arrived.")
    credited_person: fields.ForeignKeyNullableRelation[Person] = reference("Person", null=True)
    credited_person_id: UUID | None
    amount = fields.BigIntField(description="Hundredths of a credit.")
    meeting: fields.ForeignKeyNullableRelation[Meeting] = reference("Meeting", null=True)
    meeting_id: UUID | None
    note = fields.TextField(null=True)
    occurred_at = fields.DatetimeField()

    class Meta:
        table = "credit_movement"
        indexes = (
            Index(fields=("debited_person_id", "id")),
            Index(fields=("credited_person_id", "id")),
        )
