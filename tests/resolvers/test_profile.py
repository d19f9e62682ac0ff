"""What people say of themselves and what experts offer, over the public API."""

import asyncio
import unicodedata
from typing import Any

import asyncpg
import pytest
from tortoise.connection import get_connection

from models import Skill
from models.ids import NOTHING
from resolvers import acting
from schema.ids import global_id
from tests.driving import Client, Service

SERVICE = {"name": "Advice", "durationMinutes": 60, "price": "40.00"}

BAD_NAMES = [
    ("", "REQUIRED"),
    (" \t\n\u00a0 ", "REQUIRED"),
    ("x" * 201, "TOO_LONG"),
    ("💥" * 201, "TOO_LONG"),
    ("one\x00two", "MALFORMED"),
    ("half \ud83d a pair", "MALFORMED"),
]

BAD_KEYS = [
    ("", "REQUIRED"),
    (" ", "REQUIRED"),
    ("k" * 201, "TOO_LONG"),
    ("k" * 50_000, "TOO_LONG"),
    ("\x00", "MALFORMED"),
    ("\udc00", "MALFORMED"),
]

ACTIONS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "saveService": (SERVICE, {**SERVICE, "price": "40.01"}),
    "setSkills": ({"names": ["Go", "Rust"]}, {"names": ["Rust", "Go"]}),
    "updateProfile": ({"language": "DE"}, {"language": "EN"}),
}
"Each with an input and another one."


def refusal(result: dict[str, Any]) -> tuple[str, str, str]:
    """What was refused, once it is sure that people are told why."""
    assert result["message"]
    return result["__typename"], result["field"], result["code"]


async def services(viewer: Client) -> list[dict[str, Any]]:
    answer = await viewer.ask("{ me { isExpert services { id name durationMinutes price active } } }")
    return answer["me"]["services"]


async def skills(viewer: Client) -> list[dict[str, str]]:
    return (await viewer.ask("{ me { skills { id name } } }"))["me"]["skills"]


# Services (P4)


async def test_t_whoever_saved_a_service_is_an_expert(world: Service):
    eva = await world.somebody("Eva Expert")
    assert (await eva.ask("{ me { isExpert services { id } } }"))["me"] == {"isExpert": False, "services": []}

    saved = await eva.act("saveService", **{**SERVICE, "name": "  Advice  "})
    assert saved["service"] == {
        "id": saved["service"]["id"],
        "name": "Advice",
        "durationMinutes": 60,
        "price": "40.00",
        "active": True,
        "expert": {"id": eva.id},
    }
    assert (await eva.ask("{ me { isExpert } }"))["me"]["isExpert"]


async def test_p4_a_service_can_be_changed_and_stays_the_same_service(world: Service, emil: Client):
    changed = {"name": "Review", "durationMinutes": 5, "price": "0.00", "active": False}
    saved = await emil.act("saveService", serviceId=emil.service, **changed)
    assert saved["service"] == {"id": emil.service, "expert": {"id": emil.id}, **changed}
    assert await services(emil) == [{"id": emil.service, **changed}]
    assert (await emil.ask("{ me { isExpert } }"))["me"]["isExpert"], "who ever saved one stays an expert"


@pytest.mark.parametrize(
    "bound",
    [
        {"name": "x" * 200},
        {"name": "💥" * 200},
        {"durationMinutes": 5},
        {"durationMinutes": 480},
        {"price": "0"},
        {"price": "1000000.00"},
    ],
)
async def test_p4_a_service_may_reach_its_bounds(world: Service, emil: Client, bound: dict[str, Any]):
    saved = await emil.act("saveService", **{**SERVICE, **bound})
    assert saved["__typename"] == "ServiceSaved"


BAD_SERVICES = [
    *(({"name": name}, ("InvalidInput", "name", code)) for name, code in BAD_NAMES),
    *(
        ({"durationMinutes": minutes}, ("InvalidInput", "durationMinutes", "OUT_OF_RANGE"))
        for minutes in (4, 481, 0, -60, 2**31 - 1, -(2**31))
    ),
    *(
        ({"price": price}, ("InvalidInput", "price", "OUT_OF_RANGE"))
        for price in ("-0.01", "1000000.01", "9" * 18 + ".99", "-" + "9" * 18)
    ),
    *(({"idempotencyKey": key}, ("InvalidInput", "idempotencyKey", code)) for key, code in BAD_KEYS),
]


