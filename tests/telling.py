"""Everything that people are told of, played over the public API, and who is to be told what (N4)."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import product
from typing import Any

from tests.driving import Client, Service
from tests.negotiations import OTHER, Negotiation

START = {"days": 26, "hours": 10, "minutes": 30}
"An hour from 22:30 UTC on 27 March 2027: over midnight in Berlin, not in New York."
ALTERNATIVE = {"days": 26, "hours": 12, "minutes": 30}
"An hour from 00:30 UTC on 28 March 2027, in the middle of which Berlin's clocks are put forward."
EARLIER = {"days": 20}

Play = Callable[[Negotiation], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Telling:
    """Something that happens, and of what it is to notify whom."""

    name: str
    before: Play
    "All that must have happened."
    what: Play
    told: dict[str, str]
    "By side: the kind of the one notification they get."


def done(side: str, action: str, **given: Any) -> Play:
    """One side does it."""

    async def play(story: Negotiation) -> None:
        await story.do(side, action, **given)

    return play


def proposed(proposer: str, how: str = "") -> Play:
    """A proposal, as it is or answered by the other side."""

    async def play(story: Negotiation) -> None:
        await story.propose(proposer, startsAt=story.world.at(**START))
        if how:
            await story.do(OTHER[proposer], how)

    return play


def chosen(origin: str, chooser: str, **ahead: int) -> Play:
    """An alternative date that waits, of a meeting that the user proposed and the expert approved or rejected."""

    async def play(story: Negotiation) -> None:
        await proposed("USER", origin)(story)
        await story.choose(chooser, **(ahead or ALTERNATIVE))

    return play


def later(**time: int) -> Play:
    """So much time passes, and the worker does what is due."""

    async def play(story: Negotiation) -> None:
        story.world.clock.advance(**time)
        await story.world.beat()

    return play


def shortly_before(play: Play) -> Play:
    """The same, an hour and a half before the planned start."""

    async def late(story: Negotiation) -> None:
        story.world.clock.advance(days=26, hours=9)
        await play(story)

    return late


async def nothing(story: Negotiation) -> None:
    """Two people who have not met."""


async def met(story: Negotiation) -> None:
    """A meeting that came to nothing, from which its expert may propose another one (P2)."""
    await proposed("USER")(story)
    await story.do("USER", "cancelMeeting", reasonCode=None)


async def offered(story: Negotiation) -> None:
    """The expert proposes a meeting from the one before."""
    terms = {"startsAt": story.world.at(**START), "durationMinutes": 60, "price": "40.00"}
    result = await story.expert.offer(story.user, story.meeting["id"], **terms)
    assert result["__typename"] == "MeetingChanged", result
    story.meeting = result["meeting"]


ORIGINS = {"AGREED": "approveMeeting", "REJECTED": "rejectMeeting"}


def _proposals() -> list[Telling]:
    found = [
        Telling("P3 proposed by the USER", nothing, proposed("USER"), {"EXPERT": "USER_MEETING_INVITATION"}),
        Telling("P3 proposed by the EXPERT", met, offered, {"USER": "EXPERT_MEETING_INVITATION"}),
    ]
    for side, other in OTHER.items():
        it, word = f"by the {side}", side.lower()
        found += [
            Telling(f"A1 approved {it}", proposed(other), done(side, "approveMeeting"), {other: "MEETING_APPROVED"}),
            Telling(f"A3 rejected {it}", proposed(other), done(side, "rejectMeeting"), {other: "MEETING_REJECTED"}),
            Telling(
                f"P6 lapsed, proposed {it}", proposed(side), later(**START), dict.fromkeys(OTHER, "PROPOSAL_LAPSED")
            ),
            Telling(
                f"K1 the {word}'s proposal, taken back",
                proposed(side),
                done(side, "cancelMeeting", reasonCode=None),
                {other: f"MEETING_CANCELLED_BY_{side}"},
            ),
        ]
    return found


def _cancellations() -> list[Telling]:
    agreed, cancelled = proposed("USER", "approveMeeting"), {}
    for side, other in OTHER.items():
        cancelled[side] = {other: f"MEETING_CANCELLED_BY_{side}"}
    found = []
    for side in OTHER:
        call_off = done(side, "cancelMeeting", acknowledgeLateCancellation=True, reasonCode="ILLNESS")
        it = f"by the {side}"
        found += [
            Telling(f"K2 called off {it}", agreed, call_off, cancelled[side]),
            Telling(f"K5 called off {it}, late", agreed, shortly_before(call_off), cancelled[side]),
            Telling(
                f"K6 called off {it}, with an alternative date waiting",
                chosen("approveMeeting", OTHER[side]),
                call_off,
                cancelled[side],
            ),
            Telling(
                f"R2 cancelled {it}, who had revived it",
                chosen("rejectMeeting", side),
                done(side, "cancelMeeting", reasonCode=None),
                cancelled[side],
            ),
        ]
    return found


def _alternatives() -> list[Telling]:
    found = []
    for (origin, how), (side, other) in product(ORIGINS.items(), OTHER.items()):
        waiting = chosen(how, side)
        the_date = f"the {side}'s alternative to a date {origin.lower()}"
        choose = done(side, "chooseAlternativeDate", startsAt="2027-03-28T00:30:00Z")
        found += [
            Telling(
                f"R2 R3 {the_date}, chosen", proposed("USER", how), choose, {other: f"{origin}_MEETING_RESCHEDULED"}
            ),
            Telling(
                f"R4 {the_date}, approved",
                waiting,
                done(other, "approveAlternativeDate"),
                {side: "ALTERNATIVE_DATE_APPROVED"},
            ),
            Telling(
                f"R5 {the_date}, rejected",
                waiting,
                done(other, "rejectAlternativeDate", reasonCode="TOO_SHORT_NOTICE"),
                {side: "ALTERNATIVE_DATE_REJECTED"},
            ),
            Telling(
                f"R6 {the_date}, taken back",
                waiting,
                done(side, "cancelAlternativeDate"),
                {other: "ALTERNATIVE_DATE_CANCELLED"},
            ),
            Telling(
                f"R7 {the_date}, lapsed",
                chosen(how, side, **EARLIER),
                later(**EARLIER),
                dict.fromkeys(OTHER, "ALTERNATIVE_DATE_LAPSED"),
            ),
        ]
    return found


def both(play: Play, *plays: Play) -> Play:
    """One after the other."""

    async def one_after_the_other(story: Negotiation) -> None:
        for each in (play, *plays):
            await each(story)

    return one_after_the_other


def _reminders() -> list[Telling]:
    agreed = proposed("USER", "approveMeeting")
    a_day_before, an_hour_before = later(days=25, hours=10, minutes=30), later(hours=23)
    held = both(agreed, later(**START), later(hours=1))
    found = [
        Telling("N1 a day before", agreed, a_day_before, {"USER": "MEETING_REMINDER"}),
        Telling("N2 an hour before", both(agreed, a_day_before), an_hour_before, dict.fromkeys(OTHER, "MEETING_LINK")),
        Telling("N3 a day after", held, later(days=1), dict.fromkeys(OTHER, "PROGRESS_REMINDER")),
    ]
    for side, other in OTHER.items():
        unsettled = done(side, "recordProgress", progress="FAILED_BECAUSE_OF_EXPERTIM")
        name = f"N3 a day after, of which the {side} spoke"
        found.append(Telling(name, both(held, unsettled), later(days=1), {other: "PROGRESS_REMINDER"}))
    return found


async def in_a_chat(story: Negotiation) -> None:
    """The two have opened a chat."""
    await story.propose("USER", startsAt=story.world.at(**START))
    opened = await story.user.act("openChat", meetingId=story.meeting["id"])
    story.meeting["chat"] = opened["chat"]["id"]


def written(side: str, text: str) -> Play:
    """One of the two writes something."""

    async def play(story: Negotiation) -> None:
        sent = await story.side(side).act("sendChatMessage", chatId=story.meeting["chat"], text=text)
        assert sent["__typename"] == "ChatMessageSent", sent

    return play


def said(side: str, progress: str) -> Play:
    """One side says how it went."""
    return done(side, "recordProgress", progress=progress)


def over(*before: Play) -> Play:
    """An agreed meeting has just ended, and this was said of it."""

    async def play(story: Negotiation) -> None:
        await proposed("USER", "approveMeeting")(story)
        story.world.clock.advance(**{**START, "hours": START["hours"] + 1})
        for each in before:
            await each(story)

    return play


def decided(outcome: str) -> Play:
    """Staff decide."""

    async def play(story: Negotiation) -> None:
        staff = await story.world.somebody("Stella Staff", roles=["staff"])
        given = {"meetingId": story.meeting["id"], "outcome": outcome, "note": "We have looked at it."}
        result = await staff.act("decideSettlement", **given)
        assert result["__typename"] == "MeetingChanged", result

    return play


def _settlements() -> list[Telling]:
    paid = {"USER": "MEETING_SETTLED", "EXPERT": "CREDITS_RECEIVED"}
    returned = {"USER": "PAYMENT_RETURNED", "EXPERT": "MEETING_SETTLED"}
    both = {"USER": "PAYMENT_RETURNED", "EXPERT": "CREDITS_RECEIVED"}
    referred = dict.fromkeys(OTHER, "REFERRED_TO_EXPERTIM")
    theirs, failed = "FAILED_BECAUSE_OF_OTHER_PARTY", "FAILED_BECAUSE_OF_EXPERTIM"
    contested = said("USER", theirs)
    return [
        Telling("S1 paid, as the user says", over(), said("USER", "WENT_SMOOTHLY"), paid),
        Telling("S1 paid, as nobody says anything", over(), later(days=7), paid),
        Telling("S1 returned, as the expert says", over(), said("EXPERT", "FAILED_BECAUSE_OF_ME"), returned),
        Telling("S1 returned and compensated", over(said("USER", failed)), said("EXPERT", failed), both),
        Telling("S3 referred", over(contested), said("EXPERT", theirs), referred),
        Telling("S3 decided: paid", over(contested, said("EXPERT", theirs)), decided("PAY_EXPERT"), paid),
    ]


TELLINGS = [
    *_proposals(),
    *_cancellations(),
    *_alternatives(),
    *_settlements(),
    *_reminders(),
    Telling(
        "H2 written by the USER", in_a_chat, written("USER", "Hello!\nIs it “urgent”?"), {"EXPERT": "CHAT_MESSAGE"}
    ),
    Telling("H2 written by the EXPERT", in_a_chat, written("EXPERT", "Well, " * 50), {"USER": "CHAT_MESSAGE"}),
]
"Every kind there is, and every variant of it."


async def two_people(world: Service) -> Negotiation:
    """A user with 100 credits and an expert, who have nothing to do with one another yet."""
    uma = await world.somebody("Uma User", credits="100.00")
    return Negotiation(world, uma, await world.expert("Emil Expert"))


NOTIFICATIONS = """
query($unreadOnly: Boolean, $first: Int, $after: String) {
  notifications(unreadOnly: $unreadOnly, first: $first, after: $after) {
    edges { cursor node { ...Told } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}
"""
TOLD = "fragment Told on Notification { id kind title body createdAt readAt meeting { id } chat { id } }"


async def page_of_notifications(reader: Client, first: int | None = 100, **asked: Any) -> dict[str, Any]:
    """A page of what a person was told."""
    return (await reader.ask(NOTIFICATIONS + TOLD, first=first, **asked))["notifications"]


async def listed(reader: Client, **asked: Any) -> list[dict[str, Any]]:
    """What a person was told, newest first."""
    return [edge["node"] for edge in (await page_of_notifications(reader, **asked))["edges"]]
