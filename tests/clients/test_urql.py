"""urql, over HTTP and a socket."""

import asyncio
from contextlib import AbstractAsyncContextManager

import pytest

from tests.clients.node import Script, running
from tests.driving import Client, Service
from tests.web.sockets import BALANCES, ONE_MEETING, PROPOSE, nothing_is_left


def urql(world: Service, authorization: str) -> AbstractAsyncContextManager[Script]:
    return running(
        "urql.mjs",
        url=f"{world.url}/graphql",
        socketUrl=world.url.replace("http", "ws", 1) + "/graphql",
        authorization=authorization,
        headers={"graphql-preflight": "1"},
    )


def of(client: Client) -> AbstractAsyncContextManager[Script]:
    return urql(client.world, f"Bearer {client.token}")


async def test_a_query_goes_by_get_and_is_answered(uma: Client):
    async with of(uma) as client:
        await client.do("query", query="query ($id: ID!) { me { id } meeting(id: $id) { id } }", variables={"id": "x"})
        answer = await client.event("answered")
        assert (await client.event("fetched"))["method"] == "GET"
        assert answer["data"] == {"me": {"id": uma.id, "__typename": "Person"}, "meeting": None}


async def test_a_mutation_is_carried_out_and_its_problems_are_data(world: Service, uma: Client, emil: Client):
    async with of(uma) as client:
        await client.do("mutate", mutation=PROPOSE, variables={"input": uma.proposal(emil)})
        proposed = (await client.event("answered"))["data"]["proposeMeeting"]
        assert proposed["meeting"]["status"] == "AWAITING_APPROVAL"
        async with world.nothing_changes():
            given = {**uma.proposal(emil), "expertId": "nobody's"}
            await client.do("mutate", mutation=PROPOSE, variables={"input": given})
            answer = await client.event("answered")
            assert answer["data"]["proposeMeeting"]["__typename"] == "NotFound"
            assert "codes" not in answer


async def test_a_subscription_is_pushed_to_until_it_is_given_up(world: Service, uma: Client, emil: Client):
    async with nothing_is_left(world), of(uma) as client:
        before = asyncio.all_tasks()
        await client.do("subscribe", id="1", query=BALANCES)
        assert (await client.event("pushed"))["data"]["creditAccountUpdates"]["blocked"] == "0.00"
        await uma.proposed(emil)
        assert (await client.event("pushed"))["data"]["creditAccountUpdates"]["blocked"] == "40.00"
        await client.do("complete", id="1")
        await world.settled(before)
        assert world.app.state.feeds.connected_people == 0


@pytest.mark.parametrize(
    ("query", "code"),
    [("{ nothing }", "GRAPHQL_VALIDATION_FAILED"), ("query ($id: ID!) { meeting(id: $id) { id } }", "BAD_USER_INPUT")],
)
async def test_an_error_has_a_code(world: Service, uma: Client, query: str, code: str):
    async with of(uma) as client, world.nothing_changes():
        await client.do("query", query=query)
        assert (await client.event("answered"))["codes"] == [code]


async def test_a_refused_subscription_is_an_error_with_a_code(world: Service, uma: Client):
    async with nothing_is_left(world), of(uma) as client, world.nothing_changes():
        await client.do("subscribe", id="1", query=ONE_MEETING, variables={"id": "unknown"})
        assert (await client.event("pushed", id="1"))["codes"] == ["NOT_FOUND"]


async def test_a_bad_token_is_told_by_status_and_code(world: Service):
    async with world.nothing_changes(), urql(world, "Bearer no token of ours") as client:
        await client.do("query", query="{ me { id } }")
        answer = await client.event("answered")
        assert (answer["status"], answer["codes"]) == (401, ["UNAUTHENTICATED"])
