"""What the rules are told of the rows."""

from models import AlternativeDate, Meeting
from rules.meetings import Alternative, MeetingState


def state_of(meeting: Meeting, alternative: AlternativeDate | None) -> MeetingState:
    """A meeting's row, and that of its pending alternative date, as the rules see them."""
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
