"""A room and two people for the tests of all platforms."""

from datetime import UTC, datetime
from uuid import UUID

from conference.platform import Attendee, Room

# Not on whole seconds, which is all that credentials know.
OPENS_AT = datetime(2030, 3, 1, 9, 45, 0, 999_999, tzinfo=UTC)
CLOSES_AT = datetime(2030, 3, 1, 12, 0, 0, 999_999, tzinfo=UTC)
WINDOW = {"nbf": 1_898_588_700, "exp": 1_898_596_800}

ROOM = Room(name="8d1c9a0be2f54c67a3d09be4f1526c70", opens_at=OPENS_AT, closes_at=CLOSES_AT)
LATER = Room(
    name=ROOM.name,
    opens_at=datetime(2030, 3, 8, 9, 45, tzinfo=UTC),
    closes_at=datetime(2030, 3, 8, 12, 0, tzinfo=UTC),
)
LATER_WINDOW = {"nbf": 1_899_193_500, "exp": 1_899_201_600}

UMA = Attendee(UUID("0195a3c0-0000-7000-8000-000000000001"), "Uma Groß", is_host=False)
EMIL = Attendee(UUID("0195a3c0-0000-7000-8000-000000000002"), "Emil Åström", is_host=True)
