"""Who is shown what (T, Q5, W3), over the public API."""

from typing import Any

import pytest

from models.ids import NOTHING
from schema.ids import global_id, named_by, row_id
from tests.driving import Client, Service

PERSON = """
fragment Known on Person { id name language timeZone isExpert isStaff email creditAccount { available }
  skills { name } services { name active } }
"""


async def test_q5_everybody_sees_all_of_themselves(world: Service, emil: Client):
    await emil.act("saveService", name="Old advice", durationMinutes=30, price="1.00", active=False)
    assert (await emil.ask("{ me { ...Known } }" + PERSON))["me"] == {
        "id": emil.id,
        "name": "Emil Expert",
        "language": "EN",
        "timeZone": "UTC",
        "isExpert": True,
        "isStaff": False,
        "email": f"{emil.sub}@example.com",
        "creditAccount": {"available": "0.00"},
        "skills": [{"name": "Python"}],
        "services": [{"name": "Advice", "active": True}, {"name": "Old advice", "active": False}],
    }


async def test_q5_email_balances_and_inactive_services_are_seen_by_oneself_and_staff_only(
    world: Service, uma: Client, emil: Client, stella: Client
):
    await emil.act("saveService", name="Old advice", durationMinutes=30, price="1.00", active=False)
    meeting = await uma.proposed(emil)
    query = "query($id: ID!) { meeting(id: $id) { user { ...Known } expert { ...Known } } }" + PERSON

    for viewer, sees_uma, sees_emil in ((uma, True, False), (emil, False, True), (stella, True, True)):
        seen = (await viewer.ask(query, id=meeting["id"]))["meeting"]
        for person, client, all_of_it in ((seen["user"], uma, sees_uma), (seen["expert"], emil, sees_emil)):
            assert person["id"] == client.id
            assert person["email"] == (f"{client.sub}@example.com" if all_of_it else None)
            assert (person["creditAccount"] is not None) == all_of_it
        assert [each["name"] for each in seen["expert"]["services"]] == (
            ["Advice", "Old advice"] if sees_emil else ["Advice"]
        )
        assert seen["expert"]["skills"] == [{"name": "Python"}]


async def person(viewer: Client, id: str) -> dict[str, Any] | None:
    """Somebody by their id, which every road must show alike."""
    query = "query($id: ID!) { person(id: $id) { ...Known } node(id: $id) { ...Known } nodes(ids: [$id]) { ...Known } }"
    found = await viewer.ask(query + PERSON, id=id)
    assert found["person"] == found["node"] == found["nodes"][0]
    return found["person"]


async def test_q5_experts_are_seen_by_everybody_and_other_people_by_those_they_meet_and_by_staff(
    world: Service, uma: Client, emil: Client, stella: Client
):
    stranger = await world.somebody("Sam Stranger")
    for viewer in (uma, emil, stella, stranger):
        seen = await person(viewer, emil.id)
        assert seen is not None
        assert seen["name"] == "Emil Expert"
    assert await person(emil, uma.id) is None
    meeting = await uma.proposed(emil)
    await uma.act("cancelMeeting", meetingId=meeting["id"])
    for viewer, sees in ((emil, True), (uma, True), (stella, True), (stranger, False)):
        seen = await person(viewer, uma.id)
        assert (seen is not None) == sees, "they have met, whatever became of it"
    seen = await person(emil, uma.id)
    assert seen is not None
    assert (seen["name"], seen["email"], seen["creditAccount"]) == ("Uma User", None, None)


async def test_q5_users_see_no_other_users_also_of_the_same_expert(world: Service, uma: Client, emil: Client):
    una = await world.somebody("Una User", credits="40.00")
    await una.proposed(emil)
    await uma.proposed(emil, startsAt=world.at(days=3))
    assert await person(emil, una.id) is not None
    assert await person(uma, una.id) is None
    assert await person(una, uma.id) is None


@pytest.mark.parametrize("unknown", ["", "x", "\x00", "\ud800", global_id("Person", NOTHING)])
async def test_q5_nobody_is_null_like_everybody_one_may_not_see(world: Service, stella: Client, unknown: str):
    assert await person(stella, unknown) is None


