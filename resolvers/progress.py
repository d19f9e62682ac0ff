"""How held meetings went: saying so, and who is shown it when (E1-E3)."""

from collections.abc import Sequence
from functools import partial
from uuid import UUID

from models import Meeting, Person, ProgressRecord
from resolvers.acting import Attempt, Done
from resolvers.changing import change_meeting
from resolvers.facts import progress_of, state_of
from resolvers.visibility import side_of
from resolvers.world import world
from rules import progress as rules
from rules.terms import Progress, Side


async def record_progress(
    meeting_id: UUID, *, by: Person, attempt: Attempt, progress: Progress, rating: int | None, comment: str | None
) -> Done:
    """A side says, once, how the meeting went; if that settles it, it is settled at once (E1, S1)."""
    policy = world().policy
    return await change_meeting(
        meeting_id,
        by=by,
        attempt=attempt,
        rule=partial(rules.record, policy=policy, progress=progress, rating=rating, comment=comment),
        check_input=lambda now: rules.check_rating(rating, comment, policy),
    )


async def shown_progress(meetings: Sequence[Meeting], viewer: Person) -> dict[UUID, dict[Side, ProgressRecord]]:
    """What was said of each meeting, as far as the viewer is shown it now: staff all of it, a side by E3."""
    now, policy = await world().clock.now(), world().policy
    found = await progress_of(meetings, now)
    shown: dict[UUID, dict[Side, ProgressRecord]] = {}
    for each in meetings:
        records, to = found[each.id], side_of(each, viewer)
        state = state_of(each, None, records)
        shown[each.id] = {
            record.side: record
            for record in records
            if to is None or rules.shows_progress_of(record.side, state, to=to, now=now, policy=policy)
        }
    return shown
