"""The main job, end to end, as both sides live it: over HTTP and WebSocket, on a real database and Redis."""

from typing import Any

import pytest

from models import Notification
from schema.ids import row_id
from tests.driving import Client, Service, Socket

pytestmark = pytest.mark.usefixtures("whole_answers")

UPDATES = """
subscription {
  myMeetingUpdates {
    cursor
    event { sequence kind actor label person { name } }
    meeting { id status version creditPaymentStatus viewerSide conflicts { id } }
  }
}
"""
ONE_MEETING = (
    "subscription ($id: ID!) { meetingUpdates(meetingId: $id) { event { sequence kind } meeting { status } } }"
)
BALANCES = "subscription { creditAccountUpdates { available blocked } }"


async def pushed(socket: Socket, number: int) -> list[tuple[int, str]]:
    events = [(await socket.next())["myMeetingUpdates"]["event"] for _ in range(number)]
    return [(event["sequence"], event["kind"]) for event in events]


async def purse(socket: Socket) -> tuple[str, str]:
    account = (await socket.next())["creditAccountUpdates"]
    return account["available"], account["blocked"]


async def told(client: Client) -> list[str]:
    """What a person has been notified of."""
    rows = await Notification.filter(person_id=row_id("Person", client.id)).order_by("id")
    return [row.kind.value for row in rows]


def timeline(meeting: dict[str, Any]) -> list[tuple[int, str]]:
    nodes = [edge["node"] for edge in meeting["timeline"]["edges"]]
    return [(node["sequence"], node["kind"]) for node in nodes]


async def test_a_user_proposes_the_expert_approves_and_both_see_each_change_the_moment_it_commits(
    world: Service, uma: Client, emil: Client
):
    async with uma.listening(UPDATES) as hers, emil.listening(UPDATES) as his, uma.listening(BALANCES) as balances:
        assert await purse(balances) == ("100.00", "0.00")

        meeting = await uma.proposed(emil)
        assert (meeting["status"], meeting["creditPaymentStatus"]) == ("AWAITING_APPROVAL", "BLOCKED")
        assert (meeting["price"], meeting["durationMinutes"], meeting["viewerSide"]) == ("40.00", 60, "USER")
        for socket in (hers, his):
            assert await pushed(socket, 2) == [(1, "MEETING_PROPOSED"), (2, "USER_APPROVED")]
        assert await purse(balances) == ("60.00", "40.00")
        assert await told(emil) == ["USER_MEETING_INVITATION"]

        world.clock.advance(minutes=5)
        approved = await emil.act("approveMeeting", meetingId=meeting["id"])
        assert approved["meeting"]["status"] == "AGREED"
        assert [event["kind"] for event in approved["events"]] == ["EXPERT_APPROVED"]
        for socket, side in ((hers, "USER"), (his, "EXPERT")):
            update = (await socket.next())["myMeetingUpdates"]
            assert (update["event"]["sequence"], update["event"]["actor"]) == (3, "EXPERT")
            assert update["event"]["person"] == {"name": "Emil Expert"}
            assert update["meeting"] == {
                "id": meeting["id"],
                "status": "AGREED",
                "version": 3,
                "creditPaymentStatus": "BLOCKED",
                "viewerSide": side,
                "conflicts": [],
            }
        assert await told(uma) == ["MEETING_APPROVED"]
        assert await balances.silent()
        assert await uma.meeting(meeting["id"]) == {**approved["meeting"], "viewerSide": "USER"}


