"""Workers need much to do: many meetings, made by as few requests as can be."""

import asyncio
from collections.abc import Sequence
from typing import Any

from tortoise.connection import get_connection
from tortoise.queryset import QuerySet

from tests.driving import Client
from tests.settlements import Held

AT_A_TIME = 20
"So many mutations in a request, which does them one after another."


async def act_on_each(client: Client, action: str, inputs: Sequence[dict[str, Any]]) -> list[str]:
    """The ids of the meetings that a person changed by the same mutation with one input after another."""
    input_type = f"{action[0].upper()}{action[1:]}Input"
    changed: list[str] = []
    for some in (inputs[start : start + AT_A_TIME] for start in range(0, len(inputs), AT_A_TIME)):
        places = range(len(some))
        given = ", ".join(f"$i{n}: {input_type}!" for n in places)
        done = " ".join(f"m{n}: {action}(input: $i{n}) {{ ...Changed }}" for n in places)
        answer = await client.ask(
            f"mutation({given}) {{ {done} }} fragment Changed on MeetingResult"
            " { __typename ... on MeetingChanged { meeting { id } } }",
            **{f"i{n}": each for n, each in enumerate(some)},
        )
        for result in answer.values():
            assert result["__typename"] == "MeetingChanged", result
            changed.append(result["meeting"]["id"])
    return changed


async def proposals(user: Client, expert: Client, number: int, **changes: Any) -> list[str]:
    """So many proposals, for tomorrow unless it is said otherwise, which nobody has answered."""
    return await act_on_each(user, "proposeMeeting", [{**user.proposal(expert), **changes}] * number)


async def approved(expert: Client, meetings: Sequence[str]) -> list[str]:
    """These meetings, to which the expert has agreed, whatever they collide with."""
    inputs = [{"meetingId": each, "acknowledgeConflicts": True} for each in meetings]
    return await act_on_each(expert, "approveMeeting", inputs)


async def just_held(user: Client, expert: Client, number: int) -> list[Held]:
    """So many meetings at the same hour, which is over."""
    meetings = await approved(expert, await proposals(user, expert, number))
    user.world.clock.advance(days=1, hours=1)
    return [Held(user.world, user, expert, each) for each in meetings]


async def until_there_are(number: int, rows: QuerySet[Any], *, seconds: float = 30) -> None:
    """Returns once there are so many; counted, not read, and with pauses, so that those who work have the processor."""
    async with asyncio.timeout(seconds):
        while await rows.count() < number:
            await a_moment()


async def a_moment() -> None:
    await get_connection("default").execute_query("SELECT pg_sleep(0.02)")
