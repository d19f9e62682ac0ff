"""What the sides are reminded of, and when (N1-N3)."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from rules.meetings import NOTHING_DUE
from rules.policy import Policy
from rules.reminding import REMINDERS, still_due, still_right
from rules.terms import NotificationKind, Progress, SettlementOutcome, Side
from tests.rules.playing import CHOOSER, DAY, NOW, PROPOSER, START, TICK, Play, agreed, play, rejected

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
END = START + HOUR
OVER = END + 168 * HOUR
"When there is nothing more to say about how it went (E1)."

REMINDER = [("MEETING_REMINDER", Side.USER)]
LINKS = [("MEETING_LINK", Side.USER), ("MEETING_LINK", Side.EXPERT)]
PROGRESS = [("PROGRESS_REMINDER", Side.USER), ("PROGRESS_REMINDER", Side.EXPERT)]
NOTHING: list[tuple[str, Side]] = []

Told = list[tuple[str, Side]]


def told(played: Play, now: datetime) -> Told:
    """What a worker that looks now tells: whatever it is, only once, and without anything else happening."""
    before = played.state
    decision = played.remind(now)
    assert played.remind(now) is None, "once"
    if decision is None:
        assert played.state == before
        return []
    assert (decision.events, decision.movements, decision.settled, decision.recording) == ((), (), None, None)
    assert played.state != before
    return [(notice.kind.value, notice.to) for notice in decision.notices]


def told_all_along(played: Play, *instants: datetime) -> Told:
    """What a worker tells that looks just before each of these instants, and then."""
    return [each for instant in instants for now in (instant - TICK, instant) for each in told(played, now)]


def agreed_at(when: datetime, proposer: Side = Side.USER) -> Play:
    played = play(proposer)
    played.do("approve", proposer.other, now=when)
    return played


def moved_to(played: Play, start: datetime, now: datetime) -> Play:
    """The user chooses another date, and the expert approves it."""
    played.do("choose", Side.USER, now=now, starts_at=start)
    played.do("approve alternative", Side.EXPERT, now=now)
    return played


# When it is due


@PROPOSER
@pytest.mark.parametrize(
    ("due_at", "expected"), [(START - DAY, REMINDER), (START - HOUR, LINKS), (END + DAY, PROGRESS)]
)
def test_n1_n2_n3_each_thing_is_told_when_its_time_has_come_to_the_microsecond(
    proposer: Side, due_at: datetime, expected: Told
):
    played = agreed_at(NOW, proposer)
    for earlier in (START - DAY, START - HOUR, END + DAY):
        if earlier < due_at:
            told(played, earlier)
    assert told(played, due_at - TICK) == NOTHING
    assert told(played, due_at) == expected
    assert told(played, due_at + TICK) == NOTHING


def test_n1_n2_n3_all_along_each_is_told_once():
    instants = (START - DAY, START - HOUR, START, END, END + HOUR, END + DAY, OVER)
    assert told_all_along(agreed_at(NOW), *instants) == REMINDER + LINKS + PROGRESS


@pytest.mark.parametrize(
    ("before_the_start", "expected"),
    [
        (DAY + TICK, NOTHING),
        (DAY, REMINDER),
        (DAY - TICK, REMINDER),
        (HOUR + TICK, REMINDER),
        (HOUR, LINKS),
        (HOUR - TICK, LINKS),
        (TICK, LINKS),
    ],
    ids=str,
)
def test_n1_n2_agreed_late_it_is_told_at_once_and_no_reminder_if_the_link_is_due(
    before_the_start: timedelta, expected: Told
):
    when = START - before_the_start
    assert told(agreed_at(when), when) == expected


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (START - DAY - TICK, NOTHING),
        (START - DAY, REMINDER),
        (START - HOUR - TICK, REMINDER),
        (START - HOUR, LINKS),
        (START, LINKS),
        (END, LINKS),
        (END + HOUR - TICK, LINKS),
        (END + HOUR, NOTHING),
        (END + DAY - TICK, NOTHING),
        (END + DAY, PROGRESS),
        (OVER - TICK, PROGRESS),
        (OVER, NOTHING),
        (OVER + 1000 * DAY, NOTHING),
    ],
    ids=str,
)
def test_n1_n2_n3_of_several_things_due_at_once_only_what_is_still_right_is_told(now: datetime, expected: Told):
    """Nobody looked for long, or the clock was moved: no reminder of a link that comes, none that is over (L1), and
    none to say what can't be said any more (E1)."""
    played = agreed_at(NOW)
    assert told(played, now) == expected
    later = [each for each in (START - DAY, START - HOUR, END + DAY) if each > now]
    assert told_all_along(played, *later) == (REMINDER + LINKS + PROGRESS)[{3: 0, 2: 1, 1: 3, 0: 5}[len(later)] :]


