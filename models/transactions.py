"""Tortoise's PostgreSQL client, cured of the leaks a cancelled transaction can cause.

Tortoise loads this module as its engine and takes `client_class`.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from asyncpg import Connection
from tortoise.backends.asyncpg.client import AsyncpgDBClient, TransactionWrapper
from tortoise.backends.base.client import ConnectionWrapper, TransactionalDBClient, TransactionContextPooled
from tortoise.connection import get_connections

StatementHook = Callable[[], Awaitable[None]]

_before_statement: StatementHook | None = None


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


class Statement(ConnectionWrapper[Connection]):
    async def __aenter__(self) -> Connection:
        if _before_statement is not None:
            await _before_statement()
        return await super().__aenter__()


class Transaction(TransactionWrapper):
    """A transaction whose statements can be held up by the hook."""

    def acquire_connection(self) -> ConnectionWrapper[Connection]:
        return Statement(self._lock, self)


class TransactionBlock(TransactionContextPooled):
    """Gives its connection back whenever it is cancelled, also while it begins; Tortoise's own keeps it for ever."""

    async def __aenter__(self) -> TransactionalDBClient:
        await self.ensure_connection()
        self.client._connection = await self.client._parent._pool.acquire()
        self.token = get_connections().set(self.connection_name, self.client)
        try:
            await self.client.begin()
        except BaseException:
            await self._release()
            raise
        return self.client

    async def __aexit__(self, exc_type: Any, exc_val: Any, exc_tb: Any) -> None:
        try:
            if exc_type:
                await self.client.rollback()
            else:
                await self.client.commit()
        finally:
            await self._release()

    async def _release(self) -> None:
        get_connections().reset(self.token)
        if pool := self.client._parent._pool:
            await pool.release(self.client._connection)  # shielded by asyncpg; an open transaction is rolled back


class Client(AsyncpgDBClient):
    def _in_transaction(self) -> TransactionBlock:
        return TransactionBlock(Transaction(self), self._pool_init_lock)


client_class = Client
