"""What people are told when something stands in the way of an action."""

from rules.problems import (
    ActionRefused,
    ConflictsFound,
    IdempotencyKeyReused,
    InsufficientCredits,
    InvalidInput,
    LateCancellation,
    NotFound,
    Problem,
    StaleVersion,
)
from rules.terms import InvalidInputCode, Language, Refusal
from texts import N_, say
from texts.amounts import credits_text

REFUSALS = {
    Refusal.STAFF_ONLY: N_("Only Expertim's staff can do this."),
    Refusal.NOT_YOUR_SIDE: N_("This is not yours to do in this meeting."),
    Refusal.WRONG_STATUS: N_("The meeting is not in a state in which this can be done."),
    Refusal.ALTERNATIVE_DATE_PENDING: N_("An alternative date is waiting for an answer first."),
    Refusal.NO_ALTERNATIVE_DATE: N_("There is no alternative date waiting for an answer."),
    Refusal.OWN_ALTERNATIVE_DATE: N_("You chose this alternative date; the other side has to answer it."),
    Refusal.NOT_OWN_ALTERNATIVE_DATE: N_("The other side chose this alternative date."),
    Refusal.ALREADY_ANSWERED: N_("You have already given your answer."),
    Refusal.MEETING_STARTED: N_("The planned start has passed."),
    Refusal.ALREADY_RECORDED: N_("You have already said how the meeting went."),
    Refusal.TOO_EARLY: N_("It is too early for this."),
    Refusal.TOO_LATE: N_("It is too late for this."),
}

INPUT_FAULTS = {
    InvalidInputCode.REQUIRED: N_("This must be filled in."),
    InvalidInputCode.TOO_LONG: N_("This is too long."),
    InvalidInputCode.OUT_OF_RANGE: N_("This is outside the range that is allowed."),
    InvalidInputCode.IN_THE_PAST: N_("This must lie in the future."),
    InvalidInputCode.UNKNOWN: N_("This is not one of the possible choices."),
    InvalidInputCode.UNCHANGED: N_("This is what it already was."),
    InvalidInputCode.OUTSIDE_AVAILABILITY: N_("The expert is not free at this time."),
    InvalidInputCode.SELF: N_("You can't have a meeting with yourself."),
    InvalidInputCode.MALFORMED: N_("This contains something that can't be used."),
}

PLAIN = {
    NotFound: N_("This does not exist, or it is not yours to see."),
    LateCancellation: N_(
        "The meeting begins so soon that you must confirm its cancellation, knowing what it would bring about."
    ),
    ConflictsFound: N_("You already have another agreed meeting at this time."),
    StaleVersion: N_("The meeting has changed since you last saw it."),
    IdempotencyKeyReused: N_("This idempotency key was used before with another input."),
}

MISSING_CREDITS = N_("You are {missing} credits short: the meeting costs {required} and you have {available}.")


def problem_text(problem: Problem, language: Language) -> str:
    """What went wrong, for people."""
    match problem:
        case ActionRefused():
            return say(REFUSALS[problem.refusal], language)
        case InvalidInput():
            return say(INPUT_FAULTS[problem.code], language)
        case InsufficientCredits():
            return say(
                MISSING_CREDITS,
                language,
                missing=credits_text(problem.missing, language),
                required=credits_text(problem.required, language),
                available=credits_text(problem.available, language),
            )
        case _:
            return say(PLAIN[type(problem)], language)
