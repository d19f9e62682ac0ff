"""Running an operation, and giving its errors codes. What nobody expected is logged and masked."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import lru_cache
from inspect import isawaitable
from typing import Any

import graphql
import structlog
from graphql import DocumentNode, ExecutionResult, GraphQLError, GraphQLSyntaxError, OperationType

from resolvers.errors import ErrorCode, RequestError
from schema.context import Context
from schema.costs import LimitedDepth
from schema.root import SCHEMA

log = structlog.get_logger()

Answer = dict[str, Any]
"A result as the GraphQL specification has it: data, errors or both."

LONGEST_REMEMBERED_DOCUMENT = 10_000
# Whoever repeats a field thousands of times keeps validation busy for seconds, and everybody else waiting.
MOST_TOKENS = 1_000
RULES = (*graphql.specified_rules, LimitedDepth)
MASKED = "Something went wrong on our side. We have a record of it."


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


def prepare(operation: Operation) -> tuple[DocumentNode, OperationType]:
    """The valid document and the kind of operation it would run; raises InvalidOperation."""
    remember = len(operation.query) <= LONGEST_REMEMBERED_DOCUMENT
    prepared = _prepared(operation.query) if remember else _prepared.__wrapped__(operation.query)
    if not isinstance(prepared, DocumentNode):
        raise InvalidOperation(prepared)
    node = graphql.get_operation_ast(prepared, operation.operation_name)
    if node is None:
        fault = GraphQLError(
            "Say by operationName which operation to run.", extensions={"code": "OPERATION_RESOLUTION_FAILURE"}
        )
        raise InvalidOperation([fault])
    return prepared, node.operation


@lru_cache(maxsize=500)
def _prepared(text: str) -> DocumentNode | list[GraphQLError]:
    """Parsing and validation cost more than most answers, and clients send the same few documents for ever."""
    try:
        document = graphql.parse(text, max_tokens=MOST_TOKENS)
    except GraphQLSyntaxError as error:
        return [_coded(error, "GRAPHQL_PARSE_FAILED")]
    errors = graphql.validate(SCHEMA, document, RULES)
    return [_coded(error, "GRAPHQL_VALIDATION_FAILED") for error in errors] or document


async def execute(operation: Operation, document: DocumentNode, context: Context) -> Answer:
    """Run a query or a mutation."""
    result = graphql.execute(
        SCHEMA,
        document,
        context_value=context,
        variable_values=operation.variables,
        operation_name=operation.operation_name,
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
    )
    started = await result if isawaitable(result) else result
    return answer_of(started) if isinstance(started, ExecutionResult) else started


def answer_of(result: ExecutionResult) -> Answer:
    """A result as it goes to the client."""
    answer: Answer = {"data": result.data}
    if result.errors:
        answer["errors"] = [_formatted(_classified(error)) for error in result.errors]
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
    if original is None and error.path is None:
        return _coded(error, ErrorCode.BAD_USER_INPUT)  # variables that don't fit their types
    return _masked(original or error, at=error)


def unexpected(fault: Exception) -> Answer:
    """The answer when something failed outside of any field."""
    return {"errors": [_formatted(_masked(fault))]}


def _masked(fault: Exception, *, at: GraphQLError | None = None) -> GraphQLError:
    """What a client is told of an error that nobody expected: where we find the rest in our logs."""
    path = at.path if at else None
    log.error("unexpected error", path=path, exc_info=fault)
    known = structlog.contextvars.get_contextvars()
    return GraphQLError(
        MASKED,
        nodes=at.nodes if at else None,
        path=path,
        extensions={"code": "INTERNAL_SERVER_ERROR", "correlationId": known.get("correlation_id")},
    )


def _coded(error: GraphQLError, code: str) -> GraphQLError:
    error.extensions = {"code": str(code), **(error.extensions or {})}
    return error


def _formatted(error: GraphQLError) -> dict[str, Any]:
    return dict(error.formatted)
