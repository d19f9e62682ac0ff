"""Documents made from the served schema, so that whatever is new in it is asked for by itself."""

from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLUnionType,
    get_named_type,
    is_leaf_type,
    is_required_argument,
)

from schema.executing import InvalidOperation, Operation, prepare
from schema.root import SCHEMA

assert SCHEMA.query_type
assert SCHEMA.mutation_type
assert SCHEMA.subscription_type
QUERIES = SCHEMA.query_type.fields
MUTATIONS = SCHEMA.mutation_type.fields
SUBSCRIPTIONS = SCHEMA.subscription_type.fields


def whole(named: GraphQLNamedType, depth: int) -> tuple[str, str]:
    """The name of a fragment with every field of a type, so many things deep, and all fragments that it takes."""
    fragments: dict[str, str] = {}
    return _fragment(named, depth, fragments), " ".join(fragments.values())


def _fragment(
    named: GraphQLNamedType, depth: int, fragments: dict[str, str], renamed: frozenset[str] = frozenset()
) -> str:
    name = f"{named.name}_{depth}{'_renamed' if renamed else ''}"
    if name not in fragments:
        fragments[name] = ""  # known, so that what refers to itself ends
        selected = _selections(named, depth, fragments, renamed)
        fragments[name] = f"fragment {name} on {named.name} {{ __typename {selected} }}"
    return name


def _selections(named: GraphQLNamedType, depth: int, fragments: dict[str, str], renamed: frozenset[str]) -> str:
    if isinstance(named, GraphQLUnionType | GraphQLInterfaceType):
        possible = SCHEMA.get_possible_types(named)
        kinds: dict[str, set[str]] = defaultdict(set)
        for each in possible:
            for name, asked in each.fields.items():
                kinds[name].add(str(asked.type))
        renamed = frozenset(name for name, types in kinds.items() if len(types) > 1)
        return " ".join(f"...{_fragment(each, depth, fragments, renamed)}" for each in possible)
    assert isinstance(named, GraphQLObjectType)
    selected = {name: _selection(name, asked, depth, fragments) for name, asked in named.fields.items()}
    return " ".join(
        f"{named.name}__{name}: {each}" if name in renamed else each for name, each in selected.items() if each
    )


def _selection(name: str, asked: GraphQLField, depth: int, fragments: dict[str, str]) -> str:
    """A field; what only carries other things is not counted as deep."""
    shown = get_named_type(asked.type)
    if is_leaf_type(shown):
        return name
    below = depth if shown.name.endswith(("Edge", "Connection", "PageInfo")) else depth - 1
    return f"{name} {{ ...{_fragment(shown, below, fragments)} }}" if below >= 0 else ""


def as_named(answer: Any) -> Any:
    """An answer with the fields called again as in the schema: those of one name and several types were renamed."""
    if isinstance(answer, dict):
        return {
            (name if name.startswith("__") else name.split("__")[-1]): as_named(each) for name, each in answer.items()
        }
    return [as_named(each) for each in answer] if isinstance(answer, list) else answer


def given(arguments: dict[str, GraphQLArgument], names: Sequence[str]) -> tuple[str, str]:
    """The variables of a document, and the arguments that take their values."""
    variables = ", ".join(f"${name}: {arguments[name].type}" for name in names)
    passed = ", ".join(f"{name}: ${name}" for name in names)
    return (f"({variables})", f"({passed})") if names else ("", "")


@cache
def document(kind: str, name: str, names: tuple[str, ...] = ()) -> str:
    """An operation of one field with these arguments, which selects everything, as deep as may be asked."""
    roots = {"query": QUERIES, "mutation": MUTATIONS, "subscription": SUBSCRIPTIONS}[kind]
    variables, passed = given(roots[name].args, names)
    shown = get_named_type(roots[name].type)
    if is_leaf_type(shown):
        return f"{kind}{variables} {{ {name}{passed} }}"
    for depth in (2, 1, 0):
        fragment, fragments = whole(shown, depth)
        written = f"{kind}{variables} {{ {name}{passed} {{ ...{fragment} }} }} {fragments}"
        with suppress(InvalidOperation):
            prepare(Operation(written))
            return written
    raise AssertionError(f"{name} can't be asked for whole.")


def places_with_arguments() -> dict[str, tuple[str, ...]]:
    """The shortest way from the root of all queries to each field that takes arguments, by type and field."""
    found: dict[str, tuple[str, ...]] = {}
    ways: list[tuple[tuple[str, ...], GraphQLObjectType]] = [((), SCHEMA.query_type)]  # type: ignore[list-item]
    known: set[str] = set()
    for way, named in ways:  # grows as it goes
        if named.name in known:
            continue
        known.add(named.name)
        for name, asked in named.fields.items():
            if asked.args:
                found[f"{named.name}.{name}"] = (*way, name)
            shown = get_named_type(asked.type)
            if isinstance(shown, GraphQLObjectType) and not required(asked.args):
                ways.append(((*way, name), shown))
    return found


def required(arguments: dict[str, GraphQLArgument]) -> list[str]:
    return [name for name, argument in arguments.items() if is_required_argument(argument)]
