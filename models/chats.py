"""Chats and what was written in them."""

from uuid import UUID

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from models.ids import uuid7
from models.people import Person
from models.references import reference


class Chat(Model):
    """What two people write to each other; one for each pair, whichever sides they take in their meetings (H1)."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    lower: fields.ForeignKeyRelation[Person] = reference("Person")
    lower_id: UUID
    "The one of the two whose id is lower."
    higher: fields.ForeignKeyRelation[Person] = reference("Person")
    higher_id: UUID
    last_sequence = fields.IntField(default=0, description="The sequence of its newest message.")
    lower_has_read = fields.IntField(
        default=0, description="The sequence of the newest message the lower one has read."
    )
    higher_has_read = fields.IntField(
        default=0, description="The sequence of the newest message the higher one has read."
    )
    active_at = fields.DatetimeField(description="When its newest message was sent, or else when it was opened.")

    class Meta:
        table = "chat"
        unique_together = (("lower_id", "higher_id"),)
        indexes = (
            Index(fields=("lower_id", "active_at", "id")),
            Index(fields=("higher_id", "active_at", "id")),
        )


class ChatMessage(Model):
    """Something one of the two wrote; never changed afterwards."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    chat: fields.ForeignKeyRelation[Chat] = reference("Chat")
    chat_id: UUID
    sequence = fields.IntField(description="1, 2, 3 ... within its chat, without gaps.")
    author: fields.ForeignKeyRelation[Person] = reference("Person")
    author_id: UUID
    text = fields.TextField()
    sent_at = fields.DatetimeField()

    class Meta:
        table = "chat_message"
        unique_together = (("chat_id", "sequence"),)
