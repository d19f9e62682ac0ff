"""The service as it runs for real, in processes of its own that can be taken away: two web processes and a worker."""

import asyncio
import random
import shlex
import signal
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import httpx2

from servers.process import spawn
from servers.redis import Redis
from servers.server import free_port
from settings import Settings
from tests.processes import REPOSITORY, environment, procfile

WEBS = 2
LOOK_EVERY_SECONDS = 0.05
FAULTS = (
    "unexpected error",
    "a socket failed",
    "a feed's reader failed",
    "a message can't be read",
    "distributing messages failed",
    "listening to redis failed",
    "Exception in ASGI application",
    "was never retrieved",
)
"What no process logs, whatever is taken away from it."


class Process:
    """A command that is killed and started again; `up` while it does its work."""

    def __init__(self, name: str, command: str, folder: Path, given: Mapping[str, str]) -> None:
        self.name = name
        self.up = asyncio.Event()
        self.works: Callable[[], Awaitable[bool]]
        self._log = folder / f"{name}.log"
        # Not from the repository: what it keeps in its own folder would be kept there.
        self._command = f"cd {shlex.quote(str(folder))} && exec {command}"
        self._environment = {**given, "PYTHONPATH": str(REPOSITORY)}
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        """Start it, and wait until it works."""
        with self._log.open("ab") as log:
            command = ["sh", "-c", self._command]
            self._process = spawn(command, parting=signal.SIGKILL, environment=self._environment, output=log)
        while not await self.works():
            assert self._process.poll() is None, f"{self.name} ended by itself:\n{self._log.read_text()[-2000:]}"
            await asyncio.sleep(LOOK_EVERY_SECONDS)
        self.up.set()

    def kill(self) -> None:
        """End it as a crash would."""
        self.up.clear()
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def faults(self) -> list[str]:
        """What it logged that must not happen."""
        return [line for line in self._log.read_text().splitlines() if any(fault in line for fault in FAULTS)]


class Web(Process):
    """A web process, and how to reach it."""

    def __init__(self, name: str, folder: Path, given: Mapping[str, str]) -> None:
        port = free_port()
        super().__init__(name, f"{procfile('web')} --host 127.0.0.1", folder, {**given, "PORT": str(port)})
        self.http = httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=20)
        self.socket_url = f"ws://127.0.0.1:{port}/graphql"
        self.works = self._answers

    async def _answers(self) -> bool:
        try:
            return (await self.http.get("/health")).status_code == 200
        except httpx2.TransportError:
            return False


@dataclass
class Surroundings:
    """All there is beside the people and their clients."""

    webs: list[Web]
    worker: Process
    redis: Redis
    database: asyncpg.Pool
    "Ours, to look at the truth."

    async def some_web(self, choices: random.Random) -> Web:
        """Any web process that is up, once there is one."""
        while not (up := [web for web in self.webs if web.up.is_set()]):
            waiting = [asyncio.ensure_future(web.up.wait()) for web in self.webs]
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for each in waiting:
                each.cancel()
        return choices.choice(up)

    async def the_worker_is_connected(self) -> bool:
        """Whether it has begun to look for what is due."""
        found = "SELECT TRUE FROM pg_stat_activity WHERE application_name = $1 LIMIT 1"
        return bool(await self.database.fetchval(found, self.worker.name))

    async def cut_connections(self) -> int:
        """Cut all connections of the service to PostgreSQL."""
        names = [process.name for process in (*self.webs, self.worker)]
        cut = "SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = ANY($1)"
        return int(await self.database.fetchval(cut, names))

    def faults(self) -> list[str]:
        """What any of the processes logged that must not happen."""
        return [fault for process in (*self.webs, self.worker) for fault in process.faults()]


@asynccontextmanager
async def surroundings(settings: Settings, redis: Redis, folder: Path) -> AsyncIterator[Surroundings]:
    """Everything up and running; killed at the end."""
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(asyncpg.create_pool(settings.database_url, min_size=1))

        def given(name: str) -> dict[str, str]:
            return {**environment(settings), "DATABASE_URL": f"{settings.database_url}?application_name={name}"}

        names = [f"chaos-web-{number}" for number in range(WEBS)]
        webs = [Web(name, folder, given(name)) for name in names]
        worker = Process("chaos-worker", procfile("worker"), folder, given("chaos-worker"))
        all_of_it = Surroundings(webs, worker, redis, database)
        worker.works = all_of_it.the_worker_is_connected
        for web in webs:
            stack.push_async_callback(web.http.aclose)
        for process in (*webs, worker):
            stack.callback(process.kill)
        await asyncio.gather(*(process.start() for process in (*webs, worker)))
        yield all_of_it
