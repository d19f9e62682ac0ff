"""What the database itself refuses, whatever the code above it does."""

import importlib
import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

import models
from rules.terms import AlternativeDateStatus
from tests.driving import Service
from tests.joining import link_of, opened
from tests.negotiations import Negotiation
from tests.settlements import held

constraints = importlib.import_module("models.migrations.0002_constraints")
reading = importlib.import_module("models.migrations.0004_reading")
rescheduling = importlib.import_module("models.migrations.0006_one_alternative_date")
chats = importlib.import_module("models.migrations.0008_chats")
settling = importlib.import_module("models.migrations.0009_settling")
joining = importlib.import_module("models.migrations.0010_joining")
mailing = importlib.import_module("models.migrations.0011_deliveries")
calendars = importlib.import_module("models.migrations.0012_calendars")
reminding = importlib.import_module("models.migrations.0013_reminding")
CHECKS: dict[tuple[str, str], str] = (
    constraints.CHECKS
    | reading.CHECKS
    | rescheduling.CHECKS
    | chats.CHECKS
    | settling.CHECKS
    | joining.CHECKS
    | mailing.CHECKS
    | calendars.CHECKS
    | reminding.CHECKS
)
RECORDS = (*constraints.RECORDS, *joining.RECORDS)

SOMEBODY = str(uuid4())
ANOTHER_PAIR = {"lower_id": str(UUID(int=1)), "higher_id": str(UUID(int=2**128 - 1))}
UNSETTLED = str(uuid4())
"A meeting of which nothing was said and nothing settled."

SETTLED = {"outcome": "PAY_EXPERT", "decided_by": "SYSTEM", "note": None, "settled_at": "2027-03-02T12:00Z"}

BREAKING: dict[str, dict[str, Any]] = {
    "person_available_not_negative": {"available": -1},
    "person_blocked_not_negative": {"blocked": -1},
    "service_price_not_negative": {"price": -1},
    "service_duration_positive": {"duration_minutes": 0},
    "meeting_price_not_negative": {"price": -1},
    "meeting_ends_after_it_starts": {"starts_at": "2027-03-02T12:00Z", "ends_at": "2027-03-02T12:00Z"},
    "meeting_lasts_a_day_at_most": {"starts_at": "2027-03-02T12:00Z", "ends_at": "2027-03-03T12:00:00.000001Z"},
    "meeting_with_somebody_else": {"user_id": SOMEBODY, "expert_id": SOMEBODY},
    "meeting_reminds_of_a_date_in_force": {"status": "CANCELLED", "link_due_at": "2027-03-02T12:00Z"},
    "meeting_reminds_until_it_is_settled": {
        "status": "AGREED",
        "credit_payment_status": "PAID",
        "progress_reminder_due_at": "2027-03-02T12:00Z",
    },
    "credit_movement_of_something": {"amount": 0},
    "credit_movement_debits_an_account_of_somebody": {"debited_account": "AVAILABLE", "debited_person_id": None},
    "credit_movement_credits_an_account_of_somebody": {"credited_account": "BLOCKED", "credited_person_id": None},
    "credit_movement_between_two_accounts": {
        "debited_account": "ISSUANCE",
        "debited_person_id": None,
        "credited_account": "ISSUANCE",
        "credited_person_id": None,
    },
    "alternative_date_ends_after_it_starts": dict.fromkeys(("starts_at", "ends_at", "lapses_at"), "2027-03-02T12:00Z"),
    "alternative_date_lapses_by_its_start": {
        "starts_at": "2027-03-02T12:00Z",
        "ends_at": "2027-03-02T13:00Z",
        "lapses_at": "2027-03-02T12:00:00.000001Z",
    },
    "timeline_event_counts_from_one": {"sequence": 0},
    "timeline_event_credits_not_negative": {"credits": -1},
    "feed_entry_counts_from_one": {"position": 0},
    "sandbox_clock_is_one": {"id": 2},
    "chat_of_an_ordered_pair": {"lower_id": SOMEBODY, "higher_id": SOMEBODY},
    "chat_is_read_up_to_its_newest_message_at_most": {"last_sequence": 1, "lower_has_read": 2},
    "chat_message_counts_from_one": {"sequence": 0},
    "chat_message_says_something": {"text": ""},
    "notification_of_a_chat_message_names_its_chat": {"kind": "CHAT_MESSAGE", "chat_id": None},
    "progress_record_rates_from_one_to_five": {"side": "USER", "rating": 6},
    "progress_record_is_rated_by_users": {"side": "EXPERT", "rating": 5, "comment": None},
    "settlement_amounts_not_negative": {"fee": -1},
    "settlement_referred_or_settled": dict.fromkeys(("outcome", "settled_at", "decided_by", "note", "referred_at")),
    "settlement_of_something_by_somebody": {**SETTLED, "settled_at": None},
    "settlement_by_staff_has_a_note": {**SETTLED, "note": "So."},
    "timeline_event_notes_decisions": {"note": "So."},
    "timeline_event_tells_staff_of_disputes": {"staff_position": 1_000_000},
    "staff_feed_is_one": {"id": 2},
    "person_calendar_number_positive": {"calendar_number": 0},
    "person_muted_kinds_are_a_list": {"muted_kinds": {}},
    "delivery_failures_are_counted": {"failures": -1},
    "delivery_waits_or_has_ended": {"status": "SENT"},
    "delivery_lease_is_of_one_that_waits": {
        "status": "SENT",
        "ended_at": "2027-03-01T12:00Z",
        "lease": SOMEBODY,
    },
    "conference_ends_after_it_starts": {"ends_at": "2027-03-01T12:00Z"},
    "conference_is_not_ahead_of_what_is_wanted": {"wanted": 1, "reached": 2},
    "conference_lease_has_an_end": {"lease": SOMEBODY},
    "join_link_ends_after_it_starts": {"ends_at": "2027-03-01T12:00Z"},
}
"What each check refuses, in a row that is otherwise a copy of a good one."

