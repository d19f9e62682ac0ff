"""What is open to whom, why not, and what it would bring: what is shown is what happens (Q3)."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import product
from typing import Any
from uuid import uuid4

import pytest

from rules.actions import MeetingAction
from rules.consequences import Consequences
from rules.terms import MeetingActionKind, Refusal, Side
from tests.rules.playing import (
    CHOOSER,
    DAY,
    KINDS,
    NOW,
    PRICE,
    PROPOSER,
    START,
    TICK,
    Play,
    agreed,
    play,
    rejected,
    shown,
)

HOUR = timedelta(hours=1)

WHO_MAY_DO_WHAT = """
                              approve    reject     cancel    choose   approve-alt reject-alt cancel-alt
  proposed, its proposer      ANSWERED   ANSWERED   -         STATUS   NONE        NONE       NONE
  proposed, the other         -          -          SIDE      STATUS   NONE        NONE       NONE
  agreed, its proposer        STATUS     STATUS     -         -        NONE        NONE       NONE
  agreed, the other           STATUS     STATUS     -         -        NONE        NONE       NONE
  rejected, its proposer      STATUS     STATUS     STATUS    -        STATUS      STATUS     STATUS
  rejected, the other         STATUS     STATUS     STATUS    -        STATUS      STATUS     STATUS
  cancelled, its proposer     STATUS     STATUS     STATUS    STATUS   STATUS      STATUS     STATUS
  cancelled, the other        STATUS     STATUS     STATUS    STATUS   STATUS      STATUS     STATUS
  agreed-alt, its chooser     STATUS     STATUS     -         PENDING  OWN         OWN        -
  agreed-alt, the other       STATUS     STATUS     -         PENDING  -           -          NOT_OWN
  rejected-alt, its chooser   PENDING    PENDING    -         STATUS   OWN         OWN        -
  rejected-alt, the other     PENDING    PENDING    SIDE      STATUS   -           -          NOT_OWN
