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
}


def timeline_label(kind: TimelineEventKind, language: Language) -> str:
    return say(TIMELINE_LABELS[kind], language)