ALSO_REFUSED = [
    (
        "credit_movement_debits_an_account_of_somebody",
        {"debited_account": "ISSUANCE", "debited_person_id": SOMEBODY},
    ),
    (
        "credit_movement_credits_an_account_of_somebody",
        {"credited_account": "ISSUANCE", "credited_person_id": SOMEBODY},
    ),
    (
        "credit_movement_between_two_accounts",
        dict.fromkeys(("debited_account", "credited_account"), "AVAILABLE")
        | dict.fromkeys(("debited_person_id", "credited_person_id"), SOMEBODY),
    ),
    ("meeting_ends_after_it_starts", {"starts_at": "2027-03-02T12:00Z", "ends_at": "2027-03-02T11:00Z"}),
    ("chat_of_an_ordered_pair", {"lower_id": str(UUID(int=2)), "higher_id": str(UUID(int=1))}),
    ("chat_is_read_up_to_its_newest_message_at_most", {"last_sequence": 1, "higher_has_read": 2}),
    ("chat_is_read_up_to_its_newest_message_at_most", {"lower_has_read": -1}),
    ("chat_is_read_up_to_its_newest_message_at_most", {"higher_has_read": -1}),
    ("notification_of_a_chat_message_names_its_chat", {"kind": "MEETING_APPROVED", "chat_id": SOMEBODY}),
    ("progress_record_rates_from_one_to_five", {"side": "USER", "rating": 0}),
    ("progress_record_is_rated_by_users", {"side": "EXPERT", "rating": None, "comment": "Fine"}),
    ("settlement_of_something_by_somebody", {**SETTLED, "decided_by": None}),
    ("settlement_by_staff_has_a_note", {**SETTLED, "decided_by": "EXPERTIM"}),
    ("timeline_event_notes_decisions", {"kind": "DECIDED_BY_EXPERTIM", "staff_position": 1_000_000}),
    ("timeline_event_tells_staff_of_disputes", {"kind": "REFERRED_TO_EXPERTIM"}),
    ("delivery_failures_are_counted", {"status": "FAILED", "ended_at": "2027-03-01T12:00Z", "answer": None}),
    ("delivery_waits_or_has_ended", {"ended_at": "2027-03-01T12:00Z"}),
    ("conference_is_not_ahead_of_what_is_wanted", {"reached": -1}),
    ("conference_is_not_ahead_of_what_is_wanted", {"failures": -1}),
    ("conference_lease_has_an_end", {"lease_until": "2027-03-01T12:00Z"}),
]

