"""What is written in a chat, shown to both the moment it commits (H2, W1, W3)."""

import asyncio
from contextlib import AsyncExitStack, ExitStack, aclosing
from typing import Any

import pytest

import live.feeds
from live.feeds import MOST_WAITING
from schema.ids import row_id
from servers.redis import Redis
from tests.driving import Client, Service, Socket

WRITTEN = """subscription($id: ID!) { chatMessageSent(chatId: $id) {
  cursor chatMessage { id text sentAt author { id name } chat { id unread people { id } } }
} }"""
TOLD = "subscription { notificationReceived { notification { kind chat { id unread } } } }"


@pytest.fixture
async def frieda(world: Service) -> Client:
    """An expert who takes nothing, so that there may be many meetings with her."""
    return await world.expert("Frieda Free", price="0.00")


@pytest.fixture
async def chat(uma: Client, frieda: Client) -> str:
    """The chat of Uma and Frieda."""
    return await uma.chat_with(frieda)


@pytest.fixture
def quick_heartbeat(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live.feeds, "HEARTBEAT_SECONDS", 0.05)
    monkeypatch.setattr(live.feeds, "HEARTBEAT_WITHOUT_REDIS_SECONDS", 0.05)


async def shown(socket: Socket, key: str = "1") -> dict[str, Any]:
    """The message that is pushed next."""
    message: dict[str, Any] = (await socket.next(key))["chatMessageSent"]["chatMessage"]
    return message


async def test_w1_a_message_is_pushed_whole_to_both_and_each_sees_their_own_count(
    world: Service, uma: Client, frieda: Client, chat: str
):
    async with uma.listening(WRITTEN, id=chat) as hers, frieda.listening(WRITTEN, id=chat) as theirs:
        world.clock.advance(minutes=1)
        sent = await uma.write(chat, "Hi 💥\nthere")
        for viewer, socket, unread in ((uma, hers, 0), (frieda, theirs, 1)):
            message = await shown(socket)
            assert {person["id"] for person in message["chat"].pop("people")} == {uma.id, frieda.id}
            assert message == {
                "id": sent["id"],
                "text": "Hi 💥\nthere",
                "sentAt": world.clock.time.isoformat(),
                "author": {"id": uma.id, "name": "Uma User"},
                "chat": {"id": chat, "unread": unread},
            }, viewer.sub
            assert await socket.silent()


async def test_w2_messages_come_in_order_each_once_to_every_window_of_both(uma: Client, frieda: Client, chat: str):
    async with AsyncExitStack() as stack:
        sockets = [
            await stack.enter_async_context(client.listening(WRITTEN, id=chat)) for client in (uma, uma, frieda, frieda)
        ]
        for number in range(20):
            await (uma, frieda)[number % 3 == 0].write(chat, str(number))
        for socket in sockets:
            assert [(await shown(socket))["text"] for _ in range(20)] == [str(number) for number in range(20)]
            assert await socket.silent()


async def test_w3_a_subscription_to_one_chat_is_pushed_nothing_of_another(
    world: Service, uma: Client, frieda: Client, chat: str
):
    """Both of whom are the same person's; and reading or opening is no message."""
    otto = await world.expert("Otto Other", price="0.00")
    others = await uma.chat_with(otto)
    async with uma.listening(WRITTEN, id=chat) as ours:
        await ours.subscribe(WRITTEN, "others", id=others)
        await otto.write(others, "from Otto")
        assert (await shown(ours, "others"))["text"] == "from Otto"
        await uma.act("markChatRead", chatId=others)
        await uma.chat_with(frieda)
        await frieda.write(chat, "from Frieda")
        assert (await shown(ours, "1"))["text"] == "from Frieda"
        assert await ours.silent()


async def test_h2_the_other_is_told_of_the_first_message_and_not_of_each(uma: Client, frieda: Client, chat: str):
    async with frieda.listening(TOLD) as theirs, uma.listening(TOLD) as hers:
        for _ in range(3):
            await uma.write(chat)
        told = (await theirs.next())["notificationReceived"]["notification"]
        assert (told["kind"], told["chat"]["id"]) == ("CHAT_MESSAGE", chat)
        assert await theirs.silent()
        await frieda.act("markChatRead", chatId=chat)
        await uma.write(chat)
        told = (await theirs.next())["notificationReceived"]["notification"]
        assert told == {"kind": "CHAT_MESSAGE", "chat": {"id": chat, "unread": 1}}
        assert await theirs.silent()
        assert await hers.silent()


@pytest.mark.usefixtures("quick_heartbeat")
async def test_w2_messages_come_while_redis_is_away_and_after_it_is_back(
    world: Service, uma: Client, frieda: Client, chat: str, redis_server: Redis
):
    async with frieda.listening(WRITTEN, id=chat) as theirs:
        with ExitStack() as back:
            redis_server.kill()
            back.callback(redis_server.start)
            for number in range(3):
                await uma.write(chat, str(number))
            assert [(await shown(theirs))["text"] for _ in range(3)] == ["0", "1", "2"]
        async with asyncio.timeout(10):
            while world.app.state.feeds._broadcast.lost.is_set():  # noqa: ASYNC110 - the event tells of the opposite
                await asyncio.sleep(0.01)
        await uma.write(chat, "3")
        assert (await shown(theirs))["text"] == "3"
        assert await theirs.silent()


async def test_w2_whoever_was_kept_waiting_is_shown_what_was_written_meanwhile_from_the_database(
    world: Service, uma: Client, frieda: Client, chat: str
):
    """More than waits for one follower at once."""
    person = row_id("Person", frieda.id)
    async with aclosing(await world.app.state.feeds.follow(person)) as feed:
        for number in range(MOST_WAITING + 5):
            await uma.write(chat, str(number))
        found: list[str] = []
        async with asyncio.timeout(20):
            while len(found) < MOST_WAITING + 5:
                if message := (await anext(feed)).message:
                    found.append(message.text)
    assert found == [str(number) for number in range(MOST_WAITING + 5)]
