"""The served schema as a client developer reads it: everything said, and everything of one form.

The rules are those of graphql-schema-linter that suit us, and some of our own; each is shown schemas that break it.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from graphql import (
    DEFAULT_DEPRECATION_REASON,
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    build_schema,
    get_named_type,
    is_specified_scalar_type,
)

from schema.root import SCHEMA

Lint = Callable[[GraphQLSchema], Iterator[str]]
RULES: dict[str, tuple[Lint, tuple[str, ...]]] = {}
"Each rule's sentence, what finds the offenders, and schemas with one each."


def rule(sentence: str, *refused: str) -> Callable[[Lint], Lint]:
    """A rule, and schemas that break it."""

    def known(lint: Lint) -> Lint:
        RULES[sentence] = lint, refused
        return lint

    return known


# ── what a schema consists of ──────────────────────────────────────────────────────────────────────────────────────


def types(schema: GraphQLSchema, *kinds: type[GraphQLNamedType]) -> Iterator[Any]:
    """The types of these kinds that the schema defines itself."""
    for name, each in schema.type_map.items():
        if not name.startswith("__") and not is_specified_scalar_type(each) and isinstance(each, kinds or object):
            yield each


def fields(schema: GraphQLSchema, *kinds: type[GraphQLNamedType]) -> Iterator[tuple[str, str, Any]]:
    """Where each field is, what it is called, and the field."""
    for each in types(schema, *(kinds or (GraphQLObjectType, GraphQLInterfaceType, GraphQLInputObjectType))):
        for name, field in each.fields.items():
            yield f"{each.name}.{name}", name, field


def arguments(schema: GraphQLSchema) -> Iterator[tuple[str, str, Any]]:
    """The same of arguments."""
    for place, _, field in fields(schema, GraphQLObjectType, GraphQLInterfaceType):
        for name, argument in field.args.items():
            yield f"{place}({name})", name, argument


def members(schema: GraphQLSchema) -> Iterator[tuple[str, str, Any]]:
    """The same of the members of enums."""
    for enum in types(schema, GraphQLEnumType):
        for name, member in enum.values.items():
            yield f"{enum.name}.{name}", name, member


def everything(schema: GraphQLSchema) -> Iterator[tuple[str, str, Any]]:
    yield from ((each.name, each.name, each) for each in types(schema))
    yield from fields(schema)
    yield from arguments(schema)
    yield from members(schema)


def mutations(schema: GraphQLSchema) -> Iterator[tuple[str, Any]]:
    yield from (schema.mutation_type.fields if schema.mutation_type else {}).items()


def named(schema: GraphQLSchema, ending: str) -> Iterator[GraphQLObjectType]:
    return (each for each in types(schema, GraphQLObjectType) if each.name.endswith(ending))


def shape(each: GraphQLObjectType) -> dict[str, str]:
    return {name: str(field.type) for name, field in each.fields.items()}


# ── what is said ───────────────────────────────────────────────────────────────────────────────────────────────────


@rule(
    "everything has a description",
    'type Query { "B." a("C." b: E): Int } "D." enum E { "F." F }',
    '"A." type Query { a("C." b: E): Int } "D." enum E { "F." F }',
    '"A." type Query { "B." a(b: E): Int } "D." enum E { "F." F }',
    '"A." type Query { "B." a("C." b: E): Int } "D." enum E { F }',
    '"A." type Query { "B." a("C." b: E): Int } "D." input E { f: Int }',
)
def undescribed(schema: GraphQLSchema) -> Iterator[str]:
    yield from (place for place, _, each in everything(schema) if not each.description)


@rule(
    "a description begins like a sentence and ends with a full stop",
    'type Query { "Something" a: Int }',
    'type Query { "something." a: Int }',
    'type Query { " Something." a: Int }',
)
def no_sentence(schema: GraphQLSchema) -> Iterator[str]:
    for place, _, each in everything(schema):
        text = each.description or "Nothing."
        if text[0].islower() or text != text.strip() or not text.endswith("."):
            yield place


@rule("a description says more than the name", 'type Query { "The meeting\'s start." meetingStart: Int }')
def filler(schema: GraphQLSchema) -> Iterator[str]:
    for place, _, each in everything(schema):
        if each.description and not words(each.description) - words(place) - FILLERS:
            yield place


FILLERS = {"the", "a", "an", "of", "its", "their", "this", "s"}


def words(text: str) -> set[str]:
    return {word.lower() for word in re.findall(r"[A-Z]{2,}|[A-Z]?[a-z]+|\d+", text)}


@rule("what is deprecated says what to use instead", "type Query { a: Int @deprecated }")
def deprecated_without_reason(schema: GraphQLSchema) -> Iterator[str]:
    for place, _, each in everything(schema):
        reason = getattr(each, "deprecation_reason", None)
        if reason is not None and (not reason.strip() or reason == DEFAULT_DEPRECATION_REASON):
            yield place


# ── how things are called ──────────────────────────────────────────────────────────────────────────────────────────


@rule("types are called in PascalCase", "type Query { a: snake_case } type snake_case { b: Int }")
def type_names(schema: GraphQLSchema) -> Iterator[str]:
    yield from (each.name for each in types(schema) if not re.fullmatch(r"([A-Z][a-z0-9]+)+", each.name))


@rule("fields and arguments are called in camelCase", "type Query { a(snake_case: Int): Int }")
def field_names(schema: GraphQLSchema) -> Iterator[str]:
    for place, name, _ in [*fields(schema), *arguments(schema)]:
        if not re.fullmatch(r"[a-z]+([A-Z][a-z]*)*", name):
            yield place


@rule("members of enums are called in CAPITALS", "type Query { a: E } enum E { lower }")
def member_names(schema: GraphQLSchema) -> Iterator[str]:
    yield from (place for place, name, _ in members(schema) if not re.fullmatch(r"[A-Z]+(_[A-Z]+)*", name))


@rule(
    "inputs, and nothing else, end in Input",
    "type Query { a(b: Wanted): Int } input Wanted { c: Int }",
    "type Query { a: GivenInput } type GivenInput { c: Int }",
)
def input_names(schema: GraphQLSchema) -> Iterator[str]:
    for each in types(schema):
        if isinstance(each, GraphQLInputObjectType) != (each.name.endswith("Input") and each.name != "InvalidInput"):
            yield each.name


@rule("what is shown is the thing, not its id", "type Query { meetingId: ID }", "type Query { meetingIds: [ID!]! }")
def shown_ids(schema: GraphQLSchema) -> Iterator[str]:
    for place, name, _ in fields(schema, GraphQLObjectType, GraphQLInterfaceType):
        if name.endswith(("Id", "Ids")):
            yield place


@rule(
    "what is given as an id is an ID", "type Query { a(meetingId: String): Int }", "type Query { a(meeting: ID): Int }"
)
def given_ids(schema: GraphQLSchema) -> Iterator[str]:
    for place, name, each in [*arguments(schema), *fields(schema, GraphQLInputObjectType)]:
        if (name in {"id", "ids"} or name.endswith(("Id", "Ids"))) != (get_named_type(each.type).name == "ID"):
            yield place


# ── what belongs together ──────────────────────────────────────────────────────────────────────────────────────────


@rule(
    "what has an id is a Node, and a Node has an id that is never null",
    "type Query { a: A } interface Node { id: ID! } type A { id: ID! }",
    "type Query { a: A } interface Node { b: Int } type A implements Node { b: Int }",
    "type Query { a: A } interface Node { id: ID } type A implements Node { id: ID }",
)
def no_nodes(schema: GraphQLSchema) -> Iterator[str]:
    for each in types(schema, GraphQLObjectType):
        is_node = "Node" in {interface.name for interface in each.interfaces}
        if is_node != ("id" in each.fields) or (is_node and shape(each)["id"] != "ID!"):
            yield each.name


@rule(
    "lists have no holes, but for `nodes`",
    "type Query { a: [Int] }",
    "type Query { a: [Int]! }",
    "type Query { a(b: [Int]): Int }",
)
def holes(schema: GraphQLSchema) -> Iterator[str]:
    for place, _, each in [*fields(schema), *arguments(schema)]:
        kind = each.type.of_type if isinstance(each.type, GraphQLNonNull) else each.type
        if isinstance(kind, GraphQLList) and not isinstance(kind.of_type, GraphQLNonNull) and place != "Query.nodes":
            yield place


@rule("every type is used", "type Query { a: Int } type Forgotten { b: Int }")
def unused(schema: GraphQLSchema) -> Iterator[str]:
    reached: dict[str, Any] = {}

    def reach(each: Any) -> None:
        if each.name in reached:
            return
        reached[each.name] = each
        for field in getattr(each, "fields", {}).values():
            for used in [field, *getattr(field, "args", {}).values()]:
                reach(get_named_type(used.type))
        for used in [*getattr(each, "types", ()), *getattr(each, "interfaces", ())]:
            reach(used)
        if isinstance(each, GraphQLInterfaceType):
            for used in schema.get_possible_types(each):
                reach(used)

    for root in filter(None, [schema.query_type, schema.mutation_type, schema.subscription_type]):
        reach(root)
    yield from (each.name for each in types(schema) if each.name not in reached)


# ── lists ──────────────────────────────────────────────────────────────────────────────────────────────────────────

LIST = "type Query { a(first: Int = 20, after: String): AConnection }"
PAGE = """
type PageInfo { hasNextPage: Boolean! hasPreviousPage: Boolean! startCursor: String endCursor: String }
type A { b: Int }
"""


@rule(
    "a connection has edges and a pageInfo, as Relay has them, and nothing else",
    f"{LIST} {PAGE} type AConnection {{ edges: [AEdge] pageInfo: PageInfo! }} type AEdge {{ node: A! }}",
)
def connections(schema: GraphQLSchema) -> Iterator[str]:
    for each in named(schema, "Connection"):
        if shape(each) != {"edges": f"[{each.name.removesuffix('Connection')}Edge!]!", "pageInfo": "PageInfo!"}:
            yield each.name


@rule(
    "an edge has a cursor and its node, and nothing else",
    f"{LIST} {PAGE} type AConnection {{ edges: [AEdge!]! pageInfo: PageInfo! }} type AEdge {{ node: A! }}",
)
def edges(schema: GraphQLSchema) -> Iterator[str]:
    for each in named(schema, "Edge"):
        if shape(each) != {"cursor": "String!", "node": f"{each.name.removesuffix('Edge')}!"}:
            yield each.name


@rule(
    "a PageInfo is Relay's",
    "type Query { a: PageInfo } type PageInfo { hasNextPage: Boolean! endCursor: String }",
)
def page_info(schema: GraphQLSchema) -> Iterator[str]:
    relay = build_schema(f"type Query {{ a: PageInfo }} {PAGE}").type_map["PageInfo"]
    if "PageInfo" in schema.type_map and shape(schema.type_map["PageInfo"]) != shape(relay):  # type: ignore[arg-type]
        yield "PageInfo"


@rule(
    "a connection, and nothing else, is asked for by `first`, which says how many come by default, and `after`",
    "type Query { a(first: Int = 9, after: String, last: Int): AConnection } type AConnection { b: Int }",
    "type Query { a(first: Int, after: String): AConnection } type AConnection { b: Int }",
    "type Query { a: AConnection } type AConnection { b: Int }",
    "type Query { a(first: Int = 9): [Int!]! }",
)
def paging(schema: GraphQLSchema) -> Iterator[str]:
    for place, _, field in fields(schema, GraphQLObjectType):
        given = {name: str(each.type) for name, each in field.args.items() if name in PAGING}
        if get_named_type(field.type).name.endswith("Connection"):
            if given != {"first": "Int", "after": "String"} or not isinstance(field.args["first"].default_value, int):
                yield place
        elif given and not place.startswith("Subscription."):
            yield place


PAGING = {"first", "after", "last", "before", "offset", "limit", "page"}


# ── actions ────────────────────────────────────────────────────────────────────────────────────────────────────────

ACTION = """
type Query { a: Int } type Done { b: Int } interface Problem { message: String! }
type InvalidInput implements Problem { message: String! }
type IdempotencyKeyReused implements Problem { message: String! }
"""


@rule(
    "a mutation takes one argument, an input of its own name that is never null",
    f"{ACTION} type Mutation {{ act(input: ActInput!, also: Int): Int }} input ActInput {{ b: Int }}",
    f"{ACTION} type Mutation {{ act(input: ActInput): Int }} input ActInput {{ b: Int }}",
    f"{ACTION} type Mutation {{ act(input: SomeInput!): Int }} input SomeInput {{ b: Int }}",
)
def one_input(schema: GraphQLSchema) -> Iterator[str]:
    for name, field in mutations(schema):
        given = {argument: str(each.type) for argument, each in field.args.items()}
        if given != {"input": f"{name[0].upper()}{name[1:]}Input!"}:
            yield name


@rule(
    "a mutation's input may have an idempotencyKey (I1)",
    f"{ACTION} type Mutation {{ act(input: ActInput!): Int }} input ActInput {{ b: Int }}",
)
def keys(schema: GraphQLSchema) -> Iterator[str]:
    for name, field in mutations(schema):
        key = get_named_type(field.args["input"].type).fields.get("idempotencyKey")
        if key is None or str(key.type) != "String":
            yield name


@rule(
    "a mutation answers with a union of results that is never null",
    f"{ACTION} type Mutation {{ act(input: Int): Done! }}",
    f"{ACTION} type Mutation {{ act(input: Int): Some }} union Some = Done",
)
def results(schema: GraphQLSchema) -> Iterator[str]:
    for name, field in mutations(schema):
        answer = get_named_type(field.type)
        if not (isinstance(answer, GraphQLUnionType) and str(field.type) == f"{answer.name}!"):
            yield name


@rule(
    "a union ends in Result: a success, then problems, InvalidInput and IdempotencyKeyReused among them",
    f"{ACTION} union Some = Done | InvalidInput | IdempotencyKeyReused extend type Query {{ c: Some }}",
    f"{ACTION} union SomeResult = InvalidInput | IdempotencyKeyReused extend type Query {{ c: SomeResult }}",
    f"{ACTION} union SomeResult = Done | InvalidInput extend type Query {{ c: SomeResult }}",
    f"{ACTION} union SomeResult = Done | Query | InvalidInput | IdempotencyKeyReused"
    " extend type Query { c: SomeResult }",
)
def unions(schema: GraphQLSchema) -> Iterator[str]:
    for union in types(schema, GraphQLUnionType):
        success, *problems = [{each.name, *(interface.name for interface in each.interfaces)} for each in union.types]
        if not (
            union.name.endswith("Result")
            and "Problem" not in success
            and all("Problem" in problem for problem in problems)
            and {"InvalidInput", "IdempotencyKeyReused"} <= set().union(*problems)
        ):
            yield union.name


# ── the tests ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("sentence", RULES)
def test_in_the_served_schema(sentence: str):
    lint, _ = RULES[sentence]
    assert list(lint(SCHEMA)) == [], f"It does not hold of these that {sentence}."


@pytest.mark.parametrize(
    ("sentence", "refused"), [(sentence, each) for sentence, (_, refused) in RULES.items() for each in refused]
)
def test_a_schema_that_breaks_it_is_found_out(sentence: str, refused: str):
    lint, _ = RULES[sentence]
    assert len(list(lint(build_schema(refused)))) > 0


def test_the_schema_itself_says_what_its_errors_are():
    for code in ("BAD_USER_INPUT", "UNAUTHENTICATED", "FORBIDDEN", "NOT_FOUND", "SERVICE_UNAVAILABLE"):
        assert code in (SCHEMA.description or "")
