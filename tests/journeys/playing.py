"""Real people over HTTP and the model of them side by side: each does the same, and both must come out the same."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from resolvers.conferencing import bring_next_conference
from resolvers.lapsing import lapse_meeting, lapsed_meetings
from resolvers.mailing import send_due_mails
from resolvers.reminding import due_reminders, remind_of_meeting
from resolvers.settling import due_settlements, settle_meeting
from schema.ids import row_id
from tests.driving import Service
from tests.invariants import state
from tests.journeys.comparing import plain, whole
from tests.journeys.looking import Looking
from tests.journeys.model import Market
from tests.journeys.model_state import Link, Meeting, Person
from tests.journeys.opening import ALTERED, OPENINGS, THEIR_OWN
from tests.mail.server import omit_mails

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
    "progress": "progress",
    "rating": "rating",
    "comment": "comment",
    "outcome": "outcome",
    "note": "note",
}
"What the model calls by shorter names."

FAR_AHEAD = timedelta(days=2000)


class Play(Looking):
    """A market of its own, for one run."""

    def __init__(self, world: Service) -> None:
        super().__init__(world)
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
        """A few meetings, as far as there are credits for them, each answered so or not at all."""
        openings = ((self.uma, self.emil, 72), (self.bea, self.emil, 72.5), (self.uri, self.bea, 49))
        for (by, to, hours), answer in zip(openings, answers, strict=True):
            starts_at = self.market.now + timedelta(hours=hours)
            before = len(self.market.meetings)
            await self.act(by, "proposeMeeting", expert=to, service=to, skill=to, starts_at=starts_at)
            if answer and len(self.market.meetings) > before:
                given: dict[str, Any] = {"acknowledge": True}
                if answer == "rejectMeeting":
                    given = {"reason": min(self.market.reasons["REJECTION"])}
                await self.act(to, answer, meeting=self.market.meetings[-1], **given)

    async def wait_for(self, kind: str) -> None:
        """The time passes until this may be done, or is to be told, about the last of those that were agreed."""
        agreed = [each for each in self.market.meetings if each.status == "AGREED"]
        opens = [self.market.opens_at(each, kind) or self.market.reminders(each).get(kind) for each in agreed]
        if instants := [at for at in opens if at]:
            await self.tick(max(instants), viewer=self.emil)

    async def clear(self) -> None:
        """Have everything done that others have left waiting, so that what is due from now on is ours."""
        self.world.clock.reset()
        self.world.clock.time += FAR_AHEAD
        await self.world.beat()
        await omit_mails()
        self.world.clock.reset()

    async def offer_a_service(self, person: Person, price: str) -> None:
        client, person.price = self.clients[person], Decimal(price)
        saved = await client.act("saveService", name="Advice", durationMinutes=60, price=price)
        skills = await client.act("setSkills", names=[f"All that {person.name} knows"])
        client.service, client.skill = saved["service"]["id"], skills["person"]["skills"][0]["id"]
        self.by_id |= {client.service: person, client.skill: person}

    # ── doing ──

    async def act(self, by: Person, action: str, **given: Any) -> None:
        """Both do it; the answers and what is left behind must be the same."""
        told = ", ".join(f"{name}={str(value)[:60]}" for name, value in given.items() if value is not None)
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
        self.same(f"{meeting}", whole(meeting, by, self.market), self.read(actual["meeting"]))
        events = list(enumerate(meeting.events[: expected["last"]], start=1))[expected["before"] :]
        recorded = [(sequence, each["kind"], each["actor"]) for sequence, each in events]
        self.same("events", recorded, [(each["sequence"], each["kind"], each["actor"]) for each in actual["events"]])
        for person in meeting.sides.values():
            await self.look(person, [meeting])
        await self.check_reminders([meeting])

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

    async def tick(self, now: datetime, viewer: Person) -> None:
        """The time alone changes what somebody is shown."""
        self.story.append(f"it is {now}")
        self.world.clock.time = self.market.now = now
        await self.look(viewer)

    async def open(self, link: Link, how: str) -> None:
        """Somebody or something opens a link."""
        comings = len(link.meeting.attendance)
        status = 404 if how in ALTERED else self.market.open_link(link, by_a_person=how in THEIR_OWN)
        answer = await OPENINGS[how](self.world, urlsplit(self.ids[link]).path)
        self.story.append(f"{link} is opened by {how}: {answer.status_code}")
        self.same("status", status, answer.status_code)
        before, self.fingerprint = self.fingerprint, await state()
        if len(link.meeting.attendance) == comings:
            self.same("what it changed though it should not", before, self.fingerprint)
        for person in link.meeting.sides.values():
            await self.look(person, [link.meeting])

    async def work(self) -> None:
        """The worker finds what is due, and does it once; then it tells the platform what there is to tell."""
        market = self.market
        jobs = (
            (lapsed_meetings, lapse_meeting, market.is_due, market.lapse),
            (due_settlements, settle_meeting, market.is_unsettled, market.settle),
            (due_reminders, remind_of_meeting, market.is_to_be_reminded, market.remind),
        )
        touched = {meeting for meeting in market.meetings if market.is_to_be_prepared(meeting)}
        for find, do, is_due, follow in jobs:
            due = [meeting for meeting in market.meetings if is_due(meeting)]
            self.same("due", {row_id("Meeting", self.ids[each]) for each in due}, set(await find(())))
            self.story.append(f"the worker does {do.__name__} of {due}")
            for meeting in [*market.meetings, *due]:
                done = await do(row_id("Meeting", self.ids[meeting]))
                self.same(f"{do.__name__} of {meeting}", is_due(meeting), done)
                if done:
                    follow(meeting)
            touched.update(due)
        while await bring_next_conference():
            pass
        market.tell_the_platform()
        for meeting in touched:
            for person in meeting.sides.values():
                await self.look(person, [meeting])
        await self.check_reminders(market.meetings)
        self.fingerprint = await state()

    async def mail(self) -> None:
        """The worker sends what waits."""
        self.story.append("e-mails are sent")
        while await send_due_mails():
            pass
        self.market.mail(self.people)
        await self.check_mails()
        self.fingerprint = await state()
