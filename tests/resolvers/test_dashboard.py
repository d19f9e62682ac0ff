"""The dashboard (Q2): what it counts is what the meetings and their actions say, at every moment."""

from itertools import product
from typing import Any

import asyncpg

from models.ids import NOTHING
from tests.driving import Client, Service, all_edges
from tests.negotiations import OTHER, Negotiation
from tests.resolvers.test_plans import BUSY, crowded, rows_touched
from tests.statements import statements

__all__ = ["crowded"]

MEETINGS = """
query($phase: MeetingPhase, $after: String) { meetings(phase: $phase, first: 100, after: $after) {
  edges { cursor node { id status endsAt actions { kind allowed } } }
  pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
} }
"""
ANSWERS = {"APPROVE", "APPROVE_ALTERNATIVE_DATE"}

Counts = dict[str, int]


async def shown(client: Client) -> Counts:
    return (await client.ask("{ meetingDashboard { scheduled held awaitingMyAnswer } }"))["meetingDashboard"]


async def counted(client: Client) -> Counts:
    """The same, as the list of the meetings has it."""
    found: list[dict[str, Any]] = []
    for phase in ("UPCOMING", "PAST"):

        async def page(after: str | None, phase: str = phase) -> dict[str, Any]:
            return (await client.ask(MEETINGS, phase=phase, after=after))["meetings"]

        found += [edge["node"] for edge in await all_edges(page, first=100)]
    agreed = [each["endsAt"] > client.world.at() for each in found if each["status"] == "AGREED"]
    answerable = [{action["kind"] for action in each["actions"] if action["allowed"]} & ANSWERS for each in found]
    return {
        "scheduled": agreed.count(True),
        "held": agreed.count(False),
        "awaitingMyAnswer": sum(map(bool, answerable)),
    }


async def test_q2_nobody_has_anything_at_first(world: Service, uma: Client):
    assert await shown(uma) == {"scheduled": 0, "held": 0, "awaitingMyAnswer": 0}


async def make_every_state(world: Service, user: Client, expert: Client) -> None:
    """Meetings in ten days in every state there is, with alternative dates before them and after them."""
    for side, other in OTHER.items():
        await Negotiation(world, user, expert).propose(side)
        await Negotiation(world, user, expert).agree(side)
        await Negotiation(world, user, expert).reject(side)
        await (await Negotiation(world, user, expert).agree(side)).do(other, "cancelMeeting")
        for rejected, days, answered in product((True, False), (5, 15), (True, False)):
            story = Negotiation(world, user, expert)
            await (story.reject("USER") if rejected else story.agree("USER"))
            await story.choose(side, days=days)
            if answered and days == 15:
                await story.do(other, "approveAlternativeDate", acknowledgeConflicts=True)
            elif answered:
                await story.do(other, "rejectAlternativeDate")
    await (await Negotiation(world, user, expert).agree("USER")).choose("USER", days=15)  # the two are not alike


async def test_q2_it_counts_what_the_meetings_and_their_actions_say_at_every_moment(world: Service):
    """Around every start and end, before and after the worker has recorded what has lapsed."""
    uma = await world.somebody("Uma User", credits="10000.00")
    emil = await world.expert("Emil Expert")
    await make_every_state(world, uma, emil)
    seen = set()
    for days in (0, 5, 10, 15):
        for hours in (0, 1):  # starts, and ends
            for seconds in (-1, 0, 1):
                world.clock.reset()
                world.clock.advance(days=days, hours=hours, seconds=seconds)
                for client in (uma, emil):
                    counts = await shown(client)
                    assert counts == await counted(client), (days, hours, seconds)
                    seen.add(tuple(counts.values()))
        await world.beat()
        for client in (uma, emil):
            assert await shown(client) == await counted(client), f"recorded on day {days}"
    assert all(len(set(figures)) > 2 for figures in zip(*seen, strict=True)), "and each changed"


async def test_q2_one_is_counted_in_either_role_and_nobody_elses_meetings_are(
    world: Service, uma: Client, emil: Client, stella: Client
):
    eva = await world.expert("Eva Expert", price="0.00")
    proposed = await emil.proposed(eva)
    await uma.proposed(emil)
    assert await shown(emil) == {"scheduled": 0, "held": 0, "awaitingMyAnswer": 1}
    await eva.act("approveMeeting", meetingId=proposed["id"])
    assert await shown(emil) == {"scheduled": 1, "held": 0, "awaitingMyAnswer": 1}
    assert await shown(eva) == {"scheduled": 1, "held": 0, "awaitingMyAnswer": 0}
    assert await shown(uma) == await shown(stella) == {"scheduled": 0, "held": 0, "awaitingMyAnswer": 0}


async def test_q2_it_touches_ones_own_meetings_alone_however_many_others_there_are(
    world: Service, uma: Client, crowded: asyncpg.Connection
):
    """Of a hundred thousand, for whoever has some fifty of them as for whoever has a fifth of them all."""
    with statements() as sent:
        await shown(uma)
    ((text, (_, now)),) = [each for each in sent if "awaiting_my_answer" in each[0]]
    own = "SELECT count(*), count(alternative_id) FROM meeting WHERE $1 IN (user_id, expert_id)"
    people = await crowded.fetch("SELECT DISTINCT ON (status) user_id FROM meeting WHERE expert_id <> $1", BUSY)
    for mode, person in product(("custom", "generic"), (BUSY, *(row["user_id"] for row in people))):
        await crowded.execute(f"SET plan_cache_mode = force_{mode}_plan")
        meetings, waiting = await crowded.fetchrow(own, person)
        assert meetings > 10
        assert await rows_touched(crowded, (text, [person, now]), NOTHING) <= meetings + waiting
