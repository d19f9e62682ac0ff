"""The one clock (X2)."""

from tortoise import fields
from tortoise.models import Model


class SandboxClock(Model):
    """How far a sandbox's clock is ahead of the real one; a single row, read whenever a sandbox asks the time."""

    id = fields.IntField(primary_key=True)
    ahead_microseconds = fields.BigIntField()

    class Meta:
        table = "sandbox_clock"
