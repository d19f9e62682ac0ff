"""What is pushed while the database is away (W2), over the public API."""

from typing import Any

import pytest

from models.transactions import DatabaseUnavailable
from resolvers import watching
from schema import pushing
from schema.ahead import look_ahead
from tests.driving import Client, Service


async def test_w2_a_push_that_cannot_be_read_yet_waits_and_those_after_it_follow_in_their_order(
    world: Service, uma: Client, emil: Client, monkeypatch: pytest.MonkeyPatch
):
    failures = [3]

    async def fail_at_first(info: Any, value: Any) -> Any:
        if failures[0]:
            failures[0] -= 1
            raise DatabaseUnavailable("away")
        return await look_ahead(info, value)

    monkeypatch.setattr(pushing, "look_ahead", fail_at_first)
    monkeypatch.setattr(watching, "PAUSE_AFTER_FAILURE_SECONDS", 0.01)
    query = "subscription { myMeetingUpdates { event { sequence kind } meeting { service { name } } } }"
    async with emil.listening(query) as socket:
        meeting = await uma.proposed(emil)
        await emil.act("approveMeeting", meetingId=meeting["id"])
        for number, kind in enumerate(("MEETING_PROPOSED", "USER_APPROVED", "EXPERT_APPROVED"), start=1):
            update = (await socket.next())["myMeetingUpdates"]
            assert update["event"] == {"sequence": number, "kind": kind}
    assert failures == [0]
