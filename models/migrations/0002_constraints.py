"""What Tortoise does not create: checks, and the guard that keeps records from being changed."""

from tortoise import migrations
from tortoise.migrations import operations as ops

CHECKS = {
    ("person", "person_available_not_negative"): "available >= 0",
    ("person", "person_blocked_not_negative"): "blocked >= 0",
    ("service", "service_price_not_negative"): "price >= 0",
    ("service", "service_duration_positive"): "duration_minutes > 0",
    ("meeting", "meeting_price_not_negative"): "price >= 0",
    ("meeting", "meeting_ends_after_it_starts"): "ends_at > starts_at",
    ("meeting", "meeting_with_somebody_else"): "user_id <> expert_id",
    ("credit_movement", "credit_movement_of_something"): "amount > 0",
    ("credit_movement", "credit_movement_debits_an_account_of_somebody"): (
        "(debited_account IN ('AVAILABLE', 'BLOCKED')) = (debited_person_id IS NOT NULL)"
    ),
    ("credit_movement", "credit_movement_credits_an_account_of_somebody"): (
        "(credited_account IN ('AVAILABLE', 'BLOCKED')) = (credited_person_id IS NOT NULL)"
    ),
    ("credit_movement", "credit_movement_between_two_accounts"): (
        "(debited_account, debited_person_id) IS DISTINCT FROM (credited_account, credited_person_id)"
    ),
    ("timeline_event", "timeline_event_counts_from_one"): "sequence >= 1",
    ("feed_entry", "feed_entry_counts_from_one"): "position >= 1",
    ("sandbox_clock", "sandbox_clock_is_one"): "id = 1",
}

KEEP_RECORDS = """
CREATE FUNCTION refuse_to_change_a_record() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'records of % are never changed or deleted', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END
$$;
"""

RECORDS = ("credit_movement", "timeline_event")


class Migration(migrations.Migration):
    dependencies = [("models", "0001_initial")]

    operations = [
        ops.RunSQL(
            [f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({check});" for (table, name), check in CHECKS.items()],
            reverse_sql=[f"ALTER TABLE {table} DROP CONSTRAINT {name};" for table, name in CHECKS],
        ),
        ops.RunSQL(KEEP_RECORDS, reverse_sql="DROP FUNCTION refuse_to_change_a_record() CASCADE;"),
        ops.RunSQL(
            [
                f"CREATE TRIGGER {table}_is_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
                "FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_change_a_record();"
                for table in RECORDS
            ],
            reverse_sql=[f"DROP TRIGGER {table}_is_kept ON {table};" for table in RECORDS],
        ),
    ]
