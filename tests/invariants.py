"""What must be true of the whole database after every test (M1, M2, W2)."""

from typing import Any

from tortoise.connection import get_connection

BALANCES_MATCH_MOVEMENTS = """
WITH change AS (
    SELECT credited_person_id AS person_id, credited_account AS account, amount FROM credit_movement
    UNION ALL SELECT debited_person_id, debited_account, -amount FROM credit_movement
), ledger AS (
    SELECT person_id, COALESCE(SUM(amount) FILTER (WHERE account = 'AVAILABLE'), 0) AS available,
        COALESCE(SUM(amount) FILTER (WHERE account = 'BLOCKED'), 0) AS blocked
    FROM change GROUP BY person_id
)
SELECT person.id, person.available, person.blocked, ledger.available AS moved, ledger.blocked AS moved_blocked
FROM person LEFT JOIN ledger ON ledger.person_id = person.id
WHERE (person.available, person.blocked) <> (COALESCE(ledger.available, 0), COALESCE(ledger.blocked, 0))
"""

ACCOUNTS_SUM_TO_ZERO = """
SELECT SUM(change) AS total FROM (
    SELECT SUM(available + blocked) AS change FROM person
    UNION ALL
    SELECT SUM(amount) FROM credit_movement WHERE credited_person_id IS NULL
    UNION ALL
    SELECT -SUM(amount) FROM credit_movement WHERE debited_person_id IS NULL
) AS accounts HAVING SUM(change) <> 0
"""

BLOCKED_IS_THE_PRICE_WHILE_BLOCKED = """
SELECT meeting.id, meeting.price, meeting.credit_payment_status, COALESCE(SUM(
    credit_movement.amount * ((credited_account = 'BLOCKED')::int - (debited_account = 'BLOCKED')::int)
), 0) AS blocked
FROM meeting LEFT JOIN credit_movement ON credit_movement.meeting_id = meeting.id
GROUP BY meeting.id
HAVING COALESCE(SUM(
    credit_movement.amount * ((credited_account = 'BLOCKED')::int - (debited_account = 'BLOCKED')::int)
), 0) <> CASE WHEN meeting.credit_payment_status = 'BLOCKED' THEN meeting.price ELSE 0 END
"""

TIMELINES_HAVE_NO_GAP = """
SELECT meeting.id, meeting.version FROM meeting LEFT JOIN timeline_event ON timeline_event.meeting_id = meeting.id
GROUP BY meeting.id
HAVING COUNT(*) <> meeting.version OR MAX(sequence) <> meeting.version OR MIN(sequence) <> 1
    OR MAX(occurred_at) <> meeting.changed_at
"""

TIMELINES_NEVER_RUN_BACKWARDS = """
SELECT one.meeting_id FROM timeline_event AS one JOIN timeline_event AS next
ON next.meeting_id = one.meeting_id AND next.sequence = one.sequence + 1 AND next.occurred_at < one.occurred_at
"""

FEEDS_HAVE_NO_GAP = """
SELECT person.id, person.feed_head FROM person LEFT JOIN feed_entry ON feed_entry.person_id = person.id
GROUP BY person.id
HAVING COUNT(feed_entry.id) <> person.feed_head OR COALESCE(MAX(position), 0) <> person.feed_head
"""

BOTH_SIDES_ARE_TOLD_EVERY_EVENT = """
SELECT timeline_event.id FROM timeline_event JOIN meeting ON meeting.id = timeline_event.meeting_id
LEFT JOIN feed_entry ON feed_entry.ref = timeline_event.id AND feed_entry.person_id IN (meeting.user_id, expert_id)
GROUP BY timeline_event.id HAVING COUNT(feed_entry.id) <> 2
"""

ONE_ALTERNATIVE_DATE_WAITS = """
SELECT meeting.id, meeting.status FROM meeting
LEFT JOIN alternative_date AS pending ON pending.meeting_id = meeting.id AND pending.status = 'PENDING'
WHERE meeting.alternative_id IS DISTINCT FROM pending.id
    OR (pending.original_date_in_force AND meeting.status <> 'AGREED')
    OR (NOT pending.original_date_in_force AND (meeting.status <> 'AWAITING_APPROVAL'
        OR (meeting.starts_at, meeting.ends_at) <> (pending.starts_at, pending.ends_at)))
"""

CHATS_HAVE_NO_GAP = """
SELECT chat.id, chat.last_sequence FROM chat LEFT JOIN chat_message AS message ON message.chat_id = chat.id
GROUP BY chat.id
HAVING COUNT(message.id) <> chat.last_sequence OR COALESCE(MAX(sequence), 0) <> chat.last_sequence
    OR MAX(sent_at) <> chat.active_at
"""

