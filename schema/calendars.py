"""The address of one's calendar."""

from functools import partial

import strawberry

from resolvers import calendars
from schema.acting import answer, attempt
from schema.context import Info
from schema.profile import PersonResult, person_saved


@strawberry.input
class RenewCalendarUrlInput:
    """Nothing but the key of the attempt."""

    idempotency_key: str | None = None


@strawberry.type
class CalendarsMutation:
    @strawberry.mutation
    async def renew_calendar_url(self, info: Info, input: RenewCalendarUrlInput) -> PersonResult:
        """Have another address for one's calendar; the one before stops working at once."""
        action = calendars.renew_calendar_url(by=info.context.viewer, attempt=attempt("renewCalendarUrl", input))
        return await answer(info, action, partial(person_saved, info))  # type: ignore[return-value]
