"""What people are told, made of a notification's kind and facts in their language and on their own clock (N4)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rules.terms import Language, NotificationKind
from texts import N_, say
from texts.amounts import credits_text
from texts.times import period_text

Facts = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Text:
    """A notification as it is read."""

    title: str
    body: str


TITLES = {
    NotificationKind.EXPERT_MEETING_INVITATION: N_("{other} invites you to a meeting"),
    NotificationKind.USER_MEETING_INVITATION: N_("{other} would like to meet you"),
    NotificationKind.MEETING_APPROVED: N_("{other} has agreed to your proposal"),
    NotificationKind.MEETING_REJECTED: N_("{other} has turned down your proposal"),
    NotificationKind.PROPOSAL_LAPSED: N_("Your meeting with {other} was not agreed in time"),
    NotificationKind.MEETING_CANCELLED_BY_USER: N_("{other} has cancelled the meeting"),
    NotificationKind.MEETING_CANCELLED_BY_EXPERT: N_("{other} has cancelled the meeting"),
    NotificationKind.REJECTED_MEETING_RESCHEDULED: N_("{other} proposes an alternative date"),
    NotificationKind.AGREED_MEETING_RESCHEDULED: N_("{other} would like to move your meeting"),
    NotificationKind.ALTERNATIVE_DATE_APPROVED: N_("{other} has agreed to the alternative date"),
    NotificationKind.ALTERNATIVE_DATE_REJECTED: N_("{other} has turned down the alternative date"),
    NotificationKind.ALTERNATIVE_DATE_CANCELLED: N_("{other} has taken back the alternative date"),
    NotificationKind.ALTERNATIVE_DATE_LAPSED: N_("The alternative date with {other} was not agreed in time"),
    NotificationKind.MEETING_REMINDER: N_("Reminder: your meeting with {other}"),
    NotificationKind.MEETING_LINK: N_("Your link to the meeting with {other}"),
    NotificationKind.PROGRESS_REMINDER: N_("How was your meeting with {other}?"),
    NotificationKind.CREDITS_RECEIVED: N_("Credits for your meeting with {other}"),
    NotificationKind.PAYMENT_RETURNED: N_("Credits returned for your meeting with {other}"),
    NotificationKind.MEETING_SETTLED: N_("Your meeting with {other} has been settled"),
    NotificationKind.REFERRED_TO_EXPERTIM: N_("Expertim will decide about your meeting with {other}"),
    NotificationKind.CHAT_MESSAGE: N_("New message from {other}"),
}

BODIES = {
    NotificationKind.EXPERT_MEETING_INVITATION: N_(
        "{other} proposes “{service}” to you: {date}, for {price} credits."
        " You can approve or reject it until it begins."
    ),
    NotificationKind.USER_MEETING_INVITATION: N_(
        "{other} asks for “{service}”: {date}, for {price} credits. You can approve or reject it until it begins."
    ),
    NotificationKind.MEETING_APPROVED: N_("“{service}” with {other} is agreed: {date}."),
    NotificationKind.MEETING_REJECTED: N_(
        "“{service}” with {other} will not take place as proposed: {date}."
        " You can choose an alternative date until then."
    ),
    NotificationKind.PROPOSAL_LAPSED: N_(
        "The proposal was not answered before its planned start,"
        " so “{service}” with {other} will not take place: {date}."
    ),
    NotificationKind.MEETING_CANCELLED_BY_USER: N_("“{service}” with {other} will not take place: {date}."),
    NotificationKind.MEETING_CANCELLED_BY_EXPERT: N_("“{service}” with {other} will not take place: {date}."),
    NotificationKind.REJECTED_MEETING_RESCHEDULED: N_(
        "{other} has chosen an alternative date for “{service}”, which had been turned down: {alternative}."
        " You can approve or reject it until then."
    ),
    NotificationKind.AGREED_MEETING_RESCHEDULED: N_(
        "{other} has chosen an alternative date for “{service}”: {alternative}."
        " Until you approve it the agreed date stays valid: {date}."
    ),
    NotificationKind.ALTERNATIVE_DATE_APPROVED: N_(
        "“{service}” with {other} is agreed for the alternative date: {date}."
    ),
    NotificationKind.ALTERNATIVE_DATE_REJECTED: N_(
        "“{service}” with {other} stays rejected. Turned down: {alternative}."
    ),
    NotificationKind.ALTERNATIVE_DATE_CANCELLED: N_(
        "“{service}” with {other} stays rejected. No longer proposed: {alternative}."
    ),
    NotificationKind.ALTERNATIVE_DATE_LAPSED: N_(
        "The alternative date was not answered in time, so “{service}” with {other} stays rejected."
        " Lapsed: {alternative}."
    ),
    NotificationKind.MEETING_REMINDER: N_(
        "“{service}” with {other} is coming up: {date}. You will get your personal link shortly before it begins."
    ),
    NotificationKind.MEETING_LINK: N_(
        "“{service}” with {other}: {date}. Join by this link, which is for you alone: {join_url}"
    ),
    NotificationKind.PROGRESS_REMINDER: N_(
        "“{service}” with {other} is over: {date}. Please say how it went, so that it can be settled."
    ),
    NotificationKind.CREDITS_RECEIVED: N_("“{service}” with {other} has been settled: {date}."),
    NotificationKind.PAYMENT_RETURNED: N_("“{service}” with {other} has been settled: {date}."),
    NotificationKind.MEETING_SETTLED: N_("“{service}” with {other} has been settled: {date}."),
    NotificationKind.REFERRED_TO_EXPERTIM: N_(
        "What was said of “{service}” with {other} does not settle it: {date}."
        " Expertim's staff will decide what becomes of the credits."
    ),
    NotificationKind.CHAT_MESSAGE: N_("“{text}”"),
}

WITH_A_DATE_IN_FORCE = {
    NotificationKind.ALTERNATIVE_DATE_REJECTED: N_(
        "“{service}” with {other} stays at its agreed date: {date}. Turned down: {alternative}."
    ),
    NotificationKind.ALTERNATIVE_DATE_CANCELLED: N_(
        "“{service}” with {other} stays at its agreed date: {date}. No longer proposed: {alternative}."
    ),
    NotificationKind.ALTERNATIVE_DATE_LAPSED: N_(
        "The alternative date was not answered in time, so “{service}” with {other} stays at its agreed date: {date}."
        " Lapsed: {alternative}."
    ),
}
"Instead of the above, where an agreed date stays valid (R3)."

IN_ADDITION = {
    "reason": N_("Reason: {reason}."),
    "returned": N_("{returned} credits have been returned to you."),
    "received": N_("You receive {received} credits."),
    "paid": N_("{paid} credits have been paid."),
}
"Said after that, where there is such a fact."

UNPRINTABLE = re.compile("[\x00-\x08\x0e-\x1b\x7f\x80-\x84\x86-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"Control characters, and those that turn around the direction in which the rest of the sentence is read."


def notification_text(kind: NotificationKind, facts: Facts, language: Language, time_zone: str) -> Text:
    """A notification's title and body."""
    known = _readable(facts, language, time_zone)
    in_force = facts.get("original_date_in_force") and kind in WITH_A_DATE_IN_FORCE
    sentences = [WITH_A_DATE_IN_FORCE[kind] if in_force else BODIES[kind]]
    sentences += [sentence for name, sentence in IN_ADDITION.items() if name in facts]
    body = " ".join(say(sentence, language, **known) for sentence in sentences)
    return Text(say(TITLES[kind], language, **known), body)


def _readable(facts: Facts, language: Language, time_zone: str) -> dict[str, object]:
    """The facts as they stand in sentences."""
    known: dict[str, object] = {
        name: in_one_line(facts[name]) for name in ("other", "service", "text", "join_url") if name in facts
    }
    for name, prefix in (("date", ""), ("alternative", "alternative_")):
        if f"{prefix}starts_at" in facts:
            start, end = (datetime.fromisoformat(facts[f"{prefix}{edge}"]) for edge in ("starts_at", "ends_at"))
            known[name] = period_text(start, end, language, time_zone)
    for name in ("price", "returned", "received", "paid"):
        if name in facts:
            known[name] = credits_text(facts[name], language)
    if "reason" in facts:
        known["reason"] = in_one_line(facts["reason"][language]).removesuffix(".")
    return known


def in_one_line(words: str) -> str:
    """What people wrote, which must not disturb the sentence it stands in."""
    return " ".join(UNPRINTABLE.sub("", words).split())
