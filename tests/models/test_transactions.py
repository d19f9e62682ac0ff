"""The one way to a transaction: what cancelling it must not cost, and what it refuses."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, ClassVar

import pytest
from asyncpg import Pool
from tortoise.connection import get_connection, get_connections
from tortoise.context import TortoiseContext

from models.database import PlainConnection, tortoise_config
from models.transactions import before_each_statement, inside_a_transaction, transaction

pytestmark = pytest.mark.filterwarnings("ignore:Module .* has no models")

POOL_SIZE = 2
ROUNDS = 150


class Interrupted(PlainConnection):
    """Cancels whoever sends a certain statement, so many turns of the loop after it was sent."""

    victim: ClassVar[str | None] = None
    turns: ClassVar[int] = 0
    struck: ClassVar[int] = 0

    async def execute(self, query: str, *arguments: Any, **options: Any) -> Any:
        self._strike(query)
        return await super().execute(query, *arguments, **options)

    async def fetch(self, query: str, *arguments: Any, **options: Any) -> Any:
        self._strike(query)
        return await super().fetch(query, *arguments, **options)

    def _strike(self, query: str) -> None:
        cls = type(self)
        if cls.victim is None or not query.upper().startswith(cls.victim):
            return
        cls.victim = None
        cls.struck += 1
        asyncio.create_task(_cancel(asyncio.current_task(), cls.turns))  # noqa: RUF006 - lives for some turns only


async def _cancel(task: asyncio.Task[Any] | None, turns: int) -> None:
    for _ in range(turns):
        await asyncio.sleep(0)
    assert task is not None
    task.cancel()


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[Pool]:
    """A small pool that transaction() uses within the test; no tables of Tortoise's are involved."""
    config = tortoise_config(database_url, pool_size=POOL_SIZE)
    config["connections"]["default"]["credentials"]["connection_class"] = Interrupted
    async with TortoiseContext() as context:
        await context.init({"connections": config["connections"], "apps": {"none": {"models": [__name__]}}})
        await get_connection("default").execute_query("SELECT 1")
        await get_connection("default").execute_query("CREATE TABLE marks (mark int)")
        yield get_connections().get("default")._pool
        Interrupted.victim = None
        await get_connection("default").execute_query("DROP TABLE marks")


async def leave_a_mark(mark: int, *, failing: type[BaseException] | None = None) -> None:
    async with transaction() as connection:
        await connection.execute_query("INSERT INTO marks VALUES ($1)", [mark])
        if failing:
            raise failing


async def marks() -> set[int]:
    return {row["mark"] for row in await get_connection("default").execute_query_dict("SELECT mark FROM marks")}


async def check_that_nothing_leaked(pool: Pool) -> None:
    """All connections are free, and as many transactions as there are connections run side by side."""
    assert pool.get_idle_size() == pool.get_size() <= POOL_SIZE
    everybody_is_in = asyncio.Barrier(POOL_SIZE)

    async def meet() -> None:
        async with transaction() as connection:
            assert await connection.execute_query_dict("SELECT 1 AS one") == [{"one": 1}]
            await everybody_is_in.wait()

    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        for _ in range(POOL_SIZE):
            group.create_task(meet())


@pytest.mark.parametrize(
    ("statement", "failing"), [("BEGIN", None), ("INSERT", None), ("COMMIT", None), ("ROLLBACK", LookupError)]
)
async def test_a_transaction_cancelled_at_any_moment_gives_its_connection_back(
    pool: Pool, statement: str, failing: type[Exception] | None
):
    Interrupted.struck = 0
    cancelled = set()
    for number in range(ROUNDS):
        Interrupted.victim, Interrupted.turns = statement, number % 6
        async with asyncio.timeout(10):
            (end,) = await asyncio.gather(
                asyncio.create_task(leave_a_mark(number, failing=failing)), return_exceptions=True
            )
        assert isinstance(end, asyncio.CancelledError | LookupError | None), end
        if isinstance(end, asyncio.CancelledError):
            cancelled.add(number)
    Interrupted.victim = None
    assert Interrupted.struck == ROUNDS
    assert len(cancelled) > ROUNDS / 10, "it was not cancelled while it waited"
    await check_that_nothing_leaked(pool)
    # Of a commit that was cancelled nobody can say whether it arrived; of everything else it is known.
    assert await marks() >= (set() if failing else set(range(ROUNDS)) - cancelled)
    assert not failing or await marks() == set()