async def test_q5_an_inactive_service_is_seen_by_its_expert_staff_and_in_its_meetings(
    world: Service, uma: Client, emil: Client, stella: Client
):
    meeting = await uma.proposed(emil)
    await emil.act("saveService", serviceId=emil.service, name="Old", durationMinutes=60, price="1.00", active=False)
    query = "query($id: ID!) { node(id: $id) { ... on Service { name } } }"
    for viewer, seen in ((uma, None), (emil, {"name": "Old"}), (stella, {"name": "Old"})):
        assert (await viewer.ask(query, id=emil.service))["node"] == seen
    told = await uma.ask("query($id: ID!) { meeting(id: $id) { service { name active } } }", id=meeting["id"])
    assert told["meeting"]["service"] == {"name": "Old", "active": False}


# Anything by its id


async def test_w3_node_shows_each_thing_to_whom_it_concerns_and_null_to_others(
    world: Service, uma: Client, emil: Client, stella: Client
):
    """A movement has an id for each of its account holders, who are shown what it did to their own balances."""
    meeting = await uma.proposed(emil)
    query = "query($id: ID!) { meeting(id: $id) { timeline { edges { node { id } } } } }"
    event = (await uma.ask(query, id=meeting["id"]))["meeting"]["timeline"]["edges"][0]["node"]["id"]
    account = await uma.ask("{ creditAccount { movements(first: 1) { edges { node { id kind } } } } }")
    movement = account["creditAccount"]["movements"]["edges"][0]["node"]["id"]
    (movement_id, _) = named_by(movement)[1]
    of_emil = global_id("CreditMovement", movement_id, row_id("Person", emil.id))
    of_nobody = global_id("CreditMovement", movement_id)
    stranger = await world.expert("Egon Extra")
    ids = [meeting["id"], event, movement, emil.service, emil.skill, of_emil, of_nobody, global_id("Nothing", NOTHING)]
    for viewer, seen in ((uma, "11111000"), (emil, "11011000"), (stella, "11111000"), (stranger, "00011000")):
        nodes = (await viewer.ask("query($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }", ids=ids))["nodes"]
        assert [each is not None for each in nodes] == [flag == "1" for flag in seen]
        for each, asked in zip(nodes, ids, strict=True):
            assert each is None or each["id"] == asked
            alone = (await viewer.ask("query($id: ID!) { node(id: $id) { __typename id } }", id=asked))["node"]
            assert alone == each


async def test_w3_up_to_100_nodes_are_answered_in_their_order_and_as_often_as_asked_for(
    world: Service, uma: Client, emil: Client
):
    query = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    ids = [emil.id, uma.id, "nonsense", emil.service, emil.id] * 20
    nodes = (await uma.ask(query, ids=ids))["nodes"]
    assert [node and node["id"] for node in nodes] == [None if each == "nonsense" else each for each in ids]
    assert (await uma.ask(query, ids=[]))["nodes"] == []
    (error,) = await uma.errors(query, ids=[*ids, uma.id])
    assert error["extensions"]["code"] == "BAD_USER_INPUT"


# One meeting


async def test_w3_a_meeting_is_seen_by_its_two_sides_and_by_staff(
    world: Service, uma: Client, emil: Client, stella: Client
):
    meeting = await uma.proposed(emil)
    stranger = await world.expert("Egon Extra")
    for viewer, side in ((uma, "USER"), (emil, "EXPERT"), (stella, None)):
        seen = await viewer.meeting(meeting["id"])
        assert seen is not None
        assert (seen["id"], seen["viewerSide"]) == (meeting["id"], side)
    assert await stranger.meeting(meeting["id"]) is None


@pytest.mark.parametrize(
    "unknown", ["", "x", "Ümläut", "💥", "\x00", "\ud800", "x" * 50_000, global_id("Meeting", NOTHING), 7]
)
async def test_w3_what_is_not_there_is_null_like_what_is_not_theirs(world: Service, stella: Client, unknown: Any):
    assert await stella.meeting(unknown) is None


async def test_w3_an_id_of_something_else_is_no_meeting(world: Service, uma: Client, emil: Client, stella: Client):
    meeting = await uma.proposed(emil)
    same_row = global_id("TimelineEvent", row_id("Meeting", meeting["id"]))
    for other in (uma.id, emil.service, emil.skill, same_row):
        assert await stella.meeting(other) is None
