"""Whatever a client sends in any field of a mutation's input: it is done, or refused and nothing is (P4)."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

import httpx2
import pytest
from graphql import GraphQLInputObjectType, GraphQLInputType, build_schema, get_named_type
from tortoise.connection import get_connection

from models.ids import uuid7
from schema.ids import global_id
from tests.driving import Client, Service
from tests.invariants import state
from tests.schema.asking import MUTATIONS
from tests.schema.hostile import (
    EVERY,
    LEFT_OUT,
    SHORT,
    Path,
    answered,
    hostile,
    in_parts,
    is_json,
    literal,
    parses,
    places,
    put,
    some_of,
    written_out,
)
from tests.schema.playing import EITHER_SIDES, EVERYBODYS, People, doable, make_people

PROBLEM = "{ __typename ... on Problem { message } ... on InvalidInput { field code } }"
FOLLOWS = {("proposeMeeting", "expertId"): {"serviceId", "skillId"}}
"What can't be used any more once another field has been given something else."
EVERYBODY_MAY: list[tuple[Path, Any]] = [(("serviceId",), None), (("ids",), None), (("ids",), [])]
"With this in it, an input is about what is their own: a new service, all of their notifications, or none."
SHARED = {"idempotencyKey", "expectedVersion"}
"Fields that are dealt with before any mutation's own story begins, for all of them in one place."
AT_ONCE = 40
"Mutations in a request: more would have too many tokens."
LINES = 16
"Mutations in a request that have their inputs written out, which takes more tokens."


@pytest.fixture
async def people(world: Service) -> AsyncIterator[People]:
    """People of this test alone; what they add to the lists of reasons, which are everybody's, is taken off again."""
    yield await make_people(world)
    await get_connection("default").execute_query("UPDATE reason SET active = FALSE WHERE label_en = 'A'")


@pytest.fixture(scope="module")
async def same_people(service: Service, in_order: None) -> People:
    """The same for all refusals, as they change nothing."""
    service.clock.reset()
    return await make_people(service)


def input_of(action: str) -> GraphQLInputObjectType:
    named = get_named_type(MUTATIONS[action].args["input"].type)
    assert isinstance(named, GraphQLInputObjectType)
    return named


def acting(action: str) -> str:
    return f"mutation Act($input: {input_of(action).name}!) {{ {action}(input: $input) {PROBLEM} }}"


def acting_on_each(action: str, inputs: Sequence[Any]) -> tuple[str, dict[str, Any]]:
    """A document that does the same with all of these, each for itself, and its variables."""
    variables = " ".join(f"$i{number}: {input_of(action).name}!" for number in range(len(inputs)))
    fields = " ".join(f"i{number}: {action}(input: $i{number}) {{ ...P }}" for number in range(len(inputs)))
    query = f"mutation({variables}) {{ {fields} }} fragment P on {get_named_type(MUTATIONS[action].type)} {PROBLEM}"
    return query, {f"i{number}": each for number, each in enumerate(inputs)}


async def ids_of_others(people: People) -> tuple[list[str], list[str]]:
    """Ids that name something, but not what just any field is about, or nothing; and some that were spoilt."""
    meeting = await people.proposed()
    shown = await people.user.ask("{ creditAccount { movements(first: 1) { edges { node { id } } } } }")
    movement = shown["creditAccount"]["movements"]["edges"][0]["node"]["id"]
    known = [people.stranger.id, people.staff.id, people.expert.id, people.expert.service, people.expert.skill]
    known += [await people.chat(), await people.told()]
    nothing = [global_id(name, uuid7()) for name in ("Person", "Service", "Skill", "Meeting", "TimelineEvent", "Chat")]
    spoilt = [meeting.rstrip("="), f" {meeting}", meeting.swapcase(), meeting[:-4], f"{meeting}{meeting}"]
    return [*known, meeting, movement, *nothing], spoilt


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

    async def vary(self, path: Path, value: Any) -> None:
        """A value of its type at its place among valid ones."""
        await self._judge(await self.client.post(acting(self.action), input=put(self.input, path, value)), str(path[0]))

    async def misfit(self, path: Path, values: list[Any]) -> None:
        """Values that are not of their type: all in one request, as each is an error of its own."""
        inputs = [put(self.input, path, value) for value in values]
        await unread(self.client, self.action, inputs)
        self.refused += len(values)
        await self.nothing_was_written()

    async def write(self, name: str, written: list[str]) -> None:
        """The values written into a document, and all others in variables."""
        alone = [each for each in written if not parses(each)]
        for some in in_parts([each for each in written if parses(each)], LINES):
            alone += await self._fitting(name, some)
        self.refused += len(written) - len(alone)
        for each in alone:
            query = f"mutation{self._variables(name)} {{ {self._line(name, each)} }}"
            await self._judge(await self.client.post(query, **self._others(name)), name)

    async def _fitting(self, name: str, written: Sequence[str]) -> list[str]:
        """Those of them in whose lines of a document, which is not run, there is no fault."""
        lines = [f"i{number}: {self._line(name, each)}" for number, each in enumerate(written)]
        query = "\n".join([f"mutation{self._variables(name)} {{ i: {self.action}(input: $unknown)", *lines, "}"])
        answer = answered(await self.client.post(query, **self._others(name)))
        assert "data" not in answer, answer
        at_fault = {place["line"] for error in answer["errors"] for place in error.get("locations", ())}
        return [each for line, each in enumerate(written, start=2) if line not in at_fault]

    def _line(self, name: str, written: str) -> str:
        passed = ", ".join([f"{name}: {written}", *(f"{other}: ${other}" for other in self._others(name))])
        return f"{self.action}(input: {{ {passed} }}) {PROBLEM}"

    def _variables(self, name: str) -> str:
        fields = input_of(self.action).fields
        variables = ", ".join(f"${other}: {fields[other].type}" for other in self._others(name))
        return f"({variables})" if variables else ""

    def _others(self, name: str) -> dict[str, Any]:
        return {other: value for other, value in self.input.items() if other != name}

    async def _judge(self, response: httpx2.Response, field: str) -> None:
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
            self.done += 1
            await self.begin()

    async def nothing_was_written(self) -> None:
        assert await state() == self.known, f"{self.action} was refused, and yet something was written"


