"""`make demo` against a running sandbox."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from models import SandboxClock
from servers.server import free_port
from settings import Settings
from tests.driving import Service
from tests.processes import REPOSITORY, web_process


async def run(module: str, settings: Settings, port: int) -> str:
    """What a program of the demonstration says, having ended well."""
    environment = {"DATABASE_URL": settings.database_url, "REDIS_URL": settings.redis_url}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", module),
        cwd=REPOSITORY,
        env={**os.environ, **environment, "SANDBOX": "1", "PORT": str(port), "PUBLIC_URL": f"http://127.0.0.1:{port}"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(60):
            said, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    assert process.returncode == 0, said.decode()
    return said.decode()


@asynccontextmanager
async def the_clock_put_back() -> AsyncIterator[None]:
    """The demonstration moves the sandbox's clock, which is of no concern to other tests."""
    try:
        yield
    finally:
        await SandboxClock.all().delete()


async def test_the_demonstration_can_be_played_again_and_again(world: Service, settings: Settings):
    port = free_port()
    await run("demo.prepare", settings, port)
    async with web_process(settings, port), the_clock_put_back():
        for _ in range(2):
            said = await run("demo", settings, port)
            for shown in (
                "Alternative date approved by the user — AGREED",
                "collides with 1 agreed",
                "collides with nothing any more",
                "30.00 would be deducted, 30.00 would return",
                "credits REIMBURSED_CANCELLATION",
                "recorded as attending",
                "Credits paid to the expert",
                "That was the main job",
            ):
                assert shown in said, said
