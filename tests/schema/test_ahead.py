"""An answer takes as many statements as its document says, however many rows it shows."""

from dataclasses import dataclass

import pytest
from graphql import GraphQLObjectType

from models.ids import uuid7
from schema.context import MOST_VALUES
from schema.nodes import NODES
from schema.root import SCHEMA
from tests.driving import Client, Service
from tests.statements import statements

OFFERING = "fragment Offering on Person { id name email skills { name } services { name expert { name } } }"
MOVED = """
fragment Moved on CreditMovementConnection { edges { node { kind meeting { id user { name } service { name } } } } }
"""
WHOLE = """
fragment Whole on Meeting {
  id version user { ...Offering } expert { ...Offering } service { name expert { id } } skill { name } reason { label }
  conflicts { id user { name } expert { name services { name } } }
  timeline(first: 3) { edges { node { label person { name skills { name } } reason { label } meeting { id } } } }
}
"""
TALK = """
fragment Talk on Chat {
  unread people { name skills { name } } messages(first: 3) { edges { node { text author { name } chat { unread } } } }
}
"""
LISTS = {
    "query($first: Int) { meetings(first: $first) { edges { node { ...Whole } } } }" + WHOLE + OFFERING: 11,
    """query($first: Int, $skill: ID) {
      experts(skillId: $skill, first: $first) { edges { node { ...Offering } } }
    }"""
    + OFFERING: 4,
    """query($first: Int, $word: String!) { people(search: $word, first: $first) { edges { node {
      ...Offering creditAccount { movements(first: 2) { ...Moved } }
    } } } }"""
    + OFFERING
    + MOVED: 7,
    "query($first: Int, $word: String) { skills(search: $word, first: $first) { edges { node { name } } } }": 2,
    "query($first: Int) { creditAccount { movements(first: $first) { ...Moved } } }" + MOVED: 6,
    """query($first: Int, $meeting: ID!) { meeting(id: $meeting) { timeline(first: $first) { edges { node {
      label person { name } reason { label } meeting { user { name } }
    } } } } }""": 4,
    "query($first: Int) { meetings(first: $first) { edges { node { chat { ...Talk } } } } }" + TALK: 7,
    "query($first: Int) { chats(first: $first) { edges { node { ...Talk } } } }" + TALK: 6,
    """query($first: Int) { notifications(first: $first) { edges { node {
      title meeting { service { name } } chat { ...Talk }
    } } } }"""
    + TALK: 8,
    """query($first: Int, $chat: ID!) { chat(id: $chat) { messages(first: $first) { edges { node {
      text author { name } chat { unread }
    } } } } }""": 4,
}


@dataclass
class Busy:
    """Staff who are an expert and a user as well, and what is theirs."""

    viewer: Client
    word: str
    "In the names of everybody they meet, and of all their skills."
    skill: str
    meeting: str
    chat: str


@pytest.fixture(scope="module")
async def busy(service: Service, in_order: None) -> Busy:
    """The same for all tests, which only read."""
    service.clock.reset()
    return await make_busy(service)


async def make_busy(world: Service) -> Busy:
    word = f"w{uuid7().hex}"
    bea = await world.expert(f"Bea {word}", price="1.00", roles=["staff"])
    for number in range(6):
        other = await world.expert(f"Otto {number} {word}", price="1.00")
        for each in (bea, other):
            await bea.act("grantCredits", personId=each.id, amount="10.00")
            saved = await each.act("setSkills", names=["Python", word, *(f"{word} {skill}" for skill in range(6))])
        await bea.proposed(other, startsAt=world.at(days=1, hours=number))
        mine = await other.proposed(bea, startsAt=world.at(days=1, hours=number))
        await bea.act("rejectMeeting", meetingId=mine["id"], reasonCode="OTHER")
        mine = await other.proposed(bea, startsAt=world.at(days=1, hours=number))
        await bea.act("approveMeeting", meetingId=mine["id"], acknowledgeConflicts=True)
        chat = (await bea.act("openChat", meetingId=mine["id"]))["chat"]["id"]
        for writer in (bea, other, other, other):
            await writer.write(chat, word)
    return Busy(bea, word, saved["person"]["skills"][1]["id"], mine["id"], chat)


@pytest.mark.parametrize(("query", "at_most"), LISTS.items(), ids=lambda each: "list")
async def test_a_list_takes_no_more_statements_for_many_rows_than_for_one(
    world: Service, busy: Busy, query: str, at_most: int
):
    """A few less, perhaps, where there is nothing to load."""
    named = {"word": busy.word, "skill": busy.skill, "meeting": busy.meeting, "chat": busy.chat}
    given = {name: value for name, value in named.items() if f"${name}" in query}
    lengths, counts = [], []
    for first in (1, 100):
        with statements() as sent:
            lengths.append(len(str(await busy.viewer.ask(query, first=first, **given))))
        counts.append(len(sent))
    assert lengths[1] > 1.5 * lengths[0], "there was more to show"
    assert max(counts) == at_most


