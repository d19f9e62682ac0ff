"""Keeping what was said of a meeting and what became of its price."""

from datetime import datetime
from typing import Any

from tortoise.connection import get_connection

from models import Meeting, ProgressRecord, Settlement
from resolvers.world import world
from rules.meetings import Decision
from rules.terms import Actor, Side


async def keep_progress(decision: Decision, meeting: Meeting, *, now: datetime) -> None:
    """Keep what a side said, if that is what was decided on (E1)."""
    if said := decision.recording:
        await ProgressRecord.create(
            id=world().new_id(),
            meeting_id=meeting.id,
            side=said.side,
            progress=said.progress,
            rating=said.rating,
            comment=said.comment,
            recorded_at=now,
        )


async def keep_settlement(decision: Decision, meeting: Meeting, *, note: str | None, now: datetime) -> None:
    """Keep that the meeting was settled or referred, or what staff decided then; a note is theirs (S, S4)."""
    settled = decision.settled
    if settled is None:
        return
    became: dict[str, Any] = {
        "outcome": settled.outcome,
        "paid_to_user": settled.paid_to_user,
        "paid_to_expert": settled.paid_to_expert,
        "fee": settled.fee,
        "note": note,
        "decided_by": None if settled.outcome is None else Actor.SYSTEM if note is None else Actor.EXPERTIM,
        "settled_at": None if settled.outcome is None else now,
    }
    if meeting.settlement_id is not None:
        await Settlement.filter(id=meeting.settlement_id).update(**became)
        return
    settlement = await Settlement.create(
        id=world().new_id(),
        meeting_id=meeting.id,
        user_said=decision.state.said(Side.USER),
        expert_said=decision.state.said(Side.EXPERT),
        referred_at=now if settled.outcome is None else None,
        **became,
    )
    meeting.settlement_id = settlement.id


async def next_staff_position() -> int:
    """The next number among what staff are told; whoever else needs one waits until this action is committed.

    The last lock of an action, so that it closes no circle.
    """
    rows = await get_connection("default").execute_query_dict(
        "UPDATE staff_feed SET head = head + 1 RETURNING head", []
    )
    return int(rows[0]["head"])
