"""With a hundred thousand meetings a page is still read from an index (Q1)."""

import json
from collections.abc import AsyncIterator, Iterator
from itertools import product
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

import asyncpg
import pytest

from models.ids import NOTHING
from resolvers.calendars import MOST_APPOINTMENTS, calendar_of
from resolvers.cursors import encode_cursor
from resolvers.lapsing import MOST_AT_ONCE, lapsed_meetings
from schema.ids import row_id
from tests.driving import Client, Service, StoppedClock
from tests.statements import Statement, statements

BUSY = UUID(int=1)
"An expert with 20,000 of the meetings, and some hundred as a user."

# What there is most of has ids in the order it is made in: at random places, indexes take more than twice as long.
A_GREAT_DEAL = """
INSERT INTO person (id, subject, name, folded_name, is_staff, language, time_zone, is_expert, available, blocked,
    feed_head, created_at)
SELECT lpad(n::text, 32, '0')::uuid, 'many ' || n, 'Person ' || md5(n::text), 'person ' || md5(n::text), FALSE, 'EN',
    'UTC', n % 10 = 1, 0, 0, 0, now()
FROM generate_series(1, 20000) AS n;

INSERT INTO service (id, expert_id, name, duration_minutes, price, active)
SELECT id, id, 'Advice', 60, 0, TRUE FROM person WHERE is_expert;

INSERT INTO skill (id, name, folded_name)
SELECT lpad(n::text, 32, '0')::uuid, 'Skill ' || n, 'skill ' || n FROM generate_series(1, 1000) AS n;

INSERT INTO person_skill (id, person_id, skill_id, place)
SELECT id, id, lpad((1 + row_number() OVER () % 1000)::text, 32, '0')::uuid, 1
FROM person WHERE is_expert;

-- Every fifth is with the busy expert; most are over, and they end with the far future.
INSERT INTO meeting (id, version, status, credit_payment_status, user_id, expert_id, service_id, skill_id, starts_at,
    ends_at, price, proposed_by, user_answer, expert_answer, created_at, changed_at)
SELECT ('10000000' || lpad(n::text, 24, '0'))::uuid, 2,
    (ARRAY['AGREED', 'AGREED', 'AWAITING_APPROVAL', 'REJECTED', 'CANCELLED'])[1 + n % 5], 'RETURNED',
    CASE WHEN n % 500 = 7 THEN $1 ELSE lpad((10 * (2 + n % 1999))::text, 32, '0')::uuid END,
    expert, expert, lpad('1', 32, '0')::uuid, begins, begins + interval '1 hour', 0, 'USER', 'APPROVED', 'PENDING',
    $2, $2
FROM generate_series(1, 100000) AS n,
    LATERAL (
        SELECT CASE WHEN n / 7 % 5 = 0 THEN $1 ELSE lpad((1 + 10 * (1 + n % 1999))::text, 32, '0')::uuid END
    ) AS e(expert),
    LATERAL (SELECT $2::timestamptz + (n - 97000) * interval '11 minutes') AS b(begins)
WHERE NOT (n % 500 = 7 AND n / 7 % 5 = 0);

-- Most alternative dates have been answered; of the others, those of the busy expert have lapsed.
INSERT INTO alternative_date (id, meeting_id, starts_at, ends_at, lapses_at, chosen_by, status, original_date_in_force,
    user_answer_before, expert_answer_before, chosen_at)
SELECT id, id, starts_at, ends_at, starts_at, 'USER',
    CASE WHEN status = 'AGREED' AND expert_id = $1 THEN 'PENDING' ELSE 'APPROVED' END, TRUE, 'APPROVED', 'APPROVED',
    created_at
FROM meeting;

UPDATE meeting SET alternative_id = id WHERE id IN (SELECT id FROM alternative_date WHERE status = 'PENDING');

INSERT INTO timeline_event (id, meeting_id, sequence, kind, actor, occurred_at)
SELECT ('5000000' || sequence || substr(id::text, 9))::uuid, id, sequence, 'MEETING_PROPOSED', 'USER', created_at
FROM generate_series(1, 2) AS sequence, meeting;

INSERT INTO credit_movement (id, kind, debited_account, debited_person_id, credited_account, credited_person_id, amount,
    occurred_at)
SELECT ('20000000' || lpad(n::text, 24, '0'))::uuid, 'BLOCK', 'AVAILABLE', holder, 'BLOCKED', holder, 1, now()
FROM generate_series(1, 100000) AS n,
    LATERAL (SELECT CASE WHEN n % 2 = 0 THEN $1 ELSE lpad((1 + n % 20000)::text, 32, '0')::uuid END) AS h(holder);

-- The busy expert chats with 15,000 others, one of whom wrote 20,000 messages; and there are other people's chats.
INSERT INTO chat (id, lower_id, higher_id, last_sequence, lower_has_read, higher_has_read, active_at)
SELECT ('30000000' || lpad(n::text, 24, '0'))::uuid, least(one, other), greatest(one, other), messages, 0, messages,
    $2::timestamptz + n % 1000 * interval '1 second'
FROM generate_series(1, 20000) AS n,
    LATERAL (SELECT CASE WHEN n % 4 > 0 THEN $1 ELSE lpad(n::text, 32, '0')::uuid END,
        lpad((20001 + n)::text, 32, '0')::uuid, CASE WHEN n = 1 THEN 20000 ELSE 3 END) AS c(one, other, messages);

INSERT INTO chat_message (id, chat_id, sequence, author_id, text, sent_at)
SELECT lpad((100000 * right(id::text, 12)::bigint + sequence)::text, 32, '0')::uuid, id, sequence, lower_id, 'Hello',
    active_at
FROM chat, LATERAL generate_series(1, last_sequence) AS sequence;

-- Half of all that people are told is for the busy expert, who has read most of it.
INSERT INTO notification (id, person_id, kind, facts, created_at, read_at)
SELECT ('40000000' || lpad(n::text, 24, '0'))::uuid, person, 'MEETING_APPROVED', '{}', $2,
    CASE WHEN n % 1000 > 0 THEN $2::timestamptz END
FROM generate_series(1, 100000) AS n,
    LATERAL (SELECT CASE WHEN n % 2 = 0 THEN $1 ELSE lpad((1 + n % 20000)::text, 32, '0')::uuid END) AS p(person);
"""

