"""Forgetting what need not be kept."""

from datetime import timedelta

from tortoise.connection import get_connection

from resolvers.world import world

AT_ONCE = 1_000

# Materialised: as a subquery, a nested loop may carry it out again and again, each time finding others unlocked.
_FORGET = """
WITH old AS MATERIALIZED (
    SELECT id FROM idempotency_key WHERE created_at < $1 ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED
)
DELETE FROM idempotency_key USING old WHERE idempotency_key.id = old.id RETURNING old.id
"""


async def forget_old_keys() -> int:
    """Delete idempotency keys that have been kept long enough (I1), some at a time; says how many."""
    kept_since = await world().clock.now() - timedelta(hours=world().policy.idempotency_keys_kept_hours)
    forgotten = await get_connection("default").execute_query_dict(_FORGET, [kept_since, AT_ONCE])
    return len(forgotten)
