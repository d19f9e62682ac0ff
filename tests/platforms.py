"""A video platform at the service's edge: Daily's own protocol over HTTP, on this machine."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import httpx2

from conference.daily import Daily
from resolvers.world import enter, world
from tests.conference.daily_server import KEY, DailyServer


@asynccontextmanager
async def meetings_on_daily() -> AsyncIterator[DailyServer]:
    """The service holds its meetings on this server meanwhile."""
    before = world()
    async with DailyServer() as server, httpx2.AsyncClient(timeout=None) as client:
        enter(replace(before, platform=Daily(client, url=server.url, api_key=KEY)))
        try:
            yield server
        finally:
            enter(before)
