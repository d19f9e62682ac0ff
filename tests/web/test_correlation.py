"""What nobody expected: masked for the client, logged once for us, and found by its correlation id."""

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
import structlog
from tortoise.connection import get_connection

from models import Meeting, Person, Reason
from tests.driving import Client, Service
from web.correlation import HEADER

MEETING = '{ meeting(id: "x") { id } }'


async def fail(*args: object, **named: object) -> Any:
    """A statement that really fails, telling what no client should read."""
    return await get_connection("default").execute_query("SELECT 'a secret of ours'::int")


@pytest.fixture
def logged() -> Iterator[list[dict[str, Any]]]:
    """The lines that are logged meanwhile."""
    with structlog.testing.capture_logs(processors=[structlog.contextvars.merge_contextvars]) as lines:
        yield lines  # type: ignore[misc]


def masked(answer: httpx2.Response) -> list[dict[str, Any]]:
    """The errors of an answer, which tell nothing but where to look."""
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text
    errors: list[dict[str, Any]] = answer.json()["errors"]
    for error in errors:
        assert error["extensions"] == {"code": "INTERNAL_SERVER_ERROR", "correlationId": answer.headers[HEADER]}
    return errors


async def test_an_unexpected_error_of_a_field_is_masked_and_logged_once_under_the_id_the_client_is_given(
    world: Service, uma: Client, monkeypatch: pytest.MonkeyPatch, logged: list[dict[str, Any]]
):
    monkeypatch.setattr(Meeting, "filter", fail)
    async with world.nothing_changes():
        answer = await uma.post(MEETING)
    assert answer.status_code == 200
    assert answer.json()["data"] == {"meeting": None}
    (error,) = masked(answer)
    assert (error["path"], error["locations"]) == (["meeting"], [{"line": 1, "column": 3}])
    (line,) = logged
    assert (line["log_level"], line["correlation_id"]) == ("error", answer.headers[HEADER])
    assert "a secret of ours" in str(line["exc_info"])


async def test_an_unexpected_error_in_the_middle_of_a_mutation_is_masked_and_nothing_is_written_i2(
    world: Service, uma: Client, emil: Client, monkeypatch: pytest.MonkeyPatch, logged: list[dict[str, Any]]
):
    meeting = await uma.proposed(emil)
    monkeypatch.setattr(Reason, "filter", lambda **_: 1 / 0)
    async with world.nothing_changes():
        answer = await emil.post(
            "mutation ($input: RejectMeetingInput!) { rejectMeeting(input: $input) { __typename } }",
            input={"meetingId": meeting["id"], "reasonCode": "OTHER", "idempotencyKey": "once"},
        )
    assert len(masked(answer)) == len(logged) == 1


@pytest.mark.parametrize(
    "query", ["{ me { id } }", 'mutation { updateProfile(input: {timeZone: "UTC"}) { __typename } }']
)
async def test_a_request_whose_person_cannot_be_read_is_answered_500_as_json_and_logged_once(
    world: Service,
    uma: Client,
    monkeypatch: pytest.MonkeyPatch,
    logged: list[dict[str, Any]],
    caplog: pytest.LogCaptureFixture,
    query: str,
):
    monkeypatch.setattr(Person, "get_or_none", fail)
    async with world.nothing_changes():
        answer = await uma.post(query)
    assert (answer.status_code, answer.headers["content-type"]) == (500, "application/json")
    assert len(masked(answer)) == 1
    (line,) = logged
    assert (line["log_level"], line["correlation_id"]) == ("error", answer.headers[HEADER])
    assert caplog.records == []  # the server has nothing to add


async def test_the_clients_own_faults_are_not_logged(
    world: Service, uma: Client, logged: list[dict[str, Any]], caplog: pytest.LogCaptureFixture
):
    for query in ("{", "{ nothing }", "{ meetings(first: 0) { edges { cursor } } }", "query ($x: Int!) { me { id } }"):
        await uma.post(query)
    await world.http.post("/graphql", content=b"[" * 50_000)
    await world.http.post("/graphql", json={"query": "{ me { id } }"}, headers={"Authorization": "Bearer x"})
    assert logged == []
    assert caplog.records == []


async def test_every_answer_has_an_id_of_its_own_whatever_the_client_sends(world: Service, uma: Client):
    mine = {HEADER: "mine", "Authorization": f"Bearer {uma.token}"}
    answers = [
        await world.http.request(method, path, headers=mine)
        for method, path in (("GET", "/health"), ("GET", "/ready"), ("POST", "/graphql"), ("GET", "/none"))
        for _ in range(3)
    ]
    ids = [answer.headers.get_list(HEADER) for answer in answers]
    assert all(len(each) == 1 and len(each[0]) == 32 for each in ids)
    assert len({each[0] for each in ids}) == len(answers)


async def test_requests_at_once_do_not_mix_their_ids(
    world: Service, uma: Client, monkeypatch: pytest.MonkeyPatch, logged: list[dict[str, Any]]
):
    monkeypatch.setattr(Meeting, "filter", fail)
    answers = await asyncio.gather(*(uma.post(MEETING) for _ in range(20)))
    for answer in answers:
        masked(answer)
    assert sorted(line["correlation_id"] for line in logged) == sorted(answer.headers[HEADER] for answer in answers)


async def test_each_field_that_fails_is_told_and_logged_by_its_path(
    world: Service, uma: Client, monkeypatch: pytest.MonkeyPatch, logged: list[dict[str, Any]]
):
    monkeypatch.setattr(Meeting, "filter", fail)
    answer = await uma.post('{ one: meeting(id: "x") { id } two: meeting(id: "y") { id } }')
    assert sorted(error["path"] for error in masked(answer)) == [["one"], ["two"]]
    assert sorted(line["path"] for line in logged) == [["one"], ["two"]]
