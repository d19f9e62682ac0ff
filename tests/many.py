"""Many meetings, made by as few requests as can be."""

from collections.abc import Sequence
from typing import Any

from tests.driving import Client

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