async def unread(client: Client, action: str, inputs: list[Any]) -> None:
    """None of these is taken for an input: of each there is an error, and nothing is done."""
    for some in in_parts([each for each in inputs if is_json(each)], AT_ONCE):
        query, variables = acting_on_each(action, some)
        answer = answered(await client.post(query, **variables))
        assert "data" not in answer, answer
        told = " ".join(error["message"] for error in answer["errors"])
        taken = [each for number, each in enumerate(some) if f"'$i{number}'" not in told]
        assert not taken, f"{action} takes what is not of its type: {str(taken)[:1_000]}"
    for each in inputs:
        if not is_json(each):
            answer = answered(await client.post(acting(action), input=each))
            assert [error["extensions"]["code"] for error in answer["errors"]] == ["BAD_REQUEST"]


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
    others, spoilt = await ids_of_others(people)
    attack = Attack(action, people)
    await attack.begin()
    for path, kind, may_be_left_out in list(places(input_of(action), attack.input)):
        good, bad = hostile(kind)
        about = others if get_named_type(kind).name == "ID" else []
        good += spoilt if about else []
        good += [LEFT_OUT] if may_be_left_out else []
        bad += [] if may_be_left_out else [LEFT_OUT]
        written = written_out(kind, [*good[::6], *about[::6], *bad[::6]]) if len(path) == 1 else []
        if is_known_from_an_earlier_mutation(action, path, kind):
            bad, written, good = (list(some_of(each, list(MUTATIONS).index(action))) for each in (bad, written, good))
        await attack.misfit(path, bad)
        for value in [*good, *about]:
            await attack.vary(path, value)
        await attack.write(str(path[0]), written)
    assert attack.done > 0
    assert attack.refused > (10 if input_of(action).fields.keys() - SHARED else 0)


def is_known_from_an_earlier_mutation(action: str, path: Path, kind: GraphQLInputType) -> bool:
    """Whether one before has a field of this name and type, in which all was tried."""
    earlier = (input_of(each).fields.get(str(path[0])) for each in list(MUTATIONS)[: list(MUTATIONS).index(action)])
    return len(path) == 1 and any(field and str(field.type) == str(kind) for field in earlier)


@pytest.mark.parametrize("action", MUTATIONS)
async def test_fields_that_there_are_not_and_fields_given_twice_do_nothing(action: str, same_people: People):
    client, given = await doable(action, same_people)
    known = await state()
    unknown = ("isStaff", "__proto__", "by", "userId", "idempotency_key", "", "\ud800", "a" * 10_000)
    nothing = [each for each in (None, [], "", 1, [given], {"input": given}, {}) if each or required_in(action)]
    await unread(client, action, [*({**given, name: True} for name in unknown), *nothing])
    name, value = next(iter(given.items()), ("idempotencyKey", "twice"))
    twice = f"{{ {name}: {literal(value)}, {name}: {literal(value)} }}"
    answer = answered(await client.post(f"mutation {{ {action}(input: {twice}) {PROBLEM} }}"))
    assert answer["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
    assert await state() == known


def required_in(action: str) -> bool:
    return any(not may_be_left_out for _, _, may_be_left_out in places(input_of(action), {}))


@pytest.mark.parametrize("action", [action for action in MUTATIONS if action not in EVERYBODYS])
async def test_hostile_input_of_those_who_may_not_do_it_is_refused_and_nothing_is_written(
    action: str, same_people: People
):
    people = same_people
    client, given = await doable(action, people)
    inputs = [
        put(given, path, value)
        for path, kind, _ in places(input_of(action), given)
        for value in hostile(kind)[0]
        if len(literal(value)) < SHORT and (path, value) not in EVERYBODY_MAY
    ]
    known = await state()
    everybody = (people.user, people.expert, people.staff, people.stranger)
    may_too = people.expert if action in EITHER_SIDES else client
    others = [each for each in everybody if each not in (client, may_too)]
    for number, other in enumerate(others):
        own = inputs[number :: len(others)] if EVERY > 1 else inputs  # each value by one of them
        for some in in_parts([given, *own], AT_ONCE):
            await refused(other, action, some)
    assert await state() == known


async def refused(client: Client, action: str, inputs: Sequence[Any]) -> None:
    """All of these at once, each for itself."""
    query, variables = acting_on_each(action, inputs)
    answer = answered(await client.post(query, **variables))
    assert "errors" not in answer, answer
    done = [inputs[int(name[1:])] for name, result in answer["data"].items() if "message" not in result]
    assert not done, f"{client.sub} may {action} with {str(done)[:1_000]}"


@pytest.mark.parametrize("action", MUTATIONS)
async def test_whoever_is_not_signed_in_is_told_so_and_does_nothing(action: str, world: Service, same_people: People):
    client, given = await doable(action, same_people)
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
        assert "data" not in answer, answer
        assert answer["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert await state() == known