PAGE = "edges { cursor node { id } } pageInfo { endCursor }"
LISTS = [
    f"query($after: String) {{ {field.replace('after', 'after: $after')} {{ {PAGE} }} }}"
    for field in (
        "meetings(after)",
        "meetings(side: EXPERT, after)",
        "meetings(phase: HELD, after)",
        "meetings(phase: PAST, after)",
        "meetings(status: [AGREED, REJECTED], after)",
        'meetings(phase: PAST, startsFrom: "2026-09-01T00:00:00Z", startsBefore: "2026-10-01T00:00:00Z", after)',
        "meetings(phase: PAST, withPersonId: $other, after)",
        "experts(after)",
        "experts(skillId: $skill, after)",
        "skills(after)",
        "chats(after)",
        "notifications(after)",
        "notifications(unreadOnly: true, after)",
    )
] + [
    f"query($after: String) {{ creditAccount {{ movements(after: $after) {{ {PAGE} }} }} }}",
    f"{{ meetings(phase: PAST) {{ edges {{ node {{ id timeline(first: 5) {{ {PAGE} }} }} }} }} }}",
    "{ meetings(phase: PAST) { edges { node { id chat { id unread } } } } }",
    "{ unreadNotifications }",
]


@pytest.fixture(scope="module")
async def crowded(database_url: str, worker_id: str) -> AsyncIterator[asyncpg.Connection]:
    """A database with very many rows, made once for all tests of a module."""
    server = await asyncpg.connect(urlunsplit(urlsplit(database_url)._replace(path="/postgres")))
    name = f"crowded_{worker_id}"
    await server.execute(f"CREATE DATABASE {name} TEMPLATE template_of_tests")
    connection = await asyncpg.connect(urlunsplit(urlsplit(database_url)._replace(path=f"/{name}")))
    try:
        await connection.execute("SET session_replication_role = replica")  # the foreign keys are in order
        # Pages of asynchronous commits are not marked as visible to all, which plans are made by.
        await connection.execute("SET synchronous_commit = on")
        for statement in A_GREAT_DEAL.split(";\n"):
            values = [value for number, value in ((1, BUSY), (2, StoppedClock.START)) if f"${number}" in statement]
            if statement.strip():
                await connection.execute(statement, *values)
        await connection.execute("VACUUM ANALYZE")
        yield connection
    finally:
        await connection.close()
        await server.execute(f"DROP DATABASE {name}")
        await server.close()


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for each in plan.get("Plans", []):
        yield from nodes(each)


