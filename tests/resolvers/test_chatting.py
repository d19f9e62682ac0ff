"""Chats over the public API: opened, written in, read, proposed from (H1-H3); nobody else learns of one (Q5)."""

from itertools import pairwise
from typing import Any

import pytest

from models import Chat, ChatMessage, Notification
from models.ids import uuid7
from resolvers.cursors import encode_cursor
from schema.ids import global_id, named_by, row_id
from tests.driving import Client, Service, all_edges

PAGE_INFO = "pageInfo { hasNextPage hasPreviousPage startCursor endCursor }"
MESSAGES = f"""query($id: ID!, $first: Int, $after: String) {{ chat(id: $id) {{
  messages(first: $first, after: $after) {{ edges {{ cursor node {{ text author {{ id }} sentAt }} }} {PAGE_INFO} }}
}} }}"""
CHATS = f"""query($first: Int, $after: String) {{
  chats(first: $first, after: $after) {{ edges {{ cursor node {{ id }} }} {PAGE_INFO} }}
}}"""
CHAT_OF = "query($id: ID!) { meeting(id: $id) { chat { id unread people { id } } } }"
NOBODYS = global_id("Chat", uuid7())


@pytest.fixture
async def chat(uma: Client, emil: Client) -> str:
    """The chat of Uma and Emil, with nothing in it."""
    return await uma.chat_with(emil)


async def texts(client: Client, chat: str, **paging: Any) -> list[str]:
    """What was written, newest first."""
    edges = (await client.ask(MESSAGES, id=chat, **paging))["chat"]["messages"]["edges"]
    return [edge["node"]["text"] for edge in edges]


async def chats(client: Client) -> list[str]:
    return [edge["node"]["id"] for edge in (await client.ask(CHATS))["chats"]["edges"]]


async def told(client: Client) -> list[bool]:
    """For each notification of a chat that this person was given, oldest first, whether it has been read."""
    rows = Notification.filter(person_id=row_id("Person", client.id)).exclude(chat_id=None).order_by("id")
    return [row.read_at is not None for row in await rows]


# ── opening (H1) ─────────────────────────────────────────────────────────────────────────────────────────────────


async def test_h1_either_side_opens_the_one_chat_of_the_two(world: Service, uma: Client, emil: Client):
    meeting = (await uma.proposed(emil))["id"]
    opened = await emil.act("openChat", meetingId=meeting)
    assert opened["__typename"] == "ChatOpened"
    assert {person["id"] for person in opened["chat"]["people"]} == {uma.id, emil.id}
    async with world.nothing_changes():
        assert await uma.act("openChat", meetingId=meeting) == opened
        assert await emil.act("openChat", meetingId=meeting) == opened


async def test_h1_there_is_one_chat_whichever_sides_the_two_take(world: Service):
    """Anna and Bert are each other's expert and user."""
    anna, bert = await world.expert("Anna", price="0.00"), await world.expert("Bert", price="0.00")
    assert await anna.chat_with(bert) == await bert.chat_with(anna)
    assert await Chat.filter(lower_id=min(row_id("Person", anna.id), row_id("Person", bert.id))).count() == 1


async def test_h1_a_chat_is_opened_from_a_meeting_whatever_became_of_it(world: Service, uma: Client, emil: Client):
    rejected, cancelled = (await uma.proposed(emil))["id"], (await uma.proposed(emil))["id"]
    await emil.act("rejectMeeting", meetingId=rejected, reasonCode="OTHER")
    await uma.act("cancelMeeting", meetingId=cancelled)
    opened = [await uma.act("openChat", meetingId=each) for each in (rejected, cancelled)]
    assert opened[0] == opened[1]
    assert await emil.unread(opened[0]["chat"]["id"]) == 0


