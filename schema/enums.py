"""The enums of the contract are those of the rules, member for member."""

import strawberry

from rules import terms

ENUMS = (
    terms.Actor,
    terms.AlternativeDateStatus,
    terms.Answer,
    terms.ConferenceState,
    terms.CreditMovementKind,
    terms.CreditPaymentStatus,
    terms.InvalidInputCode,
    terms.Language,
    terms.MeetingActionKind,
    terms.MeetingPhase,
    terms.MeetingStatus,
    terms.NotificationKind,
    terms.Progress,
    terms.ReasonKind,
    terms.Refusal,
    terms.SettlementOutcome,
    terms.Side,
    terms.TimelineEventKind,
)

for _enum in ENUMS:
    strawberry.enum(_enum)
