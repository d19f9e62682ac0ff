"""Looking ahead: all that an answer will show is loaded before its fields are asked for it.

It goes down what was selected, level by level, with one statement for each kind of row that a level refers to and one
for each list. So fields are plain attributes, and how many statements an answer takes depends on its document alone.
"""

from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from typing import Any, TypeVar
from uuid import UUID

import strawberry
from graphql import GraphQLField, GraphQLObjectType, get_argument_values, get_named_type
from graphql.execution.collect_fields import FieldDetails, FragmentDetails, collect_subfields
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.base import get_object_definition
from strawberry.types.field import StrawberryField

from resolvers.errors import RequestError
from resolvers.paging import Page
from schema.context import Context, Info, Kind

Value = TypeVar("Value")
ReadPages = Callable[..., Awaitable[Mapping[UUID, Page[Any]]]]
PageOf = tuple[int | None, str | None]
"What a client says of the page they want: `first` and `after`."

DEFINITION = GraphQLCoreConverter.DEFINITION_BACKREF
RELATION = "relation"
NOT_LOADED = object()
"Stands where nothing was selected. Nobody is shown it: GraphQL knows it for no value of the field's type."


@dataclass(frozen=True, slots=True)
class One:
    """What an id in its owner refers to."""

    id_in: Callable[[Any], UUID | None]


@dataclass(frozen=True, slots=True)
class Together:
    """Whatever is read for many owners at once, in their order."""

    read: Callable[[Any, Context], Awaitable[Sequence[Any]]]


@dataclass(frozen=True, slots=True)
class Pages:
    """A page of each owner's list, read for many owners at once."""

    read: ReadPages
    show: Callable[[Any, Page[Any], Context], Any]


def one(attribute: str, description: str) -> Any:
    """A field that shows what the id in this attribute refers to, `row.user_id` for instance."""
    relation = One(attrgetter(attribute))
    return strawberry.field(default=NOT_LOADED, description=description, metadata={RELATION: relation})


def together(read: Callable[[Any, Context], Awaitable[Sequence[Any]]], description: str) -> Any:
    """A field that shows what is read for many owners at once."""
    return strawberry.field(default=NOT_LOADED, description=description, metadata={RELATION: Together(read)})


def pages(read: ReadPages, show: Callable[[Any, Page[Any], Context], Any]) -> dict[object, object]:
    """Metadata of a field with `first` and `after`, whose resolver gives the `loaded_page`."""
    return {RELATION: Pages(read, show)}


def loaded_page(loaded: dict[PageOf, Any], first: int | None, after: str | None) -> Any:
    """The page that was loaded into its owner, or the error that stands for it."""
    page = loaded[first, after]
    if isinstance(page, RequestError):
        raise page
    return page


async def look_ahead(info: Info, value: Value) -> Value:
    """Load what the answer of the current field will show of this value."""
    await _Walk(info).down([_Selected([(value, 1)], [FieldDetails(node, None) for node in info._raw_info.field_nodes])])
    return value


async def found(context: Context, kind: type[Kind], ids: Iterable[UUID]) -> dict[UUID, Any]:
    """The things of a kind with these ids, each loaded once for an answer."""
    known = context.known[kind]
    if missing := {each_id for each_id in ids if each_id not in known}:
        for row in await kind.table.filter(id__in=list(missing)):
            context.show(kind, row)
    return known


@dataclass(frozen=True, slots=True)
class _Selected:
    """Values that have been loaded, how often the answer has each, and the field nodes that select what it shows."""

    values: list[tuple[Any, int]]
    nodes: list[FieldDetails]


@dataclass(frozen=True, slots=True)
class _Asked:
    """A field that was selected of some owners."""

    owners: list[Any]
    times: list[int]
    "How often the answer has each of them."
    field: GraphQLField
    nodes: list[FieldDetails]

    @property
    def definition(self) -> StrawberryField:
        return self.field.extensions[DEFINITION]  # type: ignore[no-any-return]

    @property
    def relation(self) -> One | Together | Pages | None:
        return self.definition.metadata.get(RELATION)

    @property
    def kind(self) -> type[Kind]:
        """The class of what the field shows."""
        return get_named_type(self.field.type).extensions[DEFINITION].origin  # type: ignore[no-any-return]


