"""Credits: grants by staff."""

from uuid import UUID

from models import Person
from resolvers.acting import Attempt, Done, act
from resolvers.action import Action
from resolvers.world import world
from rules.credits import HUNDREDTHS
from rules.inputs import check_text
from rules.problems import ActionRefused, InvalidInput, NotFound
from rules.terms import AccountKind, CreditMovementKind, InvalidInputCode, Refusal


async def grant_credits(*, person_id: UUID, amount: int, note: str | None, by: Person, attempt: Attempt) -> Done:
    """Staff give a person credits, from the issuance account; hundredths of a credit (M4, P4)."""

    async def story(action: Action) -> Done:
        if not by.is_staff:  # before anything is said of the person
            raise ActionRefused(Refusal.STAFF_ONLY)
        people = await action.lock_people([person_id])
        person = people.get(person_id)
        if person is None:
            raise NotFound
        attempt.check()
        policy = world().policy
        checked_note = check_text(note or "", "note", at_most=policy.longest_note_characters, required=False) or None
        if not 0 < amount <= policy.highest_price_credits * HUNDREDTHS:
            raise InvalidInput("amount", InvalidInputCode.OUT_OF_RANGE)
        movement = action.move(
            CreditMovementKind.TOP_UP,
            debited=(AccountKind.ISSUANCE, None),
            credited=(AccountKind.AVAILABLE, person),
            amount=amount,
            note=checked_note,
        )
        return Done(movement.id)

    return await act(attempt, by=by, story=story)
