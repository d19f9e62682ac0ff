"""Several web processes on one port (WEB_CONCURRENCY), as the Procfile starts them."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest

from servers.server import free_port, is_free
from settings import Settings
from tests.conftest import METRICS_TOKEN
from tests.driving import Client, Service, Socket
from tests.figures import Figures, figures_at
from tests.processes import children_of, ended, server_of, web_process
from tests.web.sockets import BALANCES

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells which process holds a connection")

PROCESSES = 2
GRANTS = 20
PATIENCE_SECONDS = 60
FIELD = "creditAccountUpdates"


@dataclass
class Several:
    """Some processes on one port, and a person who may be connected to any."""

    supervisor: subprocess.Popen[bytes]
    port: int
    client: Client
    figures: Path

    @property
    def processes(self) -> set[int]:
        """Those that serve; a helper of Python's is there as well, and holds no connection."""
        return children_of(self.supervisor.pid)

    @asynccontextmanager
    async def fresh(self) -> AsyncIterator[httpx2.AsyncClient]:
        """A connection of its own, which any of the processes may take."""
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{self.port}", timeout=PATIENCE_SECONDS) as http:
            yield http

    async def told(self) -> Figures:
        async with self.fresh() as http:
            return await figures_at(http)

    async def until(self, name: str, wanted: float, **labels: str) -> None:
        """Until whichever process is asked tells this figure."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while (await self.told()).of(name, **labels) != wanted:
                pass

    async def connected(self, stack: AsyncExitStack) -> list[tuple[Socket, int]]:
        """Listening sockets, as many as it takes until every process serves one, each with its process."""
        found: list[tuple[Socket, int]] = []
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len({pid for _, pid in found}) < PROCESSES:
                socket = await stack.enter_async_context(self.client.listening(BALANCES))
                assert await socket.next() is not None
                found.append((socket, server_of(socket.connection.local_address, self.port, self.processes)))
        return found

    async def all_ended(self) -> None:
        """Until nothing of it is left."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while is_there(self.supervisor.pid):
                self.supervisor.poll()
                await asyncio.sleep(0.05)


def is_there(group: int) -> bool:
    """Whether any process of this group is left."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.fixture
async def several(world: Service, settings: Settings, uma: Client, tmp_path: Path) -> AsyncIterator[Several]:
    port = free_port()
    environment = {"METRICS_TOKEN": METRICS_TOKEN, "TMPDIR": str(tmp_path)}
    async with (
        httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE_SECONDS) as http,
        web_process(settings, port, WEB_CONCURRENCY=str(PROCESSES), **environment) as supervisor,
    ):
        elsewhere = Service(app=world.app, url=f"http://127.0.0.1:{port}", http=http, clock=world.clock)
        made = Several(supervisor, port, Client(elsewhere, uma.sub, uma.token, id=uma.id), tmp_path)
        await made.until("web_processes", PROCESSES)
        yield made


async def test_any_client_on_any_process_sees_every_change_and_any_process_tells_the_sum(
    several: Several, stella: Client
):
    async with AsyncExitStack() as stack:
        sockets = await several.connected(stack)
        for _ in range(GRANTS):
            async with several.fresh() as http:
                stella.world = Service(several.client.world.app, several.client.world.url, http, stella.world.clock)
                await stella.act("grantCredits", personId=several.client.id, amount="1.00")
        for socket, _ in sockets:
            seen = [(await socket.next())[FIELD]["available"] for _ in range(GRANTS)]
            assert seen == [f"{101 + number}.00" for number in range(GRANTS)]
        await several.until("pushes_total", len(sockets) * (GRANTS + 1), field=FIELD)
        told = await several.told()
        assert told.of("sockets_open") == told.of("subscriptions_open", field=FIELD) == len(sockets)
        granted = {"kind": "mutation", "field": "grantCredits"}
        assert told.of("requests_total", outcome="OK", **granted) == GRANTS
        assert told.of("request_seconds_count", **granted) == GRANTS


async def test_a_process_that_is_killed_is_replaced_and_no_longer_counted(several: Several):
    async with AsyncExitStack() as stack:
        sockets = await several.connected(stack)
        killed = sockets[0][1]
        left = [socket for socket, pid in sockets if pid != killed]
        pushes = (await several.told()).of("pushes_total", field=FIELD)
        os.kill(killed, signal.SIGKILL)
        await several.until("web_process_starts_total", PROCESSES + 1)
        told = await several.told()
        assert told.of("web_processes") == PROCESSES
        assert told.of("sockets_open") == len(left)
        assert told.of("pushes_total", field=FIELD) == pushes, "what it had counted was forgotten"
        assert all([await socket.silent() for socket in left]), "the others were disturbed"


async def test_asked_to_go_they_close_their_sockets_for_a_restart_and_nothing_is_left(several: Several):
    async with AsyncExitStack() as stack:
        sockets = await several.connected(stack)
        several.supervisor.send_signal(signal.SIGTERM)
        assert {await socket.closed() for socket, _ in sockets} == {1012}
        await several.all_ended()
    assert several.supervisor.returncode == 0
    assert not list(several.figures.iterdir())


async def test_they_do_not_outlive_the_one_that_supervises_them(several: Several):
    async with AsyncExitStack() as stack:
        sockets = await several.connected(stack)
        serving = {pid for _, pid in sockets}
        several.supervisor.kill()
        assert {await socket.closed() for socket, _ in sockets} == {1012}, "they went in disorder"
        async with asyncio.timeout(PATIENCE_SECONDS):
            await asyncio.gather(*(ended(pid) for pid in serving))
    assert is_free(several.port)
