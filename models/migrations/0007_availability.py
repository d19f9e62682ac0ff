"""When experts can be met, and what tells when they last were."""

import functools
from json import dumps, loads
from tortoise import migrations
from tortoise.migrations import operations as ops
from tortoise.fields.base import OnDelete
from models.ids import uuid7
from tortoise import fields

# The last agreed meeting that was over by an instant, however many there are: free time may begin at its end (V2).
INDEXES = {
    f"meeting_agreed_of_{side}": f"INDEX {{}} ON meeting ({side}_id, ends_at) WHERE status = 'AGREED'"
    for side in ("user", "expert")
}


class Migration(migrations.Migration):
    dependencies = [("models", "0006_one_alternative_date")]

    operations = [
        ops.CreateModel(
            name='Availability',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                ('person', fields.ForeignKeyField('models.Person', source_field='person_id', db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('time_zone', fields.CharField(description='IANA name.', max_length=64)),
                ('weekly', fields.JSONField(description='[weekday, from, to], in this order.', encoder=functools.partial(dumps, separators=(',', ':')), decoder=loads)),
                ('exceptions', fields.JSONField(description='[date, [[from, to], ...]].', encoder=functools.partial(dumps, separators=(',', ':')), decoder=loads)),
            ],
            options={'table': 'availability', 'app': 'models', 'unique_together': (('person_id',),), 'pk_attr': 'id', 'table_description': "A person's weekly windows and exceptions, read and replaced as a whole (V1). Times are minutes since midnight."},
            bases=['Model'],
        ),
        ops.RunSQL(
            [f"CREATE {index.format(name)};" for name, index in INDEXES.items()],
            reverse_sql=[f"DROP INDEX {name};" for name in INDEXES],
        ),
    ]
