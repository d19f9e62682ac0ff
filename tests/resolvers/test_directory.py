"""Finding experts, skills and, for staff, people (Q5, Q6), over the public API."""

from typing import Any

import pytest

from models.ids import NOTHING, uuid7
from schema.ids import global_id
from tests.driving import Client, Service, all_edges

EXPERTS = """
query($skillId: ID, $first: Int, $after: String) { experts(skillId: $skillId, first: $first, after: $after) {
  edges { cursor node { id name isExpert skills { id } } }
  pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
} }
"""
PEOPLE = """
query($search: String!, $first: Int, $after: String) { people(search: $search, first: $first, after: $after) {
  edges { cursor node { id name email creditAccount { available } } }
  pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
} }
"""
SKILLS = """
query($search: String, $first: Int, $after: String) { skills(search: $search, first: $first, after: $after) {
  edges { cursor node { id name } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
} }
"""


@pytest.fixture
def word() -> str:
    """A word that is in no other test's names."""
    return f"w{uuid7().hex}"


async def everything(viewer: Client, query: str, **asked: Any) -> list[dict[str, Any]]:
    async def read(after: str | None) -> dict[str, Any]:
        (page,) = (await viewer.ask(query, first=100, after=after, **asked)).values()
        return page

    return [edge["node"] for edge in await all_edges(read, first=100)]


async def names(viewer: Client, query: str, **asked: Any) -> list[str]:
    return [node["name"] for node in await everything(viewer, query, **asked)]


# Experts


async def test_q5_everybody_finds_every_expert_and_nobody_else(world: Service, uma: Client, emil: Client):
    await uma.act("setSkills", names=["Python"])
    found = {each["id"] for each in await everything(uma, EXPERTS)}
    assert emil.id in found
    assert uma.id not in found, "a skill makes no expert, a service does (T)"
    await emil.act("saveService", serviceId=emil.service, name="Old", durationMinutes=60, price="1.00", active=False)
    assert emil.id in {each["id"] for each in await everything(uma, EXPERTS)}, "who ever saved one remains one"


async def test_q5_experts_are_found_by_their_skill(world: Service, uma: Client, word: str):
    ada, bea, cid = [await world.expert(name) for name in ("Ada", "Bea", "Cid")]
    await ada.act("setSkills", names=[word, "Python"])
    set_by_bea = await bea.act("setSkills", names=["Python", word.upper()])
    skill = next(each["id"] for each in set_by_bea["person"]["skills"] if each["name"] == word)
    await uma.act("setSkills", names=[word])
    found = await everything(uma, EXPERTS, skillId=skill)
    assert [each["id"] for each in found] == [ada.id, bea.id]
    await ada.act("setSkills", names=["Python"])
    assert [each["id"] for each in await everything(uma, EXPERTS, skillId=skill)] == [bea.id]
    assert cid.id not in {each["id"] for each in found}


@pytest.mark.parametrize("nothing", ["", "nonsense", global_id("Skill", NOTHING), global_id("Person", NOTHING)])
async def test_q5_nobody_has_a_skill_that_is_not_there(world: Service, emil: Client, nothing: str):
    page = (await emil.ask(EXPERTS, skillId=nothing))["experts"]
    assert page["edges"] == []
    assert not page["pageInfo"]["hasNextPage"]


async def test_q5_experts_come_by_name_whatever_its_case_and_stay_in_order_while_they_rename(
    world: Service, uma: Client, word: str
):
    experts = [await world.expert(name, price="0.00") for name in ("berta", "Bert", "ÄMIL", "Cleo", "cleo", "Bert")]
    for each in experts:
        await each.act("setSkills", names=[word])
    skill = (await uma.ask(SKILLS, search=word))["skills"]["edges"][0]["node"]["id"]
    page = (await uma.ask(EXPERTS, skillId=skill, first=2))["experts"]
    assert [edge["node"]["name"] for edge in page["edges"]] == ["Bert", "Bert"]
    cleo = experts[3]
    cleo.token = world.token(sub=cleo.sub, name="Anna")
    await cleo.ask("{ me { id } }")
    after = page["pageInfo"]["endCursor"]
    rest = (await uma.ask(EXPERTS, skillId=skill, after=after))["experts"]["edges"]
    assert [edge["node"]["name"] for edge in rest] == ["berta", "cleo", "ÄMIL"]


