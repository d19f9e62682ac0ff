"""E-mails that confirm to a side what it brought about itself."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops
from tortoise.migrations.constraints import UniqueConstraint

DESCRIPTION = "Whether it goes to the side that brought it about, which is notified of nothing."


class Migration(migrations.Migration):
    dependencies = [("models", "0013_reminding")]

    operations = [
        ops.AddField(
            model_name="Delivery",
            name="confirmation",
            field=fields.BooleanField(description=DESCRIPTION, null=True),
        ),
        # The default is for processes of the version before, too, which still run while this one is released.
        ops.RunSQL(
            "ALTER TABLE delivery ALTER COLUMN confirmation SET DEFAULT FALSE;"
            " UPDATE delivery SET confirmation = FALSE;",
            reverse_sql="ALTER TABLE delivery ALTER COLUMN confirmation DROP DEFAULT;",
        ),
        ops.AlterField(
            model_name="Delivery",
            name="confirmation",
            field=fields.BooleanField(description=DESCRIPTION, default=False),
        ),
        ops.RemoveConstraint(model_name="Delivery", fields=["notification_id"]),
        ops.AddConstraint(
            model_name="Delivery", constraint=UniqueConstraint(fields=("notification_id", "confirmation"))
        ),
        ops.AlterModelOptions(
            name="Delivery",
            options={'table': 'delivery', 'app': 'models', 'pk_attr': 'id', 'table_description': 'An e-mail that tells somebody of a notification (N), or confirms to the other side that they brought it about.'},
        ),
        # To the version before they would be a second e-mail to whoever was notified.
        ops.RunSQL("", reverse_sql="DELETE FROM delivery WHERE confirmation;"),
    ]
