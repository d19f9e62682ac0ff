"""E-mails, and what people do not want to be told by e-mail."""

from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.migrations import operations as ops

from models.deliveries import DeliveryStatus
from models.ids import uuid7

CHECKS = {
    ("delivery", "delivery_failures_are_counted"): "failures >= 0 AND (status <> 'FAILED' OR answer IS NOT NULL)",
    ("delivery", "delivery_waits_or_has_ended"): "(status = 'PENDING') = (ended_at IS NULL)",
    ("delivery", "delivery_lease_is_of_one_that_waits"): "lease IS NULL OR status = 'PENDING'",
    ("person", "person_muted_kinds_are_a_list"): "jsonb_typeof(muted_kinds) = 'array'",
}

INDEXES = {
    "delivery_due": "INDEX {} ON delivery (due_at) WHERE status = 'PENDING'",
}


class Migration(migrations.Migration):
    dependencies = [("models", "0010_joining")]

    operations = [
        ops.CreateModel(
            name='Delivery',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                ('notification', fields.ForeignKeyField('models.Notification', source_field='notification_id', db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('status', fields.CharEnumField(default=DeliveryStatus.PENDING, description='How far it has come.', enum_type=DeliveryStatus, max_length=10)),
                ('failures', fields.IntField(default=0, description='How often it could not be sent.')),
                ('answer', fields.CharField(null=True, description='What was said when it last could not be sent.', max_length=300)),
                ('due_at', fields.DatetimeField(description='When it is to be sent; if somebody is at it, when another may take over.', auto_now=False, auto_now_add=False)),
                ('lease', fields.UUIDField(null=True, description='Whoever is sending it now.')),
                ('ended_at', fields.DatetimeField(null=True, description='When it was settled what became of it.', auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'delivery', 'app': 'models', 'unique_together': (('notification_id',),), 'pk_attr': 'id', 'table_description': 'An e-mail that tells somebody of a notification (N).'},
            bases=['Model'],
        ),
        ops.AddField(
            model_name="Person",
            name="muted_kinds",
            field=fields.JSONField(description="The kinds of notifications that they are not sent by e-mail.", null=True),
        ),
        # The default is for processes of the version before, too, which still run while this one is released.
        ops.RunSQL(
            "ALTER TABLE person ALTER COLUMN muted_kinds SET DEFAULT '[]'; UPDATE person SET muted_kinds = '[]';",
            reverse_sql="ALTER TABLE person ALTER COLUMN muted_kinds DROP DEFAULT;",
        ),
        ops.AlterField(
            model_name="Person",
            name="muted_kinds",
            field=fields.JSONField(description="The kinds of notifications that they are not sent by e-mail.", default=list),
        ),
        ops.RunSQL(
            [f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({check});" for (table, name), check in CHECKS.items()],
            reverse_sql=[f"ALTER TABLE {table} DROP CONSTRAINT {name};" for table, name in CHECKS],
        ),
        ops.RunSQL(
            [f"CREATE {index.format(name)};" for name, index in INDEXES.items()],
            reverse_sql=[f"DROP INDEX {name};" for name in INDEXES],
        ),
    ]
