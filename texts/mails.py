"""What an e-mail says beside the notification it tells of: its button, why it came, and how to have no more of them."""

from rules.terms import NotificationKind
from texts import N_

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


def button_label(kind: NotificationKind) -> str:
    """What the button says, in the words of the code."""
    return BUTTONS.get(kind, BUTTON)


def reason(kind: NotificationKind) -> str:
    """Why somebody receives it, in the words of the code."""
    return BECAUSE_OF_A_MESSAGE if kind is NotificationKind.CHAT_MESSAGE else BECAUSE_OF_A_MEETING
