"""Sockets that pages open in a browser: only those of the origins that are allowed."""

import logging
from typing import Any

import pytest
import structlog
import websockets

from tests.driving import Service
from tests.web.sockets import nothing_is_left

OWN = "http://localhost:8000"


async def handshake(world: Service, *origins: str, protocol: str = "graphql-transport-ws") -> int:
    """The status that a handshake from a page of these origins is answered with."""
    url = world.url.replace("http://", "ws://") + "/graphql"
    headers = [("Origin", origin) for origin in origins]
    protocols: Any = [protocol]
    try:
        async with websockets.connect(url, subprotocols=protocols, additional_headers=headers):
            return 101
    except websockets.InvalidStatus as refused:
        return refused.response.status_code


@pytest.mark.parametrize(
    "origin",
    [
        "https://elsewhere.example",
        "null",
        "",
        "http://localhost:8000.elsewhere.example",
        "http://localhost:8001",
        "https://localhost:8000",
        OWN + "/",
        OWN + "\xff",
        f"{OWN}, {OWN}",
    ],
)
@pytest.mark.parametrize("protocol", ["graphql-transport-ws", "graphql-ws"])
async def test_a_page_of_another_origin_is_refused_with_403_and_a_line_in_the_log(
    world: Service, origin: str, protocol: str, caplog: pytest.LogCaptureFixture
):
    async with nothing_is_left(world), world.nothing_changes():
        with structlog.testing.capture_logs() as lines:
            assert await handshake(world, origin, protocol=protocol) == 403
        (line,) = lines
        assert (line["event"], line["log_level"]) == ("origin refused", "info")
        assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_a_page_of_two_origins_is_refused(world: Service):
    assert await handshake(world, OWN, "https://elsewhere.example") == 400


async def test_our_own_pages_and_what_is_no_browser_may_connect(world: Service):
    assert await handshake(world, OWN) == 101
    assert await handshake(world) == 101
