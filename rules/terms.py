"""The words of the business, spelled as in the public contract. Every member's name equals its value."""

from enum import StrEnum
from typing import Self


class Term(StrEnum):
    """A kind of words that clients are shown, each written with what it means: `NAME = "NAME", "Meaning."`."""

    description: str

    # Without a description type checkers would not let a word be looked up: `Side("USER")`.
    def __new__(cls, value: str, description: str = "") -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member.description = description
        return member


class Side(Term):
    """One of the two sides of a meeting."""

    USER = "USER", "The side that pays and learns."
    EXPERT = "EXPERT", "The side that is paid."

    @property
    def other(self) -> "Side":
        return Side.EXPERT if self is Side.USER else Side.USER


class Actor(Term):
    """Who caused an event."""

    USER = "USER", "The meeting's user."
    EXPERT = "EXPERT", "The meeting's expert."
    EXPERTIM = "EXPERTIM", "One of the operator's staff."
    SYSTEM = "SYSTEM", "Nobody: time alone, or a rule, decided (S4)."


class Language(Term):
    """A language that people can be spoken to in."""

    EN = "EN", "English."
    DE = "DE", "German."


class MeetingStatus(Term):
    """Where the negotiation of a meeting stands."""

    AWAITING_APPROVAL = "AWAITING_APPROVAL", "Proposed, and not answered by the other side yet (P3)."
    AGREED = "AGREED", "Both sides have approved a date (A1)."
    REJECTED = "REJECTED", "The other side turned the proposal down (A3)."
    CANCELLED = "CANCELLED", "Taken back or called off; final (K6)."


class MeetingPhase(Term):
    """Where a meeting stands in time (Q1)."""

    UPCOMING = "UPCOMING", "Not over, and not cancelled."
    HELD = "HELD", "Agreed, and over."
    PAST = "PAST", "Everything that is not UPCOMING."


class CreditPaymentStatus(Term):
    """What became of the credits a meeting costs."""

    NOT_BLOCKED = "NOT_BLOCKED", "Nothing was taken from the user's available credits yet (P2)."
    BLOCKED = "BLOCKED", "The price is set aside on the user's account, for this meeting alone (P1, M2)."
    RETURNED = "RETURNED", "What was blocked is available to the user again (P7)."
    PAID = "PAID", "The expert has been paid, less Expertim's fee (S)."
    REIMBURSED_CANCELLATION = (
        "REIMBURSED_CANCELLATION",
        "The user cancelled late: part of the price went to the expert, the rest came back (K5).",
    )


class Answer(Term):
    """What one side has said to the date that is proposed."""

    PENDING = "PENDING", "Nothing yet."
    APPROVED = "APPROVED", "Yes; a proposer's answer is this from the start (P3)."
    REJECTED = "REJECTED", "No, for one of the rejection reasons (A3)."


