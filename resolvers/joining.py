"""Opening one's link: who comes is recorded, and let in (L1-L3)."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from tortoise.functions import Min

from models import Attendance, Conference, JoinLink, Meeting, Person
from models.transactions import snapshot
from resolvers import conferencing, facts
from resolvers.acting import NO_ATTEMPT, Done, act
from resolvers.action import Action
from resolvers.carrying_out import carry_out
from resolvers.changing import pending_alternative
from resolvers.visibility import side_of
from resolvers.world import world
from rules.joining import Standing, Window, join, standing, window
from rules.meetings import MeetingFacts
from rules.terms import ConferenceState, Side

OPENING_GOOD_FOR = timedelta(minutes=15)
"How long a page's Join button works."


@dataclass(frozen=True, slots=True)
class Invitation:
    """A link as it stands for whoever holds it."""

    link: JoinLink
    meeting: Meeting
    person: Person
    standing: Standing
    window: Window


async def invitation(token: str) -> Invitation | None:
    """What this is the token of, looked at now; nothing of what is unknown or altered (L3)."""
    link_id = world().links.read(token)
    async with snapshot():  # a link and its meeting change together
        link = await JoinLink.get_or_none(id=link_id) if link_id else None
        if link is None:
            return None
        meeting = await Meeting.get(id=link.meeting_id)
        person = await Person.get(id=meeting.user_id if link.side is Side.USER else meeting.expert_id)
    now, policy = await world().clock.now(), world().policy
    return Invitation(
        link=link,
        meeting=meeting,
        person=person,
        standing=standing(facts.state_of(meeting, None), replaced=link.revoked_at is not None, now=now, policy=policy),
        window=window(link.starts_at, link.ends_at, policy),
    )


async def new_opening(link: JoinLink) -> str:
    """The one-time value that this link can be opened with, for a while."""
    return world().links.opening(link.id, world().new_id(), await world().clock.now())


async def open_link(link: JoinLink, opening: str) -> bool:
    """A person opens their link: it is recorded, unless the link is not open or the value no good any more (L2).

    Whose first opening for the date in force it is, that goes on the timeline. The same value again, as of a double
    click, is the same opening.
    """
    let_in = False

    async def story(action: Action) -> Done:
        nonlocal let_in
        let_in = False
        meeting = await Meeting.select_for_update(no_key=True).get(id=link.meeting_id)
        people = await action.lock_people((meeting.user_id, meeting.expert_id), not_before=meeting.changed_at)
        opening_id = _usable(link, opening, action.now)
        if opening_id is None or not await _is_open(link, meeting, action.now):
            return Done(link.id)
        let_in = True
        if await Attendance.exists(id=opening_id):
            return Done(opening_id)
        alternative = await pending_alternative(meeting)
        if not await Attendance.exists(link_id=link.id):
            known = MeetingFacts(facts.state_of(meeting, alternative), people[meeting.user_id].available)
            decision = join(known, by=link.side, now=action.now, policy=world().policy)
            await carry_out(action, decision, meeting=meeting, alternative=alternative, people=people)
        if await Attendance.filter(link_id=link.id).count() < world().policy.most_openings:
            await Attendance.create(id=opening_id, link_id=link.id, opened_at=action.now)
        return Done(opening_id)

    await act(NO_ATTEMPT, by=None, story=story)
    return let_in


async def was_opened(link: JoinLink, opening: str) -> bool:
    """Whether this very opening has been recorded: whoever waits for the platform then need not open it again."""
    read = world().links.read_opening(link.id, opening)
    return read is not None and await Attendance.exists(id=read[0], link_id=link.id)


async def is_recent(link: JoinLink, opening: str) -> bool:
    """Whether this value was made only just now."""
    return _usable(link, opening, await world().clock.now()) is not None


async def way_in(invited: Invitation) -> str | None:
    """Where they join on the platform; nothing while it is not ready."""
    return await conferencing.way_in(invited.meeting, invited.person, invited.link.side)


def _usable(link: JoinLink, opening: str, now: datetime) -> UUID | None:
    read = world().links.read_opening(link.id, opening)
    return read[0] if read and now - read[1] <= OPENING_GOOD_FOR else None


async def _is_open(link: JoinLink, meeting: Meeting, now: datetime) -> bool:
    """Asked again under the lock: the date may have been replaced since the link was looked at."""
    replaced = await JoinLink.exists(id=link.id, revoked_at__isnull=False)
    state = facts.state_of(meeting, None)
    return standing(state, replaced=replaced, now=now, policy=world().policy) is Standing.OPEN


@dataclass(frozen=True, slots=True)
class ConferenceSeen:
    """A meeting's place on the platform as one viewer is shown it."""

    state: ConferenceState
    join_url: str | None
    window: Window
    joined_at: dict[Side, datetime]


@dataclass(frozen=True, slots=True)
class Opening:
    """An opening of a link, and the date it was for."""

    side: Side
    opened_at: datetime
    meeting_starts_at: datetime


async def conferences_of(meetings: Sequence[Meeting], viewer: Person) -> dict[UUID, ConferenceSeen]:
    """By meeting, of those that were ever agreed: the state of the platform, and the viewer's own link."""
    ids = [meeting.id for meeting in meetings]
    conferences = {row.meeting_id: row for row in await Conference.filter(meeting_id__in=ids)}
    links = await _newest_links(list(conferences))
    first = await _first_openings([link.id for of_meeting in links.values() for link in of_meeting.values()])
    return {
        meeting.id: _seen(conferences[meeting.id], links[meeting.id], first, side_of(meeting, viewer))
        for meeting in meetings
        if meeting.id in conferences
    }


def _seen(
    conference: Conference, links: dict[Side, JoinLink], first: dict[UUID, datetime], side: Side | None
) -> ConferenceSeen:
    return ConferenceSeen(
        state=conferencing.state_of(conference),
        join_url=world().links.url(links[side].id) if side and not conference.cancelled else None,
        window=window(conference.starts_at, conference.ends_at, world().policy),
        joined_at={each: first[link.id] for each, link in links.items() if link.id in first},
    )


async def openings_of(meeting_ids: Sequence[UUID]) -> dict[UUID, list[Opening]]:
    """By meeting: each opening of a link, of whatever date, oldest first (L2)."""
    links = {link.id: link for link in await JoinLink.filter(meeting_id__in=list(meeting_ids))}
    found: dict[UUID, list[Opening]] = defaultdict(list)
    for row in await Attendance.filter(link_id__in=list(links)).order_by("opened_at", "id"):
        link = links[row.link_id]
        found[link.meeting_id].append(Opening(link.side, row.opened_at, link.starts_at))
    return found


async def _newest_links(meeting_ids: Sequence[UUID]) -> dict[UUID, dict[Side, JoinLink]]:
    """Those of the date in force, or of the last that was before the meeting was cancelled."""
    rows = await JoinLink.filter(meeting_id__in=list(meeting_ids))
    newest: dict[UUID, dict[Side, JoinLink]] = defaultdict(dict)
    for link in sorted(rows, key=lambda row: (row.revoked_at is None, row.id)):
        newest[link.meeting_id][link.side] = link
    return newest


async def _first_openings(link_ids: Sequence[UUID]) -> dict[UUID, datetime]:
    openings = Attendance.filter(link_id__in=list(link_ids)).annotate(first=Min("opened_at")).group_by("link_id")
    return dict(await openings.values_list("link_id", "first"))
