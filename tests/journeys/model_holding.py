"""What becomes of an agreed meeting in the model: links, who came, how it went, and who gets the credits."""

from collections.abc import Iterable

from tests.journeys.model_acting import NOTHING, Acting, Story
from tests.journeys.model_state import EXPERT, EXPERTIM, SYSTEM, USER, Link, Mail, Meeting, Person, Problem, fee, half

SMOOTH, MINE, THEIRS, EXPERTIMS = (
    "WENT_SMOOTHLY",
    "FAILED_BECAUSE_OF_ME",
    "FAILED_BECAUSE_OF_OTHER_PARTY",
    "FAILED_BECAUSE_OF_EXPERTIM",
)
PAY, RETURN, COMPENSATE = OUTCOMES = "PAY_EXPERT", "RETURN_TO_USER", "RETURN_AND_COMPENSATE_EXPERT"
DECIDE = "staff decide"
AT_168_H = "at 168 h "

ALWAYS_PAY = dict.fromkeys((None, SMOOTH, THEIRS, EXPERTIMS), PAY)
TABLE: dict[str | None, dict[str | None, str]] = {
    None: {
        None: AT_168_H + PAY,
        SMOOTH: AT_168_H + PAY,
        MINE: RETURN,
        THEIRS: AT_168_H + PAY,
        EXPERTIMS: AT_168_H + DECIDE,
    },
    SMOOTH: ALWAYS_PAY,
    MINE: ALWAYS_PAY,
    THEIRS: {None: AT_168_H + RETURN, SMOOTH: DECIDE, MINE: RETURN, THEIRS: DECIDE, EXPERTIMS: DECIDE},
    EXPERTIMS: {None: AT_168_H + DECIDE, SMOOTH: DECIDE, MINE: RETURN, THEIRS: DECIDE, EXPERTIMS: COMPENSATE},
}
"By what the user said and what the expert said; where the first word decides, there is nothing left to look up (S2)."


