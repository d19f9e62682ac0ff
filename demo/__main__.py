"""`python -m demo`: a user and an expert play the main job against a running sandbox, and every push is printed."""

import asyncio
import json
import os
import random
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import httpx
import websockets

PUSHES_WITHIN_SECONDS = 5.0
UPDATES = """
subscription { myMeetingUpdates { event { sequence label } meeting { status creditPaymentStatus } } }
"""
BALANCES = "subscription { creditAccountUpdates { available blocked } }"
WARNINGS = "subscription { conflictWarnings { meeting { startsAt } conflicts { startsAt } } }"
RESULT = """
  __typename
  ... on MeetingChanged { meeting { id status } events { sequence } }
  ... on Problem { message }
  ... on LateCancellation { consequences { creditsDeductedFromUser creditsReturnedToUser } }
"""


@dataclass
class Player:
    """Somebody with a browser open."""

    name: str
    http: httpx.AsyncClient
    seen: Counter[str] = field(default_factory=Counter)
    "How many events and how many warnings have been pushed."
    _arrived: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def ask(self, query: str, **variables: Any) -> Any:
        answer = (await self.http.post("/graphql", json={"query": query, "variables": variables})).json()
        if "errors" in answer:
            sys.exit(f"{self.name} was answered {answer['errors']}")
        return answer["data"]

    async def act(self, say: str, action: str, **given: Any) -> str:
        """Tell and do one thing; the meeting's id. The pushes it causes print themselves."""
        result = await self._answer(say, action, "MeetingChanged", given)
        return str(result["meeting"]["id"])

    async def is_asked_to_confirm(self, say: str, action: str, **given: Any) -> None:
        """Tell and try one thing, which costs something; nothing happens but that the cost is told."""
        answer = await self._answer(say, action, "LateCancellation", given)
        cost = answer["consequences"]
        print(f"  {answer['message']}")
        print(f"  {cost['creditsDeductedFromUser']} would be deducted, {cost['creditsReturnedToUser']} would return.")

    async def _answer(self, say: str, action: str, expected: str, given: dict[str, Any]) -> Any:
        print(f"\n{self.name} {say}")
        input_type = f"{action[0].upper()}{action[1:]}Input"
        mutation = f"mutation ($given: {input_type}!) {{ result: {action}(input: $given) {{ {RESULT} }} }}"
        result = (await self.ask(mutation, given=given))["result"]
        if result["__typename"] != expected:
            sys.exit(f"{self.name} was answered {result}")
        return result

    async def watch(self, ready: asyncio.Event) -> None:
        """Print every push as it arrives."""
        url = str(self.http.base_url.join("/graphql")).replace("http", "ws", 1)
        async with websockets.connect(url, subprotocols=["graphql-transport-ws"]) as socket:  # type: ignore[list-item]
            token = self.http.headers["Authorization"]
            await socket.send(json.dumps({"type": "connection_init", "payload": {"authorization": token}}))
            for key, query in (("meetings", UPDATES), ("credits", BALANCES), ("conflicts", WARNINGS)):
                await socket.send(json.dumps({"type": "subscribe", "id": key, "payload": {"query": query}}))
            await socket.send(json.dumps({"type": "ping"}))  # answered once all three are listening
            async for frame in socket:
                message = json.loads(frame)
                match message["type"]:
                    case "ping":
                        await socket.send(json.dumps({"type": "pong"}))
                    case "pong":
                        ready.set()
                    case "next":
                        await self._show(message["payload"]["data"])

    async def has_seen(self, what: str, number: int) -> None:
        """Wait until so many events, or warnings, have been pushed."""
        async with self._arrived:
            await self._arrived.wait_for(lambda: self.seen[what] >= number)

    async def _show(self, data: dict[str, Any]) -> None:
        ((kind, pushed),) = data.items()
        match kind:
            case "creditAccountUpdates":
                what, news = "balances", f"credits: {pushed['available']} available, {pushed['blocked']} blocked"
            case "conflictWarnings":
                number = len(pushed["conflicts"])
                state = f"collides with {number} agreed" if number else "collides with nothing any more"
                what, news = "warnings", f"conflict: what waits on {pushed['meeting']['startsAt']:.16} {state}"
            case _:
                event, meeting = pushed["event"], pushed["meeting"]
                state = f"{meeting['status']}, credits {meeting['creditPaymentStatus']}"
                what, news = "events", f"{event['sequence']}. {event['label']} — {state}"
        print(f"  {datetime.now():%H:%M:%S.%f}"[:-3], f"→ {self.name:<5} {news}")
        async with self._arrived:
            self.seen[what] += 1
            self._arrived.notify_all()


