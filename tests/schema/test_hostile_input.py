"""Whatever a client sends in any field of a mutation's input: it is done, or refused and nothing is (P4)."""

import os
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from graphql import GraphQLInputObjectType, GraphQLInputType, build_schema, get_named_type
from tortoise.connection import get_connection

from models.ids import uuid7
from schema.ids import global_id
from tests.driving import Client, Service
from tests.invariants import state
from tests.schema.asking import MUTATIONS
from tests.schema.hostile import LEFT_OUT, SHORT, Path, answered, hostile, literal, places, put, written_out
from tests.schema.playing import EITHER_SIDES, EVERYBODYS, People, doable, make_people

PROBLEM = "{ __typename ... on Problem { message } ... on InvalidInput { field code } }"
FOLLOWS = {("proposeMeeting", "expertId"): {"serviceId", "skillId"}}
"What can't be used any more once another field has been given something else."
EVERYBODY_MAY: list[tuple[Path, Any]] = [(("serviceId",), None), (("ids",), None), (("ids",), [])]
"With this in it, an input is about what is their own: a new service, all of their notifications, or none."
SHARED = {"idempotencyKey", "expectedVersion"}
"Fields that are dealt with before any mutation's own story begins, for all of them in one place."
EVERY = 1 if "HOSTILE_EVERYWHERE" in os.environ else 4
"""Of what is not of its type one value in so many is tried in a field that an earlier mutation has as well, and of what
is, in the shared ones: at each mutation others. HOSTILE_EVERYWHERE=1 tries each everywhere."""
AT_ONCE = 40
"Mutations in a request: more would have too many tokens."


@pytest.fixture
async def people(world: Service) -> AsyncIterator[People]:
    """People of this test alone; what they add to the lists of reasons, which are everybody's, is taken off again."""
    yield await make_people(world)
    await get_connection("default").execute_query("UPDATE reason SET active = FALSE WHERE label_en = 'A'")


def input_of(action: str) -> GraphQLInputObjectType:
    named = get_named_type(MUTATIONS[action].args["input"].type)
    assert isinstance(named, GraphQLInputObjectType)
    return named


def acting(action: str) -> str:
    return f"mutation Act($input: {input_of(action).name}!) {{ {action}(input: $input) {PROBLEM} }}"


async def ids_of_others(people: People) -> list[str]:
    """Ids that name something, but not what just any field is about; nothing; or that were spoilt."""
    meeting = await people.proposed()
    shown = await people.user.ask("{ creditAccount { movements(first: 1) { edges { node { id } } } } }")
    movement = shown["creditAccount"]["movements"]["edges"][0]["node"]["id"]
    known = [people.stranger.id, people.staff.id, people.expert.id, people.expert.service, people.expert.skill]
    known += [await people.chat(), await people.told()]
    nothing = [global_id(name, uuid7()) for name in ("Person", "Service", "Skill", "Meeting", "TimelineEvent", "Chat")]
    spoilt = [meeting.rstrip("="), f" {meeting}", meeting.swapcase(), meeting[:-4], f"{meeting}{meeting}"]
    return [*known, meeting, movement, *nothing, *spoilt]


class Attack:
    """Hostile input for somebody who may do the thing, one value after another, and a watch over what is written."""

    def __init__(self, action: str, people: People) -> None:
        self.action = action
        self.people = people
        self.done = 0
        self.refused = 0

    async def begin(self) -> None:
        self.client, self.input = await doable(self.action, self.people)
        self.known = await state()

    async def vary(self, path: Path, value: Any, *, of_type: bool) -> None:
        """The value at its place among valid ones."""
        response = await self.client.post(acting(self.action), input=put(self.input, path, value))
        await self._judge(response, str(path[0]), of_type=of_type)

    async def write(self, name: str, written: str) -> None:
        """The value written into the document, and all others in variables."""
        fields = input_of(self.action).fields
        others = {other: value for other, value in self.input.items() if other != name}
        variables = ", ".join(f"${other}: {fields[other].type}" for other in others)
        passed = ", ".join([f"{name}: {written}", *(f"{other}: ${other}" for other in others)])
        query = f"mutation{f'({variables})' if others else ''} {{ {self.action}(input: {{ {passed} }}) {PROBLEM} }}"
        await self._judge(await self.client.post(query, **others), name, of_type=True)

    async def _judge(self, response: httpx.Response, field: str, *, of_type: bool) -> None:
        answer = answered(response)
        result = (answer.get("data") or {}).get(self.action)
        if result is None:  # never got as far as to us; whether anything was written all the same, the next one sees
            assert answer["errors"]
            self.refused += 1
        elif "message" in result:
            if result["__typename"] == "InvalidInput":
                assert result["field"] in {field, *FOLLOWS.get((self.action, field), ())}, result
            self.refused += 1
            await self.nothing_was_written()
        else:
            assert of_type, f"{field} took what is not of its type: {response.request.content[:300]!r}"
            self.done += 1
            await self.begin()

    async def nothing_was_written(self) -> None:
        assert await state() == self.known, f"{self.action} was refused, and yet something was written"


