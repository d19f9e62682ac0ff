"""Chats, and what unread notifications are found by."""

from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.indexes import Index
from tortoise.migrations import operations as ops

from models.ids import uuid7


def reference(table, column, **given):
    return fields.ForeignKeyField(f"models.{table}", source_field=column, db_constraint=True, to_field="id", related_name=False, on_delete=OnDelete.RESTRICT, **given)


CHECKS = {
    ("chat", "chat_of_an_ordered_pair"): "lower_id < higher_id",
    ("chat", "chat_is_read_up_to_its_newest_message_at_most"): "lower_has_read BETWEEN 0 AND last_sequence AND higher_has_read BETWEEN 0 AND last_sequence",
    ("chat_message", "chat_message_counts_from_one"): "sequence >= 1",
    ("chat_message", "chat_message_says_something"): "text <> ''",
    ("notification", "notification_of_a_chat_message_names_its_chat"): "(kind = 'CHAT_MESSAGE') = (chat_id IS NOT NULL)",
}

INDEXES = {
    # One notification until it is read, not one for each message (H2).
    "notification_one_unread_of_a_chat": "UNIQUE INDEX {} ON notification (person_id, chat_id) WHERE read_at IS NULL AND chat_id IS NOT NULL",
    "notification_unread": "INDEX {} ON notification (person_id, id) WHERE read_at IS NULL",
}


class Migration(migrations.Migration):
    dependencies = [("models", "0007_availability")]

    operations = [
        ops.CreateModel(
            name="Chat",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                ("lower", reference("Person", "lower_id")),
                ("higher", reference("Person", "higher_id")),
                ("last_sequence", fields.IntField(default=0, description="The sequence of its newest message.")),
                ("lower_has_read", fields.IntField(default=0, description="The sequence of the newest message the lower one has read.")),
                ("higher_has_read", fields.IntField(default=0, description="The sequence of the newest message the higher one has read.")),
                ("active_at", fields.DatetimeField(description="When its newest message was sent, or else when it was opened.", auto_now=False, auto_now_add=False)),
            ],
            options={"table": "chat", "app": "models", "unique_together": (("lower_id", "higher_id"),), "indexes": [Index(fields=["lower_id", "active_at", "id"]), Index(fields=["higher_id", "active_at", "id"])], "pk_attr": "id", "table_description": "What two people write to each other; one for each pair, whichever sides they take in their meetings (H1)."},
            bases=["Model"],
        ),
        ops.CreateModel(
            name="ChatMessage",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                ("chat", reference("Chat", "chat_id")),
                ("sequence", fields.IntField(description="1, 2, 3 ... within its chat, without gaps.")),
                ("author", reference("Person", "author_id")),
                ("text", fields.TextField(unique=False)),
                ("sent_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={"table": "chat_message", "app": "models", "unique_together": (("chat_id", "sequence"),), "pk_attr": "id", "table_description": "Something one of the two wrote; never changed afterwards."},
            bases=["Model"],
        ),
        ops.AddField(model_name="Notification", name="chat", field=reference("Chat", "chat_id", null=True)),
        ops.RunSQL(
            [f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({check});" for (table, name), check in CHECKS.items()],
            reverse_sql=[f"ALTER TABLE {table} DROP CONSTRAINT {name};" for table, name in CHECKS],
        ),
        ops.RunSQL(
            [f"CREATE {index.format(name)};" for name, index in INDEXES.items()],
            reverse_sql=[f"DROP INDEX {name};" for name in INDEXES],
        ),
    ]
