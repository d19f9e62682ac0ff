"""Conflicts of what waits for one's answer: pushed as they come, change and go (C3, W1, W3)."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, ExitStack, aclosing
from typing import Any
from uuid import UUID

import pytest

import live.feeds
import resolvers.watching
from live.feeds import MOST_WAITING, Follower
from live.messages import News
from live.reading import feed_head
from models import Person
from models.feeds import FeedEntryKind
from models.ids import uuid7
from resolvers.conflicts import standing_conflicts
from schema.ids import row_id
from servers.redis import Redis
from tests.driving import Client, Service, Socket

WARNINGS = "subscription { conflictWarnings { meeting { id viewerSide } conflicts { id status viewerSide } } }"
CALLED_OFF = {"reasonCode": "OTHER", "acknowledgeLateCancellation": True}


@pytest.fixture
async def frieda(world: Service) -> Client:
    """An expert who takes nothing, so that there may be many meetings with her."""
    return await world.expert("Frieda Free", price="0.00")


@pytest.fixture
async def otto(world: Service) -> Client:
    """Another one."""
    return await world.expert("Otto Other", price="0.00")


@pytest.fixture
def quick_heartbeat(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live.feeds, "HEARTBEAT_SECONDS", 0.05)
    monkeypatch.setattr(live.feeds, "HEARTBEAT_WITHOUT_REDIS_SECONDS", 0.05)


async def warning(socket: Socket, key: str = "1") -> tuple[str, list[str]]:
    """The next push: which meeting waits, and what it collides with; all of it the viewer's."""
    pushed = (await socket.next(key))["conflictWarnings"]
    assert pushed["meeting"]["viewerSide"], pushed
    assert all(each["status"] == "AGREED" and each["viewerSide"] for each in pushed["conflicts"]), pushed
    return pushed["meeting"]["id"], [each["id"] for each in pushed["conflicts"]]


async def nothing_more(socket: Socket, viewer: Client) -> None:
    """All that happened to the viewer has been looked at, and nothing of it was pushed: a new conflict comes next."""
    ella = await viewer.world.expert("Ella Extra", price="0.00")
    far = {"startsAt": viewer.world.at(days=600)}
    waiting = (await ella.offered(viewer, price="0.00", **far))["id"]
    other = (await viewer.proposed(ella, **far))["id"]
    await act(ella, "approveMeeting", other)
    assert await warning(socket) == (waiting, [other])
    await act(ella, "cancelMeeting", waiting)
    assert await warning(socket) == (waiting, [])


async def act(client: Client, action: str, meeting_id: str, **given: Any) -> None:
    result = await client.act(action, meetingId=meeting_id, **given)
    assert result["__typename"] == "MeetingChanged", result


async def proposed(user: Client, expert: Client, **ahead: float) -> str:
    return (await user.proposed(expert, startsAt=user.world.at(**ahead)))["id"]


async def agreed(user: Client, expert: Client, **ahead: float) -> str:
    meeting_id = await proposed(user, expert, **ahead)
    await act(expert, "approveMeeting", meeting_id, acknowledgeConflicts=True)
    return meeting_id


async def rejected(user: Client, expert: Client, **ahead: float) -> str:
    meeting_id = await proposed(user, expert, **ahead)
    await act(expert, "rejectMeeting", meeting_id, reasonCode="OTHER")
    return meeting_id


async def choose(chooser: Client, meeting_id: str, **ahead: float) -> None:
    await act(chooser, "chooseAlternativeDate", meeting_id, startsAt=chooser.world.at(**ahead))


# Those that stand


async def test_c3_those_that_stand_come_first_in_either_role(world: Service, uma: Client, frieda: Client, otto: Client):
    """Of proposals and of alternative dates; each may collide with several meetings, in the viewer's other role too."""
    proposal = await proposed(uma, frieda, days=1)
    offer = (await otto.offered(frieda, startsAt=world.at(days=2), durationMinutes=60, price="0.00"))["id"]
    moved, revived = await agreed(uma, frieda, days=50), await rejected(uma, frieda, days=51)
    await choose(uma, moved, days=3)
    await choose(uma, revived, days=4)
    expected = {}
    for meeting_id, day in ((proposal, 1), (offer, 2), (moved, 3), (revived, 4)):
        early, late = await agreed(uma, frieda, days=day, minutes=-59), await agreed(frieda, otto, days=day, minutes=59)
        await agreed(uma, frieda, days=day, minutes=-120)
        expected[meeting_id] = [early, late]
    async with frieda.listening(WARNINGS) as hers, uma.listening(WARNINGS) as proposers:
        assert dict([await warning(hers) for _ in expected]) == expected
        await nothing_more(hers, frieda)
        await nothing_more(proposers, uma)