# Whether it is still right


@pytest.mark.parametrize("by", list(Side))
@pytest.mark.parametrize("waiting", [False, True], ids=["plain", "with an alternative waiting"])
def test_n1_of_a_cancelled_meeting_nothing_is_told(by: Side, waiting: bool):
    played = agreed_at(NOW)
    if waiting:
        played.do("choose", Side.USER)
    played.do("cancel", by, now=START - DAY)
    assert played.state.due == NOTHING_DUE
    assert told_all_along(played, START - DAY, START - HOUR, END + DAY) == NOTHING


@PROPOSER
def test_n1_of_what_is_not_agreed_nothing_is_told(proposer: Side):
    for played in (play(proposer), rejected(proposer), rejected(proposer, ("choose", proposer))):
        assert played.state.due == NOTHING_DUE
        assert told_all_along(played, START - DAY, START - HOUR, END + DAY) == NOTHING


@pytest.mark.parametrize(
    ("side", "said"),
    [
        (Side.USER, Progress.WENT_SMOOTHLY),
        (Side.USER, Progress.FAILED_BECAUSE_OF_ME),
        (Side.EXPERT, Progress.FAILED_BECAUSE_OF_ME),
    ],
)
def test_n3_once_it_is_settled_nobody_is_reminded_to_say_how_it_went(side: Side, said: Progress):
    played = agreed_at(NOW)
    played.do("record", side, now=END, progress=said)
    assert played.state.due == NOTHING_DUE
    assert told_all_along(played, END + HOUR, END + DAY, OVER) == NOTHING


@pytest.mark.parametrize(
    ("side", "said"),
    [
        (Side.USER, Progress.FAILED_BECAUSE_OF_OTHER_PARTY),
        (Side.USER, Progress.FAILED_BECAUSE_OF_EXPERTIM),
        (Side.EXPERT, Progress.WENT_SMOOTHLY),
        (Side.EXPERT, Progress.FAILED_BECAUSE_OF_OTHER_PARTY),
        (Side.EXPERT, Progress.FAILED_BECAUSE_OF_EXPERTIM),
    ],
)
def test_n3_while_it_waits_only_who_has_not_spoken_is_reminded(side: Side, said: Progress):
    played = agreed_at(NOW)
    told_all_along(played, START - DAY, START - HOUR)
    played.do("record", side, now=END + DAY - TICK, progress=said)
    assert told_all_along(played, END + DAY, OVER) == [("PROGRESS_REMINDER", side.other)]


def test_n3_what_was_referred_is_not_settled_but_nobody_has_a_word_left():
    played = agreed_at(NOW)
    played.do("record", Side.USER, now=END, progress=Progress.FAILED_BECAUSE_OF_OTHER_PARTY)
    played.do("record", Side.EXPERT, now=END, progress=Progress.WENT_SMOOTHLY)
    assert played.state.referred
    assert told_all_along(played, END + DAY) == NOTHING
    played.decide(SettlementOutcome.PAY_EXPERT, now=END + DAY)
    assert told_all_along(played, END + 2 * DAY) == NOTHING


