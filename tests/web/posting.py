"""Sending anything at all to /graphql."""

import asyncio
import json
from typing import Any
from urllib.parse import urlsplit

import httpx2

from tests.driving import WAIT_AT_MOST_SECONDS, Client

ME = {"query": "{ me { id } }"}


async def send(
    client: Client, body: bytes | object, *, content_type: str | None = "application/json", accept: str | None = None
) -> httpx2.Response:
    """Whatever it is, as the body of a request."""
    headers = {"Authorization": f"Bearer {client.token}", "Content-Type": content_type, "Accept": accept}
    return await client.world.http.post(
        "/graphql",
        content=body if isinstance(body, bytes) else json.dumps(body).encode(),
        headers={name: value for name, value in headers.items() if value is not None},
    )


async def status_of(client: Client, request_line: str, head: str, body: bytes = b"") -> int:
    """What is answered to a request as no client library would send it."""
    at = urlsplit(client.world.url)
    reader, writer = await asyncio.open_connection(at.hostname, at.port)
    lines = [f"{request_line} HTTP/1.1", "Host: x", f"Authorization: Bearer {client.token}", head, "", ""]
    writer.write("\r\n".join(lines).encode() + body)
    try:
        async with asyncio.timeout(WAIT_AT_MOST_SECONDS):
            _, status, *_ = (await reader.readline()).split()
    finally:
        writer.transport.abort()
    return int(status)


def codes(answer: httpx2.Response) -> list[str]:
    """The codes of an answer's errors."""
    return [error["extensions"]["code"] for error in answer.json()["errors"]]


def inside(depth: int) -> Any:
    """A value in so many lists."""
    value: Any = "x"
    for _ in range(depth):
        value = [value]
    return value