async def test_a_user_proposes_the_expert_rejects_and_the_credits_return(world: Service, uma: Client, emil: Client):
    async with uma.listening(BALANCES) as balances, emil.listening(UPDATES) as his:
        meeting = await uma.proposed(emil)
        rejected = await emil.act("rejectMeeting", meetingId=meeting["id"], reasonCode="TIME_DOES_NOT_SUIT")
        assert (rejected["meeting"]["status"], rejected["meeting"]["creditPaymentStatus"]) == ("REJECTED", "RETURNED")
        assert rejected["meeting"]["reason"] == {"code": "TIME_DOES_NOT_SUIT"}
        assert (rejected["meeting"]["userAnswer"], rejected["meeting"]["expertAnswer"]) == ("APPROVED", "REJECTED")
        assert await pushed(his, 3) == [(1, "MEETING_PROPOSED"), (2, "USER_APPROVED"), (3, "REJECTED_BY_EXPERT")]
        assert [await purse(balances) for _ in range(3)] == [("100.00", "0.00"), ("60.00", "40.00"), ("100.00", "0.00")]
        assert await told(uma) == ["MEETING_REJECTED"]


async def test_an_expert_proposes_the_user_approves_and_only_then_the_price_is_blocked(
    world: Service, uma: Client, emil: Client
):
    meeting = await emil.offered(uma, price="12.55", durationMinutes=25)
    assert (meeting["status"], meeting["creditPaymentStatus"]) == ("AWAITING_APPROVAL", "NOT_BLOCKED")
    assert (meeting["proposedBy"], meeting["price"], meeting["durationMinutes"]) == ("EXPERT", "12.55", 25)
    assert await uma.balance() == ("100.00", "0.00")
    async with uma.listening(ONE_MEETING, id=meeting["id"]) as hers, uma.listening(BALANCES) as balances:
        approved = await uma.act("approveMeeting", meetingId=meeting["id"])
        assert (approved["meeting"]["status"], approved["meeting"]["creditPaymentStatus"]) == ("AGREED", "BLOCKED")
        assert (await hers.next())["meetingUpdates"] == {
            "event": {"sequence": 3, "kind": "USER_APPROVED"},
            "meeting": {"status": "AGREED"},
        }
        assert [await purse(balances) for _ in range(2)] == [("100.00", "0.00"), ("87.45", "12.55")]
    assert timeline(approved["meeting"]) == [(1, "MEETING_PROPOSED"), (2, "EXPERT_APPROVED"), (3, "USER_APPROVED")]
    assert await told(uma) == ["EXPERT_MEETING_INVITATION"]
    assert (await told(emil))[-1] == "MEETING_APPROVED"


async def test_an_expert_proposes_the_user_rejects_and_nothing_was_ever_blocked(
    world: Service, uma: Client, emil: Client
):
    meeting = await emil.offered(uma)
    rejected = await uma.act("rejectMeeting", meetingId=meeting["id"], reasonCode="PRICE_DOES_NOT_SUIT")
    assert (rejected["meeting"]["status"], rejected["meeting"]["creditPaymentStatus"]) == ("REJECTED", "NOT_BLOCKED")
    assert (await told(emil))[-1] == "MEETING_REJECTED"


async def test_either_proposer_takes_an_unanswered_proposal_back_and_the_other_side_is_told(
    world: Service, uma: Client, emil: Client
):
    hers = await uma.proposed(emil)
    cancelled = await uma.act("cancelMeeting", meetingId=hers["id"])
    assert (cancelled["meeting"]["status"], cancelled["meeting"]["creditPaymentStatus"]) == ("CANCELLED", "RETURNED")
    assert cancelled["meeting"]["reason"] is None
    assert await uma.balance() == ("100.00", "0.00")
    assert (await told(emil))[-1] == "MEETING_CANCELLED_BY_USER"

    his = await emil.offered(uma)
    cancelled = await emil.act("cancelMeeting", meetingId=his["id"], reasonCode="ILLNESS")
    assert (cancelled["meeting"]["status"], cancelled["meeting"]["creditPaymentStatus"]) == ("CANCELLED", "NOT_BLOCKED")
    assert cancelled["meeting"]["reason"] == {"code": "ILLNESS"}
    assert (await told(uma))[-1] == "MEETING_CANCELLED_BY_EXPERT"


