"""What all lists have in common: `first`, `after`, and what can't be asked for (Q1), over the public API."""

import base64
from dataclasses import dataclass
from typing import Any

import pytest

from models.ids import NOTHING
from resolvers.cursors import encode_cursor
from resolvers.directory import digest
from resolvers.listing import MeetingFilter
from schema.ids import row_id
from tests.driving import Client, Service, all_edges


@dataclass(frozen=True)
class List:
    """A list, and how its pages are asked for."""

    field: str
    inside: str = "{ %s }"
    default: int = 20
    place: Any = None
    "A place in it that somebody may forge."

    @property
    def query(self) -> str:
        arguments = "first: $first, after: $after"
        call = self.field.replace(")", f" {arguments})") if "(" in self.field else f"{self.field}({arguments})"
        page = f"{call} {{ edges {{ cursor node {{ id }} }} pageInfo {{ ...Info }} }}"
        head = "query($first: Int, $after: String" + (", $id: ID!" if "$id" in self.inside else "") + ") "
        info = " fragment Info on PageInfo { hasNextPage hasPreviousPage startCursor endCursor }"
        return head + self.inside % page + info

    def page(self, answer: Any) -> dict[str, Any]:
        """The page in an answer, wherever it is."""
        while "edges" not in answer:
            answer = next(iter(answer.values()))
        return answer


LISTS = {
    "meetings": List("meetings", place=["2027-03-02T12:00:00+00:00", str(NOTHING)]),
    "timeline": List("timeline", "{ meeting(id: $id) { %s } }", 50, place=1_000),
    "movements": List("movements", "{ creditAccount { %s } }", 50, place=str(NOTHING)),
    "experts": List("experts", place=["frieda", str(NOTHING)]),
    "people": List('people(search: "")', place=["frieda", str(NOTHING)]),
    "skills": List("skills", "{ %s }", 50, place=["python", str(NOTHING)]),
}


@pytest.fixture
async def meeting(world: Service, uma: Client, emil: Client) -> str:
    return (await uma.proposed(emil))["id"]


@pytest.fixture(params=LISTS)
def listed(request: pytest.FixtureRequest) -> List:
    return LISTS[request.param]


async def viewer_of(listed: List, uma: Client, stella: Client) -> Client:
    return stella if listed.field.startswith("people") else uma


async def read(viewer: Client, listed: List, meeting: str, **paging: Any) -> dict[str, Any]:
    given = {"id": meeting} if "$id" in listed.inside else {}
    return listed.page(await viewer.ask(listed.query, **given, **paging))


async def codes(viewer: Client, listed: List, meeting: str, **paging: Any) -> list[str]:
    given = {"id": meeting} if "$id" in listed.inside else {}
    return [error["extensions"]["code"] for error in await viewer.errors(listed.query, **given, **paging)]


