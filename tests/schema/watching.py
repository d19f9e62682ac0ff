"""Looking at answers with a viewer's eyes: what they have to do with each thing is worked out anew, from the tables."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import models
from schema.ids import named_by
from tests.driving import Client

Ids = tuple[UUID, ...]

# What a viewer may have to do with a thing.
SELF, MET, USER, EXPERT, STAFF = "themselves", "met them", "its user", "its expert", "staff"
ONE_OF_THE_TWO = "one of its two"
EVERYBODY = "everybody signed in"

WHOEVER_REACHES_IT = frozenset({SELF, MET, USER, EXPERT, ONE_OF_THE_TWO, STAFF, EVERYBODY})
THE_SIDES = frozenset({USER, EXPERT})
ONESELF = frozenset({SELF})
ONESELF_AND_STAFF = frozenset({SELF, STAFF})
CARRIES = frozenset({"whoever asked"})
"Of what holds an answer together: what is in it is judged by itself, and it tells only of what the viewer did."

ONLY_LISTS = ("Connection", "Edge", "PageInfo")
"Types that consist of entries and places in a list and, as the descriptions' tests hold, of nothing else."


@dataclass
class Tables:
    """The rows that say who has to do with what."""

    people: dict[UUID, models.Person]
    meetings: dict[UUID, models.Meeting]
    events: dict[UUID, models.TimelineEvent]
    services: dict[UUID, models.Service]
    movements: dict[UUID, models.CreditMovement]
    alternatives: dict[UUID, models.AlternativeDate]
    chats: dict[UUID, models.Chat]
    messages: dict[UUID, models.ChatMessage]
    notifications: dict[UUID, models.Notification]

    @classmethod
    async def read(cls) -> "Tables":
        return cls(
            {row.id: row for row in await models.Person.all()},
            {row.id: row for row in await models.Meeting.all()},
            {row.id: row for row in await models.TimelineEvent.all()},
            {row.id: row for row in await models.Service.all()},
            {row.id: row for row in await models.CreditMovement.all()},
            {row.id: row for row in await models.AlternativeDate.all()},
            {row.id: row for row in await models.Chat.all()},
            {row.id: row for row in await models.ChatMessage.all()},
            {row.id: row for row in await models.Notification.all()},
        )

    def related(self, viewer: Client, named: str, ids: Ids, *, shown_by: str = "") -> set[str]:
        """What the viewer has to do with a thing; nothing at all, and they must not come upon it."""
        who = named_by(viewer.id)[1][0]
        staff = {STAFF} if self.people[who].is_staff else set()
        match named, ids:
            case "Availability" | "WeeklyWindow" | "AvailabilityException" | "TimeWindow" | "FreeSlot", _:
                return staff | {EVERYBODY}  # without an id: whose it is, the roads ask
            case "Skill" | "Reason" | "MeetingAction" | "Consequences", _:
                return staff | {EVERYBODY}
            case "Person", (person_id,):
                return staff | self._to_person(who, person_id)
            case "CreditAccount", (holder_id,):
                return staff | ({SELF} if holder_id == who else set())
            case "CreditMovement", (movement_id, holder_id):
                movement = self.movements[movement_id]
                if holder_id not in (movement.debited_person_id, movement.credited_person_id):
                    return set()  # what it did to somebody whom it did nothing to is nobody's to see
                return staff | ({SELF} if holder_id == who else set())
            case "Service", (service_id,):
                return staff | self._to_service(who, self.services[service_id], of_a_meeting=shown_by == "Meeting")
            case "Meeting" | "ProgressRecord" | "Settlement" | "Conference" | "Attendance", (meeting_id,):
                return staff | _sides(who, [self.meetings[meeting_id]])
            case "TimelineEvent", (event_id,):
                return staff | _sides(who, [self.meetings[self.events[event_id].meeting_id]])
            case "AlternativeDate", (date_id,):
                return staff | _sides(who, [self.meetings[self.alternatives[date_id].meeting_id]])
            case "Chat", (chat_id,):
                return self._to_chat(who, chat_id)
            case "ChatMessage", (message_id,):
                return self._to_chat(who, self.messages[message_id].chat_id)
            case "Notification", (notification_id,):
                return {SELF} if self.notifications[notification_id].person_id == who else set()
            case "MeetingDashboard", (holder_id,):
                return {SELF} if holder_id == who else set()
        raise AssertionError(f"Say in {__name__} who has to do with a {named}.")

    def _to_person(self, who: UUID, person_id: UUID) -> set[str]:
        met = any({who, person_id} == {meeting.user_id, meeting.expert_id} for meeting in self.meetings.values())
        return (
            ({SELF} if person_id == who else set())
            | ({MET} if met else set())
            | ({EVERYBODY} if self.people[person_id].is_expert else set())
        )

    def _to_chat(self, who: UUID, chat_id: UUID) -> set[str]:
        chat = self.chats[chat_id]
        return {ONE_OF_THE_TWO} if who in (chat.lower_id, chat.higher_id) else set()

    def _to_service(self, who: UUID, service: models.Service, *, of_a_meeting: bool) -> set[str]:
        related = {SELF} if service.expert_id == who else set()
        if of_a_meeting:  # whoever sees a meeting sees what it is about
            related |= _sides(who, (each for each in self.meetings.values() if each.service_id == service.id))
        return related | ({EVERYBODY} if service.active else set())


def _sides(who: UUID, meetings: Iterable[models.Meeting]) -> set[str]:
    sides = ((USER, "user_id"), (EXPERT, "expert_id"))
    return {side for meeting in meetings for side, column in sides if getattr(meeting, column) == who}


@dataclass
class Watch:
    """Goes through whatever a viewer is shown, and remembers who has seen what, and from whom it was kept."""

    decided: Mapping[str, frozenset[str]]
    "Who is shown each `Type.field`."
    tables: Tables
    seen: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    kept_from: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def look(self, viewer: Client, shown: Any, *, shown_by: str = "", owner: Ids = ()) -> None:
        """Hold against the decisions whatever is in an answer."""
        if isinstance(shown, list):
            for each in shown:
                self.look(viewer, each, shown_by=shown_by, owner=owner)
        elif isinstance(shown, dict):
            named = shown.pop("__typename")
            if not named.endswith(ONLY_LISTS):
                owner = named_by(shown["id"])[1] if "id" in shown else owner or named_by(viewer.id)[1]
                self._judge(viewer, shown, named, shown_by, owner)
                shown_by = named
            for each in shown.values():
                self.look(viewer, each, shown_by=shown_by, owner=owner)

    def _judge(self, viewer: Client, shown: dict[str, Any], named: str, shown_by: str, ids: Ids) -> None:
        carries = any(self.decided[f"{named}.{name}"] == CARRIES for name in shown)
        related = set(CARRIES) if carries else self.tables.related(viewer, named, ids, shown_by=shown_by)
        assert related, f"{viewer.sub} is shown a {named} by {shown_by or 'a root'}: {shown}"
        for name, value in shown.items():
            place = f"{named}.{name}"
            if related & self.decided[place]:
                self.seen[place] |= related if value not in (None, []) else set()
            else:
                assert value in (None, []), f"{viewer.sub} ({related}) is shown {place} by {shown_by}: {value}"
                self.kept_from[place] |= related
