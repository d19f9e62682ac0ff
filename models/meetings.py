"""Meetings, their timelines, and the reasons people give."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from models.ids import uuid7
from models.people import Person, Service, Skill
from models.references import reference
from rules.terms import (
    Actor,
    AlternativeDateStatus,
    Answer,
    CreditPaymentStatus,
    MeetingStatus,
    ReasonKind,
    Side,
    TimelineEventKind,
)

LONGEST_MEETING = timedelta(hours=24)
"Whatever the policy says: what overlaps an instant can be looked for by its start."


class Reason(Model):
    """An entry of a list that people choose from when they reject or cancel."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    kind = fields.CharEnumField(ReasonKind, max_length=20, description="Which list it is in.")
    code = fields.CharField(max_length=200)
    label_en = fields.CharField(max_length=200)
    label_de = fields.CharField(max_length=200)
    active = fields.BooleanField(default=True)
    place = fields.IntField(description="Where in its list it stands.")

    class Meta:
        table = "reason"
        unique_together = (("kind", "code"),)


class Meeting(Model):
    """A meeting of a user and an expert, from its proposal on."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    version = fields.IntField(description="The sequence of its newest timeline event.")
    status = fields.CharEnumField(MeetingStatus, max_length=20, description="Where the negotiation stands.")
    credit_payment_status = fields.CharEnumField(
        CreditPaymentStatus, max_length=30, description="What became of the price."
    )
    user: fields.ForeignKeyRelation[Person] = reference("Person")
    user_id: UUID
    expert: fields.ForeignKeyRelation[Person] = reference("Person")
    expert_id: UUID
    service: fields.ForeignKeyRelation[Service] = reference("Service")
    service_id: UUID
    skill: fields.ForeignKeyRelation[Skill] = reference("Skill")
    skill_id: UUID
    starts_at = fields.DatetimeField()
    ends_at = fields.DatetimeField()
    price = fields.BigIntField(description="Hundredths of a credit.")
    proposed_by = fields.CharEnumField(Side, max_length=10, description="Who started it.")
    user_answer = fields.CharEnumField(Answer, max_length=10, description="To the proposed date.")
    expert_answer = fields.CharEnumField(Answer, max_length=10, description="To the proposed date.")
    alternative: fields.ForeignKeyNullableRelation["AlternativeDate"] = reference("AlternativeDate", null=True)
    alternative_id: UUID | None
    "The alternative date that waits for an answer."
    reason: fields.ForeignKeyNullableRelation[Reason] = reference("Reason", null=True)
    reason_id: UUID | None
    settlement: fields.ForeignKeyNullableRelation[Any] = reference("Settlement", null=True)
    settlement_id: UUID | None
    "What became of its price, or that staff are to decide it."
    reminder_due_at = fields.DatetimeField(null=True, description="When to remind the user of it; null once done.")
    link_due_at = fields.DatetimeField(null=True, description="When to send both their links; null once done.")
    progress_reminder_due_at = fields.DatetimeField(
        null=True, description="When to remind whoever has not said how it went; null once done."
    )
    created_at = fields.DatetimeField()
    changed_at = fields.DatetimeField(description="When its newest timeline event occurred.")

    class Meta:
        table = "meeting"
        indexes = (
            Index(fields=("user_id", "starts_at", "id")),
            Index(fields=("expert_id", "starts_at", "id")),
        )


class AlternativeDate(Model):
    """A new date that one side chose for a meeting; at most one of them waits for an answer (R1)."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    meeting: fields.ForeignKeyRelation[Meeting] = reference("Meeting")
    meeting_id: UUID
    starts_at = fields.DatetimeField()
    ends_at = fields.DatetimeField()
    lapses_at = fields.DatetimeField(description="When it lapses if nobody answers it.")
    chosen_by = fields.CharEnumField(Side, max_length=10, description="Who chose it.")
    status = fields.CharEnumField(AlternativeDateStatus, max_length=20, description="What became of it.")
    original_date_in_force = fields.BooleanField(description="Whether an agreed date stays valid meanwhile.")
    user_answer_before = fields.CharEnumField(Answer, max_length=10, description="What it is again if this ends.")
    expert_answer_before = fields.CharEnumField(Answer, max_length=10, description="What it is again if this ends.")
    reason: fields.ForeignKeyNullableRelation[Reason] = reference("Reason", null=True)
    reason_id: UUID | None
    chosen_at = fields.DatetimeField()

    class Meta:
        table = "alternative_date"
        indexes = (Index(fields=("meeting_id", "id")),)


class TimelineEvent(Model):
    """One thing that happened to a meeting; never changed and never deleted."""

    id = fields.UUIDField(primary_key=True, default=uuid7)
    meeting: fields.ForeignKeyRelation[Meeting] = reference("Meeting")
    meeting_id: UUID
    sequence = fields.IntField(description="1, 2, 3 ... within its meeting, without gaps.")
    kind = fields.CharEnumField(TimelineEventKind, max_length=50, description="What happened.")
    actor = fields.CharEnumField(Actor, max_length=10, description="Who caused it.")
    person: fields.ForeignKeyNullableRelation[Person] = reference("Person", null=True)
    person_id: UUID | None
    occurred_at = fields.DatetimeField()
    alternative_date: fields.ForeignKeyNullableRelation[AlternativeDate] = reference("AlternativeDate", null=True)
    alternative_date_id: UUID | None
    credits = fields.BigIntField(null=True, description="What the expert received or the user got back, in hundredths.")
    reason: fields.ForeignKeyNullableRelation[Reason] = reference("Reason", null=True)
    reason_id: UUID | None
    note = fields.TextField(null=True)
    staff_position = fields.BigIntField(
        null=True, description="1, 2, 3 ... among what staff are told of all meetings; null otherwise."
    )

    class Meta:
        table = "timeline_event"
        unique_together = (("meeting_id", "sequence"),)
