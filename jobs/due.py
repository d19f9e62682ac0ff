"""What is due, done for each meeting: one that fails stops no other, and is tried again later and later."""

import random
import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

import structlog

from measuring import job_failed
from resolvers.pauses import pause_seconds

log = structlog.get_logger()

FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 300.0

FindDue = Callable[[Collection[UUID]], Awaitable[Sequence[UUID]]]
"The ids of some meetings that are due, but of none of these."
Do = Callable[[UUID], Awaitable[bool]]
"Does what is due for a meeting, if it still is, and says whether it did."


@dataclass(slots=True)
class _Failure:
    times: int
    again_at: float


class DueMeetings:
    """A job of the worker: what is due is found anew at each beat, and done once by whichever worker comes first."""

    def __init__(self, name: str, find: FindDue, do: Do, *, now: Callable[[], float] = time.monotonic) -> None:
        self.__name__ = name
        self._find = find
        self._do = do
        self._now = now
        self._failures: dict[UUID, _Failure] = {}

    async def __call__(self) -> int:
        """Do what is due; says how many meetings were, but for those that somebody else is at work on."""
        paused = {meeting_id for meeting_id, failure in self._failures.items() if failure.again_at > self._now()}
        found = await self._find(paused)
        # What is no longer due has been answered meanwhile, or done by another worker.
        self._failures = {each: failure for each, failure in self._failures.items() if each in paused.union(found)}
        dealt_with = 0
        # In no order, so that several workers, who find the same, do not stand in each other's way.
        for meeting_id in random.sample(found, len(found)):
            try:
                dealt_with += await self._do(meeting_id)
                self._failures.pop(meeting_id, None)
            except Exception as fault:
                self._postpone(meeting_id, fault)
                dealt_with += 1  # what is due behind it is looked for at once, and not at the next beat
        return dealt_with

    def _postpone(self, meeting_id: UUID, fault: Exception) -> None:
        failure = self._failures.setdefault(meeting_id, _Failure(0, 0.0))
        failure.times += 1
        job_failed(self.__name__)
        pause = pause_seconds(failure.times, first=FIRST_PAUSE_SECONDS, longest=LONGEST_PAUSE_SECONDS)
        failure.again_at = self._now() + pause
        log.error("a job failed", job=self.__name__, meeting=str(meeting_id), times=failure.times, exc_info=fault)
