"""Credits: what moved on people's accounts, and grants by staff."""

from collections.abc import Sequence
from uuid import UUID

from tortoise.connection import get_connection

from models import CreditMovement, Person
from resolvers.acting import Attempt, Done, act
from resolvers.action import Action
from resolvers.cursors import decode_cursor, encode_cursor
from resolvers.paging import Page, check_first, page_of
from resolvers.world import world
from rules.credits import HUNDREDTHS
from rules.inputs import check_text
from rules.problems import ActionRefused, InvalidInput, NotFound
from rules.terms import AccountKind, CreditMovementKind, InvalidInputCode, Refusal

MOVEMENTS = "movements"
AFTER_ALL = UUID(int=2**128 - 1)

# Each holder's newest from each of two indexes, which have all that this asks of them; what went from one of a
# holder's accounts to the other is in both.
NEWEST_MOVEMENTS = """
SELECT holder.id AS holder_id, movement.*
FROM unnest($1::uuid[]) AS holder(id)
CROSS JOIN LATERAL (
    (SELECT id FROM credit_movement WHERE debited_person_id = holder.id AND id < $2 ORDER BY id DESC LIMIT $3)
    UNION
    (SELECT id FROM credit_movement WHERE credited_person_id = holder.id AND id < $2 ORDER BY id DESC LIMIT $3)
    ORDER BY id DESC LIMIT $3
) AS newest
JOIN credit_movement AS movement ON movement.id = newest.id
ORDER BY movement.id DESC
"""


async def movements_of(
    holder_ids: Sequence[UUID], *, first: int | None, after: str | None
) -> dict[UUID, Page[CreditMovement]]:
    """A page of each person's credit movements, newest first (M4): in the order of their ids, which grow with time.

    A cursor is of one account: with `after` there is one holder.
    """
    count = check_first(first, 50)
    place = AFTER_ALL
    if after is not None:
        (holder_id,) = holder_ids
        place = decode_cursor(after, stream=MOVEMENTS, owner=holder_id, read=UUID)
    found: dict[UUID, list[CreditMovement]] = {each: [] for each in holder_ids}
    for row in await get_connection("default").execute_query_dict(
        NEWEST_MOVEMENTS, [list(holder_ids), place, count + 1]
    ):
        found[row.pop("holder_id")].append(CreditMovement(**row))

    def page(holder_id: UUID, rows: Sequence[CreditMovement]) -> Page[CreditMovement]:
        return page_of(rows, lambda row: encode_cursor(MOVEMENTS, holder_id, str(row.id)), count=count, after=after)

    return {holder_id: page(holder_id, rows) for holder_id, rows in found.items()}


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
