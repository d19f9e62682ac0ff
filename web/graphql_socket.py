"""GraphQL over WebSocket: the graphql-transport-ws protocol, and no other."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing, suppress
from functools import partial
from typing import Any, NoReturn
from uuid import uuid4

import structlog
from graphql import DocumentNode, OperationType
from starlette.websockets import WebSocket, WebSocketDisconnect

import measuring
from live.feeds import Feeds
from resolvers.errors import RequestError, ServiceUnavailable
from resolvers.watching import persistently
from schema.answers import Answer, unexpected
from schema.context import Context
from schema.executing import InvalidOperation, Operation, execute, prepare, subscribe
from web.connection import Connection
from web.graphql_http import Unreadable, json_in, operation_in
from web.limits import Pace, People
from web.origins import Origins
from web.tokens import Bearer, Tokens, viewer_of

log = structlog.get_logger()

PROTOCOL = "graphql-transport-ws"
INIT_WITHIN_SECONDS = 5.0
PING_EVERY_SECONDS = 20.0
SEND_WITHIN_SECONDS = 10.0
MOST_OPERATIONS = 100
MESSAGES_A_SECOND = 100
MESSAGES_AT_ONCE = 1_000
TRY_AGAIN_LATER = 1013
LONGEST_REASON_BYTES = 123  # of a close frame (RFC 6455)
PING = b'{"type":"ping"}'
TOO_MANY: Answer = {
    "errors": [{"message": "Too many operations at once on one socket.", "extensions": {"code": "TOO_MANY_OPERATIONS"}}]
}

Messages = list[dict[str, Any]]
Work = Callable[[], Awaitable[Messages]]
"Does an operation and returns the last messages about it."


class Close(Exception):
    """Ends the socket with this code."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason


async def graphql_over_websocket(websocket: WebSocket) -> None:
    """One client's socket."""
    origins: Origins = websocket.app.state.origins
    if not origins.allow(websocket):  # browsers let any page open sockets, and only say which page it was
        await websocket.close()  # before it was accepted: the handshake is answered with 403
        return
    if PROTOCOL not in websocket.scope["subprotocols"]:
        await websocket.accept()
        await websocket.close(4406, "Subprotocol not acceptable")
        return
    await websocket.accept(subprotocol=PROTOCOL)
    Connection.of(websocket).forget_handshake()
    await GraphQLSocket(websocket).serve()


