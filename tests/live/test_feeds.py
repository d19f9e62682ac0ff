"""Feeds: each entry once, in order, to those it concerns and nobody else, whatever Redis does (W1-W3)."""

import asyncio
import json
from contextlib import ExitStack, aclosing
from typing import Any
from uuid import UUID

import pytest
from redis.asyncio import Redis as RedisClient

import live.feeds
from live.feeds import MOST_WAITING, Follower
from live.messages import News, Profile, decode, encode, person_channel
from live.publisher import Publisher
from live.reading import feed_head, read_feed
from models import ChatMessage, Meeting, Notification, TimelineEvent
from models.feeds import FeedEntryKind
from models.ids import uuid7
from models.transactions import before_each_statement
from schema.ids import row_id
from servers.redis import Redis
from tests.driving import Client, Service, Socket

UPDATES = "subscription { myMeetingUpdates { event { sequence kind meeting { id } } meeting { id status } } }"
ONE_MEETING = (
    "subscription ($id: ID!) { meetingUpdates(meetingId: $id) { event { sequence kind } meeting { status } } }"
)
BALANCES = "subscription { creditAccountUpdates { available blocked } }"
NOTIFICATIONS = "subscription { notificationReceived { notification { kind } } }"
MESSAGES = "subscription ($id: ID!) { chatMessageSent(chatId: $id) { chatMessage { text } } }"


@pytest.fixture
def quick_heartbeat(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live.feeds, "HEARTBEAT_SECONDS", 0.05)
    monkeypatch.setattr(live.feeds, "HEARTBEAT_WITHOUT_REDIS_SECONDS", 0.05)


@pytest.fixture
def no_heartbeat(monkeypatch: pytest.MonkeyPatch) -> None:
    async def find_nothing(person_ids: object) -> dict[UUID, int]:
        return {}

    monkeypatch.setattr(live.feeds, "feed_heads", find_nothing)


async def events(socket: Socket, number: int) -> list[tuple[int, str]]:
    found = [(await socket.next())["myMeetingUpdates"]["event"] for _ in range(number)]
    return [(event["sequence"], event["kind"]) for event in found]


def person_id(client: Client) -> UUID:
    return row_id("Person", client.id)


async def test_w3_nobody_receives_anything_of_a_meeting_that_is_not_theirs(world: Service, uma: Client, emil: Client):
    stranger = await world.expert("Stan Stranger")
    async with stranger.listening(UPDATES) as his, emil.listening(UPDATES) as emils:
        meeting = await uma.proposed(emil)
        await emil.act("approveMeeting", meetingId=meeting["id"])
        await events(emils, 3)
        assert await his.silent()
        for unknown in (meeting["id"], emil.id, "nonsense"):
            await his.subscribe(ONE_MEETING, key=f"of {unknown}", id=unknown)
            refused = await his.receive()
            assert (refused["type"], refused["id"]) == ("error", f"of {unknown}")
            assert refused["payload"][0]["extensions"]["code"] == "NOT_FOUND"


async def test_w1_t_staff_can_watch_any_meeting_but_have_no_feed_of_other_peoples(
    world: Service, uma: Client, emil: Client, stella: Client
):
    meeting, another = await uma.proposed(emil), await uma.proposed(emil, startsAt=world.at(days=2))
    async with stella.listening(ONE_MEETING, id=meeting["id"]) as watching, stella.listening(UPDATES) as own:
        await emil.act("rejectMeeting", meetingId=another["id"], reasonCode="OTHER")
        await emil.act("approveMeeting", meetingId=meeting["id"])
        update = (await watching.next())["meetingUpdates"]
        assert update == {"event": {"sequence": 3, "kind": "EXPERT_APPROVED"}, "meeting": {"status": "AGREED"}}
        assert await own.silent()


@pytest.mark.usefixtures("no_heartbeat")
async def test_w1_news_travel_through_redis_and_need_no_heartbeat(world: Service, uma: Client, emil: Client):
    async with uma.listening(UPDATES) as hers, emil.listening(UPDATES) as his, uma.listening(BALANCES) as purse:
        await purse.next()
        await uma.proposed(emil)
        for socket in (hers, his):
            assert await events(socket, 2) == [(1, "MEETING_PROPOSED"), (2, "USER_APPROVED")]
        assert (await purse.next())["creditAccountUpdates"] == {"available": "60.00", "blocked": "40.00"}


