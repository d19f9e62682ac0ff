"""Metrics, for whoever knows the token."""

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable

import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families

import measuring
from app import create_app
from models import Person
from models.transactions import transaction
from schema.ids import row_id
from servers.place import temporary_folder
from servers.postgres import Postgres
from servers.server import free_port
from settings import Settings
from tests.conftest import METRICS_TOKEN as TOKEN
from tests.driving import WAIT_AT_MOST_SECONDS, Client, Service, raw_socket
from tests.figures import Figures, figures_at
from tests.processes import web_process
from tests.settlements import THEIRS, held
from tests.web.sockets import BALANCES, UPDATES, init, subscribe

GRANT = "grantCredits"


async def until(world: Service, name: str, wanted: float, **labels: str) -> Figures:
    """The first scrape in which a figure is what it is to be: some are counted after the client has been told."""
    async with asyncio.timeout(WAIT_AT_MOST_SECONDS):
        while (told := await figures_at(world.http)).of(name, **labels) != wanted:
            pass
    return told


@pytest.mark.parametrize("authorization", ["", "Bearer", f"Bearer {TOKEN}x", TOKEN, "Bearer \u00fc"])
async def test_nobody_else_reads_them(world: Service, authorization: str):
    headers = {"Authorization": authorization.encode("latin-1")} if authorization else {}
    answer = await world.http.get("/metrics", headers=headers)  # type: ignore[arg-type]
    assert answer.status_code == 401
    assert "dispute" not in answer.text


async def test_without_a_token_there_is_no_such_page(settings: Settings):
    app = create_app(dataclasses.replace(settings, metrics_token=None))
    assert not [route for route in app.routes if getattr(route, "path", "") == "/metrics"]


async def test_every_figure_says_what_it_tells_and_its_unit(world: Service, uma: Client):
    answer = await world.http.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.headers["content-type"].startswith("text/plain")
    for family in text_string_to_metric_families(answer.text):
        assert family.documentation, family.name
        assert not family.name.endswith(("_ms", "_minutes", "_created")), family.name


async def test_s3_they_tell_for_how_long_the_oldest_dispute_has_waited(world: Service, uma: Client, emil: Client):
    meeting = await held(world, uma, emil)
    for side in ("USER", "EXPERT"):
        await meeting.says(side, THEIRS)
    world.clock.advance(hours=2)
    waited = (await figures_at(world.http)).of("oldest_dispute_age_seconds")
    assert waited >= 7200, "others may have waited for longer"


async def _answered(world: Service, uma: Client) -> None:
    await uma.ask("query Mine { me { id } }")


async def _of_a_fragment(world: Service, uma: Client) -> None:
    await uma.ask(
        "query { ...A ... on Query { mine: me { id } } } fragment A on Query { ...B } fragment B on Query { me { id } }"
    )


async def _of_several(world: Service, uma: Client) -> None:
    await uma.ask("{ me { id } creditAccount { available } }")


async def _refused_by_a_rule(world: Service, uma: Client) -> None:
    await uma.act("cancelMeeting", meetingId="nonsense")


async def _wrong_argument(world: Service, uma: Client) -> None:
    await uma.errors("{ meetings(first: 0) { edges { cursor } } }")


async def _invalid(world: Service, uma: Client) -> None:
    await uma.errors("{ nonsense }")


async def _no_token(world: Service, uma: Client) -> None:
    await world.http.post("/graphql", json={"query": "{ me { id } }"})


async def _subscription(world: Service, uma: Client) -> None:
    async with uma.listening(BALANCES):
        pass


async def _subscription_of_nothing(world: Service, uma: Client) -> None:
    async with uma.socket() as socket:
        await socket.send(subscribe('subscription { meetingUpdates(meetingId: "nonsense") { cursor } }'))
        assert (await socket.receive())["type"] == "error"


@pytest.mark.parametrize(
    ("ask", "kind", "field", "outcome"),
    [
        (_answered, "query", "me", "OK"),
        (_of_a_fragment, "query", "me", "OK"),
        (_of_several, "query", "several", "OK"),
        (_refused_by_a_rule, "mutation", "cancelMeeting", "NotFound"),
        (_wrong_argument, "query", "meetings", "BAD_USER_INPUT"),
        (_invalid, "none", "none", "GRAPHQL_VALIDATION_FAILED"),
        (_no_token, "none", "none", "UNAUTHENTICATED"),
        (_subscription, "subscription", "creditAccountUpdates", "OK"),
        (_subscription_of_nothing, "subscription", "meetingUpdates", "NOT_FOUND"),
    ],
)
async def test_a_request_is_counted_by_what_it_asks_the_root_for_and_by_its_outcome(
    world: Service,
    uma: Client,
    ask: Callable[[Service, Client], Awaitable[None]],
    kind: str,
    field: str,
    outcome: str,
):
    before = await figures_at(world.http)
    await ask(world, uma)
    after = await figures_at(world.http)
    labels = {"kind": kind, "field": field}
    assert (
        after.of("requests_total", outcome=outcome, **labels)
        == before.of("requests_total", outcome=outcome, **labels) + 1
    )
    timed = 0 if kind == "none" else 1
    assert after.of("request_seconds_count", **labels) == before.of("request_seconds_count", **labels) + timed


