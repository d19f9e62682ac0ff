"""What people read who want no more e-mails of a kind."""

from texts import N_
from texts.pages import PageText

ASK = PageText(
    N_("Receive no more of these e-mails?"),
    N_("They are called “{kind}”. You can still read them where you manage your meetings."),
)
DONE = PageText(
    N_("You receive no more of these e-mails"),
    N_("They are called “{kind}”. Where you manage your profile you can turn them on again."),
)
UNKNOWN = PageText(N_("There is no such link"), N_("Please check that you have all of it."))
BUTTON = N_("Receive no more of these")
