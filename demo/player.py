"""Somebody with a browser open, who tells what they do and prints what is pushed to them."""

import asyncio
import json
import sys
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx2
import websockets

PUSHES_WITHIN_SECONDS = 5.0
SUBSCRIPTIONS = (
    "subscription { myMeetingUpdates { event { sequence label } meeting { status creditPaymentStatus } } }",
    "subscription { creditAccountUpdates { available blocked } }",
    "subscription { conflictWarnings { meeting { startsAt } conflicts { startsAt } } }",
    "subscription { notificationReceived { notification { title body } } }",
)
MESSAGES = "subscription ($chatId: ID!) { chatMessageSent(chatId: $chatId) { chatMessage { author { name } text } } }"
RESULTS = {
    "MeetingChanged": "meeting { id status } events { sequence }",
    "LateCancellation": "consequences { creditsDeductedFromUser creditsReturnedToUser }",
    "ChatOpened": "chat { id unread }",
    "ChatMessageSent": "chatMessage { id }",
}


@dataclass
class Player:
    """Somebody with a browser open."""

    name: str
    http: httpx2.AsyncClient
    seen: Counter[str] = field(default_factory=Counter)
    "How many of each kind have been pushed."
    _socket: websockets.ClientConnection | None = None
    _subscribed: int = 0
    _listening: int = 0
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

    async def open_chat(self, say: str, meeting: str) -> str:
        """Tell and open the chat with the other side of a meeting; its id."""
        result = await self._answer(say, "openChat", "ChatOpened", {"meetingId": meeting})
        return str(result["chat"]["id"])

    async def write(self, chat: str, text: str) -> None:
        await self._answer("writes.", "sendChatMessage", "ChatMessageSent", {"chatId": chat, "text": text})

    async def join(self, meeting: str) -> None:
        """Open one's link as a browser does when its user clicks on it."""
        query = "query ($id: ID!) { meeting(id: $id) { conference { joinUrl } } }"
        url = (await self.ask(query, id=meeting))["meeting"]["conference"]["joinUrl"]
        print(f"\n{self.name} opens {url[:40]}…")
        answer = await self.http.get(url, headers={"Sec-Fetch-Mode": "navigate", "Sec-Fetch-User": "?1"})
        room = answer.headers.get("Location", "")
        print(f"  let in: {room[:60]}" if room else "  recorded as attending; the room is not ready yet.")

    async def is_asked_to_confirm(self, say: str, action: str, **given: Any) -> None:
        """Tell and try one thing, which costs something; nothing happens but that the cost is told."""
        answer = await self._answer(say, action, "LateCancellation", given)
        cost = answer["consequences"]
        print(f"  {answer['message']}")
        print(f"  {cost['creditsDeductedFromUser']} would be deducted, {cost['creditsReturnedToUser']} would return.")

    async def _answer(self, say: str, action: str, expected: str, given: dict[str, Any]) -> Any:
        print(f"\n{self.name} {say}")
        input_type = f"{action[0].upper()}{action[1:]}Input"
        shown = f"__typename ... on Problem {{ message }} ... on {expected} {{ {RESULTS[expected]} }}"
        mutation = f"mutation ($given: {input_type}!) {{ result: {action}(input: $given) {{ {shown} }} }}"
        result = (await self.ask(mutation, given=given))["result"]
        if result["__typename"] != expected:
            sys.exit(f"{self.name} was answered {result}")
        return result

    async def watch(self) -> None:
        """Print every push as it arrives."""
        url = str(self.http.base_url.join("/graphql")).replace("http", "ws", 1)
        async with websockets.connect(url, subprotocols=["graphql-transport-ws"]) as self._socket:  # type: ignore[list-item]
            token = self.http.headers["Authorization"]
            await self._send(type="connection_init", payload={"authorization": token})
            for query in SUBSCRIPTIONS:
                await self._subscribe(query)
            async for frame in self._socket:
                message = json.loads(frame)
                match message["type"]:
                    case "ping":
                        await self._send(type="pong")
                    case "pong":
                        self._listening += 1
                        await self._tell()
                    case "next":
                        await self._show(message["payload"]["data"])
                    case "error":
                        sys.exit(f"{self.name} was answered {message['payload']}")

    async def listens(self) -> None:
        """Wait until nothing that happens from now on is missed."""
        async with asyncio.timeout(PUSHES_WITHIN_SECONDS), self._arrived:
            await self._arrived.wait_for(lambda: len(SUBSCRIPTIONS) <= self._subscribed == self._listening)

    async def follow(self, chat: str) -> None:
        """Print what is written in this chat, too, from now on."""
        await self._subscribe(MESSAGES, chatId=chat)
        await self.listens()

    async def has_seen(self, what: str, number: int) -> None:
        """Wait until so many of a kind have been pushed."""
        async with self._arrived:
            await self._arrived.wait_for(lambda: self.seen[what] >= number)

    async def _send(self, **message: Any) -> None:
        assert self._socket is not None
        await self._socket.send(json.dumps(message))

    async def _subscribe(self, query: str, **variables: Any) -> None:
        """The ping is answered once this is listening."""
        self._subscribed += 1
        payload = {"query": query, "variables": variables}
        await self._send(type="subscribe", id=str(self._subscribed), payload=payload)
        await self._send(type="ping")

    async def _show(self, data: dict[str, Any]) -> None:
        ((kind, pushed),) = data.items()
        match kind:
            case "creditAccountUpdates":
                what, news = "balances", f"credits: {pushed['available']} available, {pushed['blocked']} blocked"
            case "conflictWarnings":
                number = len(pushed["conflicts"])
                state = f"collides with {number} agreed" if number else "collides with nothing any more"
                what, news = "warnings", f"conflict: what waits on {pushed['meeting']['startsAt']:.16} {state}"
            case "notificationReceived":
                what, news = "notifications", "told: {title}. {body}".format(**pushed["notification"])
            case "chatMessageSent":
                message = pushed["chatMessage"]
                what, news = "messages", f"chat: {message['author']['name']}: {message['text']}"
            case _:
                event, meeting = pushed["event"], pushed["meeting"]
                state = f"{meeting['status']}, credits {meeting['creditPaymentStatus']}"
                what, news = "events", f"{event['sequence']}. {event['label']} — {state}"
        print(f"  {datetime.now():%H:%M:%S.%f}"[:-3], f"→ {self.name:<5} {news}")
        self.seen[what] += 1
        await self._tell()

    async def _tell(self) -> None:
        async with self._arrived:
            self._arrived.notify_all()
