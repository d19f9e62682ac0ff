"""What may be done with meetings right now, and by whom (Q3)."""

from collections.abc import Sequence
from uuid import UUID

from models import Meeting, Person
from resolvers.conflicts import pending_alternatives
from resolvers.facts import progress_of, state_of
from resolvers.visibility import side_of
from resolvers.world import world
from rules.actions import MeetingAction, actions


async def actions_of(meetings: Sequence[Meeting], viewer: Person) -> dict[UUID, tuple[MeetingAction, ...]]:
    """For each meeting every action there is, allowed or not, as things stand now for the viewer."""
    alternatives = await pending_alternatives(meetings)
    now, policy = await world().clock.now(), world().policy
    progress = await progress_of(meetings, now)
    return {
        each.id: actions(
            state_of(each, alternatives.get(each.id), progress.get(each.id, ())),
            by=side_of(each, viewer),
            now=now,
            policy=policy,
        )
        for each in meetings
    }
