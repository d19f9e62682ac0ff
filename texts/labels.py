"""What the events of a timeline are called."""

from rules.terms import Language, TimelineEventKind
from texts import N_, say

TIMELINE_LABELS = {
    TimelineEventKind.MEETING_PROPOSED: N_("Meeting proposed"),
    TimelineEventKind.USER_APPROVED: N_("Approved by the user"),
    TimelineEventKind.EXPERT_APPROVED: N_("Approved by the expert"),
    TimelineEventKind.REJECTED_BY_USER: N_("Rejected by the user"),
    TimelineEventKind.REJECTED_BY_EXPERT: N_("Rejected by the expert"),
    TimelineEventKind.CANCELLED_BY_USER: N_("Cancelled by the user"),
    TimelineEventKind.CANCELLED_BY_EXPERT: N_("Cancelled by the expert"),
    TimelineEventKind.PROPOSAL_LAPSED: N_("The proposal lapsed unanswered"),
    TimelineEventKind.CANCELLATION_REIMBURSED: N_("The expert was reimbursed for the late cancellation"),
    TimelineEventKind.ALTERNATIVE_DATE_CHOSEN_BY_USER: N_("Alternative date chosen by the user"),
    TimelineEventKind.ALTERNATIVE_DATE_CHOSEN_BY_EXPERT: N_("Alternative date chosen by the expert"),
    TimelineEventKind.ALTERNATIVE_DATE_APPROVED_BY_USER: N_("Alternative date approved by the user"),
    TimelineEventKind.ALTERNATIVE_DATE_APPROVED_BY_EXPERT: N_("Alternative date approved by the expert"),
    TimelineEventKind.ALTERNATIVE_DATE_REJECTED_BY_USER: N_("Alternative date rejected by the user"),
    TimelineEventKind.ALTERNATIVE_DATE_REJECTED_BY_EXPERT: N_("Alternative date rejected by the expert"),
    TimelineEventKind.ALTERNATIVE_DATE_CANCELLED_BY_USER: N_("Alternative date taken back by the user"),
    TimelineEventKind.ALTERNATIVE_DATE_CANCELLED_BY_EXPERT: N_("Alternative date taken back by the expert"),
    TimelineEventKind.ALTERNATIVE_DATE_LAPSED: N_("The alternative date lapsed unanswered"),
    TimelineEventKind.PROGRESS_RECORDED_BY_USER: N_("The user said how the meeting went"),
    TimelineEventKind.PROGRESS_RECORDED_BY_EXPERT: N_("The expert said how the meeting went"),
    TimelineEventKind.CREDITS_PAID_TO_EXPERT: N_("Credits paid to the expert"),
    TimelineEventKind.PAYMENT_RETURNED_TO_USER: N_("Payment returned to the user"),
    TimelineEventKind.EXPERT_COMPENSATED: N_("Expert compensated by Expertim"),
    TimelineEventKind.REFERRED_TO_EXPERTIM: N_("Referred to Expertim for a decision"),
    TimelineEventKind.DECIDED_BY_EXPERTIM: N_("Decided by Expertim"),
    TimelineEventKind.USER_ATTENDANCE_RECORDED: N_("The user joined the meeting"),
    TimelineEventKind.EXPERT_ATTENDANCE_RECORDED: N_("The expert joined the meeting"),
}


def timeline_label(kind: TimelineEventKind, language: Language) -> str:
    return say(TIMELINE_LABELS[kind], language)
