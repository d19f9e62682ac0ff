"""What may happen next in the market of the model: sensible things mostly, and everything else that people try."""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from tests.journeys.model import Market
from tests.journeys.model_holding import EXPERTIMS, MINE, OUTCOMES, SMOOTH, THEIRS
from tests.journeys.model_state import (
    EXPERT,
    LATE,
    LINK_CLOSES_AFTER,
    LINK_OPENS_BEFORE,
    TIME_TO_RECORD,
    USER,
    Link,
    Meeting,
    Person,
)
from tests.journeys.opening import ALTERED, THEIR_OWN, UNASKED

Turn = tuple[str, dict[str, Any]]
"A method of Play, and what it is given."
Draw = Callable[[st.SearchStrategy[Any]], Any]

A_MOMENT = timedelta(microseconds=1)
SOON = [timedelta(hours=hours) for hours in (72, 49, 48, 24, 2, 0.2)]
"The nearest of them is near enough to be joined at once."
AHEAD = [*SOON, LATE + A_MOMENT, timedelta(0), timedelta(days=731)]
BESIDE = [*(timedelta(minutes=minutes) for minutes in (30, 60, -60, -30, 0)), A_MOMENT, -A_MOMENT]
KEYS = [None] * 6 + ["key 1", "key 2", "key 3"]
WORDS = [THEIRS, EXPERTIMS, THEIRS, EXPERTIMS, MINE, SMOOTH]
"Most often those that do not settle it at once."
NO_SUCH_REASON = "NO_SUCH_REASON"

MUTATIONS = {
    "APPROVE": "approveMeeting",
    "REJECT": "rejectMeeting",
    "CANCEL": "cancelMeeting",
    "CHOOSE_ALTERNATIVE_DATE": "chooseAlternativeDate",
    "APPROVE_ALTERNATIVE_DATE": "approveAlternativeDate",
    "REJECT_ALTERNATIVE_DATE": "rejectAlternativeDate",
    "CANCEL_ALTERNATIVE_DATE": "cancelAlternativeDate",
    "RECORD_PROGRESS": "recordProgress",
    "DECIDE": "decideSettlement",
}
OFTEN = dict.fromkeys(("REJECT", "CANCEL", "REJECT_ALTERNATIVE_DATE", "CANCEL_ALTERNATIVE_DATE"), 2) | {
    "APPROVE_ALTERNATIVE_DATE": 8
}
"How much more often than others: a story goes on less far after endings, and dates seldom move by themselves."
REASONS = {"CANCEL": "CANCELLATION", "REJECT": "REJECTION", "REJECT_ALTERNATIVE_DATE": "REJECTION"}


@st.composite
def turns(draw: Draw) -> Turn:
    """One of all that is possible as things stand, the more telling ones more often."""
    machine = draw(st.runner())
    market, people = machine.play.market, machine.play.people
    # What a page shows of them all is bounded, and so is patience.
    room = len(market.meetings) < 12
    room &= sum(each.status != "CANCELLED" and each.starts_at > market.now for each in market.meetings) < 6
    often = {
        go_on: 8 if market.to_do(people) else 0,
        try_something: 6 if market.meetings else 0,
        propose: 2 if room else 0,
        offer: 2 if room and market.meetings else 0,
        repeat: 2 if any(person.keys for person in people) else 0,
        grant: 1,
        tick: 4 if coming_instants(market) else 0,
        look: 1,
        follow: (6 if open_links(market) else 1) if market.links else 0,
        work: 3 if market.has_work() else 0,
        mail: 1 if any(each.status == "PENDING" for person in people for each in person.mails) else 0,
    }
    turn = one_of(draw, [turn for turn, times in often.items() for _ in range(times)])
    return turn(draw, market, people)


def one_of(draw: Draw, some: list[Any]) -> Any:
    return draw(st.sampled_from(some))


def mostly(draw: Draw) -> bool:
    return one_of(draw, [True, True, True, False])


# ── with a meeting ──


