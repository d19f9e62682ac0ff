"""Being told, end to end: as both sides live it, with the list, the number beside the bell and what is pushed (N4)."""

from typing import Any

from tests.driving import Client, Service, Socket
from tests.telling import TOLD, listed

PUSHED = (
    "subscription($after: String) { notificationReceived(after: $after) { cursor notification { ...Told } } }" + TOLD
)
AT_A_GLANCE = "{ unreadNotifications meetingDashboard { scheduled held awaitingMyAnswer } }"


async def pushed(socket: Socket) -> dict[str, Any]:
    return (await socket.next())["notificationReceived"]


async def at_a_glance(client: Client) -> tuple[int, ...]:
    """How much is unread; how many meetings are scheduled, were held and wait for an answer."""
    seen = await client.ask(AT_A_GLANCE)
    counts = seen["meetingDashboard"]
    return seen["unreadNotifications"], counts["scheduled"], counts["held"], counts["awaitingMyAnswer"]


async def test_a_german_expert_and_a_user_in_new_york_are_told_all_along_each_in_their_own_way(world: Service):
    uma = await world.somebody("Uma User", credits="100.00", locale="en-US", zoneinfo="America/New_York")
    emil = await world.expert("Emil Expert", locale="de-DE", zoneinfo="Europe/Berlin")
    async with emil.listening(PUSHED) as his, uma.listening(PUSHED) as hers:
        meeting = (await uma.proposed(emil, startsAt="2027-03-20T17:00:00Z"))["id"]
        invitation = (await pushed(his))["notification"]
        assert invitation["title"] == "Uma User möchte sich mit Ihnen treffen"
        assert "Samstag, 20. März 2027, 18:00 – 19:00 (GMT+01:00), für 40,00 Credits" in invitation["body"]
        assert invitation["meeting"] == {"id": meeting}
        assert (await at_a_glance(emil), await at_a_glance(uma)) == ((1, 0, 0, 1), (0, 0, 0, 0))

        world.clock.advance(hours=1)
        await emil.act("markNotificationsRead", ids=[invitation["id"]])
        await emil.act("approveMeeting", meetingId=meeting)
        approved = await pushed(hers)
        assert approved["notification"]["body"] == (
            "“Advice” with Emil Expert is agreed: Saturday, 20 March 2027, 13:00 – 14:00 (GMT-04:00)."
        )
        assert (await at_a_glance(emil), await at_a_glance(uma)) == ((0, 1, 0, 0), (1, 1, 0, 0))

    # Uma closes her laptop; meanwhile Emil writes, chooses another date and takes it back.
    chat = (await emil.act("openChat", meetingId=meeting))["chat"]["id"]
    await emil.act("sendChatMessage", chatId=chat, text="Können wir verschieben?")
    await emil.act("chooseAlternativeDate", meetingId=meeting, startsAt="2027-03-21T17:00:00Z")
    assert await at_a_glance(uma) == (3, 1, 0, 1)
    await emil.act("cancelAlternativeDate", meetingId=meeting)
    missed = ["CHAT_MESSAGE", "AGREED_MEETING_RESCHEDULED", "ALTERNATIVE_DATE_CANCELLED"]
    async with uma.listening(PUSHED, after=approved["cursor"]) as hers:
        assert [(await pushed(hers))["notification"]["kind"] for _ in missed] == missed
        assert [each["kind"] for each in await listed(uma)] == [*reversed(missed), "MEETING_APPROVED"]
        assert await at_a_glance(uma) == (4, 1, 0, 0)

        await uma.act("markChatRead", chatId=chat)
        assert await at_a_glance(uma) == (3, 1, 0, 0)
        await uma.act("markNotificationsRead")
        await emil.act("sendChatMessage", chatId=chat, text="Es bleibt dabei.")
        assert (await pushed(hers))["notification"]["body"] == "“Es bleibt dabei.”"
        assert await hers.silent()
    assert [each["kind"] for each in await listed(uma, unreadOnly=True)] == ["CHAT_MESSAGE"]
    world.clock.advance(days=30)
    assert (await at_a_glance(emil), await at_a_glance(uma)) == ((0, 0, 1, 0), (1, 0, 1, 0))
