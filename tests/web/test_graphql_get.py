"""GET /graphql: queries only, and only for who asked first."""

import json
from urllib.parse import quote, urlencode

import httpx2
import pytest

from tests.driving import Client, Service
from tests.web.posting import ME, codes, status_of
from web.graphql_http import LONGEST_QUERY_STRING, PREFLIGHT_HEADERS

PREFLIGHT = {"GraphQL-Preflight": "1"}
UPDATE = 'mutation { updateProfile(input: {timeZone: "Asia/Tokyo"}) { __typename } }'


async def get(client: Client, query_string: str | dict[str, str], **headers: str) -> httpx2.Response:
    text = query_string if isinstance(query_string, str) else urlencode(query_string)
    return await client.world.http.get(
        f"/graphql?{text}", headers={"Authorization": f"Bearer {client.token}", **PREFLIGHT, **headers}
    )


async def test_a_query_is_answered(world: Service, uma: Client):
    answer = await get(uma, ME)
    assert (answer.status_code, answer.json()) == (200, {"data": {"me": {"id": uma.id}}})


async def test_variables_and_operation_name_are_read(world: Service, uma: Client):
    query = "query A { me { id } } query B($id: ID!) { meeting(id: $id) { id } }"
    given = {"query": query, "variables": json.dumps({"id": "x"}), "operationName": "B", "extensions": "{}"}
    assert (await get(uma, given)).json() == {"data": {"meeting": None}}


async def test_an_empty_operation_name_and_parameters_nobody_knows_say_nothing(world: Service, uma: Client):
    answer = await get(uma, {**ME, "operationName": "", "variables": "null", "_": "1"})
    assert answer.json() == {"data": {"me": {"id": uma.id}}}


@pytest.mark.parametrize("header", sorted(PREFLIGHT_HEADERS))
async def test_each_header_that_a_browser_asks_about_first_is_enough(world: Service, uma: Client, header: str):
    headers = {"Authorization": f"Bearer {uma.token}", header: ""}
    assert (await world.http.get("/graphql", params=ME, headers=headers)).status_code == 200


async def test_so_is_a_content_type_that_no_form_has(world: Service, uma: Client):
    for content_type, status in (("application/json; charset=utf-8", 200), ("text/plain", 400)):
        headers = {"Authorization": f"Bearer {uma.token}", "Content-Type": content_type}
        assert (await world.http.get("/graphql", params=ME, headers=headers)).status_code == status


async def test_without_one_nothing_is_answered(world: Service, uma: Client):
    async with world.nothing_changes():
        answer = await world.http.get("/graphql", params=ME, headers={"Authorization": f"Bearer {uma.token}"})
        assert (answer.status_code, codes(answer)) == (400, ["PREFLIGHT_REQUIRED"])
        assert "GraphQL-Preflight" in answer.text


async def test_nobody_is_answered_nothing(world: Service):
    answer = await world.http.get("/graphql", params=ME, headers=PREFLIGHT)
    assert (answer.status_code, codes(answer)) == (401, ["UNAUTHENTICATED"])
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("accept", ["application/json", "application/graphql-response+json"])
@pytest.mark.parametrize("also", ["", " query A { me { id } }"])
async def test_a_mutation_is_sent_away_and_changes_nothing(world: Service, uma: Client, accept: str, also: str):
    async with world.nothing_changes():
        document = UPDATE.replace("mutation", "mutation B") + also
        answer = await get(uma, {"query": document, "operationName": "B"}, Accept=accept)
        assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
        assert list(answer.json()) == ["errors"]


async def test_a_subscription_is_told_to_come_by_websocket(world: Service, uma: Client):
    answer = await get(uma, {"query": "subscription { myMeetingUpdates { cursor } }"})
    assert (answer.status_code, codes(answer)) == (400, ["BAD_REQUEST"])
    assert "WebSocket" in answer.text


QUERY = f"query={quote(ME['query'])}"


@pytest.mark.parametrize(
    "query_string",
    [
        "",
        "variables={}",
        QUERY + "&variables=",
        QUERY + "&variables={",
        QUERY + "&variables=[]",
        QUERY + "&variables=7",
        QUERY + '&variables={"x":NaN}',
        QUERY + "&variables=" + "[" * 40_000,
        QUERY + "&extensions=",
        QUERY + "&extensions=[]",
        QUERY + "&" + QUERY,
        QUERY + "&query=",
        QUERY + "&variables={}&variables={}",
        "query=%ff%fe",
        "query=%ed%a0%80",
        "query=%7B%20me%20%7B%20%C3",
    ],
    ids=lambda text: repr(text[-30:]),
)
async def test_what_is_no_graphql_request_is_answered_with_400(world: Service, uma: Client, query_string: str):
    async with world.nothing_changes():
        answer = await get(uma, query_string)
        assert (answer.status_code, codes(answer)) == (400, ["BAD_REQUEST"])
        assert list(answer.json()) == ["errors"]


async def test_a_query_string_of_the_largest_size_is_served_and_a_longer_one_refused(world: Service, uma: Client):
    padding = "&_=" + "x" * (LONGEST_QUERY_STRING - len(QUERY) - 3)
    assert (await get(uma, QUERY + padding)).status_code == 200
    answer = await get(uma, QUERY + padding + "x")
    assert (answer.status_code, codes(answer)) == (414, ["BAD_REQUEST"])
    assert await status_of(uma, f"GET /graphql?{QUERY}{padding * 10}", "GraphQL-Preflight: 1") == 400
