"""Daily (daily.co): private rooms, arranged over its REST API, and a meeting token for each person."""

import asyncio
import json
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlsplit

import httpx2
import structlog

from conference.platform import Attendee, PlatformUnavailable, Room, RoomMissing

log = structlog.get_logger()

ANSWER_WITHIN_SECONDS = 10.0
LARGEST_ANSWER_BYTES = 256_000
LONGEST_RETRY_AFTER_SECONDS = 3600
LONGEST_LOGGED_CHARACTERS = 300


class Daily:
    """A Daily domain, by its API key. Whoever made the client closes it."""

    def __init__(
        self, client: httpx2.AsyncClient, *, url: str, api_key: str, within_seconds: float = ANSWER_WITHIN_SECONDS
    ) -> None:
        self._client = client
        self._url = url.rstrip("/")
        self._api_key = api_key
        self._within_seconds = within_seconds
        "For connecting and everything after it, together."

    async def create(self, room: Room) -> None:
        if not await self._make(room):
            await self.adjust(room)

    async def adjust(self, room: Room) -> None:
        if await self._call("POST", _path(room.name), _wanted(room), unless=HTTPStatus.NOT_FOUND) is not None:
            return
        # One that has expired counts as gone, yet keeps its name until it is deleted.
        await self.cancel(room.name)
        if not await self._make(room):
            log.error("the video platform neither has a room nor makes it", platform="Daily")
            raise PlatformUnavailable("Daily neither has the room nor makes it")

    async def cancel(self, name: str) -> None:
        await self._call("DELETE", _path(name), unless=HTTPStatus.NOT_FOUND)

    async def personal_url(self, room: Room, attendee: Attendee) -> str:
        found = await self._call("GET", _path(room.name), unless=HTTPStatus.NOT_FOUND)
        if found is None:
            raise RoomMissing("Daily has no such room")
        token = {
            "room_name": room.name,
            "user_id": str(attendee.person_id),
            "user_name": attendee.shown_name,
            "is_owner": attendee.is_host,
            **room.window,
            "eject_at_token_exp": True,
        }
        made = await self._call("POST", "/meeting-tokens", {"properties": token}) or {}
        address, secret = found.get("url"), made.get("token")
        if not (isinstance(address, str) and _is_address(address) and isinstance(secret, str) and secret):
            raise self._unreadable("POST")
        return f"{address}?t={quote(secret, safe='')}"

    async def _make(self, room: Room) -> bool:
        """False if it can't be, most likely as a call whose answer was lost made it: a taken name is a bad request."""
        made = await self._call("POST", "/rooms", {"name": room.name, **_wanted(room)}, unless=HTTPStatus.BAD_REQUEST)
        if made is not None and made.get("name") != room.name:
            raise self._unreadable("POST")
        return made is not None

    async def _call(
        self, method: str, path: str, content: dict[str, Any] | None = None, *, unless: HTTPStatus | None = None
    ) -> dict[str, Any] | None:
        """What Daily answers, or None if its status is the one that the caller knows what to do about."""
        try:
            async with asyncio.timeout(self._within_seconds):
                status, retry_after, body = await self._send(method, path, content)
        except (httpx2.HTTPError, TimeoutError) as fault:
            cause = self._loggable(fault)
            log.warning("the video platform did not answer", platform="Daily", method=method, cause=cause)
            raise PlatformUnavailable("Daily did not answer") from None
        if status == unless:
            return None
        answer = _read(body)
        if status != HTTPStatus.OK:
            raise self._refused(method, status, retry_after, answer or {})
        if answer is None:
            raise self._unreadable(method)
        return answer

    async def _send(self, method: str, path: str, content: dict[str, Any] | None) -> tuple[int, str, bytes]:
        """Status, Retry-After and the body as it was sent: not compressed, as that would hide its size."""
        headers = {"Authorization": f"Bearer {self._api_key}", "Accept-Encoding": "identity"}
        async with self._client.stream(method, self._url + path, json=content, headers=headers) as response:
            body = bytearray()
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) > LARGEST_ANSWER_BYTES:
                    body.clear()  # so long an answer is none
                    break
            return response.status_code, response.headers.get("Retry-After", ""), bytes(body)

    def _refused(self, method: str, status: int, retry_after: str, answer: dict[str, Any]) -> PlatformUnavailable:
        """Busy or broken, it comes back by itself; anything else, as a wrong key, only if somebody does something."""
        passes = status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR
        (log.warning if passes else log.error)(
            "the video platform refused",
            platform="Daily",
            method=method,
            status=status,
            error=self._loggable(answer.get("error")),
            info=self._loggable(answer.get("info")),
        )
        return PlatformUnavailable(f"Daily answered with {status}", retry_after_seconds=_seconds(retry_after))

    def _unreadable(self, method: str) -> PlatformUnavailable:
        log.error("the video platform's answer can't be read", platform="Daily", method=method)
        return PlatformUnavailable("Daily's answer can't be read")

    def _loggable(self, said: object) -> str:
        return repr(said).replace(self._api_key, "(the key)")[:LONGEST_LOGGED_CHARACTERS]


def _path(name: str) -> str:
    return f"/rooms/{quote(name, safe='')}"


def _wanted(room: Room) -> dict[str, Any]:
    return {"privacy": "private", "properties": {**room.window, "eject_at_room_exp": True}}


def _read(body: bytes) -> dict[str, Any] | None:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return answer if isinstance(answer, dict) else None


def _is_address(url: str) -> bool:
    """Whether people can be sent there, and a token put behind it."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return url.isprintable() and parts.scheme == "https" and bool(parts.hostname) and not parts.query + parts.fragment


def _seconds(retry_after: str) -> int | None:
    """The seconds of a Retry-After header; a date is none, nor is a number that would keep us away for ever."""
    if not (retry_after.isascii() and retry_after.isdigit() and len(retry_after) <= 6):
        return None
    return min(int(retry_after), LONGEST_RETRY_AFTER_SECONDS)
