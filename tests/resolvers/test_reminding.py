"""Reminders: when each is told and to whom, and what becomes of it if things change (N1-N3), over the public API."""

from typing import Any
from uuid import UUID

import pytest

from models import JoinLink, Notification
from resolvers.reminding import remind_of_meeting
from schema.ids import row_id
from tests.driving import Client, Service
from tests.joining import CONFERENCE, opened
from tests.negotiations import CANCELLER, CHOOSER, OTHER, PROPOSER, UPDATES, Negotiation
from tests.settlements import MINE, SMOOTH, THEIRS
from tests.telling import TOLD, listed

KINDS = ("MEETING_REMINDER", "MEETING_LINK", "PROGRESS_REMINDER")
PUSHED = "subscription { notificationReceived { notification { ...Told } } }" + TOLD
DAY_BEFORE, HOUR_BEFORE, DAY_AFTER = {"days": 9}, {"days": 9, "hours": 23}, {"days": 11, "hours": 1}
"From a proposal on: the meeting begins after ten days and lasts an hour."


@pytest.fixture
async def story(world: Service, uma: Client, emil: Client) -> Negotiation:
    """A meeting in ten days that was just agreed."""
    return await Negotiation(world, uma, emil).agree("USER")


def meeting_id(story: Negotiation) -> UUID:
    return row_id("Meeting", story.meeting["id"])


async def looked(story: Negotiation) -> bool:
    """Whether a worker that comes upon the meeting now finds anything due; to come again makes no difference."""
    found = await remind_of_meeting(meeting_id(story))
    async with story.world.nothing_changes():
        assert not await remind_of_meeting(meeting_id(story)), "once"
    return found


async def reminded(story: Negotiation) -> dict[str, list[str]]:
    """What each side was reminded of, in order."""
    return {
        side: [each["kind"] for each in reversed(await listed(story.side(side))) if each["kind"] in KINDS]
        for side in OTHER
    }


async def nothing_is_due(story: Negotiation) -> None:
    async with story.world.nothing_changes():
        assert not await remind_of_meeting(meeting_id(story))


async def join_url(story: Negotiation, side: str) -> str:
    found = await story.side(side).ask(CONFERENCE, id=story.meeting["id"])
    return str(found["meeting"]["conference"]["joinUrl"])


async def link_told(story: Negotiation, side: str) -> str:
    """The link in what a side was told last."""
    newest = (await listed(story.side(side)))[0]
    assert newest["kind"] == "MEETING_LINK"
    return str(newest["body"].rsplit(": ", 1)[1])


# When it is told, and to whom


@PROPOSER
async def test_n1_n2_n3_each_is_told_at_its_time_once_and_not_a_microsecond_before(
    world: Service, uma: Client, emil: Client, proposer: str
):
    story = await Negotiation(world, uma, emil).agree(proposer)
    agreed_at = world.clock.time
    expected: dict[str, list[str]] = {"USER": [], "EXPERT": []}
    for due, kind, sides in (
        (DAY_BEFORE, "MEETING_REMINDER", ["USER"]),
        (HOUR_BEFORE, "MEETING_LINK", ["USER", "EXPERT"]),
        (DAY_AFTER, "PROGRESS_REMINDER", ["USER", "EXPERT"]),
    ):
        world.clock.time = agreed_at
        world.clock.advance(**due, microseconds=-1)
        await nothing_is_due(story)
        world.clock.advance(microseconds=1)
        assert await looked(story)
        expected = {side: [*kinds, *[kind] * (side in sides)] for side, kinds in expected.items()}
        assert await reminded(story) == expected
    world.clock.advance(days=1000)
    await nothing_is_due(story)


