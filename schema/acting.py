"""What all mutations share: the attempt they make of their input, and the answer they give."""

import dataclasses
import hashlib
import json
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeVar
from uuid import UUID

import strawberry

from models.transactions import snapshot
from resolvers.acting import Attempt, Done
from resolvers.listing import events_between
from rules import problems
from schema.ahead import found, look_ahead
from schema.context import Info
from schema.meetings import Meeting, TimelineEvent
from schema.problems import (
    ActionRefused,
    ConflictsFound,
    IdempotencyKeyReused,
    InsufficientCredits,
    InvalidInput,
    LateCancellation,
    NotFound,
    Problem,
    StaleVersion,
    as_data,
)

Success = TypeVar("Success")


@strawberry.type
class MeetingChanged:
    """The meeting as it is now, and the events this call recorded."""

    meeting: Meeting = strawberry.field(description="As it is now; after a repetition, later than the events (I1).")
    events: list[TimelineEvent] = strawberry.field(
        description="What this call recorded, oldest first; the same ones after a repetition (I1)."
    )


MeetingResult = Annotated[
    MeetingChanged
    | NotFound
    | ActionRefused
    | ConflictsFound
    | LateCancellation
    | InsufficientCredits
    | InvalidInput
    | StaleVersion
    | IdempotencyKeyReused,
    strawberry.union("MeetingResult", description="All mutations of one meeting answer with this union."),
]


def attempt(action: str, given: Any) -> Attempt:
    """The attempt that this input makes at an action.

    What is left out and what is given as its default are one input, also after a field was added to the contract.
    """
    content = {
        field.name: value
        for field in dataclasses.fields(given)
        if (value := getattr(given, field.name)) != field.default and field.name != "idempotency_key"
    }
    digest = hashlib.sha256(json.dumps([action, content], default=str, sort_keys=True).encode()).digest()
    return Attempt(digest, idempotency_key=given.idempotency_key, expected_version=content.get("expected_version"))


async def answer(
    info: Info,
    action: Awaitable[Done],
    succeeded: Callable[[Done], Awaitable[Success]],
    *,
    meeting_id: UUID | None = None,
) -> Success | Problem:
    """What the action made, or the problem that stood in its way."""
    info.context.forget()  # what an earlier mutation of the same request loaded may have changed
    try:
        done = await action
    except problems.Problem as problem:
        async with snapshot():
            return await look_ahead(info, await as_data(problem, info.context, meeting_id=meeting_id))
    async with snapshot():
        return await look_ahead(info, await succeeded(done))


async def meeting_answer(info: Info, action: Awaitable[Done], *, meeting_id: UUID | None = None) -> MeetingResult:
    """The answer of every mutation of one meeting."""

    async def changed(done: Done) -> MeetingChanged:
        assert done.first_event is not None
        assert done.last_event is not None
        known = await found(info.context, Meeting, [done.made_id])
        events = await events_between(done.made_id, done.first_event, done.last_event)
        return MeetingChanged(
            meeting=known[done.made_id], events=[info.context.show(TimelineEvent, event) for event in events]
        )

    return await answer(info, action, changed, meeting_id=meeting_id)  # type: ignore[return-value]
