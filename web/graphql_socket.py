"""GraphQL over WebSocket: the graphql-transport-ws protocol, and no other."""

import asyncio
import json
import time
from collections.abc import Coroutine
from contextlib import aclosing
from typing import Any
from uuid import uuid4

import structlog
from graphql import DocumentNode, OperationType
from starlette.websockets import WebSocket, WebSocketDisconnect

from live.feeds import Feeds
from resolvers.errors import RequestError
from schema.context import Context
from schema.executing import Answer, InvalidOperation, Operation, answer_of, execute, prepare, subscribe
from web.graphql_http import Unreadable, operation_in
from web.tokens import Bearer, Tokens, viewer_of

log = structlog.get_logger()

PROTOCOL = "graphql-transport-ws"
INIT_WITHIN_SECONDS = 5.0
PING_EVERY_SECONDS = 20.0
SEND_WITHIN_SECONDS = 10.0
MOST_OPERATIONS = 100
TRY_AGAIN_LATER = 1013


class Close(Exception):
    """Ends the socket with this code."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason


async def graphql_over_websocket(websocket: WebSocket) -> None:
    """One client's socket."""
    if PROTOCOL not in websocket.scope["subprotocols"]:
        await websocket.accept()
        await websocket.close(4406, "Subprotocol not acceptable")
        return
    await websocket.accept(subprotocol=PROTOCOL)
    await GraphQLSocket(websocket).serve()


