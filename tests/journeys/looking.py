"""What people are shown in the end, held against what the model says they are to be shown."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from models import Delivery, FeedEntry, Notification, TimelineEvent
from models.feeds import FeedEntryKind
from resolvers.reminding import due_reminders
from schema.ids import named_by, row_id
from tests.driving import COST, MEETING, Client, Service, all_edges
from tests.invariants import check_invariants
from tests.journeys.comparing import differences, everything, plain
from tests.journeys.model import Market
from tests.journeys.model_state import Meeting, Person

A_MOMENT = timedelta(microseconds=1)

EVERYTHING = (
    """
    query ($ids: [ID!]!) {
      nodes(ids: $ids) { ... on Meeting {
        ...Whole ...Held actions { kind allowed refusal opensAt closesAt consequences { ...Cost } }
      } }
      creditAccount { available blocked movements(first: 100) { edges { node {
        id kind availableChange blockedChange meeting { id } occurredAt
      } } } }
    }
    fragment Held on Meeting {
      conference { state joinUrl validFrom validUntil userJoinedAt expertJoinedAt }
      attendance { side openedAt meetingStartsAt }
      userProgress { ...Record } expertProgress { ...Record }
      settlement { outcome referred decidedBy paidToUser paidToExpert fee note settledAt }
      timeline { edges { node { note } } }
    }
    fragment Record on ProgressRecord { side progress rating comment recordedAt }
    """
    + MEETING
    + COST
)
DISPUTES = """query($after: String) { disputes(first: 100, after: $after) {
  edges { cursor node { id } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
} }"""


class Looking:
    """Real people and those of the model, and by which ids each knows the same things."""

    market: Market
    people: list[Person]

    def __init__(self, world: Service) -> None:
        self.world = world
        self.clients: dict[Person, Client] = {}
        self.by_id: dict[str, Any] = {}
        self.ids: dict[Any, str] = {}

    def know(self, id: str, thing: Any) -> None:
        self.by_id[id], self.ids[thing] = thing, id

    async def look(self, viewer: Person, meetings: Sequence[Meeting] | None = None) -> None:
        """All that a person is shown of these meetings, or of all there are; their credits, and what they were told."""
        meetings = self.market.meetings if meetings is None else meetings
        seen = await self.clients[viewer].ask(EVERYTHING, ids=[self.ids[each] for each in meetings])
        for meeting, node in zip(meetings, seen["nodes"], strict=True):
            visible = self.market.may_see(viewer, meeting)
            expected = everything(meeting, viewer, self.market) if visible else None
            self.same(f"{meeting} as {viewer} sees it", expected, self.read(node))
        account = plain(seen["creditAccount"], self.by_id)
        self.same(
            f"balances of {viewer}", (viewer.available, viewer.blocked), (account["available"], account["blocked"])
        )
        ids = [each.pop("id") for each in account["movements"]]
        movements = [tuple(each.values()) for each in account["movements"]]
        self.same(f"movements of {viewer}", Counter(viewer.movements), Counter(movements))
        at = [each["occurredAt"] for each in account["movements"]]
        self.same(f"order of the movements of {viewer}", sorted(at, reverse=True), at)
        await self.check_feed(viewer, [named_by(id)[1][0] for id in ids[:1]])

    async def check_feed(self, person: Person, newest_movement: Sequence[UUID]) -> None:
        """Positions without a gap; each event of their meetings in order, each notification, the newest movement."""
        person_id = row_id("Person", self.ids[person])
        feed = await FeedEntry.filter(person_id=person_id).order_by("position")
        self.same(f"feed of {person}", list(range(1, len(feed) + 1)), [each.position for each in feed])
        refs = {kind: [each.ref for each in feed if each.kind is kind] for kind in FeedEntryKind}
        mine = {row_id("Meeting", self.ids[each]): each for each in self.market.meetings if each.side_of(person)}
        events = {each.id: each for each in await TimelineEvent.filter(meeting_id__in=list(mine))}
        pushed = [events[ref] for ref in refs[FeedEntryKind.TIMELINE_EVENT]]
        for meeting_id, meeting in mine.items():
            numbers = [each.sequence for each in pushed if each.meeting_id == meeting_id]
            self.same(f"pushes of {meeting} to {person}", list(range(1, len(meeting.events) + 1)), numbers)
        told = await Notification.filter(person_id=person_id)
        self.same(
            f"notifications of {person}",
            Counter(person.notifications),
            Counter((each.kind.value, each.meeting_id and mine[each.meeting_id], each.created_at) for each in told),
        )
        self.same("pushed notifications", {each.id for each in told}, set(refs[FeedEntryKind.NOTIFICATION]))
        self.same(f"newest push of the balances of {person}", newest_movement, refs[FeedEntryKind.BALANCE][-1:])

    def read(self, node: dict[str, Any] | None) -> Any:
        """A meeting as it came, in the words of the model."""
        if node is None:
            return None
        alternatives = self.by_id[node["id"]].alternatives
        for each, chosen in zip(reversed(node["alternativeDates"]), alternatives, strict=False):
            self.know(each["id"], chosen)
        url = (node.get("conference") or {}).get("joinUrl")
        link = self.by_id[node["id"]].links.get(node["viewerSide"])
        if url and link and url not in self.by_id and link not in self.ids:
            self.know(url, link)
        return plain(node, self.by_id)

    def same(self, what: str, expected: Any, actual: Any) -> None:
        if found := differences(expected, actual, what):
            raise AssertionError("\n".join(["It went otherwise than the model says:", *found]))

    async def end(self) -> None:
        """Everybody looks at everything once more, and staff at what they are to decide."""
        for person in self.people:
            await self.look(person)
        await self.check_disputes(next(each for each in self.people if each.is_staff))
        await self.check_mails()
        await self.check_reminders(self.market.meetings)
        await check_invariants()

    async def check_reminders(self, meetings: Sequence[Meeting]) -> None:
        """What a worker would find due as soon as anything about these is, if nobody did anything until then."""
        market, now = self.market, self.market.now
        agreed = [each for each in meetings if each.status == "AGREED"]
        coming = {at for each in agreed for at in market.reminders(each).values() if at > now}
        for at in sorted({each - before for each in coming for before in (A_MOMENT, timedelta(0))}):
            self.world.clock.time = market.now = at
            due = {row_id("Meeting", self.ids[each]) for each in market.meetings if market.is_to_be_reminded(each)}
            self.same(f"to be reminded at {at}", due, set(await due_reminders(())))
        self.world.clock.time = market.now = now

    async def check_mails(self) -> None:
        """Each e-mail that anybody was to be sent, once, and what became of it (N)."""
        mine = {row_id("Meeting", self.ids[each]): each for each in self.market.meetings}
        people = {row_id("Person", self.ids[each]): each for each in self.people}
        found: Counter[tuple[Any, ...]] = Counter()
        for each in await Delivery.filter(notification__meeting_id__in=list(mine)).select_related("notification"):
            told = each.notification
            assert told.meeting_id is not None
            meeting, notified = mine[told.meeting_id], people[told.person_id]
            (other,) = set(meeting.sides.values()) - {notified}
            person = other if each.confirmation else notified
            found[person, told.kind.value, meeting, each.confirmation, each.status.value] += 1
        expected = Counter(
            (person, mail.kind, mail.meeting, mail.is_confirmation, mail.status)
            for person in self.people
            for mail in person.mails
        )
        self.same("e-mails", expected, found)

    async def check_disputes(self, staff: Person) -> None:
        """Those of this market, oldest first (S3); others have left some, too."""

        async def page(after: str | None) -> dict[str, Any]:
            disputes: dict[str, Any] = (await self.clients[staff].ask(DISPUTES, after=after))["disputes"]
            return disputes

        ids = [edge["node"]["id"] for edge in await all_edges(page, first=100)]
        referred = [each for each in self.market.meetings if self.market.is_referred(each)]
        referred.sort(key=self.market.referred_at)
        self.same("disputes", referred, [self.by_id[id] for id in ids if id in self.by_id])
