"""Proposing a meeting."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from models import Chat, Meeting, Person, PersonSkill, Service
from resolvers.acting import Attempt, Done, act
from resolvers.action import Action
from resolvers.availability import check_bookable
from resolvers.carrying_out import carry_out
from resolvers.chatting import visible_chat
from resolvers.visibility import side_of
from resolvers.world import world
from rules import proposing
from rules.meetings import Decision
from rules.problems import InvalidInput, NotFound
from rules.proposing import Terms
from rules.terms import InvalidInputCode


async def propose_meeting(
    *, expert_id: UUID, service_id: UUID, skill_id: UUID, starts_at: datetime, by: Person, attempt: Attempt
) -> Done:
    """A user proposes a meeting to an expert, at the price and length of the expert's service (P1)."""

    async def story(action: Action) -> Done:
        people = await action.lock_people({by.id, expert_id})
        expert = people.get(expert_id)
        if expert_id == by.id:
            raise InvalidInput("expertId", InvalidInputCode.SELF)
        if expert is None or not expert.is_expert:
            raise NotFound
        attempt.check()
        proposing.check_start(starts_at, now=action.now, policy=world().policy)
        service = await _offered(expert_id, service_id=service_id, skill_id=skill_id)
        terms = Terms(starts_at, service.duration_minutes, service.price)
        await check_bookable(expert_id, terms.starts_at, terms.ends_at, now=action.now)
        decision = proposing.by_user(terms, user_available=people[by.id].available)
        return await _open(action, decision, people, user_id=by.id, service=service, skill_id=skill_id)

    return await act(attempt, by=by, story=story)


async def propose_meeting_to_user(
    *,
    from_meeting_id: UUID | None,
    from_chat_id: UUID | None,
    service_id: UUID,
    skill_id: UUID,
    starts_at: datetime,
    duration_minutes: int,
    price: int,
    by: Person,
    attempt: Attempt,
) -> Done:
    """An expert proposes a meeting to a user they met before, at a length and price of their choice (P2, H3)."""

    async def story(action: Action) -> Done:
        meeting = await _own_meeting(from_meeting_id, by) if from_meeting_id is not None else None
        chat = await _own_chat(from_chat_id, by) if from_chat_id is not None else None
        people = await action.lock_people({by.id, *_the_two(meeting or chat)})
        attempt.check()
        proposing.check_origin(from_a_meeting=meeting is not None, from_a_chat=chat is not None)
        policy = world().policy
        proposing.check_start(starts_at, now=action.now, policy=policy)
        proposing.check_duration(duration_minutes, policy=policy)
        proposing.check_price(price, policy=policy)
        if meeting is not None:
            proposing.check_the_proposer_is_the_expert(side_of(meeting, by))
        service = await _offered(by.id, service_id=service_id, skill_id=skill_id)
        decision = proposing.by_expert(Terms(starts_at, duration_minutes, price))
        (user_id,) = people.keys() - {by.id}
        return await _open(action, decision, people, user_id=user_id, service=service, skill_id=skill_id)

    return await act(attempt, by=by, story=story)


async def _own_meeting(meeting_id: UUID, by: Person) -> Meeting:
    """Staff read every meeting, but the one that a proposal comes from must be theirs."""
    meeting = await Meeting.get_or_none(id=meeting_id)
    if meeting is None or side_of(meeting, by) is None:
        raise NotFound
    return meeting


async def _own_chat(chat_id: UUID, by: Person) -> Chat:
    chat = await visible_chat(chat_id, by)
    if chat is None:
        raise NotFound
    return chat


def _the_two(origin: Meeting | Chat | None) -> Collection[UUID]:
    match origin:
        case Meeting():
            return origin.user_id, origin.expert_id
        case Chat():
            return origin.lower_id, origin.higher_id
    return ()


async def _offered(expert_id: UUID, *, service_id: UUID, skill_id: UUID) -> Service:
    """The service, if it is the expert's and active, and the skill is the expert's too (P4)."""
    service = await Service.get_or_none(id=service_id, expert_id=expert_id, active=True)
    if service is None:
        raise InvalidInput("serviceId", InvalidInputCode.UNKNOWN)
    if not await PersonSkill.exists(person_id=expert_id, skill_id=skill_id):
        raise InvalidInput("skillId", InvalidInputCode.UNKNOWN)
    return service


async def _open(
    action: Action,
    decision: Decision,
    people: dict[UUID, Person],
    *,
    user_id: UUID,
    service: Service,
    skill_id: UUID,
) -> Done:
    """Make the meeting that was decided on; its timeline starts at 1 (P3)."""
    meeting = Meeting(
        id=world().new_id(),
        version=0,
        user_id=user_id,
        expert_id=service.expert_id,
        service_id=service.id,
        skill_id=skill_id,
        price=decision.state.price,
        proposed_by=decision.state.proposed_by,
        created_at=action.now,
    )
    await carry_out(action, decision, meeting=meeting, people=people, new=True)
    return Done(meeting.id, 1, meeting.version)
