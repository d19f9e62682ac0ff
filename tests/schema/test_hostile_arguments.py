"""Whatever a client sends in any argument of a query or a subscription: an answer, or a fault of theirs."""

from collections.abc import Iterator
from typing import Any

import pytest
from graphql import GraphQLArgument, GraphQLField, GraphQLObjectType, get_named_type, is_leaf_type, is_required_argument

from models.ids import uuid7
from resolvers.cursors import encode_cursor
from schema.ids import global_id
from schema.root import SCHEMA
from tests.driving import Client, Service, Socket
from tests.schema.asking import (
    QUERIES,
    SUBSCRIPTIONS,
    given,
    places_with_arguments,
    required,
)
from tests.schema.hostile import LEFT_OUT, NO_JSON, answered, hostile, some_of, told, written_out
from tests.schema.playing import People, make_people

THEIR_FAULT = {
    "BAD_USER_INPUT",
    "BAD_REQUEST",
    "PAYLOAD_TOO_LARGE",
    "GRAPHQL_VALIDATION_FAILED",
    "GRAPHQL_PARSE_FAILED",
}
PLACES = places_with_arguments()


def asked_at(place: tuple[str, ...]) -> GraphQLField:
    """The field at a place, from the root of all queries."""
    fields = QUERIES
    for name in place[:-1]:
        fields = get_named_type(fields[name].type).fields
    return fields[place[-1]]


def at(place: tuple[str, ...], passed: str) -> str:
    """The selection of a field at its place."""
    shown = get_named_type(asked_at(place).type)
    selected = "" if is_leaf_type(shown) else "{ __typename }"
    return " { ".join([*place[:-1], f"{place[-1]}{passed} {selected}"]) + " }" * (len(place) - 1)


async def valid(people: People) -> dict[str, Any]:
    """Something for each argument without which a field can't be asked for."""
    meeting, chat = await people.proposed(), await people.chat()
    await people.user.write(chat)
    return {
        "id": meeting,
        "ids": [meeting, people.user.id, chat],
        "search": "u",
        "meetingId": meeting,
        "chatId": chat,
        "expertId": people.expert.id,
        "serviceId": people.expert.service,
        "from": people.world.at(),
        "until": people.world.at(days=1),
    }


def cursors() -> list[str]:
    """Of other lists, of other people, of nothing, and spoilt."""
    places: list[Any] = [
        None,
        0,
        -1,
        2**70,
        "x",
        [],
        {},
        ["\x00", str(uuid7())],
        ["2027-01-01T00:00:00", "x"],
        [1, 2, 3],
    ]
    streams = ["meetings", "timeline", "movements", "people/", "people/u", "experts/None", "skills/", "x"]
    forged = [encode_cursor(stream, owner, place) for stream in streams for owner in ("", "x") for place in places]
    return [*forged[::3], "W10=", "bnVsbA==", "e30="]


def is_known_from_an_earlier_place(place: str, name: str) -> bool:
    """Whether one before takes an argument of this name and type, in which all was tried."""
    earlier = (asked_at(PLACES[each]).args.get(name) for each in list(PLACES)[: list(PLACES).index(place)])
    return any(argument and str(argument.type) == str(asked_at(PLACES[place]).args[name].type) for argument in earlier)


def values(name: str, argument: GraphQLArgument, people: People) -> Iterator[tuple[Any, bool]]:
    """What to give for an argument, and whether it must be refused."""
    good, bad = hostile(argument.type)
    if name == "after":
        good += cursors()
    if get_named_type(argument.type).name == "ID":
        good += [people.stranger.id, people.expert.skill, global_id("Meeting", uuid7()), global_id("Nothing", uuid7())]
    yield from ((value, False) for value in good)
    yield from ((value, True) for value in bad)
    yield LEFT_OUT, is_required_argument(argument)


def of_whom(answer: dict[str, Any], *, refused: bool) -> None:
    """Who is at fault, if anything is wrong: the client, and nothing is shown where the argument could not be read."""
    codes = told(answer)
    assert set(codes) <= THEIR_FAULT | {"NOT_FOUND"}, answer
    if refused:
        assert codes, answer
        assert not answer.get("data"), answer


