"""What sides said of how meetings went, settlements, and what staff are told."""

from tortoise import migrations
from tortoise.migrations import operations as ops
from rules.terms import Actor, Progress, SettlementOutcome, Side
from tortoise.fields.base import OnDelete
from models.ids import uuid7
from tortoise import fields

CHECKS = {
    ("progress_record", "progress_record_rates_from_one_to_five"): "rating BETWEEN 1 AND 5",
    ("progress_record", "progress_record_is_rated_by_users"): "side = 'USER' OR (rating IS NULL AND comment IS NULL)",
    ("settlement", "settlement_amounts_not_negative"): "paid_to_user >= 0 AND paid_to_expert >= 0 AND fee >= 0",
    ("settlement", "settlement_referred_or_settled"): "referred_at IS NOT NULL OR outcome IS NOT NULL",
    ("settlement", "settlement_of_something_by_somebody"): (
        "(outcome IS NULL) = (settled_at IS NULL) AND (outcome IS NULL) = (decided_by IS NULL)"
    ),
    ("settlement", "settlement_by_staff_has_a_note"): "(note IS NOT NULL) = (decided_by IS NOT DISTINCT FROM 'EXPERTIM')",
    ("timeline_event", "timeline_event_notes_decisions"): "(note IS NOT NULL) = (kind = 'DECIDED_BY_EXPERTIM')",
    ("timeline_event", "timeline_event_tells_staff_of_disputes"): (
        "(staff_position IS NOT NULL) = (kind IN ('REFERRED_TO_EXPERTIM', 'DECIDED_BY_EXPERTIM'))"
    ),
    ("staff_feed", "staff_feed_is_one"): "id = 1",
}

INDEXES = {
    "meeting_settling": (
        "INDEX {} ON meeting (ends_at)"
        " WHERE status = 'AGREED' AND credit_payment_status = 'BLOCKED' AND settlement_id IS NULL"
    ),
    "timeline_event_staff_position": (
        "UNIQUE INDEX {} ON timeline_event (staff_position) WHERE staff_position IS NOT NULL"
    ),
    "settlement_undecided": "INDEX {} ON settlement (referred_at, id) WHERE outcome IS NULL",
}

KEPT = (
    "CREATE TRIGGER progress_record_is_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON progress_record "
    "FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_change_a_record();"
)


class Migration(migrations.Migration):
    dependencies = [("models", "0008_chats")]

    operations = [
        ops.CreateModel(
            name='ProgressRecord',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                ('meeting', fields.ForeignKeyField('models.Meeting', source_field='meeting_id', db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('side', fields.CharEnumField(description='Who says so.', enum_type=Side, max_length=10)),
                ('progress', fields.CharEnumField(description='How it went.', enum_type=Progress, max_length=40)),
                ('rating', fields.IntField(null=True)),
                ('comment', fields.TextField(null=True, unique=False)),
                ('recorded_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'progress_record', 'app': 'models', 'unique_together': (('meeting_id', 'side'),), 'pk_attr': 'id', 'table_description': 'What one side said of how a meeting went; each says it once (E1).'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Settlement',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                ('meeting', fields.ForeignKeyField('models.Meeting', source_field='meeting_id', db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('user_said', fields.CharEnumField(null=True, description='What it was based on.', enum_type=Progress, max_length=40)),
                ('expert_said', fields.CharEnumField(null=True, description='What it was based on.', enum_type=Progress, max_length=40)),
                ('outcome', fields.CharEnumField(null=True, description='What became of the price.', enum_type=SettlementOutcome, max_length=40)),
                ('decided_by', fields.CharEnumField(null=True, description='Staff, or nobody.', enum_type=Actor, max_length=10)),
                ('note', fields.TextField(null=True, unique=False)),
                ('paid_to_user', fields.BigIntField()),
                ('paid_to_expert', fields.BigIntField()),
                ('fee', fields.BigIntField()),
                ('referred_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('settled_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'settlement', 'app': 'models', 'unique_together': (('meeting_id',),), 'pk_attr': 'id', 'table_description': "What became of a meeting's price; without an outcome, staff are to decide it. Amounts in hundredths."},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='StaffFeed',
            fields=[
                ('id', fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('head', fields.BigIntField()),
            ],
            options={'table': 'staff_feed', 'app': 'models', 'pk_attr': 'id', 'table_description': 'How many events of all timelines staff have been told; a single row, whose lock keeps their numbers gapless.'},
            bases=['Model'],
        ),
        ops.AddField(
            model_name='Meeting',
            name='settlement',
            field=fields.ForeignKeyField('models.Settlement', source_field='settlement_id', null=True, db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT),
        ),
        ops.AddField(
            model_name='TimelineEvent',
            name='note',
            field=fields.TextField(null=True, unique=False),
        ),
        ops.AddField(
            model_name='TimelineEvent',
            name='staff_position',
            field=fields.BigIntField(null=True, description='1, 2, 3 ... among what staff are told of all meetings; null otherwise.'),
        ),
        ops.RunSQL(
            [f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({check});" for (table, name), check in CHECKS.items()],
            reverse_sql=[f"ALTER TABLE {table} DROP CONSTRAINT {name};" for table, name in CHECKS],
        ),
        ops.RunSQL(
            [f"CREATE {index.format(name)};" for name, index in INDEXES.items()],
            reverse_sql=[f"DROP INDEX {name};" for name in INDEXES],
        ),
        ops.RunSQL(KEPT, reverse_sql="DROP TRIGGER progress_record_is_kept ON progress_record;"),
        ops.RunSQL("INSERT INTO staff_feed (id, head) VALUES (1, 0);", reverse_sql="DELETE FROM staff_feed;"),
    ]