class GraphQLSocket:
    """The server's side of one socket. Its messages are handled one after another, so that whoever sends `subscribe`
    and then `ping` knows from the `pong` that the subscription is listening."""

    # There are very many of them, mostly idle.
    __slots__ = (
        "_bearer",
        "_beat",
        "_connection",
        "_deadline",
        "_executions",
        "_feeds",
        "_heard_at",
        "_initialising",
        "_operations",
        "_overdue",
        "_pace",
        "_people",
        "_streams",
        "_tokens",
        "_websocket",
    )

    def __init__(self, websocket: WebSocket) -> None:
        self._websocket = websocket
        self._connection = Connection.of(websocket)
        self._feeds: Feeds = websocket.app.state.feeds
        self._tokens: Tokens = websocket.app.state.tokens
        self._people: People = websocket.app.state.people
        self._initialising = False
        self._bearer: Bearer | None = None
        self._deadline = asyncio.timeout(INIT_WITHIN_SECONDS)
        self._overdue: Exception = Close(4408, "Connection initialisation timeout")
        "What is said when the deadline has come."
        self._beat: asyncio.TimerHandle | None = None
        self._heard_at = time.monotonic()
        self._pace = Pace(MESSAGES_A_SECOND, at_once=MESSAGES_AT_ONCE)
        self._operations: dict[str, asyncio.Task[None]] = {}
        "By the client's ids, until they are complete or the client no longer wants to hear of them."
        self._streams: set[asyncio.Task[None]] = set()
        self._executions: set[asyncio.Task[None]] = set()

    async def serve(self) -> None:
        """Serve until the client leaves, breaks the protocol, falls silent, or its token expires."""
        measuring.socket_opened()
        try:
            await self._close_after(await self._end())
        finally:
            measuring.socket_ended()
            if self._bearer:
                self._people.leave(self._bearer.claims.subject)
            # Mutations under way are finished, whoever has left meanwhile; only the streams end with the socket.
            for task in self._streams:
                task.cancel()
            await asyncio.gather(*self._streams, return_exceptions=True)
            if self._executions:
                await asyncio.wait(self._executions)

    async def _end(self) -> Exception:
        """Serve, and say what ended it."""
        try:
            async with self._deadline:
                return await self._receive()
        except Exception as end:
            return self._overdue if self._deadline.expired() else end
        finally:
            if self._beat:
                self._beat.cancel()  # a deadline that has come can't be moved any more

    async def _close_after(self, end: Exception) -> None:
        match end:
            case Close():
                code, reason = end.code, end.reason
            case WebSocketDisconnect():
                measuring.closed(end.code)
                return
            case _:
                correlation_id = uuid4().hex
                log.error("a socket failed", correlation_id=correlation_id, exc_info=end)
                code, reason = TRY_AGAIN_LATER, f"Try again later (correlation id {correlation_id})"
        measuring.closed(code)
        if not await self._may_send():
            return
        with suppress(RuntimeError, WebSocketDisconnect):  # the client has left
            fitting = reason.encode(errors="replace")[:LONGEST_REASON_BYTES].decode(errors="ignore")
            await self._websocket.close(code, fitting)

    def _watch(self) -> None:
        """Say ping now and then, and notice who never answers."""
        silent_for = time.monotonic() - self._heard_at
        if self._connection.disconnected:  # and nobody has read of it, as a subscription still waits to begin
            self._end_at(0, WebSocketDisconnect(1006))
        elif silent_for > 2 * PING_EVERY_SECONDS and not self._connection.has_more:
            self._end_at(0, Close(4499, "Terminated"))
        else:
            if self._connection.keeps_up:
                self._connection.write(PING)
            self._look_ahead()

    def _look_ahead(self) -> None:
        """Look again after a while, or end it before if the token's time will have come."""
        assert self._bearer is not None
        remaining = self._bearer.expires_at - time.time()
        if remaining < 2 * PING_EVERY_SECONDS:
            self._end_at(max(remaining, 0), Close(4403, "Forbidden"))
        self._beat = asyncio.get_running_loop().call_later(PING_EVERY_SECONDS, self._watch)

    def _end_at(self, seconds_from_now: float, end: Exception) -> None:
        self._overdue = end
        self._deadline.reschedule(asyncio.get_running_loop().time() + seconds_from_now)

    async def _receive(self) -> NoReturn:
        while True:
            message = await self._next_message()
            self._heard_at = time.monotonic()
            await self._pace.keep()
            match message.get("type"):
                case "connection_init":
                    await self._initialise(_payload(message))
                case "ping":
                    payload = _payload(message)
                    await self._send({"type": "pong", "payload": payload} if payload else {"type": "pong"})
                case "pong":
                    _payload(message)
                case "subscribe":
                    await self._start(message)
                case "complete":
                    self._complete(_id(message))
                case _:
                    raise Close(4400, "Unknown message type")

    async def _next_message(self) -> dict[str, Any]:
        frame = await self._websocket.receive()
        if frame["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(frame.get("code") or 1005)
        try:
            message = json_in(frame.get("text") or "")  # there is none in a binary frame
        except ValueError as fault:
            raise Close(4400, "Messages must be JSON text") from fault
        if not isinstance(message, dict):
            raise Close(4400, "Messages must be objects")
        return message

    async def _initialise(self, payload: dict[str, Any]) -> None:
        if self._initialising:
            raise Close(4429, "Too many initialisation requests")
        self._initialising = True
        self._deadline.reschedule(None)  # the client has asked for it, however long reading its token takes
        try:
            bearer = await self._tokens.read(payload.get("authorization"))
        except RequestError as fault:
            raise Close(4403, "Forbidden") from fault
        except ServiceUnavailable as fault:  # their token may be a good one
            raise Close(TRY_AGAIN_LATER, "Try again later") from fault
        if not self._people.come(bearer.claims.subject):
            raise Close(TRY_AGAIN_LATER, "Too many sockets")
        self._bearer = bearer
        await self._send({"type": "connection_ack"})
        self._look_ahead()

    async def _start(self, message: dict[str, Any]) -> None:
        key = _id(message)
        try:
            operation = operation_in(message.get("payload"))
        except Unreadable as fault:
            raise Close(4400, str(fault)) from fault
        if self._bearer is None:
            raise Close(4401, "Unauthorized")
        if key in self._operations:
            raise Close(4409, f"Subscriber for {key} already exists")
        if len(self._executions.union(self._operations.values())) >= MOST_OPERATIONS:
            await self._send(_error(key, TOO_MANY))
            return
        with structlog.contextvars.bound_contextvars(correlation_id=uuid4().hex):  # its task takes it along
            await self._begin(key, operation)

    async def _begin(self, key: str, operation: Operation) -> None:
        try:
            document, kind = prepare(operation)
        except Exception as fault:
            await self._send(_error(key, fault.answer if isinstance(fault, InvalidOperation) else unexpected(fault)))
            return
        if kind is OperationType.SUBSCRIPTION:
            listening = asyncio.get_running_loop().create_future()
            task = self._keep(key, self._streams, partial(self._stream, key, operation, document, listening))
            await asyncio.wait({task, listening}, return_when=asyncio.FIRST_COMPLETED)
        else:
            self._keep(key, self._executions, partial(self._execute, key, operation, document))

    def _complete(self, key: str) -> None:
        task = self._operations.pop(key, None)
        if task in self._streams:
            task.cancel()

    def _keep(self, key: str, tasks: set[asyncio.Task[None]], work: Work) -> asyncio.Task[None]:
        task = self._operations[key] = asyncio.create_task(self._carry_out(key, work))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        return task

    async def _carry_out(self, key: str, work: Work) -> None:
        """Do an operation's work, then tell the client its end, unless they no longer want to hear of it."""
        try:
            last_messages = await work()
        except Exception as fault:
            last_messages = [_error(key, unexpected(fault))]
        if self._operations.get(key) is asyncio.current_task():
            del self._operations[key]  # first, as whoever reads the end may use the id again
            for message in last_messages:
                await self._send(message)

    async def _stream(
        self, key: str, operation: Operation, document: DocumentNode, listening: asyncio.Future[None]
    ) -> Messages:
        assert self._bearer is not None
        # Clients never ask again for a subscription that was refused, so that while the database is away they wait.
        viewer = await persistently(partial(viewer_of, self._bearer))
        context = Context(self._feeds.viewer(viewer), self._feeds)
        started = await subscribe(operation, document, context)
        if isinstance(started, dict):
            return [_error(key, started)]
        async with aclosing(started):
            if not listening.cancelled():
                listening.set_result(None)
            before = f'{{"id":{json.dumps(key)},"type":"next","payload":'.encode()
            async for answer in started:
                if self._connection.keeps_up or await self._may_send():
                    self._connection.write(before + answer + b"}")
                    measuring.pushed(started.field)
        return [{"id": key, "type": "complete"}]

    async def _execute(self, key: str, operation: Operation, document: DocumentNode) -> Messages:
        assert self._bearer is not None
        answer = await execute(operation, document, Context(await viewer_of(self._bearer), self._feeds))
        if "data" not in answer:  # nothing of it was executed
            return [_error(key, answer)]
        return [{"id": key, "type": "next", "payload": answer}, {"id": key, "type": "complete"}]

    async def _send(self, message: dict[str, Any]) -> None:
        if await self._may_send():
            self._connection.write(json.dumps(message).encode())

    async def _may_send(self) -> bool:
        """Wait until the client has read enough of what it was sent; one that does not is not waited for for ever."""
        if not self._connection.keeps_up:
            try:
                async with asyncio.timeout(SEND_WITHIN_SECONDS):
                    await self._connection.writable.wait()
            except TimeoutError:
                self._connection.hang_up()  # what came after would be a gap: whoever comes back resumes
                return False
        return True


def _payload(message: dict[str, Any]) -> dict[str, Any]:
    payload = message.get("payload")
    if payload is not None and not isinstance(payload, dict):
        raise Close(4400, "payload must be an object")
    return payload or {}


def _id(message: dict[str, Any]) -> str:
    key = message.get("id")
    if not isinstance(key, str) or not key:
        raise Close(4400, f"{message['type']} needs an id")
    return key


def _error(key: str, answer: Answer) -> dict[str, Any]:
    return {"id": key, "type": "error", "payload": answer["errors"]}
