"""Races, run by racing: everybody starts at once, many rounds. RACE_ROUNDS makes them longer."""

import asyncio
import os
from collections.abc import Coroutine, Sequence
from typing import Any

ROUNDS = int(os.environ.get("RACE_ROUNDS", "20"))


async def all_at_once(*actions: Coroutine[Any, Any, dict[str, Any]]) -> Sequence[dict[str, Any]]:
    """The results of actions that are all sent off together."""
    barrier = asyncio.Barrier(len(actions))

    async def held(action: Coroutine[Any, Any, dict[str, Any]]) -> dict[str, Any]:
        await barrier.wait()
        return await action

    return await asyncio.gather(*(held(action) for action in actions))