async def test_h1_a_meeting_shows_the_chat_of_its_two_sides_once_one_of_them_has_opened_it(
    world: Service, uma: Client, emil: Client, stella: Client
):
    meeting, other = [(await uma.proposed(emil))["id"] for _ in range(2)]
    for client in (uma, emil, stella):
        assert await client.ask(CHAT_OF, id=meeting) == {"meeting": {"chat": None}}
    chat = (await uma.act("openChat", meetingId=meeting))["chat"]["id"]
    for client in (uma, emil):
        for each in (meeting, other):
            shown = (await client.ask(CHAT_OF, id=each))["meeting"]["chat"]
            assert (shown["id"], {person["id"] for person in shown["people"]}) == (chat, {uma.id, emil.id})
    assert await stella.ask(CHAT_OF, id=meeting) == {"meeting": {"chat": None}}


async def test_h1_many_meetings_show_each_the_chat_of_its_own_two(world: Service, uma: Client):
    """In a list with several others, with some of whom there is no chat, and in both roles."""
    ula = await world.expert("Ula", price="0.00")
    chats = {}
    for number in range(4):
        other = await world.expert(f"Otto {number}", price="0.00")
        chats[other.id] = await ula.chat_with(other) if number % 2 else None
        await other.proposed(ula, startsAt=world.at(days=3, hours=number))
    query = "{ meetings { edges { node { user { id } expert { id } chat { id people { id } } } } } }"
    meetings = [edge["node"] for edge in (await ula.ask(query))["meetings"]["edges"]]
    assert len(meetings) == 6
    for meeting in meetings:
        ((other,), shown) = {meeting["user"]["id"], meeting["expert"]["id"]} - {ula.id}, meeting["chat"]
        assert (shown and shown["id"]) == chats[other]
        assert not shown or {person["id"] for person in shown["people"]} == {ula.id, other}


async def test_h1_staff_chat_in_meetings_of_their_own(world: Service):
    """Staff are only a side there (T)."""
    stina, emil = await world.somebody("Stina", roles=["staff"]), await world.expert("Emil", price="0.00")
    chat = await stina.chat_with(emil)
    await emil.write(chat)
    assert await stina.unread(chat) == 1
    meeting = (await stina.ask("{ meetings { edges { node { chat { id } } } } }"))["meetings"]["edges"][0]["node"]
    assert meeting == {"chat": {"id": chat}}


# ── writing and reading (H2) ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("x", "x"),
        ("x" * 4_000, "x" * 4_000),
        ("💥" * 4_000, "💥" * 4_000),
        ("  \n" + "x" * 4_000 + "\t\u2003", "x" * 4_000),
        ("one\n\n two\r\n\tthree", "one\n\n two\r\n\tthree"),
        ("👩\u200d👩\u200d👧 \u202etxet %s {0} ${x} \\ '", "👩\u200d👩\u200d👧 \u202etxet %s {0} ${x} \\ '"),
    ],
)
async def test_h2_a_message_is_kept_as_it_was_written(uma: Client, emil: Client, chat: str, text: str, kept: str):
    """Without the blanks around it; a character is a character, however many bytes it takes."""
    sent = await uma.write(chat, text)
    assert (sent["text"], sent["author"]["id"], sent["chat"]["id"]) == (kept, uma.id, chat)
    for client in (uma, emil):
        assert await texts(client, chat) == [kept]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "REQUIRED"),
        (" \n\t\r\u00a0\u2003\u3000", "REQUIRED"),
        ("x" * 4_001, "TOO_LONG"),
        ("💥" * 4_001, "TOO_LONG"),
        ("x\x00y", "MALFORMED"),
        ("\x00", "MALFORMED"),
        ("a\ud83d", "MALFORMED"),
        ("\udca5a", "MALFORMED"),
    ],
)
async def test_h2_what_cannot_be_a_message_is_refused(world: Service, uma: Client, chat: str, text: str, code: str):
    async with world.nothing_changes():
        result = await uma.act("sendChatMessage", chatId=chat, text=text)
    assert (result["__typename"], result.get("field"), result.get("code")) == ("InvalidInput", "text", code)


