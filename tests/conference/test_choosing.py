"""Which platform the settings name, and that it leaves nothing open behind it."""

from typing import Any

from conference.choosing import chosen_platform
from conference.daily import Daily
from conference.jitsi import Jitsi
from settings import Settings
from tests.conference.daily_server import KEY, DailyServer
from tests.conference.rooms import EMIL, ROOM, UMA


def settings(**changes: Any) -> Settings:
    return Settings(database_url="postgres://localhost", redis_url="redis://localhost", **changes)


async def test_meetings_are_held_on_jitsi_unless_something_else_is_said():
    async with chosen_platform(settings()) as platform:
        assert platform == Jitsi("https://meet.jit.si")
    named = settings(jitsi_url="https://meet.example.com", jitsi_app_id="expertim", jitsi_secret="x" * 32)
    async with chosen_platform(named) as platform:
        assert platform == Jitsi("https://meet.example.com", "expertim", "x" * 32)


async def test_a_key_for_daily_holds_them_there_over_one_connection_that_is_closed_at_the_end():
    async with DailyServer() as server:
        async with chosen_platform(settings(daily_api_key=KEY, daily_api_url=server.url)) as platform:
            assert isinstance(platform, Daily)
            await platform.create(ROOM)
            for attendee in (UMA, EMIL):
                await platform.personal_url(ROOM, attendee)
            await platform.cancel(ROOM.name)
            assert (server.connected, len(server.calls)) == (1, 6)
            assert not server.all_left.is_set()
        await server.all_left.wait()
