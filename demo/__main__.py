"""`python -m demo`: a user and an expert play the main job against a running sandbox, and every push is printed."""

import asyncio
import json
import os
import random
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
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
RESULT = """
  __typename
  ... on MeetingChanged { meeting { id status } events { sequence } }
  ... on Problem { message }
"""


@dataclass
class Player:
    """Somebody with a browser open."""

    name: str
    http: httpx.AsyncClient
    events: int = 0
    _arrived: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def ask(self, query: str, **variables: Any) -> Any:
        answer = (await self.http.post("/graphql", json={"query": query, "variables": variables})).json()
        if "errors" in answer:
            sys.exit(f"{self.name} was answered {answer['errors']}")
        return answer["data"]

    async def act(self, say: str, action: str, **given: Any) -> str:
        """Tell and do one thing; the meeting's id. The pushes it causes print themselves."""
        print(f"\n{self.name} {say}")
        input_type = f"{action[0].upper()}{action[1:]}Input"
        mutation = f"mutation ($given: {input_type}!) {{ result: {action}(input: $given) {{ {RESULT} }} }}"
        result = (await self.ask(mutation, given=given))["result"]
        if result["__typename"] != "MeetingChanged":
            sys.exit(f"{self.name} was answered {result}")
        return str(result["meeting"]["id"])

    async def watch(self, ready: asyncio.Event) -> None:
        """Print every push as it arrives."""
        url = str(self.http.base_url.join("/graphql")).replace("http", "ws", 1)
        async with websockets.connect(url, subprotocols=["graphql-transport-ws"]) as socket:  # type: ignore[list-item]
            token = self.http.headers["Authorization"]
            await socket.send(json.dumps({"type": "connection_init", "payload": {"authorization": token}}))
            for key, query in (("meetings", UPDATES), ("credits", BALANCES)):
                await socket.send(json.dumps({"type": "subscribe", "id": key, "payload": {"query": query}}))
            await socket.send(json.dumps({"type": "ping"}))  # answered once both are listening
            async for frame in socket:
                message = json.loads(frame)
                match message["type"]:
                    case "ping":
                        await socket.send(json.dumps({"type": "pong"}))
                    case "pong":
                        ready.set()
                    case "next":
                        await self._show(message["payload"]["data"])

    async def has_seen(self, number: int) -> None:
        """Wait until so many events have been pushed."""
        async with self._arrived:
            await self._arrived.wait_for(lambda: self.events >= number)

    async def _show(self, data: dict[str, Any]) -> None:
        if account := data.get("creditAccountUpdates"):
            news = f"credits: {account['available']} available, {account['blocked']} blocked"
        else:
            async with self._arrived:
                self.events += 1
                self._arrived.notify_all()
            update = data["myMeetingUpdates"]
            event, meeting = update["event"], update["meeting"]
            news = (
                f"{event['sequence']}. {event['label']} — {meeting['status']}, credits {meeting['creditPaymentStatus']}"
            )
        print(f"  {datetime.now():%H:%M:%S.%f}"[:-3], f"→ {self.name:<5} {news}")


async def play(uma: Player, emil: Player, staff: Player) -> None:
    """A proposal approved, another one rejected, a third one taken back."""
    person = "{ me { id name services { id name price } skills { id } creditAccount { available } } }"
    user, expert = (await uma.ask(person))["me"], (await emil.ask(person))["me"]
    service, skill = expert["services"][0], expert["skills"][0]
    if float(user["creditAccount"]["available"]) < 3 * float(service["price"]):
        grant = 'mutation ($to: ID!) { grantCredits(input: {personId: $to, amount: "500.00"}) { __typename } }'
        await staff.ask(grant, to=user["id"])
    # Somewhere in the next two years, so that playing it again collides with nothing.
    now = datetime.fromisoformat((await uma.http.get("/sandbox/clock")).json()["now"])
    start = now + timedelta(days=30, minutes=random.randrange(60 * 24 * 690))
    wanted = {"expertId": expert["id"], "serviceId": service["id"], "skillId": skill["id"]}

    async with everybody_sees(2, uma, emil):
        meeting = await uma.act(
            f"proposes “{service['name']}” for {service['price']} credits; they are blocked.",
            "proposeMeeting", **wanted, startsAt=start.isoformat(),
        )  # fmt: skip
    async with everybody_sees(1, uma, emil):
        await emil.act("approves.", "approveMeeting", meetingId=meeting)
    async with everybody_sees(2, uma, emil):
        another = await emil.act(
            "proposes another one; nothing is blocked yet.",
            "proposeMeetingToUser", meetingId=meeting, serviceId=service["id"], skillId=skill["id"],
            startsAt=(start + timedelta(days=1)).isoformat(), durationMinutes=20, price="12.50",
        )  # fmt: skip
    async with everybody_sees(1, uma, emil):
        await uma.act(
            "rejects it: too short notice.", "rejectMeeting", meetingId=another, reasonCode="TOO_SHORT_NOTICE"
        )
    async with everybody_sees(2, uma, emil):
        third = await uma.act(
            "proposes one herself …", "proposeMeeting", **wanted, startsAt=(start + timedelta(days=2)).isoformat()
        )
    async with everybody_sees(1, uma, emil):
        await uma.act("… and takes it back; her credits return.", "cancelMeeting", meetingId=third)


@asynccontextmanager
async def everybody_sees(number: int, *players: Player) -> AsyncIterator[None]:
    """What is done inside pushes so many events to each player; it is an error if they don't arrive."""
    seen = [player.events + number for player in players]
    yield
    try:
        async with asyncio.timeout(PUSHES_WITHIN_SECONDS):
            for player, expected in zip(players, seen, strict=True):
                await player.has_seen(expected)
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
        print(f"\nThat was the main job: {uma.events + emil.events} events pushed, each the moment it was committed.")


if __name__ == "__main__":
    asyncio.run(main(os.environ.get("PUBLIC_URL") or f"http://localhost:{os.environ.get('PORT') or 8000}"))