AUTHORS_HAVE_READ_WHAT_WAS_BEFORE = """
SELECT chat.id FROM chat JOIN chat_message AS message ON message.chat_id = chat.id
WHERE message.author_id NOT IN (lower_id, higher_id)
    OR sequence > CASE WHEN author_id = lower_id THEN lower_has_read ELSE higher_has_read END
"""

BOTH_ARE_SHOWN_EVERY_MESSAGE = """
SELECT message.id FROM chat_message AS message JOIN chat ON chat.id = message.chat_id
LEFT JOIN feed_entry ON feed_entry.ref = message.id AND feed_entry.person_id IN (lower_id, higher_id)
GROUP BY message.id HAVING COUNT(feed_entry.id) <> 2
"""

WHO_HAS_READ_A_CHAT_IS_NOTIFIED_OF_NOTHING_IN_IT = """
SELECT notification.id FROM notification JOIN chat ON chat.id = notification.chat_id
WHERE read_at IS NULL
    AND last_sequence = CASE WHEN person_id = lower_id THEN lower_has_read ELSE higher_has_read END
"""

# A key stands for something that was done: one that names nothing would have been left by an action that failed.
KEYS_NAME_WHAT_WAS_DONE = "SELECT id FROM idempotency_key WHERE made_id IS NULL"

INVARIANTS = {
    "balances match movements (M1, M4)": BALANCES_MATCH_MOVEMENTS,
    "all accounts sum to zero (M1)": ACCOUNTS_SUM_TO_ZERO,
    "a meeting's blocked credits are its price while BLOCKED, and none otherwise (M2)": (
        BLOCKED_IS_THE_PRICE_WHILE_BLOCKED
    ),
    "a pending alternative date is the meeting's, which is agreed, or waits at that date (R2, R3)": (
        ONE_ALTERNATIVE_DATE_WAITS
    ),
    "timelines have no gap": TIMELINES_HAVE_NO_GAP,
    "timelines never run backwards": TIMELINES_NEVER_RUN_BACKWARDS,
    "feeds have no gap": FEEDS_HAVE_NO_GAP,
    "both sides are told every event (W1)": BOTH_SIDES_ARE_TOLD_EVERY_EVENT,
    "chats have no gap": CHATS_HAVE_NO_GAP,
    "who wrote in a chat has read what was there before (H2)": AUTHORS_HAVE_READ_WHAT_WAS_BEFORE,
    "both are shown every message (W1)": BOTH_ARE_SHOWN_EVERY_MESSAGE,
    "who has read a chat is notified of nothing in it (H2)": WHO_HAS_READ_A_CHAT_IS_NOTIFIED_OF_NOTHING_IN_IT,
    "a key stands for something that was done (I1)": KEYS_NAME_WHAT_WAS_DONE,
}


async def check_invariants() -> None:
    """Fails naming each invariant that is broken, with the rows that break it."""
    broken = {name: rows for name, query in INVARIANTS.items() if (rows := await _rows(query))}
    assert not broken, broken


STATE = """
SELECT (SELECT COUNT(*) FROM person) AS people, (SELECT COUNT(*) FROM meeting) AS meetings,
    (SELECT COUNT(*) FROM timeline_event) AS events, (SELECT COUNT(*) FROM credit_movement) AS movements,
    (SELECT COUNT(*) FROM chat_message) AS messages, (SELECT COUNT(*) FROM feed_entry) AS pushes,
    (SELECT COUNT(*) FROM idempotency_key) AS keys, (SELECT COUNT(*) FROM skill) AS skills,
    (SELECT md5(string_agg(person::text, '|' ORDER BY id)) FROM person) AS all_people,
    (SELECT md5(string_agg(meeting::text, '|' ORDER BY id)) FROM meeting) AS all_meetings,
    (SELECT md5(string_agg(alternative_date::text, '|' ORDER BY id)) FROM alternative_date) AS all_alternative_dates,
    (SELECT md5(string_agg(reason::text, '|' ORDER BY id)) FROM reason) AS all_reasons,
    (SELECT md5(string_agg(chat::text, '|' ORDER BY id)) FROM chat) AS all_chats,
    (SELECT md5(string_agg(notification::text, '|' ORDER BY id)) FROM notification) AS all_notifications,
    (SELECT md5(string_agg(service::text, '|' ORDER BY id)) FROM service) AS all_services,
    (SELECT md5(string_agg(availability::text, '|' ORDER BY id)) FROM availability) AS all_availability,
    (SELECT md5(string_agg(person_skill::text, '|' ORDER BY id)) FROM person_skill) AS all_skills
"""


async def state() -> dict[str, Any]:
    """A fingerprint of everything an action may write, move or push."""
    return (await _rows(STATE))[0]


async def _rows(query: str) -> list[dict[str, Any]]:
    return await get_connection("default").execute_query_dict(query)
