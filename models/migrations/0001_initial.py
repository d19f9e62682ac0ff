from tortoise import migrations
from tortoise.migrations import operations as ops
import functools
from json import dumps, loads
from models.feeds import FeedEntryKind
from rules.terms import AccountKind, Actor, Answer, CreditMovementKind, CreditPaymentStatus, Language, MeetingStatus, NotificationKind, ReasonKind, Side, TimelineEventKind
from tortoise.fields.base import OnDelete
from uuid_utils.compat import uuid7
from tortoise import fields
from tortoise.indexes import Index

class Migration(migrations.Migration):
    initial = True

    operations = [
        ops.CreateModel(
            name='Person',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                ('subject', fields.CharField(unique=True, description="The token's `sub`.", max_length=255)),
                ('name', fields.CharField(max_length=200)),
                ('email', fields.CharField(null=True, max_length=320)),
                ('language', fields.CharEnumField(description='What they are spoken to in.', enum_type=Language, max_length=2)),
                ('time_zone', fields.CharField(description='IANA name.', max_length=64)),
                ('is_expert', fields.BooleanField(default=False, description='Has ever saved a service.')),
                ('is_staff', fields.BooleanField(default=False, description='As their latest token said.')),
                ('available', fields.BigIntField(default=0, description='Hundredths of a credit.')),
                ('blocked', fields.BigIntField(default=0, description='Hundredths of a credit.')),
                ('feed_head', fields.BigIntField(default=0, description='Position of the newest feed entry.')),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=True)),
            ],
            options={'table': 'person', 'app': 'models', 'pk_attr': 'id', 'table_description': 'Someone with an account; the user of one meeting and perhaps the expert of another (T).'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='FeedEntry',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('person', fields.ForeignKeyField('models.Person', source_field='person_id', db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('position', fields.BigIntField()),
                ('kind', fields.CharEnumField(description='What `ref` names.', enum_type=FeedEntryKind, max_length=20)),
                ('ref', fields.UUIDField()),
            ],
            options={'table': 'feed_entry', 'app': 'models', 'unique_together': (('person_id', 'position'),), 'pk_attr': 'id', 'table_description': 'One thing that was pushed to a person; positions count 1, 2, 3 ... for each person, without gaps.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='IdempotencyKey',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                ('person', fields.ForeignKeyField('models.Person', source_field='person_id', db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('key', fields.CharField(max_length=1000)),
                ('input_digest', fields.BinaryField(description="SHA-256 of the action's name and input.")),
                ('made_id', fields.UUIDField(null=True, description='The meeting changed, or the one thing made or saved.')),
                ('first_event', fields.IntField(null=True, description='Sequence of the first event recorded on that meeting.')),
                ('last_event', fields.IntField(null=True)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'idempotency_key', 'app': 'models', 'unique_together': (('person_id', 'key'),), 'indexes': [Index(fields=['created_at'])], 'pk_attr': 'id', 'table_description': 'The first answer to an action, by reference, so that a repetition does nothing twice (I1).'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Reason',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                ('kind', fields.CharEnumField(description='Which list it is in.', enum_type=ReasonKind, max_length=20)),
                ('code', fields.CharField(max_length=200)),
                ('label_en', fields.CharField(max_length=200)),
                ('label_de', fields.CharField(max_length=200)),
                ('active', fields.BooleanField(default=True)),
                ('place', fields.IntField(description='Where in its list it stands.')),
            ],
            options={'table': 'reason', 'app': 'models', 'unique_together': (('kind', 'code'),), 'pk_attr': 'id', 'table_description': 'An entry of a list that people choose from when they reject or cancel.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='SandboxClock',
            fields=[
                ('id', fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('ahead_microseconds', fields.BigIntField()),
            ],
            options={'table': 'sandbox_clock', 'app': 'models', 'pk_attr': 'id', 'table_description': "How far a sandbox's clock is ahead of the real one; a single row, read whenever a sandbox asks the time."},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Service',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                ('expert', fields.ForeignKeyField('models.Person', source_field='expert_id', db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('name', fields.CharField(max_length=200)),
                ('duration_minutes', fields.IntField()),
                ('price', fields.BigIntField(description='Hundredths of a credit.')),
                ('active', fields.BooleanField(default=True)),
            ],
            options={'table': 'service', 'app': 'models', 'indexes': [Index(fields=['expert_id'])], 'pk_attr': 'id', 'table_description': 'What an expert offers: a name, a length and a price in hundredths of a credit.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Skill',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                ('name', fields.CharField(max_length=200)),
                ('folded_name', fields.CharField(unique=True, description='The name with its case folded away.', max_length=600)),
            ],
            options={'table': 'skill', 'app': 'models', 'pk_attr': 'id', 'table_description': 'A skill; those of one name are one, whatever the case (Q5).'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Meeting',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                ('version', fields.IntField(description='The sequence of its newest timeline event.')),
                ('status', fields.CharEnumField(description='Where the negotiation stands.', enum_type=MeetingStatus, max_length=20)),
                ('credit_payment_status', fields.CharEnumField(description='What became of the price.', enum_type=CreditPaymentStatus, max_length=30)),
                ('user', fields.ForeignKeyField('models.Person', source_field='user_id', db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('expert', fields.ForeignKeyField('models.Person', source_field='expert_id', db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('service', fields.ForeignKeyField('models.Service', source_field='service_id', db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('skill', fields.ForeignKeyField('models.Skill', source_field='skill_id', db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('starts_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('ends_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('price', fields.BigIntField(description='Hundredths of a credit.')),
                ('proposed_by', fields.CharEnumField(description='Who started it.', enum_type=Side, max_length=10)),
                ('user_answer', fields.CharEnumField(description='To the proposed date.', enum_type=Answer, max_length=10)),
                ('expert_answer', fields.CharEnumField(description='To the proposed date.', enum_type=Answer, max_length=10)),
                ('reason', fields.ForeignKeyField('models.Reason', source_field='reason_id', null=True, db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('changed_at', fields.DatetimeField(description='When its newest timeline event occurred.', auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'meeting', 'app': 'models', 'indexes': [Index(fields=['user_id', 'starts_at']), Index(fields=['expert_id', 'starts_at'])], 'pk_attr': 'id', 'table_description': 'A meeting of a user and an expert, from its proposal on.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='CreditMovement',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                ('kind', fields.CharEnumField(description='Why credits moved.', enum_type=CreditMovementKind, max_length=30)),
                ('debited_account', fields.CharEnumField(description='Where they left.', enum_type=AccountKind, max_length=10)),
                ('debited_person', fields.ForeignKeyField('models.Person', source_field='debited_person_id', null=True, db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('credited_account', fields.CharEnumField(description='Where they arrived.', enum_type=AccountKind, max_length=10)),
                ('credited_person', fields.ForeignKeyField('models.Person', source_field='credited_person_id', null=True, db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('amount', fields.BigIntField(description='Hundredths of a credit.')),
                ('meeting', fields.ForeignKeyField('models.Meeting', source_field='meeting_id', null=True, db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('note', fields.TextField(null=True, unique=False)),
                ('occurred_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'credit_movement', 'app': 'models', 'indexes': [Index(fields=['debited_person_id', 'id']), Index(fields=['credited_person_id', 'id'])], 'pk_attr': 'id', 'table_description': 'Credits that went from one account to another; never changed and never deleted (M1).'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Notification',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                ('person', fields.ForeignKeyField('models.Person', source_field='person_id', db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('kind', fields.CharEnumField(description='What they are told.', enum_type=NotificationKind, max_length=50)),
                ('meeting', fields.ForeignKeyField('models.Meeting', source_field='meeting_id', null=True, db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('facts', fields.JSONField(encoder=functools.partial(dumps, separators=(',', ':')), decoder=loads)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('read_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'notification', 'app': 'models', 'indexes': [Index(fields=['person_id', 'id'])], 'pk_attr': 'id', 'table_description': 'Something a person is told. The text is made when it is shown, from the kind and the facts.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='PersonSkill',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                ('person', fields.ForeignKeyField('models.Person', source_field='person_id', db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('skill', fields.ForeignKeyField('models.Skill', source_field='skill_id', db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('place', fields.IntField()),
            ],
            options={'table': 'person_skill', 'app': 'models', 'unique_together': (('person_id', 'skill_id'),), 'pk_attr': 'id', 'table_description': 'That a person has a skill, and where in their list it stands.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='TimelineEvent',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                ('meeting', fields.ForeignKeyField('models.Meeting', source_field='meeting_id', db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('sequence', fields.IntField(description='1, 2, 3 ... within its meeting, without gaps.')),
                ('kind', fields.CharEnumField(description='What happened.', enum_type=TimelineEventKind, max_length=50)),
                ('actor', fields.CharEnumField(description='Who caused it.', enum_type=Actor, max_length=10)),
                ('person', fields.ForeignKeyField('models.Person', source_field='person_id', null=True, db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('occurred_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('reason', fields.ForeignKeyField('models.Reason', source_field='reason_id', null=True, db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
            ],
            options={'table': 'timeline_event', 'app': 'models', 'unique_together': (('meeting_id', 'sequence'),), 'pk_attr': 'id', 'table_description': 'One thing that happened to a meeting; never changed and never deleted.'},
            bases=['Model'],
        ),
    ]
