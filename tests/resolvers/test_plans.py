"""With a hundred thousand meetings a page is still read from an index (Q1)."""

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

import asyncpg
import pytest

from resolvers.lapsing import MOST_AT_ONCE, lapsed_meetings
from schema.ids import row_id
from tests.driving import Client, Service
from tests.statements import Statement, statements

BUSY = UUID(int=1)
"An expert with 20,000 of the meetings, and some hundred as a user."

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
SELECT gen_random_uuid(), id, lpad((1 + row_number() OVER () % 1000)::text, 32, '0')::uuid, 1
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
SELECT gen_random_uuid(), id, sequence, 'MEETING_PROPOSED', 'USER', created_at
FROM meeting, generate_series(1, 2) AS sequence;

INSERT INTO credit_movement (id, kind, debited_account, debited_person_id, credited_account, credited_person_id, amount,
    occurred_at)
SELECT ('20000000' || lpad(n::text, 24, '0'))::uuid, 'BLOCK', 'AVAILABLE', holder, 'BLOCKED', holder, 1, now()
FROM generate_series(1, 100000) AS n,
    LATERAL (SELECT CASE WHEN n % 2 = 0 THEN $1 ELSE lpad((1 + n % 20000)::text, 32, '0')::uuid END) AS h(holder);
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
    )
] + [
    f"query($after: String) {{ creditAccount {{ movements(after: $after) {{ {PAGE} }} }} }}",
    f"{{ meetings(phase: PAST) {{ edges {{ node {{ id timeline(first: 5) {{ {PAGE} }} }} }} }} }}",
]


@pytest.fixture
async def crowded(database_url: str, worker_id: str, world: Service) -> AsyncIterator[asyncpg.Connection]:
    """A database with very many rows."""
    server = await asyncpg.connect(urlunsplit(urlsplit(database_url)._replace(path="/postgres")))
    name = f"crowded_{worker_id}"
    await server.execute(f"CREATE DATABASE {name} TEMPLATE template_of_tests")
    connection = await asyncpg.connect(urlunsplit(urlsplit(database_url)._replace(path=f"/{name}")))
    try:
        await connection.execute("SET session_replication_role = replica")  # the foreign keys are in order
        # Pages of asynchronous commits are not marked as visible to all, which plans are made by.
        await connection.execute("SET synchronous_commit = on")
        for statement in A_GREAT_DEAL.split(";\n"):
            values = [value for number, value in ((1, BUSY), (2, world.clock.time)) if f"${number}" in statement]
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
    explained = await connection.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE explained ({given})")
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


async def test_j1_what_has_lapsed_is_found_by_touching_few_rows(world: Service, crowded: asyncpg.Connection):
    """However much there is, and however much more has been answered; also while some are left out (J1)."""
    for left_out in ([], [UUID(f"10000000-0000-0000-0000-{number:012}") for number in range(50)]):
        with statements() as sent:
            await lapsed_meetings(left_out)
        for mode in ("force_custom_plan", "force_generic_plan"):
            await crowded.execute(f"SET plan_cache_mode = {mode}")
            touched = [await rows_touched(crowded, statement, BUSY) for statement in sent]
            assert 2 * MOST_AT_ONCE <= sum(touched) <= 1_000, (mode, touched)
