"""Where an agreed meeting is held, and who came (L)."""

from datetime import datetime

import strawberry

import schema.enums  # noqa: F401 - the enums below must be known to Strawberry
from resolvers import joining
from rules.terms import ConferenceState, Side


@strawberry.type
class Conference:
    """Where a meeting is held on the date in force, and the viewer's own way there (L)."""

    state: ConferenceState = strawberry.field(description="How far the video platform has been brought to it (L4).")
    join_url: str | None = strawberry.field(
        description="The viewer's own link, to be given to nobody; null for staff and when cancelled (L1)."
    )
    valid_from: datetime = strawberry.field(description="From when on the links let people in (L1).")
    valid_until: datetime = strawberry.field(description="When the links are over (L1).")
    user_joined_at: datetime | None = strawberry.field(
        description="When the user first opened their link for the date in force; null if never (L2)."
    )
    expert_joined_at: datetime | None = strawberry.field(
        description="When the expert first opened their link for the date in force; null if never (L2)."
    )

    @classmethod
    def of(cls, seen: joining.ConferenceSeen) -> "Conference":
        return cls(
            state=seen.state,
            join_url=seen.join_url,
            valid_from=seen.window.opens_at,
            valid_until=seen.window.closes_at,
            user_joined_at=seen.joined_at.get(Side.USER),
            expert_joined_at=seen.joined_at.get(Side.EXPERT),
        )


@strawberry.type
class Attendance:
    """An opening of a link; of the date in force if `meetingStartsAt` is the meeting's (L2)."""

    side: Side = strawberry.field(description="Whose link it was.")
    opened_at: datetime = strawberry.field(description="When it was opened.")
    meeting_starts_at: datetime = strawberry.field(description="The start of the date that the link was for.")

    @classmethod
    def of(cls, opening: joining.Opening) -> "Attendance":
        return cls(side=opening.side, opened_at=opening.opened_at, meeting_starts_at=opening.meeting_starts_at)
