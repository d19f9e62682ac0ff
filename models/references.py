"""Foreign keys as they are everywhere here: nothing that is referred to is ever deleted, and nothing points back."""

from typing import Any

from tortoise import fields


def reference(table: str, *, null: bool = False) -> Any:
    """A reference to a row of another table; `null` if there may be none."""
    return fields.ForeignKeyField(  # type: ignore[call-overload]
        f"models.{table}", related_name=False, null=null, on_delete=fields.RESTRICT
    )
