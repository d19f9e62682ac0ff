"""What stands in the way of an action, as data; here and nowhere else a rule's Problem becomes a client's."""

from uuid import UUID

import strawberry

from resolvers.listing import visible_meeting
from rules import problems
from rules.terms import InvalidInputCode
from rules.terms import Refusal as RefusalKind
from schema.actions import Consequences
from schema.ahead import found
from schema.context import Context
from schema.meetings import Meeting
from schema.scalars import Credits
from texts.problems import problem_text


@strawberry.interface
class Problem:
    """What went wrong, as data: every result is a union of what succeeded and the problems that can be in its way."""

    message: str = strawberry.field(description="For people, in the viewer's language.")


@strawberry.type
class NotFound(Problem):
    """No such thing, or not the viewer's to see: the two are never told apart."""


@strawberry.type
class ActionRefused(Problem):
    """The action is not open to the viewer now (Q3)."""

    refusal: RefusalKind = strawberry.field(description="Why, for programs; of several the first.")
    current_meeting: Meeting | None = strawberry.field(description="As it stands, when the refusal concerns one.")


@strawberry.type
class ConflictsFound(Problem):
    """Approving would overlap agreed meetings of the viewer; approve again with `acknowledgeConflicts` (C2)."""

    conflicts: list[Meeting] = strawberry.field(description="The viewer's own agreed meetings, and nobody else's.")


@strawberry.type
class LateCancellation(Problem):
    """So near its start the meeting is cancelled only with `acknowledgeLateCancellation`; nothing has changed (K4)."""

    consequences: Consequences = strawberry.field(description="What cancelling it now would bring about.")


@strawberry.type
class InsufficientCredits(Problem):
    """The viewer's available credits don't cover the price (P1, A1)."""

    required: Credits = strawberry.field(description="What the action would block.")
    available: Credits = strawberry.field(description="What the viewer has.")
    missing: Credits = strawberry.field(description="How much more the viewer would need.")


@strawberry.type
class InvalidInput(Problem):
    """A field of the input can't be used (P4)."""

    field: str = strawberry.field(description="As it is called in the input, e.g. startsAt.")
    code: InvalidInputCode = strawberry.field(description="What is wrong with it, for programs.")


@strawberry.type
class StaleVersion(Problem):
    """The meeting has moved on since expectedVersion."""

    meeting: Meeting = strawberry.field(description="As it is now, with the version to act on.")


@strawberry.type
class IdempotencyKeyReused(Problem):
    """The idempotency key was used before with another input (I1)."""


async def as_data(problem: problems.Problem, context: Context, *, meeting_id: UUID | None) -> Problem:
    """The problem as the client sees it; `meeting_id` is the meeting that the action was about."""
    context.problem = type(problem).__name__
    message = problem_text(problem, context.viewer.language)
    match problem:
        case problems.NotFound():
            return NotFound(message=message)
        case problems.ActionRefused(refusal=refusal):
            row = await visible_meeting(meeting_id, context.viewer) if meeting_id else None
            current = context.show(Meeting, row) if row else None
            return ActionRefused(message=message, refusal=refusal, current_meeting=current)
        case problems.ConflictsFound(meeting_ids=ids):
            known = await found(context, Meeting, ids)
            return ConflictsFound(message=message, conflicts=[known[each] for each in ids])
        case problems.LateCancellation(consequences=known_consequences):
            return LateCancellation(message=message, consequences=Consequences.of(known_consequences, ()))
        case problems.InsufficientCredits(required=required, available=available, missing=missing):
            return InsufficientCredits(
                message=message, required=Credits(required), available=Credits(available), missing=Credits(missing)
            )
        case problems.InvalidInput(field=field, code=code):
            return InvalidInput(message=message, field=field, code=code)
        case problems.StaleVersion():
            assert meeting_id is not None
            known = await found(context, Meeting, [meeting_id])
            return StaleVersion(message=message, meeting=known[meeting_id])
        case problems.IdempotencyKeyReused():
            return IdempotencyKeyReused(message=message)
    raise AssertionError(f"{type(problem).__name__} has no form as data")
