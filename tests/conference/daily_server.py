"""A local server that speaks the HTTP of Daily's reference: rooms, meeting tokens, and whatever can go wrong."""

import asyncio
import gzip
import json
import re
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Self

LOOPBACK = "127.0.0.1"
KEY = "f00d-the-key-of-the-tests"
DOMAIN = "https://expertim.daily.co"


@dataclass(frozen=True)
class Answer:
    """What is sent back; as it says itself, not as it is, if it has a Content-Length among its headers."""

    status: int = 200
    content: Any = None
    body: bytes | None = None
    "Sent instead of the content."
    headers: dict[str, str] = field(default_factory=dict)

    def written(self) -> bytes:
        body = json.dumps(self.content).encode() if self.body is None else self.body
        headers = {"Content-Type": "application/json", "Content-Length": str(len(body)), **self.headers}
        lines = [f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return "\r\n".join([*lines, "", ""]).encode() + body


def refusal(status: int, error: str, info: str = "", **headers: str) -> Answer:
    return Answer(status, {"error": error, "info": info}, headers={k.replace("_", "-"): v for k, v in headers.items()})


class DailyServer:
    """A domain of Daily's: its rooms by name, the tokens it has made, and who has asked for what."""

    def __init__(self) -> None:
        self._port = 0
        self._connections: set[asyncio.StreamWriter] = set()
        self.rooms: dict[str, dict[str, Any]] = {}
        self.expired: set[str] = set()
        "Rooms that count as gone, and have not been cleared away."
        self.tokens: list[dict[str, Any]] = []
        self.calls: list[str] = []
        self.connected = 0
        "How many connections there have been."
        self.all_left = asyncio.Event()
        self.instead: deque[Answer] = deque()
        "Answers to the next requests, which are not carried out."
        self.lost_answers = 0
        "To how many of the next requests, which are carried out, no answer comes."
        self.pause_seconds = 0.0
        "Taken before each byte of an answer, if it is not 0."
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self._port}/v1"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, LOOPBACK, self._port)
        self._port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *exception: object) -> None:
        self.may_answer.set()
        self._server.close()
        for writer in self._connections:
            writer.transport.abort()

    @asynccontextmanager
    async def down(self) -> AsyncIterator[None]:
        """Nobody listens at its address meanwhile."""
        await self.__aexit__()
        await self._server.wait_closed()
        try:
            yield
        finally:
            await self.__aenter__()

    def properties(self, name: str) -> dict[str, Any]:
        """How a room is arranged."""
        config: dict[str, Any] = self.rooms[name]["config"]
        return {"privacy": self.rooms[name]["privacy"], **config}

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connected += 1
        self._connections.add(writer)
        self.all_left.clear()
        try:
            while await self._serve_one(reader, writer):
                pass
        except (OSError, asyncio.IncompleteReadError):
            pass  # they have left
        finally:
            writer.close()
            self._connections.discard(writer)
            if not self._connections:
                self.all_left.set()

    async def _serve_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Whether the connection can go on."""
        first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        method, path, _ = first.split(" ")
        self.calls.append(f"{method} {path.removeprefix('/v1')}")
        await self.may_answer.wait()
        if self.instead:
            answer = self.instead.popleft()
        else:
            answer = self._answer(method, path.removeprefix("/v1"), headers, json.loads(body) if body else {})
            if self.lost_answers:
                self.lost_answers -= 1
                return False
            if "gzip" in headers.get("accept-encoding", ""):
                answer = Answer(answer.status, body=gzip.compress(json.dumps(answer.content).encode()))
        written = answer.written()
        for piece in [written[each : each + 1] for each in range(len(written))] if self.pause_seconds else [written]:
            await asyncio.sleep(self.pause_seconds)
            writer.write(piece)
            await writer.drain()
        return "Content-Length" not in answer.headers

    def _answer(self, method: str, path: str, headers: dict[str, str], content: dict[str, Any]) -> Answer:
        scheme, _, key = headers.get("authorization", "").partition(" ")
        if scheme != "Bearer":
            return refusal(400, "authorization-header-error")
        if key != KEY:
            return refusal(401, "authentication-error")
        if (method, path) == ("POST", "/rooms"):
            return self._make(content)
        if (method, path) == ("POST", "/meeting-tokens"):
            self.tokens.append(content["properties"])
            return Answer(content={"token": f"{len(self.tokens)}.a+b/c="})
        name = path.removeprefix("/rooms/")
        if name not in self.rooms or (name in self.expired and method != "DELETE"):
            return refusal(404, "not-found", f"room {name} does not exist")
        if method == "DELETE":
            del self.rooms[name]
            return self._deleted(name)
        if method == "POST":
            self.rooms[name]["privacy"] = content.get("privacy", self.rooms[name]["privacy"])
            self.rooms[name]["config"] |= content.get("properties", {})
        return Answer(content=self.rooms[name])

    def _deleted(self, name: str) -> Answer:
        if name not in self.expired:
            return Answer(content={"deleted": True, "name": name})
        self.expired.remove(name)
        return Answer(404, {"error": "not-found", "info": f"room {name} does not exist", "deleted": True})

    def _make(self, content: dict[str, Any]) -> Answer:
        name = content["name"]
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,128}", name):
            return refusal(400, "invalid-request-error", "invalid room name")
        if name in self.rooms:
            return refusal(400, "invalid-request-error", f"a room named {name} already exists")
        self.rooms[name] = {
            "id": f"room-{len(self.calls)}",
            "name": name,
            "api_created": True,
            "privacy": content.get("privacy", "public"),
            "url": f"{DOMAIN}/{name}",
            "created_at": "2030-01-01T00:00:00.000Z",
            "config": dict(content.get("properties", {})),
        }
        return Answer(content=self.rooms[name])
