"""E-mails: what becomes of each notification that is sent as one."""

from enum import StrEnum
from uuid import UUID

from tortoise import fields
from tortoise.models import Model

from models.feeds import Notification
from models.ids import uuid7
from models.references import reference


class DeliveryStatus(StrEnum):
    """How far an e-mail has come."""

    PENDING = "PENDING"
    SENT = "SENT"
    "A server, or the folder, has taken it."
    OMITTED = "OMITTED"
    "When it was to be sent it was no longer wanted, or no longer right."
    FAILED = "FAILED"
    "It was refused for good, or could not be sent for so long that we gave up; `answer` says why."


class Delivery(Model):
    """An e-mail that tells somebody of a notification (N), or confirms to the other side that they brought it about."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    notification: fields.ForeignKeyRelation[Notification] = reference("Notification")
    notification_id: UUID
    confirmation = fields.BooleanField(
        default=False, description="Whether it goes to the side that brought it about, which is notified of nothing."
    )
    status = fields.CharEnumField(
        DeliveryStatus, max_length=10, default=DeliveryStatus.PENDING, description="How far it has come."
    )
    failures = fields.IntField(default=0, description="How often it could not be sent.")
    answer = fields.CharField(max_length=300, null=True, description="What was said when it last could not be sent.")
    due_at = fields.DatetimeField(
        description="When it is to be sent; if somebody is at it, when another may take over."
    )
    lease = fields.UUIDField(null=True, description="Whoever is sending it now.")
    ended_at = fields.DatetimeField(null=True, description="When it was settled what became of it.")

    class Meta:
        table = "delivery"
        unique_together = (("notification_id", "confirmation"),)
