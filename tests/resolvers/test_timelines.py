"""What happened to a meeting, in pages, over the public API."""

from typing import Any

import pytest

from tests.driving import Client, Service, all_edges

TIMELINE = """
query($id: ID!, $first: Int, $after: String) { meeting(id: $id) { timeline(first: $first, after: $after) {
  edges { cursor node { sequence kind label person { name } meeting { id } } }
  pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
} } }
"""


@pytest.fixture
async def frieda(world: Service) -> Client:
    """An expert who takes nothing, so that there may be many meetings with her."""
    return await world.expert("Frieda Free", price="0.00")


@pytest.mark.parametrize("first", [1, 2, 3, 100])
async def test_q1_a_timeline_is_paged_without_loss_or_double(world: Service, uma: Client, frieda: Client, first: int):
    meeting = await uma.proposed(frieda)
    await frieda.act("approveMeeting", meetingId=meeting["id"])

    async def read(after: str | None) -> dict[str, Any]:
        return (await uma.ask(TIMELINE, id=meeting["id"], first=first, after=after))["meeting"]["timeline"]

    found = await all_edges(read, first=first)
    kinds = [edge["node"]["kind"] for edge in found]
    assert kinds == ["MEETING_PROPOSED", "USER_APPROVED", "EXPERT_APPROVED"]
    assert [edge["node"]["sequence"] for edge in found] == list(range(1, len(kinds) + 1))
    assert {edge["node"]["meeting"]["id"] for edge in found} == {meeting["id"]}
    assert (await read(found[-1]["cursor"]))["edges"] == []


async def test_q1_timelines_of_many_meetings_are_each_their_own(world: Service, uma: Client, frieda: Client):
    meetings = [await uma.proposed(frieda, startsAt=world.at(days=days)) for days in (1, 2, 3)]
    await frieda.act("approveMeeting", meetingId=meetings[1]["id"])
    query = "{ meetings { edges { node { id timeline(first: %d) { edges { node { sequence } } } } } } }"
    for first in (1, 2, 3):
        edges = (await uma.ask(query % first))["meetings"]["edges"]
        lengths = {edge["node"]["id"]: len(edge["node"]["timeline"]["edges"]) for edge in edges}
        assert lengths == {
            meeting["id"]: min(first, events) for meeting, events in zip(meetings, (2, 3, 2), strict=True)
        }


async def test_w1_labels_follow_the_language_of_the_viewer(world: Service, uma: Client, emil: Client):
    meeting = await uma.proposed(emil)
    await emil.act("updateProfile", language="DE")
    labels = {}
    for viewer in (uma, emil):
        edges = (await viewer.ask(TIMELINE, id=meeting["id"]))["meeting"]["timeline"]["edges"]
        labels[viewer.sub] = [edge["node"]["label"] for edge in edges]
    assert labels[uma.sub] == ["Meeting proposed", "Approved by the user"]
    assert labels[emil.sub] == ["Treffen vorgeschlagen", "Vom Nutzer bestätigt"]
