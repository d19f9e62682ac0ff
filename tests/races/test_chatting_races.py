"""Chats opened, written in and read by both at the same instant (H1-H3)."""

import asyncio
from itertools import permutations

import asyncpg
import pytest

from models import Chat, ChatMessage, Notification
from schema.ids import row_id
from tests.driving import WAIT_AT_MOST_SECONDS, Client, Service
from tests.invariants import check_invariants
from tests.races import ROUNDS, all_at_once

MESSAGES = """query($id: ID!) { chat(id: $id) { unread messages(first: 100) { edges { node {
  id text author { id }
} } } } }"""
WRITTEN = "subscription($id: ID!) { chatMessageSent(chatId: $id) { cursor chatMessage { id } } }"


@pytest.fixture
async def anna(world: Service) -> Client:
    return await world.expert("Anna", price="0.00")


@pytest.fixture
async def bert(world: Service) -> Client:
    return await world.expert("Bert", price="0.00")


async def unread_by_hand(client: Client, chat: str) -> int:
    """What the other wrote after whatever this person has read, counted anew."""
    row, who = await Chat.get(id=row_id("Chat", chat)), row_id("Person", client.id)
    mark = row.lower_has_read if row.lower_id == who else row.higher_has_read
    messages = ChatMessage.filter(chat_id=row.id, sequence__gt=mark).exclude(author_id=who)
    return await messages.count()


async def untold(client: Client, chat: str) -> int:
    """How many unread notifications of this chat somebody has."""
    person, row = row_id("Person", client.id), row_id("Chat", chat)
    return await Notification.filter(person_id=person, chat_id=row, read_at=None).count()


@pytest.mark.parametrize("round_", range(ROUNDS))
async def test_h1_whoever_opens_the_chat_and_however_many_at_once_it_is_one(anna: Client, bert: Client, round_: int):
    """From meetings in which each of the two was the user."""
    meetings = [(await anna.proposed(bert))["id"], (await bert.proposed(anna))["id"]]
    results = await all_at_once(
        *(client.act("openChat", meetingId=each) for client in (anna, bert) for each in meetings for _ in range(2))
    )
    assert {result["__typename"] for result in results} == {"ChatOpened"}
    assert len({result["chat"]["id"] for result in results}) == 1


@pytest.mark.parametrize("round_", range(ROUNDS))
async def test_i1_a_message_sent_with_one_key_many_times_at_once_is_written_once(
    anna: Client, bert: Client, round_: int
):
    chat = await anna.chat_with(bert)
    given = {"chatId": chat, "text": "Hello", "idempotencyKey": "once"}
    results = await all_at_once(*(anna.act("sendChatMessage", **given) for _ in range(5)))
    assert all(result == results[0] for result in results)
    assert results[0]["chatMessage"]["text"] == "Hello"
    assert (await bert.unread(chat), await untold(bert, chat)) == (1, 1)


@pytest.mark.parametrize("round_", range(ROUNDS))
async def test_h2_many_write_and_read_on_both_sides_at_once_and_every_count_is_right(
    world: Service, anna: Client, bert: Client, round_: int
):
    """Whatever came first; and both are shown all of it live, in the order in which it stands, each once."""
    chat = await anna.chat_with(bert)
    both = (anna, bert)
    async with anna.listening(WRITTEN, id=chat) as hers, bert.listening(WRITTEN, id=chat) as his:
        results = await all_at_once(
            *(client.act("sendChatMessage", chatId=chat, text=f"{n}") for client in both for n in range(4)),
            *(client.act("markChatRead", chatId=chat) for client in both for _ in range(2)),
            *(client.act("markNotificationsRead") for client in both),
            *(client.ask(MESSAGES, id=chat) for client in both),
        )
        assert not [result for result in results if "message" in result]
        await check_invariants()
        shown = [(await client.ask(MESSAGES, id=chat))["chat"] for client in both]
        order = [edge["node"]["id"] for edge in reversed(shown[0]["messages"]["edges"])]
        assert shown[0]["messages"] == shown[1]["messages"]
        assert set(order) == {each["chatMessage"]["id"] for each in results if "chatMessage" in each}
        for client, seen, socket in zip(both, shown, (hers, his), strict=True):
            assert seen["unread"] == await unread_by_hand(client, chat)
            assert await untold(client, chat) <= min(1, seen["unread"])
            pushed = [(await socket.next())["chatMessageSent"] for _ in order]
            assert [each["chatMessage"]["id"] for each in pushed] == order
            assert len({each["cursor"] for each in pushed}) == len(order)
            assert await socket.silent()