async def test_h2_unread_is_what_the_other_wrote_since_one_read_or_wrote(uma: Client, emil: Client, chat: str):
    async def unread() -> tuple[int, int]:
        return await uma.unread(chat), await emil.unread(chat)

    assert await unread() == (0, 0)
    for number in range(3):
        await uma.write(chat)
        assert await unread() == (0, number + 1)
    sent = await emil.act("sendChatMessage", chatId=chat, text="Hi")
    assert sent["chatMessage"]["chat"]["unread"] == 0, "writing marks what was before as read"
    assert await unread() == (1, 0)
    await emil.write(chat)
    await uma.write(chat)
    assert await unread() == (0, 1)
    assert (await emil.act("markChatRead", chatId=chat))["chat"] == {"id": chat, "unread": 0}
    assert await unread() == (0, 0)


async def test_h2_marking_read_again_or_what_was_read_changes_nothing(
    world: Service, uma: Client, emil: Client, chat: str
):
    async with world.nothing_changes():
        await emil.act("markChatRead", chatId=chat)
    await uma.write(chat)
    await emil.act("markChatRead", chatId=chat)
    async with world.nothing_changes():
        for client in (emil, uma):
            assert (await client.act("markChatRead", chatId=chat))["chat"] == {"id": chat, "unread": 0}


@pytest.mark.parametrize("by", ["markChatRead", "sendChatMessage", "markNotificationsRead"])
async def test_h2_the_other_is_notified_once_until_it_is_read_and_then_again(
    uma: Client, emil: Client, chat: str, by: str
):
    for _ in range(3):
        await uma.write(chat)
    assert (await told(emil), await told(uma)) == ([False], [])
    given = {"markChatRead": {"chatId": chat}, "sendChatMessage": {"chatId": chat, "text": "Hi"}}.get(by, {})
    await emil.act(by, **given)
    assert await told(emil) == [True]
    for _ in range(2):
        await uma.write(chat)
    assert await told(emil) == [True, False]
    assert await told(uma) == ([True] if by == "sendChatMessage" else [])


async def test_h2_what_one_reads_in_one_chat_is_still_unread_in_the_others(
    world: Service, uma: Client, emil: Client, chat: str
):
    other = await world.expert("Olga", price="0.00")
    others = await uma.chat_with(other)
    await emil.write(chat)
    await other.write(others)
    assert await told(uma) == [False, False]
    await uma.act("markChatRead", chatId=chat)
    assert await told(uma) == [True, False]
    assert (await uma.unread(chat), await uma.unread(others)) == (0, 1)


async def test_h2_a_notification_shows_the_beginning_of_a_long_message(uma: Client, emil: Client, chat: str):
    await uma.write(chat, "word " * 800)
    query = "{ notifications(first: 1) { edges { node { kind title body meeting { id } chat { id unread } } } } }"
    (edge,) = (await emil.ask(query))["notifications"]["edges"]
    assert "word word…" in edge["node"]["body"]
    assert len(edge["node"]["body"]) < 210
    assert "Uma User" in edge["node"]["title"]
    assert (edge["node"]["kind"], edge["node"]["meeting"]) == ("CHAT_MESSAGE", None)
    assert edge["node"]["chat"] == {"id": chat, "unread": 1}


@pytest.mark.parametrize("first", [1, 3, 7, 100])
async def test_h2_messages_are_paged_newest_first(uma: Client, emil: Client, chat: str, first: int):
    for number in range(7):
        await (uma, emil)[number % 2].write(chat, str(number))

    async def read(after: str | None) -> dict[str, Any]:
        return (await uma.ask(MESSAGES, id=chat, first=first, after=after))["chat"]["messages"]

    edges = await all_edges(read, first=first)
    assert [edge["node"]["text"] for edge in edges] == ["6", "5", "4", "3", "2", "1", "0"]
    assert {edge["node"]["author"]["id"] for edge in edges[::2]} == {uma.id}