# Dates that change


@CHOOSER
@pytest.mark.parametrize("start", [START - 2 * DAY, START + 2 * DAY], ids=["earlier", "later"])
def test_r3_while_an_alternative_waits_the_date_in_force_counts(chooser: Side, start: datetime):
    played = agreed(Side.USER)
    played.do("choose", chooser, starts_at=start)
    if start < START:
        assert told_all_along(played, start - DAY, start - HOUR) == NOTHING
        played.lapse(start)
    assert told_all_along(played, START - DAY, START - HOUR) == REMINDER + LINKS


@pytest.mark.parametrize("moved_by", [-2 * DAY, 2 * DAY], ids=["earlier", "later"])
@pytest.mark.parametrize("already_told", [False, True])
def test_r4_of_a_moved_meeting_all_is_told_anew_for_the_new_date_and_nothing_of_the_old_one(
    moved_by: timedelta, already_told: bool
):
    played = agreed_at(NOW)
    now = START - 4 * DAY
    if already_told:
        now = min(START, START + moved_by) - HOUR
        told(played, now)
    moved_to(played, START + moved_by, now)
    expected = LINKS if already_told and moved_by < 0 * DAY else NOTHING
    assert told(played, now) == expected
    told_at = {}
    for instant in sorted(each + by for each in (START - DAY, START - HOUR, END + DAY) for by in (0 * DAY, moved_by)):
        if instant > now:
            told_at[instant - moved_by] = told_all_along(played, instant)
    due = {START - DAY: REMINDER, START - HOUR: LINKS, END + DAY: PROGRESS}
    if expected:
        due = {END + DAY: PROGRESS}
    assert {instant: each for instant, each in told_at.items() if each} == due


def test_r4_a_date_that_was_told_of_already_is_told_of_again_once_it_was_approved_again():
    """Every approval makes a date of its own, also of a start that was there before (N2)."""
    played = agreed_at(NOW)
    assert told_all_along(played, START - DAY) == REMINDER
    moved_to(played, START + DAY, START - DAY)
    assert told(played, START - DAY) == NOTHING, "a day and more before the new start"
    moved_to(played, START, START - DAY)
    assert told(played, START - DAY) == REMINDER
    assert told_all_along(played, START - HOUR) == LINKS
    moved_to(played, START + TICK, START - TICK)
    moved_to(played, START, START - TICK)
    assert told(played, START - TICK) == LINKS


@pytest.mark.parametrize("how", ["reject alternative", "cancel alternative", "lapse"])
def test_r5_r6_r7_an_alternative_that_comes_to_nothing_repeats_nothing(how: str):
    played = agreed_at(NOW)
    assert told_all_along(played, START - DAY) == REMINDER
    played.do("choose", Side.USER, now=START - DAY, starts_at=START - 2 * HOUR)
    if how == "lapse":
        played.lapse(START - 2 * HOUR)
    else:
        by = Side.EXPERT if how == "reject alternative" else Side.USER
        played.do(how, by, now=START - DAY)
    assert told_all_along(played, START - 2 * HOUR, START - HOUR, END + DAY) == LINKS + PROGRESS


@CHOOSER
def test_r2_a_revived_meeting_is_told_of_from_its_approval_on(chooser: Side):
    played = rejected(Side.USER, ("choose", chooser))
    assert told(played, START) == NOTHING
    played.do("approve alternative", chooser.other, now=START)
    assert told(played, START) == REMINDER, "a day before its new start"


# Other numbers


def by_policy(now: datetime, **numbers: int) -> Told:
    """What is told, by other numbers, of a meeting of which nothing was told before."""
    policy = Policy(**numbers)
    played = agreed_at(NOW)
    played.state = replace(played.state, due=still_due(played.decision, was_agreed=False, policy=policy))
    decision = played.remind(now, policy)
    return [(notice.kind.value, notice.to) for notice in decision.notices] if decision else NOTHING


