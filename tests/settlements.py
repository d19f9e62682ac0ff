"""A meeting that was held, and what becomes of its price, over the public API."""

from dataclasses import dataclass
from typing import Any

from tortoise.connection import get_connection

from schema.ids import row_id
from tests.driving import Client, Service
from tests.many import approved, proposals

WEEK_HOURS = 168
SMOOTH, MINE, THEIRS, EXPERTIMS = (
    "WENT_SMOOTHLY",
    "FAILED_BECAUSE_OF_ME",
    "FAILED_BECAUSE_OF_OTHER_PARTY",
    "FAILED_BECAUSE_OF_EXPERTIM",
)
DONE = "MeetingChanged"
FINAL = ("CREDITS_PAID_TO_EXPERT", "PAYMENT_RETURNED_TO_USER")
"Of these a meeting has one at most."

SETTLED = """
query($id: ID!) { meeting(id: $id) {
  id version status creditPaymentStatus userProgress { ...Record } expertProgress { ...Record }
  settlement { outcome referred decidedBy paidToUser paidToExpert fee explanation note settledAt }
  actions { kind refusal opensAt closesAt }
  timeline { edges { node { kind actor person { id } credits note } } }
} creditAccount { available blocked } }
fragment Record on ProgressRecord { side progress rating comment recordedAt }
"""

OPERATORS = """
SELECT COALESCE(SUM(amount * ((credited_account = 'EXPERTIM')::int - (debited_account = 'EXPERTIM')::int)), 0)::bigint
AS received FROM credit_movement WHERE meeting_id = $1
"""


@dataclass
class Held:
    """An agreed meeting that has just ended."""

    world: Service
    user: Client
    expert: Client
    id: str

    def side(self, side: str) -> Client:
        return self.user if side == "USER" else self.expert

    async def attempt(self, side: str, progress: str, **given: Any) -> dict[str, Any]:
        """The result of what one side says."""
        return await self.side(side).act("recordProgress", meetingId=self.id, progress=progress, **given)

    async def says(self, side: str, progress: str, **given: Any) -> list[str]:
        """What one side says, and the events that it recorded."""
        result = await self.attempt(side, progress, **given)
        assert result["__typename"] == DONE, result
        return [event["kind"] for event in result["events"]]

    async def wait(self) -> None:
        """The time to say something passes, and the worker looks."""
        self.world.clock.advance(hours=WEEK_HOURS)
        await self.world.beat()

    async def seen_with_balance(self, by: Client) -> tuple[dict[str, Any], tuple[str, str]]:
        """The meeting and somebody's balance, as they read both at once."""
        found = await by.ask(SETTLED, id=self.id)
        assert found["meeting"] is not None
        return found["meeting"], (found["creditAccount"]["available"], found["creditAccount"]["blocked"])

    async def seen(self, by: Client | None = None) -> dict[str, Any]:
        meeting, _ = await self.seen_with_balance(by or self.user)
        return meeting

    async def events(self) -> list[tuple[Any, ...]]:
        """Kind, actor and credits of the events since it was agreed."""
        return events_of(await self.seen())

    async def operators(self) -> int:
        """What Expertim has received for it, in hundredths; less than nothing if it paid."""
        rows = await get_connection("default").execute_query_dict(OPERATORS, [row_id("Meeting", self.id)])
        return int(rows[0]["received"])

    async def refer(self) -> "Held":
        """What the two say leaves it to staff."""
        await self.says("USER", THEIRS)
        assert (await self.says("EXPERT", SMOOTH))[-1] == "REFERRED_TO_EXPERTIM"
        return self

    async def decide(self, staff: Client, outcome: str = "PAY_EXPERT", **given: Any) -> dict[str, Any]:
        """The result of staff's decision."""
        return await staff.act(
            "decideSettlement", **{"meetingId": self.id, "outcome": outcome, "note": "So it is.", **given}
        )


def events_of(seen: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Kind, actor and credits of the events since it was agreed, of a meeting as it was read."""
    nodes = [edge["node"] for edge in seen["timeline"]["edges"]]
    return [(node["kind"], node["actor"], node["credits"]) for node in nodes[3:]]


async def held(world: Service, user: Client, expert: Client, **ahead: float) -> Held:
    """A meeting of an hour that the user proposed, the expert approved, and that has just ended."""
    (meeting,) = await held_together(world, user, expert, 1, **ahead)
    return meeting


async def held_together(world: Service, user: Client, expert: Client, number: int, **ahead: float) -> list[Held]:
    """So many of them at the same hour."""
    proposed = await proposals(user, expert, number, startsAt=world.at(**(ahead or {"days": 1})))
    meetings = [Held(world, user, expert, each) for each in await approved(expert, proposed)]
    world.clock.advance(**(ahead or {"days": 1}))
    world.clock.advance(hours=1)
    return meetings
