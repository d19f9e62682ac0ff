"""What people may read, and in what pages, over the public API."""

import base64
from typing import Any

import pytest

from models.ids import NOTHING, uuid7
from resolvers.cursors import encode_cursor
from schema.ids import global_id, row_id
from tests.driving import Client, Service, all_edges

MEETINGS = """
query($first: Int, $after: String) { meetings(first: $first, after: $after) {
  edges { cursor node { id startsAt status } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
} }
"""
TIMELINE = """
query($id: ID!, $first: Int, $after: String) { meeting(id: $id) { timeline(first: $first, after: $after) {
  edges { cursor node { sequence kind label person { name } meeting { id } } }
  pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
} } }
"""
MOVEMENTS = """
query($first: Int, $after: String) { creditAccount { movements(first: $first, after: $after) { edges { cursor } } } }
"""
LISTS = {"meetings": MEETINGS, "timeline": TIMELINE, "movements": MOVEMENTS}

GARBAGE = [
    *("", "x", "%%%", "Ümläut", "💥", "\x00", "\ud800", "x" * 501, "x" * 90_000),
    *(
        base64.urlsafe_b64encode(content).decode()
        for content in (b"\xff\xfe", b"[" * 300, b"null", b"1", b'"x"', b"[]", b"{}", b"[1, 2, 3]", b'["a"]')
    ),
]

