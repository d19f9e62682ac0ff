"""An honest client of the API: it remembers the cursor of the last update of each stream, and resumes behind it."""

import asyncio
import json
import random
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import websockets

from tests.chaos.progress import Progress
from tests.chaos.surroundings import Surroundings
from tests.driving import Client

PROTOCOL = websockets.Subprotocol("graphql-transport-ws")
TRY_AGAIN = {"SERVICE_UNAVAILABLE"}


@dataclass
class Stream:
    """A subscription, what came on it so far, and where it goes on."""

    name: str
    query: str
    given: dict[str, str]
    "Its variables but for `after`."
    seen: list[dict[str, Any]] = field(default_factory=list)
    after: str | None = None
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def take(self, result: dict[str, Any]) -> None:
        """What was pushed. Only once it is kept, its cursor is."""
        assert "errors" not in result, result
        update = result["data"][self.name]
        self.seen.append(update)
        self.after = update["cursor"]
        self._news.set()

    async def reached(self, number: int) -> None:
        """Returns once there are so many updates."""
        while len(self.seen) < number:
            self._news.clear()
            await self._news.wait()


class Watcher:
    """Somebody at a client with some subscriptions on one socket, who connects again whenever that is lost."""

    def __init__(
        self, person: Client, streams: list[Stream], around: Surroundings, progress: Progress, choices: random.Random
    ) -> None:
        self.person = person
        self.streams = streams
        self._around = around
        self._progress = progress
        self._choices = choices
        self._keys = count(1)
        self._subscribed: dict[str, Stream] = {}
        self._connection: websockets.ClientConnection | None = None
        self._listening = asyncio.Event()
        self._back_after = 0
        self._dropped = False

    async def run(self) -> None:
        """Watch for ever."""
        while True:
            try:
                web = await self._around.some_web(self._choices)
                async with websockets.connect(
                    web.socket_url, subprotocols=[PROTOCOL], compression=None, ping_interval=None
                ) as connection:
                    await self._watch(connection)
            except (OSError, websockets.WebSocketException):
                self._progress.counts["sockets lost"] += not self._dropped
            finally:
                self._listening.clear()
                self._connection = None
            await self._progress.more(self._back_after)
            self._back_after, self._dropped = 0, False

    async def listening(self) -> None:
        """Returns once the server has confirmed that it listens for all subscriptions."""
        await self._listening.wait()

    def drop(self, *, back_after: int = 0) -> None:
        """Lose the connection without a word, and stay away until so many more mutations were answered."""
        self._back_after, self._dropped = back_after, True
        self._listening.clear()
        if self._connection is not None:
            self._connection.transport.abort()

    async def change_horses(self) -> None:
        """Give one subscription up and begin it anew on the same socket, behind the last update that came."""
        if self._connection is None or not self._listening.is_set():
            return
        key = self._choices.choice(list(self._subscribed))
        stream = self._subscribed.pop(key)
        try:
            await self._send({"id": key, "type": "complete"})
            await self._subscribe(stream)
        except websockets.ConnectionClosed:
            pass  # `run` begins everything anew

    async def _watch(self, connection: websockets.ClientConnection) -> None:
        self._connection = connection
        await self._send({"type": "connection_init", "payload": {"authorization": f"Bearer {self.person.token}"}})
        assert json.loads(await connection.recv()) == {"type": "connection_ack"}
        self._subscribed = {}
        for stream in self.streams:
            await self._subscribe(stream)
        await self._send({"type": "ping"})
        async for frame in connection:
            await self._take(json.loads(frame))

    async def _take(self, message: dict[str, Any]) -> None:
        match message:
            case {"type": "next" | "error", "id": key} if key not in self._subscribed:
                pass  # it was on its way when we gave that up
            case {"type": "next", "id": key, "payload": result}:
                self._subscribed[key].take(result)
                self._progress.counts["updates"] += 1
            case {"type": "error", "id": key, "payload": errors}:
                codes = {error["extensions"]["code"] for error in errors}
                assert codes == TRY_AGAIN, f"{self._subscribed[key].name} of {self.person.sub}: {errors}"
                self._progress.counts["subscriptions refused as the database was away"] += 1
                await self._subscribe(self._subscribed.pop(key))
            case {"type": "ping"}:
                await self._send({"type": "pong"})
            case {"type": "pong"}:
                self._listening.set()
            case _:
                raise AssertionError(f"the server says {message}")

    async def _subscribe(self, stream: Stream) -> None:
        key = str(next(self._keys))
        self._subscribed[key] = stream
        self._progress.counts["resumed"] += stream.after is not None
        variables = {**stream.given, "after": stream.after}
        payload = {"query": stream.query, "variables": variables}
        await self._send({"id": key, "type": "subscribe", "payload": payload})

    async def _send(self, message: dict[str, Any]) -> None:
        assert self._connection is not None
        await self._connection.send(json.dumps(message))
