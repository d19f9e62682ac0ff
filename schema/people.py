"""People and what they offer."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar, Optional

import strawberry
from tortoise.models import Model

import models
import schema.enums  # noqa: F401 - the enums below must be known to Strawberry
from resolvers import directory
from resolvers.calendars import calendar_url
from resolvers.visibility import sees_all_of
from rules.terms import Language, NotificationKind
from schema.ahead import one, together
from schema.connections import PageInfo
from schema.context import Context
from schema.ids import global_id
from schema.node import Node
from schema.scalars import Credits

if TYPE_CHECKING:
    from schema.credits import CreditAccount


async def _skills(people: Sequence["Person"], context: Context) -> list[list["Skill"]]:
    found = await directory.skills_of([person.row.id for person in people])
    return [[context.show(Skill, row) for row in found.get(person.row.id, [])] for person in people]


async def _services(people: Sequence["Person"], context: Context) -> list[list["Service"]]:
    found = await directory.services_of([person.row.id for person in people], context.viewer)
    return [[context.show(Service, row) for row in found.get(person.row.id, [])] for person in people]


async def _credit_accounts(people: Sequence["Person"], context: Context) -> list["CreditAccount | None"]:
    from schema.credits import CreditAccount

    return [CreditAccount.of(person.row) if sees_all_of(person.row.id, context.viewer) else None for person in people]


@strawberry.type
class Skill(Node):
    """Something an expert is good at; skills of one name are one skill, whatever the case (Q5)."""

    table: ClassVar[type[Model]] = models.Skill
    name: str = strawberry.field(description="As it was first written.")

    @classmethod
    def of(cls, row: models.Skill, viewer: models.Person) -> "Skill":
        return cls(id=global_id("Skill", row.id), name=row.name)


@strawberry.type
class Person(Node):
    """Someone with an account: the user of one meeting, perhaps the expert of another (T)."""

    table: ClassVar[type[Model]] = models.Person
    row: strawberry.Private[models.Person]
    name: str = strawberry.field(description="As their token says.")
    email: str | None = strawberry.field(description="Null unless it is the viewer's own, or the viewer is staff (Q5).")
    calendar_url: str | None = strawberry.field(
        description="Their agreed meetings as a calendar to subscribe to (iCalendar). Whoever has the address can read"
        " it, so it is null unless it is the viewer's own; `renewCalendarUrl` makes another one."
    )
    credit_account: Optional[Annotated["CreditAccount", strawberry.lazy("schema.credits")]] = together(  # noqa: UP045
        _credit_accounts, "Null unless it is the viewer's own, or the viewer is staff (Q5)."
    )
    language: Language = strawberry.field(description="What they are spoken to in.")
    time_zone: str = strawberry.field(
        description="The one that times are told to them in: an IANA name, e.g. Europe/Prague."
    )
    muted_kinds: list[NotificationKind] | None = strawberry.field(
        description="What they do not want to be told by e-mail. Null unless it is the viewer's own, or the viewer is"
        " staff (Q5)."
    )
    is_expert: bool = strawberry.field(description="Whether they ever saved a service.")
    is_staff: bool = strawberry.field(description="Whether they were staff when they were last here.")
    skills: list[Skill] = together(_skills, "What they are good at, in the order they gave.")
    services: list["Service"] = together(
        _services, "What they offer; the inactive ones only to themselves and to staff (Q5)."
    )

    @classmethod
    def of(cls, row: models.Person, viewer: models.Person) -> "Person":
        return cls(
            id=global_id("Person", row.id),
            row=row,
            name=row.name,
            email=row.email if sees_all_of(row.id, viewer) else None,
            calendar_url=calendar_url(row, viewer),
            language=row.language,
            time_zone=row.time_zone,
            muted_kinds=([NotificationKind(kind) for kind in row.muted_kinds] if sees_all_of(row.id, viewer) else None),
            is_expert=row.is_expert,
            is_staff=row.is_staff,
        )


@strawberry.type
class Service(Node):
    """What an expert offers: so many minutes for so many credits."""

    table: ClassVar[type[Model]] = models.Service
    row: strawberry.Private[models.Service]
    expert: Person = one("row.expert_id", "Whose it is.")
    name: str = strawberry.field(description="In the expert's own words.")
    duration_minutes: int = strawberry.field(description="The length of a meeting that a user proposes.")
    price: Credits = strawberry.field(description="What a meeting that a user proposes costs.")
    active: bool = strawberry.field(description="Whether it can be asked for in new proposals.")

    @classmethod
    def of(cls, row: models.Service, viewer: models.Person) -> "Service":
        return cls(
            id=global_id("Service", row.id),
            row=row,
            name=row.name,
            duration_minutes=row.duration_minutes,
            price=Credits(row.price),
            active=row.active,
        )


@strawberry.type
class PersonEdge:
    """An entry of a page, and where it stands in its list."""

    cursor: str
    node: Person


@strawberry.type
class PersonConnection:
    """A page of a list."""

    edges: list[PersonEdge]
    page_info: PageInfo


@strawberry.type
class SkillEdge:
    """An entry of a page, and where it stands in its list."""

    cursor: str
    node: Skill


@strawberry.type
class SkillConnection:
    """A page of a list."""

    edges: list[SkillEdge]
    page_info: PageInfo
