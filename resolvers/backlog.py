"""What waits, and for how long: whether there is a worker, and whether it keeps up."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from tortoise.connection import get_connection

from resolvers.world import world

# Each of these minima and counts is read off a partial index, whose condition it has to repeat.
WAITING = """
SELECT
    (SELECT count(*) FROM delivery WHERE status = 'PENDING') AS mail_waiting,
    (SELECT min(due_at) FROM delivery WHERE status = 'PENDING') AS mail,
    (SELECT count(*) FROM conference WHERE reached < wanted AND (cancelled OR ends_at > $1)) AS conference_waiting,
    (SELECT min(due_at) FROM conference WHERE reached < wanted AND (cancelled OR ends_at > $1)
        AND (lease_until IS NULL OR lease_until <= $2)) AS conference,
    least(
        (SELECT min(starts_at) FROM meeting WHERE status = 'AWAITING_APPROVAL' AND alternative_id IS NULL),
        (SELECT min(lapses_at) FROM alternative_date WHERE status = 'PENDING')
    ) AS lapse_meetings,
    (SELECT min(ends_at) FROM meeting
        WHERE status = 'AGREED' AND credit_payment_status = 'BLOCKED' AND settlement_id IS NULL) + $3
        AS settle_meetings,
    least(
        (SELECT min(link_due_at) FROM meeting WHERE link_due_at IS NOT NULL),
        (SELECT min(reminder_due_at) FROM meeting WHERE reminder_due_at IS NOT NULL),
        (SELECT min(progress_reminder_due_at) FROM meeting WHERE progress_reminder_due_at IS NOT NULL)
    ) AS remind_of_meetings
"""
DUE = ("mail", "conference", "lapse_meetings", "settle_meetings", "remind_of_meetings")


@dataclass(frozen=True, slots=True)
class Backlog:
    """How much waits, and for how long the oldest of each kind has been due."""

    mails: int
    conferences: int
    overdue: dict[str, timedelta]


async def backlog() -> Backlog:
    """What a worker would find to do now; what is postponed waits too, but is not due."""
    now, policy = await world().clock.now(), world().policy
    over_since = now - timedelta(minutes=policy.link_valid_minutes_after)
    (row,) = await get_connection("default").execute_query_dict(
        WAITING, [over_since, now, timedelta(hours=policy.progress_hours)]
    )
    return Backlog(
        mails=row["mail_waiting"],
        conferences=row["conference_waiting"],
        overdue={what: _overdue(row[what], now) for what in DUE},
    )


def _overdue(due_at: datetime | None, now: datetime) -> timedelta:
    return max(now - due_at, timedelta()) if due_at is not None else timedelta()