@pytest.mark.parametrize("round_", range(ROUNDS))
async def test_h2_a_chat_marked_read_while_the_other_writes_is_read_up_to_that_instant(
    anna: Client, bert: Client, round_: int
):
    """What was written before one asks is read; what is written after one was answered is not."""
    chat = await anna.chat_with(bert)
    begun = answered = 0

    async def write() -> None:
        nonlocal begun, answered
        for _ in range(6):
            begun += 1
            await anna.write(chat)
            answered += 1

    writing = asyncio.create_task(write())
    for _ in range(round_ % 4):
        await anna.ask("{ me { id } }")
    before = answered
    shown = (await bert.act("markChatRead", chatId=chat))["chat"]["unread"]
    after = begun
    await writing
    left = await bert.unread(chat)
    assert before <= 6 - left <= after
    assert shown <= left
    assert await untold(bert, chat) == (1 if left else 0)


@pytest.mark.parametrize("round_", range(ROUNDS))
async def test_h2_one_unread_notification_is_left_at_most_and_one_if_it_was_written_later(
    anna: Client, bert: Client, round_: int
):
    chat = await anna.chat_with(bert)
    await anna.write(chat)
    await all_at_once(
        *(anna.act("sendChatMessage", chatId=chat, text="Hello") for _ in range(3)),
        *(bert.act("markNotificationsRead") for _ in range(2)),
    )
    assert await untold(bert, chat) <= 1
    await anna.write(chat)
    assert await untold(bert, chat) == 1


@pytest.mark.parametrize("round_", range(max(1, ROUNDS // 5)))
async def test_many_people_in_many_chats_deadlock_nobody(world: Service, round_: int):
    """Each with each: their rows are wanted in every order, by chats, proposals and answers at the same time."""
    people = [await world.expert(f"Person {number}", price="0.00") for number in range(4)]
    actions = []
    for user, expert in permutations(people, 2):
        chat, meeting = await user.chat_with(expert), (await user.proposed(expert))["id"]
        actions += [
            user.act("sendChatMessage", chatId=chat, text="Hello"),
            user.act("markChatRead", chatId=chat),
            user.act("openChat", meetingId=meeting),
            user.act("proposeMeetingToUser", **offer(world, user, chat)),
            expert.act("approveMeeting", meetingId=meeting, acknowledgeConflicts=True),
        ]
    results = await all_at_once(*actions)
    assert not [result for result in results if "message" in result]


async def test_nobody_waits_for_a_chat_that_is_not_theirs_or_keeps_others_waiting(
    world: Service, anna: Client, bert: Client, database_url: str
):
    """Whoever has locked it: a stranger is answered as if it were not there."""
    chat = await anna.chat_with(bert)
    stranger = await world.somebody("Sam Stranger")
    connection = await asyncpg.connect(database_url)
    try:
        async with connection.transaction():
            await connection.execute("SELECT FROM chat WHERE id = $1 FOR UPDATE", row_id("Chat", chat))
            for action, given in (("sendChatMessage", {"text": "Hello"}), ("markChatRead", {})):
                async with asyncio.timeout(WAIT_AT_MOST_SECONDS):
                    result = await stranger.act(action, chatId=chat, **given)
                assert result["__typename"] == "NotFound"
    finally:
        await connection.close()


def offer(world: Service, expert: Client, chat: str) -> dict[str, object]:
    terms = {"startsAt": world.at(days=2), "durationMinutes": 25, "price": "0.00"}
    return {"chatId": chat, "serviceId": expert.service, "skillId": expert.skill, **terms}