UNIQUE: dict[str, list[tuple[str, ...]]] = {
    "person": [("subject",)],
    "skill": [("folded_name",)],
    "person_skill": [("person_id", "skill_id")],
    "availability": [("person_id",)],
    "reason": [("kind", "code")],
    "alternative_date": [("meeting_id",)],  # of those that wait for an answer (R1)
    "timeline_event": [("meeting_id", "sequence"), ("staff_position",)],
    "progress_record": [("meeting_id", "side")],
    "settlement": [("meeting_id",)],
    "conference": [("meeting_id",)],
    "delivery": [("notification_id", "confirmation")],
    "join_link": [("meeting_id", "side")],  # of those that are good (R4)
    "feed_entry": [("person_id", "position")],
    "idempotency_key": [("person_id", "key")],
    "chat": [("lower_id", "higher_id")],
    "chat_message": [("chat_id", "sequence")],
    "notification": [("person_id", "chat_id")],  # of those of a chat that are unread (H2)
}
"What there is only one of, beside the id."

TAKEN: dict[tuple[str, tuple[str, ...]], dict[str, Any]] = {
    ("timeline_event", ("staff_position",)): {
        "sequence": 1_000_000,
        "kind": "REFERRED_TO_EXPERTIM",
        "staff_position": 1,
    },
}
"What makes a copy of a row break that key and no other."

FRESH: dict[str, dict[str, Any]] = {
    "person": {"subject": "nobody's yet"},
    "skill": {"folded_name": "nobody's yet"},
    "reason": {"code": "NEW"},
    "alternative_date": {"status": "LAPSED"},
    "timeline_event": {"sequence": 1_000_000},
    "progress_record": {"meeting_id": UNSETTLED},
    "settlement": {"meeting_id": UNSETTLED},
    "conference": {"meeting_id": UNSETTLED},
    "join_link": {"revoked_at": "2027-03-01T12:00Z"},
    "attendance": {},
    "feed_entry": {"id": 10**15, "position": 1_000_000},
    "idempotency_key": {"key": "new"},
    "chat": ANOTHER_PAIR,
    "chat_message": {"sequence": 1_000_000},
    "notification": {"read_at": "2027-03-02T12:00Z"},
}
"What makes a copy of a row another one."


@pytest.fixture(scope="module")
async def a_row_in_every_table(service: Service, in_order: None) -> None:
    service.clock.reset()
    uma = await service.somebody("Uma User", credits="1000.00")
    emil = await service.expert("Emil Expert")
    meeting = await uma.proposed(emil)
    rejected = {"meetingId": meeting["id"], "reasonCode": "OTHER", "idempotencyKey": "once"}
    assert (await emil.act("rejectMeeting", **rejected))["__typename"] == "MeetingChanged"
    chosen = {"meetingId": meeting["id"], "startsAt": service.at(days=2)}
    assert (await emil.act("chooseAlternativeDate", **chosen))["__typename"] == "MeetingChanged"
    unsaid = {"timeZone": "UTC", "weekly": [], "exceptions": []}
    assert (await emil.act("setAvailability", **unsaid))["__typename"] == "AvailabilitySaved"
    await uma.write(await uma.chat_with(emil))
    decided = await (await held(service, uma, emil)).refer()
    soon = await Negotiation(service, uma, emil).agree("USER", startsAt=service.at(minutes=10))
    assert (await opened(service, await link_of(uma, soon.meeting["id"]))).status_code == 200
    staff = await service.somebody("Staff", roles=["staff"])
    assert (await decided.decide(staff))["__typename"] == "MeetingChanged"
    service.clock.reset()


