"""People: who a token speaks for."""

from dataclasses import dataclass
from zoneinfo import available_timezones

from tortoise.connection import get_connection

from models import Person
from resolvers.world import world
from rules.inputs import folded
from rules.terms import Language

TIME_ZONES = available_timezones() - {"localtime"}  # some machines' name for their own zone, not one of IANA's


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token says of its bearer."""

    subject: str
    name: str
    email: str | None
    locale: str | None
    zoneinfo: str | None
    is_staff: bool


async def recognise(claims: Claims) -> Person:
    """The person a token speaks for, made at first sight; name and e-mail follow the claims (T)."""
    person = await Person.get_or_none(subject=claims.subject)
    told = (claims.name, folded(claims.name), claims.email, claims.is_staff)
    if person is None or told != (person.name, person.folded_name, person.email, person.is_staff):
        await get_connection("default").execute_query(
            "INSERT INTO person (id, subject, name, folded_name, email, is_staff, language, time_zone, is_expert,"
            " available, blocked, feed_head, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, FALSE, 0, 0, 0, $9)"
            " ON CONFLICT (subject) DO UPDATE SET name = excluded.name, folded_name = excluded.folded_name,"
            " email = excluded.email, is_staff = excluded.is_staff",
            [
                world().new_id(),
                claims.subject,
                *told,
                _language(claims.locale),
                claims.zoneinfo if claims.zoneinfo in TIME_ZONES else "UTC",
                await world().clock.now(),
            ],
        )
        person = await Person.get(subject=claims.subject)
    person.is_staff = claims.is_staff  # the token at hand decides, whatever another one said meanwhile
    return person


def _language(locale: str | None) -> Language:
    return Language.DE if (locale or "").lower().replace("_", "-").split("-")[0] == "de" else Language.EN
