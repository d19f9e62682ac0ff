"""How long anything may wait for the database, and what is said when it did not answer."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest
from tortoise.connection import get_connection, get_connections
from tortoise.context import TortoiseContext

from models import transactions
from models.database import PlainConnection, tortoise_config
from models.migrate import migrate
from models.transactions import DatabaseUnavailable, before_each_statement, transaction
from servers.place import temporary_folder
from servers.postgres import Postgres
from tests.driving import Client, Service, mutation, raw_socket
from tests.models.test_migrations import migrated
from tests.models.test_transactions import POOL_SIZE, check_that_nothing_leaked, leave_a_mark, marks
from tests.web.sockets import init, subscribe

pytestmark = pytest.mark.filterwarnings("ignore:Module .* has no models")
__all__ = ["migrated"]

BRIEFLY = 0.5
ME = "{ me { id } }"
APPROVE = mutation("approveMeeting")

Asking = Callable[[str], Coroutine[Any, Any, Any]]


@asynccontextmanager
async def connected(url: str, **limits: Any) -> AsyncIterator[None]:
    """Within, transaction() and get_connection() use a small pool of this database's; no tables are involved."""
    config = tortoise_config(url, pool_size=POOL_SIZE, **limits)
    async with TortoiseContext() as context:
        await context.init({"connections": config["connections"], "apps": {"none": {"models": [__name__]}}})
        yield


def the_pool() -> asyncpg.Pool:
    return get_connections().get("default")._pool


async def ask(query: str) -> Any:
    (row,) = await get_connection("default").execute_query_dict(query)
    return next(iter(row.values()))


async def ask_in_a_transaction(query: str) -> Any:
    async with transaction():
        return await ask(query)


@pytest.fixture
async def limited(database_url: str) -> AsyncIterator[None]:
    async with connected(database_url, statement_seconds=BRIEFLY):
        await get_connection("default").execute_query("CREATE TABLE marks (mark int)")
        yield
        await get_connection("default").execute_query("DROP TABLE marks")


async def test_a_statement_that_takes_too_long_is_cancelled_and_nothing_is_written(limited: None):
    for take_too_long in (leave_a_mark_too_late(), ask("SELECT pg_sleep(60)")):
        with pytest.raises(DatabaseUnavailable):
            await take_too_long
    assert await marks() == set()
    await check_that_nothing_leaked(the_pool())


async def leave_a_mark_too_late() -> None:
    async with transaction() as connection:
        await connection.execute_query("INSERT INTO marks VALUES (1)")
        await connection.execute_query("SELECT pg_sleep(60)")


async def test_the_wait_for_a_lock_is_part_of_a_statements_time(limited: None):
    await leave_a_mark(1)
    async with the_pool().acquire() as other, other.transaction():
        await other.execute("SELECT * FROM marks FOR NO KEY UPDATE")
        with pytest.raises(DatabaseUnavailable):
            await change_the_mark()
    assert await marks() == {1}
    await check_that_nothing_leaked(the_pool())


async def change_the_mark() -> None:
    async with transaction() as connection:
        await connection.execute_query("UPDATE marks SET mark = 2")


@asynccontextmanager
async def taken(pool: asyncpg.Pool, *, patience: float = BRIEFLY) -> AsyncIterator[None]:
    """Others have all connections there are, and whoever wants one meanwhile waits so long for it."""
    client = get_connections().get("default")
    assert isinstance(client, transactions.Client)
    async with AsyncExitStack() as stack:
        for _ in range(pool.get_max_size()):
            await stack.enter_async_context(pool.acquire())
        usual, client._acquire_seconds = client._acquire_seconds, patience
        try:
            yield
        finally:
            client._acquire_seconds = usual


@pytest.mark.parametrize("asking", [ask, ask_in_a_transaction])
async def test_who_gets_no_connection_in_time_is_told_and_others_get_one_again(limited: None, asking: Asking):
    async with taken(the_pool()), asyncio.timeout(10):
        ends = await asyncio.gather(*(asking("SELECT 1") for _ in range(50)), return_exceptions=True)
        assert {type(end) for end in ends} == {DatabaseUnavailable}
    assert await asking("SELECT 1") == 1
    await check_that_nothing_leaked(the_pool())


@pytest.mark.parametrize("asking", [ask, ask_in_a_transaction])
async def test_a_connection_that_comes_free_just_as_somebody_gives_up_is_not_lost(limited: None, asking: Asking):
    for number in range(20):
        async with asyncio.timeout(10):
            async with taken(the_pool(), patience=0.02):
                waiting = [asyncio.create_task(asking("SELECT 1")) for _ in range(10)]
                await asyncio.sleep(0.018 + number * 0.0002)
            await asyncio.gather(*waiting, return_exceptions=True)
    await check_that_nothing_leaked(the_pool())


async def test_who_is_cancelled_while_waiting_takes_no_connection_along(limited: None):
    async with taken(the_pool()):
        waiting = [asyncio.create_task(ask("SELECT 1")) for _ in range(10)]
        await asyncio.sleep(0)
        for task in waiting:
            task.cancel()
    ends = await asyncio.gather(*waiting, return_exceptions=True)
    assert all(isinstance(end, asyncio.CancelledError) for end in ends)
    await check_that_nothing_leaked(the_pool())


async def test_what_is_wrong_with_a_statement_is_not_taken_for_a_database_that_is_away(limited: None):
    for query in ("SELECT nothing", "SELECT 1/0", "SELECT $1::int"):
        with pytest.raises(Exception, match=r"column|division|argument") as fault:
            await ask_in_a_transaction(query)
        assert not isinstance(fault.value, DatabaseUnavailable)
    await check_that_nothing_leaked(the_pool())