"""
"Read from the spec. From the planned start on, what is - is MEETING_STARTED, and all else is as before (Q3)."

SHORT = {
    "ANSWERED": Refusal.ALREADY_ANSWERED,
    "STATUS": Refusal.WRONG_STATUS,
    "SIDE": Refusal.NOT_YOUR_SIDE,
    "NONE": Refusal.NO_ALTERNATIVE_DATE,
    "PENDING": Refusal.ALTERNATIVE_DATE_PENDING,
    "OWN": Refusal.OWN_ALTERNATIVE_DATE,
    "NOT_OWN": Refusal.NOT_OWN_ALTERNATIVE_DATE,
    "-": None,
}


def situations(situation: str) -> Iterator[tuple[Play, Side]]:
    """Every way to come into a situation, with the side that proposed or, since, chose."""
    for proposer, chooser in product(Side, Side):
        match situation:
            case "proposed":
                yield play(proposer), proposer
            case "agreed":
                yield agreed(proposer), proposer
                yield agreed(proposer, ("choose", chooser), ("reject alternative", chooser.other)), proposer
                yield agreed(proposer, ("choose", chooser), ("cancel alternative", chooser)), proposer
                yield agreed(proposer, ("choose", chooser), ("approve alternative", chooser.other)), proposer
                yield rejected(proposer, ("choose", chooser), ("approve alternative", chooser.other)), proposer
            case "rejected":
                yield rejected(proposer), proposer
                yield rejected(proposer, ("choose", chooser), ("reject alternative", chooser.other)), proposer
                yield rejected(proposer, ("choose", chooser), ("cancel alternative", chooser)), proposer
            case "cancelled":
                yield play(proposer, ("cancel", proposer)), proposer
                yield agreed(proposer, ("cancel", chooser)), proposer
                yield agreed(proposer, ("choose", chooser), ("cancel", chooser.other)), proposer
                yield rejected(proposer, ("choose", chooser), ("cancel", chooser)), proposer
            case "agreed-alt":
                yield agreed(proposer, ("choose", chooser)), chooser
            case "rejected-alt":
                yield rejected(proposer, ("choose", chooser)), chooser


def table() -> Iterator[Any]:
    for line in WHO_MAY_DO_WHAT.strip().splitlines()[1:]:
        who, cells = line[:28].strip(), line[28:].split()
        situation, role = who.split(", ")
        refusals = dict(zip(KINDS, (SHORT[cell] for cell in cells), strict=True))
        yield pytest.param(situation, role == "the other", refusals, id=who)


@pytest.mark.parametrize(("situation", "other", "refusals"), list(table()))
def test_q3_every_action_is_open_or_refused_for_the_first_of_all_reasons(
    situation: str, other: bool, refusals: dict[MeetingActionKind, Refusal | None]
):
    for played, by in situations(situation):
        side = by.other if other else by
        started = max(played.state.starts_at, START + 5 * DAY)
        for now in (NOW, started):
            seen = shown(played, side, now)
            for kind, refusal in refusals.items():
                expected = Refusal.MEETING_STARTED if refusal is None and now == started else refusal
                assert seen[kind].refusal is expected, (kind, played)
                if expected:
                    worst = {"available": 0, "conflicts": (uuid4(),)}
                    assert played.refused(KINDS[kind], side, now=now, **worst) is expected
                else:
                    Play(played.state, played.decision, dict(played.accounts)).do(KINDS[kind], side, now=now)


@PROPOSER
def test_q3_to_propose_again_is_always_open_to_both_sides(proposer: Side):
    again = MeetingAction(MeetingActionKind.PROPOSE_AGAIN)
    for played in (play(proposer), agreed(proposer), rejected(proposer), play(proposer, ("cancel", proposer))):
        for side, now in product(Side, (NOW, START + 1000 * DAY)):
            assert shown(played, side, now)[MeetingActionKind.PROPOSE_AGAIN] == again


@PROPOSER
def test_q3_nothing_of_it_is_staffs_to_do_but_to_decide(proposer: Side):
    for played in (play(proposer), agreed(proposer), rejected(proposer, ("choose", proposer))):
        for now in (NOW, START + DAY):
            seen = shown(played, None, now)
            assert seen.pop(MeetingActionKind.DECIDE).refusal is Refusal.WRONG_STATUS
            assert {action.refusal for action in seen.values()} == {Refusal.NOT_YOUR_SIDE}
            assert not any(action.consequences or action.closes_at for action in shown(played, None, now).values())


@PROPOSER
@CHOOSER
@pytest.mark.parametrize("chosen", [START - DAY, START + DAY])
def test_q3_what_time_will_close_says_when_to_the_microsecond(proposer: Side, chooser: Side, chosen: datetime):
    in_force, rejected_before = agreed(proposer), rejected(proposer)
    for played in (in_force, rejected_before):
        played.do("choose", chooser, starts_at=chosen)
    for played in (play(proposer), agreed(proposer), rejected(proposer), in_force, rejected_before):
        for side in Side:
            for kind, action in shown(played, side).items():
                assert action.refusal is None or action.closes_at is None
                if action.closes_at is None:
                    assert action.refusal or kind is MeetingActionKind.PROPOSE_AGAIN
                    continue
                assert shown(played, side, action.closes_at - TICK)[kind].refusal is None
                assert shown(played, side, action.closes_at)[kind].refusal is Refusal.MEETING_STARTED


def consequences(**changes: Any) -> Consequences:
    nothing = Consequences(
        credits_blocked=0,
        credits_returned_to_user=0,
        credits_deducted_from_user=0,
        credits_paid_to_expert=0,
        original_date_stays_in_force=False,
    )
    return replace(nothing, **changes)


NOTHING = consequences()
BLOCKS = consequences(credits_blocked=PRICE)
RETURNS = consequences(credits_returned_to_user=PRICE)
STAYS = consequences(original_date_stays_in_force=True)
FREE_UNTIL = START - 48 * HOUR
LATE = FREE_UNTIL + TICK
HALF = consequences(
    credits_returned_to_user=2000,
    credits_deducted_from_user=2000,
    credits_paid_to_expert=1600,
    acknowledgement_required=True,
)
U, E = Side.USER, Side.EXPERT


@pytest.mark.parametrize(
    ("played", "by", "action", "now", "expected"),
    [
        (play(U), E, "approve", NOW, NOTHING),
        (play(U), E, "reject", NOW, RETURNS),
        (play(U), U, "cancel", NOW, RETURNS),
        (play(U), U, "cancel", START - TICK, RETURNS),
        (play(E), U, "approve", NOW, BLOCKS),
        (play(E), U, "reject", NOW, NOTHING),
        (play(E), E, "cancel", NOW, NOTHING),
        (agreed(U), U, "choose", NOW, STAYS),
        (agreed(U), E, "choose", NOW, STAYS),
        (rejected(U), U, "choose", NOW, BLOCKS),
        (rejected(U), E, "choose", NOW, NOTHING),
        (agreed(U, ("choose", U)), E, "approve alternative", NOW, NOTHING),
        (agreed(U, ("choose", U)), E, "reject alternative", NOW, STAYS),
        (agreed(U, ("choose", U)), U, "cancel alternative", NOW, STAYS),
        (rejected(U, ("choose", U)), E, "approve alternative", NOW, NOTHING),
        (rejected(U, ("choose", U)), E, "reject alternative", NOW, RETURNS),
        (rejected(U, ("choose", U)), U, "cancel alternative", NOW, RETURNS),
        (rejected(U, ("choose", U)), U, "cancel", NOW, RETURNS),
        (rejected(E, ("choose", E)), U, "approve alternative", NOW, BLOCKS),
        (rejected(E, ("choose", E)), U, "reject alternative", NOW, NOTHING),
        (rejected(E, ("choose", E)), E, "cancel alternative", NOW, NOTHING),
        (rejected(E, ("choose", E)), E, "cancel", NOW, NOTHING),
        (agreed(U), U, "cancel", NOW, replace(RETURNS, free_until=FREE_UNTIL)),
        (agreed(U), U, "cancel", FREE_UNTIL, replace(RETURNS, free_until=FREE_UNTIL)),
        (agreed(U), U, "cancel", LATE, HALF),
        (agreed(U), E, "cancel", FREE_UNTIL, RETURNS),
        (agreed(U), E, "cancel", LATE, replace(RETURNS, acknowledgement_required=True)),
        (agreed(U, ("choose", E)), U, "cancel", LATE, HALF),
        (agreed(U, price=0), U, "cancel", NOW, NOTHING),
        (agreed(U, price=0), U, "cancel", LATE, consequences(acknowledgement_required=True)),
    ],
)
def test_q3_an_action_says_what_it_would_cost_and_bring(
    played: Play, by: Side, action: str, now: datetime, expected: Consequences
):
    (kind,) = [each for each, name in KINDS.items() if name == action]
    assert shown(played, by, now)[kind].consequences == expected
