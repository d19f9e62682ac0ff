"""What people and the clock can do at the same instant when somebody is to be reminded (N1-N3, R4, J1)."""

import asyncio
import random
from typing import Any
from uuid import UUID

import pytest

from models import JoinLink, Notification
from resolvers.reminding import remind_of_meeting
from rules.terms import NotificationKind
from schema.ids import row_id
from tests.driving import Client, Service
from tests.negotiations import OTHER, Negotiation
from tests.races import ROUNDS, all_at_once
from tests.settlements import EXPERTIMS, SMOOTH, THEIRS

DONE = "MeetingChanged"


@pytest.fixture(params=range(max(1, ROUNDS // 2)))
def round_(request: pytest.FixtureRequest) -> int:
    return int(request.param)


def meeting_id(story: Negotiation) -> UUID:
    return row_id("Meeting", story.meeting["id"])


async def told(story: Negotiation) -> list[Notification]:
    """What was told of the meeting by reminders, in order."""
    kinds = (NotificationKind.MEETING_REMINDER, NotificationKind.MEETING_LINK, NotificationKind.PROGRESS_REMINDER)
    return await Notification.filter(meeting_id=meeting_id(story), kind__in=kinds).order_by("id")


async def by_the_clock(story: Negotiation, **time: float) -> dict[str, Any]:
    """The time comes, and several workers come upon the meeting."""
    story.world.clock.advance(**time)
    await asyncio.gather(*(remind_of_meeting(meeting_id(story)) for _ in range(3)))
    return {"__typename": "Worker"}


@pytest.mark.usefixtures("round_")
async def test_j1_many_workers_at_once_tell_each_thing_once(world: Service, uma: Client, emil: Client):
    story = await Negotiation(world, uma, emil).agree("USER")
    for time, number in (({"days": 9}, 1), ({"hours": 23}, 3), ({"days": 1, "hours": 2}, 5)):
        await all_at_once(by_the_clock(story, **time), *(by_the_clock(story) for _ in range(4)))
        assert len(await told(story)) == number


@pytest.mark.usefixtures("round_")
@pytest.mark.parametrize("moved_to", [{"days": 5}, {"minutes": 30}], ids=["later", "soon"])
async def test_r4_a_new_date_is_approved_as_the_links_of_the_old_one_are_due(
    world: Service, uma: Client, emil: Client, moved_to: dict[str, int]
):
    """In whichever order: nobody is told a link that was no longer good, and each date is told of once."""
    story = await Negotiation(world, uma, emil).agree("USER")
    world.clock.advance(days=9, hours=23, microseconds=-1)
    await by_the_clock(story)
    chooser = random.choice(list(OTHER))
    await story.choose(chooser, **moved_to)
    approved, _ = await all_at_once(
        story.attempt(OTHER[chooser], "approveAlternativeDate"), by_the_clock(story, microseconds=1)
    )
    assert approved["__typename"] == DONE
    await by_the_clock(story)
    links = {link.id: link for link in await JoinLink.filter(meeting_id=meeting_id(story))}
    seen = [each for each in await told(story) if each.kind is NotificationKind.MEETING_LINK]
    # Ids grow with time: what was told before the approval is of the old links, what came after it of the new ones.
    dates = [links[UUID(str(each.facts["join_link_id"]))].revoked_at is not None for each in seen]
    soon = moved_to == {"minutes": 30}
    assert dates in ([True] * 2 + [False] * 2 * soon, [False] * 2 * soon)
    world.clock.advance(days=4, hours=23)
    await by_the_clock(story)
    again = [each for each in await told(story) if each.kind is NotificationKind.MEETING_LINK]
    assert len(again) == len(seen) + 2 * (not soon)


@pytest.mark.usefixtures("round_")
async def test_n2_it_is_cancelled_as_the_links_are_due(world: Service, uma: Client, emil: Client):
    story = await Negotiation(world, uma, emil).agree("USER")
    world.clock.advance(days=9, hours=23, microseconds=-1)
    await by_the_clock(story)
    side = random.choice(list(OTHER))
    cancel = story.attempt(side, "cancelMeeting", reasonCode="OTHER", acknowledgeLateCancellation=True)
    cancelled, _ = await all_at_once(cancel, by_the_clock(story, microseconds=1))
    assert cancelled["__typename"] == DONE
    everything = await Notification.filter(
        meeting_id=meeting_id(story), person_id=row_id("Person", story.side(OTHER[side]).id)
    ).order_by("id")
    assert everything[-1].kind.value == f"MEETING_CANCELLED_BY_{side}", "after which nobody is told to join"
    number = len(await told(story))
    assert number in (1, 3)
    await by_the_clock(story)
    assert len(await told(story)) == number


@pytest.mark.usefixtures("round_")
async def test_n3_both_say_how_it_went_as_they_are_to_be_reminded_to(world: Service, uma: Client, emil: Client):
    story = await Negotiation(world, uma, emil).agree("USER")
    world.clock.advance(days=11, hours=1, microseconds=-1)
    await by_the_clock(story)
    assert await told(story) == []
    words = {side: random.choice([SMOOTH, THEIRS, EXPERTIMS]) for side in OTHER}
    results = await all_at_once(
        *(story.attempt(side, "recordProgress", progress=said) for side, said in words.items()),
        by_the_clock(story, microseconds=1),
    )
    assert [each["__typename"] for each in results] == [DONE, DONE, "Worker"]
    await by_the_clock(story)
    reminded = [each.person_id for each in await told(story)]
    assert len(reminded) <= 2
    assert len(set(reminded)) == len(reminded)
