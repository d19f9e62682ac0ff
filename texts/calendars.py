"""What calendars say of a meeting."""

from datetime import datetime

from rules.terms import Language, MeetingStatus
from texts import N_, say
from texts.notifications import in_one_line
from texts.times import period_text

NAME = N_("Meetings at Expertim")
"Of the calendar that can be subscribed to."

SUMMARY = N_("{service} with {other}")
SUMMARIES = {MeetingStatus.AWAITING_APPROVAL: N_("{service} with {other} (not agreed yet)")}

DESCRIPTIONS = {
    MeetingStatus.AWAITING_APPROVAL: N_("This date has been proposed, and is not agreed yet."),
    MeetingStatus.AGREED: N_("This meeting is agreed."),
    MeetingStatus.REJECTED: N_("This meeting will not take place."),
    MeetingStatus.CANCELLED: N_("This meeting will not take place."),
}
ALTERNATIVE = N_("An alternative date has been proposed: {alternative}. Until it is approved, this date stays valid.")
JOIN = N_("Join by this link, which is for you alone: {join_url}")
NOT_PASSED_ON = N_(
    "What you answer or change in your calendar is not passed on. Please do so where you manage your meetings."
)


def summary(status: MeetingStatus, *, service: str, other: str, language: Language) -> str:
    """A meeting in one line."""
    return say(SUMMARIES.get(status, SUMMARY), language, service=in_one_line(service), other=in_one_line(other))


def description(
    status: MeetingStatus,
    *,
    alternative: tuple[datetime, datetime] | None,
    join_url: str | None,
    language: Language,
    time_zone: str,
) -> str:
    """How the meeting stands, and what can be done."""
    sentences = [say(DESCRIPTIONS[status], language)]
    if alternative is not None:
        sentences.append(say(ALTERNATIVE, language, alternative=period_text(*alternative, language, time_zone)))
    if join_url is not None:
        sentences.append(say(JOIN, language, join_url=join_url))
    return "\n\n".join([*sentences, say(NOT_PASSED_ON, language)])