async def test_w3_whose_a_meeting_is_is_asked_for_every_push_whatever_a_feed_says(
    world: Service, uma: Client, emil: Client, redis_server: Redis
):
    stranger = await world.somebody("Stan Stranger")
    meeting = await uma.proposed(emil)
    event = await TimelineEvent.get(meeting_id=row_id("Meeting", meeting["id"]), sequence=1)
    row = await Meeting.get(id=event.meeting_id)
    misdirected = News(FeedEntryKind.TIMELINE_EVENT, event.id, event=event, meeting=row)
    head = await feed_head(person_id(stranger))
    async with stranger.listening(UPDATES) as his, RedisClient.from_url(redis_server.url) as redis:
        async with aclosing(await world.app.state.feeds.follow(person_id(stranger))) as follower:
            await redis.publish(person_channel(person_id(stranger)), encode(head + 1, [misdirected]))
            async with asyncio.timeout(5):
                assert content(await anext(follower)) == content(misdirected), "it has arrived in the feed"
        assert await his.silent()


async def test_w3_whose_a_notification_or_a_message_is_is_asked_for_every_push_too(
    world: Service, uma: Client, emil: Client, redis_server: Redis
):
    stranger = await world.somebody("Stan Stranger", credits="40.00")
    own = (await stranger.proposed(emil, startsAt=world.at(days=3)))["id"]
    chat = (await stranger.act("openChat", meetingId=own))["chat"]["id"]
    others = (await uma.act("openChat", meetingId=(await uma.proposed(emil))["id"]))["chat"]["id"]
    await uma.act("sendChatMessage", chatId=others, text="Between us")
    notification = await Notification.filter(person_id=person_id(emil)).first()
    message = await ChatMessage.get(chat_id=row_id("Chat", others))
    assert notification is not None
    misdirected = [
        News(FeedEntryKind.NOTIFICATION, notification.id, notification=notification),
        News(FeedEntryKind.CHAT_MESSAGE, message.id, message=message),
    ]
    head = await feed_head(person_id(stranger))
    async with stranger.listening(NOTIFICATIONS) as told, stranger.listening(MESSAGES, id=chat) as written:
        async with aclosing(await world.app.state.feeds.follow(person_id(stranger))) as follower, asyncio.timeout(5):
            async with RedisClient.from_url(redis_server.url) as redis:
                await redis.publish(person_channel(person_id(stranger)), encode(head + 1, misdirected))
            assert [(await anext(follower)).ref for _ in misdirected] == [notification.id, message.id], "it has arrived"
        assert await told.silent()
        assert await written.silent()


async def test_each_push_is_in_the_language_one_is_spoken_to_in_now(world: Service, uma: Client, emil: Client):
    async with uma.listening("subscription { myMeetingUpdates { event { label } } }") as hers:
        await uma.proposed(emil)
        (english, _) = [(await hers.next())["myMeetingUpdates"]["event"]["label"] for _ in range(2)]
        await uma.act("updateProfile", language="DE")
        await uma.proposed(emil, startsAt=world.at(days=2))
        german = (await hers.next())["myMeetingUpdates"]["event"]["label"]
        assert german != english


async def test_w1_one_meetings_updates_are_of_that_meeting_and_from_now_on(world: Service, uma: Client, emil: Client):
    meeting, another = await uma.proposed(emil), await uma.proposed(emil, startsAt=world.at(days=2))
    async with uma.listening(ONE_MEETING, id=meeting["id"]) as hers:
        assert await hers.silent()
        await emil.act("approveMeeting", meetingId=another["id"])
        await emil.act("approveMeeting", meetingId=meeting["id"])
        assert (await hers.next())["meetingUpdates"]["event"]["sequence"] == 3
        assert await hers.silent()


async def test_w1_a_refused_action_pushes_nothing(world: Service, uma: Client, emil: Client):
    meeting = await uma.proposed(emil)
    async with uma.listening(UPDATES) as hers, emil.listening(UPDATES) as his:
        assert (await uma.act("approveMeeting", meetingId=meeting["id"]))["__typename"] == "ActionRefused"
        assert (await emil.act("rejectMeeting", meetingId=meeting["id"], reasonCode="?"))[
            "__typename"
        ] == "InvalidInput"
        await emil.act("rejectMeeting", meetingId=meeting["id"], reasonCode="OTHER")
        for socket in (hers, his):
            assert await events(socket, 1) == [(3, "REJECTED_BY_EXPERT")]