async def test_h2_a_walk_through_the_pages_has_no_double_and_no_gap_while_messages_arrive(
    uma: Client, emil: Client, chat: str
):
    for number in range(10):
        await uma.write(chat, str(number))

    async def read(after: str | None) -> dict[str, Any]:
        page = (await uma.ask(MESSAGES, id=chat, first=2, after=after))["chat"]["messages"]
        for client in (uma, emil):
            await client.write(chat, "later")
        return page

    edges = await all_edges(read, first=2)
    assert [edge["node"]["text"] for edge in edges] == [str(number) for number in reversed(range(10))]


async def test_h2_pages_of_many_chats_are_each_their_own(world: Service, uma: Client):
    written = {}
    for number in range(3):
        other = await world.expert(f"Otto {number}", price="0.00")
        chat = await uma.chat_with(other)
        written[chat] = [f"{number} {each}" for each in range(number * 2)]
        for text in written[chat]:
            await other.write(chat, text)
    query = "{ chats { edges { node { id unread messages(first: 3) { edges { node { text } } pageInfo { hasNextPage } }"
    for edge in (await uma.ask(query + " } } } }"))["chats"]["edges"]:
        chat, page = edge["node"]["id"], edge["node"]["messages"]
        shown = [each["node"]["text"] for each in page["edges"]]
        assert shown == written[chat][::-1][:3]
        assert page["pageInfo"]["hasNextPage"] is (len(written[chat]) > 3)
        assert edge["node"]["unread"] == len(written[chat])


async def test_h2_a_chat_has_50_messages_a_page_unless_asked_otherwise(uma: Client, emil: Client, chat: str):
    for number in range(51):
        await uma.write(chat, str(number))
    query = "query($id: ID!) { chat(id: $id) { messages { edges { cursor } pageInfo { hasNextPage } } } }"
    page = (await emil.ask(query, id=chat))["chat"]["messages"]
    assert (len(page["edges"]), page["pageInfo"]["hasNextPage"]) == (50, True)
    for first in (0, -1, 101):
        errors = await emil.errors(MESSAGES, id=chat, first=first)
        assert [error["extensions"]["code"] for error in errors] == ["BAD_USER_INPUT"]


async def test_h2_a_cursor_of_another_chat_or_list_is_bad_input(world: Service, uma: Client, emil: Client, chat: str):
    other = await world.expert("Olga", price="0.00")
    others = await uma.chat_with(other)
    for each in (chat, others):
        await uma.write(each)
    cursors = {
        each: (await uma.ask(MESSAGES, id=each))["chat"]["messages"]["edges"][0]["cursor"] for each in (chat, others)
    }
    in_list = (await uma.ask(CHATS))["chats"]["edges"][0]["cursor"]
    foreign = (await emil.ask(CHATS))["chats"]["edges"][0]["cursor"]
    assert await texts(emil, chat, after=cursors[chat]) == [], "a place in a chat is one for both"
    for after in (cursors[others], in_list, foreign, encode_cursor("messages", row_id("Chat", chat), "1")):
        errors = await uma.errors(MESSAGES, id=chat, after=after)
        assert [error["extensions"]["code"] for error in errors] == ["BAD_USER_INPUT"]
    for after in (cursors[chat], foreign):
        errors = await uma.errors(CHATS, after=after)
        assert [error["extensions"]["code"] for error in errors] == ["BAD_USER_INPUT"]


# ── the list of chats ────────────────────────────────────────────────────────────────────────────────────────────


async def test_h2_the_chat_written_in_last_comes_first(world: Service, uma: Client):
    others = [await world.expert(f"Olaf {number}", price="0.00") for number in range(2)]
    ula = await world.expert("Ula", price="0.00")  # in either place of the pairs: ids grow with time
    others += [await world.expert(f"Yves {number}", price="0.00") for number in range(2)]
    opened = []
    for other in others:
        world.clock.advance(seconds=1)
        opened.append(await ula.chat_with(other))
    assert await chats(ula) == opened[::-1]
    for place, by in ((1, ula), (3, others[3]), (0, others[0])):
        world.clock.advance(seconds=1)
        await by.write(opened[place])
    assert await chats(ula) == [opened[place] for place in (0, 3, 1, 2)]
    await ula.act("markChatRead", chatId=opened[2])
    assert await chats(ula) == [opened[place] for place in (0, 3, 1, 2)], "reading is no activity"
    assert await chats(uma) == []


