"""Who may see what (T, Q5, W3): the one place that decides, behind every read and every push."""

from collections.abc import Iterable, Sequence
from itertools import chain
from uuid import UUID

from tortoise.expressions import Q
from tortoise.queryset import QuerySet

from models import (
    AlternativeDate,
    Chat,
    ChatMessage,
    CreditMovement,
    Meeting,
    Notification,
    Person,
    Service,
    Skill,
    TimelineEvent,
)
from resolvers.errors import ErrorCode, RequestError
from rules.terms import Actor, Side


def side_of(meeting: Meeting, person: Person) -> Side | None:
    """The person's side of a meeting; None for everybody else, staff included."""
    if person.id == meeting.user_id:
        return Side.USER
    return Side.EXPERT if person.id == meeting.expert_id else None


def other_side(meeting: Meeting, person: Person) -> UUID | None:
    """Whom this person meets there; None for staff."""
    match side_of(meeting, person):
        case Side.USER:
            return meeting.expert_id
        case Side.EXPERT:
            return meeting.user_id
    return None


def may_see(meeting: Meeting, viewer: Person) -> bool:
    """The two sides see their meeting, and staff see every meeting."""
    return viewer.is_staff or side_of(meeting, viewer) is not None


def visible_to(viewer: Person, meetings: QuerySet[Meeting]) -> QuerySet[Meeting]:
    """Those of the meetings that the viewer may see; in the query itself, so that nobody locks what is not theirs."""
    return meetings if viewer.is_staff else meetings.filter(Q(user_id=viewer.id) | Q(expert_id=viewer.id))


def sees_all_of(person_id: UUID, viewer: Person) -> bool:
    """E-mail, balances and inactive services are seen by the person themselves and by staff (Q5)."""
    return viewer.is_staff or viewer.id == person_id


def only_staff(viewer: Person) -> None:
    """Raises FORBIDDEN for everybody else."""
    if not viewer.is_staff:
        raise RequestError(ErrorCode.FORBIDDEN, "Only Expertim's staff may ask for this.")


def own_chats(viewer: Person) -> QuerySet[Chat]:
    """A chat is of the two in it, and of nobody else: not of staff either, and nobody locks what is not theirs."""
    return Chat.filter(Q(lower_id=viewer.id) | Q(higher_id=viewer.id))


def read_mark(chat: Chat, reader: Person) -> int:
    """The sequence of the newest message that this one of the two has read."""
    return chat.lower_has_read if chat.lower_id == reader.id else chat.higher_has_read


async def visible_people(ids: Sequence[UUID], viewer: Person) -> list[Person]:
    """Oneself, every expert and whoever one meets; staff see everybody (Q5).

    Who chats has met: a chat is opened from a meeting (H1).
    """
    people = await Person.filter(id__in=list(ids))
    known = {person.id for person in people if person.is_expert or sees_all_of(person.id, viewer)}
    if others := [person.id for person in people if person.id not in known]:
        met = Q(user_id=viewer.id, expert_id__in=others) | Q(expert_id=viewer.id, user_id__in=others)
        known.update(chain(*await Meeting.filter(met).distinct().values_list("user_id", "expert_id")))
    return [person for person in people if person.id in known]


async def visible_services(ids: Sequence[UUID], viewer: Person) -> list[Service]:
    """Every active service, and one's own (Q5)."""
    return visible_of(await Service.filter(id__in=list(ids)), viewer)


def visible_of(services: Iterable[Service], viewer: Person) -> list[Service]:
    """Those of the services that the viewer may see (Q5)."""
    return [service for service in services if service.active or sees_all_of(service.expert_id, viewer)]


async def visible_skills(ids: Sequence[UUID], viewer: Person) -> list[Skill]:
    """Every skill there is."""
    return await Skill.filter(id__in=list(ids))


async def visible_meetings(ids: Sequence[UUID], viewer: Person) -> list[Meeting]:
    """One's own meetings; staff see all."""
    return [meeting for meeting in await Meeting.filter(id__in=list(ids)) if may_see(meeting, viewer)]


async def visible_alternative_dates(ids: Sequence[UUID], viewer: Person) -> list[AlternativeDate]:
    """The alternative dates of the meetings that one may see."""
    dates = await AlternativeDate.filter(id__in=list(ids))
    meetings = await visible_meetings([date.meeting_id for date in dates], viewer) if dates else []
    seen = {meeting.id for meeting in meetings}
    return [date for date in dates if date.meeting_id in seen]


async def shown_person_ids(events: Sequence[TimelineEvent], viewer: Person) -> list[UUID | None]:
    """Who did each; which of Expertim's people, only staff are shown, who on a meeting of their own are a side (T)."""
    by_staff = {event.meeting_id for event in events if event.actor is Actor.EXPERTIM} if viewer.is_staff else set()
    meetings = await Meeting.filter(id__in=list(by_staff)) if by_staff else []
    shown = {meeting.id for meeting in meetings if side_of(meeting, viewer) is None}
    return [
        event.person_id if event.actor is not Actor.EXPERTIM or event.meeting_id in shown else None for event in events
    ]


async def visible_events(ids: Sequence[UUID], viewer: Person) -> list[TimelineEvent]:
    """What happened to the meetings that one may see."""
    events = await TimelineEvent.filter(id__in=list(ids))
    meetings = await visible_meetings([event.meeting_id for event in events], viewer) if events else []
    seen = {meeting.id for meeting in meetings}
    return [event for event in events if event.meeting_id in seen]


async def visible_movements(
    asked: Iterable[tuple[UUID, UUID]], viewer: Person
) -> dict[tuple[UUID, UUID], CreditMovement]:
    """By movement and account holder: what moved on one's own accounts; staff see everybody's (M4)."""
    pairs = [(movement_id, holder_id) for movement_id, holder_id in asked if sees_all_of(holder_id, viewer)]
    found = await CreditMovement.in_bulk({movement_id for movement_id, _ in pairs}, "id") if pairs else {}
    return {
        (movement_id, holder_id): movement
        for movement_id, holder_id in pairs
        if (movement := found.get(movement_id))
        and holder_id in (movement.debited_person_id, movement.credited_person_id)
    }


async def visible_chats(ids: Sequence[UUID], viewer: Person) -> list[Chat]:
    """One's own chats."""
    return await own_chats(viewer).filter(id__in=list(ids))


async def visible_chat_messages(ids: Sequence[UUID], viewer: Person) -> list[ChatMessage]:
    """What was written in one's own chats."""
    messages = await ChatMessage.filter(id__in=list(ids))
    chats = await visible_chats([message.chat_id for message in messages], viewer) if messages else []
    seen = {chat.id for chat in chats}
    return [message for message in messages if message.chat_id in seen]


async def visible_notifications(ids: Sequence[UUID], viewer: Person) -> list[Notification]:
    """What one was told oneself."""
    return await Notification.filter(id__in=list(ids), person_id=viewer.id)
