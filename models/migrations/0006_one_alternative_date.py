"""What Tortoise does not create: checks, one pending alternative date for each meeting, and what the worker finds by."""

from tortoise import migrations
from tortoise.migrations import operations as ops

CHECKS = {
    ("alternative_date", "alternative_date_ends_after_it_starts"): "ends_at > starts_at",
    ("alternative_date", "alternative_date_lapses_by_its_start"): "lapses_at <= starts_at",
    ("timeline_event", "timeline_event_credits_not_negative"): "credits >= 0",
}

INDEXES = {
    "alternative_date_one_pending": "UNIQUE INDEX {} ON alternative_date (meeting_id) WHERE status = 'PENDING'",
    "alternative_date_lapsing": "INDEX {} ON alternative_date (lapses_at) WHERE status = 'PENDING'",
    "meeting_lapsing": "INDEX {} ON meeting (starts_at) WHERE status = 'AWAITING_APPROVAL' AND alternative_id IS NULL",
}


class Migration(migrations.Migration):
    dependencies = [("models", "0005_rescheduling")]

    operations = [
        ops.RunSQL(
            [f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({check});" for (table, name), check in CHECKS.items()],
            reverse_sql=[f"ALTER TABLE {table} DROP CONSTRAINT {name};" for table, name in CHECKS],
        ),
        ops.RunSQL(
            [f"CREATE {index.format(name)};" for name, index in INDEXES.items()],
            reverse_sql=[f"DROP INDEX {name};" for name in INDEXES],
        ),
    ]
