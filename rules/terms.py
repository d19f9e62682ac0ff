"""The words of the business, spelled as in the public contract. Every member's name equals its value."""

from enum import StrEnum


class Side(StrEnum):
    """One of the two sides of a meeting."""

    USER = "USER"
    EXPERT = "EXPERT"

    @property
    def other(self) -> "Side":
        return Side.EXPERT if self is Side.USER else Side.USER


class Actor(StrEnum):
    """Who caused an event."""

    USER = "USER"
    EXPERT = "EXPERT"
    EXPERTIM = "EXPERTIM"
    SYSTEM = "SYSTEM"


class Language(StrEnum):
    """A language that people can be spoken to in."""

    EN = "EN"
    DE = "DE"


class MeetingStatus(StrEnum):
    """Where the negotiation of a meeting stands."""

    AWAITING_APPROVAL = "AWAITING_APPROVAL"
    AGREED = "AGREED"
    REJECTED = "REJECTED"
    CANCELLED = "CANCELLED"


class CreditPaymentStatus(StrEnum):
    """What became of the credits a meeting costs."""

    NOT_BLOCKED = "NOT_BLOCKED"
    BLOCKED = "BLOCKED"
    RETURNED = "RETURNED"
    PAID = "PAID"
    REIMBURSED_CANCELLATION = "REIMBURSED_CANCELLATION"


class Answer(StrEnum):
    """What one side has said to the date that is proposed."""

    PENDING = "PENDING"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"


class TimelineEventKind(StrEnum):
    """What happened to a meeting."""

    MEETING_PROPOSED = "MEETING_PROPOSED"
    USER_APPROVED = "USER_APPROVED"
    EXPERT_APPROVED = "EXPERT_APPROVED"
    REJECTED_BY_USER = "REJECTED_BY_USER"
    REJECTED_BY_EXPERT = "REJECTED_BY_EXPERT"
    CANCELLED_BY_USER = "CANCELLED_BY_USER"
    CANCELLED_BY_EXPERT = "CANCELLED_BY_EXPERT"


class NotificationKind(StrEnum):
    """What a person is told."""

    EXPERT_MEETING_INVITATION = "EXPERT_MEETING_INVITATION"
    USER_MEETING_INVITATION = "USER_MEETING_INVITATION"
    MEETING_APPROVED = "MEETING_APPROVED"
    MEETING_REJECTED = "MEETING_REJECTED"
    MEETING_CANCELLED_BY_USER = "MEETING_CANCELLED_BY_USER"
    MEETING_CANCELLED_BY_EXPERT = "MEETING_CANCELLED_BY_EXPERT"


class ReasonKind(StrEnum):
    """Which list of reasons an entry belongs to."""

    REJECTION = "REJECTION"
    CANCELLATION = "CANCELLATION"


class AccountKind(StrEnum):
    """An account that credits move between (M1). The first two belong to a person, the last one to nobody."""

    AVAILABLE = "AVAILABLE"
    BLOCKED = "BLOCKED"
    ISSUANCE = "ISSUANCE"


class CreditMovementKind(StrEnum):
    """Why credits moved."""

    TOP_UP = "TOP_UP"
    BLOCK = "BLOCK"
    UNBLOCK = "UNBLOCK"


class Refusal(StrEnum):
    """Why an action is not open to this person now (Q3); of several the first in this order is given."""

    STAFF_ONLY = "STAFF_ONLY"
    NOT_YOUR_SIDE = "NOT_YOUR_SIDE"
    WRONG_STATUS = "WRONG_STATUS"
    ALREADY_ANSWERED = "ALREADY_ANSWERED"
    MEETING_STARTED = "MEETING_STARTED"


class InvalidInputCode(StrEnum):
    """What is wrong with a field of the input."""

    REQUIRED = "REQUIRED"
    TOO_LONG = "TOO_LONG"
    OUT_OF_RANGE = "OUT_OF_RANGE"
    IN_THE_PAST = "IN_THE_PAST"
    UNKNOWN = "UNKNOWN"
    SELF = "SELF"
    MALFORMED = "MALFORMED"