async def test_each_push_shows_what_is_around_it_as_it_is_now(world: Service, uma: Client, emil: Client):
    async with emil.listening("subscription { myMeetingUpdates { meeting { user { name } } } }") as his:
        meeting = await uma.proposed(emil)
        names = [(await his.next())["myMeetingUpdates"]["meeting"]["user"]["name"] for _ in range(2)]
        assert names == ["Uma User"] * 2
        uma.token = world.token(sub=uma.sub, name="Uma Umbenannt")
        await uma.act("cancelMeeting", meetingId=meeting["id"])
        assert (await his.next())["myMeetingUpdates"]["meeting"]["user"]["name"] == "Uma Umbenannt"


async def test_w1_a_grant_is_pushed_to_its_receiver(world: Service, uma: Client, stella: Client):
    async with uma.listening(BALANCES) as purse:
        await purse.next()
        await stella.act("grantCredits", personId=uma.id, amount="0.05")
        assert (await purse.next())["creditAccountUpdates"] == {"available": "100.05", "blocked": "0.00"}


async def test_one_person_has_one_reader_however_many_listen_and_none_when_all_have_left(
    world: Service, uma: Client, emil: Client
):
    feeds = world.app.state.feeds
    before = feeds.connected_people
    async with uma.socket() as first, uma.socket() as second:
        for number in range(3):
            await first.subscribe(UPDATES, key=str(number))
            await second.subscribe(BALANCES, key=str(number))
        assert feeds.connected_people == before + 1
    async with asyncio.timeout(5):
        while feeds.connected_people != before:  # noqa: ASYNC110 - the server's end has no event to tell us
            await asyncio.sleep(0.01)


@pytest.mark.usefixtures("quick_heartbeat")
async def test_w2_w2a_while_redis_is_away_mutations_go_on_and_the_heartbeat_brings_the_news(
    world: Service, uma: Client, emil: Client, redis_server: Redis
):
    async with uma.listening(UPDATES) as hers, emil.listening(UPDATES) as his:
        with ExitStack() as back:
            redis_server.kill()
            back.callback(redis_server.start)
            meeting = await uma.proposed(emil)
            for socket in (hers, his):
                assert await events(socket, 2) == [(1, "MEETING_PROPOSED"), (2, "USER_APPROVED")]
        await emil.act("approveMeeting", meetingId=meeting["id"])
        for socket in (hers, his):
            assert await events(socket, 1) == [(3, "EXPERT_APPROVED")]
            assert await socket.silent()
        async with asyncio.timeout(10):
            while world.app.state.feeds._broadcast.lost.is_set():  # noqa: ASYNC110 - the event tells of the opposite
                await asyncio.sleep(0.01)


@pytest.mark.usefixtures("quick_heartbeat")
async def test_w2_a_message_that_was_never_sent_is_found(
    world: Service, uma: Client, emil: Client, monkeypatch: pytest.MonkeyPatch
):
    async with emil.listening(UPDATES) as his:
        monkeypatch.setattr("live.publisher.Publisher._send", swallow)
        meeting = await uma.proposed(emil)
        assert await events(his, 2) == [(1, "MEETING_PROPOSED"), (2, "USER_APPROVED")]
        monkeypatch.undo()
        await emil.act("approveMeeting", meetingId=meeting["id"])
        assert await events(his, 1) == [(3, "EXPERT_APPROVED")]
        assert await his.silent()


async def swallow(publisher: object, batch: object) -> None:
    """What becomes of messages when Redis dies after it has taken them."""


@pytest.mark.usefixtures("no_heartbeat")
async def test_w2_messages_that_come_twice_late_or_out_of_order_change_nothing(
    world: Service, uma: Client, emil: Client, redis_server: Redis, monkeypatch: pytest.MonkeyPatch
):
    caught: list[tuple[str, bytes | str]] = []

    async def catch(publisher: object, batch: list[tuple[str, bytes | str]]) -> None:
        caught.extend(batch)

    async with emil.listening(UPDATES) as his, RedisClient.from_url(redis_server.url) as redis:
        with monkeypatch.context() as patched:
            patched.setattr("live.publisher.Publisher._send", catch)
            meetings = [await uma.proposed(emil, startsAt=world.at(days=n)) for n in (1, 2)]
            await emil.act("approveMeeting", meetingId=meetings[1]["id"])
        newest_first = caught[::-1]
        await redis.publish(*newest_first[0 if newest_first[0][0] == person_channel(person_id(emil)) else 1])
        expected = [(1, "MEETING_PROPOSED"), (2, "USER_APPROVED")] * 2 + [(3, "EXPERT_APPROVED")]
        assert await events(his, 5) == expected, "the newest alone shows that there is more"
        for channel, message in [*newest_first, *caught]:
            await redis.publish(channel, message)
        await uma.act("cancelMeeting", meetingId=meetings[0]["id"])
        assert await events(his, 1) == [(3, "CANCELLED_BY_USER")]
        assert await his.silent()


