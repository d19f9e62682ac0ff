"""For trying and testing: tokens for anybody, and a clock that can be moved (X1, X2). Absent outside a sandbox."""

import json
from datetime import timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from resolvers.errors import RequestError
from resolvers.sandbox import DEMONSTRATION_PEOPLE, FARTHEST_AHEAD, move_clock
from resolvers.world import world
from web.origins import Origins
from web.tokens import Tokens

TOKEN_SECONDS = 24 * 60 * 60
CLAIMS = ("sub", "name", "email", "locale", "zoneinfo", "roles")


async def make_token(request: Request) -> Response:
    """A token for these claims."""
    tokens: Tokens = request.app.state.tokens
    given = await _object(request) or {}
    try:
        token = tokens.make({claim: given[claim] for claim in CLAIMS if claim in given}, seconds=TOKEN_SECONDS)
        await tokens.read(f"Bearer {token}")
    except (RequestError, ValueError, RecursionError):
        return _fault(f"Send a JSON object with sub, and what you like of {', '.join(CLAIMS[1:])}.")
    return JSONResponse({"token": token})


async def people(request: Request) -> Response:
    """The demonstration people, each with a token."""
    tokens: Tokens = request.app.state.tokens
    return JSONResponse(
        [
            {
                "name": person.name,
                "sub": person.sub,
                "roles": person.roles,
                "token": tokens.make(person.claims, seconds=TOKEN_SECONDS),
            }
            for person in DEMONSTRATION_PEOPLE
        ]
    )


async def tell_time(request: Request) -> Response:
    """The time it is in this sandbox."""
    return JSONResponse({"now": (await world().clock.now()).isoformat()})


async def advance_clock(request: Request) -> Response:
    """Move the clock forward by so many seconds."""
    origins: Origins = request.app.state.origins
    if not origins.allow(request):  # any page may send us a POST, and time does not go back
        return JSONResponse({"error": "Not from this page."}, status_code=403)
    seconds = (await _object(request) or {}).get("advance")
    is_number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
    if seconds is None or not is_number or not 0 <= seconds <= FARTHEST_AHEAD.total_seconds():
        return _fault('Send {"advance": seconds}, a number that is not negative.')
    try:
        now = await move_clock(timedelta(seconds=seconds))
    except RequestError as fault:
        return _fault(str(fault))
    return JSONResponse({"now": now.isoformat()})


async def _object(request: Request) -> dict[str, Any] | None:
    try:
        content = json.loads(await request.body())
    except (ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


def _fault(message: str) -> Response:
    return JSONResponse({"error": message}, status_code=400)


SANDBOX_ROUTES = [
    Route("/sandbox/tokens", make_token, methods=["POST"]),
    Route("/sandbox/people", people, methods=["GET"]),
    Route("/sandbox/clock", tell_time, methods=["GET"]),
    Route("/sandbox/clock", advance_clock, methods=["POST"]),
]
