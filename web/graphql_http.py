"""GraphQL over HTTP: GET and POST /graphql."""

import json
import math
from typing import Any
from urllib.parse import parse_qsl

from graphql import OperationType
from starlette.requests import Request
from starlette.responses import Response

from live.feeds import Feeds
from measuring import refused
from resolvers.errors import RequestError
from schema.answers import Answer
from schema.context import Context
from schema.executing import InvalidOperation, Operation, execute, prepare
from web import negotiation
from web.tokens import Tokens, viewer_of

LARGEST_BODY_BYTES = 100_000
LONGEST_QUERY_STRING = 50_000  # the server's own limit for the whole line is 64 kB, and it tells nobody which

# Any site can make its visitors' browsers send us a GET, but with none of these headers before we were asked (CORS).
PREFLIGHT_HEADERS = frozenset(
    {
        "apollo-require-preflight",
        "graphql-preflight",
        "x-apollo-operation-name",
        "x-graphql-yoga-csrf",
        "x-requested-with",
    }
)
HEADERS_BY_STATUS = {401: {"WWW-Authenticate": "Bearer"}, 405: {"Allow": "POST"}}


class Unreadable(Exception):
    """A request that is no GraphQL request, or none for us; answered with this status, code and message."""

    def __init__(self, status: int, message: str, code: str = "BAD_REQUEST") -> None:
        super().__init__(message)
        self.status = status
        self.code = code


async def graphql_over_http(request: Request) -> Response:
    """One query or mutation."""
    feeds: Feeds = request.app.state.feeds
    tokens: Tokens = request.app.state.tokens
    media_type = negotiation.acceptable(request.headers.getlist("accept"))
    if media_type is None:
        refusal = Unreadable(406, f"Accept {negotiation.RESPONSE} or {negotiation.JSON}.")
        return _refused(refusal, negotiation.JSON)
    try:
        bearer = await tokens.read(request.headers.get("authorization"))
        operation = _operation_of_get(request) if request.method == "GET" else await _operation_of_post(request)
        document, kind = prepare(operation)
        _only_fitting(kind, request.method)
    except RequestError as fault:
        return _refused(Unreadable(401, str(fault), fault.code), media_type)
    except Unreadable as fault:
        return _refused(fault, media_type)
    except InvalidOperation as fault:
        return _answered(fault.answer, media_type)
    context = Context(await viewer_of(bearer), feeds)
    return _answered(await execute(operation, document, context), media_type)


def operation_in(content: Any) -> Operation:
    """The operation that a request's JSON describes; raises Unreadable."""
    if isinstance(content, list):
        raise Unreadable(400, "Send one operation a request: batches are not served.")
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


def json_in(text: bytes | str) -> Any:
    """The value of a JSON text in UTF-8; raises ValueError. Left alone, Python reads NaN and Infinity too."""
    try:
        return json.loads(text if isinstance(text, str) else text.decode(), parse_float=_finite, parse_constant=_finite)
    except RecursionError as fault:
        raise ValueError("nested too deeply") from fault


def _finite(number: str) -> float:
    if not math.isfinite(value := float(number)):
        raise ValueError(number)
    return value


async def _operation_of_post(request: Request) -> Operation:
    media_type, parameters = negotiation.media_type_of(request.headers.get("content-type", ""))
    if media_type != negotiation.JSON or parameters.get("charset", "utf-8") != "utf-8":
        raise Unreadable(415, "Send application/json in UTF-8.")
    too_large = Unreadable(413, f"A request may have at most {LARGEST_BODY_BYTES} bytes.")
    if int(request.headers.get("content-length", 0)) > LARGEST_BODY_BYTES:
        raise too_large
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_BODY_BYTES:
            raise too_large
    try:
        return operation_in(json_in(bytes(body)))
    except ValueError as fault:
        raise Unreadable(400, "The body is not JSON in UTF-8.") from fault


def _operation_of_get(request: Request) -> Operation:
    if not PREFLIGHT_HEADERS & set(request.headers) and not _is_json(request):
        raise Unreadable(400, "A GET needs the header GraphQL-Preflight, with any value.", "PREFLIGHT_REQUIRED")
    query_string: bytes = request.scope["query_string"]
    if len(query_string) > LONGEST_QUERY_STRING:
        raise Unreadable(414, f"A query string may have at most {LONGEST_QUERY_STRING} bytes.")
    try:
        given = parse_qsl(query_string.decode("ascii"), keep_blank_values=True, errors="strict")
        content: dict[str, Any] = dict(given)
        if len(content) < len(given):
            raise Unreadable(400, "Give each parameter once.")
        content |= {key: json_in(content[key]) for key in ("variables", "extensions") if key in content}
    except ValueError as fault:
        raise Unreadable(400, "Send UTF-8, percent-encoded; variables and extensions as JSON.") from fault
    return operation_in({**content, "operationName": content.get("operationName") or None})


def _is_json(request: Request) -> bool:
    return negotiation.media_type_of(request.headers.get("content-type", ""))[0] == negotiation.JSON


def _only_fitting(kind: OperationType, method: str) -> None:
    if kind is OperationType.SUBSCRIPTION:
        raise Unreadable(400, "Subscriptions are served over WebSocket (graphql-transport-ws).")
    if kind is OperationType.MUTATION and method == "GET":
        raise Unreadable(405, "Mutations are sent by POST.")


def _refused(fault: Unreadable, media_type: str) -> Response:
    refused(fault.code)
    error = {"message": str(fault), "extensions": {"code": str(fault.code)}}
    return _response({"errors": [error]}, fault.status, media_type)


def _answered(answer: Answer, media_type: str) -> Response:
    """Clients of application/json can't tell whose a status is, a proxy's or ours, so for them it is always 200."""
    return _response(answer, 200 if "data" in answer or media_type == negotiation.JSON else 400, media_type)


def _response(answer: Answer, status: int, media_type: str) -> Response:
    headers = {"Content-Type": f"{media_type}; charset=utf-8", "Cache-Control": "no-store"}
    return Response(json.dumps(answer), status, headers | HEADERS_BY_STATUS.get(status, {}))
