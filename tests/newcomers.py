"""People who are there when a test begins: made by the service's own functions, as asking for each takes far longer."""

from decimal import Decimal
from typing import TYPE_CHECKING

from models import Person, Skill
from resolvers.acting import NO_ATTEMPT
from resolvers.credits import grant_credits
from resolvers.people import recognise
from resolvers.profile import save_service, set_skills
from rules.credits import HUNDREDTHS
from schema.ids import global_id

if TYPE_CHECKING:
    from tests.driving import Client


async def arrive(client: "Client", *, credits: str | None) -> Person:
    """Come for the first time, and be given so many credits."""
    bearer = await client.world.app.state.tokens.read(f"Bearer {client.token}")
    person = await recognise(bearer.claims)
    client.id = global_id("Person", person.id)
    if credits is not None:
        amount = int(Decimal(credits) * HUNDREDTHS)
        staff = Person(is_staff=True)
        await grant_credits(person_id=person.id, amount=amount, note=None, by=staff, attempt=NO_ATTEMPT)
    return person


async def offer_a_service(client: "Client", person: Person, *, price: str, minutes: int) -> None:
    """Become an expert, with one service and one skill."""
    made = await save_service(
        service_id=None,
        name="Advice",
        duration_minutes=minutes,
        price=int(Decimal(price) * HUNDREDTHS),
        active=True,
        by=person,
        attempt=NO_ATTEMPT,
    )
    client.service = global_id("Service", made.made_id)
    await set_skills(names=["Python"], by=person, attempt=NO_ATTEMPT)
    client.skill = global_id("Skill", (await Skill.get(folded_name="python")).id)
