"""Reminders: what the sides of an agreed meeting are told of as its date comes and goes, once for each date (N1-N3)."""

from dataclasses import replace
from datetime import datetime, timedelta

from rules.joining import window
from rules.meetings import NOTHING_DUE, Decision, DueReminders, MeetingFacts, MeetingState, Notice
from rules.policy import Policy
from rules.settling import settles_at
from rules.terms import AlternativeDateStatus, CreditPaymentStatus, MeetingStatus, NotificationKind, Side

REMINDERS = frozenset(
    {NotificationKind.MEETING_REMINDER, NotificationKind.MEETING_LINK, NotificationKind.PROGRESS_REMINDER}
)


def still_due(decision: Decision, *, was_agreed: bool, policy: Policy) -> DueReminders:
    """What the sides are to be reminded of after a decision: anew of each date that comes into force (R4, N2), and of
    nothing once the meeting was cancelled or settled."""
    state = decision.state
    if not _is_open(state):
        return NOTHING_DUE
    if not was_agreed or decision.alternative_became is AlternativeDateStatus.APPROVED:
        return _due(state, policy)
    return state.due


def remind(facts: MeetingFacts, *, now: datetime, policy: Policy) -> Decision | None:
    """Whatever is due by now is told if it is still right, and is not due any more; nothing if nothing is due."""
    state, due, notices = facts.state, facts.state.due, list[Notice]()
    if _has_come(due.link_due_at, now):
        # Who is told how to join needs no reminder that they soon will (N1).
        due = replace(due, link_due_at=None, reminder_due_at=None)
        if now < window(state.starts_at, state.ends_at, policy).closes_at:
            notices += [Notice(NotificationKind.MEETING_LINK, to=side) for side in Side]
    if _has_come(due.reminder_due_at, now):
        due = replace(due, reminder_due_at=None)
        notices.append(Notice(NotificationKind.MEETING_REMINDER, to=Side.USER))
    if _has_come(due.progress_reminder_due_at, now):
        due = replace(due, progress_reminder_due_at=None)
        if now < settles_at(state, policy):
            notices += [Notice(NotificationKind.PROGRESS_REMINDER, to=side) for side in Side if not state.said(side)]
    if due == state.due:
        return None
    return Decision(state=replace(state, due=due), events=(), notices=tuple(notices))


def still_right(
    kind: NotificationKind, state: MeetingState, *, to: Side, told_of: datetime, now: datetime, policy: Policy
) -> bool:
    """Whether a reminder of a date that was told a while ago may still go out: by the same as when it was told."""
    if not _is_open(state) or state.starts_at != told_of:
        return False
    match kind:
        case NotificationKind.MEETING_REMINDER:
            return not _has_come(_due(state, policy).link_due_at, now)
        case NotificationKind.MEETING_LINK:
            return now < window(state.starts_at, state.ends_at, policy).closes_at
        case NotificationKind.PROGRESS_REMINDER:
            return now < settles_at(state, policy) and not state.said(to)
    raise AssertionError("a reminder of another kind")


def _is_open(state: MeetingState) -> bool:
    """Agreed, and neither cancelled nor settled."""
    return state.status is MeetingStatus.AGREED and state.credit_payment_status is CreditPaymentStatus.BLOCKED


def _due(state: MeetingState, policy: Policy) -> DueReminders:
    """What is past already is due at once (N1, N2)."""
    return DueReminders(
        reminder_due_at=state.starts_at - timedelta(hours=policy.reminder_hours_before),
        link_due_at=state.starts_at - timedelta(minutes=policy.link_minutes_before),
        progress_reminder_due_at=state.ends_at + timedelta(hours=policy.progress_reminder_hours_after),
    )


def _has_come(due_at: datetime | None, now: datetime) -> bool:
    return due_at is not None and due_at <= now
