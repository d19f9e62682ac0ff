"""Real people over HTTP and the model of them side by side: each does the same, and both must come out the same."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from models import FeedEntry, Notification, TimelineEvent
from models.feeds import FeedEntryKind
from resolvers.lapsing import lapse_meeting, lapsed_meetings
from schema.ids import named_by, row_id
from tests.driving import COST, MEETING, Client, Service
from tests.invariants import check_invariants, state
from tests.journeys.comparing import differences, plain, whole
from tests.journeys.model import Market
from tests.journeys.model_state import Meeting, Person

EVERYTHING = (
    """
    query ($ids: [ID!]!) {
      nodes(ids: $ids) { ... on Meeting {
        ...Whole actions { kind allowed refusal opensAt closesAt consequences { ...Cost } }
      } }
      creditAccount { available blocked movements(first: 100) { edges { node {
        id kind availableChange blockedChange meeting { id } occurredAt
      } } } }
    }
    """
    + MEETING
    + COST
)
REASONS = "{ REJECTION: rejectionReasons { code } CANCELLATION: cancellationReasons { code } }"

INPUT = {
    "meeting": "meetingId",
    "expert": "expertId",
    "service": "serviceId",
    "skill": "skillId",
    "starts_at": "startsAt",
    "minutes": "durationMinutes",
    "price": "price",
    "reason": "reasonCode",
    "version": "expectedVersion",
    "key": "idempotencyKey",
}
"What the model calls by shorter names."

FAR_AHEAD = timedelta(days=2000)


class Play:
    """A market of its own, for one run."""

    def __init__(self, world: Service) -> None:
        self.world = world
        self.clients: dict[Person, Client] = {}
        self.by_id: dict[str, Any] = {}
        self.ids: dict[Any, str] = {}
        self.story: list[str] = []
        self.fingerprint: dict[str, Any] = {}

    async def begin(self, prices: Sequence[str], amounts: Sequence[str | None]) -> None:
        """Two experts with these prices, one of them a user too, two users, one of the staff and a stranger."""
        await self.clear()
        self.uma, self.uri, self.bea, self.emil, self.stella, self.sven = self.people = [
            Person(name, is_staff=name == "Stella") for name in ("Uma", "Uri", "Bea", "Emil", "Stella", "Sven")
        ]
        for person in self.people:
            roles = ["staff"] if person.is_staff else []
            client = self.clients[person] = await self.world.somebody(person.name, roles=roles)
            self.know(client.id, person)
        lists = await self.clients[self.uma].ask(REASONS)
        reasons = {kind: {each["code"] for each in lists[kind]} for kind in lists}
        self.market = Market(self.world.clock.time, reasons)
        for person, price in zip((self.bea, self.emil), prices, strict=True):
            await self.offer_a_service(person, price)
        for person, amount in zip((self.uma, self.uri, self.bea), amounts, strict=True):
            if amount is not None:
                await self.grant(self.stella, person, amount)
        self.fingerprint = await state()

    async def first_proposals(self, answers: Sequence[str | None]) -> None:
        """A few meetings to begin with, as far as there are credits for them, each answered so or not at all."""
        openings = ((self.uma, self.emil, 72), (self.bea, self.emil, 72.5), (self.uri, self.bea, 49))
        for (by, to, hours), answer in zip(openings, answers, strict=True):
            starts_at = self.market.now + timedelta(hours=hours)
            before = len(self.market.meetings)
            await self.act(by, "proposeMeeting", expert=to, service=to, skill=to, starts_at=starts_at)
            if answer and len(self.market.meetings) > before:
                given = {"reason": min(self.market.reasons["REJECTION"])} if answer == "rejectMeeting" else {}
                await self.act(to, answer, meeting=self.market.meetings[-1], **given)

    async def clear(self) -> None:
        """Let everything lapse that others have left waiting, so that what is due from now on is ours."""
        self.world.clock.reset()
        self.world.clock.time += FAR_AHEAD
        while due := await lapsed_meetings(()):
            for meeting_id in due:
                assert await lapse_meeting(meeting_id)
        self.world.clock.reset()

    async def offer_a_service(self, person: Person, price: str) -> None:
        client, person.price = self.clients[person], Decimal(price)
        saved = await client.act("saveService", name="Advice", durationMinutes=60, price=price)
        skills = await client.act("setSkills", names=[f"All that {person.name} knows"])
        client.service, client.skill = saved["service"]["id"], skills["person"]["skills"][0]["id"]
        self.by_id |= {client.service: person, client.skill: person}

    def know(self, id: str, thing: Any) -> None:
        self.by_id[id], self.ids[thing] = thing, id

    # ── doing ──

    async def act(self, by: Person, action: str, **given: Any) -> None:
        """Both do it; the answers and what is left behind must be the same."""
        told = ", ".join(f"{name}={value}" for name, value in given.items() if value is not None)
        expected = self.market.play(by, action, **given)
        actual = await self.clients[by].act(action, **self.wire(action, given))
        answer = actual["__typename"]
        detail = actual.get("refusal") or actual.get("code") or [each["kind"] for each in actual.get("events", ())]
        self.story.append(f"{by} {action}({told}): {answer} {detail}")
        self.same("__typename", expected["__typename"], answer)
        before, self.fingerprint = self.fingerprint, await state()
        if answer == "MeetingChanged":
            await self.check_changed(by, expected, actual)
        else:
            self.check_problem(expected, actual)
        if answer != "MeetingChanged" or expected["repeated"]:
            self.same("what it changed though it should not", before, self.fingerprint)

    async def check_changed(self, by: Person, expected: dict[str, Any], actual: dict[str, Any]) -> None:
        meeting: Meeting = expected["meeting"]
        if meeting not in self.ids:
            self.know(actual["meeting"]["id"], meeting)
        expected_meeting = whole(meeting, by, self.market)
        del expected_meeting["actions"]
        self.same(f"{meeting}", expected_meeting, self.read(actual["meeting"]))
        events = list(enumerate(meeting.events[: expected["last"]], start=1))[expected["before"] :]
        recorded = [(sequence, each["kind"], each["actor"]) for sequence, each in events]
        self.same("events", recorded, [(each["sequence"], each["kind"], each["actor"]) for each in actual["events"]])
        for person in meeting.sides.values():
            await self.look(person, [meeting])

    def check_problem(self, expected: dict[str, Any], actual: dict[str, Any]) -> None:
        found = {
            key: plain(value, self.by_id, key) for key, value in actual.items() if key not in {"__typename", "message"}
        }
        wanted = {key: value for key, value in expected.items() if key != "__typename"}
        match expected["__typename"]:
            case "InvalidInput":
                assert (actual["field"], actual["code"]) in wanted["any_of"], f"{wanted} {found}"
                return
            case "ActionRefused":
                meeting = wanted.pop("meeting")
                wanted["currentMeeting"] = {"id": meeting, "status": meeting.status}
            case "StaleVersion":
                wanted["meeting"] = {"id": wanted["meeting"], "version": len(wanted["meeting"].events)}
        self.same("the problem", wanted, found)

    def wire(self, action: str, given: dict[str, Any]) -> dict[str, Any]:
        """The input as a client writes it."""
        late = "acknowledgeLateCancellation" if action == "cancelMeeting" else "acknowledgeConflicts"
        written: dict[str, Any] = {}
        for name, value in given.items():
            if isinstance(value, Person):
                value = {"service": self.clients[value].service, "skill": self.clients[value].skill}.get(
                    name, self.clients[value].id
                )
            elif isinstance(value, Meeting):
                value = self.ids[value]
            elif isinstance(value, datetime):
                value = value.isoformat()
            elif isinstance(value, Decimal):
                value = str(value)
            if value is not None:
                written[late if name == "acknowledge" else INPUT[name]] = value
        return written

    async def grant(self, by: Person, person: Person, amount: str) -> None:
        """Credits for somebody; only staff may give them (M4)."""
        actual = await self.clients[by].act("grantCredits", personId=self.ids[person], amount=amount)
        self.story.append(f"{by} grants {person} {amount}: {actual['__typename']}")
        before, self.fingerprint = self.fingerprint, await state()
        if by.is_staff:
            self.same("__typename", "CreditsGranted", actual["__typename"])
            self.market.move(person, "TOP_UP", Decimal(amount), Decimal(0), None)
            await self.look(person, [])
        else:
            self.same("refusal", ("ActionRefused", "STAFF_ONLY"), (actual["__typename"], actual.get("refusal")))
            self.same("what it changed though it should not", before, self.fingerprint)

    async def tick(self, now: datetime) -> None:
        self.story.append(f"it is {now}")
        self.world.clock.time = self.market.now = now

    async def work(self) -> None:
        """The worker finds what is due, and does it once."""
        due = [meeting for meeting in self.market.meetings if self.market.is_due(meeting)]
        found = await lapsed_meetings(())
        self.same("due", {row_id("Meeting", self.ids[each]) for each in due}, set(found))
        self.story.append(f"the worker lapses {due}")
        for meeting in self.market.meetings:
            done = [await lapse_meeting(row_id("Meeting", self.ids[meeting])) for _ in range(2)]
            self.same(f"{meeting} lapsed", [meeting in due, False], done)
            if meeting in due:
                self.market.lapse(meeting)
        for person in {person for meeting in due for person in meeting.sides.values()}:
            await self.look(person, due)
        self.fingerprint = await state()

    # ── looking ──

    async def look(self, viewer: Person, meetings: Sequence[Meeting] | None = None) -> None:
        """All that a person is shown of these meetings, or of all there are; their credits, and what they were told."""
        meetings = self.market.meetings if meetings is None else meetings
        seen = await self.clients[viewer].ask(EVERYTHING, ids=[self.ids[each] for each in meetings])
        for meeting, node in zip(meetings, seen["nodes"], strict=True):
            visible = self.market.may_see(viewer, meeting)
            expected = whole(meeting, viewer, self.market) if visible else None
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
        return plain(node, self.by_id)

    def same(self, what: str, expected: Any, actual: Any) -> None:
        if found := differences(expected, actual, what):
            raise AssertionError("\n".join(["It went otherwise than the model says:", *found]))

    async def end(self) -> None:
        """Everybody looks at everything once more."""
        for person in self.people:
            await self.look(person)
        await check_invariants()
