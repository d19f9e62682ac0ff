"""Waiting for what others write."""

import asyncio
from typing import Any

from tortoise.connection import get_connection
from tortoise.queryset import QuerySet


async def until_there_are(number: int, rows: QuerySet[Any], *, seconds: float = 30) -> None:
    """Returns once there are so many; counted, not read, and with pauses, so that those who work have the processor."""
    async with asyncio.timeout(seconds):
        while await rows.count() < number:
            await a_moment()


async def a_moment() -> None:
    await get_connection("default").execute_query("SELECT pg_sleep(0.02)")
