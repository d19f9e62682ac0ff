"""The whole schema, put together from the features."""

import inspect

import strawberry
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    print_schema,
)
from strawberry.schema.config import StrawberryConfig

from schema.ahead import DEFINITION
from schema.answering import AnsweringMutation
from schema.availability import AvailabilityMutation
from schema.calendars import CalendarsMutation
from schema.cancelling import CancellingMutation
from schema.chatting import ChattingMutation
from schema.credits import CreditsMutation
from schema.notifying import NotifyingMutation
from schema.profile import ProfileMutation
from schema.progress import ProgressMutation
from schema.proposing import ProposingMutation
from schema.query import Query
from schema.reasons import ReasonsMutation
from schema.rescheduling import ReschedulingMutation
from schema.scalars import SCALARS
from schema.settling import SettlingMutation
from schema.subscription import Subscription

ABOUT = """
The meeting engine of an expert marketplace. What stands in brackets (A1, Q5 …) are the numbers of its rules. Lengths,
prices and periods are given as they are unless the operator has set others.

What is wrong with a request itself is an error with `extensions.code`: BAD_USER_INPUT (a scalar that can't be read,
`first` outside 1-100, a cursor of another list), UNAUTHENTICATED (HTTP 401; sockets close with 4403), FORBIDDEN (for
staff, asked by others), NOT_FOUND (a subscription to what is not there or not the viewer's to see),
GRAPHQL_VALIDATION_FAILED and the like; SERVICE_UNAVAILABLE may work in a moment. What stands in the way of an action
is data: a Problem.
"""

REPEATED = {
    "after": "The cursor to go on after; one of another list or stream is BAD_USER_INPUT.",
    "cursor": "Where it stands in this list or stream; opaque, what comes next is `after` it.",
    "edges": "The entries of this page, in the order of the list.",
    "expectedVersion": "The meeting's `version` as last seen: if it has moved on, StaleVersion, and nothing is done.",
    "first": "How many entries at most, from 1 to 100; otherwise BAD_USER_INPUT.",
    "id": "As this API gave it; one of another type names nothing, like any unknown one.",
    "idempotencyKey": (
        "Makes a retry safe: the same key and input get the first answer again, and nothing is done twice."
        " Any text of at most 200 characters; kept for at least 24 h (I1)."
    ),
    "input": "What is to be done, and to what.",
    "node": "The entry itself.",
    "pageInfo": "Whether there is more, and after which cursor.",
}
"What fields and arguments of these names mean everywhere, unless they say otherwise."


@strawberry.type
class Mutation(
    ProposingMutation,
    AnsweringMutation,
    ReschedulingMutation,
    CancellingMutation,
    ProgressMutation,
    SettlingMutation,
    CreditsMutation,
    ReasonsMutation,
    ProfileMutation,
    CalendarsMutation,
    AvailabilityMutation,
    ChattingMutation,
    NotifyingMutation,
):
    """Every action; what stands in its way is answered as data, a Problem."""


def build_schema() -> GraphQLSchema:
    """The executable schema, described."""
    config = StrawberryConfig(scalar_map=SCALARS)
    served = strawberry.Schema(query=Query, mutation=Mutation, subscription=Subscription, config=config)._schema
    served.description = inspect.cleandoc(ABOUT)
    for each in served.type_map.values():
        if DEFINITION in each.extensions:
            describe(each)
    return served


def describe(served: GraphQLNamedType) -> None:
    """Give what has no description of its own the docstring it was written with, or what its name means everywhere."""
    definition = served.extensions[DEFINITION]
    if isinstance(served, GraphQLEnumType):
        served.description = inspect.getdoc(definition.wrapped_cls)
        for name, member in served.values.items():
            member.description = definition.wrapped_cls[name].description
    elif isinstance(served, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType):
        served.description = served.description or inspect.getdoc(definition.origin)
        for name, field in served.fields.items():
            resolver = field.extensions[DEFINITION].base_resolver
            written = inspect.getdoc(resolver.wrapped_func) if resolver else None
            field.description = field.description or written or REPEATED.get(name)
            for argument_name, argument in getattr(field, "args", {}).items():
                argument.description = argument.description or REPEATED.get(argument_name)


SCHEMA = build_schema()


def schema_text() -> str:
    """The schema in its definition language, as it is committed in schema/schema.graphql."""
    return print_schema(SCHEMA) + "\n"
