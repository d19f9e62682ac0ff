"""Races, run by racing: everybody starts at once, many rounds. RACE_ROUNDS makes them longer."""

import asyncio
import os
import random
from collections.abc import Coroutine, Sequence
from operator import itemgetter
from typing import Any

ROUNDS = int(os.environ.get("RACE_ROUNDS", "5"))


async def all_at_once(*actions: Coroutine[Any, Any, dict[str, Any]]) -> Sequence[dict[str, Any]]:
    """The results of actions that are all sent off together, now this one first and now that one."""
    barrier = asyncio.Barrier(len(actions))

    async def held(action: Coroutine[Any, Any, dict[str, Any]]) -> dict[str, Any]:
        await barrier.wait()
        return await action

    shuffled = random.sample(range(len(actions)), len(actions))
    results = await asyncio.gather(*(held(actions[place]) for place in shuffled))
    return [result for _, result in sorted(zip(shuffled, results, strict=True), key=itemgetter(0))]
