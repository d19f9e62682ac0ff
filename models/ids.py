"""New ids, in the order they were made, and ids as clients see them."""

import base64
from uuid import UUID

from uuid_utils.compat import uuid7

__all__ = ["NOTHING", "opaque_id", "uuid7"]

NOTHING = UUID(int=0)
"The id that nothing has: what an unreadable or misdirected id stands for."


def opaque_id(type_name: str, *row_ids: UUID) -> str:
    """What clients know a row of this type by, or a row as somebody sees it."""
    named = ":".join([type_name, *(each.hex for each in row_ids)])
    return base64.urlsafe_b64encode(named.encode()).decode()