# A server that goes away.


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    """A server that a test may stop, if it starts it again."""
    with temporary_folder() as folder, Postgres(folder) as server:
        yield server


@asynccontextmanager
async def frozen(server: Postgres, pids: list[int]) -> AsyncIterator[None]:
    """Neither the server nor these of its processes do anything, though nobody hangs up."""
    assert server.pid is not None
    stopped = [server.pid, *pids]
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)


@pytest.mark.parametrize("asking", [ask, ask_in_a_transaction])
async def test_a_server_that_has_fallen_silent_is_not_waited_for(server: Postgres, asking: Asking):
    async with connected(server.url, acquire_seconds=BRIEFLY, statement_seconds=BRIEFLY):
        own = await ask("SELECT pg_backend_pid()")
        async with asyncio.timeout(15), frozen(server, [own]):
            for _ in range(2):  # on the connection there is, then on none
                with pytest.raises(DatabaseUnavailable):
                    await asking("SELECT 1")
        async with asyncio.timeout(15):
            while True:
                with suppress(DatabaseUnavailable):
                    assert await asking("SELECT 1") == 1
                    break
        await check_that_nothing_leaked(the_pool())


async def test_a_server_that_falls_silent_in_the_middle_of_a_transaction_is_not_asked_to_roll_back(
    server: Postgres, monkeypatch: pytest.MonkeyPatch
):
    sent: list[str] = []

    async def execute(self: PlainConnection, query: str, *arguments: Any, **options: Any) -> Any:
        sent.append(query)
        return await super(PlainConnection, self).execute(query, *arguments, **options)

    monkeypatch.setattr(PlainConnection, "execute", execute, raising=False)
    async with connected(server.url, acquire_seconds=BRIEFLY, statement_seconds=BRIEFLY):
        own = await ask("SELECT pg_backend_pid()")
        async with AsyncExitStack() as freezing, asyncio.timeout(15):

            async def go_on() -> None:
                async with transaction():
                    await ask("SELECT 1")
                    await freezing.enter_async_context(frozen(server, [own]))
                    await ask("SELECT 2")

            with pytest.raises(DatabaseUnavailable):
                await go_on()
        assert sent == ["BEGIN;"]
        assert the_pool().get_idle_size() == the_pool().get_size()


async def test_a_server_that_is_not_there_is_told_of_and_found_again(server: Postgres):
    url = server.url
    async with connected(url):
        assert await ask("SELECT 1") == 1
        server.stop()
        for asking in (ask, ask_in_a_transaction):
            with pytest.raises(DatabaseUnavailable) as fault:
                await asking("SELECT 1")
            assert str(urlsplit(url).password) not in repr(fault.value)
        server.start()
        assert server.url == url
        assert await ask("SELECT 1") == 1
        await check_that_nothing_leaked(the_pool())


# What clients are told.


async def test_without_a_connection_http_answers_503_and_says_when_to_try_again(world: Service, uma: Client):
    async with taken(the_pool()):
        answer = await uma.post(ME)
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
        (error,) = answer.json()["errors"]
        assert (error["extensions"]["code"], "data" in answer.json()) == ("SERVICE_UNAVAILABLE", False)
        assert error["message"] == "We can't answer right now. Please try again in a moment."
    assert (await uma.ask(ME))["me"]["id"] == uma.id


async def test_without_a_connection_a_query_on_a_socket_ends_with_an_error_and_a_subscription_waits(
    world: Service, uma: Client
):
    async with raw_socket(world) as socket:
        await socket.send(init(uma))
        assert (await socket.receive())["type"] == "connection_ack"
        async with taken(the_pool()):
            await socket.send(subscribe(ME))
            message = await socket.receive()
            told = (message["type"], message["payload"][0]["extensions"]["code"])
            assert told == ("error", "SERVICE_UNAVAILABLE")
            await socket.send(subscribe("subscription { creditAccountUpdates { available } }"))
        # Clients would never have asked for it again, had it been refused.
        assert await socket.next() == {"creditAccountUpdates": {"available": "100.00"}}
        await socket.send(subscribe(ME, "2"))
        assert (await socket.receive())["payload"]["data"]["me"]["id"] == uma.id


async def test_an_action_that_waits_too_long_for_somebody_elses_lock_has_done_nothing_and_may_be_tried_again(
    world: Service, uma: Client, emil: Client, database_url: str
):
    meeting = await uma.proposed(emil)
    given = {"meetingId": meeting["id"], "idempotencyKey": "try again"}

    async def have_little_patience() -> None:
        await get_connection("default")._connection.execute(f"SET LOCAL statement_timeout = {int(BRIEFLY * 1000)}")

    other = await asyncpg.connect(database_url)
    try:
        async with world.nothing_changes():
            before_each_statement(have_little_patience)
            async with other.transaction():
                await other.execute("SELECT 1 FROM meeting FOR NO KEY UPDATE")
                answer = (await emil.post(APPROVE, input=given)).json()
        assert answer["data"] is None
        assert [error["extensions"]["code"] for error in answer["errors"]] == ["SERVICE_UNAVAILABLE"]
    finally:
        before_each_statement(None)
        await other.close()
    assert (await emil.act("approveMeeting", **given))["__typename"] == "MeetingChanged"


async def test_the_service_has_limits_and_migrations_have_none(world: Service, migrated: str):
    names = ("statement_timeout", "idle_in_transaction_session_timeout")
    assert [await ask(f"SHOW {name}") for name in names] == ["5s", "10s"]
    found: list[Any] = []

    async def look() -> None:
        connection = get_connection("default")._connection
        found.extend([await connection.fetchval(f"SHOW {name}") for name in names])
        assert connection._config.command_timeout is None

    before_each_statement(look)
    try:
        await migrate(migrated)
    finally:
        before_each_statement(None)
    assert set(found) == {"0"}