async def test_c3_nothing_is_pushed_where_nothing_collides(world: Service, uma: Client, frieda: Client, otto: Client):
    """Not with itself, not by touching, not with what is not agreed, and not with what the proposer has agreed."""
    meeting = await agreed(uma, frieda, days=1)
    await choose(uma, meeting, days=1, minutes=30)
    await proposed(uma, frieda, days=2)
    await agreed(uma, frieda, days=2, hours=1)
    await agreed(uma, otto, days=2)
    await proposed(uma, frieda, days=2, minutes=-10)
    await rejected(uma, frieda, days=2, minutes=-10)
    async with frieda.listening(WARNINGS) as hers:
        await nothing_more(hers, frieda)


# Those that come


async def test_c3_a_conflict_that_appears_because_another_meeting_is_agreed_is_pushed_and_so_is_a_second_one(
    world: Service, uma: Client, frieda: Client, otto: Client
):
    first, second, third = [await proposed(uma, frieda, days=1, minutes=minutes) for minutes in (0, 30, 60)]
    lesson = await proposed(frieda, otto, days=1, minutes=45)
    async with frieda.listening(WARNINGS) as hers, uma.listening(WARNINGS) as proposers:
        assert await hers.silent()
        await act(frieda, "approveMeeting", first)
        assert await warning(hers) == (second, [first]), "the third one only touches it"
        await act(otto, "approveMeeting", lesson)
        assert dict([await warning(hers) for _ in range(2)]) == {second: [first, lesson], third: [lesson]}
        await act(frieda, "cancelMeeting", first, **CALLED_OFF)
        assert await warning(hers) == (second, [lesson])
        await nothing_more(hers, frieda)
        await nothing_more(proposers, uma)


@pytest.mark.parametrize("origin", [agreed, rejected])
@pytest.mark.parametrize("chooser", ["USER", "EXPERT"])
async def test_c3_an_alternative_date_warns_the_side_that_is_to_answer_it_and_not_its_chooser(
    world: Service, uma: Client, frieda: Client, otto: Client, origin: Callable[..., Awaitable[str]], chooser: str
):
    """Both sides have an agreed meeting at that time, each its own."""
    mine, theirs = (uma, frieda) if chooser == "USER" else (frieda, uma)
    meeting = await origin(uma, frieda, days=9)
    await agreed(mine, otto, days=1)
    other = await agreed(theirs, await world.expert("Else", price="0.00"), days=1)
    async with theirs.listening(WARNINGS) as warned, mine.listening(WARNINGS) as spared:
        await choose(mine, meeting, days=1)
        assert await warning(warned) == (meeting, [other])
        await nothing_more(warned, theirs)
        await nothing_more(spared, mine)


async def test_c3_an_approval_that_was_acknowledged_warns_of_what_else_waits_then(
    world: Service, uma: Client, frieda: Client
):
    first, second, third = [await proposed(uma, frieda, days=1) for _ in range(3)]
    async with frieda.listening(WARNINGS) as hers:
        await act(frieda, "approveMeeting", first)
        assert dict([await warning(hers) for _ in range(2)]) == {second: [first], third: [first]}
        await act(frieda, "approveMeeting", second, acknowledgeConflicts=True)
        pushed = dict([await warning(hers) for _ in range(2)])
        assert {meeting: sorted(conflicts) for meeting, conflicts in pushed.items()} == {
            second: [],
            third: sorted([first, second]),
        }
        await nothing_more(hers, frieda)


# Those that go


def by(client: str, action: str, meeting: str, **given: Any) -> Callable[..., Awaitable[None]]:
    """One of the two people does something to one of the two meetings."""

    async def do(people: dict[str, Client], meetings: dict[str, str]) -> None:
        await act(people[client], action, meetings[meeting], **given)

    return do


async def reschedule_away(people: dict[str, Client], meetings: dict[str, str]) -> None:
    await choose(people["frieda"], meetings["other"], days=20)
    await act(people["uma"], "approveAlternativeDate", meetings["other"])


async def lapse(people: dict[str, Client], meetings: dict[str, str]) -> None:
    world = people["uma"].world
    world.clock.advance(days=1)
    await world.beat()


OF_BOTH = {
    "the worker records that it has lapsed": lapse,
    "the other meeting is cancelled by the viewer": by("frieda", "cancelMeeting", "other", **CALLED_OFF),
    "the other meeting is cancelled by the other side": by("uma", "cancelMeeting", "other", **CALLED_OFF),
    "the other meeting is rescheduled away": reschedule_away,
}
OF_PROPOSALS = {
    "own approval": by("frieda", "approveMeeting", "waiting", acknowledgeConflicts=True),
    "own rejection": by("frieda", "rejectMeeting", "waiting", reasonCode="OTHER"),
    "the proposer takes it back": by("uma", "cancelMeeting", "waiting"),
    **OF_BOTH,
}
OF_ALTERNATIVES = {
    "own approval": by("frieda", "approveAlternativeDate", "waiting", acknowledgeConflicts=True),
    "own rejection": by("frieda", "rejectAlternativeDate", "waiting", reasonCode="OTHER"),
    "the chooser takes it back": by("uma", "cancelAlternativeDate", "waiting"),
    "the chooser cancels all of it": by("uma", "cancelMeeting", "waiting", **CALLED_OFF),
    **OF_BOTH,
}


