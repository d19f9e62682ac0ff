"""The dashboard (Q2): what it counts is what the meetings and their actions say, at every moment."""

from itertools import product

from tests.driving import Client, Service
from tests.negotiations import OTHER, Negotiation

COUNTS = "meetingDashboard { scheduled held awaitingMyAnswer }"
DASHBOARD = f"""
{{ {COUNTS} upcoming: meetings(phase: UPCOMING, first: 100) {{ ...Listed }}
   past: meetings(phase: PAST, first: 100) {{ ...Listed }} }}
fragment Listed on MeetingConnection {{
  edges {{ node {{ id status endsAt actions {{ kind allowed }} }} }} pageInfo {{ hasNextPage }}
}}
"""
ANSWERS = {"APPROVE", "APPROVE_ALTERNATIVE_DATE"}

Counts = dict[str, int]


async def shown(client: Client) -> Counts:
    return (await client.ask(f"{{ {COUNTS} }}"))["meetingDashboard"]


async def shown_and_counted(client: Client) -> tuple[Counts, Counts]:
    """What the dashboard says, and the same as the list of the meetings has it."""
    answer = await client.ask(DASHBOARD)
    assert not any(answer[phase]["pageInfo"]["hasNextPage"] for phase in ("upcoming", "past"))
    found = [edge["node"] for phase in ("upcoming", "past") for edge in answer[phase]["edges"]]
    agreed = [each["endsAt"] > client.world.at() for each in found if each["status"] == "AGREED"]
    answerable = [{action["kind"] for action in each["actions"] if action["allowed"]} & ANSWERS for each in found]
    return answer["meetingDashboard"], {
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
    for days in (5, 10, 15):
        for hours, seconds in product((0, 1), (-1, 0, 1)):  # starts, and ends
            world.clock.reset()
            world.clock.advance(days=days, hours=hours, seconds=seconds)
            for client in (uma, emil):
                counts, expected = await shown_and_counted(client)
                assert counts == expected, (days, hours, seconds)
                seen.add(tuple(counts.values()))
        await world.beat()
        for client in (uma, emil):
            counts, expected = await shown_and_counted(client)
            assert counts == expected, f"recorded on day {days}"
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