async def test_c1_c2_whoever_is_about_to_approve_sees_the_conflicts_beforehand_and_must_acknowledge_them(
    world: Service, uma: Client, emil: Client
):
    other = await world.somebody("Otto Other", credits="200.00")
    first, second = await uma.proposed(emil), await other.proposed(emil, startsAt=world.at(days=1, minutes=59))
    touching = [await other.proposed(emil, startsAt=world.at(days=1, minutes=minutes)) for minutes in (-60, 60)]
    await emil.act("approveMeeting", meetingId=first["id"])

    seen = await emil.meeting(second["id"])
    assert seen is not None
    assert seen["conflicts"] == [{"id": first["id"]}]
    seen = await other.meeting(second["id"])
    assert seen is not None
    assert seen["conflicts"] == [], "nobody is shown meetings that are not theirs"
    for each in touching:
        touched = await emil.act("approveMeeting", meetingId=each["id"])
        assert touched["meeting"]["status"] == "AGREED", "touching is no overlap"
    async with world.nothing_changes():
        refused = await emil.act("approveMeeting", meetingId=second["id"])
        assert refused["__typename"] == "ConflictsFound"
        assert refused["conflicts"] == [{"id": first["id"]}, {"id": touching[1]["id"]}]
    approved = await emil.act("approveMeeting", meetingId=second["id"], acknowledgeConflicts=True)
    assert approved["meeting"]["status"] == "AGREED"


async def test_c1_a_meeting_in_the_other_role_conflicts_just_the_same(world: Service, uma: Client, emil: Client):
    teacher = await world.expert("Tina Teacher")
    granted = await (await world.somebody("Staff", roles=["staff"])).act(
        "grantCredits", personId=emil.id, amount="100.00"
    )
    assert granted["__typename"] == "CreditsGranted"
    lesson = await emil.proposed(teacher)
    await teacher.act("approveMeeting", meetingId=lesson["id"])
    proposal = await uma.proposed(emil)
    async with world.nothing_changes():
        refused = await emil.act("approveMeeting", meetingId=proposal["id"])
    assert refused["conflicts"] == [{"id": lesson["id"]}]


async def test_c2_only_the_answering_sides_own_conflicts_count(world: Service, uma: Client, emil: Client):
    eva = await world.expert("Eva Expert")
    first, second = await uma.proposed(emil), await uma.proposed(eva)
    assert (await emil.act("approveMeeting", meetingId=first["id"]))["__typename"] == "MeetingChanged"
    assert (await eva.act("approveMeeting", meetingId=second["id"]))["__typename"] == "MeetingChanged"


async def test_people_are_answered_in_their_own_language(world: Service, emil: Client):
    uli = await world.somebody("Uli Umsichtig", locale="de-AT", credits="10.00")
    refused = await uli.propose(emil)
    assert refused["message"] == "Ihnen fehlen 30,00 Credits: Das Treffen kostet 40,00, und Sie haben 10,00."
    await uli.act("updateProfile", language="EN")
    refused = await uli.propose(emil)
    assert refused["message"] == "You are 30.00 credits short: the meeting costs 40.00 and you have 10.00."


async def test_mutations_of_one_request_each_answer_with_what_they_left_behind(
    world: Service, uma: Client, emil: Client
):
    mutation = """
    mutation ($one: ProposeMeetingInput!, $two: ProposeMeetingInput!) {
      language: updateProfile(input: {language: DE}) { __typename }
      one: proposeMeeting(input: $one) { ...Balance }
      two: proposeMeeting(input: $two) { ...Balance }
      three: cancelMeeting(input: {meetingId: "unknown"}) { ... on Problem { message } }
    }
    fragment Balance on MeetingResult { ... on MeetingChanged { meeting { user { creditAccount { available } } } } }
    """
    first = uma.proposal(emil)
    answer = await uma.ask(mutation, one=first, two={**first, "startsAt": world.at(days=2)})
    balances = [answer[name]["meeting"]["user"]["creditAccount"]["available"] for name in ("one", "two")]
    assert balances == ["60.00", "20.00"]
    assert answer["three"]["message"] == "Das gibt es nicht, oder es ist nicht für Sie bestimmt."
