"""What the lists of meetings, people, experts and skills are read by."""

from tortoise import fields, migrations
from tortoise.indexes import Index
from tortoise.migrations import operations as ops

CHECKS = {
    # What ends after an instant starts no earlier than this before it, and so is a range of an index.
    ("meeting", "meeting_lasts_a_day_at_most"): "ends_at <= starts_at + interval '24 hours'",
}


class Migration(migrations.Migration):
    dependencies = [("models", "0003_reason_lists")]

    operations = [
        ops.RemoveIndex(model_name="Meeting", name=None, fields=["user_id", "starts_at"]),
        ops.RemoveIndex(model_name="Meeting", name=None, fields=["expert_id", "starts_at"]),
        ops.AddIndex(model_name="Meeting", index=Index(fields=["user_id", "starts_at", "id"])),
        ops.AddIndex(model_name="Meeting", index=Index(fields=["expert_id", "starts_at", "id"])),
        ops.RunSQL(
            [f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({check});" for (table, name), check in CHECKS.items()],
            reverse_sql=[f"ALTER TABLE {table} DROP CONSTRAINT {name};" for table, name in CHECKS],
        ),
        ops.AddField(
            model_name="Person",
            name="folded_name",
            field=fields.CharField(description="The name with its case folded away.", max_length=600, null=True),
        ),
        # Near enough: a person's next token folds it as the service does.
        ops.RunSQL("UPDATE person SET folded_name = lower(name);", reverse_sql=""),
        ops.AlterField(
            model_name="Person",
            name="folded_name",
            field=fields.CharField(description="The name with its case folded away.", max_length=600),
        ),
        # For processes of the version before, which still run while this one is released.
        ops.RunSQL(
            "ALTER TABLE person ALTER COLUMN folded_name SET DEFAULT '';",
            reverse_sql="ALTER TABLE person ALTER COLUMN folded_name DROP DEFAULT;",
        ),
        ops.AddIndex(model_name="Person", index=Index(fields=["folded_name", "id"])),
        ops.RunSQL(
            "CREATE INDEX person_experts_by_name ON person (folded_name, id) WHERE is_expert;",
            reverse_sql="DROP INDEX person_experts_by_name;",
        ),
        ops.AddIndex(model_name="PersonSkill", index=Index(fields=["skill_id"])),
    ]
