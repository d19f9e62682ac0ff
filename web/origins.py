"""Which web pages may speak with us from a browser: read answers of another origin's, and open sockets."""

import re
from urllib.parse import urlsplit

import structlog
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import HTTPConnection

from settings import Settings

log = structlog.get_logger()

LOOPBACK = r"https?://(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?"
DEFAULT_PORTS = {"http": 80, "https": 443}


class Origins:
    """The pages that are allowed: those of the settings, our own, and in a sandbox whatever runs on this machine."""

    def __init__(self, settings: Settings) -> None:
        self._own = _origin_of(settings.public_url)
        self._named = {*settings.allowed_origins, self._own}
        self._pattern = re.compile(LOOPBACK if settings.sandbox else "(?!)")

    def allows(self, origin: str) -> bool:
        """Whether a page of this origin, as a browser writes it, may speak with us."""
        return origin in self._named or self._pattern.fullmatch(origin) is not None

    def allow(self, caller: HTTPConnection) -> bool:
        """Whether what comes from a page comes from one of these. What is no browser says nothing of a page."""
        refused = [origin for origin in caller.headers.getlist("origin") if not self.allows(origin)]
        if refused:
            log.info("origin refused", origin=refused[0][:200])
        return not refused

    def is_own(self, caller: HTTPConnection) -> bool:
        """Whether what comes from a page comes from one of ours, and not of those that are merely allowed."""
        site = caller.headers.get("sec-fetch-site", "same-origin")
        origins = caller.headers.getlist("origin")
        return site == "same-origin" and all(each == self._own or self._pattern.fullmatch(each) for each in origins)


def cors(settings: Settings, *, headers: frozenset[str], exposed: str) -> list[Middleware]:
    """Lets pages of other origins call the API; none are named, none are let. Our own need no leave for HTTP."""
    if not settings.allowed_origins and not settings.sandbox:
        return []
    return [
        Middleware(
            CORSMiddleware,
            allow_origins=settings.allowed_origins,
            allow_origin_regex=LOOPBACK if settings.sandbox else None,
            allow_methods=["GET", "POST"],
            allow_headers=headers,
            expose_headers=[exposed],
        )
    ]


def _origin_of(url: str) -> str:
    """As browsers write it: lower case, without a path or the scheme's own port."""
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    port = "" if parts.port in (None, DEFAULT_PORTS.get(parts.scheme)) else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}"
