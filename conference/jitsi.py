"""Jitsi Meet: rooms are there when somebody goes in, and need no arranging; a signed token says who may, and when."""

from dataclasses import dataclass, field
from urllib.parse import quote

from joserfc import jwt
from joserfc.jwk import OctKey

from conference.platform import Attendee, Room


@dataclass(frozen=True, slots=True)
class Jitsi:
    """A Jitsi installation; without a secret, whoever knows a room's name may go in."""

    url: str
    app_id: str | None = None
    secret: str | None = field(default=None, repr=False)

    async def create(self, room: Room) -> None:
        pass

    async def adjust(self, room: Room) -> None:
        pass

    async def cancel(self, name: str) -> None:
        pass

    async def personal_url(self, room: Room, attendee: Attendee) -> str:
        address = f"{self.url.rstrip('/')}/{quote(room.name)}"
        if self.secret is None:
            return address
        claims = {
            "iss": self.app_id,
            "aud": self.app_id,
            "sub": "*",  # in whichever domain or tenant the installation has: the room's name is enough
            "room": room.name,
            **room.window,
            "context": {
                "user": {
                    "id": str(attendee.person_id),
                    "name": attendee.shown_name,
                    # Prosody's plugins want strings here, and nothing else.
                    "moderator": "true" if attendee.is_host else "false",
                }
            },
        }
        return f"{address}?jwt={jwt.encode({'alg': 'HS256'}, claims, OctKey.import_key(self.secret))}"
