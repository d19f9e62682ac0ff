"""What tests of sockets share."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tortoise.connection import get_connection

from tests.driving import Client, Service, mutation

BALANCES = "subscription { creditAccountUpdates { available blocked } }"
UPDATES = "subscription { myMeetingUpdates { event { kind } } }"
ONE_MEETING = "subscription ($id: ID!) { meetingUpdates(meetingId: $id) { event { kind } } }"
PROPOSE = mutation("proposeMeeting")


def subscribe(query: object, key: object = "1", **payload: object) -> dict[str, object]:
    return {"id": key, "type": "subscribe", "payload": {"query": query, **payload}}


def propose(uma: Client, emil: Client, key: str = "1") -> dict[str, object]:
    return subscribe(PROPOSE, key, variables={"input": uma.proposal(emil)})


def init(client: Client) -> dict[str, object]:
    return {"type": "connection_init", "payload": {"authorization": f"Bearer {client.token}"}}


async def pool() -> tuple[int, int]:
    """How many connections to the database there are, and how many of them are idle."""
    kept = get_connection("default")._pool
    return kept.get_size(), kept.get_idle_size()


@asynccontextmanager
async def nothing_is_left(world: Service) -> AsyncIterator[None]:
    """No task, reader, channel or borrowed connection of what happens inside is left afterwards."""
    before = asyncio.all_tasks()
    yield
    await world.settled(before)
    feeds = world.app.state.feeds
    assert feeds.connected_people == 0
    assert feeds._broadcast._receivers == {}
    async with asyncio.timeout(20):
        while len(set(await pool())) > 1:  # noqa: ASYNC110 - the comparison of heads may just be at it
            await asyncio.sleep(0.01)
        while await world.app.state.redis.pubsub_channels():  # Redis is told in the background
            pass


@dataclass
class Held:
    """Transactions, held up before a statement until they are released."""

    at_statement: int
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    released: asyncio.Event = field(default_factory=asyncio.Event)
    statements: int = 0

    async def __call__(self) -> None:
        self.statements += 1
        if self.statements == self.at_statement:
            self.reached.set()
            await self.released.wait()


async def reached(held: Held) -> None:
    async with asyncio.timeout(20):
        await held.reached.wait()
