"""New ids, in the order they were made."""

from uuid_utils.compat import uuid7

__all__ = ["NOTHING", "uuid7"]

from uuid import UUID

NOTHING = UUID(int=0)
"The id that nothing has: what an unreadable or misdirected id stands for."