class Holding(Acting):
    """From the agreement to the last credit."""

    links: list[Link]
    "Every link that there ever was."

    def agree(self, meeting: Meeting) -> None:
        """Both sides have their links to a date of its own, of which the platform is still to be told (A1, R4)."""
        meeting.status, meeting.platform_is_ready = "AGREED", False
        meeting.links = {side: Link(meeting, side, meeting.starts_at) for side in (USER, EXPERT)}
        self.links += meeting.links.values()
        meeting.reminded = set()

    def tell_the_platform(self) -> None:
        """What the worker does about all meetings that somebody can still come to (L4)."""
        for meeting in self.meetings:
            meeting.platform_is_ready |= self.is_to_be_prepared(meeting)

    # ── joining ──

    def open_link(self, link: Link, *, by_a_person: bool) -> int:
        """The status of what is answered; by whom it is opened, only their own browser can tell (L2, L3)."""
        meeting = link.meeting
        if self.is_dead(link):
            return 410
        refusal = self.refusal(meeting, link.side, "JOIN")
        if refusal:
            return 403 if refusal == "TOO_EARLY" else 410
        if not by_a_person:
            return 200
        if not self.joined_at(meeting, link.side):
            self.record(meeting, f"{link.side}_ATTENDANCE_RECORDED", link.side)
        meeting.attendance.append((link, self.now))
        return 303 if meeting.platform_is_ready else 200

    # ── reminding ──

    def remind(self, meeting: Meeting) -> None:
        """What the worker does about a meeting of which something is due, each once for a date (N1, N2, N3)."""
        due = self.reminders_due(meeting)
        meeting.reminded |= due
        if "MEETING_LINK" in due:
            if self.now < self.closes_at(meeting, "JOIN"):
                self.tell(meeting, "MEETING_LINK", USER, EXPERT)
        elif "MEETING_REMINDER" in due:
            self.tell(meeting, "MEETING_REMINDER", USER)
        if "PROGRESS_REMINDER" in due and self.now < self.closes_at(meeting, "RECORD_PROGRESS"):
            self.tell(meeting, "PROGRESS_REMINDER", *(side for side in (USER, EXPERT) if side not in meeting.progress))

    def mail(self, people: Iterable[Person]) -> None:
        """All that waits is sent, but reminders of what is not ahead, not open or not needed any more (N1, N2, N3)."""
        for who, mail in [(each, mail) for each in people for mail in each.mails if mail.status == "PENDING"]:
            mail.status = "SENT" if self.is_still_right(mail, who) else "OMITTED"

    def is_still_right(self, mail: Mail, person: Person) -> bool:
        """Whether it could still be told."""
        meeting = mail.meeting
        if mail.kind not in self.reminders(meeting):
            return True
        if meeting.status != "AGREED" or meeting.credit_status != "BLOCKED" or meeting.starts_at != mail.starts_at:
            return False
        side = next(side for side, who in meeting.sides.items() if who is person)
        return {
            "MEETING_REMINDER": self.now < self.reminders(meeting)["MEETING_LINK"],
            "MEETING_LINK": self.now < self.closes_at(meeting, "JOIN") and mail.link is meeting.links.get(side),
            "PROGRESS_REMINDER": self.now < self.closes_at(meeting, "RECORD_PROGRESS") and side not in meeting.progress,
        }[mail.kind]

    # ── saying how it went ──

    def record_progress(
        self,
        by: Person,
        meeting: Meeting,
        progress: str,
        rating: int | None = None,
        comment: str | None = None,
        version: int | None = None,
    ) -> Story:
        wrong = set() if rating is None or 1 <= rating <= 5 else {("rating", "OUT_OF_RANGE")}
        side, before = self.enter(by, meeting, "RECORD_PROGRESS", version, wrong)
        extra = {name for name, value in {"rating": rating, "comment": comment}.items() if value is not None}
        if side == EXPERT and extra:
            raise Problem("InvalidInput", any_of={(name, "UNKNOWN") for name in extra})
        meeting.progress[side] = {
            "side": side,
            "progress": progress,
            "rating": rating,
            "comment": comment,
            "recordedAt": self.now,
        }
        self.record(meeting, f"PROGRESS_RECORDED_BY_{side}", side)
        self.settle(meeting)
        return meeting, before

    # ── settling ──

    def settle(self, meeting: Meeting) -> None:
        """What the table says, after each recording and at 168 h, as long as nothing is decided (S)."""
        if meeting.credit_status != "BLOCKED" or meeting.settlement:
            return
        user, expert = (meeting.progress.get(side, {}).get("progress") for side in (USER, EXPERT))
        follows = TABLE[user][expert]
        if follows.startswith(AT_168_H) and not self.is_unsettled(meeting):
            return
        follows = follows.removeprefix(AT_168_H)
        if follows == DECIDE:
            self.refer(meeting)
        else:
            self.come_out(meeting, follows, SYSTEM)

    def refer(self, meeting: Meeting) -> None:
        meeting.settlement = dict.fromkeys(("paidToUser", "paidToExpert", "fee"), NOTHING) | {"referred": True}
        self.record(meeting, "REFERRED_TO_EXPERTIM", SYSTEM)
        self.tell(meeting, "REFERRED_TO_EXPERTIM", USER, EXPERT)

    def decide_settlement(
        self, by: Person, meeting: Meeting, outcome: str, note: str, version: int | None = None
    ) -> Story:
        if meeting.side_of(by):
            raise Problem("ActionRefused", refusal="STAFF_ONLY", meeting=meeting)
        wrong = set() if len(note) <= 2000 else {("note", "TOO_LONG")}
        _, before = self.enter(by, meeting, "DECIDE", version, wrong)
        self.record(meeting, "DECIDED_BY_EXPERTIM", EXPERTIM, person=by, note=note)
        self.come_out(meeting, outcome, EXPERTIM, by=by, note=note)
        return meeting, before

    def come_out(
        self, meeting: Meeting, outcome: str, actor: str, *, by: Person | None = None, note: str | None = None
    ) -> None:
        """The credits go where they belong; who decided it is Expertim or nobody (S3, S4)."""
        price, expert = meeting.price, meeting.sides[EXPERT]
        to_user, to_expert, kept = price, NOTHING, NOTHING
        if outcome == PAY:
            kept = fee(price)
            to_user, to_expert = NOTHING, price - kept
            self.pay_out(meeting, "PAYMENT_TO_EXPERT", to_expert, kept)
            meeting.credit_status = "PAID"
            self.record(meeting, "CREDITS_PAID_TO_EXPERT", actor, person=by, credits=to_expert)
        else:
            self.give_back(meeting)
            self.record(meeting, "PAYMENT_RETURNED_TO_USER", actor, person=by, credits=to_user)
        if outcome == COMPENSATE:
            to_expert = half(price)
            self.move(expert, "COMPENSATION", to_expert, NOTHING, meeting)
            self.record(meeting, "EXPERT_COMPENSATED", actor, person=by, credits=to_expert)
        self.tell(meeting, "PAYMENT_RETURNED" if to_user else "MEETING_SETTLED", USER)
        self.tell(meeting, "CREDITS_RECEIVED" if to_expert else "MEETING_SETTLED", EXPERT)
        meeting.settlement = {
            "outcome": outcome,
            "referred": False,
            "decidedBy": actor,
            "paidToUser": to_user,
            "paidToExpert": to_expert,
            "fee": kept,
            "note": note,
            "settledAt": self.now,
        }
