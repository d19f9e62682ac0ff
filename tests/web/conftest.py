"""What tests of the web layer are given."""

from collections.abc import AsyncIterator, Callable

import pytest

from models.transactions import before_each_statement
from tests.web.sockets import Held


@pytest.fixture
async def held() -> AsyncIterator[Callable[[int], Held]]:
    """Holds up the next transaction before its nth statement."""
    made: list[Held] = []

    def hold(at_statement: int) -> Held:
        made.append(Held(at_statement))
        before_each_statement(made[-1])
        return made[-1]

    yield hold
    before_each_statement(None)
    for each in made:
        each.released.set()