class GraphQLSocket:
    """The server's side of one socket. Its messages are handled one after another, so that whoever sends `subscribe`
    and then `ping` knows from the `pong` that the subscription is listening."""

    def __init__(self, websocket: WebSocket) -> None:
        self._websocket = websocket
        self._feeds: Feeds = websocket.app.state.feeds
        self._tokens: Tokens = websocket.app.state.tokens
        self._bearer: Bearer | None = None
        self._initialised = asyncio.Event()
        self._heard_at = time.monotonic()
        self._subscriptions: dict[str, asyncio.Task[None]] = {}
        self._executions: dict[str, asyncio.Task[None]] = {}

    async def serve(self) -> None:
        """Serve until the client leaves, breaks the protocol, falls silent, or its token expires."""
        tasks = {asyncio.create_task(self._receive()), asyncio.create_task(self._watch())}
        try:
            ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            await self._close_after(ended.pop().exception())
        finally:
            # Mutations under way are finished, whoever has left meanwhile; only the streams end with the socket.
            for task in [*tasks, *self._subscriptions.values()]:
                task.cancel()
            await asyncio.wait([*tasks, *self._subscriptions.values(), *self._executions.values()])

    async def _close_after(self, end: BaseException | None) -> None:
        match end:
            case Close():
                code, reason = end.code, end.reason
            case None | WebSocketDisconnect():
                return
            case _:
                log.error("a socket failed", exc_info=end)
                code, reason = TRY_AGAIN_LATER, "Try again later"
        try:
            async with asyncio.timeout(SEND_WITHIN_SECONDS):
                await self._websocket.close(code, reason)
        except (TimeoutError, RuntimeError, WebSocketDisconnect):
            log.info("a socket could not be closed in order", code=code)

    async def _watch(self) -> None:
        """End the socket when its time has come; say ping now and then, and notice who never answers."""
        try:
            await asyncio.wait_for(self._initialised.wait(), INIT_WITHIN_SECONDS)
        except TimeoutError:
            raise Close(4408, "Connection initialisation timeout") from None
        assert self._bearer is not None
        while (remaining := self._bearer.expires_at - time.time()) > 0:
            await asyncio.sleep(min(remaining, PING_EVERY_SECONDS))
            if time.monotonic() - self._heard_at > 2 * PING_EVERY_SECONDS:
                raise Close(4499, "Terminated")
            await self._send({"type": "ping"})
        raise Close(4403, "Forbidden")

    async def _receive(self) -> None:
        while True:
            message = await self._next_message()
            self._heard_at = time.monotonic()
            match message.get("type"):
                case "connection_init":
                    await self._initialise(message.get("payload"))
                case "ping":
                    await self._send({"type": "pong"})
                case "pong":
                    pass
                case "subscribe":
                    await self._start(message)
                case "complete":
                    self._complete(message.get("id"))
                case _:
                    raise Close(4400, "Unknown message type")

    async def _next_message(self) -> dict[str, Any]:
        frame = await self._websocket.receive()
        if frame["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(frame.get("code") or 1005)
        try:
            message = json.loads(frame["text"])
        except (KeyError, TypeError, ValueError, RecursionError) as fault:
            raise Close(4400, "Messages must be JSON text") from fault
        if not isinstance(message, dict):
            raise Close(4400, "Messages must be objects")
        return message

    async def _initialise(self, payload: object) -> None:
        if self._initialised.is_set():
            raise Close(4429, "Too many initialisation requests")
        try:
            self._bearer = self._tokens.read(payload.get("authorization") if isinstance(payload, dict) else None)
        except RequestError as fault:
            raise Close(4403, "Forbidden") from fault
        self._initialised.set()
        await self._send({"type": "connection_ack"})

    async def _start(self, message: dict[str, Any]) -> None:
        if self._bearer is None:
            raise Close(4401, "Unauthorized")
        key = message.get("id")
        if not isinstance(key, str) or not key:
            raise Close(4400, "subscribe needs an id")
        if key in self._subscriptions or key in self._executions:
            raise Close(4409, f"Subscriber for {key[:100]} already exists")
        try:
            operation = operation_in(message.get("payload"))
        except Unreadable as fault:
            raise Close(4400, str(fault)) from fault
        if len(self._subscriptions) + len(self._executions) >= MOST_OPERATIONS:
            await self._refuse(key, {"errors": [{"message": "Too many operations at once on one socket."}]})
            return
        structlog.contextvars.bind_contextvars(correlation_id=uuid4().hex)
        try:
            document, kind = prepare(operation)
        except InvalidOperation as fault:
            await self._refuse(key, fault.answer)
            return
        if kind is OperationType.SUBSCRIPTION:
            await self._subscribe(key, operation, document)
        else:
            self._keep(self._executions, key, self._execute(key, operation, document))

    async def _subscribe(self, key: str, operation: Operation, document: DocumentNode) -> None:
        assert self._bearer is not None
        context = Context(await viewer_of(self._bearer), self._feeds)
        try:
            started = await subscribe(operation, document, context)
        except BaseException:
            await context.__aexit__()
            raise
        if isinstance(started, dict):
            await context.__aexit__()
            await self._refuse(key, started)
            return

        async def stream() -> None:
            async with context, aclosing(started):  # type: ignore[type-var]
                async for result in started:
                    await self._send({"id": key, "type": "next", "payload": answer_of(result)})
            await self._send({"id": key, "type": "complete"})

        self._keep(self._subscriptions, key, stream())

    async def _execute(self, key: str, operation: Operation, document: DocumentNode) -> None:
        assert self._bearer is not None
        async with Context(await viewer_of(self._bearer), self._feeds) as context:
            answer = await execute(operation, document, context)
        if key in self._executions:  # otherwise the client no longer wants to hear of it
            await self._send({"id": key, "type": "next", "payload": answer})
            await self._send({"id": key, "type": "complete"})

    def _keep(self, tasks: dict[str, asyncio.Task[None]], key: str, work: Coroutine[Any, Any, None]) -> None:
        task = tasks[key] = asyncio.create_task(work)

        def ended(task: asyncio.Task[None]) -> None:
            if tasks.get(key) is task:
                del tasks[key]
            if not task.cancelled() and (fault := task.exception()) and not isinstance(fault, GONE):
                log.error("an operation failed", exc_info=fault)

        task.add_done_callback(ended)

    def _complete(self, key: object) -> None:
        if not isinstance(key, str):
            raise Close(4400, "complete needs an id")
        if task := self._subscriptions.pop(key, None):
            task.cancel()

    async def _refuse(self, key: str, answer: Answer) -> None:
        await self._send({"id": key, "type": "error", "payload": answer["errors"]})

    async def _send(self, message: dict[str, Any]) -> None:
        async with asyncio.timeout(SEND_WITHIN_SECONDS):
            await self._websocket.send_text(json.dumps(message))


GONE = (WebSocketDisconnect, TimeoutError, RuntimeError)
"What sending to a client that has left raises."
