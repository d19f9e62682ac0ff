"""A server that ends a connection nobody is using, as it goes, or on a word of an administrator's."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from models.transactions import DatabaseUnavailable, snapshot
from tests.models.test_database import Asking, ask, ask_in_a_transaction, connected, the_pool
from tests.models.test_transactions import check_that_nothing_leaked

pytestmark = pytest.mark.filterwarnings("ignore:Module .* has no models")

A_MOMENT = "SELECT pg_sleep(0.05)"


async def ask_in_a_snapshot(query: str) -> Any:
    async with snapshot():
        return await ask(query)


class Relay:
    """Between us and PostgreSQL. What the server says comes through at once, that it hangs up when we let it."""

    def __init__(self, url: str) -> None:
        self._server = urlsplit(url)
        self._tasks: list[asyncio.Task[None]] = []
        self.hung_up = asyncio.Event()
        self.told = asyncio.Event()

    @asynccontextmanager
    async def url(self) -> AsyncIterator[str]:
        """The database's address, by way of here."""
        async with await asyncio.start_server(self._connect, "127.0.0.1", 0) as listening:
            port = listening.sockets[0].getsockname()[1]
            user = self._server.netloc.rpartition("@")[0]
            yield urlunsplit(self._server._replace(netloc=f"{user}@127.0.0.1:{port}"))
            for task in self._tasks:
                task.cancel()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_server, to_server = await asyncio.open_connection(self._server.hostname, self._server.port)
        self._tasks.append(asyncio.create_task(self._pass_on(reader, to_server)))
        try:
            await self._pass_on(from_server, writer)
            self.hung_up.set()
            await self.told.wait()
        finally:
            writer.close()
            to_server.close()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while said := await reader.read(65_536):
                writer.write(said)
                await writer.drain()


@pytest.mark.parametrize("asking", [ask, ask_in_a_transaction, ask_in_a_snapshot])
async def test_a_farewell_that_is_heard_before_the_server_hangs_up_is_a_database_that_is_away(
    database_url: str, asking: Asking
):
    other = await asyncpg.connect(database_url)
    relay = Relay(database_url)
    async with asyncio.timeout(20), relay.url() as url, connected(url):
        pid = await asking("SELECT pg_backend_pid()")
        await other.fetch("SELECT pg_terminate_backend($1, 5000)", pid)
        await relay.hung_up.wait()
        await other.execute(A_MOMENT)  # until it is heard
        with pytest.raises(DatabaseUnavailable):
            await asking("SELECT 1")
        assert await asking("SELECT pg_backend_pid()") != pid, "there is a new one at once"
        await check_that_nothing_leaked(the_pool())
        relay.told.set()
    await other.close()
