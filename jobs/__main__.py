"""`python -m jobs`: the worker process."""

import asyncio
import signal

from tortoise import Tortoise

from jobs.worker import all_jobs, work
from live.publisher import Publisher
from logs import configure_logs
from models.database import tortoise_config
from resolvers.world import MovableClock, RealClock, World, enter
from settings import Settings, read_settings


async def main(settings: Settings) -> None:
    """Work until asked to stop, then finish the step at hand."""
    stop = asyncio.Event()
    for asked in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(asked, stop.set)
    clock = MovableClock() if settings.sandbox else RealClock()
    publisher = Publisher(settings.redis_url)
    enter(World(clock=clock, policy=settings.policy, announce=publisher.publish))
    await Tortoise.init(config=tortoise_config(settings.database_url, pool_size=2))
    await publisher.start()
    try:
        await work(stop, all_jobs())
    finally:
        await publisher.stop()
        await Tortoise.close_connections()


if __name__ == "__main__":
    known = read_settings()
    configure_logs(for_people=known.sandbox)
    asyncio.run(main(known))
