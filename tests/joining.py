"""A side's browser at its link, and whatever else opens links."""

import re
from dataclasses import dataclass
from datetime import datetime
from html import unescape
from typing import Any
from urllib.parse import urlsplit

import httpx2

from tests.driving import Client, Service
from tests.negotiations import Negotiation

CONFERENCE = """query($id: ID!) { meeting(id: $id) {
  startsAt endsAt version
  conference { state joinUrl validFrom validUntil userJoinedAt expertJoinedAt }
  attendance { side openedAt meetingStartsAt }
  actions { kind allowed refusal opensAt closesAt consequences { freeUntil } }
  timeline { edges { node { kind actor person { id } occurredAt } } }
} }"""

BY_A_PERSON = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-User": "?1", "Sec-Fetch-Dest": "document"}
"What browsers send when their user has clicked a link."


async def seen(client: Client, meeting_id: str) -> dict[str, Any]:
    """The meeting with all of its conference."""
    return (await client.ask(CONFERENCE, id=meeting_id))["meeting"]


async def link_of(client: Client, meeting_id: str) -> str:
    """The path of this person's own link."""
    url = (await seen(client, meeting_id))["conference"]["joinUrl"]
    return urlsplit(url).path


async def agreed(world: Service, user: Client, expert: Client, **changes: Any) -> Negotiation:
    """An agreed meeting in ten days of which the platform knows."""
    negotiation = await Negotiation(world, user, expert).agree("USER", **changes)
    await world.beat()
    return negotiation


def at_the_start(world: Service, negotiation: Negotiation) -> None:
    world.clock.time = datetime.fromisoformat(negotiation.meeting["startsAt"])


async def opened(world: Service, path: str, **headers: str) -> httpx2.Response:
    """The answer to a person who opens a link; no redirect is followed."""
    return await world.http.get(path, headers={**BY_A_PERSON, **headers})


@dataclass(frozen=True)
class Form:
    """The one form of a page."""

    fields: dict[str, str]

    @classmethod
    def of(cls, page: httpx2.Response) -> "Form":
        inputs = re.findall(r'<input type="hidden" name="(.+?)" value="(.+?)">', page.text)
        assert page.text.count("<form") == 1, page.text
        return cls({unescape(name): unescape(value) for name, value in inputs})


async def pressed(world: Service, path: str, form: Form, **headers: str) -> httpx2.Response:
    """The answer to a person who presses the button of our page."""
    own = {"Origin": "http://localhost:8000", "Sec-Fetch-Site": "same-origin"}
    return await world.http.post(path, data=form.fields, headers={**own, **headers})


def recorded(meeting: dict[str, Any]) -> list[str]:
    """The kinds of the attendance events."""
    kinds = [edge["node"]["kind"] for edge in meeting["timeline"]["edges"]]
    return [kind for kind in kinds if "ATTENDANCE" in kind]
