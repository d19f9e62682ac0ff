"""Tortoise's PostgreSQL client, cured of the leaks a cancelled transaction can cause, and of waiting for ever.

Tortoise loads this module as its engine and takes `client_class`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import asyncpg
from asyncpg import Connection
from tortoise.backends.asyncpg.client import AsyncpgDBClient, TransactionWrapper
from tortoise.backends.base.client import (
    ConnectionWrapper,
    PoolConnectionWrapper,
    TransactionalDBClient,
    TransactionContextPooled,
)
from tortoise.connection import get_connections

from measuring import connection_given_back, connection_taken

StatementHook = Callable[[], Awaitable[None]]

_before_statement: StatementHook | None = None

# What asyncpg raises when it is not the statement that was wrong.
UNAVAILABLE = (
    OSError,  # nobody there, cut off, or no answer in time: a TimeoutError is one
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,  # a statement's time was up; the server is starting or going
    asyncpg.InsufficientResourcesError,
    asyncpg.InternalClientError,  # the server has taken its leave, but the connection is not closed yet
)


class DatabaseUnavailable(Exception):
    """The database did not answer, or not in time; the same may well work in a moment.

    Raised by a commit, it leaves open whether that took place; by anything else, it means that nothing was written.
    """


def before_each_statement(hook: StatementHook | None) -> None:
    """Let a simulation or a race test take a turn before every statement of every transaction."""
    global _before_statement
    _before_statement = hook


def inside_a_transaction() -> bool:
    """Whether the current task already runs in one; a second would only be a savepoint of the first."""
    return isinstance(get_connections().get("default"), TransactionWrapper)


def transaction() -> TransactionContextPooled:
    """One transaction, committed at the end of the block and rolled back by any exception."""
    if inside_a_transaction():
        raise RuntimeError("a transaction was started inside another one")
    return get_connections().get("default")._in_transaction()  # type: ignore[return-value]


def snapshot() -> TransactionContextPooled:
    """Whatever is read in the block is as of one instant."""
    if inside_a_transaction():
        raise RuntimeError("a snapshot was asked for inside a transaction")
    return get_connections().get("default")._in_snapshot()  # type: ignore[no-any-return, attr-defined]


@contextmanager
def _availability(connection: Connection | None = None) -> Iterator[None]:
    """Tells what is wrong with a statement from a database that is away."""
    try:
        yield
    except UNAVAILABLE as fault:
        raise DatabaseUnavailable(str(fault) or type(fault).__name__) from fault
    except asyncpg.InterfaceError as fault:  # said of misuse, and of a connection that has been lost
        if connection is None or not _is_lost(connection):
            raise
        raise DatabaseUnavailable(str(fault)) from fault


def _is_lost(connection: Connection) -> bool:
    try:
        return bool(connection.is_closed())
    except asyncpg.InterfaceError:  # the pool has already taken it back
        return True


class Client(AsyncpgDBClient):
    """Waits so long for a connection of its pool, and no longer."""

    def __init__(self, *, acquire_seconds: float, **credentials: Any) -> None:
        super().__init__(**credentials)
        self._acquire_seconds = acquire_seconds

    async def take_connection(self) -> Connection:
        assert self._pool is not None
        async with asyncio.timeout(self._acquire_seconds):
            connection = await self._pool.acquire()
        connection_taken()
        return connection

    async def give_back(self, connection: Connection) -> None:
        connection_given_back()
        if self._pool is not None:
            # Shielded by asyncpg, which rolls an open transaction back, and ends a connection on which it can't.
            with suppress(*UNAVAILABLE, asyncpg.InterfaceError):
                await self._pool.release(connection, timeout=self._acquire_seconds)

    def acquire_connection(self) -> PoolConnectionWrapper[Connection]:
        return PooledConnection(self, self._pool_init_lock)

    def _in_transaction(self) -> "TransactionBlock":
        return TransactionBlock(Transaction(self), self._pool_init_lock)

    def _in_snapshot(self) -> "TransactionBlock":
        return TransactionBlock(Snapshot(self), self._pool_init_lock)

    async def _translate_exceptions(self, func: Any, *args: Any, **kwargs: Any) -> Any:
        with _availability():
            return await super()._translate_exceptions(func, *args, **kwargs)


class PooledConnection(PoolConnectionWrapper[Connection]):
    """A connection for one statement outside a transaction."""

    client: Client

    async def __aenter__(self) -> Connection:
        await self.ensure_connection()
        self.connection = await self.client.take_connection()
        return self.connection

    async def __aexit__(self, exc_type: Any, exc_val: Any, exc_tb: Any) -> None:
        assert self.connection is not None
        if isinstance(exc_val, asyncpg.InternalClientError) and not _is_lost(self.connection):
            self.connection.terminate()  # rather than have the next one fail on it
        await self.client.give_back(self.connection)


class Statement(ConnectionWrapper[Connection]):
    async def __aenter__(self) -> Connection:
        if _before_statement is not None:
            await _before_statement()
        return await super().__aenter__()


class Transaction(TransactionWrapper):
    """A transaction whose statements can be held up by the hook."""

    _parent: Client

    def acquire_connection(self) -> ConnectionWrapper[Connection]:
        return Statement(self._lock, self)

    async def _translate_exceptions(self, func: Any, *args: Any, **kwargs: Any) -> Any:
        with _availability(self._connection):
            return await super()._translate_exceptions(func, *args, **kwargs)


class Snapshot(Transaction):
    """A transaction that only reads, all of it as of its first statement; of no interest to the hook."""

    def acquire_connection(self) -> ConnectionWrapper[Connection]:
        return ConnectionWrapper(self._lock, self)

    async def begin(self) -> None:
        self.transaction = self._connection.transaction(isolation="repeatable_read", readonly=True)
        await self.transaction.start()


class TransactionBlock(TransactionContextPooled):
    """Gives its connection back whenever it is cancelled, also while it begins; Tortoise's own keeps it for ever."""

    client: Transaction

    async def __aenter__(self) -> TransactionalDBClient:
        with _availability():
            await self.ensure_connection()
            self.client._connection = await self.client._parent.take_connection()
        self.token = get_connections().set(self.connection_name, self.client)
        try:
            with _availability(self.client._connection):
                await self.client.begin()
        except BaseException as fault:
            if isinstance(fault, DatabaseUnavailable):
                self._end_connection()
            await self._release()
            raise
        return self.client

    async def __aexit__(self, exc_type: Any, exc_val: Any, exc_tb: Any) -> None:
        try:
            if exc_type is None:
                with _availability(self.client._connection):
                    await self.client.commit()
            elif issubclass(exc_type, DatabaseUnavailable):
                self._end_connection()  # rather than wait for a second answer where there was none to the first
            else:
                await self._roll_back()
        finally:
            await self._release()

    async def _roll_back(self) -> None:
        try:
            await self.client.rollback()
        except Exception:  # what made us roll back is the one to tell of
            self._end_connection()

    def _end_connection(self) -> None:
        """Whatever was done on it is undone."""
        if not _is_lost(self.client._connection):
            self.client._connection.terminate()

    async def _release(self) -> None:
        get_connections().reset(self.token)
        await self.client._parent.give_back(self.client._connection)


client_class = Client