def test_what_lies_within_lists_of_inputs_is_varied_too():
    schema = build_schema("type Query { a: Int } input Outer { many: [Inner!]! } input Inner { number: Int! text: ID }")
    outer = schema.type_map["Outer"]
    assert isinstance(outer, GraphQLInputObjectType)
    value = {"many": [{"number": 1}, {"number": 2}]}
    found = {path: may_be_left_out for path, _, may_be_left_out in places(outer, value)}
    assert found == {("many",): False, ("many", 0, "number"): False, ("many", 0, "text"): True}
    assert put(value, ("many", 0, "number"), "x") == {"many": [{"number": "x"}, {"number": 2}]}


@pytest.mark.parametrize("action", MUTATIONS)
async def test_hostile_input_is_done_or_refused_and_then_nothing_is_written(action: str, people: People):
    others = await ids_of_others(people)
    attack = Attack(action, people)
    await attack.begin()
    for path, kind, may_be_left_out in list(places(input_of(action), attack.input)):
        good, bad = hostile(kind)
        good += others if get_named_type(kind).name == "ID" else []
        good += [LEFT_OUT] if may_be_left_out else []
        bad += [] if may_be_left_out else [LEFT_OUT]
        if is_known_from_an_earlier_mutation(action, path, kind):
            bad = some_of(action, bad)
            good = some_of(action, good) if path[0] in SHARED else good
        for value in bad:
            await attack.vary(path, value, of_type=False)
        await attack.nothing_was_written()
        for value in good:
            await attack.vary(path, value, of_type=True)
        if len(path) == 1:
            for written in written_out(kind, [*good[::6], *bad[::6]]):
                await attack.write(str(path[0]), written)
    assert attack.done > 0
    assert attack.refused > 10


def is_known_from_an_earlier_mutation(action: str, path: Path, kind: GraphQLInputType) -> bool:
    """Whether one before has a field of this name and type, in which all was tried."""
    earlier = (input_of(each).fields.get(str(path[0])) for each in list(MUTATIONS)[: list(MUTATIONS).index(action)])
    return len(path) == 1 and any(field and str(field.type) == str(kind) for field in earlier)


def some_of(action: str, values: list[Any]) -> list[Any]:
    return values[list(MUTATIONS).index(action) % EVERY :: EVERY]


@pytest.mark.parametrize("action", MUTATIONS)
async def test_fields_that_there_are_not_and_fields_given_twice_do_nothing(action: str, people: People):
    client, given = await doable(action, people)
    known = await state()
    for name in ("isStaff", "__proto__", "by", "userId", "idempotency_key", "", "\ud800", "a" * 10_000):
        answer = answered(await client.post(acting(action), input={**given, name: True}))
        assert answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"
    name, value = next(iter(given.items()), ("idempotencyKey", "twice"))
    twice = f"{{ {name}: {literal(value)}, {name}: {literal(value)} }}"
    answer = answered(await client.post(f"mutation {{ {action}(input: {twice}) {PROBLEM} }}"))
    assert answer["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
    for nothing in (None, [], "", 1, [given], {"input": given}, {}):
        if nothing or required_in(action):
            assert answered(await client.post(acting(action), input=nothing))["errors"]
    assert await state() == known


def required_in(action: str) -> bool:
    return any(not may_be_left_out for _, _, may_be_left_out in places(input_of(action), {}))


@pytest.mark.parametrize("action", [action for action in MUTATIONS if action not in EVERYBODYS])
async def test_hostile_input_of_those_who_may_not_do_it_is_refused_and_nothing_is_written(action: str, people: People):
    client, given = await doable(action, people)
    inputs = [given] + [
        put(given, path, value)
        for path, kind, _ in places(input_of(action), given)
        for value in hostile(kind)[0]
        if len(literal(value)) < SHORT and (path, value) not in EVERYBODY_MAY
    ]
    known = await state()
    for other in (people.user, people.expert, people.staff, people.stranger):
        if other is not client and not (other is people.expert and action in EITHER_SIDES):
            for start in range(0, len(inputs), AT_ONCE):
                await refused(other, action, inputs[start : start + AT_ONCE])
    assert await state() == known


async def refused(client: Client, action: str, inputs: list[Any]) -> None:
    """All of these at once, each for itself."""
    variables = " ".join(f"$i{number}: {input_of(action).name}!" for number in range(len(inputs)))
    fields = " ".join(f"i{number}: {action}(input: $i{number}) {{ ...P }}" for number in range(len(inputs)))
    query = f"mutation({variables}) {{ {fields} }} fragment P on {get_named_type(MUTATIONS[action].type)} {PROBLEM}"
    answer = answered(await client.post(query, **{f"i{number}": each for number, each in enumerate(inputs)}))
    assert "errors" not in answer, answer
    assert all("message" in result for result in answer["data"].values())


@pytest.mark.parametrize("action", MUTATIONS)
async def test_whoever_is_not_signed_in_is_told_so_and_does_nothing(action: str, world: Service, people: People):
    client, given = await doable(action, people)
    known = await state()
    expired = world.token(sub=client.sub, seconds=-3600)
    for authorization in (None, "", "Bearer", "Bearer nonsense", f"Basic {client.token}", f"Bearer {expired}"):
        response = await world.http.post(
            "/graphql",
            json={"query": acting(action), "variables": {"input": given}},
            headers={"Authorization": authorization} if authorization is not None else {},
        )
        assert response.status_code == 401
        answer = answered(response)
        assert "data" not in answer
        assert answer["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert await state() == known
