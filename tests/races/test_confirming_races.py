"""Two at once, and those who send meanwhile: what is done once is confirmed once, and calendars end up right (N)."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from datetime import datetime
from typing import Any

import pytest

from models import Delivery, Notification
from resolvers.mailing import send_due_mails
from schema.ids import row_id
from tests.calendars import Calendar, calendar_part
from tests.driving import Client, Service
from tests.mail.server import MailServer, mailed_by_smtp
from tests.negotiations import OTHER, Negotiation
from tests.races import ROUNDS, all_at_once

DONE = "MeetingChanged"


@pytest.fixture
async def server(world: Service) -> AsyncIterator[MailServer]:
    async with mailed_by_smtp() as server:
        yield server


@pytest.fixture(params=range(max(1, ROUNDS // 2)))
def round_(request: pytest.FixtureRequest) -> int:
    return int(request.param)


async def confirmed(story: Negotiation) -> list[str]:
    """The kinds of what was confirmed to either side."""
    told = {each.id: each.kind for each in await Notification.filter(meeting_id=row_id("Meeting", story.meeting["id"]))}
    return sorted(
        told[each.notification_id] for each in await Delivery.filter(confirmation=True) if each.notification_id in told
    )


@pytest.mark.usefixtures("round_")
@pytest.mark.parametrize("keys", [["one", "one", "one"], ["one", "two", "three"], [None, None, None]], ids=str)
async def test_i1_of_several_approvals_at_once_one_is_confirmed(
    world: Service, uma: Client, emil: Client, keys: list[str | None]
):
    story = await Negotiation(world, uma, emil).propose("USER")
    keyed = [{"idempotencyKey": key} if key else {} for key in keys]
    await all_at_once(*(story.attempt("EXPERT", "approveMeeting", **given) for given in keyed))
    assert await confirmed(story) == ["MEETING_APPROVED"]


@pytest.mark.usefixtures("round_")
async def test_k6_both_cancel_at_once_and_whoever_did_has_it_confirmed(world: Service, uma: Client, emil: Client):
    story = await Negotiation(world, uma, emil).agree("USER")
    results = await all_at_once(*(story.attempt(side, "cancelMeeting", reasonCode="OTHER") for side in OTHER))
    (by,) = [side for side, result in zip(OTHER, results, strict=True) if result["__typename"] == DONE]
    assert await confirmed(story) == sorted(["MEETING_APPROVED", f"MEETING_CANCELLED_BY_{by}"])


@pytest.mark.usefixtures("round_")
@pytest.mark.parametrize("meanwhile", ["cancelMeeting", "rejectAlternativeDate"])
async def test_n_whatever_comes_first_and_whenever_it_is_sent_both_calendars_end_up_right(
    world: Service, uma: Client, emil: Client, server: MailServer, meanwhile: str
):
    """Emil's new date is approved, while it is turned down or he calls it all off, and while e-mails are sent."""

    async def sending() -> dict[str, Any]:
        while await send_due_mails():
            pass
        return {}

    story = await (await Negotiation(world, uma, emil).agree("USER")).choose("EXPERT")
    by = "EXPERT" if meanwhile == "cancelMeeting" else "USER"
    actions: list[Coroutine[Any, Any, dict[str, Any]]] = [
        story.attempt("USER", "approveAlternativeDate"),
        story.attempt(by, meanwhile, reasonCode="OTHER"),
        *(sending() for _ in range(3)),
    ]
    await all_at_once(*actions)
    await asyncio.gather(sending(), sending())
    meeting = await story.seen("USER")
    for client in (uma, emil):
        calendar = Calendar()
        for message in server.to(f"{client.sub}@example.com"):
            if (part := calendar_part(message)) is not None:
                calendar.take(part)
        agreed = [datetime.fromisoformat(meeting["startsAt"])] if meeting["status"] == "AGREED" else []
        assert [each.starts_at for each in calendar.shown] == agreed
