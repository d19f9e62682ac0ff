"""Two people at one meeting of theirs, over the public API."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from models import Notification
from schema.ids import row_id
from tests.driving import Client, Service, Socket

OTHER = {"USER": "EXPERT", "EXPERT": "USER"}
PROPOSER = pytest.mark.parametrize("proposer", OTHER)
CHOOSER = pytest.mark.parametrize("chooser", OTHER)
CANCELLER = pytest.mark.parametrize("canceller", OTHER)
REASON = {"rejectMeeting": "OTHER", "rejectAlternativeDate": "OTHER", "cancelMeeting": "OTHER"}

UPDATES = """
subscription { myMeetingUpdates {
  event { sequence kind actor credits alternativeDate { id } }
  meeting { id status creditPaymentStatus startsAt alternativeDate { id status originalDateInForce } }
} }
"""
BALANCES = "subscription { creditAccountUpdates { available blocked } }"


@dataclass
class Negotiation:
    """A meeting as its last answer showed it; each step must go through, unless it is only tried."""

    world: Service
    user: Client
    expert: Client
    meeting: dict[str, Any] = field(default_factory=dict)

    def side(self, side: str) -> Client:
        return self.user if side == "USER" else self.expert

    async def propose(self, proposer: str, **changes: Any) -> "Negotiation":
        """A meeting in ten days, of an hour and for 40 credits."""
        given = {"startsAt": self.world.at(days=10), **changes}
        if proposer == "USER":
            self.meeting = await self.user.proposed(self.expert, **given)
        else:
            terms = {"price": "40.00", "durationMinutes": 60}
            self.meeting = await self.expert.offered(self.user, **{**terms, **given})
        return self

    async def agree(self, proposer: str, **changes: Any) -> "Negotiation":
        """A meeting that one side proposed and the other approved, whatever it collides with."""
        await self.propose(proposer, **changes)
        await self.do(OTHER[proposer], "approveMeeting", acknowledgeConflicts=True)
        return self

    async def reject(self, proposer: str, **changes: Any) -> "Negotiation":
        """A meeting that one side proposed and the other rejected."""
        await self.propose(proposer, **changes)
        await self.do(OTHER[proposer], "rejectMeeting", reasonCode="TIME_DOES_NOT_SUIT")
        return self

    async def choose(self, chooser: str, **ahead: float) -> "Negotiation":
        """One side chooses an alternative date."""
        await self.do(chooser, "chooseAlternativeDate", startsAt=self.world.at(**(ahead or {"days": 20})))
        return self

    async def attempt(self, side: str, action: str, **given: Any) -> dict[str, Any]:
        """The result of what one side tries."""
        return await self.side(side).act(action, **{"meetingId": self.meeting["id"], **given})

    async def do(self, side: str, action: str, **given: Any) -> dict[str, Any]:
        """What one side does, with a reason where there may be one."""
        reason = {"reasonCode": REASON[action]} if action in REASON else {}
        result = await self.attempt(side, action, **{**reason, **given})
        assert result["__typename"] == "MeetingChanged", result
        self.meeting = result["meeting"]
        return result

    async def seen(self, side: str) -> dict[str, Any]:
        """The meeting as one side reads it now, which is as the other side does."""
        found, again = await self.user.meeting(self.meeting["id"]), await self.expert.meeting(self.meeting["id"])
        assert found is not None
        assert again is not None
        own = {"viewerSide": None, "conflicts": None}
        assert {**found, **own} == {**again, **own}
        return found if side == "USER" else again

    @property
    def standing(self) -> tuple[str, str]:
        return self.meeting["status"], self.meeting["creditPaymentStatus"]

    def answers(self, side: str) -> tuple[str, str]:
        """This side's, and the other's."""
        both = {"USER": self.meeting["userAnswer"], "EXPERT": self.meeting["expertAnswer"]}
        return both[side], both[OTHER[side]]

    def events(self, since: int) -> list[tuple[Any, ...]]:
        """Kind, actor, reason, credits and alternative date of all events but the first so many."""
        nodes = [edge["node"] for edge in self.meeting["timeline"]["edges"]]
        assert [node["sequence"] for node in nodes] == list(range(1, self.meeting["version"] + 1))
        for node in nodes:
            client = {"USER": self.user.id, "EXPERT": self.expert.id, "SYSTEM": None}[node["actor"]]
            assert node["person"] == (client and {"id": client})
        return [
            (
                node["kind"],
                node["actor"],
                node["reason"] and node["reason"]["code"],
                node["credits"],
                node["alternativeDate"] and node["alternativeDate"]["id"],
            )
            for node in nodes[since:]
        ]


async def told(client: Client) -> tuple[str, dict[str, Any]]:
    """What a person was notified of last, and the facts its text is made of."""
    newest = await Notification.filter(person_id=row_id("Person", client.id)).order_by("-id").first()
    assert newest is not None
    return newest.kind.value, newest.facts


async def times_told(client: Client) -> int:
    """How often a person was notified."""
    return await Notification.filter(person_id=row_id("Person", client.id)).count()


async def pushed(socket: Socket, number: int) -> list[dict[str, Any]]:
    """The next updates of a subscription to `UPDATES`."""
    return [(await socket.next())["myMeetingUpdates"] for _ in range(number)]


async def purse(socket: Socket) -> tuple[str, str]:
    """The next balances of a subscription to `BALANCES`."""
    account = (await socket.next())["creditAccountUpdates"]
    return account["available"], account["blocked"]
