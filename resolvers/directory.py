"""Finding people, and what they offer (Q5, Q6)."""

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from typing import Any, TypeVar
from uuid import UUID

from tortoise.expressions import Q, Subquery
from tortoise.queryset import QuerySet

from models import Person, PersonSkill, Service, Skill
from resolvers.cursors import decode_cursor, encode_cursor
from resolvers.errors import ErrorCode, RequestError
from resolvers.paging import Page, check_first, page_of
from resolvers.visibility import only_staff, visible_of, visible_people
from rules.inputs import folded, storable

Named = TypeVar("Named", Person, Skill)


async def oneself(viewer: Person) -> Person:
    """The viewer as they are now; whether they are staff says the token at hand."""
    person = await Person.get(id=viewer.id)
    person.is_staff = viewer.is_staff
    return person


async def visible_person(person_id: UUID, viewer: Person) -> Person | None:
    """The person, if they are there and this viewer's to see; otherwise None, the two never told apart (Q5)."""
    found = await visible_people([person_id], viewer)
    return found[0] if found else None


async def experts(*, skill_id: UUID | None, first: int | None, after: str | None) -> Page[Person]:
    """Every expert, or those with a skill, by name."""
    query = Person.filter(is_expert=True)
    if skill_id is not None:
        query = query.filter(id__in=Subquery(PersonSkill.filter(skill_id=skill_id).values("person_id")))
    return await _by_name(query, f"experts/{skill_id}", count=check_first(first, 20), after=after)


async def people(viewer: Person, *, search: str, first: int | None, after: str | None) -> Page[Person]:
    """For staff: whoever has these words in their name or their e-mail address, by name (Q6)."""
    only_staff(viewer)
    words = _words(search)
    query = Person.filter(Q(folded_name__contains=words) | Q(email__icontains=words)) if words else Person.all()
    return await _by_name(query, f"people/{digest(words)}", count=check_first(first, 20), after=after)


async def skills(*, search: str | None, first: int | None, after: str | None) -> Page[Skill]:
    """Every skill, or those with these words in their name, by name."""
    words = _words(search or "")
    query = Skill.filter(folded_name__contains=words) if words else Skill.all()
    return await _by_name(query, f"skills/{digest(words)}", count=check_first(first, 50), after=after)


async def skills_of(person_ids: Sequence[UUID]) -> dict[UUID, list[Skill]]:
    """Each person's skills, in the order they gave."""
    links = await PersonSkill.filter(person_id__in=list(person_ids)).order_by("place").select_related("skill")
    found: dict[UUID, list[Skill]] = defaultdict(list)
    for link in links:
        found[link.person_id].append(link.skill)
    return found


async def services_of(person_ids: Sequence[UUID], viewer: Person) -> dict[UUID, list[Service]]:
    """Each person's services by name; the inactive ones only for themselves and for staff (Q5)."""
    services = await Service.filter(expert_id__in=list(person_ids)).order_by("name", "id")
    found: dict[UUID, list[Service]] = defaultdict(list)
    for service in visible_of(services, viewer):
        found[service.expert_id].append(service)
    return found


def _words(search: str) -> str:
    """What to look for, whatever its case."""
    if not storable(search):
        raise RequestError(ErrorCode.BAD_USER_INPUT, "search contains characters that can't be used.")
    return folded(search.strip())


def digest(words: str) -> str:
    """What the list of what was found is called in its cursors, however much was searched for."""
    return hashlib.sha256(words.encode()).hexdigest()[:16]


async def _by_name(query: QuerySet[Named], stream: str, *, count: int, after: str | None) -> Page[Named]:
    if after is not None:
        name, row_id = decode_cursor(after, stream=stream, owner="", read=_read_place)
        query = query.filter(Q(folded_name__gte=name) & (Q(folded_name__gt=name) | Q(id__gt=row_id)))
    rows = await query.order_by("folded_name", "id").limit(count + 1)
    return page_of(
        rows, lambda row: encode_cursor(stream, "", [row.folded_name, str(row.id)]), count=count, after=after
    )


def _read_place(place: Any) -> tuple[str, UUID]:
    name, row_id = place
    if not isinstance(name, str) or not storable(name):
        raise ValueError("no name")
    return name, UUID(row_id)
