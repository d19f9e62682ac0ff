"""What is told by e-mail (N)."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from rules.lapsing import lapse
from rules.mailing import ALWAYS_MAILED, check_muted, is_confirmed, wanted_by_mail
from rules.meetings import Decision, MeetingState
from rules.problems import InvalidInput, Problem
from rules.terms import Answer, MeetingStatus, NotificationKind, Side
from tests.rules.playing import ACTIONS, Play, play
from texts.mails import CONFIRMATIONS

START = datetime(2027, 3, 2, 12, tzinfo=UTC)
END = START + timedelta(hours=1)
TICK = timedelta(microseconds=1)


@pytest.mark.parametrize("kind", NotificationKind)
def test_a_muted_kind_is_not_mailed_unless_it_always_is(kind: NotificationKind):
    assert wanted_by_mail(kind, [])
    assert wanted_by_mail(kind, [kind.value]) == (kind in ALWAYS_MAILED)


@pytest.mark.parametrize("kind", NotificationKind)
def test_what_is_always_mailed_cannot_be_muted(kind: NotificationKind):
    if kind not in ALWAYS_MAILED:
        check_muted([kind])
        return
    with pytest.raises(InvalidInput):
        check_muted([NotificationKind.CHAT_MESSAGE, kind])


# What is confirmed to who brought it about

MOVES = [name for name in ACTIONS if name != "record"]


def held(state: MeetingState, side: Side) -> tuple[bool, datetime] | None:
    """What a side's calendar is to hold, as the specification's words have it."""
    match state.status:
        case MeetingStatus.AGREED:
            return True, state.starts_at
        case MeetingStatus.AWAITING_APPROVAL if state.answer(side) is Answer.PENDING:
            return False, state.starts_at
    return None


def followed(played: Play, depth: int) -> Iterator[tuple[MeetingState, Decision]]:
    """Whatever the two can do one after the other, and what lapses."""
    if depth == 0:
        return
    before = played.state
    for action, side in product(MOVES, Side):
        tried = Play(before, played.decision, dict(played.accounts))
        with suppress(Problem):
            yield before, tried.do(action, side)
            yield from followed(tried, depth - 1)
    if lapse(played.facts, now=before.starts_at) is not None:
        tried = Play(before, played.decision, dict(played.accounts))
        yield before, tried.lapse(before.starts_at)
        yield from followed(tried, depth - 1)


@pytest.mark.parametrize("proposer", Side)
def test_n_whenever_a_sides_calendar_changes_it_is_notified_or_has_a_confirmation_and_never_both(proposer: Side):
    confirmed: set[NotificationKind] = set()
    for before, decision in followed(play(proposer), depth=4):
        to = {notice.to: notice.kind for notice in decision.notices}
        confirmations = {
            notice.to.other: notice.kind for notice in decision.notices if is_confirmed(notice, decision, before=before)
        }
        assert not to.keys() & confirmations.keys()
        for side in Side:
            changed = held(before, side) != held(decision.state, side)
            assert (side in confirmations) == (changed and side not in to)
        confirmed.update(confirmations.values())
    assert confirmed == CONFIRMATIONS.keys()