def test_n1_where_links_come_before_reminders_there_are_no_reminders():
    assert by_policy(START - 90 * MINUTE - TICK, reminder_hours_before=1, link_minutes_before=90) == NOTHING
    assert by_policy(START - 90 * MINUTE, reminder_hours_before=1, link_minutes_before=90) == LINKS
    assert by_policy(START - HOUR, reminder_hours_before=1, link_minutes_before=90) == LINKS


def test_n3_where_speaking_ends_before_the_reminder_there_is_none():
    numbers = {"progress_reminder_hours_after": 48, "progress_hours": 48}
    assert by_policy(END + 48 * HOUR, **numbers) == NOTHING
    assert by_policy(END + 47 * HOUR, **numbers | {"progress_reminder_hours_after": 47}) == PROGRESS


def test_n1_n2_n3_every_number_is_the_policys():
    assert by_policy(START - 3 * HOUR, reminder_hours_before=3) == REMINDER
    assert by_policy(START - 3 * HOUR - TICK, reminder_hours_before=3) == NOTHING
    assert by_policy(END + 3 * HOUR, progress_reminder_hours_after=3) == PROGRESS
    assert by_policy(END + 3 * HOUR - TICK, progress_reminder_hours_after=3) == NOTHING


# Whether it is still right when its e-mail is sent


def still_to_be_mailed(played: Play, now: datetime, to: Side, told_of: datetime = START) -> set[str]:
    """Which reminders of that date may still go out to a side."""

    def still(kind: NotificationKind) -> bool:
        return still_right(kind, played.state, to=to, told_of=told_of, now=now, policy=Policy())

    return {kind.value for kind in REMINDERS if still(kind)}


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (START - HOUR - TICK, {"MEETING_REMINDER", "MEETING_LINK", "PROGRESS_REMINDER"}),
        (START - HOUR, {"MEETING_LINK", "PROGRESS_REMINDER"}),
        (END + HOUR - TICK, {"MEETING_LINK", "PROGRESS_REMINDER"}),
        (END + HOUR, {"PROGRESS_REMINDER"}),
        (OVER - TICK, {"PROGRESS_REMINDER"}),
        (OVER, set()),
    ],
    ids=[
        "an hour before",
        "its link is due",
        "the link is still good",
        "the link is over",
        "not settled yet",
        "settled",
    ],
)
def test_n1_n2_n3_what_was_told_goes_out_for_as_long_as_it_could_be_told(now: datetime, expected: set[str]):
    for side in Side:
        assert still_to_be_mailed(agreed_at(NOW), now, side) == expected


def test_n1_n2_n3_of_a_date_that_is_not_in_force_nothing_goes_out():
    cancelled = agreed_at(NOW)
    cancelled.do("cancel", Side.EXPERT, now=NOW)
    moved = moved_to(agreed_at(NOW), START + DAY, NOW)
    for side in Side:
        assert still_to_be_mailed(cancelled, NOW, side) == set()
        assert still_to_be_mailed(moved, NOW, side) == set()
        assert still_to_be_mailed(moved, NOW, side, told_of=START + DAY) == {kind.value for kind in REMINDERS}


def test_n3_who_has_spoken_meanwhile_is_not_asked_to_and_nobody_once_it_is_settled():
    played, now = agreed_at(NOW), END + DAY
    played.do("record", Side.USER, now=now, progress=Progress.FAILED_BECAUSE_OF_OTHER_PARTY)
    assert still_to_be_mailed(played, now, Side.USER) == set()
    assert still_to_be_mailed(played, now, Side.EXPERT) == {"PROGRESS_REMINDER"}
    settled = agreed_at(NOW)
    settled.do("record", Side.USER, now=now, progress=Progress.WENT_SMOOTHLY)
    assert still_to_be_mailed(settled, now, Side.EXPERT) == set()
