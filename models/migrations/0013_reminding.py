"""When the sides of a meeting are to be reminded."""

from tortoise import migrations
from tortoise.migrations import operations as ops
from tortoise import fields

FIELDS = {
    'reminder_due_at': 'When to remind the user of it; null once done.',
    'link_due_at': 'When to send both their links; null once done.',
    'progress_reminder_due_at': 'When to remind whoever has not said how it went; null once done.',
}

NOTHING_DUE = f"num_nonnulls({', '.join(FIELDS)}) = 0"

CHECKS = {
    ("meeting", "meeting_reminds_of_a_date_in_force"): f"status = 'AGREED' OR {NOTHING_DUE}",
    ("meeting", "meeting_reminds_until_it_is_settled"): f"credit_payment_status = 'BLOCKED' OR {NOTHING_DUE}",
}


class Migration(migrations.Migration):
    dependencies = [("models", "0012_calendars")]

    operations = [
        *(
            ops.AddField(
                model_name='Meeting',
                name=name,
                field=fields.DatetimeField(null=True, description=description, auto_now=False, auto_now_add=False),
            )
            for name, description in FIELDS.items()
        ),
        ops.RunSQL(
            [f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({check});" for (table, name), check in CHECKS.items()],
            reverse_sql=[f"ALTER TABLE {table} DROP CONSTRAINT {name};" for table, name in CHECKS],
        ),
        ops.RunSQL(
            [f"CREATE INDEX meeting_{name} ON meeting ({name}) WHERE {name} IS NOT NULL;" for name in FIELDS],
            reverse_sql=[f"DROP INDEX meeting_{name};" for name in FIELDS],
        ),
        # For meetings agreed before there were reminders; what is no longer right by then is found so, and not sent.
        ops.RunSQL(
            "UPDATE meeting SET reminder_due_at = starts_at - interval '24 hours',"
            " link_due_at = starts_at - interval '60 minutes', progress_reminder_due_at = ends_at + interval '24 hours'"
            " WHERE status = 'AGREED' AND credit_payment_status = 'BLOCKED';",
            reverse_sql="",
        ),
    ]