async def test_a_transaction_cancelled_while_it_waits_for_a_connection_takes_none_with_it(pool: Pool):
    release = asyncio.Event()
    holding = asyncio.Barrier(POOL_SIZE + 1)

    async def hold() -> None:
        async with transaction():
            await holding.wait()
            await release.wait()

    holders = [asyncio.create_task(hold()) for _ in range(POOL_SIZE)]
    await holding.wait()
    waiting = [asyncio.create_task(leave_a_mark(number)) for number in range(ROUNDS)]
    await asyncio.sleep(0)
    for task in waiting[::2]:
        task.cancel()
    release.set()
    for task in waiting[1::4]:
        task.cancel()
    async with asyncio.timeout(10):
        await asyncio.gather(*holders)
        ends = await asyncio.gather(*waiting, return_exceptions=True)
    assert await marks() == {number for number, end in enumerate(ends) if end is None}
    await check_that_nothing_leaked(pool)


async def test_a_transaction_whose_connection_dies_gives_its_place_back(pool: Pool):
    for _ in range(2 * POOL_SIZE):
        with pytest.raises(Exception, match="connection"):
            await lose_the_connection(pool)
    await check_that_nothing_leaked(pool)


async def lose_the_connection(pool: Pool) -> None:
    async with transaction() as connection:
        (own,) = await connection.execute_query_dict("SELECT pg_backend_pid() AS pid")
        async with pool.acquire() as other:
            await other.fetch("SELECT pg_terminate_backend($1, 5000)", own["pid"])
        await connection.execute_query_dict("SELECT 1")


async def test_a_transaction_inside_another_is_refused(pool: Pool):
    assert not inside_a_transaction()
    async with transaction():
        assert inside_a_transaction()
        with pytest.raises(RuntimeError, match="inside another"):
            await leave_a_mark(1)
        with pytest.raises(RuntimeError, match="inside another"):
            await asyncio.create_task(leave_a_mark(2))
    assert not inside_a_transaction()
    assert await marks() == set()
    await check_that_nothing_leaked(pool)


@pytest.mark.parametrize("exception", [LookupError, asyncio.CancelledError, KeyboardInterrupt])
async def test_a_transaction_is_rolled_back_by_any_exception(pool: Pool, exception: type[BaseException]):
    with pytest.raises(exception):
        await leave_a_mark(1, failing=exception)
    assert await marks() == set()
    await check_that_nothing_leaked(pool)


async def test_the_hook_takes_its_turn_before_each_statement_of_a_transaction(pool: Pool):
    turns: list[set[int]] = []

    async def hook() -> None:
        async with pool.acquire() as other:
            turns.append({row["mark"] for row in await other.fetch("SELECT mark FROM marks")})

    before_each_statement(hook)
    try:
        async with transaction() as connection:
            await connection.execute_query("INSERT INTO marks VALUES (1)")
            await connection.execute_query_dict("INSERT INTO marks VALUES (2) RETURNING mark")
            await connection.execute_insert("INSERT INTO marks VALUES (3)", [])
            await connection.execute_many("INSERT INTO marks VALUES ($1)", [[4], [5]])
        assert turns == [set()] * 4, "once for each, and before it is committed"
        await leave_a_mark(6)
        assert turns[4:] == [{1, 2, 3, 4, 5}]
        await marks()
        assert len(turns) == 5, "reads outside a transaction are nobody's turn"
    finally:
        before_each_statement(None)
    await leave_a_mark(7)
    assert len(turns) == 5