@pytest.mark.parametrize(("bad", "expected"), BAD_SERVICES)
async def test_p4_a_bad_service_is_refused_new_or_old(
    world: Service, emil: Client, bad: dict[str, Any], expected: tuple[str, str, str]
):
    async with world.nothing_changes():
        assert refusal(await emil.act("saveService", **{**SERVICE, **bad})) == expected
        assert refusal(await emil.act("saveService", serviceId=emil.service, **{**SERVICE, **bad})) == expected


@pytest.mark.parametrize("minutes", [2**31, 1.5, "60", None, True])
async def test_p4_what_is_no_number_of_minutes_is_the_clients_fault(world: Service, emil: Client, minutes: Any):
    query = "mutation($input: SaveServiceInput!) { saveService(input: $input) { __typename } }"
    async with world.nothing_changes():
        (error,) = await emil.errors(query, input={**SERVICE, "durationMinutes": minutes})
    assert error["extensions"]["code"] == "BAD_USER_INPUT"


async def test_q4_a_service_that_is_not_ones_own_is_not_found_whatever_else_is_wrong(world: Service, emil: Client):
    eva = await world.expert("Eva Expert")
    unknown = [eva.service, global_id("Service", NOTHING), emil.id, emil.skill, "", "nonsense", "\x00", "\ud800"]
    async with world.nothing_changes():
        answers = [
            await emil.act("saveService", serviceId=each, **bad)
            for each in unknown
            for bad in (SERVICE, {**SERVICE, "name": "", "idempotencyKey": ""})
        ]
    assert {answer["__typename"] for answer in answers} == {"NotFound"}
    assert len({answer["message"] for answer in answers}) == 1, "the reasons are never told apart"


# Skills (Q5)


async def test_q5_skills_are_kept_in_the_order_given_and_replaced_as_a_whole(world: Service, emil: Client):
    saved = await emil.act("setSkills", names=[" Zig ", "Ada", "Lisp"])
    assert [each["name"] for each in saved["person"]["skills"]] == ["Zig", "Ada", "Lisp"]
    assert await skills(emil) == saved["person"]["skills"]

    saved = await emil.act("setSkills", names=["Lisp", "Zig"])
    assert [each["name"] for each in await skills(emil)] == ["Lisp", "Zig"]
    assert (await emil.act("setSkills", names=[]))["person"]["skills"] == []


@pytest.mark.parametrize(
    ("one", "same"),
    [
        ("Kotlin", "kOTLIN"),
        ("straße", "STRASSE"),
        ("Größe", "GRÖSSE"),
        ("Σίσυφος", "ΣΊΣΥΦΟΣ"),
        ("Ŀegacy", "ŀEGACY"),
        ("café", unicodedata.normalize("NFD", "café")),
        (unicodedata.normalize("NFD", "ÉCOLE"), "école"),
        ("ﬁnance", "FINANCE"),
        ("\u1fb3\u0301", "\u0391\u0301\u0399"),
    ],
)
async def test_q5_skills_of_one_name_are_one_skill_whatever_the_case(world: Service, one: str, same: str):
    eva, emil = await world.somebody("Eva"), await world.somebody("Emil")
    hers = (await eva.act("setSkills", names=[one]))["person"]["skills"]
    his = (await emil.act("setSkills", names=[same]))["person"]["skills"]
    assert hers == his, "also its name: one skill is called one thing"
    both = (await eva.act("setSkills", names=[same, one, same.upper()]))["person"]["skills"]
    assert both == hers, "given twice it is still one"


async def test_q5_skills_of_different_names_are_different_skills(world: Service, emil: Client):
    names = ["resume", "résumé", "C", "C++", "C#", "i", "\u0131", "Machine Learning", "Machine-Learning"]
    saved = await emil.act("setSkills", names=names)
    assert [each["name"] for each in saved["person"]["skills"]] == names


@pytest.mark.parametrize("name", ["x" * 200, "ΐ" * 200, "\U0001d1c0" * 200, "ﬃ" * 200, "💥" * 200])
async def test_p4_a_skills_name_may_have_200_characters_however_they_fold(world: Service, emil: Client, name: str):
    assert [each["name"] for each in (await emil.act("setSkills", names=[name]))["person"]["skills"]] == [name]


@pytest.mark.parametrize(("name", "code"), BAD_NAMES)
async def test_p4_a_bad_skill_is_refused_with_all_the_others(world: Service, emil: Client, name: str, code: str):
    async with world.nothing_changes():
        assert refusal(await emil.act("setSkills", names=["Fortran", name])) == ("InvalidInput", "names", code)


