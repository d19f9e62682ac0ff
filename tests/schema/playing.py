"""People who have something to do with one another, and for each mutation one of them who may do it."""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from schema.ids import named_by
from tests.driving import Client, Service
from tests.joining import link_of, opened
from tests.schema.watching import Ids, Tables


@dataclass
class People:
    """A user and an expert who meet, staff, and a stranger to both."""

    world: Service
    user: Client
    expert: Client
    staff: Client
    stranger: Client
    days_ahead: Iterator[int] = field(default_factory=lambda: count(1))

    def free(self) -> str:
        """A start that no other meeting of theirs is near."""
        return self.world.at(days=next(self.days_ahead))

    async def proposed(self) -> str:
        """The id of a new meeting that the user has proposed to the expert."""
        return str((await self.user.proposed(self.expert, startsAt=self.free()))["id"])

    async def agreed(self, user: Client | None = None, starts_at: str = "") -> str:
        """The id of a new meeting that the expert has approved."""
        meeting = await (user or self.user).proposed(self.expert, startsAt=starts_at or self.free())
        approved = await self.expert.act("approveMeeting", meetingId=meeting["id"], acknowledgeConflicts=True)
        assert approved["__typename"] == "MeetingChanged"
        return str(meeting["id"])

    async def rescheduled(self) -> str:
        """The id of an agreed meeting for which the user has chosen another date."""
        meeting_id = await self.agreed()
        chosen = await self.user.act("chooseAlternativeDate", meetingId=meeting_id, startsAt=self.free())
        assert chosen["__typename"] == "MeetingChanged"
        return meeting_id

    async def chat(self) -> str:
        """The id of the chat of the user and the expert."""
        return await self.user.chat_with(self.expert, startsAt=self.free())

    async def told(self) -> str:
        """The id of what the expert was told last."""
        page = (await self.expert.ask("{ notifications(first: 1) { edges { node { id } } } }"))["notifications"]
        return str(page["edges"][0]["node"]["id"])

    async def over(self) -> str:
        """The id of a new meeting of theirs that ended a while ago."""
        hours = 48 + 2 * next(self.days_ahead)  # so that none of them is near another
        self.world.clock.advance(hours=-hours)
        meeting_id = await self.agreed(starts_at=self.world.at(minutes=1))
        self.world.clock.advance(hours=hours)
        return meeting_id

    async def said(self, meeting_id: str, who: Client, progress: str, **given: Any) -> None:
        """One of them says how it went."""
        result = await who.act("recordProgress", meetingId=meeting_id, progress=progress, **given)
        assert result["__typename"] == "MeetingChanged", result

    async def referred(self) -> str:
        """The id of a meeting that staff are to decide about."""
        meeting_id = await self.over()
        rated = {"rating": 2, "comment": "Nobody came."}
        await self.said(meeting_id, self.user, "FAILED_BECAUSE_OF_OTHER_PARTY", **rated)
        await self.said(meeting_id, self.expert, "WENT_SMOOTHLY")
        return meeting_id

    async def rejection(self) -> str:
        """The code of a rejection reason."""
        return str((await self.expert.ask("{ rejectionReasons { code } }"))["rejectionReasons"][0]["code"])

    def offer(self, meeting_id: str) -> dict[str, Any]:
        return {
            "meetingId": meeting_id,
            "serviceId": self.expert.service,
            "skillId": self.expert.skill,
            "startsAt": self.free(),
            "durationMinutes": 30,
            "price": "25.00",
        }


async def make_people(world: Service) -> People:
    people = People(
        world,
        user=await world.somebody("Ulla User", credits="1000000.00"),
        expert=await world.expert("Egon Expert", price="1.00"),
        staff=await world.somebody("Stina Staff", roles=["staff"]),
        stranger=await world.somebody("Sam Stranger", credits="100.00"),
    )
    people.expert.skill = (await people.expert.act("setSkills", names=[f"Skill of {people.expert.sub}"]))["person"][
        "skills"
    ][0]["id"]
    return people


Doable = tuple[Client, dict[str, Any]]
"Somebody, and an input with which they succeed."


async def _propose(people: People) -> Doable:
    return people.user, {**people.user.proposal(people.expert), "startsAt": people.free()}


async def _offer(people: People) -> Doable:
    return people.expert, people.offer(await people.proposed())


async def _approve(people: People) -> Doable:
    return people.expert, {"meetingId": await people.proposed()}


