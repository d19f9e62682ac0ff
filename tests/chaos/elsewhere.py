"""A service in processes of its own, on a database of its own: there people come by its API alone."""

from dataclasses import dataclass
from typing import Any

from tests.driving import Client, Service

TO_BE_AN_EXPERT = """mutation($service: SaveServiceInput!, $skills: SetSkillsInput!) {
  saveService(input: $service) { ... on ServiceSaved { service { id } } }
  setSkills(input: $skills) { ... on PersonSaved { person { id skills { id } } } }
}"""


@dataclass
class Elsewhere(Service):
    """The service as its clients know it."""

    staff: Client | None = None
    "Who grants credits."

    async def somebody(self, name: str, *, credits: str | None = None, **claims: Any) -> Client:
        client = self.newcomer(name, **claims)
        client.id = (await client.ask("{ me { id } }"))["me"]["id"]
        if credits is not None:
            assert self.staff is not None
            granted = await self.staff.act("grantCredits", personId=client.id, amount=credits)
            assert granted["__typename"] == "CreditsGranted", granted
        return client

    async def expert(self, name: str, *, price: str = "40.00", minutes: int = 60, **given: Any) -> Client:
        client = await self.somebody(name, **given)
        service = {"name": "Advice", "durationMinutes": minutes, "price": price}
        made = await client.ask(TO_BE_AN_EXPERT, service=service, skills={"names": ["Python"]})
        client.service = made["saveService"]["service"]["id"]
        client.skill = made["setSkills"]["person"]["skills"][0]["id"]
        return client
