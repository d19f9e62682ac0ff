"""GraphQL over HTTP: POST /graphql."""

import json
from typing import Any

from graphql import OperationType
from starlette.requests import Request
from starlette.responses import Response

from live.feeds import Feeds
from resolvers.errors import ErrorCode, RequestError
from schema.context import Context
from schema.executing import Answer, InvalidOperation, Operation, execute, prepare
from web.tokens import Tokens, viewer_of

LARGEST_BODY_BYTES = 100_000


class Unreadable(Exception):
    """A request that is no GraphQL request; answered with this status and message."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


async def graphql_over_http(request: Request) -> Response:
    """One query or mutation."""
    feeds: Feeds = request.app.state.feeds
    tokens: Tokens = request.app.state.tokens
    try:
        bearer = tokens.read(request.headers.get("authorization"))
        operation = await _operation(request)
        document, kind = prepare(operation)
        if kind is OperationType.SUBSCRIPTION:
            raise Unreadable(400, "Subscriptions are served over WebSocket (graphql-transport-ws).")
    except RequestError as fault:
        return _refusal(401, fault.code, str(fault))
    except Unreadable as fault:
        return _refusal(fault.status, "BAD_REQUEST", str(fault))
    except InvalidOperation as fault:
        return _json(fault.answer)
    async with Context(await viewer_of(bearer), feeds) as context:
        return _json(await execute(operation, document, context))


def operation_in(content: Any) -> Operation:
    """The operation that a request's JSON describes; raises Unreadable."""
    if not isinstance(content, dict):
        raise Unreadable(400, "Send a JSON object with query, variables and operationName.")
    query, variables, name = (content.get(key) for key in ("query", "variables", "operationName"))
    extensions = content.get("extensions")
    if not isinstance(query, str):
        raise Unreadable(400, "query must be a GraphQL document.")
    if variables is not None and not isinstance(variables, dict):
        raise Unreadable(400, "variables must be an object.")
    if name is not None and not isinstance(name, str):
        raise Unreadable(400, "operationName must be a string.")
    if extensions is not None and not isinstance(extensions, dict):
        raise Unreadable(400, "extensions must be an object.")
    return Operation(query, variables, name)


async def _operation(request: Request) -> Operation:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise Unreadable(415, "Send application/json.")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_BODY_BYTES:
            raise Unreadable(413, f"A request may have at most {LARGEST_BODY_BYTES} bytes.")
    try:
        return operation_in(json.loads(body.decode()))
    except (ValueError, RecursionError) as fault:
        raise Unreadable(400, "The body is not JSON in UTF-8.") from fault


def _refusal(status: int, code: ErrorCode | str, message: str) -> Response:
    response = _json({"errors": [{"message": message, "extensions": {"code": str(code)}}]}, status)
    if status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def _json(answer: Answer, status: int = 200) -> Response:
    return Response(json.dumps(answer), status, media_type="application/json")