async def _reject(people: People) -> Doable:
    return people.expert, {"meetingId": await people.proposed(), "reasonCode": await people.rejection()}


async def _cancel(people: People) -> Doable:
    return people.user, {"meetingId": await people.proposed()}


async def _choose_alternative(people: People) -> Doable:
    return people.user, {"meetingId": await people.agreed(), "startsAt": people.free()}


async def _approve_alternative(people: People) -> Doable:
    return people.expert, {"meetingId": await people.rescheduled()}


async def _reject_alternative(people: People) -> Doable:
    return people.expert, {"meetingId": await people.rescheduled(), "reasonCode": await people.rejection()}


async def _cancel_alternative(people: People) -> Doable:
    return people.user, {"meetingId": await people.rescheduled()}


async def _record(people: People) -> Doable:
    return people.user, {"meetingId": await people.over(), "progress": "FAILED_BECAUSE_OF_OTHER_PARTY"}


async def _decide(people: People) -> Doable:
    return people.staff, {"meetingId": await people.referred(), "outcome": "PAY_EXPERT", "note": "So it is."}


async def _grant(people: People) -> Doable:
    return people.staff, {"personId": people.user.id, "amount": "1.00"}


async def _save_reason(people: People) -> Doable:
    code = f"CODE {people.free()}"  # off the list, which is everybody's
    return people.staff, {"kind": "REJECTION", "code": code, "labelEn": "A", "labelDe": "B", "active": False}


async def _save_service(people: People) -> Doable:
    changed = {"name": "Advice", "durationMinutes": 60, "price": "1.00", "serviceId": people.expert.service}
    return people.expert, changed


async def _set_skills(people: People) -> Doable:
    return people.stranger, {"names": [f"Skill of {people.stranger.sub}"]}


async def _set_availability(people: People) -> Doable:
    window = {"from": "00:00", "to": "24:00"}
    every_day = [{"weekday": weekday, **window} for weekday in range(1, 8)]
    new_year = {"date": "2099-01-01", "windows": [window]}
    return people.expert, {"timeZone": "Europe/Prague", "weekly": every_day, "exceptions": [new_year]}


async def _open_chat(people: People) -> Doable:
    return people.user, {"meetingId": await people.proposed()}


async def _send_message(people: People) -> Doable:
    return people.user, {"chatId": await people.chat(), "text": "Hello"}


async def _mark_chat_read(people: People) -> Doable:
    return people.user, {"chatId": await people.chat()}


async def _mark_notifications_read(people: People) -> Doable:
    await people.proposed()
    return people.expert, {"ids": [await people.told()]}


async def _update_profile(people: People) -> Doable:
    return people.user, {"language": "EN", "timeZone": "Europe/Prague", "mutedKinds": ["CHAT_MESSAGE"]}


async def _renew_calendar(people: People) -> Doable:
    return people.stranger, {}


DOABLE: dict[str, Callable[[People], Awaitable[Doable]]] = {
    "proposeMeeting": _propose,
    "proposeMeetingToUser": _offer,
    "approveMeeting": _approve,
    "rejectMeeting": _reject,
    "cancelMeeting": _cancel,
    "chooseAlternativeDate": _choose_alternative,
    "approveAlternativeDate": _approve_alternative,
    "rejectAlternativeDate": _reject_alternative,
    "cancelAlternativeDate": _cancel_alternative,
    "recordProgress": _record,
    "decideSettlement": _decide,
    "grantCredits": _grant,
    "saveReason": _save_reason,
    "saveService": _save_service,
    "setSkills": _set_skills,
    "setAvailability": _set_availability,
    "updateProfile": _update_profile,
    "renewCalendarUrl": _renew_calendar,
    "openChat": _open_chat,
    "sendChatMessage": _send_message,
    "markChatRead": _mark_chat_read,
    "markNotificationsRead": _mark_notifications_read,
}
"For each mutation somebody who may do it, and with what."


EVERYBODYS = {"proposeMeeting", "setAvailability", "setSkills", "updateProfile", "renewCalendarUrl"}
"What everybody may do, with what is their own."

EITHER_SIDES = {"chooseAlternativeDate", "openChat", "sendChatMessage", "markChatRead", "recordProgress"}
"What both sides may do."


async def doable(action: str, people: People) -> Doable:
    """Somebody who can do this now, and the input."""
    assert action in DOABLE, f"Say in {__name__}.DOABLE who may {action}, and with what."
    return await DOABLE[action](people)