class TimelineEventKind(Term):
    """What happened to a meeting."""

    MEETING_PROPOSED = "MEETING_PROPOSED", "A side proposed it; the first event of every meeting (P3)."
    USER_APPROVED = "USER_APPROVED", "The user agreed to the date, by proposing it or by their answer (P3, A1)."
    EXPERT_APPROVED = "EXPERT_APPROVED", "The expert agreed to the date, by proposing it or by their answer (P3, A1)."
    REJECTED_BY_USER = "REJECTED_BY_USER", "The user turned the proposal down, with a reason (A3)."
    REJECTED_BY_EXPERT = "REJECTED_BY_EXPERT", "The expert turned the proposal down, with a reason (A3)."
    PROPOSAL_LAPSED = "PROPOSAL_LAPSED", "Nobody had answered the proposal by its planned start (P6)."
    CANCELLED_BY_USER = "CANCELLED_BY_USER", "The user took the proposal back or called the meeting off (K6)."
    CANCELLED_BY_EXPERT = "CANCELLED_BY_EXPERT", "The expert took the proposal back or called the meeting off (K6)."
    CANCELLATION_REIMBURSED = (
        "CANCELLATION_REIMBURSED",
        "As the user cancelled late, part of the price went to the expert (K5).",
    )
    ALTERNATIVE_DATE_CHOSEN_BY_USER = "ALTERNATIVE_DATE_CHOSEN_BY_USER", "The user chose another date (R1)."
    ALTERNATIVE_DATE_CHOSEN_BY_EXPERT = "ALTERNATIVE_DATE_CHOSEN_BY_EXPERT", "The expert chose another date (R1)."
    ALTERNATIVE_DATE_APPROVED_BY_USER = (
        "ALTERNATIVE_DATE_APPROVED_BY_USER",
        "The user agreed to the date that the expert had chosen; it is in force now (R4).",
    )
    ALTERNATIVE_DATE_APPROVED_BY_EXPERT = (
        "ALTERNATIVE_DATE_APPROVED_BY_EXPERT",
        "The expert agreed to the date that the user had chosen; it is in force now (R4).",
    )
    ALTERNATIVE_DATE_REJECTED_BY_USER = (
        "ALTERNATIVE_DATE_REJECTED_BY_USER",
        "The user turned down the date that the expert had chosen, with a reason (R5).",
    )
    ALTERNATIVE_DATE_REJECTED_BY_EXPERT = (
        "ALTERNATIVE_DATE_REJECTED_BY_EXPERT",
        "The expert turned down the date that the user had chosen, with a reason (R5).",
    )
    ALTERNATIVE_DATE_CANCELLED_BY_USER = (
        "ALTERNATIVE_DATE_CANCELLED_BY_USER",
        "The user took back the date they had chosen (R6).",
    )
    ALTERNATIVE_DATE_CANCELLED_BY_EXPERT = (
        "ALTERNATIVE_DATE_CANCELLED_BY_EXPERT",
        "The expert took back the date they had chosen (R6).",
    )
    ALTERNATIVE_DATE_LAPSED = "ALTERNATIVE_DATE_LAPSED", "Nobody had answered the chosen date in time (R7)."
    USER_ATTENDANCE_RECORDED = (
        "USER_ATTENDANCE_RECORDED",
        "The user opened their link, for the first time for the date in force (L2).",
    )
    EXPERT_ATTENDANCE_RECORDED = (
        "EXPERT_ATTENDANCE_RECORDED",
        "The expert opened their link, for the first time for the date in force (L2).",
    )
    PROGRESS_RECORDED_BY_USER = "PROGRESS_RECORDED_BY_USER", "The user said how the meeting went (E1)."
    PROGRESS_RECORDED_BY_EXPERT = "PROGRESS_RECORDED_BY_EXPERT", "The expert said how the meeting went (E1)."
    CREDITS_PAID_TO_EXPERT = "CREDITS_PAID_TO_EXPERT", "The expert was paid, less Expertim's fee (S1)."
    PAYMENT_RETURNED_TO_USER = "PAYMENT_RETURNED_TO_USER", "The user got the whole price back (S1)."
    EXPERT_COMPENSATED = "EXPERT_COMPENSATED", "Expertim gave the expert part of the price from its own account (S1)."
    REFERRED_TO_EXPERTIM = "REFERRED_TO_EXPERTIM", "What the sides said leaves it to Expertim's staff to decide (S3)."
    DECIDED_BY_EXPERTIM = "DECIDED_BY_EXPERTIM", "Expertim's staff decided what becomes of the price, with a note (S3)."


class Progress(Term):
    """What a side says about how a held meeting went (E1)."""

    WENT_SMOOTHLY = "WENT_SMOOTHLY", "The meeting took place as it should."
    FAILED_BECAUSE_OF_ME = "FAILED_BECAUSE_OF_ME", "It failed, and the side that says so is the cause."
    FAILED_BECAUSE_OF_OTHER_PARTY = "FAILED_BECAUSE_OF_OTHER_PARTY", "It failed, and the other side is the cause."
    FAILED_BECAUSE_OF_EXPERTIM = "FAILED_BECAUSE_OF_EXPERTIM", "It failed, and Expertim is the cause."


class SettlementOutcome(Term):
    """What becomes of the price of a held meeting (S)."""

    PAY_EXPERT = "PAY_EXPERT", "The price goes to the expert, less Expertim's fee."
    RETURN_TO_USER = "RETURN_TO_USER", "The price goes back to the user."
    RETURN_AND_COMPENSATE_EXPERT = (
        "RETURN_AND_COMPENSATE_EXPERT",
        "The price goes back to the user, and Expertim gives the expert part of it from its own account.",
    )


class AlternativeDateStatus(Term):
    """What became of an alternative date."""

    PENDING = "PENDING", "It waits for the other side's answer (R1)."
    APPROVED = "APPROVED", "The other side agreed to it; it became the date in force (R4)."
    REJECTED = "REJECTED", "The other side turned it down (R5)."
    CANCELLED = "CANCELLED", "Its chooser took it back, or the whole meeting was cancelled (R6, K6)."
    LAPSED = "LAPSED", "Nobody had answered it in time (R7)."


