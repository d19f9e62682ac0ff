"""Why a meeting was settled as it was, in words (S)."""

from rules.settling import Ruling, ruling
from rules.terms import Actor, Language, Progress, SettlementOutcome, Side
from texts import N_, say

USER_SAID = {
    Progress.WENT_SMOOTHLY: N_("The user said that the meeting went smoothly."),
    Progress.FAILED_BECAUSE_OF_ME: N_("The user said that the meeting failed because of themselves."),
    Progress.FAILED_BECAUSE_OF_OTHER_PARTY: N_("The user said that the meeting failed because of the expert."),
    Progress.FAILED_BECAUSE_OF_EXPERTIM: N_("The user said that the meeting failed because of Expertim."),
}

EXPERT_SAID = {
    Progress.WENT_SMOOTHLY: N_("The expert said that the meeting went smoothly."),
    Progress.FAILED_BECAUSE_OF_ME: N_("The expert said that the meeting failed because of themselves."),
    Progress.FAILED_BECAUSE_OF_OTHER_PARTY: N_("The expert said that the meeting failed because of the user."),
    Progress.FAILED_BECAUSE_OF_EXPERTIM: N_("The expert said that the meeting failed because of Expertim."),
}

USER_SAID_NOTHING = N_("The user said nothing in time about how the meeting went.")
EXPERT_SAID_NOTHING = N_("The expert said nothing in time about how the meeting went.")
NOBODY_SAID_ANYTHING = N_("Neither side said in time that anything was wrong.")

SO_IT_CAME: dict[SettlementOutcome | None, str] = {
    None: N_("So Expertim will decide what becomes of the price."),
    SettlementOutcome.PAY_EXPERT: N_("So the expert was paid."),
    SettlementOutcome.RETURN_TO_USER: N_("So the price went back to the user."),
    SettlementOutcome.RETURN_AND_COMPENSATE_EXPERT: N_(
        "So the price went back to the user, and Expertim compensated the expert."
    ),
}

STAFF_DECIDED: dict[SettlementOutcome | None, str] = {
    SettlementOutcome.PAY_EXPERT: N_("Expertim decided that the expert is paid."),
    SettlementOutcome.RETURN_TO_USER: N_("Expertim decided that the price goes back to the user."),
    SettlementOutcome.RETURN_AND_COMPENSATE_EXPERT: N_(
        "Expertim decided that the price goes back to the user, and compensated the expert."
    ),
}


def explanation(
    user_said: Progress | None,
    expert_said: Progress | None,
    outcome: SettlementOutcome | None,
    *,
    decided_by: Actor | None,
    language: Language,
) -> str:
    """What was said by then, or not in time, and what followed."""
    by_staff = decided_by is Actor.EXPERTIM
    followed = STAFF_DECIDED[outcome] if by_staff else SO_IT_CAME[outcome]
    return " ".join(say(text, language) for text in (*_said(user_said, expert_said), followed))


def _said(user_said: Progress | None, expert_said: Progress | None) -> list[str]:
    if user_said is None and expert_said is None:
        return [NOBODY_SAID_ANYTHING]
    said = tuple((side, word) for side, word in ((Side.USER, user_said), (Side.EXPERT, expert_said)) if word)
    # Where one word was enough nobody waited for the other's.
    waited = ruling(said, over=False) is Ruling.WAIT
    users = USER_SAID[user_said] if user_said else USER_SAID_NOTHING if waited else None
    experts = EXPERT_SAID[expert_said] if expert_said else EXPERT_SAID_NOTHING if waited else None
    return [text for text in (users, experts) if text]
