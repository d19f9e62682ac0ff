"""Running an operation."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from inspect import isawaitable
from typing import Any

import graphql
from graphql import DocumentNode, ExecutionResult, Executor, GraphQLError, OperationType

from measuring import answered, refused
from models.transactions import snapshot
from resolvers.errors import ErrorCode
from schema.answers import UNAVAILABLE, UNEXPECTED, Answer, answer_of, coded, formatted
from schema.context import Context
from schema.documents import Documents, InvalidDocument
from schema.pushing import Pushes, Stream, pushes_of
from schema.root import SCHEMA
from schema.roots import root_field

UNCLEAR = "OPERATION_RESOLUTION_FAILURE"


@dataclass(frozen=True, slots=True)
class Operation:
    """What a client asks to run."""

    query: str
    variables: dict[str, Any] | None = None
    operation_name: str | None = None


class InvalidOperation(Exception):
    """A document that can't be run; nothing of it was."""

    def __init__(self, errors: list[GraphQLError]) -> None:
        super().__init__(errors)
        self.answer: Answer = {"errors": [formatted(error) for error in errors]}


_documents = Documents(introspection=False)


def tell_clients_of_the_schema(tell: bool) -> None:
    """Whether clients may ask for the schema, and are told what they may have meant; set once, as a process starts."""
    global _documents
    _documents = Documents(introspection=tell)


def prepare(operation: Operation) -> tuple[DocumentNode, OperationType]:
    """The valid document and the kind of operation it would run; raises InvalidOperation."""
    try:
        document = _documents.read(operation.query)
    except InvalidDocument as fault:
        refused(fault.code)
        raise InvalidOperation([coded(error, fault.code) for error in fault.errors]) from fault
    node = graphql.get_operation_ast(document, operation.operation_name)
    if node is None:
        refused(UNCLEAR)
        unclear = GraphQLError("Say by operationName which operation to run.")
        raise InvalidOperation([coded(unclear, UNCLEAR)])
    return document, node.operation


async def execute(operation: Operation, document: DocumentNode, context: Context) -> Answer:
    """Run a query or a mutation; all that a query tells is as of one instant."""
    with _counted(operation, document, context) as counted:
        if counted.kind is OperationType.QUERY:
            async with snapshot():
                counted.answer = await _execute(operation, document, context)
        else:
            counted.answer = await _execute(operation, document, context)
    return counted.answer


async def _execute(operation: Operation, document: DocumentNode, context: Context) -> Answer:
    result = graphql.execute(
        SCHEMA,
        document,
        context_value=context,
        variable_values=operation.variables,
        operation_name=operation.operation_name,
        hide_suggestions=not _documents.introspection,
    )
    return answer_of(await result if isawaitable(result) else result)


async def subscribe(operation: Operation, document: DocumentNode, context: Context) -> Pushes | Answer:
    """Start a subscription: when this returns it is listening. An answer instead of pushes is a refusal."""
    with _counted(operation, document, context) as counted:
        executor = Executor.build(
            SCHEMA,
            document,
            context_value=context,
            raw_variable_values=operation.variables,
            operation_name=operation.operation_name,
            hide_suggestions=not _documents.introspection,
        )
        if isinstance(executor, list):
            counted.answer = answer_of(ExecutionResult(None, executor))
            return counted.answer
        result = graphql.create_source_event_stream(executor)
        started = await result if isawaitable(result) else result
        if isinstance(started, ExecutionResult):
            counted.answer = answer_of(started)
            return counted.answer
        assert isinstance(started, Stream)
        try:
            return pushes_of(started, document, operation.query, executor, operation.variables)
        except BaseException:
            await started.watch.aclose()  # it listens already, and nobody else would close it
            raise


@dataclass(slots=True)
class _Counted:
    kind: OperationType
    answer: Answer = field(default_factory=dict)
    "Nothing yet, or a stream."


@contextmanager
def _counted(operation: Operation, document: DocumentNode, context: Context) -> Iterator[_Counted]:
    """Counts the operation by what it asks the root for and by how it ends, and how long that takes."""
    node = graphql.get_operation_ast(document, operation.operation_name)
    assert node is not None, "the operation was prepared"
    counted, began_at, outcome = _Counted(node.operation), time.perf_counter(), "CANCELLED"
    try:
        yield counted
        outcome = _outcome(counted.answer, context)
    except Exception as fault:
        outcome = str(ErrorCode.SERVICE_UNAVAILABLE) if isinstance(fault, UNAVAILABLE) else UNEXPECTED
        raise
    finally:
        answered(counted.kind.value, root_field(node, document), outcome, time.perf_counter() - began_at)


def _outcome(answer: Answer, context: Context) -> str:
    """The first error's code, or else what stood in the way of an action, by name."""
    errors = answer.get("errors")
    return str(errors[0]["extensions"]["code"]) if errors else context.problem or "OK"