def go_on(draw: Draw, market: Market, people: list[Person]) -> Turn:
    """Somebody does what they may do, in good form."""
    to_do = market.to_do(people)
    kind = one_of(draw, [each for each in to_do for _ in range(OFTEN.get(each, 4))])
    by, meeting = one_of(draw, to_do[kind])
    given: dict[str, Any] = {"meeting": meeting}
    if kind == "CHOOSE_ALTERNATIVE_DATE":
        given["starts_at"] = instant(draw, market)
    if kind in REASONS:
        needed = kind != "CANCEL" or meeting.status == "AGREED"
        given["reason"] = min(market.reasons[REASONS[kind]]) if needed else None
    if kind in {"APPROVE", "APPROVE_ALTERNATIVE_DATE", "CANCEL"}:
        given["acknowledge"] = draw(st.booleans())
    if kind == "RECORD_PROGRESS":
        given |= word(draw, may_rate=by is meeting.sides[USER])
    if kind == "DECIDE":
        given |= {"outcome": one_of(draw, [*OUTCOMES]), "note": "So it is."}
    return "act", {"by": by, "action": MUTATIONS[kind], **given}


def try_something(draw: Draw, market: Market, people: list[Person]) -> Turn:
    """Somebody does what they may do, or anything at all, and gives for it what they please."""
    to_do = market.to_do(people)
    kind = one_of(draw, list(to_do) if to_do and mostly(draw) else list(MUTATIONS))
    meeting = one_of(draw, market.meetings[::-1])
    by = one_of(draw, list(meeting.sides.values()) if mostly(draw) else people)
    if kind in to_do and mostly(draw):
        by, meeting = one_of(draw, to_do[kind])
    given: dict[str, Any] = {"meeting": meeting, "key": one_of(draw, KEYS)}
    given["version"] = one_of(draw, [None] * 6 + [len(meeting.events), len(meeting.events) - 1])
    if kind == "CHOOSE_ALTERNATIVE_DATE":
        given["starts_at"] = instant(draw, market)
    if kind in REASONS:
        listed = market.reasons[REASONS[kind]]
        others = {code for codes in market.reasons.values() for code in codes} - listed
        # Only to cancel none need be given.
        right = [min(listed), None] if kind == "CANCEL" else [min(listed), max(listed)]
        given["reason"] = one_of(draw, right if mostly(draw) else [min(others), NO_SUCH_REASON])
    if kind in {"APPROVE", "APPROVE_ALTERNATIVE_DATE", "CANCEL"}:
        given["acknowledge"] = draw(st.booleans())
    if kind == "RECORD_PROGRESS":
        given |= word(draw, may_rate=True)
    if kind == "DECIDE":
        given |= {"outcome": one_of(draw, [*OUTCOMES]), "note": one_of(draw, ["So it is.", "x" * 2001])}
    return "act", {"by": by, "action": MUTATIONS[kind], **given}


def word(draw: Draw, *, may_rate: bool) -> dict[str, Any]:
    """How somebody says it went; a rating of 6 can't be given."""
    ratings = [{"rating": 5}, {"rating": 1, "comment": "Well."}, {"comment": "Well."}, {"rating": 6}]
    rated = one_of(draw, ratings) if may_rate and not mostly(draw) else {}
    return {"progress": one_of(draw, WORDS), **rated}


def repeat(draw: Draw, market: Market, people: list[Person]) -> Turn:
    """The same once more with the same key, or with one thing about it changed (I1)."""
    by, key = one_of(draw, [(person, key) for person in people for key in person.keys])
    (action, given), _ = by.keys[key]
    if not mostly(draw):
        given = given | ({"starts_at": market.now} if "starts_at" in given else {"version": 99})
    return "act", {"by": by, "action": action, "key": key, **given}


# ── a new meeting ──


def propose(draw: Draw, market: Market, people: list[Person]) -> Turn:
    """Mostly to an expert, and mostly for a service and a skill of theirs."""
    experts = [person for person in people if person.price is not None]
    to = one_of(draw, experts if mostly(draw) else people)
    by = one_of(draw, [each for each in people if each is not to] if mostly(draw) else people)
    service, skill = (to if to in experts and mostly(draw) else experts[0] for _ in range(2))
    given = {"expert": to, "service": service, "skill": skill, "starts_at": instant(draw, market)}
    return "act", {"by": by, "action": "proposeMeeting", "key": one_of(draw, KEYS), **given}


