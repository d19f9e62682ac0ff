"""`python -m demo.prepare`: the demonstration people, with services, credits and a few meetings. Done once."""

import asyncio
import hashlib
from datetime import datetime, timedelta
from uuid import UUID

from tortoise import Tortoise

from models import Meeting, Person, PersonSkill
from models.database import tortoise_config
from resolvers.acting import Attempt
from resolvers.answering import approve_meeting
from resolvers.availability import free_slots, set_availability
from resolvers.credits import grant_credits
from resolvers.people import Claims, recognise
from resolvers.profile import save_service, set_skills
from resolvers.proposing import propose_meeting, propose_meeting_to_user
from resolvers.sandbox import DEMONSTRATION_PEOPLE, EMIL, EVA, STELLA, ULI, UMA, DemonstrationPerson
from resolvers.world import MovableClock, World, enter, world
from rules.availability import Window
from settings import read_settings


async def prepare() -> None:
    """Make what is not there yet; every step has its key, so that an interrupted run may be repeated (I1)."""
    people = {each.sub: await recognise(_claims(each)) for each in DEMONSTRATION_PEOPLE}
    uma, uli, emil, eva, stella = (people[each.sub] for each in (UMA, ULI, EMIL, EVA, STELLA))
    if await Meeting.exists(user_id=uli.id, expert_id=eva.id):
        return  # the last thing that is made below
    for person, amount in ((uma, 500_00), (uli, 200_00)):
        attempt = _attempt(f"credits for {person.subject}")
        await grant_credits(person_id=person.id, amount=amount, note="Welcome", by=stella, attempt=attempt)
    await set_skills(names=["Python", "Software architecture"], by=emil, attempt=_attempt("skills of emil"))
    await set_skills(names=["Steuerrecht", "Python"], by=eva, attempt=_attempt("skills of eva"))
    review = await _service(emil, "Code review", minutes=30, price=25_50)
    await _service(emil, "Architecture advice", minutes=60, price=60_00)
    tax = await _service(eva, "Steuerberatung", minutes=45, price=80_00)
    await _propose(uma, emil, review, await _in_days(2), step="uma proposes")
    agreed = await _propose(uma, emil, review, await _in_days(3), step="uma proposes again")
    await approve_meeting(agreed, by=emil, attempt=_attempt("emil agrees"), acknowledge_conflicts=False)
    await propose_meeting_to_user(
        from_meeting_id=agreed,
        from_chat_id=None,
        service_id=review,
        skill_id=await _skill(emil),
        starts_at=await _in_days(4),
        duration_minutes=20,
        price=15_00,
        by=emil,
        attempt=_attempt("emil proposes"),
    )
    office_hours = [(weekday, window) for weekday in range(1, 6) for window in (Window(540, 720), Window(780, 1020))]
    await set_availability(
        time_zone="Europe/Vienna", weekly=office_hours, exceptions=(), by=eva, attempt=_attempt("eva is free")
    )
    soon = await _in_days(5)
    slots = await free_slots(eva.id, tax, starts_from=soon, until=soon + timedelta(days=7), viewer=uli)
    assert slots, "in a week there are office hours"
    await _propose(uli, eva, tax, slots[0][0], step="uli proposes")


def _claims(person: DemonstrationPerson) -> Claims:
    return Claims(
        subject=person.sub,
        name=person.name,
        email=f"{person.sub}@example.com",
        locale=person.locale,
        zoneinfo=person.zoneinfo,
        is_staff="staff" in person.roles,
    )


async def _service(expert: Person, name: str, *, minutes: int, price: int) -> UUID:
    done = await save_service(
        service_id=None,
        name=name,
        duration_minutes=minutes,
        price=price,
        active=True,
        by=expert,
        attempt=_attempt(f"service {name}"),
    )
    return done.made_id


async def _propose(user: Person, expert: Person, service_id: UUID, starts_at: datetime, *, step: str) -> UUID:
    done = await propose_meeting(
        expert_id=expert.id,
        service_id=service_id,
        skill_id=await _skill(expert),
        starts_at=starts_at,
        by=user,
        attempt=_attempt(step),
    )
    return done.made_id


async def _skill(expert: Person) -> UUID:
    return (await PersonSkill.get(person_id=expert.id, place=1)).skill_id


async def _in_days(days: int) -> datetime:
    today = (await world().clock.now()).replace(hour=9, minute=0, second=0, microsecond=0)
    return today + timedelta(days=days)


def _attempt(step: str) -> Attempt:
    return Attempt(hashlib.sha256(step.encode()).digest(), idempotency_key=f"demonstration: {step}")


async def main() -> None:
    settings = read_settings()
    enter(World(clock=MovableClock(), policy=settings.policy))
    await Tortoise.init(config=tortoise_config(settings.database_url, pool_size=2))
    try:
        await prepare()
    finally:
        await Tortoise.close_connections()


if __name__ == "__main__":
    asyncio.run(main())