@pytest.fixture
async def database(a_row_in_every_table: None, database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection to a database with a good row in every table; what is done on it is undone."""
    connection = await asyncpg.connect(database_url)
    try:
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute("INSERT INTO sandbox_clock VALUES (1, 0) ON CONFLICT DO NOTHING")
        for person_id in ANOTHER_PAIR.values():
            await copy_row(connection, "person", id=person_id, subject=person_id)
        await copy_row(connection, "meeting", id=UNSETTLED)
        yield connection
        await transaction.rollback()
    finally:
        await connection.close()


async def copy_row(database: asyncpg.Connection, table: str, **changes: Any) -> None:
    """Insert a copy of one of a table's rows, so that only what was changed can be wrong with it."""
    async with database.transaction():
        await database.execute(
            f"INSERT INTO {table} SELECT (jsonb_populate_record({table}, $1::jsonb)).* FROM {table}"
            f" ORDER BY to_jsonb({table}) ->> 'status' = 'PENDING' DESC NULLS LAST,"
            f" to_jsonb({table}) ->> 'chat_id' IS NULL, to_jsonb({table}) ->> 'read_at' NULLS FIRST,"
            f" to_jsonb({table}) ->> 'revoked_at' NULLS FIRST, id LIMIT 1",
            json.dumps({"id": str(uuid4()), **changes}),
        )


async def test_a_copy_of_a_row_with_nothing_wrong_is_taken(database: asyncpg.Connection):
    for table in {*FRESH, "service", "meeting", "credit_movement", "notification"}:
        await copy_row(database, table, **FRESH.get(table, {}))


def test_every_check_has_a_row_that_breaks_it():
    assert {name for _, name in CHECKS} == set(BREAKING)


@pytest.mark.parametrize(("name", "changes"), [*BREAKING.items(), *ALSO_REFUSED])
async def test_a_check_refuses_by_its_name(database: asyncpg.Connection, name: str, changes: dict[str, Any]):
    (table,) = (table for table, check in CHECKS if check == name)
    with pytest.raises(asyncpg.CheckViolationError) as refused:
        await copy_row(database, table, **{**FRESH.get(table, {}), **changes})
    assert refused.value.constraint_name == name


async def test_the_database_has_these_checks_and_no_others(database: asyncpg.Connection):
    rows = await database.fetch(
        "SELECT conrelid::regclass::text AS of_table, conname FROM pg_constraint"
        " WHERE contype = 'c' AND connamespace = 'public'::regnamespace AND convalidated"
    )
    assert {tuple(row) for row in rows} == set(CHECKS)


UNIQUE_INDEXES = """
SELECT indrelid::regclass::text AS of_table, array_agg(attname::text ORDER BY place) AS columns
FROM pg_index CROSS JOIN LATERAL unnest(indkey) WITH ORDINALITY AS parts(attnum, place)
JOIN pg_attribute ON attrelid = indrelid AND pg_attribute.attnum = parts.attnum
WHERE indisunique AND NOT indisprimary
AND indrelid::regclass::text = ANY($1) GROUP BY indexrelid, indrelid
"""


async def test_what_there_is_only_one_of_is_refused_a_second_time(database: asyncpg.Connection):
    for table, keys in UNIQUE.items():
        for key in keys:
            fresh_id = {"id": 10**15} if table == "feed_entry" else {}
            with pytest.raises(asyncpg.UniqueViolationError) as refused:
                await copy_row(database, table, **fresh_id, **TAKEN.get((table, key), {}))
            assert refused.value.table_name == table
            assert refused.value.detail.replace('"', "").startswith(f"Key ({', '.join(key)})=")


async def test_an_id_is_refused_a_second_time(database: asyncpg.Connection):
    for table in await tables(database):
        known = await database.fetchval(f"SELECT id FROM {table} LIMIT 1")
        with pytest.raises(asyncpg.UniqueViolationError) as refused:
            await copy_row(database, table, **{**FRESH.get(table, {}), "id": str(known)})
        assert refused.value.constraint_name == f"{table}_pkey"


async def test_the_database_has_these_unique_keys_and_no_others(database: asyncpg.Connection):
    rows = await database.fetch(UNIQUE_INDEXES, await tables(database))
    found = sorted((row["of_table"], tuple(row["columns"])) for row in rows)
    assert found == sorted((table, key) for table, keys in UNIQUE.items() for key in keys)


async def test_r1_only_of_alternative_dates_that_wait_is_there_one_for_each_meeting(database: asyncpg.Connection):
    for status in set(AlternativeDateStatus) - {AlternativeDateStatus.PENDING}:
        for _ in range(2):
            await copy_row(database, "alternative_date", status=status)
    with pytest.raises(asyncpg.UniqueViolationError) as refused:
        await copy_row(database, "alternative_date", status="PENDING")
    assert refused.value.constraint_name == "alternative_date_one_pending"


FOREIGN_KEYS = """
SELECT conname, conrelid::regclass::text AS of_table, attname AS column_name, confrelid::regclass::text AS to_table,
    confdeltype::text AS when_deleted
FROM pg_constraint JOIN pg_attribute ON attrelid = conrelid AND attnum = conkey[1] WHERE contype = 'f'
"""


async def test_every_reference_is_to_something_that_is_there(database: asyncpg.Connection):
    foreign_keys = await database.fetch(FOREIGN_KEYS)
    for each in foreign_keys:
        table, column = each["of_table"], each["column_name"]
        nothing = {**FRESH.get(table, {}), column: str(uuid4())}
        if table == "credit_movement":  # an account that belongs to somebody
            nothing |= {f"{column.removesuffix('_person_id')}_account": "AVAILABLE"} if column != "meeting_id" else {}
        with pytest.raises(asyncpg.ForeignKeyViolationError) as refused:
            await copy_row(database, table, **nothing)
        assert refused.value.constraint_name == each["conname"]
    declared = {
        (model._meta.db_table, model._meta.fields_map[name].source_field)
        for model in (getattr(models, name) for name in models.__all__)
        for name in model._meta.fk_fields
    }
    assert {(each["of_table"], each["column_name"]) for each in foreign_keys} == declared


async def test_what_is_referred_to_is_never_deleted(database: asyncpg.Connection):
    foreign_keys = await database.fetch(FOREIGN_KEYS)
    assert {each["when_deleted"] for each in foreign_keys} == {"r"}
    for table in {each["to_table"] for each in foreign_keys}:
        with pytest.raises(asyncpg.IntegrityConstraintViolationError) as refused:
            async with database.transaction():
                await database.execute(f"DELETE FROM {table}")
        assert refused.value.sqlstate in ("23001", "23503"), "a foreign key refused it"


def test_the_ledger_and_the_timelines_are_records():
    assert set(RECORDS) == {"credit_movement", "timeline_event", "attendance"}


@pytest.mark.parametrize("table", RECORDS)
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE {} SET id = gen_random_uuid()",
        "UPDATE {} SET id = id WHERE FALSE",
        "DELETE FROM {}",
        "TRUNCATE {}",
        "TRUNCATE person CASCADE",
    ],
)
async def test_m1_records_are_never_changed_or_deleted(database: asyncpg.Connection, table: str, statement: str):
    before = await database.fetch(f"SELECT * FROM {table} ORDER BY id")
    assert before
    with pytest.raises(asyncpg.IntegrityConstraintViolationError, match=r"records of \w+ are never changed or deleted"):
        async with database.transaction():
            await database.execute(statement.format(table))
    assert await database.fetch(f"SELECT * FROM {table} ORDER BY id") == before


async def test_e1_what_a_side_said_is_never_changed_or_deleted(database: asyncpg.Connection):
    for statement in ("UPDATE {} SET rating = 5", "DELETE FROM {}", "TRUNCATE {}"):
        with pytest.raises(asyncpg.IntegrityConstraintViolationError, match="never changed or deleted"):
            async with database.transaction():
                await database.execute(statement.format("progress_record"))


async def tables(database: asyncpg.Connection) -> list[str]:
    """Every table with rows of ours; a new one without a good row to copy fails the tests that go through them."""
    known = [getattr(models, name)._meta.db_table for name in models.__all__]
    for table in known:
        assert await database.fetchval(f"SELECT EXISTS (SELECT FROM {table})"), f"no good row of {table}"
    return known
