"""What lapses by itself: proposals and alternative dates that nobody answered in time (P6, R7, J1)."""

from collections.abc import Collection
from uuid import UUID

from tortoise.connection import get_connection

from resolvers.changing import change_by_itself
from resolvers.world import world
from rules.lapsing import lapse

MOST_AT_ONCE = 100

# Said as the two partial indexes say it: PostgreSQL would not take a parameter for their condition.
LAPSED = """
(SELECT id FROM meeting
    WHERE status = 'AWAITING_APPROVAL' AND alternative_id IS NULL AND starts_at <= $1 AND id <> ALL($2)
    ORDER BY starts_at LIMIT $3)
UNION ALL
(SELECT meeting_id FROM alternative_date
    WHERE status = 'PENDING' AND lapses_at <= $1 AND meeting_id <> ALL($2)
    ORDER BY lapses_at LIMIT $3)
"""


async def lapsed_meetings(excluded: Collection[UUID]) -> list[UUID]:
    """Some of the meetings whose proposal or alternative date has lapsed, of each the longest overdue."""
    now = await world().clock.now()
    rows = await get_connection("default").execute_query_dict(LAPSED, [now, list(excluded), MOST_AT_ONCE])
    return [row["id"] for row in rows]


async def lapse_meeting(meeting_id: UUID) -> bool:
    """Record that it has lapsed, if it has; whoever is at work on it meanwhile is not waited for long."""
    return await change_by_itself(meeting_id, rule=lapse)
