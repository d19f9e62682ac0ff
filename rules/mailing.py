"""What people are told by e-mail, and what of it they can do without (N)."""

from collections.abc import Collection
from datetime import datetime

from rules.problems import InvalidInput
from rules.terms import InvalidInputCode, MeetingStatus, NotificationKind

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

AHEAD_OF_A_MEETING = frozenset({NotificationKind.MEETING_REMINDER, NotificationKind.MEETING_LINK})


def wanted_by_mail(kind: NotificationKind, muted: Collection[str]) -> bool:
    """Whether somebody who has muted these kinds is told this by e-mail (N)."""
    return kind in ALWAYS_MAILED or kind not in muted


def check_muted(kinds: Collection[NotificationKind]) -> None:
    """Whether these can be muted."""
    if not ALWAYS_MAILED.isdisjoint(kinds):
        raise InvalidInput("mutedKinds", InvalidInputCode.UNKNOWN)


def still_right(
    kind: NotificationKind,
    *,
    told_of: datetime | None,
    status: MeetingStatus | None,
    starts_at: datetime | None,
    ends_at: datetime | None,
    now: datetime,
) -> bool:
    """Whether what leads to a meeting at that date still does: decided when it is sent, not before (N1, N2)."""
    if kind not in AHEAD_OF_A_MEETING:
        return True
    return status is MeetingStatus.AGREED and starts_at == told_of and ends_at is not None and now < ends_at
