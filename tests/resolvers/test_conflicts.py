"""What collides with a date that waits for an answer (C2), over the public API."""

import pytest

from tests.driving import Client, Service


@pytest.fixture
async def frieda(world: Service) -> Client:
    """An expert who takes nothing, so that there may be many meetings with her."""
    return await world.expert("Frieda Free", price="0.00")


async def agreed(user: Client, expert: Client, **ahead: float) -> str:
    meeting = await user.proposed(expert, startsAt=user.world.at(**ahead))
    assert (await expert.act("approveMeeting", meetingId=meeting["id"]))["meeting"]["status"] == "AGREED"
    return meeting["id"]


async def conflicts(viewer: Client, meeting_id: str) -> list[str]:
    meeting = await viewer.meeting(meeting_id)
    assert meeting is not None
    return [each["id"] for each in meeting["conflicts"]]


async def test_c2_whoever_is_to_answer_sees_the_agreed_meetings_that_overlap(
    world: Service, uma: Client, frieda: Client
):
    """In either role, soonest first; touching is no overlap, and each meeting has its own."""
    eva, egon = [await world.expert(name, price="0.00") for name in ("Eva Expert", "Egon Extra")]
    late = await agreed(uma, frieda, days=1, minutes=59)
    early = await agreed(frieda, eva, days=1, minutes=-59)
    await agreed(uma, egon, days=1)  # a conflict of the proposer's is nobody else's
    between = await agreed(uma, frieda, days=3)
    touching = [await agreed(uma, frieda, days=5, hours=hours) for hours in (-1, 1)]
    soon, later, free, last = [
        (await uma.proposed(frieda, startsAt=world.at(days=days)))["id"] for days in (1, 3, 5, 7)
    ]
    assert await conflicts(frieda, soon) == [early, late]
    assert await conflicts(uma, soon) == []
    edges = (await frieda.ask("{ meetings { edges { node { id conflicts { id } } } } }"))["meetings"]["edges"]
    seen = {edge["node"]["id"]: [each["id"] for each in edge["node"]["conflicts"]] for edge in edges}
    waiting = {soon: [early, late], later: [between], free: [], last: []}
    assert seen == {**waiting, **{each: [] for each in (early, late, between, *touching)}}


async def test_c2_nobody_is_shown_conflicts_of_a_meeting_that_does_not_wait_for_them(
    world: Service, uma: Client, frieda: Client
):
    stella = await world.expert("Stella Staff", price="0.00", roles=["staff"])
    await agreed(uma, stella, days=1)
    waiting = (await uma.proposed(frieda, startsAt=world.at(days=1)))["id"]
    assert await conflicts(stella, waiting) == [], "staff's own meetings are no conflicts of a meeting of others"
    assert await conflicts(uma, waiting) == []
    assert await conflicts(frieda, waiting) == []
