"""What waits, and for how long."""

from datetime import timedelta

from resolvers.backlog import DUE, backlog
from tests.driving import Client, Service
from tests.negotiations import Negotiation
from tests.settlements import WEEK_HOURS, held

NOTHING = dict.fromkeys(DUE, timedelta(0))
HOURS = 3
"For which nobody works."


async def idle(world: Service, what: str) -> None:
    """Nobody works for some hours; then what was due is done, and nothing is overdue any more."""
    world.clock.advance(hours=HOURS)
    assert (await backlog()).overdue[what] >= timedelta(hours=HOURS), "of others, something may have been due before"
    await world.beat(mail=True)
    assert (await backlog()).overdue == NOTHING


async def test_what_has_not_been_answered_in_time(world: Service, uma: Client, emil: Client):
    await world.beat(mail=True)
    await uma.proposed(emil)
    world.clock.advance(days=1)
    await idle(world, "lapse_meetings")


async def test_an_alternative_date_that_has_not_been_answered_in_time(world: Service, uma: Client, emil: Client):
    negotiation = await Negotiation(world, uma, emil).agree("USER")
    await negotiation.choose("EXPERT", days=5)
    world.clock.advance(days=5)
    await idle(world, "lapse_meetings")


async def test_a_meeting_that_nobody_has_settled(world: Service, uma: Client, emil: Client):
    await held(world, uma, emil)
    world.clock.advance(hours=WEEK_HOURS)
    await idle(world, "settle_meetings")


async def test_a_reminder_that_nobody_was_sent(world: Service, uma: Client, emil: Client):
    await Negotiation(world, uma, emil).agree("USER")
    world.clock.advance(days=10)
    await idle(world, "remind_of_meetings")


async def test_what_nobody_has_mailed_or_told_the_platform(world: Service, uma: Client, emil: Client):
    await world.beat(mail=True)
    before = await backlog()
    await Negotiation(world, uma, emil).agree("USER")
    waiting = await backlog()
    assert waiting.mails > before.mails
    assert waiting.conferences == before.conferences + 1
    world.clock.advance(hours=HOURS)
    assert (await backlog()).overdue["conference"] >= timedelta(hours=HOURS)
    world.clock.advance(hours=-HOURS)
    await idle(world, "mail")
    after = await backlog()
    assert (after.mails, after.conferences) == (before.mails, before.conferences)
