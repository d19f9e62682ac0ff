"""The main job, end to end, as both sides live it: over HTTP and WebSocket, on a real database and Redis."""

from tests.driving import Client, Service

UPDATES = (
    "subscription { myMeetingUpdates { cursor event { sequence kind actor label } meeting { id status version } } }"
)
BALANCES = "subscription { creditAccountUpdates { available blocked } }"


async def kinds(socket, key: str, number: int) -> list[tuple[int, str]]:
    events = [(await socket.next(key))["myMeetingUpdates"]["event"] for _ in range(number)]
    return [(event["sequence"], event["kind"]) for event in events]


async def test_a_user_proposes_an_expert_approves_and_both_see_each_change_as_it_commits(
    world: Service, uma: Client, emil: Client
):
    async with uma.listening(UPDATES) as hers, emil.listening(UPDATES) as his, uma.listening(BALANCES) as purse:
        assert (await purse.next())["creditAccountUpdates"] == {"available": "100.00", "blocked": "0.00"}

        meeting = await uma.proposed(emil)
        assert meeting["status"] == "AWAITING_APPROVAL"
        assert meeting["creditPaymentStatus"] == "BLOCKED"
        for socket in (hers, his):
            assert await kinds(socket, "1", 2) == [(1, "MEETING_PROPOSED"), (2, "USER_APPROVED")]
        assert (await purse.next())["creditAccountUpdates"] == {"available": "60.00", "blocked": "40.00"}

        world.clock.advance(minutes=5)
        approved = await emil.act("approveMeeting", meetingId=meeting["id"])
        assert approved["meeting"]["status"] == "AGREED"
        for socket in (hers, his):
            update = (await socket.next())["myMeetingUpdates"]
            assert update["event"]["kind"] == "EXPERT_APPROVED"
            assert update["meeting"] == {"id": meeting["id"], "status": "AGREED", "version": 3}
        assert await purse.silent()
