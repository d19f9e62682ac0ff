"""Processes of our own beside the one the tests run in."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from settings import Settings

REPOSITORY = Path(__file__).resolve().parents[1]


@asynccontextmanager
async def web_process(settings: Settings, port: int) -> AsyncIterator[subprocess.Popen[bytes]]:
    """A web process of its own, in a sandbox, from when it answers; killed at the end if it is not already."""
    environment = {
        **os.environ,
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "AUTH_SECRET": settings.auth_secret or "",
        "SANDBOX": "1",
        "PORT": str(port),
    }
    command = [
        sys.executable,
        "-m",
        "uvicorn",
        "--factory",
        "app:create_app",
        "--port",
        str(port),
        "--log-level",
        "error",
    ]
    process = subprocess.Popen(  # noqa: ASYNC220 - it must be our own child, and starting it takes no time
        command, cwd=REPOSITORY, env=environment, stderr=subprocess.DEVNULL
    )
    try:
        async with httpx.AsyncClient(timeout=1) as http, asyncio.timeout(30):
            while True:
                try:
                    await http.get(f"http://127.0.0.1:{port}/health")
                    break
                except httpx.TransportError:
                    assert process.poll() is None, "it ended before it answered"
                    await asyncio.sleep(0.05)
        yield process
    finally:
        process.kill()
        process.wait()