def literal(value: Any, viewer: UUID) -> str:
    """A value as SQL has it, where it is the viewer's id the busy expert's."""
    if isinstance(value, list):
        return f"ARRAY[{', '.join(literal(each, viewer) for each in value)}]::uuid[]"
    told = str(BUSY) if str(value) == str(viewer) else str(value)
    return f"'{told}'::uuid" if isinstance(value, UUID) else f"'{told}'"


async def rows_touched(connection: asyncpg.Connection, statement: Statement, viewer: UUID) -> int:
    """How many rows of tables a statement reads, those it then leaves out included."""
    text, values = statement
    await connection.execute(f"PREPARE explained AS {text}")
    given = ", ".join(literal(value, viewer) for value in values)
    try:
        explained = await connection.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE explained ({given})")
    finally:
        await connection.execute("DEALLOCATE explained")
    touched = 0
    for node in nodes(json.loads(explained)[0]["Plan"]):
        if "Relation Name" in node:
            removed = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
            touched += (node["Actual Rows"] + removed) * node["Actual Loops"]
    return int(touched)


async def test_q1_a_page_of_a_very_long_list_touches_few_rows(
    world: Service, uma: Client, emil: Client, crowded: asyncpg.Connection
):
    """The statements of real answers, explained where there is a great deal, as PostgreSQL plans them for the values
    at hand and as it plans them for any."""
    viewer = row_id("Person", uma.id)
    await uma.proposed(emil)
    touched = {}
    for query in LISTS:
        asked = query.replace("$other", f'"{emil.id}"').replace("$skill", f'"{emil.skill}"')
        with statements() as sent:
            await uma.ask(asked)
        for mode in ("force_custom_plan", "force_generic_plan"):
            await crowded.execute(f"SET plan_cache_mode = {mode}")
            for statement in sent:
                touched[mode, query, statement[0]] = await rows_touched(crowded, statement, viewer)
    too_many = {key: rows for key, rows in touched.items() if rows > 1_000}
    assert not too_many
    assert max(touched.values()) > 20, "and there was much to read"


CHATS = """query($after: String) { chats(after: $after, first: 5) { edges { cursor node {
  id messages(first: 10) { edges { cursor } }
} } } }"""
MESSAGES = """query($id: ID!, $after: String) { chat(id: $id) { messages(first: 10, after: $after) {
  edges { cursor } pageInfo { endCursor }
} } }"""


async def test_h2_pages_of_chats_and_of_very_many_messages_touch_few_rows(
    world: Service, uma: Client, emil: Client, crowded: asyncpg.Connection
):
    """Also from somewhere within; the long chat stands for the one that is asked for."""
    chat = await uma.chat_with(emil)
    for _ in range(11):
        await emil.write(chat)
    viewer, long = row_id("Person", uma.id), UUID("30000000-0000-0000-0000-000000000001")
    within_chats = encode_cursor("chats", viewer, [world.clock.time.isoformat(), str(long)])
    within_messages = encode_cursor("messages", row_id("Chat", chat), 10_000)
    for query, given, at_least in (
        (CHATS, {}, 15),
        (CHATS, {"after": within_chats}, 5),
        (MESSAGES, {"id": chat}, 11),
        (MESSAGES, {"id": chat, "after": within_messages}, 11),
    ):
        with statements() as sent:
            await uma.ask(query, **given)
        in_its_place = {str(row_id("Chat", chat)): long}
        for mode in ("force_custom_plan", "force_generic_plan"):
            await crowded.execute(f"SET plan_cache_mode = {mode}")
            touched = {}
            for text, values in sent:
                asked = [_replaced(value, in_its_place) for value in values]
                touched[text] = await rows_touched(crowded, (text, asked), viewer)
            assert at_least <= sum(touched.values()) <= 300, (mode, given, touched)