@pytest.mark.parametrize(
    ("ahead", "expected"),
    [
        ({"days": 1, "microseconds": 1}, {"USER": [], "EXPERT": []}),
        ({"days": 1}, {"USER": ["MEETING_REMINDER"], "EXPERT": []}),
        ({"hours": 1, "microseconds": 1}, {"USER": ["MEETING_REMINDER"], "EXPERT": []}),
        ({"hours": 1}, {"USER": ["MEETING_LINK"], "EXPERT": ["MEETING_LINK"]}),
        ({"microseconds": 1}, {"USER": ["MEETING_LINK"], "EXPERT": ["MEETING_LINK"]}),
    ],
    ids=str,
)
async def test_n1_n2_agreed_late_it_is_told_at_once(
    world: Service, uma: Client, emil: Client, ahead: dict[str, Any], expected: dict[str, list[str]]
):
    story = await Negotiation(world, uma, emil).agree("USER", startsAt=world.at(**ahead))
    await world.beat()
    assert await reminded(story) == expected


async def test_n1_n2_the_clock_jumps_over_all_that_was_due_and_only_what_is_still_right_is_told(story: Negotiation):
    story.world.clock.advance(**DAY_AFTER)
    await story.world.beat()
    assert await reminded(story) == {"USER": ["PROGRESS_REMINDER"], "EXPERT": ["PROGRESS_REMINDER"]}


async def test_w1_i1_what_is_told_is_pushed_live_and_is_no_change_of_the_meeting(story: Negotiation):
    before = await story.seen("USER")
    story.world.clock.advance(**HOUR_BEFORE)
    async with (
        story.user.listening(PUSHED) as hers,
        story.expert.listening(PUSHED) as his,
        story.user.listening(UPDATES) as updates,
    ):
        assert await looked(story)
        for side, socket in (("USER", hers), ("EXPERT", his)):
            told = (await socket.next())["notificationReceived"]["notification"]
            assert told == (await listed(story.side(side)))[0]
            assert told["body"].endswith(f": {await join_url(story, side)}")
            assert await socket.silent()
        assert await updates.silent()
    assert await story.seen("USER") == before
    cancelled = {"expectedVersion": before["version"], "acknowledgeLateCancellation": True}
    await story.do("USER", "cancelMeeting", **cancelled)


# The link


async def test_n2_each_is_told_their_own_link_of_which_nothing_but_the_id_is_stored(story: Negotiation):
    story.world.clock.advance(**HOUR_BEFORE)
    assert await looked(story)
    urls = {side: await link_told(story, side) for side in OTHER}
    assert urls == {side: await join_url(story, side) for side in OTHER}
    assert urls["USER"] != urls["EXPERT"]
    for side, url in urls.items():
        token = url.rsplit("/", 1)[1]
        (row,) = await Notification.filter(
            meeting_id=meeting_id(story), person_id=row_id("Person", story.side(side).id), kind="MEETING_LINK"
        )
        assert token not in str(row.facts)
        link = await JoinLink.get(id=row.facts["join_link_id"])
        assert link.side == side
    story.world.clock.advance(minutes=45)
    answer = await opened(story.world, urls["USER"].removeprefix("http://localhost:8000"))
    assert answer.status_code == 200, "the platform is not ready, and she has come"


async def test_r4_a_moved_meeting_is_told_of_anew_with_the_new_links_and_what_was_told_stays(story: Negotiation):
    world = story.world
    world.clock.advance(**HOUR_BEFORE)
    assert await looked(story)
    old = {side: await link_told(story, side) for side in OTHER}
    told = (await listed(story.user))[0]
    await story.choose("USER", days=2)
    await story.do("EXPERT", "approveAlternativeDate")
    await nothing_is_due(story)
    world.clock.advance(days=1)
    assert await looked(story)
    world.clock.advance(hours=23)
    assert await looked(story)
    assert await reminded(story) == {
        "USER": ["MEETING_LINK", "MEETING_REMINDER", "MEETING_LINK"],
        "EXPERT": ["MEETING_LINK", "MEETING_LINK"],
    }
    new = {side: await link_told(story, side) for side in OTHER}
    assert len({*old.values(), *new.values()}) == 4
    assert new == {side: await join_url(story, side) for side in OTHER}
    assert told in await listed(story.user)
    assert (await opened(world, old["USER"].removeprefix("http://localhost:8000"))).status_code == 410


