"""What is written down instead of executed comes out just as if it had been executed."""

import json
from datetime import UTC, datetime
from typing import Any

import graphql
import pytest
from graphql import DocumentNode, ExecutionResult, Executor
from hypothesis import given, settings
from hypothesis import strategies as st

import models
from models.ids import uuid7
from rules.credits import HUNDREDTHS
from rules.terms import Actor, Answer, CreditPaymentStatus, Language, MeetingStatus, Side, TimelineEventKind
from schema.answers import answer_of
from schema.context import Context
from schema.meetings import Meeting, TimelineEvent
from schema.projecting import Project
from schema.pushing import _projection
from schema.root import SCHEMA
from schema.subscription import MeetingUpdate
from tests.driving import Service
from tests.examples import TIMES

NOW = datetime(2027, 3, 1, 12, 30, 15, 123_456, tzinfo=UTC)
OF_THE_EVENT = ("__typename", "id", "sequence", "kind", "label", "actor", "occurredAt", "credits", "note")
OF_THE_MEETING = (
    "__typename", "id", "version", "status", "creditPaymentStatus", "viewerSide", "startsAt", "endsAt",
    "durationMinutes", "price", "proposedBy", "userAnswer", "expertAnswer", "createdAt",
)  # fmt: skip


@pytest.fixture(scope="module")
def viewer(service: Service) -> models.Person:
    return models.Person(id=uuid7(), subject="uma", name="Uma", language=Language.DE, time_zone="Asia/Tokyo")


@pytest.fixture(scope="module")
def update(viewer: models.Person) -> MeetingUpdate:
    meeting = models.Meeting(
        id=uuid7(), user_id=viewer.id, expert_id=uuid7(), status=MeetingStatus.AGREED, version=3, price=40 * HUNDREDTHS,
        credit_payment_status=CreditPaymentStatus.BLOCKED, starts_at=NOW, ends_at=NOW, proposed_by=Side.USER,
        user_answer=Answer.APPROVED, expert_answer=Answer.PENDING, created_at=NOW, service_id=uuid7(), skill_id=uuid7(),
    )  # fmt: skip
    event = models.TimelineEvent(
        id=uuid7(), meeting_id=meeting.id, sequence=3, kind=TimelineEventKind.EXPERT_APPROVED, actor=Actor.EXPERT,
        occurred_at=NOW, credits=-5, note="„ungewöhnlich“\n\u2028",
    )  # fmt: skip
    return MeetingUpdate(cursor="a cursor", event=TimelineEvent.of(event, viewer), meeting=Meeting.of(meeting, viewer))


def projected(text: str, viewer: models.Person, **variables: Any) -> tuple[DocumentNode, Executor[Any], Project | None]:
    document = graphql.parse(text)
    assert not graphql.validate(SCHEMA, document)
    nobody: Any = None  # a projection asks nobody for anything
    context = Context(viewer, nobody)
    executor = Executor.build(SCHEMA, document, context_value=context, raw_variable_values=variables)
    assert isinstance(executor, Executor)
    return document, executor, _projection(executor)


def selections(fields: tuple[str, ...], *more: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    plain = st.builds(
        "{}{} {}".format,
        st.sampled_from(["", "", "renamed_a: ", "renamed_b: "]),
        st.sampled_from(fields),
        st.sampled_from(["", "", "@include(if: $yes)", "@skip(if: $yes)", "@skip(if: $no)"]),
    )
    return st.lists(st.one_of(plain, *more), min_size=1, max_size=8).map(" ".join)


def wrapped(kind: str, inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return inner.map(lambda fields: f"... on {kind} {{ {fields} }}") | inner.map(lambda fields: f"... {{ {fields} }}")


EVENTS = selections(OF_THE_EVENT, wrapped("TimelineEvent", selections(OF_THE_EVENT)))
MEETINGS = selections(OF_THE_MEETING, wrapped("Meeting", selections(OF_THE_MEETING)))
UPDATES = selections(
    ("cursor", "__typename"),
    EVENTS.map(lambda fields: f"event {{ {fields} }}"),
    EVENTS.map(lambda fields: f"happened: event {{ {fields} }}"),
    MEETINGS.map(lambda fields: f"meeting {{ {fields} }}"),
)


@settings(max_examples=75 * TIMES, deadline=None)
@given(fields=UPDATES, yes=st.booleans())
def test_whatever_is_at_hand_is_written_down_as_it_would_be_executed(
    viewer: models.Person, update: MeetingUpdate, fields: str, yes: bool
):
    text = f"subscription($yes: Boolean!, $no: Boolean = false) {{ told: myMeetingUpdates {{ {fields} }} }}"
    document = graphql.parse(text)
    if graphql.validate(SCHEMA, document, [*graphql.specified_rules]):
        return  # two that can't stand under one name, or a variable that is not used
    _, executor, project = projected(text, viewer, yes=yes)
    assert project is not None
    executed = graphql.execute_subscription_event(executor.build_per_event_executor(update))
    assert isinstance(executed, ExecutionResult)
    expected = answer_of(executed)
    assert "errors" not in expected
    written = {"data": project(update)}
    assert json.dumps(written) == json.dumps(expected), "in the order of the document, too"


@pytest.mark.parametrize(
    "fields",
    [
        "meeting { user { id } }",
        "meeting { conflicts { id } }",
        "meeting { actions { kind } }",
        "meeting { timeline { edges { cursor } } }",
        "event { person { id } }",
        "event { meeting { status } }",
        "cursor ...Later",
    ],
)
def test_what_must_be_loaded_is_executed(viewer: models.Person, fields: str):
    text = f"subscription {{ myMeetingUpdates {{ {fields} }} }}"
    if "...Later" in fields:
        text += " fragment Later on MeetingUpdate { meeting { settlement { __typename } } }"
    assert projected(text, viewer)[2] is None


def test_what_is_left_out_need_not_be_loaded(viewer: models.Person, update: MeetingUpdate):
    text = "subscription($all: Boolean!) { myMeetingUpdates { cursor meeting @include(if: $all) { user { id } } } }"
    assert projected(text, viewer, all=True)[2] is None
    project = projected(text, viewer, all=False)[2]
    assert project is not None
    assert project(update) == {"myMeetingUpdates": {"cursor": "a cursor"}}
