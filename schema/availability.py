"""When experts can be met."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Annotated

import strawberry

import rules.availability
from resolvers.acting import Done
from resolvers.availability import set_availability, visible_availability
from rules.availability import Stretch, Window
from schema.acting import answer, attempt
from schema.context import Info
from schema.problems import ActionRefused, IdempotencyKeyReused, InvalidInput
from schema.scalars import Time


@strawberry.type
class TimeWindow:
    """From one time of a day to another, by the clock of the availability's time zone."""

    from_: Time = strawberry.field(name="from", description="The first of the two instants if it exists twice (V1).")
    to: Time = strawberry.field(description="Later than from, at most 24:00; the second if it exists twice (V1).")

    @classmethod
    def all_of(cls, windows: Iterable[Window]) -> list["TimeWindow"]:
        return [cls(from_=Time(each.from_minute), to=Time(each.to_minute)) for each in windows]


@strawberry.type
class WeeklyWindow:
    """A window that is open every week."""

    weekday: int = strawberry.field(description="From 1 to 7; Monday is 1.")
    from_: Time = strawberry.field(name="from", description="The first of the two instants if it exists twice (V1).")
    to: Time = strawberry.field(description="Later than from, at most 24:00; the second if it exists twice (V1).")


@strawberry.type
class AvailabilityException:
    """Replaces the weekly windows of one day; no windows: a day off."""

    day: date = strawberry.field(name="date", description="The day, in the availability's time zone.")
    windows: list[TimeWindow] = strawberry.field(description="All that is open on it, by time.")


@strawberry.type
class Availability:
    """When an expert can be met, but for the meetings they have agreed to (V1)."""

    time_zone: str = strawberry.field(description="The one that the windows are told in: an IANA name.")
    weekly: list[WeeklyWindow] = strawberry.field(description="By weekday and time.")
    exceptions: list[AvailabilityException] = strawberry.field(description="By date.")

    @classmethod
    def of(cls, said: rules.availability.Availability) -> "Availability":
        return cls(
            time_zone=said.time_zone,
            weekly=[
                WeeklyWindow(weekday=weekday, from_=Time(each.from_minute), to=Time(each.to_minute))
                for weekday, windows in said.weekly.items()
                for each in windows
            ],
            exceptions=[
                AvailabilityException(day=day, windows=TimeWindow.all_of(windows))
                for day, windows in said.exceptions.items()
            ],
        )


@strawberry.type
class FreeSlot:
    """A date that can be proposed (V2)."""

    starts_at: datetime = strawberry.field(description="What to propose as `startsAt`.")
    ends_at: datetime = strawberry.field(description="The service's length later.")

    @classmethod
    def of(cls, date: Stretch) -> "FreeSlot":
        return cls(starts_at=date[0], ends_at=date[1])


@strawberry.input
class TimeWindowInput:
    """From one time of a day to a later one."""

    from_: Time = strawberry.field(name="from", description="Before 24:00.")
    to: Time = strawberry.field(description="Later than from, at most 24:00; otherwise OUT_OF_RANGE.")


@strawberry.input
class WeeklyWindowInput:
    """A window that is open every week."""

    weekday: int = strawberry.field(description="From 1 to 7, otherwise OUT_OF_RANGE; Monday is 1.")
    from_: Time = strawberry.field(name="from", description="Before 24:00.")
    to: Time = strawberry.field(description="Later than from, at most 24:00; otherwise OUT_OF_RANGE.")


@strawberry.input
class AvailabilityExceptionInput:
    """Replaces the weekly windows of one day."""

    day: date = strawberry.field(name="date", description="Each day once; twice is MALFORMED.")
    windows: list[TimeWindowInput] = strawberry.field(description="None for a day off; 24 at most.")


@strawberry.input
class SetAvailabilityInput:
    """All of one's windows and exceptions; what is not given again is gone (V1)."""

    time_zone: str = strawberry.field(description="An IANA name, e.g. Europe/Prague; any other is UNKNOWN.")
    weekly: list[WeeklyWindowInput] = strawberry.field(description="In any order, 100 at most; they may overlap.")
    exceptions: list[AvailabilityExceptionInput] = strawberry.field(description="In any order, 400 at most.")
    idempotency_key: str | None = None


@strawberry.type
class AvailabilitySaved:
    """The availability as it is now."""

    availability: Availability = strawberry.field(description="The viewer's, put in order.")


AvailabilityResult = Annotated[
    AvailabilitySaved | ActionRefused | InvalidInput | IdempotencyKeyReused,
    strawberry.union("AvailabilityResult", description="The availability as saved, or what stood in the way."),
]


@strawberry.type
class AvailabilityMutation:
    @strawberry.mutation
    async def set_availability(self, info: Info, input: SetAvailabilityInput) -> AvailabilityResult:
        """Say when one can be met; replaces all that was said before (V1)."""
        viewer = info.context.viewer
        action = set_availability(
            time_zone=input.time_zone,
            weekly=[(each.weekday, Window(each.from_, each.to)) for each in input.weekly],
            exceptions=[
                (each.day, [Window(window.from_, window.to) for window in each.windows]) for each in input.exceptions
            ],
            by=viewer,
            attempt=attempt("setAvailability", input),
        )

        async def saved(done: Done) -> AvailabilitySaved:
            said = await visible_availability(viewer.id, viewer)
            assert said is not None
            return AvailabilitySaved(availability=Availability.of(said))

        return await answer(info, action, saved)  # type: ignore[return-value]