# Skills


async def test_q5_skills_are_found_by_any_part_of_their_name_whatever_its_case(
    world: Service, uma: Client, emil: Client, word: str
):
    await emil.act("setSkills", names=[f"Maß und {word}", f"100 % {word}", f"snake_case {word}", "C\\D " + word])
    for search, found in (
        (word, ["100 % {}", "C\\D {}", "Maß und {}", "snake_case {}"]),
        (f"  {word.upper()} ", ["100 % {}", "C\\D {}", "Maß und {}", "snake_case {}"]),
        (f"MASS UND {word}", ["Maß und {}"]),
        (f"% {word}", ["100 % {}"]),
        (f"_case {word}", ["snake_case {}"]),
        (f"\\d {word}", ["C\\D {}"]),
        (f"%{word}", []),
        (f"d_{word}", []),
        (word + "x" * 700, []),
    ):
        assert await names(uma, SKILLS, search=search) == [each.format(word) for each in found], search


@pytest.mark.parametrize("nothing", [None, "", "  \t"])
async def test_q5_without_words_to_look_for_there_are_all_skills(world: Service, uma: Client, emil: Client, nothing):
    assert await names(uma, SKILLS, search=nothing) == await names(uma, SKILLS)
    assert "Python" in await names(uma, SKILLS)


@pytest.mark.parametrize("query", [SKILLS, PEOPLE])
async def test_q1_words_that_can_be_in_no_name_are_bad_input(world: Service, stella: Client, query: str):
    for search in ("a\x00b", "\ud800"):
        (error,) = await stella.errors(query, search=search)
        assert error["extensions"]["code"] == "BAD_USER_INPUT"


# People (Q6)


async def test_q6_staff_find_people_by_name_or_email_whatever_the_case(world: Service, stella: Client, word: str):
    ann = await world.somebody(f"Ann {word}", credits="7.00")
    ben = await world.somebody("Ben")
    ben.token = world.token(sub=ben.sub, name="Ben", email=f"Ben.{word}@Example.com")
    await ben.ask("{ me { id } }")
    found = await everything(stella, PEOPLE, search=word.upper())
    assert [each["id"] for each in found] == [ann.id, ben.id]
    assert found[0]["creditAccount"] == {"available": "7.00"}
    assert await names(stella, PEOPLE, search=f"nn {word}") == [f"Ann {word}"]
    assert await names(stella, PEOPLE, search=f"{word}@example") == ["Ben"]
    assert await names(stella, PEOPLE, search=f"{word} ann") == []
    for wildcard in (f"%{word}", f"ann_{word}", f"{word}%"):
        assert await names(stella, PEOPLE, search=wildcard) == []


async def test_q6_without_words_to_look_for_staff_find_everybody(world: Service, uma: Client, stella: Client):
    found = {each["id"] for each in await everything(stella, PEOPLE, search=" ")}
    assert {uma.id, stella.id} <= found


async def test_q6_staff_find_somebody_by_the_name_their_latest_token_says(world: Service, stella: Client, word: str):
    ann = await world.somebody("Ann Former")
    ann.token = world.token(sub=ann.sub, name=f"Ann {word}")
    await ann.ask("{ me { id } }")
    (found,) = await everything(stella, PEOPLE, search=word)
    assert (found["id"], found["name"], found["email"]) == (ann.id, f"Ann {word}", None)


async def test_q6_others_than_staff_find_nobody(world: Service, uma: Client, emil: Client):
    for viewer in (uma, emil):
        for search in ("Uma", "", "\x00"):
            answer = (await viewer.post(PEOPLE, search=search)).json()
            assert answer["data"] == {"people": None}
            assert [error["extensions"]["code"] for error in answer["errors"]] == ["FORBIDDEN"]