@pytest.mark.parametrize("same_time", [True, False])
async def test_h2_a_walk_through_the_chats_has_no_double_while_they_move(world: Service, same_time: bool):
    """And misses none that stayed where it was; what moved up stands before the walk, and is on its first page."""
    older = [await world.expert(f"Olaf {number}", price="0.00") for number in range(4)]
    ula = await world.expert("Ula", price="0.00")
    younger = [await world.expert(f"Yves {number}", price="0.00") for number in range(4)]
    opened = []
    for other in [each for pair in zip(older, younger, strict=True) for each in pair]:
        opened.append(await ula.chat_with(other))
        world.clock.advance(seconds=0 if same_time else 1)
    expected = await chats(ula)
    if not same_time:
        assert expected == opened[::-1]
    world.clock.advance(seconds=1)
    moving = iter([expected[5], expected[0], expected[2]])

    async def read(after: str | None) -> dict[str, Any]:
        page = (await ula.ask(CHATS, first=2, after=after))["chats"]
        if (moved := next(moving, None)) is not None:
            world.clock.advance(seconds=1)
            await ula.write(moved)
        return page

    walked = [edge["node"]["id"] for edge in await all_edges(read, first=2)]
    assert walked == [each for each in expected if each != expected[5]]
    assert await chats(ula) == [expected[place] for place in (2, 0, 5, 1, 3, 4, 6, 7)]


# ── nobody else (Q5) ─────────────────────────────────────────────────────────────────────────────────────────────


async def test_h1_nobody_else_learns_by_any_way_that_there_is_a_chat(
    world: Service, uma: Client, emil: Client, stella: Client, chat: str
):
    """A stranger, somebody who meets one of the two, and staff get what they get for what is not there."""
    other = await world.somebody("Olga Other", credits="100.00")
    others = await other.chat_with(emil)
    meeting = (await uma.proposed(emil))["id"]
    message = (await uma.write(chat, "between us"))["id"]
    (told_of_it,) = await Notification.filter(chat_id=row_id("Chat", chat))
    notification = global_id("Notification", told_of_it.id)
    nothing = {message: global_id("ChatMessage", uuid7()), notification: global_id("Notification", uuid7())}
    nothing |= {chat: NOBODYS, meeting: global_id("Meeting", uuid7())}
    asked = [
        ("query($id: ID!) { chat(id: $id) { id unread messages { edges { node { text } } } } }", chat),
        *(("query($id: ID!) { node(id: $id) { id __typename } }", each) for each in (chat, message, notification)),
        *(("query($id: ID!) { nodes(ids: [$id]) { id } }", each) for each in (chat, message, notification)),
        ("subscription($id: ID!) { chatMessageSent(chatId: $id) { cursor } }", chat),
    ]
    for viewer in (await world.somebody("Sam Stranger"), other, stella):
        async with world.nothing_changes():
            for query, thing in asked:
                there, not_there = await viewer.post(query, id=thing), await viewer.post(query, id=nothing[thing])
                assert there.json() == not_there.json()
            for action, given in (
                ("sendChatMessage", {"text": "Hello"}),
                ("sendChatMessage", {"text": ""}),
                ("markChatRead", {}),
                ("sendChatMessage", {"text": "Hello", "idempotencyKey": "k" * 300}),
            ):
                result = await viewer.act(action, chatId=chat, **given)
                assert result == await viewer.act(action, chatId=NOBODYS, **given)
                assert result["__typename"] == "NotFound"
            assert (await viewer.act("openChat", meetingId=meeting))["__typename"] == "NotFound"
            assert await chats(viewer) == ([others] if viewer is other else [])
    assert (await stella.ask(CHAT_OF, id=meeting)) == {"meeting": {"chat": None}}


