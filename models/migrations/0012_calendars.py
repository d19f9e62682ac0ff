"""The address of each person's calendar, which can be renewed."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

CHECKS = {("person", "person_calendar_number_positive"): "calendar_number > 0"}
DESCRIPTION = "Grows whenever they have their calendar's address renewed."


class Migration(migrations.Migration):
    dependencies = [("models", "0011_deliveries")]

    operations = [
        ops.AddField(
            model_name="Person",
            name="calendar_number",
            field=fields.IntField(null=True, description=DESCRIPTION),
        ),
        # The default is for processes of the version before, too, which still run while this one is released.
        ops.RunSQL(
            "ALTER TABLE person ALTER COLUMN calendar_number SET DEFAULT 1; UPDATE person SET calendar_number = 1;",
            reverse_sql="ALTER TABLE person ALTER COLUMN calendar_number DROP DEFAULT;",
        ),
        ops.AlterField(
            model_name="Person",
            name="calendar_number",
            field=fields.IntField(default=1, description=DESCRIPTION),
        ),
        ops.RunSQL(
            [f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({check});" for (table, name), check in CHECKS.items()],
            reverse_sql=[f"ALTER TABLE {table} DROP CONSTRAINT {name};" for table, name in CHECKS],
        ),
    ]
