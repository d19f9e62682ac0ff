"""What people say of themselves, and what experts offer."""

from functools import partial
from typing import Annotated

import strawberry

import models
from resolvers import profile
from resolvers.acting import Done
from rules.terms import Language, NotificationKind
from schema.acting import answer, attempt
from schema.context import Info
from schema.ids import optional_row_id
from schema.people import Person, Service
from schema.problems import ActionRefused, IdempotencyKeyReused, InvalidInput, NotFound
from schema.scalars import Credits


@strawberry.input
class SaveServiceInput:
    """A service as it is to be; without serviceId a new one (P4)."""

    name: str = strawberry.field(description="What clients read in the list of services; at most 200 characters (P4).")
    duration_minutes: int = strawberry.field(description="The length of its meetings, from 5 to 480 (P4).")
    price: Credits = strawberry.field(description="For one meeting, from 0 to 1,000,000 credits (P4).")
    service_id: strawberry.ID | None = strawberry.field(
        default=None, description="The service to change, one's own; without it a new one is made."
    )
    active: bool = strawberry.field(
        default=True, description="Whether it can be asked for in new proposals; meetings there are stay as they are."
    )
    idempotency_key: str | None = None


@strawberry.input
class SetSkillsInput:
    """The names of all the skills one has."""

    names: list[str] = strawberry.field(
        description="In the order to show them; each at most 200 characters (P4), 100 of them at most."
    )
    idempotency_key: str | None = None


@strawberry.input
class UpdateProfileInput:
    """What is to change; what is left out stays."""

    language: Language | None = strawberry.field(default=None, description="The one to be spoken to in.")
    time_zone: str | None = strawberry.field(
        default=None, description="An IANA name, e.g. Europe/Prague; any other is UNKNOWN."
    )
    muted_kinds: list[NotificationKind] | None = strawberry.field(
        default=None,
        description="All the kinds of notifications that one does not want by e-mail. What tells of credits or of a"
        " cancellation can't be muted (UNKNOWN). With a kind one also mutes the update of one's calendar that its"
        " e-mails bring, and those that confirm to oneself what the other side is notified of by it: whoever mutes"
        " MEETING_APPROVED has neither the agreement of others nor their own sent to their calendar. The calendar at"
        " `calendarUrl` shows every agreed meeting, whatever is muted.",
    )
    idempotency_key: str | None = None


@strawberry.type
class ServiceSaved:
    """The service as it is now."""

    service: Service = strawberry.field(description="With its id, if it is a new one.")


@strawberry.type
class PersonSaved:
    """The person as they are now."""

    person: Person = strawberry.field(description="The viewer.")


ServiceResult = Annotated[
    ServiceSaved | NotFound | ActionRefused | InvalidInput | IdempotencyKeyReused,
    strawberry.union("ServiceResult", description="The saved service, or what stood in the way."),
]
PersonResult = Annotated[
    PersonSaved | ActionRefused | InvalidInput | IdempotencyKeyReused,
    strawberry.union("PersonResult", description="The person as saved, or what stood in the way."),
]


@strawberry.type
class ProfileMutation:
    @strawberry.mutation
    async def save_service(self, info: Info, input: SaveServiceInput) -> ServiceResult:
        """Offer a new service or change one's own; whoever saves one is an expert from then on (T, P4)."""
        action = profile.save_service(
            service_id=optional_row_id("Service", input.service_id),
            name=input.name,
            duration_minutes=input.duration_minutes,
            price=input.price,
            active=input.active,
            by=info.context.viewer,
            attempt=attempt("saveService", input),
        )

        async def saved(done: Done) -> ServiceSaved:
            return ServiceSaved(service=info.context.show(Service, await models.Service.get(id=done.made_id)))

        return await answer(info, action, saved)  # type: ignore[return-value]

    @strawberry.mutation
    async def set_skills(self, info: Info, input: SetSkillsInput) -> PersonResult:
        """Replace one's skills; those of one name are one skill, whatever the case (Q5)."""
        action = profile.set_skills(names=input.names, by=info.context.viewer, attempt=attempt("setSkills", input))
        return await answer(info, action, partial(person_saved, info))  # type: ignore[return-value]

    @strawberry.mutation
    async def update_profile(self, info: Info, input: UpdateProfileInput) -> PersonResult:
        """Change one's language, the time zone that times are told in, or what one is not sent by e-mail."""
        action = profile.update_profile(
            language=input.language,
            time_zone=input.time_zone,
            muted_kinds=input.muted_kinds,
            by=info.context.viewer,
            attempt=attempt("updateProfile", input),
        )
        return await answer(info, action, partial(person_saved, info))  # type: ignore[return-value]


async def person_saved(info: Info, done: Done) -> PersonSaved:
    person = await models.Person.get(id=done.made_id)
    viewer = info.context.viewer  # what follows in this request is said as they now want it
    viewer.language, viewer.time_zone = person.language, person.time_zone
    return PersonSaved(person=info.context.show(Person, person))
