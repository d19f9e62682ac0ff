"""`python -m jobs`: the worker process."""

import asyncio
import signal

import structlog
from tortoise import Tortoise

from conference.choosing import chosen_platform
from jobs.metrics import told_at
from jobs.worker import jobs_of_the_clock, jobs_outside, work
from live.publisher import Publisher
from logs import configure_logs
from mail.choosing import chosen_mailer
from models.database import tortoise_config
from resolvers.links import Links
from resolvers.world import MovableClock, RealClock, World, enter
from settings import Settings, read_settings

log = structlog.get_logger()


async def main(settings: Settings) -> None:
    """Work until asked to stop, then finish the step at hand."""
    stop = asyncio.Event()
    for asked in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(asked, stop.set)
    clock = MovableClock() if settings.sandbox else RealClock()
    publisher = Publisher(settings.redis_url)
    links = Links(settings.link_secret, settings.public_url, settings.app_url)
    await Tortoise.init(config=tortoise_config(settings.database_url, pool_size=2 + len(jobs_outside())))
    await publisher.start()
    if settings.smtp_url is None and not settings.sandbox:
        log.warning("no SMTP_URL: e-mails are kept and reach nobody", folder=settings.mail_folder)
    try:
        async with chosen_platform(settings) as platform:
            enter(
                World(
                    clock,
                    settings.policy,
                    publisher.publish,
                    links=links,
                    platform=platform,
                    mailer=chosen_mailer(settings),
                    mail_from=settings.mail_from,
                )
            )
            await asyncio.gather(work(stop, jobs_of_the_clock()), *(work(stop, [job]) for job in jobs_outside()))
    finally:
        await publisher.stop()
        await Tortoise.close_connections()


if __name__ == "__main__":
    known = read_settings()
    configure_logs(for_people=known.sandbox)
    with told_at(known.metrics_port, known.metrics_token):
        asyncio.run(main(known))
