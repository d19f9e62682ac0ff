"""Running an operation, and giving its errors codes. What nobody expected is logged and masked."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from inspect import isawaitable
from typing import Any

import graphql
import structlog
from graphql import DocumentNode, ExecutionResult, GraphQLError, OperationType

from models.transactions import DatabaseUnavailable, snapshot
from resolvers.errors import ErrorCode, RequestError, ServiceUnavailable
from schema.context import Context
from schema.documents import Documents, InvalidDocument
from schema.root import SCHEMA

log = structlog.get_logger()

Answer = dict[str, Any]
"A result as the GraphQL specification has it: data, errors or both."

MASKED = "Something went wrong on our side. We have a record of it."
TRY_AGAIN = "We can't answer right now. Please try again in a moment."
UNAVAILABLE = (DatabaseUnavailable, ServiceUnavailable)


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
        self.answer: Answer = {"errors": [_formatted(error) for error in errors]}


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
        raise InvalidOperation([_coded(error, fault.code) for error in fault.errors]) from fault
    node = graphql.get_operation_ast(document, operation.operation_name)
    if node is None:
        unclear = GraphQLError("Say by operationName which operation to run.")
        raise InvalidOperation([_coded(unclear, "OPERATION_RESOLUTION_FAILURE")])
    return document, node.operation


async def execute(operation: Operation, document: DocumentNode, context: Context) -> Answer:
    """Run a query or a mutation; all that a query tells is as of one instant."""
    node = graphql.get_operation_ast(document, operation.operation_name)
    assert node is not None, "the operation was prepared"
    if node.operation is OperationType.QUERY:
        async with snapshot():
            return await _execute(operation, document, context)
    return await _execute(operation, document, context)


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


async def subscribe(
    operation: Operation, document: DocumentNode, context: Context
) -> AsyncIterator[ExecutionResult] | Answer:
    """Start a subscription: when this returns it is listening. An answer instead of a stream is a refusal."""
    result = graphql.subscribe(
        SCHEMA,
        document,
        context_value=context,
        variable_values=operation.variables,
        operation_name=operation.operation_name,
        hide_suggestions=not _documents.introspection,
    )
    started = await result if isawaitable(result) else result
    return answer_of(started) if isinstance(started, ExecutionResult) else started


def answer_of(result: ExecutionResult) -> Answer:
    """A result as it goes to the client. There is no `data` where nothing was executed."""
    errors = result.errors or []
    executed = result.data is not None or any(error.path for error in errors)
    answer: Answer = {"data": result.data} if executed else {}
    if errors:
        answer["errors"] = [_formatted(_classified(error)) for error in errors]
    return answer


def _classified(error: GraphQLError) -> GraphQLError:
    """An error of execution: the client's own fault with its code, or masked."""
    original = error.original_error
    while isinstance(original, GraphQLError):  # graphql-core wraps what it says of variables
        original = original.original_error
    if isinstance(original, RequestError):
        return _coded(error, original.code)
    if error.extensions and "code" in error.extensions:
        return error
    if original is None and not _is_of_a_result(error):
        return _coded(error, ErrorCode.BAD_USER_INPUT)  # variables that don't fit their types, or their places
    return _masked(original or error, at=error)


def _is_of_a_result(error: GraphQLError) -> bool:
    """Whether what we made did not fit its type. What is wrong with an argument points at its value, not at a field."""
    return bool(error.path and error.nodes and isinstance(error.nodes[0], graphql.FieldNode))


def unexpected(fault: Exception) -> Answer:
    """The answer when something failed outside of any field."""
    error = _classified(fault) if isinstance(fault, GraphQLError) else _masked(fault)
    return {"errors": [_formatted(error)]}


def _masked(fault: Exception, *, at: GraphQLError | None = None) -> GraphQLError:
    """What a client is told of an error that nobody expected: where we find the rest in our logs."""
    path = at.path if at else None
    if isinstance(fault, UNAVAILABLE):
        log.warning("unavailable", path=path, cause=repr(fault))
        message, code = TRY_AGAIN, str(ErrorCode.SERVICE_UNAVAILABLE)
    else:
        log.error("unexpected error", path=path, exc_info=fault)
        message, code = MASKED, "INTERNAL_SERVER_ERROR"
    known = structlog.contextvars.get_contextvars()
    return GraphQLError(
        message,
        nodes=at.nodes if at else None,
        path=path,
        extensions={"code": code, "correlationId": known.get("correlation_id")},
    )


def _coded(error: GraphQLError, code: str) -> GraphQLError:
    error.extensions = {"code": str(code), **(error.extensions or {})}
    return error


def _formatted(error: GraphQLError) -> dict[str, Any]:
    return dict(error.formatted)
