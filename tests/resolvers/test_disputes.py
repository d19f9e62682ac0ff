"""What was referred to Expertim: listed for staff, oldest first, and told them live, once and in order (S3, W2)."""

from datetime import timedelta
from typing import Any

import pytest

import live.feeds
from resolvers.cursors import encode_cursor
from resolvers.disputes import oldest_dispute_age
from resolvers.watching import DISPUTE_UPDATES
from schema.ids import row_id
from tests.driving import Client, Service, all_edges
from tests.settlements import EXPERTIMS, Held, held, held_together

DISPUTES = """query($first: Int, $after: String) { disputes(first: $first, after: $after) {
  edges { cursor node { id } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
} }"""
UPDATES = """subscription($after: String) { disputeUpdates(after: $after) {
  cursor event { kind person { id } note } meeting { id settlement { referred outcome } }
} }"""


async def listed(staff: Client, first: int = 100) -> list[str]:
    async def read(after: str | None) -> dict[str, Any]:
        return (await staff.ask(DISPUTES, first=first, after=after))["disputes"]

    return [edge["node"]["id"] for edge in await all_edges(read, first=first)]


async def pushed(socket: Any) -> tuple[str, str, str]:
    """The cursor, the event and the meeting of the next update."""
    update = (await socket.next())["disputeUpdates"]
    return update["cursor"], update["event"]["kind"], update["meeting"]["id"]


async def referred(world: Service, user: Client, expert: Client, number: int) -> list[Held]:
    meetings = await held_together(world, user, expert, number)
    for each in meetings:
        world.clock.advance(minutes=1)
        await each.refer()
    return meetings


@pytest.fixture
async def stella(stella: Client) -> Client:
    """Staff, for whom nothing of other tests is left to decide."""
    while left := await listed(stella):
        for each in left:
            await stella.act("decideSettlement", meetingId=each, outcome="PAY_EXPERT", note="Out of the way.")
    return stella


@pytest.fixture
async def rich(world: Service) -> Client:
    return await world.somebody("Rita Rich", credits="10000.00")


async def test_s3_staff_see_what_waits_for_them_oldest_first_in_pages(
    world: Service, rich: Client, emil: Client, stella: Client
):
    meetings = await referred(world, rich, emil, 5)
    ids = [each.id for each in meetings]
    for first in (1, 2, 100):
        assert await listed(stella, first) == ids
    await meetings[2].decide(stella)
    assert await listed(stella, 2) == [*ids[:2], *ids[3:]]


async def test_s3_pages_are_stable_while_disputes_come_and_go(
    world: Service, rich: Client, emil: Client, stella: Client
):
    meetings = await referred(world, rich, emil, 4)
    page = (await stella.ask(DISPUTES, first=2))["disputes"]
    await meetings[1].decide(stella)  # the one that the cursor is of
    (new,) = await referred(world, rich, emil, 1)
    rest = (await stella.ask(DISPUTES, first=100, after=page["pageInfo"]["endCursor"]))["disputes"]
    assert [edge["node"]["id"] for edge in rest["edges"]] == [meetings[2].id, meetings[3].id, new.id]


async def test_s3_nobody_else_is_shown_any(world: Service, uma: Client, emil: Client):
    await (await held(world, uma, emil)).refer()
    for who in (uma, emil):
        (error,) = await who.errors(DISPUTES)
        assert error["extensions"]["code"] == "FORBIDDEN"
        async with who.socket() as socket:
            await socket.send({"id": "1", "type": "subscribe", "payload": {"query": UPDATES}})
            message = await socket.receive()
            assert message["type"] == "error"
            assert message["payload"][0]["extensions"]["code"] == "FORBIDDEN"


async def test_a_cursor_of_another_list_or_person_is_refused(
    world: Service, rich: Client, emil: Client, stella: Client
):
    await referred(world, rich, emil, 1)
    other = await world.somebody("Otto Other Staff", roles=["staff"])
    cursor = (await stella.ask(DISPUTES))["disputes"]["edges"][0]["cursor"]
    for who, query, after in ((other, DISPUTES, cursor), (stella, DISPUTES, "x"), (stella, DISPUTES, cursor + "A")):
        (error,) = await who.errors(query, after=after)
        assert error["extensions"]["code"] == "BAD_USER_INPUT"
    not_reached = encode_cursor(DISPUTE_UPDATES, row_id("Person", stella.id), 10**9)
    for after in (cursor, not_reached):
        async with stella.socket() as socket:
            payload = {"query": UPDATES, "variables": {"after": after}}
            await socket.send({"id": "1", "type": "subscribe", "payload": payload})
            message = await socket.receive()
            assert message["payload"][0]["extensions"]["code"] == "BAD_USER_INPUT"


async def test_s3_w1_staff_are_told_live_what_is_referred_and_decided_by_people_and_by_time(
    world: Service, rich: Client, emil: Client, stella: Client
):
    await world.beat()
    waiting, first = await held_together(world, rich, emil, 2)
    await waiting.says("USER", EXPERTIMS)
    async with stella.listening(UPDATES) as socket:
        await first.refer()
        assert (await pushed(socket))[1:] == ("REFERRED_TO_EXPERTIM", first.id)
        await first.decide(stella, note="So.")
        update = (await socket.next())["disputeUpdates"]
        assert update["event"] == {"kind": "DECIDED_BY_EXPERTIM", "person": {"id": stella.id}, "note": "So."}
        assert update["meeting"]["settlement"] == {"referred": False, "outcome": "PAY_EXPERT"}
        await waiting.wait()
        assert (await pushed(socket))[1:] == ("REFERRED_TO_EXPERTIM", waiting.id)
        assert await socket.silent()


async def test_w2_who_was_away_gets_what_they_missed_once_and_in_order(
    world: Service, rich: Client, emil: Client, stella: Client
):
    meetings = await held_together(world, rich, emil, 4)
    async with stella.listening(UPDATES) as socket:
        await meetings[0].refer()
        last, *_ = await pushed(socket)
    await meetings[1].refer()
    await meetings[0].decide(stella)
    async with stella.listening(UPDATES, after=last) as socket:
        await meetings[2].refer()
        told = [(await pushed(socket))[1:] for _ in range(3)]
        assert told == [
            ("REFERRED_TO_EXPERTIM", meetings[1].id),
            ("DECIDED_BY_EXPERTIM", meetings[0].id),
            ("REFERRED_TO_EXPERTIM", meetings[2].id),
        ]
        assert await socket.silent()
    async with stella.listening(UPDATES) as socket:
        assert await socket.silent(), "from now on"


async def test_w2_what_no_message_told_is_found_at_the_next_heartbeat(
    world: Service, rich: Client, emil: Client, stella: Client, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(live.feeds, "HEARTBEAT_SECONDS", 0.05)
    monkeypatch.setattr("resolvers.action.STAFF_CHANNEL", "nobody listens here")
    meeting = await held(world, rich, emil)
    async with stella.listening(UPDATES) as socket:
        await meeting.refer()
        assert (await pushed(socket))[1:] == ("REFERRED_TO_EXPERTIM", meeting.id)


async def test_s3_the_age_of_the_oldest_undecided_one_is_known(
    world: Service, rich: Client, emil: Client, stella: Client
):
    assert await oldest_dispute_age() is None
    first, second = await held_together(world, rich, emil, 2)
    await first.refer()
    world.clock.advance(hours=1)
    await second.refer()
    world.clock.advance(hours=2)
    assert await oldest_dispute_age() == timedelta(hours=3)
    await first.decide(stella)
    assert await oldest_dispute_age() == timedelta(hours=2)
