"""What people are told: to whom it goes, and how it is listed, counted and marked (N4), over the public API."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any
from uuid import uuid4

import pytest

from models import Notification
from models.ids import NOTHING
from rules.terms import NotificationKind
from schema.ids import global_id, row_id
from tests.driving import Client, Service, Socket, all_edges
from tests.negotiations import OTHER
from tests.telling import TELLINGS, TOLD, Telling, listed, page_of_notifications, two_people

PUSHED = "subscription { notificationReceived { cursor notification { ...Told } } }" + TOLD


async def pushed(socket: Socket) -> dict[str, Any]:
    return (await socket.next())["notificationReceived"]["notification"]


async def unread(client: Client) -> int:
    return (await client.ask("{ unreadNotifications }"))["unreadNotifications"]


async def listed_and_unread(client: Client) -> tuple[list[dict[str, Any]], int]:
    """Both as of one instant."""
    answer = await client.ask("{ notifications { edges { node { ...Told } } } unreadNotifications }" + TOLD)
    return [edge["node"] for edge in answer["notifications"]["edges"]], answer["unreadNotifications"]


async def mark(client: Client, *ids: str, **given: Any) -> dict[str, Any]:
    return await client.act("markNotificationsRead", ids=list(ids), **given)


async def told(user: Client, expert: Client, number: int) -> list[str]:
    """So many things that the expert was told, newest first."""
    for days in range(1, number + 1):
        await user.proposed(expert, startsAt=user.world.at(days=days))
    return [each["id"] for each in await listed(expert)]


@pytest.fixture
async def frieda(world: Service) -> Client:
    """An expert who takes nothing, so that she may be told of many meetings."""
    return await world.expert("Frieda Free", price="0.00")


# Who is told what


@pytest.mark.parametrize("telling", TELLINGS, ids=lambda telling: telling.name.replace(" ", "_"))
async def test_n4_the_right_side_is_told_the_right_thing_once_listed_and_live_and_the_other_nothing(
    world: Service, telling: Telling
):
    story = await two_people(world)
    await telling.before(story)
    before = {side: await listed(story.side(side)) for side in OTHER}
    async with AsyncExitStack() as stack:
        sockets = {side: await stack.enter_async_context(story.side(side).listening(PUSHED)) for side in OTHER}
        await telling.what(story)
        for side, other in OTHER.items():
            now, number_unread = await listed_and_unread(story.side(side))
            new = now[: len(now) - len(before[side])]
            assert [each["kind"] for each in new] == ([telling.told[side]] if side in telling.told else [])
            assert now[len(new) :] == before[side]
            assert number_unread == len(now)
            for each in new:
                assert await pushed(sockets[side]) == each
                assert {"USER": "Uma User", "EXPERT": "Emil Expert"}[other] in each["title"]
                about = {"meeting": {"id": story.meeting["id"]}, "chat": None}
                if each["kind"] == "CHAT_MESSAGE":
                    about = {"meeting": None, "chat": {"id": story.meeting["chat"]}}
                else:
                    assert "Advice" in each["body"]
                assert {name: each[name] for name in about} == about
                assert (each["createdAt"], each["readAt"]) == (world.clock.time.isoformat(), None)
            assert await sockets[side].silent()


def test_n4_every_kind_is_told():
    assert {kind for telling in TELLINGS for kind in telling.told.values()} == set(NotificationKind)


async def test_n4_what_is_refused_is_told_to_nobody(world: Service):
    story = await (await two_people(world)).propose("USER")
    async with story.user.listening(PUSHED) as hers, story.expert.listening(PUSHED) as his:
        async with world.nothing_changes():
            for side, action, given in (
                ("USER", "approveMeeting", {}),
                ("EXPERT", "cancelMeeting", {}),
                ("EXPERT", "rejectMeeting", {"reasonCode": "?"}),
                ("EXPERT", "chooseAlternativeDate", {"startsAt": world.at(days=3)}),
                ("EXPERT", "approveMeeting", {"expectedVersion": 1}),
            ):
                assert (await story.attempt(side, action, **given))["__typename"] != "MeetingChanged"
        await story.do("EXPERT", "approveMeeting")
        assert (await pushed(hers))["kind"] == "MEETING_APPROVED"
        assert await hers.silent()
        assert await his.silent()


async def test_i1_what_is_repeated_is_told_once(world: Service):
    story = await (await two_people(world)).propose("USER")
    async with story.user.listening(PUSHED) as hers:
        given = {"idempotencyKey": "the one", "reasonCode": "OTHER"}
        results = await asyncio.gather(*(story.attempt("EXPERT", "rejectMeeting", **given) for _ in range(4)))
        assert [result["__typename"] for result in results] == ["MeetingChanged"] * 4
        assert (await pushed(hers))["kind"] == "MEETING_REJECTED"
        assert await hers.silent()
    assert [each["kind"] for each in await listed(story.user)] == ["MEETING_REJECTED"]


async def test_n4_facts_are_as_they_were_when_it_happened(world: Service):
    """Names and prices may change later; what was told stays."""
    story = await (await two_people(world)).agree("USER")
    (before,) = await listed(story.user)
    story.expert.token = world.token(sub=story.expert.sub, name="Emil Umbenannt")
    changed = {"serviceId": story.expert.service, "name": "Renamed", "durationMinutes": 30, "price": "1.00"}
    assert (await story.expert.act("saveService", **changed))["__typename"] == "ServiceSaved"
    assert await listed(story.user) == [before]
    await story.do("EXPERT", "chooseAlternativeDate", startsAt=world.at(days=3))
    assert (await listed(story.user))[0]["title"] == "Emil Umbenannt would like to move your meeting"


async def test_n_it_reads_anew_once_one_speaks_another_language_or_lives_elsewhere_also_live(world: Service):
    story = await (await two_people(world)).propose("USER", startsAt="2027-03-10T12:00:00Z")
    async with story.user.listening(PUSHED) as hers:
        await story.do("EXPERT", "approveMeeting")
        live = await pushed(hers)
        assert (
            live["body"] == "“Advice” with Emil Expert is agreed: Wednesday, 10 March 2027, 12:00 – 13:00 (GMT+00:00)."
        )
        await story.user.act("updateProfile", language="DE", timeZone="Australia/Lord_Howe")
        (anew,) = await listed(story.user)
        assert anew["title"] == "Emil Expert hat Ihrem Vorschlag zugestimmt"
        assert anew["body"] == (
            "„Advice“ mit Emil Expert ist vereinbart: Mittwoch, 10. März 2027, 23:00 – Donnerstag, 11. März 2027, 00:00"
            " (GMT+11:00)."
        )
        unchanged = {"title": None, "body": None}
        assert {**anew, **unchanged} == {**live, **unchanged}
        await story.do("EXPERT", "cancelMeeting")
        assert await pushed(hers) == (await listed(story.user))[0]
        assert (await listed(story.user))[0]["title"] == "Emil Expert hat das Treffen abgesagt"


# Nobody else's


async def test_n4_nobody_reads_counts_or_marks_what_others_were_told_staff_neither(
    world: Service, uma: Client, emil: Client, stella: Client
):
    (notification,) = await told(uma, emil, 1)
    query = "query($id: ID!) { node(id: $id) { id ... on Notification { body } } nodes(ids: [$id]) { id } }"
    seen = await emil.ask(query, id=notification)
    assert (seen["node"]["id"], seen["nodes"]) == (notification, [{"id": notification}])
    stranger = await world.expert("Stan Stranger")
    async with world.nothing_changes():
        for other in (uma, stella, stranger):
            assert await listed(other) == []
            assert await unread(other) == 0
            assert await other.ask(query, id=notification) == {"node": None, "nodes": [None]}
            foreign = await mark(other, notification)
            unknown = await mark(other, global_id("Notification", NOTHING))
            assert foreign == unknown
            assert foreign["__typename"] == "NotFound"
        assert (await stella.act("markNotificationsRead"))["unread"] == 0
    assert await unread(emil) == 1


async def test_w3_whoever_listens_is_told_their_own_alone(world: Service, uma: Client, emil: Client, stella: Client):
    async with stella.listening(PUSHED) as hers, uma.listening(PUSHED) as umas, emil.listening(PUSHED) as his:
        await uma.proposed(emil)
        assert (await pushed(his))["kind"] == "USER_MEETING_INVITATION"
        assert await hers.silent()
        assert await umas.silent()


# The list


@pytest.mark.parametrize("first", [1, 2, 3, 100])
async def test_n4_the_list_is_paged_newest_first(world: Service, uma: Client, frieda: Client, first: int):
    ids = await told(uma, frieda, 6)
    edges = await all_edges(lambda after: page_of_notifications(frieda, first=first, after=after), first=first)
    assert [edge["node"]["id"] for edge in edges] == ids
    meetings = [edge["node"]["meeting"]["id"] for edge in edges]
    rows = (await frieda.ask("{ meetings { edges { node { id } } } }"))["meetings"]["edges"]
    assert meetings == [row["node"]["id"] for row in rows][::-1]


async def test_n4_pages_are_walked_without_loss_or_double_while_more_arrives_and_some_is_marked(
    world: Service, uma: Client, frieda: Client
):
    ids = await told(uma, frieda, 6)

    async def page(after: str | None) -> dict[str, Any]:
        found = await page_of_notifications(frieda, first=2, after=after)
        await uma.proposed(frieda, startsAt=world.at(days=9))
        await mark(frieda, found["edges"][0]["node"]["id"])
        return found

    assert [edge["node"]["id"] for edge in await all_edges(page, first=2)] == ids


async def test_n4_what_is_unread_is_paged_by_itself_while_it_is_marked(world: Service, uma: Client, frieda: Client):
    ids = await told(uma, frieda, 6)
    await mark(frieda, ids[1], ids[4])
    assert [each["id"] for each in await listed(frieda, unreadOnly=True)] == [ids[0], ids[2], ids[3], ids[5]]
    page = await page_of_notifications(frieda, first=2, unreadOnly=True)
    await mark(frieda, ids[2], ids[3])
    rest = await page_of_notifications(frieda, first=2, unreadOnly=True, after=page["pageInfo"]["endCursor"])
    assert [edge["node"]["id"] for edge in rest["edges"]] == [ids[5]]
    assert [each["id"] for each in await listed(frieda, unreadOnly=False)] == ids
    assert [each["id"] for each in await listed(frieda, unreadOnly=None)] == ids


async def test_n4_a_page_has_fifty_at_first_and_a_hundred_at_most(world: Service, frieda: Client):
    await many(frieda, 51)
    for first, number in ((None, 50), (100, 51)):
        page = await page_of_notifications(frieda, first=first)
        assert (len(page["edges"]), page["pageInfo"]["hasNextPage"]) == (number, number == 50)
    for wrong in (0, -1, 101):
        (error,) = await frieda.errors("query($n: Int) { notifications(first: $n) { edges { cursor } } }", n=wrong)
        assert error["extensions"]["code"] == "BAD_USER_INPUT"


async def test_cursors_of_another_list_or_person_are_refused(world: Service, uma: Client, frieda: Client):
    await told(uma, frieda, 2)
    await frieda.act("sendChatMessage", chatId=await chat_of(frieda), text="Hello")
    own = (await page_of_notifications(frieda, first=1))["pageInfo"]["endCursor"]
    unread_ones = (await page_of_notifications(frieda, first=1, unreadOnly=True))["pageInfo"]["endCursor"]
    others = (await page_of_notifications(uma))["pageInfo"]["endCursor"]
    chats = (await frieda.ask("{ chats { pageInfo { endCursor } } }"))["chats"]["pageInfo"]["endCursor"]
    assert None not in (own, unread_ones, others, chats)
    page = "notifications(after: $after, unreadOnly: $unread) { edges { cursor } }"
    query = f"query($after: String, $unread: Boolean) {{ {page} }}"
    for unread_only, after in (
        (False, unread_ones),
        (True, own),
        (False, others),
        (False, chats),
        (False, ""),
        (False, "nonsense"),
        (False, own[:-4]),
    ):
        (error,) = await frieda.errors(query, after=after, unread=unread_only)
        assert error["extensions"]["code"] == "BAD_USER_INPUT", after


async def chat_of(client: Client) -> str:
    meeting = (await client.ask("{ meetings { edges { node { id } } } }"))["meetings"]["edges"][0]["node"]["id"]
    return (await client.act("openChat", meetingId=meeting))["chat"]["id"]


# Marking


async def many(client: Client, number: int) -> list[str]:
    """The ids of so many more things that a person was told."""
    facts = {"other": "Somebody", "text": "Hello"}
    kind, person_id = NotificationKind.MEETING_APPROVED, row_id("Person", client.id)
    facts |= {"service": "Advice", "starts_at": "2027-03-02T12:00:00Z", "ends_at": "2027-03-02T13:00:00Z"}
    rows = [
        Notification(person_id=person_id, kind=kind, facts=facts, created_at=client.world.clock.time)
        for _ in range(number)
    ]
    await Notification.bulk_create(rows)
    return [global_id("Notification", row.id) for row in rows]


async def test_n4_some_are_marked_and_the_answer_says_how_many_are_left(world: Service, uma: Client, frieda: Client):
    ids = await told(uma, frieda, 3)
    world.clock.advance(minutes=1)
    assert await mark(frieda, ids[1], ids[1]) == {"__typename": "NotificationsRead", "unread": 2}
    first_read = world.clock.time.isoformat()
    assert [each["readAt"] for each in await listed(frieda)] == [None, first_read, None]
    world.clock.advance(minutes=1)
    assert (await mark(frieda, *ids))["unread"] == 0
    now = world.clock.time.isoformat()
    assert [each["readAt"] for each in await listed(frieda)] == [now, first_read, now], "what was read stays as it was"


async def test_n4_without_ids_all_are_marked_and_with_no_ids_none(world: Service, uma: Client, frieda: Client):
    await told(uma, frieda, 3)
    async with world.nothing_changes():
        assert (await mark(frieda))["unread"] == 3
    assert (await frieda.act("markNotificationsRead"))["unread"] == 0
    await uma.proposed(frieda)
    assert (await frieda.act("markNotificationsRead", ids=None))["unread"] == 0
    assert await listed(frieda, unreadOnly=True) == []


async def test_n4_if_one_is_not_ones_own_none_is_marked(world: Service, uma: Client, emil: Client, frieda: Client):
    own, (foreign,) = await told(uma, frieda, 2), await told(uma, emil, 1)
    meeting = (await listed(frieda))[0]["meeting"]["id"]
    async with world.nothing_changes():
        for wrong in (
            foreign,
            global_id("Notification", NOTHING),
            global_id("Notification", uuid4()),
            meeting,
            "?",
            "",
        ):
            answer = await mark(frieda, own[0], wrong, own[1])
            assert answer == await mark(frieda, wrong)
            assert answer["__typename"] == "NotFound"


async def test_n4_at_most_a_thousand_are_marked_at_once(world: Service, frieda: Client):
    ids = await many(frieda, 1_001)
    async with world.nothing_changes():
        refused = await mark(frieda, *ids)
        assert (refused["__typename"], refused["field"], refused["code"]) == ("InvalidInput", "ids", "TOO_LONG")
        unknown = await mark(frieda, *ids, global_id("Notification", NOTHING))
        assert unknown["__typename"] == "NotFound", "first (Q4)"
    assert (await mark(frieda, *ids[1:], *ids[1:100]))["unread"] == 1


async def test_i1_marking_is_repeated_safely(world: Service, uma: Client, frieda: Client):
    first = await told(uma, frieda, 1)
    assert (await frieda.act("markNotificationsRead", idempotencyKey="a"))["unread"] == 0
    await told(uma, frieda, 1)
    async with world.nothing_changes():
        assert (await frieda.act("markNotificationsRead", idempotencyKey="a"))["unread"] == 1, "what came later stays"
        assert (await mark(frieda, *first, idempotencyKey="a"))["__typename"] == "IdempotencyKeyReused"
        blank = await frieda.act("markNotificationsRead", idempotencyKey=" ")
        assert (blank["field"], blank["code"]) == ("idempotencyKey", "REQUIRED")


async def test_h2_a_chat_message_marked_read_here_is_told_of_again_when_the_next_one_comes(world: Service):
    story = await (await two_people(world)).propose("USER")
    chat = await chat_of(story.user)
    for number in (1, 2):
        await story.user.act("sendChatMessage", chatId=chat, text=f"Message {number}")
        (newest,) = await listed(story.expert, unreadOnly=True) if number == 2 else (await listed(story.expert))[:1]
        assert newest["body"] == f"“Message {number}”"
        await story.expert.act("markNotificationsRead")


async def test_n4_marking_all_while_more_arrives_marks_what_was_there_and_loses_nothing(
    world: Service, uma: Client, frieda: Client
):
    async def propose(days: int) -> None:
        await uma.proposed(frieda, startsAt=world.at(days=days))

    marks = [frieda.act("markNotificationsRead") for _ in range(5)]
    results = await asyncio.gather(*(propose(days) for days in range(1, 11)), *marks)
    assert all(result is None or result["__typename"] == "NotificationsRead" for result in results)
    assert len(await listed(frieda)) == 10
    assert await unread(frieda) == len(await listed(frieda, unreadOnly=True))
    assert (await frieda.act("markNotificationsRead"))["unread"] == 0
