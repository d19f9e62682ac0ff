"""Very many clients in one process: they open sockets, subscribe, answer pings, and note what arrives and when.

Run as a process of its own, so that what it costs is not counted as the service's. Told what to do by lines of JSON.
"""

import asyncio
import json
import sys
import time
from typing import Any, cast

import uvloop

HANDSHAKE = (
    "GET /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n"
)
AT_ONCE = 50
"So many connect at the same time."


class Client(asyncio.Protocol):
    """One socket. It knows of WebSocket just what a server's unmasked frames and its own short ones need."""

    def __init__(self, arrivals: list[tuple[int, int, str]], number: int, task: dict[str, Any]) -> None:
        self.listening = asyncio.get_running_loop().create_future()
        self.pushes = 0
        self._arrivals = arrivals
        self._number = number
        self._task = task
        self._buffer = b""
        self._upgraded = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.transport.write(HANDSHAKE.encode())

    def _begin(self) -> None:
        tokens, asked = self._task["tokens"], {name: self._task[name] for name in ("query", "variables")}
        token = tokens[self._number % len(tokens)]
        self._send({"type": "connection_init", "payload": {"authorization": f"Bearer {token}"}})
        self._send({"id": "1", "type": "subscribe", "payload": asked})
        self._send({"type": "ping"})

    def _send(self, message: dict[str, Any]) -> None:
        data = json.dumps(message).encode()
        length = bytes([0x80 | len(data)]) if len(data) < 126 else bytes([0xFE]) + len(data).to_bytes(2)
        self.transport.write(b"\x81" + length + bytes(4) + data)  # masked with zeros

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._upgraded:
            head, end, rest = self._buffer.partition(b"\r\n\r\n")
            if not end:
                return
            assert b" 101 " in head, head
            self._upgraded, self._buffer = True, rest
            self._begin()
        while (frame := self._frame()) is not None:
            self._take(*frame)

    def _frame(self) -> tuple[int, bytes] | None:
        buffer = self._buffer
        if len(buffer) < 2:
            return None
        length, start = buffer[1], 2
        if length == 126:
            length, start = int.from_bytes(buffer[2:4]), 4
        elif length == 127:
            length, start = int.from_bytes(buffer[2:10]), 10
        if len(buffer) < start + length:
            return None
        self._buffer = buffer[start + length :]
        return buffer[0] & 15, buffer[start : start + length]

    def _take(self, opcode: int, payload: bytes) -> None:
        if opcode == 8:
            return
        if b'"next"' in payload[:70] or b'"next"' in payload[-20:]:
            self.pushes += 1
            if self._task["keeps_texts"]:
                self._arrivals.append((time.time_ns(), self._number, payload.decode()))
        elif b'"pong"' in payload and not self.listening.done():
            self.listening.set_result(None)
        elif b'"ping"' in payload:
            self._send({"type": "pong"})
        elif b'"error"' in payload:
            self.listening.set_exception(RuntimeError(payload.decode()))

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.listening.done():
            self.listening.set_exception(ConnectionError("closed"))


async def main() -> None:
    loop = asyncio.get_running_loop()
    task = json.loads(sys.stdin.readline())
    arrivals: list[tuple[int, int, str]] = []
    clients: list[Client] = []
    started = time.monotonic()
    gate = asyncio.Semaphore(AT_ONCE)

    async def connect(number: int) -> Client:
        async with gate:
            _, client = await loop.create_connection(lambda: Client(arrivals, number, task), "127.0.0.1", task["port"])
            await client.listening
            return client

    clients = await asyncio.gather(*(connect(number) for number in range(task["clients"])))
    say({"seconds": time.monotonic() - started})
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while await reader.readline():  # asked how things stand
        say({"pushes": sum(client.pushes for client in clients), "arrivals": arrivals})


def say(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    uvloop.run(main())
