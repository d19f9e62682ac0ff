"""What an e-mail says beside the notification it tells of: its button, why it came, and how to have no more of them."""

from rules.terms import Language, NotificationKind
from texts import N_, say
from texts.notifications import IN_ADDITION, Facts, Text, in_one_line, notification_text

SENDER = "Expertim"

BUTTON = N_("View the meeting")
BUTTONS = {
    NotificationKind.EXPERT_MEETING_INVITATION: N_("View and answer"),
    NotificationKind.USER_MEETING_INVITATION: N_("View and answer"),
    NotificationKind.REJECTED_MEETING_RESCHEDULED: N_("View and answer"),
    NotificationKind.AGREED_MEETING_RESCHEDULED: N_("View and answer"),
    NotificationKind.MEETING_REJECTED: N_("Choose an alternative date"),
    NotificationKind.MEETING_LINK: N_("Join the meeting"),
    NotificationKind.PROGRESS_REMINDER: N_("Say how it went"),
    NotificationKind.CHAT_MESSAGE: N_("Read and answer"),
}
"Where there is something to do, what it is."

BECAUSE_OF_A_MEETING = N_("You receive this e-mail because it is about a meeting of yours at Expertim.")
BECAUSE_OF_A_MESSAGE = N_("You receive this e-mail because somebody has written to you at Expertim.")
CAN_BE_MUTED = N_("It is one of those called “{kind}”.")
MUTE = N_("Receive no more of these")
ALWAYS_MAILED = N_("What is about your credits, and cancellations, always reach you by e-mail.")

KINDS = {
    NotificationKind.EXPERT_MEETING_INVITATION: N_("Invitations by experts"),
    NotificationKind.USER_MEETING_INVITATION: N_("Requests from users"),
    NotificationKind.MEETING_APPROVED: N_("Agreed proposals"),
    NotificationKind.MEETING_REJECTED: N_("Rejected proposals"),
    NotificationKind.PROPOSAL_LAPSED: N_("Proposals that nobody answered"),
    NotificationKind.MEETING_CANCELLED_BY_USER: N_("Cancellations by users"),
    NotificationKind.MEETING_CANCELLED_BY_EXPERT: N_("Cancellations by experts"),
    NotificationKind.REJECTED_MEETING_RESCHEDULED: N_("Alternative dates for rejected meetings"),
    NotificationKind.AGREED_MEETING_RESCHEDULED: N_("Alternative dates for agreed meetings"),
    NotificationKind.ALTERNATIVE_DATE_APPROVED: N_("Agreed alternative dates"),
    NotificationKind.ALTERNATIVE_DATE_REJECTED: N_("Rejected alternative dates"),
    NotificationKind.ALTERNATIVE_DATE_CANCELLED: N_("Alternative dates that were taken back"),
    NotificationKind.ALTERNATIVE_DATE_LAPSED: N_("Alternative dates that nobody answered"),
    NotificationKind.MEETING_REMINDER: N_("Reminders a day before a meeting"),
    NotificationKind.MEETING_LINK: N_("Links shortly before a meeting"),
    NotificationKind.PROGRESS_REMINDER: N_("Reminders to say how a meeting went"),
    NotificationKind.CREDITS_RECEIVED: N_("Credits received"),
    NotificationKind.PAYMENT_RETURNED: N_("Credits returned"),
    NotificationKind.MEETING_SETTLED: N_("Settled meetings"),
    NotificationKind.REFERRED_TO_EXPERTIM: N_("Meetings that Expertim decides about"),
    NotificationKind.CHAT_MESSAGE: N_("New chat messages"),
}
"What each kind is called where it can be turned off."

CONFIRMATIONS = {
    NotificationKind.MEETING_APPROVED: N_("You have agreed to the meeting with {other}"),
    NotificationKind.MEETING_REJECTED: N_("You have turned down the meeting with {other}"),
    NotificationKind.MEETING_CANCELLED_BY_USER: N_("You have cancelled the meeting with {other}"),
    NotificationKind.MEETING_CANCELLED_BY_EXPERT: N_("You have cancelled the meeting with {other}"),
    NotificationKind.ALTERNATIVE_DATE_APPROVED: N_("You have agreed to the alternative date with {other}"),
    NotificationKind.ALTERNATIVE_DATE_REJECTED: N_("You have turned down the alternative date with {other}"),
}
"What somebody did of which the other side gets such a notification."
ONE_SIDES_OWN = IN_ADDITION.keys() - {"reason"}
"What came of it for the side that was notified, and is nothing to the other."


def button_label(kind: NotificationKind) -> str:
    """What the button says, in the words of the code."""
    return BUTTONS.get(kind, BUTTON)


def reason(kind: NotificationKind) -> str:
    """Why somebody receives it, in the words of the code."""
    return BECAUSE_OF_A_MESSAGE if kind is NotificationKind.CHAT_MESSAGE else BECAUSE_OF_A_MEETING


def confirmation_text(kind: NotificationKind, facts: Facts, language: Language, time_zone: str) -> Text:
    """The same to the side that brought it about, once the facts name the other: what they did, and how it stands."""
    shared = {name: fact for name, fact in facts.items() if name not in ONE_SIDES_OWN}
    title = say(CONFIRMATIONS[kind], language, other=in_one_line(facts["other"]))
    return Text(title, notification_text(kind, shared, language, time_zone).body)
