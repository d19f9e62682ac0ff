"""Apollo Client with its normalised cache, over HTTP and a socket."""

from contextlib import AbstractAsyncContextManager
from typing import Any

from tests.clients.node import Script, running
from tests.driving import Client, Service
from tests.processes import REPOSITORY
from tests.web.sockets import nothing_is_left

MEETINGS = """
query ($after: String) {
  meetings(first: 2, after: $after) { edges { cursor node { id status } } pageInfo { endCursor hasNextPage } }
}
"""
MEETING = "query ($id: ID!) { meeting(id: $id) { id status version } }"
PROPOSE = """
mutation ($input: ProposeMeetingInput!) {
  proposeMeeting(input: $input) {
    ... on MeetingChanged { meeting { id status version } }
    ... on Problem { message }
  }
}
"""
CANCEL = """
mutation ($input: CancelMeetingInput!) {
  cancelMeeting(input: $input) { ... on MeetingChanged { meeting { id status version } } }
}
"""
UPDATES = "subscription { myMeetingUpdates { event { id kind } meeting { id status version } } }"


def apollo(world: Service, authorization: str) -> AbstractAsyncContextManager[Script]:
    return running(
        "apollo.mjs",
        url=f"{world.url}/graphql",
        socketUrl=world.url.replace("http", "ws", 1) + "/graphql",
        authorization=authorization,
        schema=str(REPOSITORY / "schema" / "schema.graphql"),
    )


def of(client: Client) -> AbstractAsyncContextManager[Script]:
    return apollo(client.world, f"Bearer {client.token}")


async def cached(client: Script, id: str) -> Any:
    """What the cache knows under this id."""
    await client.do("cached", id=id)
    return (await client.event("cached")).get("value")


async def test_a_query_is_answered(uma: Client):
    async with of(uma) as client:
        await client.do("query", query="{ me { id name creditAccount { available blocked } } }")
        me = (await client.event("answered"))["data"]["me"]
        assert (me["id"], me["name"], me["creditAccount"]["available"]) == (uma.id, "Uma User", "100.00")


async def test_a_list_grows_page_by_page_until_there_is_no_more(uma: Client, emil: Client):
    free = await emil.act("saveService", name="Free", durationMinutes=60, price="0.00")
    emil.service = free["service"]["id"]
    ids = [(await uma.proposed(emil, startsAt=uma.world.at(days=day)))["id"] for day in range(1, 6)]
    async with of(uma) as client:
        await client.do("watch", id="list", query=MEETINGS)
        page = (await client.event("emitted"))["data"]["meetings"]
        for shown in (4, 5):
            assert page["pageInfo"]["hasNextPage"]
            await client.do("fetchMore", id="list", variables={"after": page["pageInfo"]["endCursor"]})
            page = (await client.event("emitted"))["data"]["meetings"]
            assert [edge["node"]["id"] for edge in page["edges"]] == ids[:shown]
        assert not page["pageInfo"]["hasNextPage"]


async def test_a_mutation_changes_what_is_shown_of_the_same_meeting_elsewhere(uma: Client, emil: Client):
    async with of(uma) as client:
        await client.do("mutate", mutation=PROPOSE, variables={"input": uma.proposal(emil)})
        meeting = (await client.event("answered"))["data"]["proposeMeeting"]["meeting"]
        name = f"Meeting:{meeting['id']}"
        assert (await cached(client, name))["status"] == "AWAITING_APPROVAL"
        await client.do("watch", id="meeting", query=MEETING, variables={"id": meeting["id"]})
        assert (await client.event("emitted"))["data"]["meeting"]["status"] == "AWAITING_APPROVAL"
        await client.do("mutate", mutation=CANCEL, variables={"input": {"meetingId": meeting["id"]}})
        assert (await client.event("emitted"))["data"]["meeting"]["status"] == "CANCELLED"


async def test_what_is_pushed_changes_what_is_shown_w1(uma: Client, emil: Client):
    meeting = await uma.proposed(emil)
    async with nothing_is_left(uma.world), of(uma) as client:
        await client.do("subscribe", id="updates", query=UPDATES)
        await client.do("watch", id="meeting", query=MEETING, variables={"id": meeting["id"]})
        assert (await client.event("emitted"))["data"]["meeting"]["status"] == "AWAITING_APPROVAL"
        await client.do("listen")
        await client.event("listening")
        assert (await emil.act("approveMeeting", meetingId=meeting["id"]))["__typename"] == "MeetingChanged"
        assert (await client.event("emitted"))["data"]["meeting"]["status"] == "AGREED"
        update = (await client.event("pushed", id="updates"))["data"]["myMeetingUpdates"]
        assert update["event"]["kind"] == "EXPERT_APPROVED"


async def test_a_problem_is_data_and_no_error(world: Service, uma: Client, emil: Client):
    async with of(uma) as client, world.nothing_changes():
        given = {**uma.proposal(emil), "expertId": "nobody's"}
        await client.do("mutate", mutation=PROPOSE, variables={"input": given})
        answer = await client.event("answered")
        assert answer["data"]["proposeMeeting"]["__typename"] == "NotFound"
        assert answer["data"]["proposeMeeting"]["message"]
        assert "error" not in answer


async def test_a_wrong_document_is_an_error_with_a_code(uma: Client):
    async with of(uma) as client:
        await client.do("query", query="{ nothing }")
        failed = await client.event("failed")
        assert failed["name"] == "CombinedGraphQLErrors"
        assert [error["extensions"]["code"] for error in failed["errors"]] == ["GRAPHQL_VALIDATION_FAILED"]


async def test_a_bad_token_is_an_error_with_a_code(world: Service):
    async with world.nothing_changes(), apollo(world, "Bearer no token of ours") as client:
        await client.do("query", query="{ me { id } }")
        errors = (await client.event("failed"))["errors"]
        assert [error["extensions"]["code"] for error in errors] == ["UNAUTHENTICATED"]
