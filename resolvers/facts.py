"""What the rules are told of the rows."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from models import AlternativeDate, Meeting, ProgressRecord
from rules.meetings import Alternative, DueReminders, MeetingState
from rules.terms import CreditPaymentStatus, MeetingStatus


async def progress_of(meetings: Iterable[Meeting], now: datetime) -> dict[UUID, list[ProgressRecord]]:
    """What the sides have said of how each meeting went, who spoke first before the other (E1)."""
    held = [each.id for each in meetings if each.status is MeetingStatus.AGREED and each.ends_at <= now]
    found: dict[UUID, list[ProgressRecord]] = defaultdict(list)
    for row in await ProgressRecord.filter(meeting_id__in=held).order_by("recorded_at", "id") if held else ():
        found[row.meeting_id].append(row)
    return found


def state_of(
    meeting: Meeting, alternative: AlternativeDate | None, progress: Sequence[ProgressRecord] = ()
) -> MeetingState:
    """A meeting's row, that of its pending alternative date, and what was said of it, as the rules see them."""
    return MeetingState(
        status=meeting.status,
        credit_payment_status=meeting.credit_payment_status,
        user_answer=meeting.user_answer,
        expert_answer=meeting.expert_answer,
        starts_at=meeting.starts_at,
        ends_at=meeting.ends_at,
        price=meeting.price,
        proposed_by=meeting.proposed_by,
        alternative=_alternative_of(alternative) if alternative else None,
        progress=tuple((each.side, each.progress) for each in progress),
        referred=meeting.settlement_id is not None and meeting.credit_payment_status is CreditPaymentStatus.BLOCKED,
        due=DueReminders(meeting.reminder_due_at, meeting.link_due_at, meeting.progress_reminder_due_at),
    )


def _alternative_of(row: AlternativeDate) -> Alternative:
    return Alternative(
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        chosen_by=row.chosen_by,
        original_date_in_force=row.original_date_in_force,
        user_answer_before=row.user_answer_before,
        expert_answer_before=row.expert_answer_before,
    )