class MeetingActionKind(Term):
    """What people can do with a meeting (Q3)."""

    APPROVE = "APPROVE", "Agree to the proposed date: `approveMeeting` (A1)."
    REJECT = "REJECT", "Turn the proposal down: `rejectMeeting` (A3)."
    CANCEL = "CANCEL", "Take a proposal back, or call an agreed meeting off: `cancelMeeting` (K1, K2)."
    CHOOSE_ALTERNATIVE_DATE = "CHOOSE_ALTERNATIVE_DATE", "Choose another date: `chooseAlternativeDate` (R1)."
    APPROVE_ALTERNATIVE_DATE = (
        "APPROVE_ALTERNATIVE_DATE",
        "Agree to the date that the other side chose: `approveAlternativeDate` (R4).",
    )
    REJECT_ALTERNATIVE_DATE = (
        "REJECT_ALTERNATIVE_DATE",
        "Turn down the date that the other side chose: `rejectAlternativeDate` (R5).",
    )
    CANCEL_ALTERNATIVE_DATE = (
        "CANCEL_ALTERNATIVE_DATE",
        "Take back the date that one chose: `cancelAlternativeDate` (R6).",
    )
    JOIN = "JOIN", "Go to the meeting by one's own link: `Conference.joinUrl` (L1)."
    RECORD_PROGRESS = "RECORD_PROGRESS", "Say how the meeting went: `recordProgress` (E1)."
    PROPOSE_AGAIN = (
        "PROPOSE_AGAIN",
        "A new meeting of the same two on the same sides: `proposeMeeting` for the user, `proposeMeetingToUser` for the"
        " expert.",
    )
    DECIDE = "DECIDE", "Staff only: decide what was referred to Expertim: `decideSettlement` (S3)."


class ConferenceState(Term):
    """How far the video platform has been brought to what was agreed (L4)."""

    PENDING = "PENDING", "The platform does not know the date in force yet."
    READY = "READY", "The platform expects both sides."
    CANCELLED = "CANCELLED", "The meeting was cancelled; nobody can join any more (K6)."
    FAILING = "FAILING", "The platform keeps failing, and goes on being asked until it succeeds."


class NotificationKind(Term):
    """What a person is told (N4)."""

    EXPERT_MEETING_INVITATION = "EXPERT_MEETING_INVITATION", "To the user: the expert proposes a meeting (P3)."
    USER_MEETING_INVITATION = "USER_MEETING_INVITATION", "To the expert: the user proposes a meeting (P3)."
    MEETING_APPROVED = "MEETING_APPROVED", "To the proposer: the other side has agreed (A1)."
    MEETING_REJECTED = "MEETING_REJECTED", "To the proposer: the other side has turned the proposal down (A3)."
    PROPOSAL_LAPSED = "PROPOSAL_LAPSED", "To both: nobody had answered the proposal by its start (P6)."
    MEETING_CANCELLED_BY_USER = "MEETING_CANCELLED_BY_USER", "To the expert: the user has cancelled (K6)."
    MEETING_CANCELLED_BY_EXPERT = "MEETING_CANCELLED_BY_EXPERT", "To the user: the expert has cancelled (K6)."
    REJECTED_MEETING_RESCHEDULED = (
        "REJECTED_MEETING_RESCHEDULED",
        "To the other side: a new date was chosen for a meeting that had been rejected (R2).",
    )
    AGREED_MEETING_RESCHEDULED = (
        "AGREED_MEETING_RESCHEDULED",
        "To the other side: a new date was chosen for an agreed meeting, whose date stays in force meanwhile (R3).",
    )
    ALTERNATIVE_DATE_APPROVED = "ALTERNATIVE_DATE_APPROVED", "To its chooser: the new date is in force (R4)."
    ALTERNATIVE_DATE_REJECTED = "ALTERNATIVE_DATE_REJECTED", "To its chooser: the new date was turned down (R5)."
    ALTERNATIVE_DATE_CANCELLED = "ALTERNATIVE_DATE_CANCELLED", "To the other side: its chooser took it back (R6)."
    ALTERNATIVE_DATE_LAPSED = "ALTERNATIVE_DATE_LAPSED", "To both: nobody had answered the new date in time (R7)."
    MEETING_REMINDER = "MEETING_REMINDER", "To the user: the meeting begins in a day, or sooner (N1)."
    MEETING_LINK = "MEETING_LINK", "To both: the meeting begins in an hour, or sooner; with their personal link (N2)."
    PROGRESS_REMINDER = "PROGRESS_REMINDER", "To a side that has not said how the meeting went, a day after it (N3)."
    CREDITS_RECEIVED = "CREDITS_RECEIVED", "To the expert: the meeting is settled, and credits came to them (S)."
    PAYMENT_RETURNED = "PAYMENT_RETURNED", "To the user: the meeting is settled, and their credits came back (S)."
    MEETING_SETTLED = "MEETING_SETTLED", "To a side: the meeting is settled, and no credits came to them (S)."
    REFERRED_TO_EXPERTIM = "REFERRED_TO_EXPERTIM", "To both: staff are to decide what becomes of the price (S)."
    CHAT_MESSAGE = "CHAT_MESSAGE", "Something unread waits in a chat; one notification until it is read (H2)."


