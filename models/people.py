"""People, what they offer, and the balances they hold."""

from uuid import UUID

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from models.ids import uuid7
from models.references import reference
from rules.terms import Language


class Person(Model):
    """Someone with an account; the user of one meeting and perhaps the expert of another (T).

    This row is also the lock that guards the person's calendar, both balances and the head of their feed.
    """

    id = fields.UUIDField(primary_key=True, default=uuid7)
    subject = fields.CharField(max_length=255, unique=True, description="The token's `sub`.")
    name = fields.CharField(max_length=200)
    folded_name = fields.CharField(max_length=600, description="The name with its case folded away.")
    email = fields.CharField(max_length=320, null=True)
    language = fields.CharEnumField(Language, max_length=2, description="What they are spoken to in.")
    time_zone = fields.CharField(max_length=64, description="IANA name.")
    is_expert = fields.BooleanField(default=False, description="Has ever saved a service.")
    is_staff = fields.BooleanField(default=False, description="As their latest token said.")
    muted_kinds: list[str] = fields.JSONField(
        default=list, description="The kinds of notifications that they are not sent by e-mail."
    )
    available = fields.BigIntField(default=0, description="Hundredths of a credit.")
    blocked = fields.BigIntField(default=0, description="Hundredths of a credit.")
    calendar_number = fields.IntField(
        default=1, description="Grows whenever they have their calendar's address renewed."
    )
    feed_head = fields.BigIntField(default=0, description="Position of the newest feed entry.")
    created_at = fields.DatetimeField(auto_now_add=True)

    class Meta:
        table = "person"
        indexes = (Index(fields=("folded_name", "id")),)


class Service(Model):
    """What an expert offers: a name, a length and a price in hundredths of a credit."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    expert: fields.ForeignKeyRelation[Person] = reference("Person")
    expert_id: UUID
    name = fields.CharField(max_length=200)
    duration_minutes = fields.IntField()
    price = fields.BigIntField(description="Hundredths of a credit.")
    active = fields.BooleanField(default=True)

    class Meta:
        table = "service"
        indexes = (Index(fields=("expert_id",)),)


class Skill(Model):
    """A skill; those of one name are one, whatever the case (Q5)."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    name = fields.CharField(max_length=200)
    folded_name = fields.CharField(max_length=600, unique=True, description="The name with its case folded away.")

    class Meta:
        table = "skill"


class PersonSkill(Model):
    """That a person has a skill, and where in their list it stands."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    person: fields.ForeignKeyRelation[Person] = reference("Person")
    person_id: UUID
    skill: fields.ForeignKeyRelation[Skill] = reference("Skill")
    skill_id: UUID
    place = fields.IntField()

    class Meta:
        table = "person_skill"
        unique_together = (("person_id", "skill_id"),)
        indexes = (Index(fields=("skill_id",)),)