async def test_w2_a_message_nobody_can_read_disturbs_nobody(
    world: Service, uma: Client, emil: Client, redis_server: Redis
):
    async with emil.listening(UPDATES) as his, RedisClient.from_url(redis_server.url) as redis:
        for nonsense in (
            b"",
            b"\xff",
            b"[]",
            b"{}",
            b'{"first": 1, "entries": [{}]}',
            b'{"first": "x", "entries": []}',
        ):
            await redis.publish(person_channel(person_id(emil)), nonsense)
        await uma.proposed(emil)
        assert await events(his, 2) == [(1, "MEETING_PROPOSED"), (2, "USER_APPROVED")]


async def test_w2_a_message_from_far_ahead_does_not_make_later_news_look_old(
    world: Service, uma: Client, emil: Client, redis_server: Redis
):
    async with emil.listening(UPDATES) as his, RedisClient.from_url(redis_server.url, socket_timeout=None) as redis:
        head = await feed_head(person_id(emil))
        ahead = encode(head + 1000, [News(FeedEntryKind.NOTIFICATION, uuid7())])
        await redis.publish(person_channel(person_id(emil)), ahead)
        await uma.proposed(emil)
        assert await events(his, 2) == [(1, "MEETING_PROPOSED"), (2, "USER_APPROVED")]


async def test_w2_a_message_from_a_process_with_other_columns_is_read_from_the_database_instead(
    world: Service, uma: Client, emil: Client, monkeypatch: pytest.MonkeyPatch
):
    real = Publisher._send

    async def send_as_an_older_version(publisher: Publisher, batch: list[tuple[str, bytes]]) -> None:
        await real(publisher, [(channel, without(message, "version")) for channel, message in batch])

    async with emil.listening(UPDATES) as his:
        monkeypatch.setattr(Publisher, "_send", send_as_an_older_version)
        meeting = await uma.proposed(emil)
        updates = [(await his.next())["myMeetingUpdates"] for _ in range(2)]
        assert [update["event"]["sequence"] for update in updates] == [1, 2]
        assert {update["meeting"]["id"] for update in updates} == {meeting["id"]}


def without(message: bytes, column: str) -> bytes:
    content = json.loads(message)
    for entry in content["entries"]:
        if entry["meeting"]:
            del entry["meeting"][column]
    return json.dumps(content).encode()


async def test_whoever_follows_a_feed_whose_reader_fails_is_told_and_can_begin_again(
    world: Service, uma: Client, stella: Client, monkeypatch: pytest.MonkeyPatch
):
    def fail(*given: object) -> None:
        raise ZeroDivisionError("on purpose")

    feeds = world.app.state.feeds
    async with aclosing(await feeds.follow(person_id(uma))) as follower, asyncio.timeout(10):
        with monkeypatch.context() as patched:
            patched.setattr(live.feeds._Reader, "_take", fail)
            await stella.act("grantCredits", personId=uma.id, amount="0.01")
            with pytest.raises(RuntimeError, match="nobody reads"):
                await anext(follower)
        async with aclosing(await feeds.follow(person_id(uma))) as again:
            await stella.act("grantCredits", personId=uma.id, amount="0.01")
            assert (await anext(again)).kind is FeedEntryKind.BALANCE


