"""Every request has an id that is in its log lines, its unexpected errors and its answer's headers."""

from uuid import uuid4

import structlog
from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from schema.answers import UNAVAILABLE, unexpected

HEADER = "X-Correlation-ID"
RETRY_AFTER_SECONDS = 5


class Correlation:
    """Gives each HTTP request its correlation id, and an answer to those that failed."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        correlation_id = uuid4().hex
        answered = False

        async def send_with_id(message: Message) -> None:
            nonlocal answered
            if message["type"] == "http.response.start":
                answered = True
                MutableHeaders(scope=message)[HEADER] = correlation_id
            await send(message)

        with structlog.contextvars.bound_contextvars(correlation_id=correlation_id):
            try:
                await self._app(scope, receive, send_with_id)
            except ClientDisconnect:
                pass  # before its request was complete; nobody is there to be answered
            except Exception as fault:
                if answered:
                    raise
                away = isinstance(fault, UNAVAILABLE)
                response = JSONResponse(unexpected(fault), status_code=503 if away else 500)
                if away:
                    response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
                await response(scope, receive, send_with_id)
