"""The sandbox's clock, and the people it is shown with (X1, X2)."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tortoise.connection import get_connection

from resolvers.errors import ErrorCode, RequestError
from resolvers.world import world

FARTHEST_AHEAD = timedelta(days=36_500)


@dataclass(frozen=True, slots=True)
class DemonstrationPerson:
    """Somebody to try the service as."""

    sub: str
    name: str
    locale: str = "en"
    zoneinfo: str = "Europe/Prague"
    roles: list[str] = field(default_factory=list)

    @property
    def claims(self) -> dict[str, object]:
        """What their tokens say."""
        return {
            "sub": self.sub,
            "name": self.name,
            "email": f"{self.sub}@example.com",
            "locale": self.locale,
            "zoneinfo": self.zoneinfo,
            "roles": self.roles,
        }


UMA = DemonstrationPerson("uma", "Uma User")
ULI = DemonstrationPerson("uli", "Uli Umsichtig", locale="de", zoneinfo="Europe/Berlin")
EMIL = DemonstrationPerson("emil", "Emil Expert")
EVA = DemonstrationPerson("eva", "Eva Erfahren", locale="de", zoneinfo="Europe/Vienna")
STELLA = DemonstrationPerson("stella", "Stella Staff", zoneinfo="UTC", roles=["staff"])
DEMONSTRATION_PEOPLE = (UMA, ULI, EMIL, EVA, STELLA)


async def move_clock(advance: timedelta) -> datetime:
    """Move the clock of every process forward at once; it ticks on from there (X2)."""
    rows = await get_connection("default").execute_query_dict(
        "INSERT INTO sandbox_clock AS clock (id, ahead_microseconds) VALUES (1, $1) ON CONFLICT (id) DO UPDATE"
        " SET ahead_microseconds = clock.ahead_microseconds + excluded.ahead_microseconds"
        " WHERE clock.ahead_microseconds + excluded.ahead_microseconds <= $2 RETURNING id",
        [advance // timedelta(microseconds=1), FARTHEST_AHEAD // timedelta(microseconds=1)],
    )
    if not rows:
        raise RequestError(ErrorCode.BAD_USER_INPUT, "The clock can't be moved that far.")
    return await world().clock.now()
