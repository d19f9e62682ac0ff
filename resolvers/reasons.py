"""The lists of reasons to choose from, and how staff keep them (A3, K2, Q6)."""

from tortoise.connection import get_connection

from models import Person, Reason
from resolvers.acting import Attempt, Done, act
from resolvers.action import Action
from resolvers.world import world
from rules.inputs import check_text
from rules.problems import ActionRefused
from rules.terms import ReasonKind, Refusal


async def reasons(kind: ReasonKind) -> list[Reason]:
    """The list to choose from."""
    return await Reason.filter(kind=kind, active=True).order_by("place", "id")


async def save_reason(
    *, kind: ReasonKind, code: str, label_en: str, label_de: str, active: bool, by: Person, attempt: Attempt
) -> Done:
    """A new entry at the end of its list, a new label, or one taken off the list or put back (Q6)."""

    async def story(action: Action) -> Done:
        if not by.is_staff:
            raise ActionRefused(Refusal.STAFF_ONLY)
        attempt.check()
        at_most = world().policy.longest_name_characters
        texts = {"code": code, "labelEn": label_en, "labelDe": label_de}
        checked = [check_text(text, field, at_most=at_most) for field, text in texts.items()]
        rows = await get_connection("default").execute_query_dict(
            "INSERT INTO reason (id, kind, code, label_en, label_de, active, place)"
            " SELECT $1::uuid, $2::varchar, $3, $4, $5, $6::bool, COALESCE(MAX(place), 0) + 1"
            " FROM reason WHERE kind = $2::varchar"
            " ON CONFLICT (kind, code) DO UPDATE SET label_en = excluded.label_en, label_de = excluded.label_de,"
            " active = excluded.active RETURNING id",
            [world().new_id(), kind, *checked, active],
        )
        return Done(rows[0]["id"])

    return await act(attempt, by=by, story=story)
