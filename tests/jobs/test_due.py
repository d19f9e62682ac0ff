"""What is due is done meeting by meeting: one that fails stops no other, and is tried again later and later (J1)."""

from collections.abc import Collection
from uuid import UUID

import pytest
from structlog.testing import capture_logs

from jobs.due import FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS, DueMeetings

AT_ONCE = 3


class Diary:
    """Meetings that are due, some of which can't be done, and a time that only a test moves."""

    def __init__(self, due: int, *, failing: Collection[int] = (), held: Collection[int] = ()) -> None:
        self.due = [UUID(int=number) for number in range(due)]
        self.failing = {UUID(int=number) for number in failing}
        self.held = {UUID(int=number) for number in held}
        self.tried: list[int] = []
        self.time = 0.0
        self.job = DueMeetings("test", self.find, self.do, now=lambda: self.time)

    async def find(self, excluded: Collection[UUID]) -> list[UUID]:
        return [each for each in self.due if each not in excluded][:AT_ONCE]

    async def do(self, meeting_id: UUID) -> bool:
        self.tried.append(meeting_id.int)
        if meeting_id in self.failing:
            raise LookupError(f"no {meeting_id.int}")
        if meeting_id in self.held:
            return False
        self.due.remove(meeting_id)
        return True

    async def beat(self) -> list[int]:
        """Which are tried, in whatever order, until there is nothing more to do at once."""
        self.tried = []
        while await self.job():
            pass
        return sorted(self.tried)


async def test_one_that_fails_stops_no_other():
    diary = Diary(3, failing=[1])
    assert await diary.beat() == [0, 1, 2]
    assert diary.due == [UUID(int=1)]


async def test_however_many_fail_those_behind_them_are_done_at_the_same_beat():
    diary = Diary(3 * AT_ONCE, failing=range(2 * AT_ONCE))
    assert await diary.beat() == list(range(3 * AT_ONCE))
    assert len(diary.due) == 2 * AT_ONCE


async def test_one_that_somebody_is_at_work_on_is_left_to_the_next_beat():
    diary = Diary(2, held=[0])
    assert await diary.beat() == [0, 0, 1]
    assert await diary.beat() == [0]
    diary.held.clear()
    assert await diary.beat() == [0]
    assert await diary.beat() == []


async def pause(diary: Diary) -> float:
    """How long nothing is tried."""
    begun = diary.time
    while not await diary.beat():
        diary.time += FIRST_PAUSE_SECONDS / 10
    return diary.time - begun


async def test_one_that_fails_is_tried_again_after_pauses_that_double_until_they_are_long_enough():
    diary = Diary(1, failing=[0])
    assert await diary.beat() == [0]
    for times in range(12):
        expected = min(FIRST_PAUSE_SECONDS * 2**times, LONGEST_PAUSE_SECONDS)
        assert await pause(diary) == pytest.approx(expected, rel=0.25, abs=FIRST_PAUSE_SECONDS / 5)


async def test_once_it_is_done_the_next_failure_is_a_first_one_again():
    diary = Diary(1, failing=[0])
    for _ in range(5):
        assert await pause(diary) >= 0
    diary.failing.clear()
    await pause(diary)
    diary.due, diary.failing = [UUID(int=0)], {UUID(int=0)}
    assert await diary.beat() == [0]
    assert await pause(diary) < 2 * FIRST_PAUSE_SECONDS


async def test_failures_of_meetings_that_are_no_longer_due_are_forgotten():
    diary = Diary(1, failing=[0])
    assert await diary.beat() == [0]
    diary.due.clear()
    diary.time += 2 * LONGEST_PAUSE_SECONDS
    assert await diary.beat() == []
    assert diary.job._failures == {}


async def test_every_failure_is_in_the_log_with_what_went_wrong():
    diary = Diary(2, failing=[1])
    with capture_logs() as logs:
        await diary.beat()
        await pause(diary)
    assert [(each["log_level"], each["job"], each["meeting"], each["times"]) for each in logs] == [
        ("error", "test", str(UUID(int=1)), times) for times in (1, 2)
    ]
    assert all(repr(each["exc_info"]) == "LookupError('no 1')" for each in logs)