async def test_a_follower_that_is_behind_reads_page_by_page_and_not_entry_by_entry(
    world: Service, uma: Client, stella: Client, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(live.feeds, "MOST_WAITING", 5)
    reads = 0

    async def counted(*given: Any, **options: Any) -> list[tuple[int, News]]:
        nonlocal reads
        reads += 1
        return await read_feed(*given, **options)

    async with aclosing(await world.app.state.feeds.follow(person_id(uma))) as follower, asyncio.timeout(20):
        start = follower.position
        monkeypatch.setattr(live.feeds, "read_feed", counted)
        for _ in range(20):
            await stella.act("grantCredits", personId=uma.id, amount="0.01")
        for position in range(start + 1, start + 21):
            await anext(follower)
            assert follower.position == position
            follower.offer([(start + 100 + position, News(FeedEntryKind.NOTIFICATION, uuid7()))])
    assert reads <= 6


async def test_w2_what_is_read_from_the_database_is_what_the_messages_carried(
    world: Service, uma: Client, emil: Client, monkeypatch: pytest.MonkeyPatch
):
    caught: dict[str, list[tuple[int, News]]] = {}

    async def catch(publisher: object, batch: list[tuple[str, bytes | str]]) -> None:
        for channel, message in batch:
            told = decode(message)
            assert not isinstance(told, Profile)
            first, news = told
            caught.setdefault(channel, []).extend(enumerate(news, start=first))

    before = {client.sub: await feed_head(person_id(client)) for client in (uma, emil)}
    with monkeypatch.context() as patched:
        patched.setattr("live.publisher.Publisher._send", catch)
        await uma.proposed(emil)
        async with asyncio.timeout(5):
            while len(caught) < 2:  # noqa: ASYNC110 - filled by the publisher's own task
                await asyncio.sleep(0.01)
    for client in (uma, emil):
        read = await read_feed(person_id(client), after=before[client.sub], at_most=100)
        sent = caught[person_channel(person_id(client))]
        assert [(position, content(news)) for position, news in read] == [
            (position, content(news)) for position, news in sent
        ]


@pytest.mark.parametrize("number", [1, 2, 3])
async def test_w2_what_is_read_is_as_of_one_instant(world: Service, uma: Client, stella: Client, number: int):
    head = await feed_head(person_id(uma))
    await stella.act("grantCredits", personId=uma.id, amount="1.00")
    statements = 0

    async def grant_another() -> None:
        nonlocal statements
        statements += 1
        if statements == number:
            before_each_statement(None)
            await stella.act("grantCredits", personId=uma.id, amount="1.00")

    before_each_statement(grant_another)
    try:
        read = await read_feed(person_id(uma), after=head, at_most=100)
    finally:
        before_each_statement(None)
    assert {news.available for _, news in read} == {(100 + len(read)) * 100}


def content(news: News) -> tuple[object, ...]:
    carried = (news.event, news.meeting, news.notification, news.message)
    rows = [{name: getattr(row, name) for name in row._meta.db_fields} for row in carried if row]
    return news.kind, news.ref, rows, news.available, news.blocked


async def test_w2_what_is_offered_while_a_follower_catches_up_is_neither_lost_nor_served_too_early(
    world: Service, uma: Client, stella: Client, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(live.feeds, "MOST_WAITING", 3)
    grants = 10

    async def read_while_more_arrives(*given: object, **options: object) -> list[tuple[int, News]]:
        found = await read_feed(*given, **options)  # type: ignore[arg-type]
        await stella.act("grantCredits", personId=uma.id, amount="0.01")
        await offered(another, 1)
        return found

    async with aclosing(await world.app.state.feeds.follow(person_id(uma))) as follower:
        start = follower.position
        for _ in range(grants):
            await stella.act("grantCredits", personId=uma.id, amount="0.01")
        async with aclosing(await world.app.state.feeds.follow(person_id(uma))) as another:
            monkeypatch.setattr(live.feeds, "read_feed", read_while_more_arrives)
            async with asyncio.timeout(10):
                for position in range(start + 1, start + grants + 1):
                    await anext(follower)
                    assert follower.position == position


async def offered(follower: Follower, number: int) -> None:
    """Returns once a follower has been given so many more, and takes them."""
    async with asyncio.timeout(5):
        while len(follower._waiting) < number:  # noqa: ASYNC110 - its own event is for the one that iterates
            await asyncio.sleep(0.001)
    follower._waiting.clear()


async def test_a_follower_that_is_offered_more_than_it_can_hold_reads_the_rest_from_the_database(
    world: Service, uma: Client, stella: Client
):
    number = MOST_WAITING + 5
    async with aclosing(await world.app.state.feeds.follow(person_id(uma))) as follower:
        start = follower.position
        assert start == await feed_head(person_id(uma)), "from now on"
        for _ in range(number):
            await stella.act("grantCredits", personId=uma.id, amount="0.01")
        async with asyncio.timeout(10):
            for position in range(start + 1, start + number + 1):
                news = await anext(follower)
                assert (follower.position, news.kind) == (position, FeedEntryKind.BALANCE)


async def test_a_follower_serves_nothing_twice_even_if_it_is_offered_twice():
    follower = Follower(uuid7())
    entries = [(position, News(FeedEntryKind.NOTIFICATION, uuid7())) for position in (1, 2, 3)]
    follower.offer(entries)
    follower.offer(entries)
    fourth = News(FeedEntryKind.NOTIFICATION, uuid7())
    follower.offer([(4, fourth)])
    assert [await anext(follower) for _ in range(4)] == [*(news for _, news in entries), fourth]


def test_a_message_is_read_as_it_was_written():
    news = [News(FeedEntryKind.BALANCE, uuid7(), available=1, blocked=0), News(FeedEntryKind.NOTIFICATION, uuid7())]
    assert decode(encode(7, news)) == (7, news)