GARBAGE = [
    *("", "x", "%%%", "Ümläut", "💥", "\x00", "\ud800", "x" * 20_001, "x" * 90_000),
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


async def test_q1_first_is_a_number_from_1_to_100(uma: Client, stella: Client, meeting: str, listed: List):
    viewer = await viewer_of(listed, uma, stella)
    for bad in (0, -1, 101, 2**31 - 1, -(2**31), 2**31, "1", 1.5):
        assert await codes(viewer, listed, meeting, first=bad) == ["BAD_USER_INPUT"], bad
    for fine in (1, 100, None):
        assert len((await read(viewer, listed, meeting, first=fine))["edges"]) <= (fine or listed.default)


async def test_q1_a_cursor_that_is_none_is_bad_input(uma: Client, stella: Client, meeting: str, listed: List):
    viewer = await viewer_of(listed, uma, stella)
    for cursor in GARBAGE:
        assert await codes(viewer, listed, meeting, after=cursor) == ["BAD_USER_INPUT"], cursor


async def test_q1_the_pages_of_a_list_are_the_list(
    world: Service, uma: Client, stella: Client, meeting: str, listed: List
):
    for number in range(3):
        eva = await world.expert(f"Eva {number}", price="0.00")
        await eva.act("setSkills", names=["Python", f"Skill {number}"])
        await uma.proposed(eva, startsAt=world.at(days=2 + number))
    viewer = await viewer_of(listed, uma, stella)

    async def walk(first: int) -> list[dict[str, Any]]:
        return await all_edges(lambda after: read(viewer, listed, meeting, first=first, after=after), first=first)

    everything = await walk(100)
    assert len(everything) >= 2
    assert await walk(17) == everything  # other tests have left many people and skills behind
    if len(everything) < 20:
        assert await walk(1) == await walk(3) == everything


async def test_q1_a_cursor_of_another_list_is_bad_input(world: Service, uma: Client, emil: Client, stella: Client):
    first, other = [(await uma.proposed(emil, startsAt=world.at(days=days)))["id"] for days in (1, 4)]
    cursors = {}
    for name, listed in LISTS.items():
        viewer = await viewer_of(listed, uma, stella)
        cursors[name] = (await read(viewer, listed, first, first=1))["pageInfo"]["endCursor"]
    for name, listed in LISTS.items():
        viewer = await viewer_of(listed, uma, stella)
        for of, cursor in cursors.items():
            if of == name:
                await read(viewer, listed, first, after=cursor)
            else:
                assert await codes(viewer, listed, first, after=cursor) == ["BAD_USER_INPUT"], (of, name)
    assert await codes(uma, LISTS["timeline"], other, after=cursors["timeline"]) == ["BAD_USER_INPUT"]


async def test_q1_a_cursor_of_another_person_is_bad_input(
    world: Service, uma: Client, emil: Client, stella: Client, meeting: str
):
    await stella.act("grantCredits", personId=emil.id, amount="1.00")
    for name in ("meetings", "movements"):
        cursor = (await read(emil, LISTS[name], meeting, first=1))["pageInfo"]["endCursor"]
        for viewer in (uma, stella):
            assert await codes(viewer, LISTS[name], meeting, after=cursor) == ["BAD_USER_INPUT"]


async def test_q1_a_cursor_of_one_of_many_timelines_is_bad_input_for_the_others_alone(
    world: Service, uma: Client, emil: Client
):
    first, other = [(await uma.proposed(emil, startsAt=world.at(days=days)))["id"] for days in (1, 4)]
    cursor = (await read(uma, LISTS["timeline"], first, first=1))["pageInfo"]["endCursor"]
    query = "query($ids: [ID!]!, $after: String) { nodes(ids: $ids) { id ... on Meeting { timeline(after: $after) {"
    query += " edges { node { sequence } } } } } }"
    answer = (await uma.post(query, ids=[first, other], after=cursor)).json()
    edges = [{"node": {"sequence": 2}}]
    assert answer["data"]["nodes"] == [{"id": first, "timeline": {"edges": edges}}, None]
    (error,) = answer["errors"]
    assert (error["path"], error["extensions"]["code"]) == (["nodes", 1, "timeline"], "BAD_USER_INPUT")


async def test_q1_a_forged_cursor_of_ones_own_list_shows_a_page_or_is_bad_input(
    uma: Client, stella: Client, meeting: str, listed: List, request: pytest.FixtureRequest
):
    name = next(name for name, each in LISTS.items() if each is listed)
    viewer = await viewer_of(listed, uma, stella)
    streams = {
        "meetings": (f"meetings/{MeetingFilter().name}", row_id("Person", viewer.id)),
        "timeline": ("timeline", row_id("Meeting", meeting)),
        "movements": ("movements", row_id("Person", viewer.id)),
        "experts": ("experts/None", ""),
        "people": (f"people/{digest('')}", ""),
        "skills": (f"skills/{digest('')}", ""),
    }
    stream, owner = streams[name]
    given = {"id": meeting} if name == "timeline" else {}
    for place in PLACES:
        answer = (await viewer.post(listed.query, after=encode_cursor(stream, owner, place), **given)).json()
        told = [error["extensions"]["code"] for error in answer.get("errors", [])]
        assert told in ([], ["BAD_USER_INPUT"]), place
    await read(viewer, listed, meeting, after=encode_cursor(stream, owner, listed.place))
