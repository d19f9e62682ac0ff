"""Two people who met write to each other, and agree on another meeting, as both live it (H1-H3)."""

from typing import Any

from tests.driving import Client, Service, Socket

WRITTEN = """subscription($id: ID!) { chatMessageSent(chatId: $id) {
  chatMessage { text author { name } chat { unread } }
} }"""
TOLD = "subscription { notificationReceived { notification { kind title body chat { id } meeting { id } } } }"
INBOX = """{ unreadNotifications chats { edges { node {
  id unread people { name } messages(first: 1) { edges { node { text author { name } } } }
} } } }"""


async def message(socket: Socket) -> tuple[str, str]:
    pushed = (await socket.next())["chatMessageSent"]["chatMessage"]
    return pushed["author"]["name"], pushed["text"]


async def told(socket: Socket) -> dict[str, Any]:
    notification: dict[str, Any] = (await socket.next())["notificationReceived"]["notification"]
    return notification


async def test_h1_h2_h3_a_question_after_a_meeting_becomes_another_meeting(world: Service, uma: Client, emil: Client):
    async with uma.listening(TOLD) as to_uma, emil.listening(TOLD) as to_emil:
        meeting = await uma.proposed(emil)
        assert (await told(to_emil))["kind"] == "USER_MEETING_INVITATION"
        await emil.act("rejectMeeting", meetingId=meeting["id"], reasonCode="TIME_DOES_NOT_SUIT")
        assert (await told(to_uma))["kind"] == "MEETING_REJECTED"
        await uma.act("markNotificationsRead")

        # Uma opens the chat from the rejected meeting. Nobody is told before something is written.
        chat = (await uma.act("openChat", meetingId=meeting["id"]))["chat"]["id"]
        assert await to_emil.silent()
        async with uma.listening(WRITTEN, id=chat) as hers, emil.listening(WRITTEN, id=chat) as his:
            world.clock.advance(minutes=5)
            await uma.write(chat, "What a pity!")
            await uma.write(chat, "Would half an hour next week suit you?")
            for socket in (hers, his):
                assert await message(socket) == ("Uma User", "What a pity!")
                assert await message(socket) == ("Uma User", "Would half an hour next week suit you?")
            notification = await told(to_emil)
            assert (notification["kind"], notification["chat"]) == ("CHAT_MESSAGE", {"id": chat})
            assert "Uma User" in notification["title"]
            assert "What a pity!" in notification["body"]
            assert await to_emil.silent(), "one notification until it is read"

            # Emil finds it in his inbox, and answers by proposing.
            inbox = await emil.ask(INBOX)
            (edge,) = inbox["chats"]["edges"]
            assert (edge["node"]["id"], edge["node"]["unread"]) == (chat, 2)
            assert edge["node"]["messages"]["edges"][0]["node"]["text"] == "Would half an hour next week suit you?"
            assert inbox["unreadNotifications"] == 2
            assert (await emil.act("markChatRead", chatId=chat))["chat"]["unread"] == 0
            assert (await emil.ask("{ unreadNotifications }")) == {"unreadNotifications": 1}
            terms = {"startsAt": world.at(days=7), "durationMinutes": 30, "price": "25.00"}
            given = {"chatId": chat, "serviceId": emil.service, "skillId": emil.skill, **terms}
            offered = (await emil.act("proposeMeetingToUser", **given))["meeting"]
            assert (offered["viewerSide"], offered["creditPaymentStatus"]) == ("EXPERT", "NOT_BLOCKED")
            notification = await told(to_uma)
            assert (notification["kind"], notification["meeting"]) == (
                "EXPERT_MEETING_INVITATION",
                {"id": offered["id"]},
            )
            assert await uma.balance() == ("100.00", "0.00")

            # Uma agrees, and thanks him from the chat of the new meeting, which is the same.
            assert (await uma.act("approveMeeting", meetingId=offered["id"]))["meeting"]["status"] == "AGREED"
            assert await uma.balance() == ("75.00", "25.00")
            assert (await uma.act("openChat", meetingId=offered["id"]))["chat"]["id"] == chat
            await uma.write(chat, "Thank you!")
            for socket in (hers, his):
                assert await message(socket) == ("Uma User", "Thank you!")
        assert [(await told(to_emil))["kind"] for _ in range(2)] == ["MEETING_APPROVED", "CHAT_MESSAGE"]
        assert await to_uma.silent()
        assert await to_emil.silent()
