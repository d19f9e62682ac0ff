"""Is the process alive, and can it work?"""

import asyncio
from collections.abc import Awaitable

from redis.asyncio import Redis
from starlette.requests import Request
from starlette.responses import JSONResponse
from tortoise.connection import get_connection

ANSWER_WITHIN_SECONDS = 2.0


async def health(request: Request) -> JSONResponse:
    """The process answers."""
    return JSONResponse({"status": "ok"})


async def ready(request: Request) -> JSONResponse:
    """The database and Redis answer too; otherwise 503 names what is missing."""
    redis: Redis = request.app.state.redis
    answers = await asyncio.gather(
        _answers(get_connection("default").execute_query("SELECT 1")), _answers(redis.ping())
    )
    missing = [name for name, answered in zip(("database", "redis"), answers, strict=True) if not answered]
    if missing:
        return JSONResponse({"status": "unavailable", "missing": missing}, status_code=503)
    return JSONResponse({"status": "ok"})


async def _answers(question: Awaitable[object]) -> bool:
    try:
        await asyncio.wait_for(question, ANSWER_WITHIN_SECONDS)
    except Exception:
        return False
    return True
