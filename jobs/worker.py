"""The worker's beat. State decides what is due, so any number of workers may run, and a crash loses nothing."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import structlog

from jobs.due import DueMeetings
from measuring import job_failed, job_step
from resolvers.conferencing import bring_next_conference
from resolvers.forgetting import forget_old_keys
from resolvers.lapsing import lapse_meeting, lapsed_meetings
from resolvers.mailing import send_due_mails
from resolvers.reminding import due_reminders, remind_of_meeting
from resolvers.settling import due_settlements, settle_meeting

log = structlog.get_logger()

BEAT_SECONDS = 1.0
CONNECTIONS_FOR_MAIL = 3

Job = Callable[[], Awaitable[int]]
"Does some of what is due, and says how much."


def jobs_of_the_clock() -> Sequence[Job]:
    """What time alone makes due: done within seconds, whatever is the matter outside (J1)."""
    return (
        DueMeetings("lapse_meetings", lapsed_meetings, lapse_meeting),
        DueMeetings("settle_meetings", due_settlements, settle_meeting),
        DueMeetings("remind_of_meetings", due_reminders, remind_of_meeting),
        forget_old_keys,
    )


def jobs_outside() -> Sequence[Job]:
    """What has to wait for others to answer: each keeps a beat of its own, so that nothing waits for it."""
    return (bring_next_conference, *[send_due_mails] * CONNECTIONS_FOR_MAIL)


async def work(stop: asyncio.Event, jobs: Sequence[Job]) -> None:
    """Do what is due, beat by beat, until told to stop; a job that fails is tried again at the next beat."""
    while not stop.is_set():
        due = list(jobs)
        while due and not stop.is_set():
            # In turns, so that a job with much to do does not keep the others waiting (J1).
            due = [job for job in due if await _did_something(job)]
        try:
            await asyncio.wait_for(stop.wait(), BEAT_SECONDS)
        except TimeoutError:
            continue


async def _did_something(job: Job) -> bool:
    try:
        done = await job()
    except Exception:
        log.exception("a job failed", job=job.__name__)
        job_step(job.__name__)
        job_failed(job.__name__)
        return False
    job_step(job.__name__, done)
    return done > 0