async def play(uma: Player, emil: Player, staff: Player) -> None:
    """All that two people can do to each other before a meeting, in five scenes."""
    person = "{ me { id name services { id name price } skills { id } creditAccount { available } } }"
    user, expert = (await uma.ask(person))["me"], (await emil.ask(person))["me"]
    service, skill = expert["services"][0], expert["skills"][0]
    if float(user["creditAccount"]["available"]) < 4 * float(service["price"]):
        grant = 'mutation ($to: ID!) { grantCredits(input: {personId: $to, amount: "500.00"}) { __typename } }'
        await staff.ask(grant, to=user["id"])
    now = datetime.fromisoformat((await uma.http.get("/sandbox/clock")).json()["now"])
    wanted = {"expertId": expert["id"], "serviceId": service["id"], "skillId": skill["id"]}
    offered = {"serviceId": service["id"], "skillId": skill["id"], "durationMinutes": 20, "price": "12.50"}
    scene = Scene(uma, emil, wanted)
    # Somewhere in the next two years, so that playing it again collides with nothing.
    start = now + timedelta(days=30, minutes=random.randrange(60 * 24 * 690))

    print(f"Uma wants “{service['name']}” of Emil, for {service['price']} credits.")
    meeting = await scene.agree_on(start)
    await scene.reschedule(meeting, start + timedelta(days=1))
    await scene.reject(meeting, offered | {"startsAt": (start + timedelta(days=2)).isoformat()})
    await scene.collide(start + timedelta(days=3))
    await scene.cancel_late(now + timedelta(days=1))


@dataclass
class Scene:
    """What Uma and Emil play together."""

    uma: Player
    emil: Player
    wanted: dict[str, str]

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


async def main(url: str) -> None:
    async with AsyncExitStack() as open_until_the_end:
        http = await open_until_the_end.enter_async_context(httpx.AsyncClient(base_url=url))
        try:
            known = (await http.get("/sandbox/people")).raise_for_status().json()
        except httpx.HTTPError as fault:
            sys.exit(f"No sandbox answers at {url} ({fault!r}): start one with `make run`.")
        tokens = {each["sub"]: each["token"] for each in known}

        async def player(sub: str, name: str) -> Player:
            headers = {"Authorization": f"Bearer {tokens[sub]}"}
            client = httpx.AsyncClient(base_url=url, headers=headers, timeout=PUSHES_WITHIN_SECONDS)
            return Player(name, await open_until_the_end.enter_async_context(client))

        uma, emil, stella = await player("uma", "Uma"), await player("emil", "Emil"), await player("stella", "Stella")
        async with asyncio.TaskGroup() as watching:
            tasks = []
            for each in (uma, emil):
                ready = asyncio.Event()
                tasks.append(watching.create_task(each.watch(ready)))
                await asyncio.wait_for(ready.wait(), PUSHES_WITHIN_SECONDS)
            await play(uma, emil, stella)
            for task in tasks:
                task.cancel()
        pushed = (uma.seen + emil.seen).total()
        print(f"\nThat was the main job: {pushed} pushes, each the moment its cause was committed.")


if __name__ == "__main__":
    asyncio.run(main(os.environ.get("PUBLIC_URL") or f"http://localhost:{os.environ.get('PORT') or 8000}"))
