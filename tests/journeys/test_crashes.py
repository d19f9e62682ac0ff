"""A web process that is killed in the middle of its work (I1, I2)."""

import asyncio
import os
import signal
from collections.abc import Sequence
from typing import Any

import httpx2

from models import Meeting
from schema.ids import row_id
from servers.server import free_port
from settings import Settings
from tests.driving import Client, Service, mutation
from tests.processes import web_process
from tests.waiting import until_there_are

ROUNDS = int(os.environ.get("CRASH_ROUNDS", "3"))
AT_ONCE = 5
KILLED_AT = (0, 2, AT_ONCE)
"When so many have committed: before, while and after they do."


async def fire(port: int, client: Client, action: str, inputs: Sequence[dict[str, Any]]) -> list[Any]:
    """Send these mutations all at once; what was answered, or that the server was gone."""
    headers = {"Authorization": f"Bearer {client.token}"}
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=20) as http:

        async def send(given: dict[str, Any]) -> Any:
            body = {"query": mutation(action), "variables": {"input": given}}
            return (await http.post("/graphql", json=body)).json()["data"][action]

        return await asyncio.gather(*(send(given) for given in inputs), return_exceptions=True)


async def test_i1_i2_what_was_under_way_when_the_server_was_killed_is_done_once_when_it_is_repeated(
    world: Service, settings: Settings, emil: Client
):
    port, proposed = free_port(), Meeting.filter(expert_id=row_id("Person", emil.id))
    user = await world.somebody("Ulla User", credits=f"{200 * ROUNDS}.00")
    done: list[str] = []
    inputs: list[dict[str, Any]] = []
    for round_ in range(ROUNDS + 1):
        async with web_process(settings, port) as process:
            # What was under way when the last one was killed.
            retried = await fire(port, user, "proposeMeeting", inputs)
            assert [result["__typename"] for result in retried] == ["MeetingChanged"] * len(inputs)
            done += [result["meeting"]["id"] for result in retried]
            inputs = [
                {
                    **user.proposal(emil),
                    "startsAt": world.at(days=2 + round_, hours=n),
                    "idempotencyKey": f"{round_} {n}",
                }
                for n in range(AT_ONCE)
            ]
            if round_ < ROUNDS:
                under_way = asyncio.create_task(fire(port, user, "proposeMeeting", inputs))
                await until_there_are(len(done) + KILLED_AT[round_ % len(KILLED_AT)], proposed)
                process.send_signal(signal.SIGKILL)
                await under_way
    assert len(set(done)) == AT_ONCE * ROUNDS
    assert await user.balance() == ("0.00", f"{200 * ROUNDS}.00")
