"""Results and errors as they go to the client. What nobody expected is logged and masked."""

from typing import Any

import graphql
import structlog
from graphql import ExecutionResult, GraphQLError

from models.transactions import DatabaseUnavailable
from resolvers.errors import ErrorCode, RequestError, ServiceUnavailable

log = structlog.get_logger()

Answer = dict[str, Any]
"A result as the GraphQL specification has it: data, errors or both."

MASKED = "Something went wrong on our side. We have a record of it."
TRY_AGAIN = "We can't answer right now. Please try again in a moment."
UNEXPECTED = "INTERNAL_SERVER_ERROR"
UNAVAILABLE = (DatabaseUnavailable, ServiceUnavailable)


def answer_of(result: ExecutionResult) -> Answer:
    """A result as it goes to the client. There is no `data` where nothing was executed."""
    errors = result.errors or []
    executed = result.data is not None or any(error.path for error in errors)
    answer: Answer = {"data": result.data} if executed else {}
    if errors:
        answer["errors"] = [formatted(_classified(error)) for error in errors]
    return answer


def _classified(error: GraphQLError) -> GraphQLError:
    """An error of execution: the client's own fault with its code, or masked."""
    original = error.original_error
    while isinstance(original, GraphQLError):  # graphql-core wraps what it says of variables
        original = original.original_error
    if isinstance(original, RequestError):
        return coded(error, original.code)
    if error.extensions and "code" in error.extensions:
        return error
    if original is None and not _is_of_a_result(error):
        return coded(error, ErrorCode.BAD_USER_INPUT)  # variables that don't fit their types, or their places
    return _masked(original or error, at=error)


def _is_of_a_result(error: GraphQLError) -> bool:
    """Whether what we made did not fit its type. What is wrong with an argument points at its value, not at a field."""
    return bool(error.path and error.nodes and isinstance(error.nodes[0], graphql.FieldNode))


def unexpected(fault: Exception) -> Answer:
    """The answer when something failed outside of any field."""
    error = _classified(fault) if isinstance(fault, GraphQLError) else _masked(fault)
    return {"errors": [formatted(error)]}


def _masked(fault: Exception, *, at: GraphQLError | None = None) -> GraphQLError:
    """What a client is told of an error that nobody expected: where we find the rest in our logs."""
    path = at.path if at else None
    if isinstance(fault, UNAVAILABLE):
        log.warning("unavailable", path=path, cause=repr(fault))
        message, code = TRY_AGAIN, str(ErrorCode.SERVICE_UNAVAILABLE)
    else:
        log.error("unexpected error", path=path, exc_info=fault)
        message, code = MASKED, UNEXPECTED
    known = structlog.contextvars.get_contextvars()
    return GraphQLError(
        message,
        nodes=at.nodes if at else None,
        path=path,
        extensions={"code": code, "correlationId": known.get("correlation_id")},
    )


def coded(error: GraphQLError, code: str) -> GraphQLError:
    """The error with this code, unless it has one."""
    error.extensions = {"code": str(code), **(error.extensions or {})}
    return error


def formatted(error: GraphQLError) -> dict[str, Any]:
    """The error as it goes to the client."""
    return dict(error.formatted)