@pytest.mark.parametrize("who", ["stranger", "staff", "other"])
async def test_w3_nobody_else_can_subscribe_to_a_chat(
    world: Service, uma: Client, emil: Client, stella: Client, chat: str, who: str
):
    viewer = stella if who == "staff" else await world.somebody("Olga", credits="100.00")
    if who == "other":
        await viewer.chat_with(emil)
    query = "subscription($id: ID!) { chatMessageSent(chatId: $id) { cursor } }"
    async with viewer.socket() as socket:
        answers = []
        for key, asked in (("there", chat), ("not", NOBODYS)):
            await socket.send({"id": key, "type": "subscribe", "payload": {"query": query, "variables": {"id": asked}}})
            answers.append(await socket.receive())
        assert [answer["type"] for answer in answers] == ["error", "error"]
        assert answers[0]["payload"] == answers[1]["payload"]
        assert answers[0]["payload"][0]["extensions"]["code"] == "NOT_FOUND"
        await uma.write(chat)
        assert await socket.silent()


# ── again and again (I1), and the clock ──────────────────────────────────────────────────────────────────────────


async def test_i1_every_mutation_of_a_chat_can_be_repeated(world: Service, uma: Client, emil: Client):
    meeting = (await uma.proposed(emil))["id"]
    first = await uma.act("openChat", meetingId=meeting, idempotencyKey="open")
    chat = first["chat"]["id"]
    sent = await uma.act("sendChatMessage", chatId=chat, text="Hello", idempotencyKey="send")
    read = await emil.act("markChatRead", chatId=chat, idempotencyKey="read")
    await uma.write(chat)
    async with world.nothing_changes():
        assert await uma.act("openChat", meetingId=meeting, idempotencyKey="open") == first
        assert await uma.act("sendChatMessage", chatId=chat, text="Hello", idempotencyKey="send") == sent
        again = await emil.act("markChatRead", chatId=chat, idempotencyKey="read")
        assert (again["chat"]["id"], again["chat"]["unread"]) == (read["chat"]["id"], 1), "the chat as it now is"
        for other in (
            await uma.act("sendChatMessage", chatId=chat, text="Other", idempotencyKey="send"),
            await uma.act("sendChatMessage", chatId=NOBODYS, text="Hello", idempotencyKey="send"),
            await uma.act("markChatRead", chatId=chat, idempotencyKey="send"),
        ):
            assert other["__typename"] == "IdempotencyKeyReused"


async def test_i1_a_refused_message_leaves_its_key_free(uma: Client, chat: str):
    assert (await uma.act("sendChatMessage", chatId=chat, text=" ", idempotencyKey="k"))["code"] == "REQUIRED"
    sent = await uma.act("sendChatMessage", chatId=chat, text="Hello", idempotencyKey="k")
    assert sent["chatMessage"]["text"] == "Hello"


async def test_a_chats_times_never_run_backwards_even_if_the_clock_does(
    world: Service, uma: Client, emil: Client, chat: str
):
    for ahead in (5, -60, 30, -10, 90):
        world.clock.advance(seconds=ahead)
        await (uma if ahead > 0 else emil).write(chat)
    sent = [row.sent_at for row in await ChatMessage.filter(chat_id=row_id("Chat", chat)).order_by("sequence")]
    assert all(one <= next_ for one, next_ in pairwise(sent))
    edges = (await uma.ask(MESSAGES, id=chat))["chat"]["messages"]["edges"]
    assert [edge["node"]["sentAt"] for edge in edges] == [each.isoformat() for each in reversed(sent)]


# ── proposing from the chat (H3) ─────────────────────────────────────────────────────────────────────────────────


def offer(world: Service, expert: Client, **origin: Any) -> dict[str, Any]:
    terms = {"startsAt": world.at(days=2), "durationMinutes": 25, "price": "12.55"}
    return {"serviceId": expert.service, "skillId": expert.skill, **terms, **origin}


