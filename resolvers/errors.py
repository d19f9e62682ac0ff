"""What a client got wrong in the request itself. What stands in the way of an action is a Problem instead."""

from enum import StrEnum


class ErrorCode(StrEnum):
    """The `extensions.code` of the error."""

    BAD_USER_INPUT = "BAD_USER_INPUT"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    FORBIDDEN = "FORBIDDEN"
    NOT_FOUND = "NOT_FOUND"
    SERVICE_UNAVAILABLE = "SERVICE_UNAVAILABLE"


class RequestError(Exception):
    """A request that can't be answered; the message may be shown to the client."""

    def __init__(self, code: ErrorCode, message: str) -> None:
        super().__init__(message)
        self.code = code


class ServiceUnavailable(Exception):
    """What an answer needs is away for the moment; the same request may well be answered in a while."""
