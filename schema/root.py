"""The whole schema, put together from the features."""

import inspect

import strawberry
from graphql import GraphQLSchema, print_schema
from strawberry.schema.config import StrawberryConfig
from strawberry.types.base import StrawberryObjectDefinition

from schema.answering import AnsweringMutation
from schema.cancelling import CancellingMutation
from schema.credits import CreditsMutation
from schema.profile import ProfileMutation
from schema.proposing import ProposingMutation
from schema.query import Query
from schema.scalars import SCALARS
from schema.subscription import Subscription


@strawberry.type
class Mutation(ProposingMutation, AnsweringMutation, CancellingMutation, CreditsMutation, ProfileMutation):
    """Every action; what stands in its way is answered as data, a Problem."""


def build_schema() -> GraphQLSchema:
    """The executable schema. What a docstring says of a type or a field is its description."""
    built = strawberry.Schema(
        query=Query, mutation=Mutation, subscription=Subscription, config=StrawberryConfig(scalar_map=SCALARS)
    )
    describe(built)
    return built._schema


def describe(built: strawberry.Schema) -> None:
    """Give what has no description of its own the docstring it was written with."""
    for name, known in built.schema_converter.type_map.items():
        served, definition = built._schema.type_map[name], known.definition
        if not isinstance(definition, StrawberryObjectDefinition):
            continue
        served.description = served.description or inspect.getdoc(definition.origin)
        for field in definition.fields:
            served_field = getattr(served, "fields")[built.config.name_converter.get_graphql_name(field)]  # noqa: B009
            if served_field.description is None and field.base_resolver is not None:
                served_field.description = inspect.getdoc(field.base_resolver.wrapped_func)


SCHEMA = build_schema()


def schema_text() -> str:
    """The schema in its definition language, as it is committed in schema/schema.graphql."""
    return print_schema(SCHEMA) + "\n"