def test_there_is_a_way_to_each_field_that_takes_arguments():
    taking = {
        f"{named.name}.{name}"
        for named in SCHEMA.type_map.values()
        if isinstance(named, GraphQLObjectType) and named not in (SCHEMA.mutation_type, SCHEMA.subscription_type)
        for name, asked in named.fields.items()
        if asked.args and not named.name.startswith("__")
    }
    assert set(PLACES) == taking


@pytest.mark.parametrize("place", PLACES)
async def test_hostile_arguments_are_answered_or_refused_as_the_clients_fault(place: str, world: Service):
    people = await make_people(world)
    arguments, known = asked_at(PLACES[place]).args, await valid(people)
    async with world.nothing_changes():
        for name, argument in arguments.items():
            names = list(dict.fromkeys([*required(arguments), name]))
            assert set(names) - {name} <= set(known), f"Say in {__name__}.valid what {place} may be asked for with."
            variables, passed = given(arguments, names)
            query = f"query{variables} {{ {at(PLACES[place], passed)} }}"
            others = {other: known[other] for other in names if other != name}
            tried = list(values(name, argument, people))
            written = written_out(argument.type, [value for value, _ in tried][::4])
            if is_known_from_an_earlier_place(place, name):
                tried, written = (list(some_of(each, list(PLACES).index(place))) for each in (tried, written))
            for value, refused in tried:
                sent = others if value is LEFT_OUT else {**others, name: value}
                answer = answered(await people.user.post(query, **sent))
                if told(answer) == ["FORBIDDEN"]:
                    answer = answered(await people.staff.post(query, **sent))
                of_whom(answer, refused=refused)
            for literal in written:
                passed = ", ".join([f"{name}: {literal}", *(f"{other}: ${other}" for other in others)])
                variables, _ = given(arguments, list(others))
                query = f"query{variables} {{ {at(PLACES[place], f'({passed})')} }}"
                of_whom(answered(await people.staff.post(query, **others)), refused=False)


@pytest.mark.parametrize("name", SUBSCRIPTIONS)
async def test_hostile_arguments_of_a_subscription_are_accepted_or_refused_as_the_clients_fault(
    name: str, world: Service
):
    people = await make_people(world)
    arguments = SUBSCRIPTIONS[name].args
    known = await valid(people)
    viewer = people.staff if name == "disputeUpdates" else people.user
    async with world.nothing_changes(), viewer.socket() as socket:
        for varied, argument in arguments.items():
            variables, passed = given(arguments, list(dict.fromkeys([*required(arguments), varied])))
            query = f"subscription{variables} {{ {name}{passed} {{ __typename }} }}"
            for number, (value, refused) in enumerate(values(varied, argument, people)):
                if value in NO_JSON:
                    continue
                sent = {other: known[other] for other in required(arguments) if other != varied}
                if value is not LEFT_OUT:
                    sent[varied] = value
                answer = await started(socket, f"{varied}{number}", query, sent)
                of_whom(answer, refused=refused)
        assert await socket.silent()


async def started(socket: Socket, key: str, query: str, variables: dict[str, Any]) -> dict[str, Any]:
    """What a subscription answers at once: its errors, its first update, or nothing yet."""
    await socket.subscribe(query, key, **variables)
    answers = [message for message in socket.waiting if message["id"] == key]
    socket.waiting.clear()
    await socket.send({"type": "complete", "id": key})
    for message in answers:
        if message["type"] == "error":
            return {"errors": message["payload"]}
    return next((message["payload"] for message in answers if message["type"] == "next"), {})


@pytest.mark.parametrize("name", QUERIES)
async def test_whoever_is_not_signed_in_is_shown_nothing(name: str, world: Service, uma: Client):
    known = {"id": uma.id, "ids": [uma.id], "search": uma.sub}
    arguments = QUERIES[name].args
    variables, passed = given(arguments, required(arguments))
    query = f"query{variables} {{ {at((name,), passed)} }}"
    for headers in ({}, {"Authorization": "Bearer nonsense"}, {"Authorization": f"Basic {uma.token}"}):
        response = await world.http.post("/graphql", json={"query": query, "variables": known}, headers=headers)
        assert response.status_code == 401
        answer = answered(response)
        assert "data" not in answer
        assert [error["extensions"]["code"] for error in answer["errors"]] == ["UNAUTHENTICATED"]
