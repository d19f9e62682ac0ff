"""Anything by its id (Relay's node): what the viewer may see, and null for everything else."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from resolvers import visibility
from schema.chatting import Chat, ChatMessage
from schema.context import Context, Kind
from schema.credits import CreditMovement
from schema.ids import named_by
from schema.meetings import AlternativeDate, Meeting, TimelineEvent
from schema.node import Node
from schema.notifying import Notification
from schema.people import Person, Service, Skill

RowIds = tuple[UUID, ...]
Read = Callable[[Iterable[RowIds], Context], Awaitable[Mapping[RowIds, Node]]]


async def nodes_of(ids: Sequence[object], context: Context) -> list[Node | None]:
    """What these ids name, in their order; a statement or two for each type among them."""
    named = [named_by(each) for each in ids]
    found: dict[tuple[str, RowIds], Node] = {}
    for type_name, read in NODES.items():
        if asked := {row_ids for name, row_ids in named if name == type_name}:
            found |= {(type_name, row_ids): node for row_ids, node in (await read(asked, context)).items()}
    return [found.get(each) for each in named]


def _rows(kind: type[Kind], visible: Callable[[Sequence[UUID], Any], Awaitable[Sequence[Any]]]) -> Read:
    async def read(asked: Iterable[RowIds], context: Context) -> dict[RowIds, Node]:
        rows = await visible([row_ids[0] for row_ids in asked if len(row_ids) == 1], context.viewer)
        return {(row.id,): context.show(kind, row) for row in rows}

    return read


async def _movements(asked: Iterable[RowIds], context: Context) -> dict[RowIds, Node]:
    pairs = [(row_ids[0], row_ids[1]) for row_ids in asked if len(row_ids) == 2]
    found = await visibility.visible_movements(pairs, context.viewer)
    return {
        (movement_id, holder_id): CreditMovement.of(movement, holder_id=holder_id)
        for (movement_id, holder_id), movement in found.items()
    }


NODES: dict[str, Read] = {
    "Person": _rows(Person, visibility.visible_people),
    "Service": _rows(Service, visibility.visible_services),
    "Skill": _rows(Skill, visibility.visible_skills),
    "Meeting": _rows(Meeting, visibility.visible_meetings),
    "AlternativeDate": _rows(AlternativeDate, visibility.visible_alternative_dates),
    "TimelineEvent": _rows(TimelineEvent, visibility.visible_events),
    "CreditMovement": _movements,
    "Chat": _rows(Chat, visibility.visible_chats),
    "ChatMessage": _rows(ChatMessage, visibility.visible_chat_messages),
    "Notification": _rows(Notification, visibility.visible_notifications),
}
"How each type that implements Node is read; a test holds that none is missing."
