"""What people are told by e-mail, and what of it they can do without (N)."""

from collections.abc import Collection
from datetime import datetime

from rules.meetings import Decision, MeetingState, Notice
from rules.problems import InvalidInput
from rules.terms import Answer, InvalidInputCode, MeetingStatus, NotificationKind

ALWAYS_MAILED = frozenset(
    {
        NotificationKind.MEETING_CANCELLED_BY_USER,
        NotificationKind.MEETING_CANCELLED_BY_EXPERT,
        NotificationKind.CREDITS_RECEIVED,
        NotificationKind.PAYMENT_RETURNED,
        NotificationKind.MEETING_SETTLED,
        NotificationKind.REFERRED_TO_EXPERTIM,
    }
)
"What became of somebody's credits, and that a meeting they count on was called off."


def wanted_by_mail(kind: NotificationKind, muted: Collection[str]) -> bool:
    """Whether somebody who has muted these kinds is told this by e-mail (N)."""
    return kind in ALWAYS_MAILED or kind not in muted


def is_confirmed(notice: Notice, decision: Decision, *, before: MeetingState) -> bool:
    """Whether the other side, which brought about what one side is notified of, is sent an e-mail for their calendar.

    They are notified of nothing, so nothing else would bring it up to date (N, N4).
    """
    side = notice.to.other

    def shown(state: MeetingState) -> tuple[MeetingStatus, datetime, datetime] | None:
        is_shown = in_calendar(state.status, state.answer(side))
        return (state.status, state.starts_at, state.ends_at) if is_shown else None

    is_notified = any(each.to is side for each in decision.notices)
    return not is_notified and shown(before) != shown(decision.state)


def in_calendar(status: MeetingStatus, own_answer: Answer) -> bool:
    """Whether a side has it in their calendar: what is agreed, and what they are asked for, but not what they ask."""
    is_asked = status is MeetingStatus.AWAITING_APPROVAL and own_answer is Answer.PENDING
    return status is MeetingStatus.AGREED or is_asked


def check_muted(kinds: Collection[NotificationKind]) -> None:
    """Whether these can be muted."""
    if not ALWAYS_MAILED.isdisjoint(kinds):
        raise InvalidInput("mutedKinds", InvalidInputCode.UNKNOWN)
