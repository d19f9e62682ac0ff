"""/calendar/<token>.ics: a person's meetings, for calendars that subscribe to them. The token is the credential."""

import hashlib

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from resolvers.calendars import calendar_of

HEADERS = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}


async def calendar(request: Request) -> Response:
    """The calendar, or that the one which is at hand is still right."""
    text = await calendar_of(request.path_params["token"])
    if text is None:
        return PlainTextResponse("There is no such calendar.", 404, HEADERS | {"Cache-Control": "no-store"})
    content = text.encode()
    tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    headers = HEADERS | {"ETag": tag, "Cache-Control": "private, no-cache"}
    if _has(request, tag):
        return Response(None, 304, headers)
    headers["Content-Disposition"] = 'inline; filename="meetings.ics"'
    return Response(content, 200, headers, media_type="text/calendar")


def _has(request: Request, tag: str) -> bool:
    """Whether this is what the client already has; compared weakly, as proxies weaken tags (RFC 9110, 13.1.2)."""
    known = [each.strip().removeprefix("W/") for each in ",".join(request.headers.getlist("if-none-match")).split(",")]
    return tag in known or known == ["*"]


CALENDAR_ROUTES = [Route("/calendar/{token}.ics", calendar)]
