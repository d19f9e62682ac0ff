"""How far it has come: what the plans of everybody who takes something away go by, instead of by the time."""

import asyncio
import random
from collections import Counter


class Progress:
    """Counts mutations that were answered, and everything else worth telling in the end."""

    def __init__(self, wanted: int) -> None:
        self.wanted = wanted
        self.answered = 0
        self.counts: Counter[str] = Counter()
        self.troubled = True
        "Whether anything is still to be taken away."
        self._over = False
        self._news = asyncio.Event()

    @property
    def enough(self) -> bool:
        """Whether people may stop; until all plans are carried out they go on."""
        return self.answered >= self.wanted and not self.troubled

    def one_more(self) -> None:
        """A mutation was answered."""
        self.answered += 1
        self._tell()

    def finish(self) -> None:
        """Nothing more comes: nobody waits for it."""
        self._over = True
        self._tell()

    async def reached(self, answered: int) -> None:
        """Returns once so many mutations were answered, or there are no more to come."""
        while self.answered < answered and not self._over:
            await self._news.wait()

    async def more(self, answered: int) -> None:
        """Returns once so many more were."""
        await self.reached(self.answered + answered)

    def plan(self, times: int, choices: random.Random) -> list[int]:
        """When to do something so many times, as numbers of mutations answered by then; nothing at the very end."""
        return sorted(choices.sample(range(1, max(self.wanted * 9 // 10, times + 2)), times))

    def _tell(self) -> None:
        self._news.set()
        self._news = asyncio.Event()
