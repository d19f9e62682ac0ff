"""People and what they offer."""

from typing import TYPE_CHECKING, Annotated

import strawberry

import models
import schema.enums  # noqa: F401 - the enums below must be known to Strawberry
from rules.terms import Language
from schema.context import Info
from schema.ids import global_id
from schema.node import Node
from schema.scalars import Credits

if TYPE_CHECKING:
    from schema.credits import CreditAccount


@strawberry.type
class Skill(Node):
    """Something an expert is good at; skills of one name are one skill, whatever the case (Q5)."""

    name: str

    @classmethod
    def of(cls, row: models.Skill) -> "Skill":
        return cls(id=global_id("Skill", row.id), name=row.name)


@strawberry.type
class Person(Node):
    """Someone with an account: the user of one meeting, perhaps the expert of another (T)."""

    row: strawberry.Private[models.Person]
    name: str
    language: Language
    time_zone: str = strawberry.field(description="IANA name, e.g. Europe/Prague.")
    is_expert: bool = strawberry.field(description="Whether they ever saved a service.")
    is_staff: bool

    @classmethod
    def of(cls, row: models.Person) -> "Person":
        return cls(
            id=global_id("Person", row.id),
            row=row,
            name=row.name,
            language=row.language,
            time_zone=row.time_zone,
            is_expert=row.is_expert,
            is_staff=row.is_staff,
        )

    @strawberry.field
    def email(self, info: Info) -> str | None:
        """Null unless it is the viewer's own, or the viewer is staff (Q5)."""
        return self.row.email if self._is_open_to(info) else None

    @strawberry.field
    def credit_account(self, info: Info) -> Annotated["CreditAccount", strawberry.lazy("schema.credits")] | None:
        """Null unless it is the viewer's own, or the viewer is staff (Q5)."""
        from schema.credits import CreditAccount

        return CreditAccount.of(self.row) if self._is_open_to(info) else None

    @strawberry.field
    async def skills(self, info: Info) -> list[Skill]:
        """What they are good at."""
        return [Skill.of(each) for each in await info.context.load.skills_of.load(self.row.id)]

    @strawberry.field
    async def services(self, info: Info) -> list["Service"]:
        """What they offer; the inactive ones only to themselves and to staff (Q5)."""
        return [Service.of(each) for each in await info.context.load.services_of.load(self.row.id)]

    def _is_open_to(self, info: Info) -> bool:
        viewer = info.context.viewer
        return viewer.is_staff or viewer.id == self.row.id


@strawberry.type
class Service(Node):
    """What an expert offers: so many minutes for so many credits."""

    row: strawberry.Private[models.Service]
    name: str
    duration_minutes: int
    price: Credits
    active: bool = strawberry.field(description="Whether it can be asked for in new proposals.")

    @classmethod
    def of(cls, row: models.Service) -> "Service":
        return cls(
            id=global_id("Service", row.id),
            row=row,
            name=row.name,
            duration_minutes=row.duration_minutes,
            price=Credits(row.price),
            active=row.active,
        )

    @strawberry.field
    async def expert(self, info: Info) -> Person:
        """Whose it is."""
        return Person.of(await info.context.load.people.load(self.row.expert_id))