@CHOOSER
async def test_r3_while_an_alternative_waits_the_date_in_force_counts(story: Negotiation, chooser: str):
    await story.choose(chooser, days=9, hours=12)
    story.world.clock.advance(days=8, hours=12)
    await nothing_is_due(story)
    story.world.clock.advance(hours=12)
    assert await looked(story)
    assert await reminded(story) == {"USER": ["MEETING_REMINDER"], "EXPERT": []}
    (told, *_) = await listed(story.user)
    assert "Thursday, 11 March 2027, 12:00" in told["body"]


# Whether it is still right is decided when it is sent


@CANCELLER
@pytest.mark.parametrize("due", [DAY_BEFORE, HOUR_BEFORE], ids=["reminder", "link"])
async def test_n1_n2_cancelled_when_it_was_due_already_nobody_is_told(
    story: Negotiation, canceller: str, due: dict[str, int]
):
    story.world.clock.advance(**due)
    await story.do(canceller, "cancelMeeting", acknowledgeLateCancellation=True)
    await nothing_is_due(story)
    assert await reminded(story) == {"USER": [], "EXPERT": []}


@CHOOSER
async def test_n1_r4_moved_away_when_it_was_due_already_nobody_is_told(story: Negotiation, chooser: str):
    story.world.clock.advance(**DAY_BEFORE)
    await story.choose(chooser, days=5)
    await story.do(OTHER[chooser], "approveAlternativeDate")
    await nothing_is_due(story)
    assert await reminded(story) == {"USER": [], "EXPERT": []}


@pytest.mark.parametrize(("side", "said"), [("USER", SMOOTH), ("EXPERT", MINE)])
async def test_n3_settled_when_it_was_due_already_nobody_is_told(story: Negotiation, side: str, said: str):
    story.world.clock.advance(**DAY_AFTER)
    await story.do(side, "recordProgress", progress=said)
    await nothing_is_due(story)
    assert await reminded(story) == {"USER": [], "EXPERT": []}


@pytest.mark.parametrize(("side", "said"), [("USER", THEIRS), ("EXPERT", SMOOTH)])
async def test_n3_while_it_waits_only_who_has_not_spoken_is_told(story: Negotiation, side: str, said: str):
    story.world.clock.advance(**DAY_AFTER)
    await story.do(side, "recordProgress", progress=said)
    assert await looked(story)
    assert await reminded(story) == {side: [], OTHER[side]: ["PROGRESS_REMINDER"]}


async def test_n3_what_was_referred_reminds_nobody(story: Negotiation):
    story.world.clock.advance(**DAY_AFTER)
    await story.do("USER", "recordProgress", progress=THEIRS)
    await story.do("EXPERT", "recordProgress", progress=SMOOTH)
    assert await looked(story)
    assert await reminded(story) == {"USER": [], "EXPERT": []}


@PROPOSER
async def test_n1_of_a_proposal_that_nobody_approved_nobody_is_reminded(
    world: Service, uma: Client, emil: Client, proposer: str
):
    story = await Negotiation(world, uma, emil).propose(proposer)
    for due in (DAY_BEFORE, HOUR_BEFORE, DAY_AFTER):
        world.clock.reset()
        world.clock.advance(**due)
        await nothing_is_due(story)


async def test_r2_r4_a_revived_meeting_is_told_of_for_its_new_date(world: Service, uma: Client, emil: Client):
    story = await (await Negotiation(world, uma, emil).reject("USER")).choose("EXPERT", days=12)
    world.clock.advance(**DAY_BEFORE)
    await nothing_is_due(story)
    await story.do("USER", "approveAlternativeDate")
    world.clock.advance(days=2)
    assert await looked(story)
    assert await reminded(story) == {"USER": ["MEETING_REMINDER"], "EXPERT": []}
