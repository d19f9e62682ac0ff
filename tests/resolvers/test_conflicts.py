"""What collides with a date that waits for an answer (C2), over the public API."""

from datetime import timedelta

import pytest

from models import Meeting, Person
from models.ids import uuid7
from resolvers.conflicts import conflicts_of
from rules.terms import Answer, CreditPaymentStatus, MeetingStatus, Side
from schema.ids import row_id
from tests.driving import Client, Service
from tests.statements import statements


@pytest.fixture
async def frieda(world: Service) -> Client:
    """An expert who takes nothing, so that there may be many meetings with her."""
    return await world.expert("Frieda Free", price="0.00")


async def agreed(user: Client, expert: Client, **ahead: float) -> str:
    meeting = await user.proposed(expert, startsAt=user.world.at(**ahead))
    assert (await expert.act("approveMeeting", meetingId=meeting["id"]))["meeting"]["status"] == "AGREED"
    return meeting["id"]


async def conflicts(viewer: Client, meeting_id: str) -> list[str]:
    meeting = await viewer.meeting(meeting_id)
    assert meeting is not None
    return [each["id"] for each in meeting["conflicts"]]


async def test_c2_whoever_is_to_answer_sees_the_agreed_meetings_that_overlap(
    world: Service, uma: Client, frieda: Client
):
    """In either role, soonest first; touching is no overlap, and each meeting has its own."""
    eva, egon = [await world.expert(name, price="0.00") for name in ("Eva Expert", "Egon Extra")]
    late = await agreed(uma, frieda, days=1, minutes=59)
    early = await agreed(frieda, eva, days=1, minutes=-59)
    await agreed(uma, egon, days=1)  # a conflict of the proposer's is nobody else's
    between = await agreed(uma, frieda, days=3)
    touching = [await agreed(uma, frieda, days=5, hours=hours) for hours in (-1, 1)]
    soon, later, free, last = [
        (await uma.proposed(frieda, startsAt=world.at(days=days)))["id"] for days in (1, 3, 5, 7)
    ]
    assert await conflicts(frieda, soon) == [early, late]
    assert await conflicts(uma, soon) == []
    edges = (await frieda.ask("{ meetings { edges { node { id conflicts { id } } } } }"))["meetings"]["edges"]
    seen = {edge["node"]["id"]: [each["id"] for each in edge["node"]["conflicts"]] for edge in edges}
    waiting = {soon: [early, late], later: [between], free: [], last: []}
    assert seen == {**waiting, **{each: [] for each in (early, late, between, *touching)}}


async def test_c2_nobody_is_shown_conflicts_of_a_meeting_that_does_not_wait_for_them(
    world: Service, uma: Client, frieda: Client
):
    stella = await world.expert("Stella Staff", price="0.00", roles=["staff"])
    await agreed(uma, stella, days=1)
    waiting = (await uma.proposed(frieda, startsAt=world.at(days=1)))["id"]
    assert await conflicts(stella, waiting) == [], "staff's own meetings are no conflicts of a meeting of others"
    assert await conflicts(uma, waiting) == []
    assert await conflicts(frieda, waiting) == []


async def test_c3_however_many_dates_wait_their_conflicts_are_found_at_once(
    world: Service, uma: Client, frieda: Client
):
    """Whoever sends somebody thousands of proposals must not silence their warnings."""
    agreed_id = row_id("Meeting", await agreed(uma, frieda, days=2))
    waiting = [
        Meeting(
            id=uuid7(),
            user_id=row_id("Person", uma.id),
            expert_id=row_id("Person", frieda.id),
            status=MeetingStatus.AWAITING_APPROVAL,
            credit_payment_status=CreditPaymentStatus.NOT_BLOCKED,
            user_answer=Answer.PENDING,
            expert_answer=Answer.APPROVED,
            proposed_by=Side.EXPERT,
            price=0,
            starts_at=world.clock.time + timedelta(days=2, minutes=minutes),
            ends_at=world.clock.time + timedelta(days=2, minutes=minutes + 30),
        )
        for minutes in range(-2_500, 2_500)
    ]
    viewer = await Person.get(id=row_id("Person", uma.id))
    with statements() as sent:
        found = await conflicts_of(waiting, viewer)
    assert len(sent) == 2
    colliding = {each.id for each, minutes in zip(waiting, range(-2_500, 2_500), strict=True) if -30 < minutes < 60}
    assert {each for each, conflicts in found.items() if [other.id for other in conflicts] == [agreed_id]} == colliding
    assert all(not conflicts for each, conflicts in found.items() if each not in colliding)
