"""Settlement: by itself when its time has come, and by staff (S1-S4, J1)."""

from collections.abc import Collection
from datetime import timedelta
from functools import partial
from uuid import UUID

from tortoise.connection import get_connection

from models import Person
from resolvers.acting import Attempt, Done
from resolvers.changing import change_as_staff, change_by_itself
from resolvers.world import world
from rules import settling
from rules.inputs import check_text
from rules.terms import SettlementOutcome

MOST_AT_ONCE = 100

# Said as the partial index says it: PostgreSQL would not take a parameter for its condition.
DUE = """
SELECT id FROM meeting
WHERE status = 'AGREED' AND credit_payment_status = 'BLOCKED' AND settlement_id IS NULL
    AND ends_at <= $1 AND id <> ALL($2)
ORDER BY ends_at LIMIT $3
"""


async def due_settlements(excluded: Collection[UUID]) -> list[UUID]:
    """Some of the meetings of which the time to say how they went is over, the longest overdue first."""
    now = await world().clock.now()
    ended = now - timedelta(hours=world().policy.progress_hours)
    rows = await get_connection("default").execute_query_dict(DUE, [ended, list(excluded), MOST_AT_ONCE])
    return [row["id"] for row in rows]


async def settle_meeting(meeting_id: UUID) -> bool:
    """Settle it by what was said, if its time has come; whoever is at work on it meanwhile is not waited for long."""
    return await change_by_itself(meeting_id, rule=partial(settling.settle, policy=world().policy))


async def decide_settlement(
    meeting_id: UUID, *, by: Person, attempt: Attempt, outcome: SettlementOutcome, note: str
) -> Done:
    """Staff decide what was referred to them, with a note that both sides see (S3)."""
    policy = world().policy
    return await change_as_staff(
        meeting_id,
        by=by,
        attempt=attempt,
        rule=partial(settling.decide, policy=policy, outcome=outcome),
        check_input=lambda: check_text(note, "note", at_most=policy.longest_note_characters),
        note=note.strip(),
    )
