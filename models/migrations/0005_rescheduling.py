"""Alternative dates, and what a timeline says of them and of credits."""

from tortoise import migrations
from tortoise.migrations import operations as ops
from rules.terms import AlternativeDateStatus, Answer, Side
from tortoise.fields.base import OnDelete
from models.ids import uuid7
from tortoise import fields
from tortoise.indexes import Index


class Migration(migrations.Migration):
    dependencies = [("models", "0004_reading")]

    operations = [
        ops.CreateModel(
            name='AlternativeDate',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                ('meeting', fields.ForeignKeyField('models.Meeting', source_field='meeting_id', db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('starts_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('ends_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('lapses_at', fields.DatetimeField(description='When it lapses if nobody answers it.', auto_now=False, auto_now_add=False)),
                ('chosen_by', fields.CharEnumField(description='Who chose it.', enum_type=Side, max_length=10)),
                ('status', fields.CharEnumField(description='What became of it.', enum_type=AlternativeDateStatus, max_length=20)),
                ('original_date_in_force', fields.BooleanField(description='Whether an agreed date stays valid meanwhile.')),
                ('user_answer_before', fields.CharEnumField(description='What it is again if this ends.', enum_type=Answer, max_length=10)),
                ('expert_answer_before', fields.CharEnumField(description='What it is again if this ends.', enum_type=Answer, max_length=10)),
                ('reason', fields.ForeignKeyField('models.Reason', source_field='reason_id', null=True, db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('chosen_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'alternative_date', 'app': 'models', 'indexes': [Index(fields=['meeting_id', 'id'])], 'pk_attr': 'id', 'table_description': 'A new date that one side chose for a meeting; at most one of them waits for an answer (R1).'},
            bases=['Model'],
        ),
        ops.AddField(
            model_name='Meeting',
            name='alternative',
            field=fields.ForeignKeyField('models.AlternativeDate', source_field='alternative_id', null=True, db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT),
        ),
        ops.AddField(
            model_name='TimelineEvent',
            name='alternative_date',
            field=fields.ForeignKeyField('models.AlternativeDate', source_field='alternative_date_id', null=True, db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT),
        ),
        ops.AddField(
            model_name='TimelineEvent',
            name='credits',
            field=fields.BigIntField(null=True, description='What the expert received or the user got back, in hundredths.'),
        ),
    ]