PLACES: list[Any] = [
    *(None, True, 1.5, -1, 2**31 - 1, 2**31, 2**63, 10**80, "", "x", [], {}, [1, 2], ["x", "y"], {"a": 1, "b": 2}),
    *("\x00", "\ud800", "0", ["2027-03-02", "x"], [None, None], ["2027-03-02T12:00:00+00:00"]),
    *(
        [when, str(NOTHING)]
        for when in ("2027-03-02T12:00:00", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00")
    ),
    ["2027-03-02T12:00:00+00:00", 7],
]
"What somebody who has understood how cursors are made may put into one."


async def page_of_meetings(viewer: Client, first: int | None = 100, after: str | None = None) -> dict[str, Any]:
    return (await viewer.ask(MEETINGS, first=first, after=after))["meetings"]


async def ids(viewer: Client, **paging: Any) -> list[str]:
    return [edge["node"]["id"] for edge in (await page_of_meetings(viewer, **paging))["edges"]]


async def codes(viewer: Client, query: str, **variables: Any) -> list[str]:
    return [error["extensions"]["code"] for error in await viewer.errors(query, **variables)]


@pytest.fixture
async def frieda(world: Service) -> Client:
    """An expert who takes nothing, so that there may be many meetings with her."""
    return await world.expert("Frieda Free", price="0.00")


# People (Q5)

PERSON = """
fragment Known on Person { id name language timeZone isExpert isStaff email creditAccount { available }
  skills { name } services { name active } }
"""


async def test_q5_everybody_sees_all_of_themselves(world: Service, emil: Client):
    await emil.act("saveService", name="Old advice", durationMinutes=30, price="1.00", active=False)
    assert (await emil.ask("{ me { ...Known } }" + PERSON))["me"] == {
        "id": emil.id,
        "name": "Emil Expert",
        "language": "EN",
        "timeZone": "UTC",
        "isExpert": True,
        "isStaff": False,
        "email": f"{emil.sub}@example.com",
        "creditAccount": {"available": "0.00"},
        "skills": [{"name": "Python"}],
        "services": [{"name": "Advice", "active": True}, {"name": "Old advice", "active": False}],
    }


async def test_q5_email_balances_and_inactive_services_are_seen_by_oneself_and_staff_only(
    world: Service, uma: Client, emil: Client, stella: Client
):
    await emil.act("saveService", name="Old advice", durationMinutes=30, price="1.00", active=False)
    meeting = await uma.proposed(emil)
    query = "query($id: ID!) { meeting(id: $id) { user { ...Known } expert { ...Known } } }" + PERSON

    for viewer, sees_uma, sees_emil in ((uma, True, False), (emil, False, True), (stella, True, True)):
        seen = (await viewer.ask(query, id=meeting["id"]))["meeting"]
        for person, client, all_of_it in ((seen["user"], uma, sees_uma), (seen["expert"], emil, sees_emil)):
            assert person["id"] == client.id
            assert person["email"] == (f"{client.sub}@example.com" if all_of_it else None)
            assert (person["creditAccount"] is not None) == all_of_it
        assert [each["name"] for each in seen["expert"]["services"]] == (
            ["Advice", "Old advice"] if sees_emil else ["Advice"]
        )
        assert seen["expert"]["skills"] == [{"name": "Python"}]


# One meeting


async def test_w3_a_meeting_is_seen_by_its_two_sides_and_by_staff(
    world: Service, uma: Client, emil: Client, stella: Client
):
    meeting = await uma.proposed(emil)
    stranger = await world.expert("Egon Extra")
    for viewer, side in ((uma, "USER"), (emil, "EXPERT"), (stella, None)):
        seen = await viewer.meeting(meeting["id"])
        assert seen is not None
        assert (seen["id"], seen["viewerSide"]) == (meeting["id"], side)
    assert await stranger.meeting(meeting["id"]) is None


@pytest.mark.parametrize(
    "unknown", ["", "x", "Ümläut", "💥", "\x00", "\ud800", "x" * 50_000, global_id("Meeting", NOTHING), 7]
)
async def test_w3_what_is_not_there_is_null_like_what_is_not_theirs(world: Service, stella: Client, unknown: Any):
    assert await stella.meeting(unknown) is None


async def test_w3_an_id_of_something_else_is_no_meeting(world: Service, uma: Client, emil: Client, stella: Client):
    meeting = await uma.proposed(emil)
    same_row = global_id("TimelineEvent", row_id("Meeting", meeting["id"]))
    for other in (uma.id, emil.service, emil.skill, same_row):
        assert await stella.meeting(other) is None


# The list of meetings (Q1)


async def test_q1_nobody_has_meetings_at_first(world: Service, uma: Client):
    assert await page_of_meetings(uma) == {
        "edges": [],
        "pageInfo": {"hasNextPage": False, "hasPreviousPage": False, "startCursor": None, "endCursor": None},
    }


async def test_q1_the_list_has_ones_own_meetings_in_either_role_soonest_first(
    world: Service, uma: Client, emil: Client, stella: Client
):
    eva = await world.expert("Eva Expert", price="1.00")
    await stella.act("grantCredits", personId=emil.id, amount="10.00")
    late = await uma.proposed(emil, startsAt=world.at(days=9))
    soon = await emil.proposed(eva, startsAt=world.at(hours=1))
    middle = await uma.proposed(emil, startsAt=world.at(days=3))
    foreign = await uma.proposed(eva, startsAt=world.at(days=2))
    assert await ids(emil) == [soon["id"], middle["id"], late["id"]]
    assert await ids(uma) == [foreign["id"], middle["id"], late["id"]]
    assert await ids(eva) == [soon["id"], foreign["id"]]
    assert await ids(stella) == [], "staff may read every meeting, but this is a list of one's own"


async def test_q1_it_keeps_running_and_rejected_meetings_and_leaves_out_those_that_are_over_or_cancelled(
    world: Service, uma: Client, frieda: Client
):
    running = await uma.proposed(frieda, startsAt=world.at(minutes=10))
    rejected = await uma.proposed(frieda, startsAt=world.at(days=1))
    cancelled = await uma.proposed(frieda, startsAt=world.at(days=2))
    await frieda.act("approveMeeting", meetingId=running["id"])
    await frieda.act("rejectMeeting", meetingId=rejected["id"], reasonCode="OTHER")
    await uma.act("cancelMeeting", meetingId=cancelled["id"])
    for viewer in (uma, frieda):
        assert await ids(viewer) == [running["id"], rejected["id"]]
    world.clock.advance(minutes=69, seconds=59)
    assert await ids(uma) == [running["id"], rejected["id"]]
    world.clock.advance(seconds=1)  # half open: at its end it is over
    assert await ids(uma) == [rejected["id"]]
    world.clock.advance(days=1)
    assert await ids(uma) == []


@pytest.mark.parametrize("first", [1, 2, 3, 100])
async def test_q1_meetings_are_paged_without_loss_or_double_also_those_that_start_together(
    world: Service, uma: Client, frieda: Client, first: int
):
    for days in (3, 1, 2, 2, 2, 1):
        await uma.proposed(frieda, startsAt=world.at(days=days))
    everything = (await page_of_meetings(uma))["edges"]
    starts = [edge["node"]["startsAt"] for edge in everything]
    assert len(everything) == 6
    assert starts == sorted(starts)
    found = await all_edges(lambda after: page_of_meetings(uma, first=first, after=after), first=first)
    assert found == everything


async def test_q1_pages_are_stable_while_rows_change(world: Service, uma: Client, frieda: Client):
    meetings = [await uma.proposed(frieda, startsAt=world.at(days=days)) for days in (1, 2, 3, 4)]
    known = [each["id"] for each in meetings]
    page = await page_of_meetings(uma, first=2)
    await uma.act("cancelMeeting", meetingId=known[0])
    await uma.act("cancelMeeting", meetingId=known[1])  # the one the cursor is of
    await uma.proposed(frieda, startsAt=world.at(hours=5))
    later = await uma.proposed(frieda, startsAt=world.at(days=3, hours=5))
    assert await ids(uma, after=page["pageInfo"]["endCursor"]) == [known[2], later["id"], known[3]]


async def test_q1_a_page_has_20_meetings_unless_another_number_is_asked_for(
    world: Service, uma: Client, frieda: Client
):
    for hours in range(21):
        await uma.proposed(frieda, startsAt=world.at(days=1, hours=hours))
    page = (await uma.ask("{ meetings { edges { cursor } pageInfo { hasNextPage } } }"))["meetings"]
    assert len(page["edges"]) == 20
    assert page["pageInfo"]["hasNextPage"]
    assert len(await ids(uma, first=None)) == 20
    assert len(await ids(uma, first=21)) == 21


# Timelines


@pytest.mark.parametrize("first", [1, 2, 3, 100])
async def test_q1_a_timeline_is_paged_without_loss_or_double(world: Service, uma: Client, frieda: Client, first: int):
    meeting = await uma.proposed(frieda)
    await frieda.act("approveMeeting", meetingId=meeting["id"])

    async def read(after: str | None) -> dict[str, Any]:
        return (await uma.ask(TIMELINE, id=meeting["id"], first=first, after=after))["meeting"]["timeline"]

    found = await all_edges(read, first=first)
    kinds = [edge["node"]["kind"] for edge in found]
    assert kinds == ["MEETING_PROPOSED", "USER_APPROVED", "EXPERT_APPROVED"]
    assert [edge["node"]["sequence"] for edge in found] == list(range(1, len(kinds) + 1))
    assert {edge["node"]["meeting"]["id"] for edge in found} == {meeting["id"]}
    assert (await read(found[-1]["cursor"]))["edges"] == []


async def test_q1_timelines_of_many_meetings_are_each_their_own(world: Service, uma: Client, frieda: Client):
    meetings = [await uma.proposed(frieda, startsAt=world.at(days=days)) for days in (1, 2, 3)]
    await frieda.act("approveMeeting", meetingId=meetings[1]["id"])
    query = "{ meetings { edges { node { id timeline(first: %d) { edges { node { sequence } } } } } } }"
    for first in (1, 2, 3):
        edges = (await uma.ask(query % first))["meetings"]["edges"]
        lengths = {edge["node"]["id"]: len(edge["node"]["timeline"]["edges"]) for edge in edges}
        assert lengths == {
            meeting["id"]: min(first, events) for meeting, events in zip(meetings, (2, 3, 2), strict=True)
        }


# What can't be asked for


@pytest.mark.parametrize("name", LISTS)
async def test_q1_first_is_a_number_from_1_to_100(world: Service, uma: Client, emil: Client, name: str):
    meeting = await uma.proposed(emil)
    given = {"id": meeting["id"]} if name == "timeline" else {}
    for bad in (0, -1, 101, 2**31 - 1, -(2**31), 2**31, "1", 1.5):
        assert await codes(uma, LISTS[name], first=bad, **given) == ["BAD_USER_INPUT"], bad
    for fine in (1, 100, None):
        await uma.ask(LISTS[name], first=fine, **given)


@pytest.mark.parametrize("name", LISTS)
async def test_q1_a_cursor_that_is_none_is_bad_input(world: Service, uma: Client, emil: Client, name: str):
    meeting = await uma.proposed(emil)
    given = {"id": meeting["id"]} if name == "timeline" else {}
    for cursor in GARBAGE:
        assert await codes(uma, LISTS[name], after=cursor, **given) == ["BAD_USER_INPUT"], cursor


async def test_q1_a_cursor_of_another_list_is_bad_input(world: Service, uma: Client, emil: Client, stella: Client):
    meeting = await uma.proposed(emil)
    other = await uma.proposed(emil, startsAt=world.at(days=4))
    cursors = {
        "meetings": (await page_of_meetings(uma))["edges"][0]["cursor"],
        "timeline": (await uma.ask(TIMELINE, id=meeting["id"]))["meeting"]["timeline"]["edges"][0]["cursor"],
        "movements": (await uma.ask(MOVEMENTS))["creditAccount"]["movements"]["edges"][0]["cursor"],
    }
    for name, query in LISTS.items():
        given = {"id": meeting["id"]} if name == "timeline" else {}
        for of, cursor in cursors.items():
            if of == name:
                await uma.ask(query, after=cursor, **given)
            else:
                assert await codes(uma, query, after=cursor, **given) == ["BAD_USER_INPUT"]
    assert await codes(uma, TIMELINE, id=other["id"], after=cursors["timeline"]) == ["BAD_USER_INPUT"]


async def test_q1_a_cursor_of_another_person_is_bad_input(world: Service, uma: Client, emil: Client, stella: Client):
    await uma.proposed(emil)
    await stella.act("grantCredits", personId=emil.id, amount="1.00")
    his_meeting = (await page_of_meetings(emil))["edges"][0]["cursor"]
    his_movement = (await emil.ask(MOVEMENTS))["creditAccount"]["movements"]["edges"][0]["cursor"]
    for viewer in (uma, stella):
        assert await codes(viewer, MEETINGS, after=his_meeting) == ["BAD_USER_INPUT"]
        assert await codes(viewer, MOVEMENTS, after=his_movement) == ["BAD_USER_INPUT"]


@pytest.mark.parametrize("name", LISTS)
async def test_q1_a_forged_cursor_of_ones_own_list_shows_a_page_or_is_bad_input(
    world: Service, uma: Client, emil: Client, name: str
):
    meeting = await uma.proposed(emil)
    owner = row_id("Meeting", meeting["id"]) if name == "timeline" else row_id("Person", uma.id)
    given = {"id": meeting["id"]} if name == "timeline" else {}
    for place in PLACES:
        answer = (await uma.post(LISTS[name], after=encode_cursor(name, owner, place), **given)).json()
        told = [error["extensions"]["code"] for error in answer.get("errors", [])]
        assert told in ([], ["BAD_USER_INPUT"]), place
    places = {"meetings": [world.at(days=1), str(uuid7())], "timeline": 1_000, "movements": str(NOTHING)}
    await uma.ask(LISTS[name], after=encode_cursor(name, owner, places[name]), **given)
    for other in LISTS.keys() - {name}:
        renamed = encode_cursor(other, owner, places[name])
        assert await codes(uma, LISTS[name], after=renamed, **given) == ["BAD_USER_INPUT"]


# Conflicts (C2)


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


# Reasons (A3, K2)


async def test_a3_k2_there_are_reasons_to_choose_from_in_both_languages(world: Service, uma: Client):
    uli = await world.somebody("Uli Umsichtig", locale="de")
    lists = {}
    for viewer in (uma, uli):
        told = await viewer.ask("{ rejectionReasons { code kind label } cancellationReasons { code kind label } }")
        for field, kind in (("rejectionReasons", "REJECTION"), ("cancellationReasons", "CANCELLATION")):
            assert len(told[field]) >= 6
            assert {each["kind"] for each in told[field]} == {kind}
            labels = [each["label"] for each in told[field]]
            assert len(set(labels)) == len(labels)
            assert all(label.strip() for label in labels)
            lists[viewer.sub, kind] = told[field]
    for kind in ("REJECTION", "CANCELLATION"):
        english, german = lists[uma.sub, kind], lists[uli.sub, kind]
        assert [each["code"] for each in english] == [each["code"] for each in german]
        assert not {each["label"] for each in english} & {each["label"] for each in german}


async def test_w1_labels_follow_the_language_of_the_viewer(world: Service, uma: Client, emil: Client):
    meeting = await uma.proposed(emil)
    await emil.act("updateProfile", language="DE")
    labels = {}
    for viewer in (uma, emil):
        edges = (await viewer.ask(TIMELINE, id=meeting["id"]))["meeting"]["timeline"]["edges"]
        labels[viewer.sub] = [edge["node"]["label"] for edge in edges]
    assert labels[uma.sub] == ["Meeting proposed", "Approved by the user"]
    assert labels[emil.sub] == ["Treffen vorgeschlagen", "Vom Nutzer bestätigt"]