async def test_h3_whoever_proposes_from_the_chat_is_its_expert(world: Service):
    """Also who was only ever the user in their meetings; price and length are theirs, and nothing is blocked yet."""
    anna = await world.expert("Anna", price="1.00")
    bert = await world.expert("Bert", price="0.00")
    chat = await anna.chat_with(bert)
    for expert, user in ((anna, bert), (bert, anna)):
        result = await expert.act("proposeMeetingToUser", **offer(world, expert, chatId=chat))
        assert [event["kind"] for event in result["events"]] == ["MEETING_PROPOSED", "EXPERT_APPROVED"]
        meeting = result["meeting"]
        assert (meeting["expert"]["id"], meeting["user"]["id"]) == (expert.id, user.id)
        assert (meeting["price"], meeting["durationMinutes"], meeting["proposedBy"]) == ("12.55", 25, "EXPERT")
        assert (meeting["status"], meeting["creditPaymentStatus"]) == ("AWAITING_APPROVAL", "NOT_BLOCKED")
        newest = await Notification.filter(person_id=row_id("Person", user.id)).order_by("-id").first()
        assert newest is not None
        assert (newest.kind, newest.meeting_id) == ("EXPERT_MEETING_INVITATION", row_id("Meeting", meeting["id"]))
        assert newest.chat_id is None
        assert (await user.ask(CHAT_OF, id=meeting["id"]))["meeting"]["chat"]["id"] == chat


async def test_h3_a_proposal_from_the_chat_can_be_repeated(world: Service, uma: Client, emil: Client, chat: str):
    given = offer(world, emil, chatId=chat, idempotencyKey="k")
    first = await emil.act("proposeMeetingToUser", **given)
    async with world.nothing_changes():
        assert await emil.act("proposeMeetingToUser", **given) == first
        reused = await emil.act("proposeMeetingToUser", **{**given, "chatId": NOBODYS})
        assert reused["__typename"] == "IdempotencyKeyReused"


async def test_p2_a_proposal_comes_from_a_meeting_or_a_chat_and_not_from_both_or_neither(
    world: Service, uma: Client, emil: Client, chat: str
):
    meeting = (await uma.proposed(emil))["id"]
    async with world.nothing_changes():
        for origin in ({"meetingId": meeting, "chatId": chat}, {}, {"meetingId": None, "chatId": None}):
            result = await emil.act("proposeMeetingToUser", **offer(world, emil, **origin))
            assert (result["__typename"], result["field"] in origin or not origin) == ("InvalidInput", True)


async def test_p2_a_chat_that_is_not_theirs_is_not_found(
    world: Service, uma: Client, emil: Client, stella: Client, chat: str
):
    frieda = await world.expert("Frieda")
    mine = await uma.chat_with(frieda)
    staff = await world.expert("Stina", roles=["staff"])
    async with world.nothing_changes():
        for expert in (frieda, staff):
            for asked in (chat, NOBODYS, "unreadable", global_id("Meeting", named_by(chat)[1][0])):
                result = await expert.act("proposeMeetingToUser", **offer(world, expert, chatId=asked))
                assert result["__typename"] == "NotFound"
    assert (await frieda.act("proposeMeetingToUser", **offer(world, frieda, chatId=mine)))["meeting"]


async def test_h3_the_terms_of_a_proposal_from_the_chat_are_held_to_p4(
    world: Service, uma: Client, emil: Client, chat: str
):
    async with world.nothing_changes():
        for change, code in (
            ({"durationMinutes": 4}, "OUT_OF_RANGE"),
            ({"price": "1000000.01"}, "OUT_OF_RANGE"),
            ({"startsAt": world.at(seconds=0)}, "IN_THE_PAST"),
            ({"serviceId": "unknown"}, "UNKNOWN"),
            ({"skillId": "unknown"}, "UNKNOWN"),
        ):
            result = await emil.act("proposeMeetingToUser", **{**offer(world, emil, chatId=chat), **change})
            assert (result["__typename"], result["code"]) == ("InvalidInput", code)
            assert result["field"] in change
        users = await uma.act("proposeMeetingToUser", **offer(world, emil, chatId=chat))
        assert (users["field"], users["code"]) == ("serviceId", "UNKNOWN"), "she is no expert, and offers nothing"
