"""What is pushed to each person, in order, and what they are told."""

from enum import StrEnum
from uuid import UUID

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from models.chats import Chat
from models.ids import uuid7
from models.meetings import Meeting
from models.people import Person
from models.references import reference
from rules.terms import NotificationKind


class FeedEntryKind(StrEnum):
    """What an entry of a person's feed is about, and so what its `ref` names."""

    TIMELINE_EVENT = "TIMELINE_EVENT"
    NOTIFICATION = "NOTIFICATION"
    BALANCE = "BALANCE"
    "`ref` is the person's newest credit movement."
    CHAT_MESSAGE = "CHAT_MESSAGE"


class FeedEntry(Model):
    """One thing that was pushed to a person; positions count 1, 2, 3 ... for each person, without gaps."""

    id = fields.BigIntField(primary_key=True, generated=True)
    person: fields.ForeignKeyRelation[Person] = reference("Person")
    person_id: UUID
    position = fields.BigIntField()
    kind = fields.CharEnumField(FeedEntryKind, max_length=20, description="What `ref` names.")
    ref = fields.UUIDField()

    class Meta:
        table = "feed_entry"
        unique_together = (("person_id", "position"),)


class Notification(Model):
    """Something a person is told. The text is made when it is shown, from the kind and the facts."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    person: fields.ForeignKeyRelation[Person] = reference("Person")
    person_id: UUID
    kind = fields.CharEnumField(NotificationKind, max_length=50, description="What they are told.")
    meeting: fields.ForeignKeyNullableRelation[Meeting] = reference("Meeting", null=True)
    meeting_id: UUID | None
    chat: fields.ForeignKeyNullableRelation[Chat] = reference("Chat", null=True)
    chat_id: UUID | None
    facts: dict[str, object] = fields.JSONField()
    created_at = fields.DatetimeField()
    read_at = fields.DatetimeField(null=True)

    class Meta:
        table = "notification"
        indexes = (Index(fields=("person_id", "id")),)