@pytest.mark.parametrize("goes", OF_PROPOSALS.values(), ids=OF_PROPOSALS.keys())
async def test_c3_a_conflict_of_a_proposal_that_is_gone_is_pushed_once_and_empty(
    world: Service, uma: Client, frieda: Client, goes: Callable[..., Awaitable[None]]
):
    waiting, other = await proposed(uma, frieda, days=1, minutes=-1), await agreed(uma, frieda, days=1)
    async with frieda.listening(WARNINGS) as hers:
        assert await warning(hers) == (waiting, [other])
        await goes({"uma": uma, "frieda": frieda}, {"waiting": waiting, "other": other})
        assert await warning(hers) == (waiting, [])
        await nothing_more(hers, frieda)


@pytest.mark.parametrize("goes", OF_ALTERNATIVES.values(), ids=OF_ALTERNATIVES.keys())
@pytest.mark.parametrize("origin", [agreed, rejected])
async def test_c3_a_conflict_of_an_alternative_date_that_is_gone_is_pushed_once_and_empty(
    world: Service,
    uma: Client,
    frieda: Client,
    origin: Callable[..., Awaitable[str]],
    goes: Callable[..., Awaitable[None]],
):
    waiting, other = await origin(uma, frieda, days=9), await agreed(uma, frieda, days=1)
    async with frieda.listening(WARNINGS) as hers:
        await choose(uma, waiting, days=1, minutes=-1)
        assert await warning(hers) == (waiting, [other])
        await goes({"uma": uma, "frieda": frieda}, {"waiting": waiting, "other": other})
        assert await warning(hers) == (waiting, [])
        await nothing_more(hers, frieda)


async def test_c3_nothing_stands_any_more_once_the_start_has_come_and_before_the_worker_has_recorded_it(
    world: Service, uma: Client, frieda: Client
):
    waiting, other = await proposed(uma, frieda, days=1), await agreed(uma, frieda, days=1)
    world.clock.advance(days=1, microseconds=-1)
    async with frieda.listening(WARNINGS) as hers:
        assert await warning(hers) == (waiting, [other])
    world.clock.advance(microseconds=1)
    async with frieda.listening(WARNINGS) as hers:
        await nothing_more(hers, frieda)


async def test_c3_what_was_pushed_empty_is_pushed_again_when_it_collides_again(
    world: Service, uma: Client, frieda: Client
):
    waiting, other = await proposed(uma, frieda, days=1), await agreed(uma, frieda, days=1)
    async with frieda.listening(WARNINGS) as hers:
        assert await warning(hers) == (waiting, [other])
        for _ in range(2):
            await act(frieda, "cancelMeeting", other, **CALLED_OFF)
            assert await warning(hers) == (waiting, [])
            other = await agreed(uma, frieda, days=1)
            assert await warning(hers) == (waiting, [other])


async def test_c3_nothing_is_pushed_of_news_that_change_no_conflict(
    world: Service, uma: Client, frieda: Client, stella: Client
):
    waiting, other = await proposed(uma, frieda, days=1), await agreed(uma, frieda, days=1, minutes=30)
    async with frieda.listening(WARNINGS) as hers:
        assert await warning(hers) == (waiting, [other])
        await stella.act("grantCredits", personId=frieda.id, amount="1.00")
        await agreed(uma, frieda, days=1, hours=-5)
        await choose(uma, other, days=1, minutes=10)
        await act(frieda, "rejectAlternativeDate", other, reasonCode="OTHER")
        await nothing_more(hers, frieda)


# Who is told


async def test_w3_nobody_is_told_of_conflicts_that_are_not_theirs(
    world: Service, uma: Client, frieda: Client, otto: Client
):
    """Not the proposer, no stranger, and staff no more than anybody."""
    stella = await world.expert("Stella Staff", price="0.00", roles=["staff"])
    async with AsyncExitStack() as open_:
        hers, *spared = [
            await open_.enter_async_context(each.listening(WARNINGS)) for each in (frieda, uma, otto, stella)
        ]
        waiting, other = await proposed(uma, frieda, days=1), await agreed(otto, frieda, days=1)
        assert await warning(hers) == (waiting, [other])
        for socket, viewer in zip(spared, (uma, otto, stella), strict=True):
            await nothing_more(socket, viewer)


