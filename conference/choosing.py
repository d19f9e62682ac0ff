"""Which video platform the settings name: Daily if there is a key for it, else Jitsi."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2

from conference.daily import Daily
from conference.jitsi import Jitsi
from conference.platform import Platform
from settings import Settings


@asynccontextmanager
async def chosen_platform(settings: Settings) -> AsyncIterator[Platform]:
    """The platform for as long as the process runs, with the one client that all calls share."""
    if settings.daily_api_key is None:
        yield Jitsi(settings.jitsi_url, settings.jitsi_app_id, settings.jitsi_secret)
        return
    # No time limits of its own: each call has one for all of it.
    async with httpx2.AsyncClient(timeout=None, follow_redirects=False) as client:
        yield Daily(client, url=settings.daily_api_url, api_key=settings.daily_api_key)