@dataclass
class Scene:
    """People with something to hide of each kind."""

    people: People
    other: Client
    waiting: str
    "A meeting that waits for the expert's answer and overlaps one of theirs with the other user."
    meetings: list[str]
    chats: list[str]
    "Of the expert with the user, and with the other one."
    reason_code: str
    "Of one that a proposal may be rejected for."

    @property
    def viewers(self) -> dict[str, Client]:
        people = self.people
        return {
            "user": people.user,
            "expert": people.expert,
            "other user": self.other,
            "staff": people.staff,
            "stranger": people.stranger,
        }

    @property
    def soon(self) -> dict[str, str]:
        """A range in which the expert can be met."""
        return {"from": self.people.world.at(), "until": self.people.world.at(days=2)}

    def ids(self, tables: Tables) -> list[tuple[str, Ids]]:
        """Everything of theirs that has an id; and a movement, as it would look to whom it did nothing."""
        people = {named_by(client.id)[1][0] for client in self.viewers.values()}
        meetings = {named_by(each)[1][0] for each in self.meetings}
        ids: list[tuple[str, Ids]] = [("Skill", named_by(self.people.expert.skill)[1])]
        ids += [("Person", (each,)) for each in people]
        ids += [("Meeting", (each,)) for each in meetings]
        ids += [("Service", (each.id,)) for each in tables.services.values() if each.expert_id in people]
        ids += [("TimelineEvent", (each.id,)) for each in tables.events.values() if each.meeting_id in meetings]
        ids += [("AlternativeDate", (each.id,)) for each in tables.alternatives.values() if each.meeting_id in meetings]
        chats = {each.id for each in tables.chats.values() if each.lower_id in people}
        ids += [("Chat", (each,)) for each in chats]
        ids += [("ChatMessage", (each.id,)) for each in tables.messages.values() if each.chat_id in chats]
        ids += [("Notification", (each.id,)) for each in tables.notifications.values() if each.person_id in people]
        for each in tables.movements.values():
            if {each.debited_person_id, each.credited_person_id} & people:
                ids += [("CreditMovement", (each.id, holder)) for holder in people]
        return ids


async def make_scene(world: Service) -> Scene:
    people = await make_people(world)
    user, expert = people.user, people.expert
    other = await world.somebody("Olga Other", credits="100.00")
    await expert.act("saveService", name="Not any more", durationMinutes=60, price="1.00", active=False)
    await user.act("setSkills", names=["Asking"])
    await people.staff.act("grantCredits", personId=user.id, amount="1.00", note="Welcome")

    first, second = people.free(), people.free()
    others, ours = await people.agreed(other, first), await people.agreed(user, second)
    waiting = str((await user.proposed(expert, startsAt=first))["id"])
    offered = await expert.act("proposeMeetingToUser", **{**people.offer(ours), "startsAt": second})
    rejected = await people.proposed()
    code = await people.rejection()
    await expert.act("rejectMeeting", meetingId=rejected, reasonCode=code)
    moving, unmoved = await people.rescheduled(), await people.rescheduled()
    await expert.act("rejectAlternativeDate", meetingId=unmoved, reasonCode=code)
    late = await people.agreed(other, world.at(hours=9))
    cancelled = {"reasonCode": "ILLNESS", "acknowledgeLateCancellation": True}
    assert (await other.act("cancelMeeting", meetingId=late, **cancelled))["__typename"] == "MeetingChanged"
    chats = [(await who.act("openChat", meetingId=each))["chat"]["id"] for who, each in ((user, ours), (other, others))]
    for writer, chat in ((user, chats[0]), (other, chats[1]), (expert, chats[0])):
        await writer.write(chat, f"From {writer.sub}")
    soon = await people.agreed(starts_at=world.at(minutes=10))
    for side in (user, expert):
        assert (await opened(world, await link_of(side, soon))).status_code in (200, 303)  # if it must, it waits
    waits, decided = await people.referred(), await people.referred()
    decision = {"meetingId": decided, "outcome": "RETURN_AND_COMPENSATE_EXPERT", "note": "Sorry for that."}
    assert (await people.staff.act("decideSettlement", **decision))["__typename"] == "MeetingChanged"
    meetings = [others, ours, waiting, offered["meeting"]["id"], rejected, moving, unmoved, late, soon, waits, decided]
    _, always = await _set_availability(people)  # from now on, but for the meetings that are agreed
    await expert.act("setAvailability", **always)
    return Scene(people, other, waiting, meetings, chats, code)
