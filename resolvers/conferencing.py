"""The video platform's part of a meeting: what is wanted of it is ours to say; it is asked until it has done so (L4).

Nobody waits for the platform but whoever asks it, and nothing is locked meanwhile.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog
from tortoise.connection import get_connection
from tortoise.expressions import F

from conference.platform import Attendee, PlatformUnavailable, Room, RoomMissing
from measuring import delivered
from models import Conference, JoinLink, Meeting, Person
from models.transactions import transaction
from resolvers.pauses import pause_seconds
from resolvers.world import world
from rules.joining import window
from rules.meetings import Decision
from rules.terms import AlternativeDateStatus, ConferenceState, MeetingStatus, Side

log = structlog.get_logger()

ASKED_WITHIN_SECONDS = 20.0
"However long the platform takes; far less than a lease lasts."
LEASE_SECONDS = 60.0
FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 300.0
LONGEST_REQUESTED_PAUSE_SECONDS = 3600.0
LONGEST_PAUSE_WHILE_OPEN_SECONDS = 30.0
FAILING_AFTER = 3
"So many failures in a row are more than bad luck."

TAKE = """
UPDATE conference SET lease = $2, lease_until = $3 WHERE id = (
    SELECT id FROM conference
    WHERE reached < wanted AND due_at <= $1 AND (lease_until IS NULL OR lease_until <= $1)
        AND (cancelled OR ends_at > $4)
    ORDER BY due_at LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED
) RETURNING *
"""


async def keep_conference(decision: Decision, meeting: Meeting, *, was_agreed: bool, now: datetime) -> None:
    """Links and platform follow a date that came into force (A1, R4), or the end of one (K6).

    Part of the action that decided so; the meeting is locked, and has been written.
    """
    is_agreed = meeting.status is MeetingStatus.AGREED
    if is_agreed and (not was_agreed or decision.alternative_became is AlternativeDateStatus.APPROVED):
        await _revoke_links(meeting, now)
        await _make_links(meeting)
        await _want(meeting, now)
    elif was_agreed and not is_agreed:
        await _revoke_links(meeting, now)
        await _want_none(meeting, now)


async def bring_next_conference() -> int:
    """Ask the platform for whatever has been due for longest; says whether anything was (L4).

    Any number of workers may do this. Whoever dies on the way holds it up until their lease is over.
    """
    conference = await _take()
    if conference is None:
        return 0
    failure: Exception | None = None
    try:
        async with asyncio.timeout(ASKED_WITHIN_SECONDS):
            await _ask(conference)
    except Exception as fault:  # whatever it is, the platform has not said that it is done
        failure = fault
    delivered("conference", "SENT" if failure is None else "POSTPONED")
    await _record(conference, failure)
    return 1


def state_of(conference: Conference) -> ConferenceState:
    """What people are told of it (L4)."""
    if conference.reached < conference.wanted and conference.failures >= FAILING_AFTER:
        return ConferenceState.FAILING
    if conference.cancelled:
        return ConferenceState.CANCELLED
    return ConferenceState.READY if conference.reached == conference.wanted else ConferenceState.PENDING


async def way_in(meeting: Meeting, person: Person, side: Side) -> str | None:
    """Where this person joins on the platform; nothing while it is not ready for them (L2)."""
    conference = await Conference.get(meeting_id=meeting.id)
    if state_of(conference) is not ConferenceState.READY:
        return None
    attendee = Attendee(person.id, person.name, is_host=side is Side.EXPERT)
    try:
        async with asyncio.timeout(ASKED_WITHIN_SECONDS):
            return await world().platform.personal_url(_room(conference), attendee)
    except Exception as fault:  # they have come, and are told to wait, whatever is wrong with the platform
        if isinstance(fault, RoomMissing):
            await _ask_again(conference)
        _log_failure("the platform let nobody in", conference, fault)
        return None


async def _revoke_links(meeting: Meeting, now: datetime) -> None:
    await JoinLink.filter(meeting_id=meeting.id, revoked_at=None).update(revoked_at=now)


async def _make_links(meeting: Meeting) -> None:
    for side in Side:
        await JoinLink.create(
            id=world().new_id(), meeting_id=meeting.id, side=side, starts_at=meeting.starts_at, ends_at=meeting.ends_at
        )


async def _want(meeting: Meeting, now: datetime) -> None:
    """The platform is to hold the meeting on the date in force, from now on."""
    asked_before = await Conference.filter(meeting_id=meeting.id).update(
        wanted=F("wanted") + 1, failures=0, due_at=now, starts_at=meeting.starts_at, ends_at=meeting.ends_at
    )
    if not asked_before:
        await Conference.create(
            id=world().new_id(),
            meeting_id=meeting.id,
            room=world().links.room(meeting.id),
            starts_at=meeting.starts_at,
            ends_at=meeting.ends_at,
            due_at=now,
        )


async def _want_none(meeting: Meeting, now: datetime) -> None:
    await Conference.filter(meeting_id=meeting.id).update(
        wanted=F("wanted") + 1, failures=0, due_at=now, cancelled=True
    )


async def _take() -> Conference | None:
    now = await world().clock.now()
    lease, until = world().new_id(), now + timedelta(seconds=LEASE_SECONDS)
    over_since = now - timedelta(minutes=world().policy.link_valid_minutes_after)  # nobody can come any more
    rows: Sequence[dict[str, object]] = await get_connection("default").execute_query_dict(
        TAKE, [now, lease, until, over_since]
    )
    return Conference(**rows[0]) if rows else None


async def _ask(conference: Conference) -> None:
    platform = world().platform
    if conference.cancelled:
        await platform.cancel(conference.room)
    elif conference.reached == 0:
        await platform.create(_room(conference))
    else:
        await platform.adjust(_room(conference))


async def _record(asked: Conference, failure: Exception | None) -> None:
    """What came of it; what was changed meanwhile is still to be asked for, at once."""
    now = await world().clock.now()
    async with transaction():
        conference = await Conference.select_for_update(no_key=True).get(id=asked.id)
        if conference.lease != asked.lease:
            # Somebody took over, and nobody knows whom the platform heard last: it is asked once more.
            conference.wanted += 1
        else:
            conference.lease = conference.lease_until = None
            if failure is None:
                conference.reached, conference.failures = asked.wanted, 0
            elif conference.wanted == asked.wanted:
                conference.failures += 1
                conference.due_at = now + min(_pause(conference.failures, failure), _patience(conference, now))
        await conference.save(update_fields=("wanted", "reached", "failures", "due_at", "lease", "lease_until"))
    if failure is not None:
        _log_failure("the platform did not do it", conference, failure)


async def _ask_again(conference: Conference) -> None:
    """What the platform has done is gone; unless that has been noticed already, it is wanted once more."""
    now = await world().clock.now()
    await Conference.filter(id=conference.id, wanted=conference.wanted).update(wanted=F("wanted") + 1, due_at=now)


def _log_failure(what: str, conference: Conference, failure: Exception) -> None:
    meeting, failures = str(conference.meeting_id), conference.failures
    if isinstance(failure, PlatformUnavailable | TimeoutError):
        log.warning(what, meeting=meeting, failures=failures, cause=repr(failure))
    else:
        log.error(what, meeting=meeting, failures=failures, exc_info=failure)


def _pause(failures: int, failure: Exception) -> timedelta:
    """Longer and longer, and for as long as the platform itself asks."""
    longer = pause_seconds(failures, first=FIRST_PAUSE_SECONDS, longest=LONGEST_PAUSE_SECONDS)
    requested = failure.retry_after_seconds if isinstance(failure, PlatformUnavailable) else None
    return timedelta(seconds=max(longer, min(requested or 0, LONGEST_REQUESTED_PAUSE_SECONDS)))


def _patience(conference: Conference, now: datetime) -> timedelta:
    """However long the platform wants to be left alone: once people may come it is asked every now and then."""
    if conference.cancelled:
        return timedelta.max
    opens_at, _ = window(conference.starts_at, conference.ends_at, world().policy)
    return max(opens_at - now, timedelta(seconds=LONGEST_PAUSE_WHILE_OPEN_SECONDS))


def _room(conference: Conference) -> Room:
    return Room(conference.room, *window(conference.starts_at, conference.ends_at, world().policy))