def offer(draw: Draw, market: Market, people: list[Person]) -> Turn:
    """Mostly by the expert of the meeting that it comes from."""
    meeting = one_of(draw, market.meetings)
    by = meeting.sides[EXPERT] if mostly(draw) else one_of(draw, people)
    own = by if by.price is not None else meeting.sides[EXPERT]
    given = {
        "meeting": meeting,
        "service": own,
        "skill": own,
        "starts_at": instant(draw, market),
        "minutes": one_of(draw, [30, 60, 5, 480]) if mostly(draw) else one_of(draw, [4, 481]),
        "price": Decimal(one_of(draw, ["12.55", "33.33", "0.01", "0.00", "0.03", "1000000.00", "1000000.01"])),
        "key": one_of(draw, KEYS),
    }
    return "act", {"by": by, "action": "proposeMeetingToUser", **given}


def instant(draw: Draw, market: Market) -> datetime:
    """So far ahead of now, or at or beside a date that somebody has."""
    agreed = [each.starts_at for each in market.meetings if each.status == "AGREED"]
    if (starts := agreed + dates(market.meetings)) and draw(st.booleans()):
        return one_of(draw, starts) + one_of(draw, BESIDE)
    return market.now + one_of(draw, SOON if mostly(draw) else AHEAD)


# ── links ──


def follow(draw: Draw, market: Market, people: list[Person]) -> Turn:
    """Mostly one that is open, and mostly by the person whose it is."""
    links = open_links(market)
    link = one_of(draw, links if links and mostly(draw) else market.links[::-1])
    return "open", {"link": link, "how": one_of(draw, [*THEIR_OWN] if mostly(draw) else [*UNASKED, *ALTERED])}


def open_links(market: Market) -> list[Link]:
    alive = [each for each in reversed(market.links) if not market.is_dead(each)]
    return [each for each in alive if not market.refusal(each.meeting, each.side, "JOIN")]


# ── credits, the clock and the worker ──


def grant(draw: Draw, market: Market, people: list[Person]) -> Turn:
    by = one_of(draw, [person for person in people if person.is_staff] if mostly(draw) else people)
    return "grant", {"by": by, "person": one_of(draw, people), "amount": one_of(draw, ["50.00", "33.34", "0.01"])}


def tick(draw: Draw, market: Market, people: list[Person]) -> Turn:
    """Mostly to the next instant at which something changes, or to a microsecond before or after it."""
    coming = coming_instants(market)
    now = one_of(draw, one_of(draw, [coming[:3], coming[:3], coming, coming[-6:]]))
    return "tick", {"now": now, "viewer": one_of(draw, list(one_of(draw, market.meetings).sides.values()))}


def coming_instants(market: Market) -> list[datetime]:
    near = {start - before for start in dates(market.meetings) for before in (LATE, timedelta(0))}
    for each in market.meetings:
        if each.status == "AGREED":
            near |= {each.starts_at - LINK_OPENS_BEFORE, each.ends_at, each.ends_at + LINK_CLOSES_AFTER}
            near |= {each.ends_at + TIME_TO_RECORD, *market.reminders(each).values()}
    all_of_them = {each + by for each in near for by in (-A_MOMENT, timedelta(0), A_MOMENT)}
    return sorted(each for each in all_of_them if each > market.now)


def dates(meetings: list[Meeting]) -> list[datetime]:
    """The starts that still mean something."""
    live = [each for each in meetings if each.status != "CANCELLED"]
    return [each.starts_at for each in live] + [each.pending.starts_at for each in live if each.pending]


def look(draw: Draw, market: Market, people: list[Person]) -> Turn:
    return "look", {"viewer": one_of(draw, people)}


def work(draw: Draw, market: Market, people: list[Person]) -> Turn:
    return "work", {}


def mail(draw: Draw, market: Market, people: list[Person]) -> Turn:
    return "mail", {}