async def test_many_nodes_take_a_statement_for_each_of_their_types(world: Service, busy: Busy):
    viewer = busy.viewer
    found = await viewer.ask("{ meetings { edges { node { id user { id } expert { id } service { id } } } } }")
    nodes = [edge["node"] for edge in found["meetings"]["edges"]]
    ids = {
        "Meeting": [each["id"] for each in nodes],
        "Person": [person for each in nodes for person in (each["user"]["id"], each["expert"]["id"])],
        "Service": [each["service"]["id"] for each in nodes],
    }
    query = """query($ids: [ID!]!) { nodes(ids: $ids) {
      id ... on Meeting { user { name } } ... on Person { skills { name } }
    } }"""
    with statements() as sent:
        await viewer.ask(query, ids=[each for of_type in ids.values() for each in of_type])
    assert len(sent) == 5, "the viewer, three types, and the skills; the users were among the people"


async def test_what_was_not_selected_is_not_loaded(world: Service, busy: Busy):
    viewer = busy.viewer
    with statements() as sent:
        await viewer.ask("{ meetings { edges { node { id startsAt price viewerSide } } } }")
    assert len(sent) == 3, "the viewer, and their meetings on either side"
    with statements() as sent:
        await viewer.ask(
            "query($no: Boolean!) { meetings { edges { node { id user @include(if: $no) { name }"
            " ... on Meeting @include(if: $no) { timeline { edges { cursor } } } } } } }",
            no=False,
        )
    assert len(sent) == 3


async def test_every_way_of_selecting_a_field_loads_it(world: Service, busy: Busy):
    viewer = busy.viewer
    query = """
    query($id: ID!, $two: Int = 2) {
      one: meeting(id: $id) { a: user { name } ...Sides user { name } first: timeline(first: 1) { ...Edges }
        two: timeline(first: $two) { ...Edges } all: timeline { ...Edges } same: timeline(first: 50) { ...Edges } }
      node(id: $id) { ... on Node { id ... on Meeting { ...Sides } } }
    }
    fragment Sides on Meeting { expert { ...Name } user { id skills { name } } }
    fragment Name on Person { name services { name } }
    fragment Edges on TimelineEventConnection { edges { node { sequence person { name } } } }
    """
    told = await viewer.ask(query, id=busy.meeting)
    sides = {"expert": told["one"]["expert"], "user": {key: told["node"]["user"][key] for key in ("id", "skills")}}
    assert told["one"]["a"]["name"] == told["one"]["user"]["name"] == f"Otto 5 {busy.word}"
    assert {key: told["node"][key] for key in ("expert", "user")} == sides
    assert sides["expert"]["services"] == [{"name": "Advice"}]
    lengths = [len(told["one"][alias]["edges"]) for alias in ("first", "two", "all", "same")]
    assert lengths == [1, 2, 3, 3]


@pytest.mark.parametrize(
    "query",
    [
        """{ me { a: creditAccount { movements(first: 1) { ...Kinds } }
          b: creditAccount { movements(first: 2) { ...Kinds } } } }""",
        """{ a: me { creditAccount { movements(first: 1) { ...Kinds } } }
          b: me { creditAccount { movements(first: 2) { ...Kinds } } } }""",
        """{ a: creditAccount { movements(first: 1) { ...Kinds } }
          b: creditAccount { movements(first: 2) { ...Kinds edges { node { meeting { id user { id } } } } } } }""",
        """{ creditAccount { a: movements(first: 2) { ...Kinds edges { node { meeting { id user { id } } } } }
          b: movements(first: 2) { ...Kinds edges { node { meeting { id service { id } } } } } } }""",
    ],
)
async def test_one_thing_may_be_shown_several_times_each_time_with_something_else(
    world: Service, busy: Busy, query: str
):
    told = await busy.viewer.ask(query + " fragment Kinds on CreditMovementConnection { edges { node { kind } } }")
    found = str(told)
    assert found.count("'kind'") in (3, 4)
    assert "'creditAccount': None" not in found


async def test_an_answer_that_would_keep_everybody_else_waiting_is_refused_before_it_is_put_together(world: Service):
    """However short the question, however few rows it is about."""
    busy = await make_busy(world)
    names = ["Python", *(f"{busy.word} {number}" for number in range(60))]
    await busy.viewer.act("setSkills", names=names)
    query = "query($ids: [ID!]!) { nodes(ids: $ids) { ... on Person { services { expert { skills { id name } } } } } }"
    told = await busy.viewer.ask(query, ids=[busy.viewer.id] * 5)
    assert len(told["nodes"][4]["services"][0]["expert"]["skills"]) == 61
    wide = "query($ids: [ID!]!) { %s }" % " ".join(  # noqa: UP031
        f"a{number}: nodes(ids: $ids) {{ ... on Person {{ services {{ expert {{ skills {{ id name }} }} }} }} }}"
        for number in range(10)
    )
    answer = (await busy.viewer.post(wide, ids=[busy.viewer.id] * 100)).json()
    assert {error["extensions"]["code"] for error in answer["errors"]} == {"BAD_USER_INPUT"}
    assert len(str(answer["data"])) < 100 * MOST_VALUES


def test_every_type_with_an_id_can_be_read_by_it():
    with_id = {
        each.name
        for each in SCHEMA.type_map.values()
        if isinstance(each, GraphQLObjectType) and any(interface.name == "Node" for interface in each.interfaces)
    }
    assert with_id == NODES.keys()
