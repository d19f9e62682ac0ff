"""What the demonstration people play, scene by scene."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from demo.player import PUSHES_WITHIN_SECONDS, Player

READ = "mutation ($chatId: ID!) { markChatRead(input: {chatId: $chatId}) { __typename } }"
SLOTS = """
query ($expertId: ID!, $serviceId: ID!, $from: DateTime!, $until: DateTime!) {
  freeSlots(expertId: $expertId, serviceId: $serviceId, from: $from, until: $until) { startsAt }
}
"""


@dataclass
class Scene:
    """What Uma and Emil play together, and once Uma and Eva."""

    uma: Player
    emil: Player
    eva: Player
    wanted: dict[str, str]

    async def find_a_free_slot(self, eva: dict[str, Any], start: datetime) -> None:
        """An expert who has published when they are free is proposed nothing else; and is told in German."""
        wanted = {"expertId": eva["id"], "serviceId": eva["services"][0]["id"]}
        during = {"from": start.isoformat(), "until": (start + timedelta(days=7)).isoformat()}
        slots = (await self.uma.ask(SLOTS, **wanted, **during))["freeSlots"]
        print(f"\nEva has {len(slots)} free slots in that week. The next is {slots[0]['startsAt']:.16} UTC.")
        async with self.sees("events", 2, self.uma, self.eva), self.sees("notifications", 1, self.eva):
            meeting = await self.uma.act(
                "proposes it to Eva.",
                "proposeMeeting", **wanted, skillId=eva["skills"][0]["id"], startsAt=slots[0]["startsAt"],
            )  # fmt: skip
        async with self.sees("events", 1, self.uma, self.eva), self.sees("notifications", 1, self.uma):
            await self.eva.act("approves.", "approveMeeting", meetingId=meeting, acknowledgeConflicts=True)

    async def talk(self, origin: str, offered: dict[str, str]) -> None:
        """One chat for the two; one notification until it is read; and a proposal out of it."""
        chat = await self.uma.open_chat("opens the chat with Emil.", origin)
        await self.emil.ask(READ, chatId=chat)
        for each in (self.uma, self.emil):
            await each.follow(chat)
        async with self.sees("messages", 2, self.uma, self.emil), self.sees("notifications", 1, self.emil):
            await self.uma.write(chat, "Could you look at something shorter?")
            await self.uma.write(chat, "Twenty minutes would do.")
        async with self.sees("messages", 1, self.uma, self.emil), self.sees("notifications", 1, self.uma):
            await self.emil.write(chat, "Gladly, I will propose something.")
        async with self.both_see(2):
            meeting = await self.emil.act(
                "proposes a meeting from the chat; nothing is blocked yet.",
                "proposeMeetingToUser", chatId=chat, **offered,
            )  # fmt: skip
        async with self.both_see(1):
            await self.emil.act("finds that it does not suit him after all.", "cancelMeeting", meetingId=meeting)

    async def agree_on(self, start: datetime) -> str:
        """A proposal and its approval, whatever else Emil may have agreed to in this sandbox."""
        async with self.both_see(2):
            meeting = await self.uma.act(
                "proposes a meeting; the price is blocked.",
                "proposeMeeting", **self.wanted, startsAt=start.isoformat(),
            )  # fmt: skip
        async with self.both_see(1):
            await self.emil.act("approves.", "approveMeeting", meetingId=meeting, acknowledgeConflicts=True)
        return meeting

    async def reschedule(self, meeting: str, start: datetime) -> None:
        """The date in force stays valid until the other side approves the new one."""
        async with self.both_see(2):
            await self.emil.act(
                "would rather meet a day later; until Uma answers the old date stays valid.",
                "chooseAlternativeDate", meetingId=meeting, startsAt=start.isoformat(),
            )  # fmt: skip
        async with self.both_see(1):
            await self.uma.act("approves the new date.", "approveAlternativeDate", meetingId=meeting)

    async def reject(self, origin: str, offered: dict[str, str]) -> None:
        """The expert proposes, and the user turns it down."""
        async with self.both_see(2):
            meeting = await self.emil.act(
                "proposes another one; nothing is blocked yet.",
                "proposeMeetingToUser", meetingId=origin, **offered,
            )  # fmt: skip
        async with self.both_see(1):
            await self.uma.act(
                "rejects it: too short notice.", "rejectMeeting", meetingId=meeting, reasonCode="TOO_SHORT_NOTICE"
            )

    async def collide(self, start: datetime) -> None:
        """Of two proposals for the same time one is approved: whoever is to answer the other is warned."""
        wanted = self.wanted | {"startsAt": start.isoformat()}
        async with self.both_see(2):
            first = await self.uma.act("proposes another one herself …", "proposeMeeting", **wanted)
        async with self.both_see(2):
            second = await self.uma.act("… and one more, for the same time.", "proposeMeeting", **wanted)
        async with self.both_see(1), self.sees("warnings", 1, self.emil):
            await self.emil.act("approves one of them, and is warned of the other.", "approveMeeting", meetingId=first)
        async with self.both_see(1), self.sees("warnings", 1, self.emil):
            await self.uma.act("takes the other one back; her credits return.", "cancelMeeting", meetingId=second)

    async def cancel_late(self, start: datetime) -> None:
        """Less than 48 hours ahead the user must know what it costs."""
        meeting = await self.agree_on(start)
        given = {"meetingId": meeting, "reasonCode": "ILLNESS"}
        await self.uma.is_asked_to_confirm("wants to cancel the day before.", "cancelMeeting", **given)
        async with self.both_see(2):
            await self.uma.act(
                "confirms; half of the price is Emil's, less the fee.",
                "cancelMeeting", **given, acknowledgeLateCancellation=True,
            )  # fmt: skip

    async def live_through(self, start: datetime, length: timedelta) -> None:
        """From the agreement to the last credit; the sandbox's clock is moved to the meeting, and to its end."""
        meeting = await self.agree_on(start)
        await self.clock_to(start - timedelta(minutes=10))
        for each in (self.uma, self.emil):
            async with self.both_see(1):
                await each.join(meeting)
        await self.clock_to(start + length)
        async with self.both_see(2), self.sees("notifications", 1, self.uma, self.emil):
            await self.uma.act(
                "says that it went smoothly; that settles it.",
                "recordProgress", meetingId=meeting, progress="WENT_SMOOTHLY", rating=5, comment="Thank you!",
            )  # fmt: skip
        async with self.both_see(1):
            await self.emil.act("says so too.", "recordProgress", meetingId=meeting, progress="WENT_SMOOTHLY")

    async def clock_to(self, instant: datetime) -> None:
        """Move the clock of the sandbox forward to this instant."""
        now = datetime.fromisoformat((await self.uma.http.get("/sandbox/clock")).json()["now"])
        await self.uma.http.post("/sandbox/clock", json={"advance": (instant - now).total_seconds()})
        print(f"\nThe clock is moved to {instant:%Y-%m-%d %H:%M}.")

    def both_see(self, events: int) -> AbstractAsyncContextManager[None]:
        return self.sees("events", events, self.uma, self.emil)

    @asynccontextmanager
    async def sees(self, what: str, number: int, *players: Player) -> AsyncIterator[None]:
        """What is done inside pushes so much to each player; it is an error if it does not arrive."""
        expected = [player.seen[what] + number for player in players]
        yield
        try:
            async with asyncio.timeout(PUSHES_WITHIN_SECONDS):
                for player, enough in zip(players, expected, strict=True):
                    await player.has_seen(what, enough)
        except TimeoutError:
            sys.exit(f"Not everything was pushed within {PUSHES_WITHIN_SECONDS:.0f} seconds.")