class ReasonKind(Term):
    """Which list of reasons an entry belongs to."""

    REJECTION = "REJECTION", "Why somebody turns a proposal down (A3)."
    CANCELLATION = "CANCELLATION", "Why somebody cancels a meeting (K2)."


class AccountKind(StrEnum):
    """An account that credits move between (M1). The first two belong to a person, the others to the operator."""

    AVAILABLE = "AVAILABLE"
    BLOCKED = "BLOCKED"
    EXPERTIM = "EXPERTIM"
    ISSUANCE = "ISSUANCE"


class CreditMovementKind(Term):
    """Why credits moved."""

    TOP_UP = "TOP_UP", "Staff granted them (M4)."
    BLOCK = "BLOCK", "A meeting's price was set aside: from available to blocked (P1, A1)."
    UNBLOCK = "UNBLOCK", "What a meeting had blocked came back: from blocked to available (P7)."
    CANCELLATION_REIMBURSEMENT = (
        "CANCELLATION_REIMBURSEMENT",
        "The expert's part of what a late cancellation cost the user (K5).",
    )
    PAYMENT_TO_EXPERT = "PAYMENT_TO_EXPERT", "The expert's part of the price of a held meeting (S1)."
    FEE = "FEE", "Expertim's part (K5, S1)."
    COMPENSATION = "COMPENSATION", "What Expertim gave the expert from its own account (S1)."


class Refusal(Term):
    """Why an action is not open to this person now (Q3); of several the first in this order is given."""

    STAFF_ONLY = "STAFF_ONLY", "Only Expertim's staff may do this."
    NOT_YOUR_SIDE = "NOT_YOUR_SIDE", "It is for the other side to do; staff get this for everything but deciding."
    WRONG_STATUS = "WRONG_STATUS", "The meeting's status does not allow it."
    ALTERNATIVE_DATE_PENDING = "ALTERNATIVE_DATE_PENDING", "An alternative date waits for an answer first (R1, R2)."
    NO_ALTERNATIVE_DATE = "NO_ALTERNATIVE_DATE", "No alternative date waits for an answer."
    OWN_ALTERNATIVE_DATE = "OWN_ALTERNATIVE_DATE", "This side chose the date; the other one answers it."
    NOT_OWN_ALTERNATIVE_DATE = "NOT_OWN_ALTERNATIVE_DATE", "The other side chose the date; only they can take it back."
    ALREADY_ANSWERED = "ALREADY_ANSWERED", "This side has answered, if only by proposing."
    ALREADY_RECORDED = "ALREADY_RECORDED", "This side has said how the meeting went; it does so once (E1)."
    MEETING_STARTED = "MEETING_STARTED", "The planned start has come."
    TOO_EARLY = "TOO_EARLY", "The time for it has not come yet."
    TOO_LATE = "TOO_LATE", "The time for it has passed."


class InvalidInputCode(Term):
    """What is wrong with a field of the input."""

    REQUIRED = "REQUIRED", "It is missing or blank, and has to be given."
    TOO_LONG = "TOO_LONG", "It has too many characters, or a list too many entries (P4)."
    OUT_OF_RANGE = "OUT_OF_RANGE", "A number, amount or instant beyond what is allowed (P4)."
    IN_THE_PAST = "IN_THE_PAST", "An instant that has to lie in the future."
    UNKNOWN = "UNKNOWN", "It names nothing that can be chosen here."
    UNCHANGED = "UNCHANGED", "It is what it already was."
    OUTSIDE_AVAILABILITY = "OUTSIDE_AVAILABILITY", "The expert can't be met then (P5)."
    SELF = "SELF", "Nobody can do this with themselves."
    MALFORMED = (
        "MALFORMED",
        "It contains characters that can't be stored, such as NUL, or contradicts itself, as a date given twice.",
    )
