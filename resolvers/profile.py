"""What people say of themselves, and what experts offer."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from live.messages import Profile, encode_profile, person_channel
from models import Person, PersonSkill, Service, Skill
from resolvers.acting import Attempt, Done, act
from resolvers.action import Action
from resolvers.people import TIME_ZONES
from resolvers.world import world
from rules import proposing
from rules.inputs import check_text, folded
from rules.mailing import check_muted
from rules.problems import InvalidInput, NotFound
from rules.terms import InvalidInputCode, Language, NotificationKind


async def update_profile(
    *,
    language: Language | None,
    time_zone: str | None,
    muted_kinds: Collection[NotificationKind] | None,
    by: Person,
    attempt: Attempt,
) -> Done:
    """Change how one is spoken to, and what one is not sent by e-mail; what is not given stays."""

    async def story(action: Action) -> Done:
        attempt.check()
        if time_zone is not None and time_zone not in TIME_ZONES:
            raise InvalidInput("timeZone", InvalidInputCode.UNKNOWN)
        muted = None
        if muted_kinds is not None:
            check_muted(muted_kinds)
            muted = list(dict.fromkeys(muted_kinds))
        person = (await action.lock_people([by.id]))[by.id]
        changes = {"language": language, "time_zone": time_zone, "muted_kinds": muted}
        spoken_to = Profile(language or person.language, time_zone or person.time_zone)
        action.news.append((person_channel(by.id), encode_profile(spoken_to)))
        if given := {name: value for name, value in changes.items() if value is not None}:
            await Person.filter(id=by.id).update(**given)
        return Done(by.id)

    return await act(attempt, by=by, story=story)


async def save_service(
    *,
    service_id: UUID | None,
    name: str,
    duration_minutes: int,
    price: int,
    active: bool,
    by: Person,
    attempt: Attempt,
) -> Done:
    """Offer a new service or change one's own; whoever saves one is an expert from then on (T, P4)."""

    async def story(action: Action) -> Done:
        await action.lock_people([by.id])
        service = None
        if service_id is not None:
            service = await Service.get_or_none(id=service_id, expert_id=by.id)
            if service is None:
                raise NotFound
        attempt.check()
        policy = world().policy
        values: dict[str, Any] = {
            "name": check_text(name, "name", at_most=policy.longest_name_characters),
            "duration_minutes": duration_minutes,
            "price": price,
            "active": active,
        }
        proposing.check_duration(duration_minutes, policy=policy)
        proposing.check_price(price, policy=policy)
        if service is None:
            service = await Service.create(id=world().new_id(), expert_id=by.id, **values)
            await Person.filter(id=by.id).update(is_expert=True)
        else:
            await service.update_from_dict(values).save(update_fields=list(values))
        return Done(service.id)

    return await act(attempt, by=by, story=story)


async def set_skills(*, names: list[str], by: Person, attempt: Attempt) -> Done:
    """Replace one's skills; those of one name are one skill, whatever the case (Q5)."""

    async def story(action: Action) -> Done:
        attempt.check()
        at_most = world().policy.longest_name_characters
        if len(names) > world().policy.most_skills:
            raise InvalidInput("names", InvalidInputCode.TOO_LONG)
        wanted: dict[str, str] = {}
        for name in names:
            checked = check_text(name, "names", at_most=at_most)
            wanted.setdefault(folded(checked), checked)
        await action.lock_people([by.id])
        await Skill.bulk_create(
            [Skill(id=world().new_id(), name=wanted[name], folded_name=name) for name in sorted(wanted)],
            ignore_conflicts=True,
        )
        skills = {skill.folded_name: skill for skill in await Skill.filter(folded_name__in=list(wanted))}
        await PersonSkill.filter(person_id=by.id).delete()
        await PersonSkill.bulk_create(
            [
                PersonSkill(id=world().new_id(), person_id=by.id, skill_id=skills[name].id, place=place)
                for place, name in enumerate(wanted, start=1)
            ]
        )
        return Done(by.id)

    return await act(attempt, by=by, story=story)