async def test_c3_each_of_several_subscriptions_gets_all_that_differs_from_what_it_was_sent(
    world: Service, uma: Client, frieda: Client, otto: Client
):
    waiting = await proposed(uma, frieda, days=1)
    async with frieda.listening(WARNINGS) as early:
        first = await agreed(frieda, otto, days=1)
        assert await warning(early) == (waiting, [first])
        async with frieda.listening(WARNINGS) as late:
            assert await warning(late) == (waiting, [first])
            await late.subscribe(WARNINGS, key="2")
            assert await warning(late, key="2") == (waiting, [first])
            second = await agreed(frieda, otto, days=1, minutes=1)
            assert await warning(early) == (waiting, [first, second])
            messages = [await late.receive() for _ in range(2)]
            assert {each["id"] for each in messages} == {"1", "2"}
            for each in messages:
                conflicts = each["payload"]["data"]["conflictWarnings"]["conflicts"]
                assert [conflict["id"] for conflict in conflicts] == [first, second]
        await act(frieda, "rejectMeeting", waiting, reasonCode="OTHER")
        assert await warning(early) == (waiting, [])
        await nothing_more(early, frieda)


# However the news arrive


@pytest.mark.usefixtures("quick_heartbeat")
async def test_c3_w2_conflicts_come_and_go_while_redis_is_away_and_after_it_is_back(
    world: Service, uma: Client, frieda: Client, redis_server: Redis
):
    waiting = await proposed(uma, frieda, days=1)
    async with frieda.listening(WARNINGS) as hers:
        with ExitStack() as back:
            redis_server.kill()
            back.callback(redis_server.start)
            first = await agreed(uma, frieda, days=1)
            assert await warning(hers) == (waiting, [first])
        async with asyncio.timeout(10):
            while world.app.state.feeds._broadcast.lost.is_set():  # noqa: ASYNC110 - the event tells of the opposite
                await asyncio.sleep(0.01)
        await act(frieda, "cancelMeeting", first, **CALLED_OFF)
        assert await warning(hers) == (waiting, [])
        await nothing_more(hers, frieda)


async def test_c3_what_changes_while_one_subscribes_is_pushed(
    world: Service, uma: Client, frieda: Client, monkeypatch: pytest.MonkeyPatch
):
    """After the conflicts that stand have been found, and before anything of them is sent."""
    waiting = await proposed(uma, frieda, days=1)
    agreed_meanwhile: list[str] = []

    async def find_then_agree(viewer: Person) -> dict[UUID, Any]:
        found = await standing_conflicts(viewer)
        if not agreed_meanwhile:
            agreed_meanwhile.append(await agreed(uma, frieda, days=1))
        return found

    monkeypatch.setattr(resolvers.watching, "standing_conflicts", find_then_agree)
    async with frieda.listening(WARNINGS) as hers:
        assert await warning(hers) == (waiting, agreed_meanwhile)


async def test_c3_after_a_burst_of_news_conflicts_are_found_once_and_not_for_each(
    world: Service, uma: Client, frieda: Client, stella: Client, monkeypatch: pytest.MonkeyPatch
):
    news = 30
    times = 0
    busy, free = asyncio.Event(), asyncio.Event()

    async def count_and_wait(viewer: Person) -> dict[UUID, Any]:
        nonlocal times
        times += 1
        if times == 2:
            busy.set()
            await free.wait()
        return await standing_conflicts(viewer)

    monkeypatch.setattr(resolvers.watching, "standing_conflicts", count_and_wait)
    async with frieda.listening(WARNINGS) as hers:
        for number in range(news):
            await stella.act("grantCredits", personId=frieda.id, amount="0.01")
            if number == 0:
                async with asyncio.timeout(10):
                    await busy.wait()
        free.set()
        await nothing_more(hers, frieda)
    assert times < news


async def test_a_follower_passes_over_what_waits_however_much_it_is(world: Service, uma: Client, stella: Client):
    viewer = row_id("Person", uma.id)
    async with aclosing(await world.app.state.feeds.follow(viewer)) as follower, asyncio.timeout(20):
        for burst in (3, MOST_WAITING + 5):
            start = follower.position
            for _ in range(burst):
                await stella.act("grantCredits", personId=uma.id, amount="0.01")
            while follower.position < start + burst:
                await follower.something_new()
            assert follower.position == await feed_head(viewer)


async def test_a_follower_passes_over_nothing_that_arrives_later():
    follower = Follower(uuid7())
    one, two, three = [(position, News(FeedEntryKind.NOTIFICATION, uuid7())) for position in (1, 2, 3)]
    follower.offer([one, two])
    await follower.something_new()
    follower.offer([two, three])
    assert await anext(follower) == three[1]
