"""Who may see a meeting, and on which side of it they are (T, W3)."""

from models import Meeting, Person
from rules.terms import Side


def side_of(meeting: Meeting, person: Person) -> Side | None:
    """The person's side of a meeting; None for everybody else, staff included."""
    if person.id == meeting.user_id:
        return Side.USER
    return Side.EXPERT if person.id == meeting.expert_id else None


def may_see(meeting: Meeting, viewer: Person) -> bool:
    """The two sides see their meeting, and staff see every meeting."""
    return viewer.is_staff or side_of(meeting, viewer) is not None
