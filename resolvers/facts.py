"""What the rules are told of the rows."""

from models import Meeting
from rules.meetings import MeetingState


def state_of(meeting: Meeting) -> MeetingState:
    """A meeting's row as the rules see it."""
    return MeetingState(
        status=meeting.status,
        credit_payment_status=meeting.credit_payment_status,
        user_answer=meeting.user_answer,
        expert_answer=meeting.expert_answer,
        starts_at=meeting.starts_at,
        ends_at=meeting.ends_at,
        price=meeting.price,
        proposed_by=meeting.proposed_by,
    )