class _Walk:
    def __init__(self, info: Info) -> None:
        self._info = info._raw_info
        self._context = info.context
        fragments = {name: FragmentDetails(definition) for name, definition in self._info.fragments.items()}
        self._subfields = partial(
            collect_subfields, self._info.schema, fragments, self._info.variable_values, self._info.operation
        )

    async def down(self, level: list[_Selected]) -> None:
        while level:
            asked = [each for selected in level for each in self._asked(selected)]
            await self._load_rows(asked)
            level = [
                _Selected(list(zip(await self._load(each), each.times, strict=True)), each.nodes) for each in asked
            ]

    def _asked(self, selected: _Selected) -> Iterator[_Asked]:
        """The fields selected of these values where there may be something to load, there or below."""
        alike: dict[type, dict[int, Any]] = defaultdict(dict)
        times: Counter[int] = Counter()
        for value, often in _flat(selected.values):
            alike[type(value)][id(value)] = value  # the same person may be the expert of many meetings
            times[id(value)] += often
        for kind, owners in alike.items():
            shown_as = self._info.schema.type_map[get_object_definition(kind, strict=True).name]
            assert isinstance(shown_as, GraphQLObjectType)
            fields = self._subfields(shown_as, selected.nodes).grouped_field_set.values()
            self._context.count(len(fields) * sum(times[each] for each in owners))
            for nodes in fields:
                field = shown_as.fields.get(nodes[0].node.name.value)
                if field is not None and nodes[0].node.selection_set:
                    yield _Asked(list(owners.values()), [times[each] for each in owners], field, nodes)

    async def _load_rows(self, asked: Iterable[_Asked]) -> None:
        """All rows that this level refers to, with one statement for each kind."""
        wanted: dict[type[Kind], set[UUID]] = defaultdict(set)
        for each in asked:
            if isinstance(each.relation, One):
                wanted[each.kind].update(filter(None, map(each.relation.id_in, each.owners)))
        for kind, ids in wanted.items():
            await found(self._context, kind, ids)

    async def _load(self, asked: _Asked) -> list[Any]:
        """The field's value for each of the owners, set in them.

        What an owner already has stays: another field of the same answer may have looked further ahead from there.
        """
        name, relation = asked.definition.python_name, asked.relation
        if isinstance(relation, Pages):
            return await self._load_pages(asked, relation)
        missing = [owner for owner in asked.owners if getattr(owner, name) is NOT_LOADED]
        if isinstance(relation, One):
            known = self._context.known[asked.kind]
            values: Sequence[Any] = [known[each] if (each := relation.id_in(owner)) else None for owner in missing]
        elif isinstance(relation, Together) and missing:
            values = await relation.read(missing, self._context)
        else:
            values = []
        for owner, value in zip(missing, values, strict=True):
            if getattr(owner, name) is NOT_LOADED:
                setattr(owner, name, value)
        return [getattr(owner, name) for owner in asked.owners]

    async def _load_pages(self, asked: _Asked, relation: Pages) -> list[Any]:
        node, _, fragment_variables = asked.nodes[0]
        given = get_argument_values(asked.field, node, self._info.variable_values, fragment_variables)
        first, after = wanted = given.get("first"), given.get("after")
        missing = [owner for owner in asked.owners if wanted not in owner.loaded]
        # A cursor is of one list: at most one of the owners has more than an error to show.
        for owners in [missing] if after is None else [[owner] for owner in missing]:
            if not owners:
                continue
            try:
                read = await relation.read([owner.row.id for owner in owners], first=first, after=after)
                for owner in owners:
                    owner.loaded.setdefault(wanted, relation.show(owner, read[owner.row.id], self._context))
            except RequestError as fault:
                for owner in owners:
                    owner.loaded.setdefault(wanted, fault)
        loaded = [owner.loaded[wanted] for owner in asked.owners]
        return [None if isinstance(page, RequestError) else page for page in loaded]


def _flat(values: Iterable[tuple[Any, int]]) -> Iterator[tuple[Any, int]]:
    for value, times in values:
        if isinstance(value, list):
            yield from _flat((each, times) for each in value)
        elif value is not None:
            yield value, times