def _replaced(value: Any, by: dict[str, UUID]) -> Any:
    return [_replaced(each, by) for each in value] if isinstance(value, list) else by.get(str(value), value)


async def test_v2_free_slots_cost_the_same_however_many_meetings_lie_outside_the_range(
    world: Service, uma: Client, crowded: asyncpg.Connection
):
    """Of the busy expert's 10,000 agreed meetings, as expert and user, those in the range are read and the last."""
    expert = await world.expert("Emil Expert")
    window = {"from": "00:00", "to": "24:00"}
    weekly = [{"weekday": weekday, **window} for weekday in range(1, 8)]
    await expert.act("setAvailability", timeZone="UTC", weekly=weekly, exceptions=[])
    for days, expected in ((0.5, 60), (400, 0)):  # on a busy day, and when there is nothing for long
        with statements() as all_sent:
            range_ = {"from": world.at(days=days), "until": world.at(days=days, hours=6)}
            assert await uma.free_slots(expert, **range_)
        sent = [statement for statement in all_sent if "meeting" in statement[0]]
        for mode in ("force_custom_plan", "force_generic_plan"):
            await crowded.execute(f"SET plan_cache_mode = {mode}")
            touched = {each[0]: await rows_touched(crowded, each, row_id("Person", expert.id)) for each in sent}
            assert max(touched.values()) <= expected + 100, touched
            assert any("ends_at <= $2" in statement and rows for statement, rows in touched.items()), "the last over"


async def test_n_a_calendar_is_read_by_touching_no_more_than_it_can_show_of_each_side(
    world: Service, uma: Client, emil: Client, crowded: asyncpg.Connection
):
    """Of the busy expert's 20,000 meetings; those that are not agreed lie between them (N)."""
    await uma.proposed(emil)
    token = (await uma.ask("{ me { calendarUrl } }"))["me"]["calendarUrl"].rpartition("/")[2].removesuffix(".ics")
    with statements() as all_sent:
        assert await calendar_of(token)
    sent = [statement for statement in all_sent if 'FROM "meeting"' in statement[0]]
    assert len(sent) == 4, "what is to come and what is over, of each side"
    for mode in ("force_custom_plan", "force_generic_plan"):
        await crowded.execute(f"SET plan_cache_mode = {mode}")
        touched = [await rows_touched(crowded, statement, row_id("Person", uma.id)) for statement in sent]
        assert MOST_APPOINTMENTS <= max(touched) <= 3 * MOST_APPOINTMENTS, (mode, touched)


async def test_j1_what_has_lapsed_is_found_by_touching_few_rows(world: Service, crowded: asyncpg.Connection):
    """However much there is, and however much more has been answered; also while some are left out (J1)."""
    for left_out in ([], [UUID(f"10000000-0000-0000-0000-{number:012}") for number in range(50)]):
        with statements() as sent:
            await lapsed_meetings(left_out)
        for mode in ("force_custom_plan", "force_generic_plan"):
            await crowded.execute(f"SET plan_cache_mode = {mode}")
            touched = [await rows_touched(crowded, statement, BUSY) for statement in sent]
            assert 2 * MOST_AT_ONCE <= sum(touched) <= 1_000, (mode, touched)


async def test_q2_the_dashboard_touches_ones_own_meetings_alone_however_many_others_there_are(
    world: Service, uma: Client, crowded: asyncpg.Connection
):
    """Of a hundred thousand, for whoever has some fifty of them as for whoever has a fifth of them all."""
    with statements() as sent:
        await uma.ask("{ meetingDashboard { scheduled held awaitingMyAnswer } }")
    ((text, (_, now)),) = [each for each in sent if "awaiting_my_answer" in each[0]]
    own = "SELECT count(*), count(alternative_id) FROM meeting WHERE $1 IN (user_id, expert_id)"
    people = await crowded.fetch("SELECT DISTINCT ON (status) user_id FROM meeting WHERE expert_id <> $1", BUSY)
    for mode, person in product(("custom", "generic"), (BUSY, *(row["user_id"] for row in people))):
        await crowded.execute(f"SET plan_cache_mode = force_{mode}_plan")
        meetings, waiting = await crowded.fetchrow(own, person)
        assert meetings > 10
        assert await rows_touched(crowded, (text, [person, now]), NOTHING) <= meetings + waiting
