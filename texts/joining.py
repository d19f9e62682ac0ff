"""What people read when they open their link."""

from rules.joining import Standing
from texts import N_
from texts.pages import PageText

CLOSED = {
    Standing.TOO_EARLY: PageText(
        N_("It is too early to join"), N_("You can join from {opens_at} on. Start of the meeting: {starts_at}.")
    ),
    Standing.OVER: PageText(N_("This meeting is over"), N_("It could be joined until {closes_at}.")),
    Standing.REPLACED: PageText(
        N_("This link is no longer valid"),
        N_("The meeting was moved to another date, and has a new link. You find it where you manage your meetings."),
    ),
    Standing.NOT_AGREED: PageText(
        N_("This meeting was cancelled"), N_("It does not take place, and can't be joined any more.")
    ),
}

UNKNOWN = PageText(
    N_("There is no such link"),
    N_("Please check that you have all of it. You also find your link where you manage your meetings."),
)

JOIN = PageText(N_("Join your meeting"), N_("Start of the meeting: {starts_at}."))
JOIN_AGAIN = PageText(N_("Please press the button once more"), N_("This page was too old, or was used before."))
JOIN_BUTTON = N_("Join")

WAITING = PageText(
    N_("One moment, please"),
    N_("We have recorded that you are here. The room is not ready yet; this page goes on by itself as soon as it is."),
)
GO_ON = N_("Look again now")