async def test_clients_make_no_figures_of_their_own(world: Service, uma: Client):
    others = (await figures_at(world.http)).of("socket_closes_total", code="other")
    await uma.ask("query TheirOwnName { theirAlias: me { id } }")
    async with raw_socket(world) as socket:
        await socket.connection.close(4242)
    told = await until(world, "socket_closes_total", others + 1, code="other")
    shown = str(list(told.values))
    for theirs in ("TheirOwnName", "theirAlias", "4242"):
        assert theirs not in shown


async def test_sockets_subscriptions_pushes_and_closes_are_counted(world: Service, uma: Client, stella: Client):
    field = "creditAccountUpdates"
    before = await figures_at(world.http)
    closes = before.of("socket_closes_total", code="1000")
    async with uma.listening(BALANCES) as socket:
        await socket.next()
        during = await figures_at(world.http)
        assert during.of("sockets_open") == before.of("sockets_open") + 1
        assert during.of("subscriptions_open", field=field) == 1
        await stella.act(GRANT, personId=uma.id, amount="1.00")
        await socket.next()
        await until(world, "pushes_total", before.of("pushes_total", field=field) + 2, field=field)
    after = await until(world, "socket_closes_total", closes + 1, code="1000")
    assert after.of("sockets_open") == before.of("sockets_open")
    assert after.of("subscriptions_open", field=field) == 0
    assert after.of("messages_published_total") > before.of("messages_published_total")


async def test_what_we_close_is_counted_by_its_code(world: Service, uma: Client):
    closes = (await figures_at(world.http)).of("socket_closes_total", code="4400")
    async with raw_socket(world) as socket:
        await socket.send(init(uma))
        await socket.send("nonsense")
        assert await socket.closed() == 4400
    await until(world, "socket_closes_total", closes + 1, code="4400")


async def test_what_was_missed_is_counted_as_a_replay(world: Service, uma: Client, emil: Client):
    updates = "subscription ($after: String) { myMeetingUpdates(after: $after) { cursor } }"
    async with uma.listening(updates, after=None) as socket:
        await uma.proposed(emil)
        cursor = (await socket.next())["myMeetingUpdates"]["cursor"]
    replays = (await figures_at(world.http)).of("replays_total")
    async with uma.listening(updates, after=cursor) as socket:
        await socket.next()
    assert (await figures_at(world.http)).of("replays_total") == replays + 1


async def test_connections_at_work_are_told(world: Service, uma: Client):
    before = (await figures_at(world.http)).of("database_connections_in_use")
    async with transaction():
        await Person.get(id=row_id("Person", uma.id))
        assert (await figures_at(world.http)).of("database_connections_in_use") == before + 1
    assert (await figures_at(world.http)).of("database_connections_in_use") == before


async def test_a_push_is_counted_for_each_client_and_timed_once_for_all_who_share_it(
    world: Service, uma: Client, emil: Client
):
    def told(figures: Figures, name: str) -> float:
        return figures.of(name, field="myMeetingUpdates")

    before = await figures_at(world.http)
    async with uma.listening(UPDATES) as first, uma.listening(UPDATES) as second:
        await uma.proposed(emil)
        for socket in (first, second):
            for _ in range(2):
                await socket.next()
        after = await figures_at(world.http)
    assert told(after, "subscriptions_open") == told(before, "subscriptions_open") + 2
    assert told(after, "pushes_total") == told(before, "pushes_total") + 4
    assert told(after, "push_seconds_count") == told(before, "push_seconds_count") + 2


def test_a_push_that_was_told_of_by_a_clock_ahead_of_ours_took_no_time():
    measuring.brought("ofATest", -1.0)
    assert measuring.figures().get_sample_value("push_seconds_bucket", {"field": "ofATest", "le": "0.001"}) == 1


async def test_while_the_database_is_away_the_other_figures_are_told(settings: Settings):
    port = free_port()
    with temporary_folder() as folder, Postgres(folder) as postgres:
        async with (
            web_process(dataclasses.replace(settings, database_url=postgres.url), port, METRICS_TOKEN=TOKEN),
            httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=WAIT_AT_MOST_SECONDS) as http,
        ):
            postgres.kill()
            told = await figures_at(http)
            assert told.of("web_processes") == 1
            assert told.labels("database_answers") == [{}]
            assert told.of("database_answers") == 0
            assert not told.labels("oldest_dispute_age_seconds")