async def test_p4_nobody_has_more_skills_than_the_policy_allows(world: Service, emil: Client):
    names = [f"Skill {number}" for number in range(101)]
    async with world.nothing_changes():
        assert refusal(await emil.act("setSkills", names=names)) == ("InvalidInput", "names", "TOO_LONG")
    saved = await emil.act("setSkills", names=names[1:])
    assert len(saved["person"]["skills"]) == 100


WAITING = """
SELECT pid, pg_sleep(0.01) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
"""


async def test_q5_people_who_set_the_same_new_skills_at_once_in_opposite_orders_do_not_deadlock(
    world: Service, database_url: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(acting, "RETRIED", ())  # a deadlock would be seen
    one, other = await world.somebody("One"), await world.somebody("Other")
    names = ["alpha of both", "middle of both", "omega of both"]
    # Somebody else is about to make the one in the middle, so that both are stopped half-way.
    third = await asyncpg.connect(database_url)
    async with asyncio.timeout(20):
        half_way = third.transaction()
        await half_way.start()
        await third.execute("INSERT INTO skill VALUES (gen_random_uuid(), $1, $1)", names[1])
        setting = [
            asyncio.create_task(one.act("setSkills", names=names)),
            asyncio.create_task(other.act("setSkills", names=[name.upper() for name in reversed(names)])),
        ]
        while len(await get_connection("default").execute_query_dict(WAITING)) < 2:
            pass
        await half_way.rollback()
        ones, others = await asyncio.gather(*setting)
    await third.close()
    assert ones["person"]["skills"] == others["person"]["skills"][::-1]
    assert len(ones["person"]["skills"]) == 3


async def test_q5_one_person_who_sets_skills_twice_at_once_has_those_of_one_time(world: Service, emil: Client):
    for _ in range(5):
        given = [["Go", "Rust"], ["Rust", "Zig"], ["Zig", "Go", "Ada"]]
        saved = await asyncio.gather(*(emil.act("setSkills", names=names) for names in given))
        assert {each["__typename"] for each in saved} == {"PersonSaved"}
        assert [each["name"] for each in await skills(emil)] in given


async def test_q5_a_skill_nobody_has_any_more_is_still_the_same_skill(world: Service, emil: Client):
    (before,) = await skills(emil)
    await emil.act("setSkills", names=[])
    assert (await emil.act("setSkills", names=[before["name"].upper()]))["person"]["skills"] == [before]
    assert await Skill.filter(folded_name="python").count() == 1


# Profile (T)


async def test_t_a_profile_is_changed_where_something_is_given(world: Service, uma: Client):
    assert (await uma.ask("{ me { language timeZone } }"))["me"] == {"language": "EN", "timeZone": "UTC"}
    changes: list[tuple[dict[str, Any], str, str]] = [
        ({"language": "DE"}, "DE", "UTC"),
        ({"timeZone": "Europe/Prague"}, "DE", "Europe/Prague"),
        ({}, "DE", "Europe/Prague"),
        ({"language": None, "timeZone": None}, "DE", "Europe/Prague"),
        ({"language": "EN", "timeZone": "America/Argentina/ComodRivadavia"}, "EN", "America/Argentina/ComodRivadavia"),
    ]
    for given, language, time_zone in changes:
        saved = await uma.act("updateProfile", **given)
        assert saved["person"] == {"id": uma.id, "language": language, "timeZone": time_zone, "mutedKinds": []}
        assert (await uma.ask("{ me { language timeZone } }"))["me"] == {"language": language, "timeZone": time_zone}


@pytest.mark.parametrize(
    "zone",
    [
        "",
        " ",
        "Europe/Nowhere",
        "europe/prague",
        "CEST",
        "+02:00",
        "localtime",
        "../UTC",
        "UTC\x00",
        "\ud800",
        "x" * 9_999,
    ],
)
async def test_t_an_unknown_time_zone_is_refused(world: Service, uma: Client, zone: str):
    async with world.nothing_changes():
        refused = await uma.act("updateProfile", language="DE", timeZone=zone)
    assert refusal(refused) == ("InvalidInput", "timeZone", "UNKNOWN")


@pytest.mark.parametrize(
    ("claims", "language", "time_zone"),
    [
        ({}, "EN", "UTC"),
        ({"locale": "de-AT", "zoneinfo": "Europe/Vienna"}, "DE", "Europe/Vienna"),
        ({"locale": "DE_ch", "zoneinfo": "Europe/Zurich"}, "DE", "Europe/Zurich"),
        ({"locale": "del", "zoneinfo": "Nowhere/Land"}, "EN", "UTC"),
        ({"locale": "", "zoneinfo": ""}, "EN", "UTC"),
        ({"locale": "fr", "zoneinfo": "localtime"}, "EN", "UTC"),
    ],
)
async def test_t_the_token_only_seeds_language_and_zone(
    world: Service, claims: dict[str, str], language: str, time_zone: str
):
    person = await world.somebody("Nina New", **claims)
    me = (await person.ask("{ me { language timeZone } }"))["me"]
    assert me == {"language": language, "timeZone": time_zone}

    await person.act("updateProfile", language="EN", timeZone="Asia/Tokyo")
    person.token = world.token(sub=person.sub, name="Nina Newer", locale="de", zoneinfo="Europe/Berlin")
    me = (await person.ask("{ me { name email language timeZone } }"))["me"]
    assert me == {"name": "Nina Newer", "email": None, "language": "EN", "timeZone": "Asia/Tokyo"}


async def test_t_two_first_requests_at_once_make_one_person(world: Service):
    for turn in range(5):
        token = world.token(sub=f"at-once-{world.clock.time}-{turn}", name="Both")
        client = Client(world, "", token)
        answers = await asyncio.gather(*(client.ask("{ me { id } }") for _ in range(6)))
        assert len({answer["me"]["id"] for answer in answers}) == 1


# Doing it once (I1)


@pytest.mark.parametrize("action", ACTIONS)
async def test_i1_a_repetition_does_nothing_twice_and_another_input_is_refused(
    world: Service, emil: Client, action: str
):
    given, other = ACTIONS[action]
    first = await emil.act(action, **given, idempotencyKey="once")
    assert first["__typename"] in ("ServiceSaved", "PersonSaved")
    async with world.nothing_changes():
        assert await emil.act(action, **given, idempotencyKey="once") == first
        reused = await emil.act(action, **other, idempotencyKey="once")
        assert reused["__typename"] == "IdempotencyKeyReused"
        assert reused["message"]


@pytest.mark.parametrize("action", ACTIONS)
async def test_i1_repetitions_that_arrive_at_once_are_one(world: Service, emil: Client, action: str):
    given, _ = ACTIONS[action]
    answers = await asyncio.gather(*(emil.act(action, **given, idempotencyKey="at once") for _ in range(5)))
    assert all(answer == answers[0] for answer in answers)
    assert answers[0]["__typename"] in ("ServiceSaved", "PersonSaved")
    assert len(await services(emil)) == (2 if action == "saveService" else 1)


async def test_i1_a_key_is_of_one_person_and_one_action(world: Service, uma: Client, emil: Client):
    await emil.act("updateProfile", language="DE", idempotencyKey="mine")
    assert (await uma.act("updateProfile", language="DE", idempotencyKey="mine"))["__typename"] == "PersonSaved"
    async with world.nothing_changes():
        reused = await emil.act("setSkills", names=["Go"], idempotencyKey="mine")
    assert reused["__typename"] == "IdempotencyKeyReused"


async def test_i1_a_problem_is_not_kept(world: Service, emil: Client):
    async with world.nothing_changes():
        refused = await emil.act("saveService", **{**SERVICE, "name": ""}, idempotencyKey="again")
    assert refused["__typename"] == "InvalidInput"
    assert (await emil.act("saveService", **SERVICE, idempotencyKey="again"))["__typename"] == "ServiceSaved"


async def test_i1_an_answer_given_again_shows_the_thing_as_it_now_is(world: Service, emil: Client):
    first = await emil.act("saveService", **SERVICE, idempotencyKey="once")
    await emil.act("saveService", serviceId=first["service"]["id"], **{**SERVICE, "price": "1.00"})
    again = await emil.act("saveService", **SERVICE, idempotencyKey="once")
    assert again["service"] == {**first["service"], "price": "1.00"}


@pytest.mark.parametrize("action", ["setSkills", "updateProfile"])
@pytest.mark.parametrize(("key", "code"), BAD_KEYS)
async def test_p4_a_bad_key_is_refused(world: Service, emil: Client, action: str, key: str, code: str):
    given, _ = ACTIONS[action]
    async with world.nothing_changes():
        refused = await emil.act(action, **given, idempotencyKey=key)
    assert refusal(refused) == ("InvalidInput", "idempotencyKey", code)


@pytest.mark.parametrize("action", ACTIONS)
async def test_p4_a_key_may_have_200_characters(world: Service, emil: Client, action: str):
    given, _ = ACTIONS[action]
    first = await emil.act(action, **given, idempotencyKey="💥" * 200)
    assert await emil.act(action, **given, idempotencyKey="💥" * 200) == first
