"""Links, attendance and the platform's part of a meeting."""

from tortoise import migrations
from tortoise.migrations import operations as ops
from rules.terms import Side
from tortoise.fields.base import OnDelete
from models.ids import uuid7
from tortoise import fields
from tortoise.indexes import Index

CHECKS = {
    ("conference", "conference_ends_after_it_starts"): "ends_at > starts_at",
    ("conference", "conference_is_not_ahead_of_what_is_wanted"): "reached >= 0 AND reached <= wanted AND failures >= 0",
    ("conference", "conference_lease_has_an_end"): "(lease IS NULL) = (lease_until IS NULL)",
    ("join_link", "join_link_ends_after_it_starts"): "ends_at > starts_at",
}

INDEXES = {
    "conference_due": "INDEX {} ON conference (due_at) WHERE reached < wanted",
    "join_link_one_in_force": "UNIQUE INDEX {} ON join_link (meeting_id, side) WHERE revoked_at IS NULL",
}

RECORDS = ("attendance",)

# For meetings agreed before there were links.
BACKFILL = """
INSERT INTO join_link (id, meeting_id, side, starts_at, ends_at)
    SELECT gen_random_uuid(), id, side, starts_at, ends_at FROM meeting CROSS JOIN (VALUES ('USER'), ('EXPERT')) AS of(side)
    WHERE status = 'AGREED';
INSERT INTO conference (id, meeting_id, room, starts_at, ends_at, cancelled, wanted, reached, failures, due_at)
    SELECT gen_random_uuid(), id, replace(gen_random_uuid()::text, '-', ''), starts_at, ends_at, FALSE, 1, 0, 0, now()
    FROM meeting WHERE status = 'AGREED';
"""


class Migration(migrations.Migration):
    dependencies = [("models", "0009_settling")]

    operations = [
        ops.CreateModel(
            name='Conference',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                ('meeting', fields.ForeignKeyField('models.Meeting', source_field='meeting_id', db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('room', fields.CharField(description='What the platform calls it.', max_length=64)),
                ('starts_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('ends_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('cancelled', fields.BooleanField(default=False)),
                ('wanted', fields.IntField(default=1, description='Grows whenever the date changes or the meeting is cancelled.')),
                ('reached', fields.IntField(default=0, description='What was `wanted` when the platform last did as it was asked.')),
                ('failures', fields.IntField(default=0, description='Since then, in a row.')),
                ('due_at', fields.DatetimeField(description='When the platform is to be asked next, if it is behind.', auto_now=False, auto_now_add=False)),
                ('lease', fields.UUIDField(null=True, description='Whoever is asking the platform now.')),
                ('lease_until', fields.DatetimeField(null=True, description='When somebody else may take over.', auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'conference', 'app': 'models', 'unique_together': (('meeting_id',),), 'pk_attr': 'id', 'table_description': 'What the video platform is to know of a meeting, and how far it has been brought there (L4).'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='JoinLink',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                ('meeting', fields.ForeignKeyField('models.Meeting', source_field='meeting_id', db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('side', fields.CharEnumField(description='Whose it is.', enum_type=Side, max_length=10)),
                ('starts_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('ends_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('revoked_at', fields.DatetimeField(null=True, description='When another date came into force, or none.', auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'join_link', 'app': 'models', 'indexes': [Index(fields=['meeting_id', 'id'])], 'pk_attr': 'id', 'table_description': "One side's way to a meeting on one date; its token is derived from its id, and stored nowhere (L1)."},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Attendance',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                ('link', fields.ForeignKeyField('models.JoinLink', source_field='link_id', db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('opened_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'attendance', 'app': 'models', 'indexes': [Index(fields=['link_id', 'opened_at'])], 'pk_attr': 'id', 'table_description': 'An opening of a link by a person (L2).'},
            bases=['Model'],
        ),
        ops.RunSQL(
            [f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({check});" for (table, name), check in CHECKS.items()],
            reverse_sql=[f"ALTER TABLE {table} DROP CONSTRAINT {name};" for table, name in CHECKS],
        ),
        ops.RunSQL(
            [f"CREATE {index.format(name)};" for name, index in INDEXES.items()],
            reverse_sql=[f"DROP INDEX {name};" for name in INDEXES],
        ),
        ops.RunSQL(
            [
                f"CREATE TRIGGER {table}_is_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
                "FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_change_a_record();"
                for table in RECORDS
            ],
            reverse_sql=[f"DROP TRIGGER {table}_is_kept ON {table};" for table in RECORDS],
        ),
        ops.RunSQL(BACKFILL, reverse_sql=""),
    ]
