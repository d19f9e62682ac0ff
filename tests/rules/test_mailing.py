"""What is told by e-mail, and whether it still is right (N1, N2)."""

from datetime import UTC, datetime, timedelta

import pytest

from rules.mailing import AHEAD_OF_A_MEETING, ALWAYS_MAILED, check_muted, still_right, wanted_by_mail
from rules.problems import InvalidInput
from rules.terms import MeetingStatus, NotificationKind

START = datetime(2027, 3, 2, 12, tzinfo=UTC)
END = START + timedelta(hours=1)
TICK = timedelta(microseconds=1)


@pytest.mark.parametrize("kind", NotificationKind)
def test_a_muted_kind_is_not_mailed_unless_it_always_is(kind: NotificationKind):
    assert wanted_by_mail(kind, [])
    assert wanted_by_mail(kind, [kind.value]) == (kind in ALWAYS_MAILED)


@pytest.mark.parametrize("kind", NotificationKind)
def test_what_is_always_mailed_cannot_be_muted(kind: NotificationKind):
    if kind not in ALWAYS_MAILED:
        check_muted([kind])
        return
    with pytest.raises(InvalidInput):
        check_muted([NotificationKind.CHAT_MESSAGE, kind])


@pytest.mark.parametrize("kind", NotificationKind)
@pytest.mark.parametrize(
    ("status", "starts_at", "now", "right"),
    [
        (MeetingStatus.AGREED, START, START - timedelta(hours=1), True),
        (MeetingStatus.AGREED, START, END - TICK, True),
        (MeetingStatus.AGREED, START, END, False),
        (MeetingStatus.AGREED, START + TICK, START, False),
        (MeetingStatus.CANCELLED, START, START, False),
    ],
)
def test_n1_n2_what_leads_to_a_meeting_is_right_while_it_is_agreed_for_that_date_and_not_over(
    kind: NotificationKind, status: MeetingStatus, starts_at: datetime, now: datetime, right: bool
):
    ends_at = starts_at + (END - START)
    told = still_right(kind, told_of=START, status=status, starts_at=starts_at, ends_at=ends_at, now=now)
    assert told == (right or kind not in AHEAD_OF_A_MEETING)
