"""When experts can be met: what they say of it, and what is still free."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

from tortoise.connection import get_connection

import models
from models import Person
from resolvers.acting import Attempt, Done, act
from resolvers.action import Action
from resolvers.conflicts import agreed_meetings
from resolvers.directory import visible_person
from resolvers.errors import ErrorCode, RequestError
from resolvers.people import TIME_ZONES
from resolvers.visibility import visible_services
from resolvers.world import world
from rules import availability
from rules.availability import Availability, Stretch, Window
from rules.problems import InvalidInput
from rules.terms import InvalidInputCode

# Said as the two partial indexes say it: PostgreSQL would not take a parameter for their condition.
LAST_OVER = """
(SELECT starts_at, ends_at FROM meeting WHERE user_id = $1 AND status = 'AGREED' AND ends_at <= $2
    ORDER BY ends_at DESC LIMIT 1)
UNION ALL
(SELECT starts_at, ends_at FROM meeting WHERE expert_id = $1 AND status = 'AGREED' AND ends_at <= $2
    ORDER BY ends_at DESC LIMIT 1)
"""


async def set_availability(
    *,
    time_zone: str,
    weekly: Sequence[tuple[int, Window]],
    exceptions: Sequence[tuple[date, Sequence[Window]]],
    by: Person,
    attempt: Attempt,
) -> Done:
    """Say when one can be met; replaces all that was said before (V1)."""

    async def story(action: Action) -> Done:
        attempt.check()
        if time_zone not in TIME_ZONES:
            raise InvalidInput("timeZone", InvalidInputCode.UNKNOWN)
        wanted = availability.checked(time_zone, weekly, exceptions, policy=world().policy)
        await action.lock_people([by.id])
        row = models.Availability(
            id=world().new_id(),
            person_id=by.id,
            time_zone=time_zone,
            weekly=[(weekday, *window) for weekday, windows in wanted.weekly.items() for window in windows],
            exceptions=[(day.isoformat(), windows) for day, windows in wanted.exceptions.items()],
        )
        replaced = ("time_zone", "weekly", "exceptions")
        await models.Availability.bulk_create([row], on_conflict=("person_id",), update_fields=replaced)
        return Done(by.id)

    return await act(attempt, by=by, story=story)


async def availability_of(person_id: UUID) -> Availability | None:
    """What this person said; None if they never did."""
    row = await models.Availability.get_or_none(person_id=person_id)
    if row is None:
        return None
    weekly: dict[int, list[Window]] = {}
    for weekday, from_minute, to_minute in row.weekly:
        weekly.setdefault(weekday, []).append(Window(from_minute, to_minute))
    exceptions = {date.fromisoformat(day): [Window(*each) for each in windows] for day, windows in row.exceptions}
    return Availability(row.time_zone, weekly, exceptions)


async def visible_availability(expert_id: UUID, viewer: Person) -> Availability | None:
    """What an expert said, if only their own zone; None for who is not there or not the viewer's to see (Q5)."""
    expert = await visible_person(expert_id, viewer)
    if expert is None:
        return None
    return await availability_of(expert_id) or Availability(expert.time_zone)


async def free_slots(
    expert_id: UUID, service_id: UUID, *, starts_from: datetime, until: datetime, viewer: Person
) -> list[Stretch] | None:
    """The dates that can be proposed for a service in a range (V2); None if it is none of this expert's to be seen."""
    longest = world().policy.longest_slot_range_days
    if not timedelta() <= until - starts_from <= timedelta(days=longest):
        message = f"until must not lie before from, nor more than {longest} days after it."
        raise RequestError(ErrorCode.BAD_USER_INPUT, message)
    services = await visible_services([service_id], viewer)
    if not services or services[0].expert_id != expert_id:
        return None
    said = await availability_of(expert_id)
    if said is None:
        return []
    now = await world().clock.now()
    earliest = max(starts_from, now)
    return availability.free_slots(
        said,
        starts_from=starts_from,
        until=until,
        duration=timedelta(minutes=services[0].duration_minutes),
        agreed=[*await _last_over(expert_id, earliest), *await _agreed(expert_id, earliest, until)],
        now=now,
        policy=world().policy,
    )


async def check_bookable(expert_id: UUID, starts_at: datetime, ends_at: datetime, *, now: datetime) -> None:
    """Refuses what lies outside the time of an expert, whose row is locked (P5)."""
    said = await availability_of(expert_id)
    if said is not None:
        agreed = await _agreed(expert_id, starts_at, ends_at)
        availability.check_bookable(said, starts_at, ends_at, agreed=agreed, now=now)


async def _agreed(person_id: UUID, starts_at: datetime, ends_at: datetime) -> list[Stretch]:
    """The person's agreed meetings, in either role, that reach into this range."""
    return await agreed_meetings(person_id, starts_at, ends_at).values_list("starts_at", "ends_at")


async def _last_over(person_id: UUID, instant: datetime) -> list[Stretch]:
    """In each role the agreed meeting that ended last, of those that were over by an instant."""
    rows = await get_connection("default").execute_query_dict(LAST_OVER, [person_id, instant])
    return [(row["starts_at"], row["ends_at"]) for row in rows]
