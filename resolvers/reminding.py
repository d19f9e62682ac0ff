"""Reminders: before an agreed meeting, and after it (N1-N3, J1)."""

from collections.abc import Collection
from functools import partial
from uuid import UUID

from tortoise.connection import get_connection

from resolvers.changing import change_by_itself
from resolvers.world import world
from rules.reminding import remind

MOST_AT_ONCE = 100

# One meeting may be found by several of them, if it was long ago that anybody looked.
DUE = """
(SELECT id FROM meeting WHERE link_due_at <= $1 AND id <> ALL($2) ORDER BY link_due_at LIMIT $3)
UNION
(SELECT id FROM meeting WHERE reminder_due_at <= $1 AND id <> ALL($2) ORDER BY reminder_due_at LIMIT $3)
UNION
(SELECT id FROM meeting WHERE progress_reminder_due_at <= $1 AND id <> ALL($2)
    ORDER BY progress_reminder_due_at LIMIT $3)
"""


async def due_reminders(excluded: Collection[UUID]) -> list[UUID]:
    """Some of the meetings of which somebody is to be reminded, of each kind of reminder the longest overdue."""
    now = await world().clock.now()
    rows = await get_connection("default").execute_query_dict(DUE, [now, list(excluded), MOST_AT_ONCE])
    return [row["id"] for row in rows]


async def remind_of_meeting(meeting_id: UUID) -> bool:
    """Tell the sides what is due, if it still is; whoever is at work on it meanwhile is not waited for long."""
    return await change_by_itself(meeting_id, rule=partial(remind, policy=world().policy))
