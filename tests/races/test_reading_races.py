"""What is read while others act is as of one instant: nothing half done is ever shown."""

import asyncio
from typing import Any

from tests.driving import Client, Service
from tests.negotiations import Negotiation
from tests.races import ROUNDS

SEEN = """
query ($id: ID!) {
  meeting(id: $id) {
    version status alternativeDate { status } alternativeDates { status } actions { kind allowed }
    timeline(first: 100) { edges { node { sequence } } }
  }
  creditAccount { available blocked movements(first: 100) { edges { node { availableChange blockedChange } } } }
}
"""


def check(seen: dict[str, Any]) -> None:
    """All of an answer fits together."""
    meeting, account = seen["meeting"], seen["creditAccount"]
    assert [edge["node"]["sequence"] for edge in meeting["timeline"]["edges"]] == list(range(1, meeting["version"] + 1))
    pending = [each for each in meeting["alternativeDates"] if each["status"] == "PENDING"]
    assert pending == ([meeting["alternativeDate"]] if meeting["alternativeDate"] else [])
    allowed = {action["kind"] for action in meeting["actions"] if action["allowed"]}
    answering = {"APPROVE_ALTERNATIVE_DATE", "REJECT_ALTERNATIVE_DATE", "CANCEL_ALTERNATIVE_DATE"}
    assert bool(allowed & answering) == bool(pending)
    moved = [edge["node"] for edge in account["movements"]["edges"]]
    for balance, change in (("available", "availableChange"), ("blocked", "blockedChange")):
        assert sum(round(100 * float(each[change])) for each in moved) == round(100 * float(account[balance]))


async def test_q3_m4_a_meeting_and_an_account_are_shown_as_they_were_at_one_instant(
    world: Service, uma: Client, emil: Client
):
    negotiation = await Negotiation(world, uma, emil).agree("USER")
    over = False
    looked = 0

    async def look(viewer: Client) -> None:
        nonlocal looked
        while not over:
            check(await viewer.ask(SEEN, id=negotiation.meeting["id"]))
            looked += 1

    looking = [asyncio.create_task(look(viewer)) for viewer in (uma, emil)]
    for round_number in range(min(ROUNDS, 30)):  # what happens in them fits on a page
        before = looked
        await negotiation.choose("USER", days=20 + round_number)
        await negotiation.do("EXPERT", "rejectAlternativeDate", reasonCode="OTHER")
        proposed = await uma.proposed(emil, startsAt=world.at(days=100))
        await uma.act("cancelMeeting", meetingId=proposed["id"])
        async with asyncio.timeout(20):
            while looked == before and not any(task.done() for task in looking):
                await asyncio.wait(looking, timeout=0.01)
    over = True
    await asyncio.gather(*looking)
