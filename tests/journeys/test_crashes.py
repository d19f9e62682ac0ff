"""A web process that is killed in the middle of its work (I1, I2)."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from servers.server import free_port
from settings import Settings
from tests.driving import Client, Service, mutation

ROUNDS = int(os.environ.get("CRASH_ROUNDS", "4"))
REPOSITORY = Path(__file__).resolve().parents[2]


@asynccontextmanager
async def web_process(settings: Settings, port: int) -> AsyncIterator[subprocess.Popen[bytes]]:
    """A web process of its own, as the Procfile starts it; killed at the end if it is not already."""
    environment = {
        **os.environ,
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "AUTH_SECRET": settings.auth_secret,
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


async def fire(port: int, client: Client, action: str, inputs: Sequence[dict[str, Any]]) -> list[Any]:
    """Send these mutations all at once; what was answered, or that the server was gone."""
    headers = {"Authorization": f"Bearer {client.token}"}
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=20) as http:

        async def send(given: dict[str, Any]) -> Any:
            body = {"query": mutation(action), "variables": {"input": given}}
            return (await http.post("/graphql", json=body)).json()["data"][action]

        return await asyncio.gather(*(send(given) for given in inputs), return_exceptions=True)


async def test_i1_i2_what_was_under_way_when_the_server_was_killed_is_done_once_when_it_is_repeated(
    world: Service, settings: Settings, emil: Client
):
    port = free_port()
    user = await world.somebody("Ulla User", credits="1000.00")
    done: list[str] = []
    for round_ in range(ROUNDS):
        inputs = [
            {**user.proposal(emil), "startsAt": world.at(days=2 + round_, hours=n), "idempotencyKey": f"{round_} {n}"}
            for n in range(5)
        ]
        async with web_process(settings, port) as process:
            under_way = asyncio.create_task(fire(port, user, "proposeMeeting", inputs))
            await asyncio.sleep(0.005 * round_)  # killed ever later: before, while and after they commit
            process.send_signal(signal.SIGKILL)
            await under_way
        async with web_process(settings, port):
            retried = await fire(port, user, "proposeMeeting", inputs)
        assert [result["__typename"] for result in retried] == ["MeetingChanged"] * 5
        done += [result["meeting"]["id"] for result in retried]
    assert len(set(done)) == 5 * ROUNDS
    assert await user.balance() == (f"{1000 - 200 * ROUNDS}.00", f"{200 * ROUNDS}.00")
