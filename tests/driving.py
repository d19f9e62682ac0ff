"""Playing people against the service, over real HTTP and WebSocket."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import count
from typing import Any

import httpx2
import websockets
from starlette.applications import Starlette

from jobs.worker import Job, jobs_of_the_clock, jobs_outside
from resolvers.mailing import send_due_mails
from tests.invariants import state
from tests.newcomers import arrive, offer_a_service

WAIT_AT_MOST_SECONDS = 20

STANDING = """
fragment Standing on Meeting {
  id version status creditPaymentStatus viewerSide startsAt endsAt durationMinutes price proposedBy
  userAnswer expertAnswer user { id } expert { id } service { id } skill { id } reason { code }
  alternativeDate { ...Alternative }
}
fragment Alternative on AlternativeDate {
  id startsAt endsAt chosenBy status originalDateInForce reason { code } chosenAt
}
"""

MEETING = (
    """
fragment Whole on Meeting {
  ...Standing alternativeDates { ...Alternative } conflicts { id } timeline { edges { node {
    sequence kind actor person { id } reason { code } credits occurredAt alternativeDate { id }
  } } }
}
"""
    + STANDING
)

PROBLEMS = """
  ... on Problem { message
    ... on ActionRefused { refusal currentMeeting { id status } }
    ... on InvalidInput { field code }
  }
"""

MEETING_PROBLEMS = (
    PROBLEMS
    + """
  ... on ConflictsFound { conflicts { id } }
  ... on LateCancellation { consequences { ...Cost } }
  ... on InsufficientCredits { required available missing }
  ... on StaleVersion { meeting { id version } }
"""
)

CHANGED = "... on MeetingChanged { meeting { ...%s } events { id sequence kind actor label } }"

COST = """
fragment Cost on Consequences {
  creditsBlocked creditsReturnedToUser creditsDeductedFromUser creditsPaidToExpert acknowledgementRequired freeUntil
  originalDateStaysInForce conflicts { id }
}
"""

MEETING_MUTATIONS = {
    "proposeMeeting",
    "proposeMeetingToUser",
    "approveMeeting",
    "rejectMeeting",
    "cancelMeeting",
    "chooseAlternativeDate",
    "approveAlternativeDate",
    "rejectAlternativeDate",
    "cancelAlternativeDate",
    "recordProgress",
    "decideSettlement",
}

OTHER_RESULTS = {
    "grantCredits": "... on CreditsGranted { movement { id kind availableChange blockedChange note } }",
    "saveService": "... on ServiceSaved { service { id name durationMinutes price active expert { id } } }",
    "saveReason": "... on ReasonSaved { reason { code kind label } }",
    "setAvailability": """... on AvailabilitySaved {
      availability { timeZone weekly { weekday from to } exceptions { date windows { from to } } }
    }""",
    "setSkills": "... on PersonSaved { person { id skills { id name } } }",
    "updateProfile": "... on PersonSaved { person { id language timeZone mutedKinds } }",
    "renewCalendarUrl": "... on PersonSaved { person { id calendarUrl } }",
    "openChat": "... on ChatOpened { chat { id unread people { id } } }",
    "sendChatMessage": "... on ChatMessageSent { chatMessage { id text sentAt author { id } chat { id unread } } }",
    "markChatRead": "... on ChatOpened { chat { id unread } }",
    "markNotificationsRead": "... on NotificationsRead { unread }",
}

FREE_SLOTS = """query($expert: ID!, $service: ID!, $from: DateTime!, $until: DateTime!) {
  freeSlots(expertId: $expert, serviceId: $service, from: $from, until: $until) { startsAt endsAt }
}"""

names = count(1)


@cache
def mutation(action: str, *, whole: bool = False) -> str:
    """The document of a mutation, selecting all that its answer can hold; a meeting's lists only if asked to."""
    input_type = f"{action[0].upper()}{action[1:]}Input"
    if action in MEETING_MUTATIONS:
        body = CHANGED % ("Whole" if whole else "Standing") + MEETING_PROBLEMS
        rest = (MEETING if whole else STANDING) + COST
    else:
        body, rest = OTHER_RESULTS[action] + PROBLEMS, ""
    return f"mutation Act($input: {input_type}!) {{ {action}(input: $input) {{ __typename {body} }} }} {rest}"


class StoppedClock:
    """Stands still until a test moves it."""

    START = datetime(2027, 3, 1, 12, 0, tzinfo=UTC)

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.time = self.START

    def advance(self, **time: float) -> None:
        self.time += timedelta(**time)

    async def now(self) -> datetime:
        return self.time


@dataclass
class Service:
    """The running service."""

    app: Starlette
    url: str
    http: httpx2.AsyncClient
    clock: StoppedClock
    whole_answers: bool = False
    "Whether a mutation shows the meeting with its lists."

    def at(self, **ahead: float) -> str:
        """An instant so far ahead of now, as clients write it."""
        return (self.clock.time + timedelta(**ahead)).isoformat()

    def token(self, *, seconds: int = 3600, **claims: Any) -> str:
        return self.app.state.tokens.make(claims, seconds=seconds)

    async def somebody(self, name: str, *, credits: str | None = None, **claims: Any) -> "Client":
        """A new person, with so many credits."""
        client = self.newcomer(name, **claims)
        await arrive(client, credits=credits)
        return client

    async def expert(
        self, name: str, *, price: str = "40.00", minutes: int = 60, credits: str | None = None, **claims: Any
    ) -> "Client":
        """A new expert with a service and a skill, and with so many credits."""
        client = self.newcomer(name, **claims)
        await offer_a_service(client, await arrive(client, credits=credits), price=price, minutes=minutes)
        return client

    def newcomer(self, name: str, **claims: Any) -> "Client":
        """Somebody whom the service does not know yet."""
        sub = f"{name.split()[0].lower()}-{next(names)}"
        return Client(self, sub, self.token(sub=sub, name=name, email=f"{sub}@example.com", **claims))

    @asynccontextmanager
    async def nothing_changes(self) -> AsyncIterator[None]:
        """Nothing is written, moved or pushed meanwhile."""
        before = await state()
        yield
        assert await state() == before

    async def beat(self, *, mail: bool = False) -> None:
        """Have everything done that is due by now, as a worker does at its next beat; e-mails only if asked to.

        Most tests have no use for what they, and those before them, would send.
        """
        await drain([job for job in all_jobs() if mail or job is not send_due_mails])

    async def settled(self, before: set[asyncio.Task[Any]]) -> None:
        """Wait until all tasks that were begun since have ended."""
        async with asyncio.timeout(WAIT_AT_MOST_SECONDS):
            while begun := asyncio.all_tasks() - before:
                await asyncio.wait(begun)


def all_jobs() -> Sequence[Job]:
    """Everything there is for a worker to do."""
    return (*jobs_of_the_clock(), *jobs_outside())


async def drain(jobs: Sequence[Job]) -> None:
    """Have each of these do all it has to do, and then once more, as one may make another's work."""
    did_something = True
    while did_something:
        did_something = False
        for job in jobs:
            while await job():
                did_something = True


@dataclass
class Client:
    """One person at their browser."""

    world: Service
    sub: str
    token: str
    id: str = ""
    service: str = ""
    skill: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    async def post(self, query: str, **variables: Any) -> httpx2.Response:
        return await self.world.http.post(
            "/graphql",
            content=json.dumps({"query": query, "variables": variables}),  # carries any character, even half a one
            headers={
                "Authorization": f"Bearer {self.token}",
                "Content-Type": "application/json",
                **self.headers,
            },
        )

    async def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """The data of an answer without errors."""
        response = await self.post(query, **variables)
        answer = response.json()
        assert response.status_code == 200, answer
        assert "errors" not in answer, answer
        return answer["data"]

    async def errors(self, query: str, **variables: Any) -> list[dict[str, Any]]:
        """The errors of an answer that has some."""
        return (await self.post(query, **variables)).json()["errors"]

    async def act(self, action: str, **input: Any) -> dict[str, Any]:
        """The result of a mutation."""
        return (await self.ask(mutation(action, whole=self.world.whole_answers), input=input))[action]

    async def balance(self) -> tuple[str, str]:
        account = (await self.ask("{ creditAccount { available blocked } }"))["creditAccount"]
        return account["available"], account["blocked"]

    async def meeting(self, meeting_id: str) -> dict[str, Any] | None:
        return (await self.ask("query($id: ID!) { meeting(id: $id) { ...Whole } }" + MEETING, id=meeting_id))["meeting"]

    async def propose(self, expert: "Client", **changes: Any) -> dict[str, Any]:
        """The result of proposing a meeting for tomorrow at this time."""
        return await self.act("proposeMeeting", **{**self.proposal(expert), **changes})

    def proposal(self, expert: "Client") -> dict[str, Any]:
        return {
            "expertId": expert.id,
            "serviceId": expert.service,
            "skillId": expert.skill,
            "startsAt": self.world.at(days=1),
        }

    async def proposed(self, expert: "Client", **changes: Any) -> dict[str, Any]:
        """A meeting this person has proposed to the expert."""
        result = await self.propose(expert, **changes)
        assert result["__typename"] == "MeetingChanged", result
        return result["meeting"]

    async def free_slots(self, expert: "Client", *, until: str, **changes: str) -> list[str] | None:
        """The starts of an expert's free slots, from now on unless another `from` is given."""
        asked = {"expert": expert.id, "service": expert.service, "from": self.world.at(), "until": until, **changes}
        slots = (await self.ask(FREE_SLOTS, **asked))["freeSlots"]
        return None if slots is None else [slot["startsAt"] for slot in slots]

    async def offer(self, user: "Client", origin: str, **changes: Any) -> dict[str, Any]:
        """The result of proposing a meeting, as its expert, from an existing one."""
        given = {
            "meetingId": origin,
            "serviceId": self.service,
            "skillId": self.skill,
            "startsAt": self.world.at(days=2),
            "durationMinutes": 30,
            "price": "25.00",
        }
        return await self.act("proposeMeetingToUser", **{**given, **changes})

    async def offered(self, user: "Client", **changes: Any) -> dict[str, Any]:
        """A meeting this expert has proposed to the user, from an older one that was cancelled."""
        origin = await user.proposed(self)
        assert (await user.act("cancelMeeting", meetingId=origin["id"]))["__typename"] == "MeetingChanged"
        result = await self.offer(user, origin["id"], **changes)
        assert result["__typename"] == "MeetingChanged", result
        return result["meeting"]

    async def chat_with(self, expert: "Client", **changes: Any) -> str:
        """The id of this user's chat with an expert, opened from a new meeting."""
        meeting = await self.proposed(expert, **changes)
        return str((await self.act("openChat", meetingId=meeting["id"]))["chat"]["id"])

    async def write(self, chat_id: str, text: str = "Hello") -> dict[str, Any]:
        """A message this person has written."""
        result = await self.act("sendChatMessage", chatId=chat_id, text=text)
        assert result["__typename"] == "ChatMessageSent", result
        return result["chatMessage"]

    async def unread(self, chat_id: str) -> int:
        """How many messages of the other this person has not read."""
        return int((await self.ask("query($id: ID!) { chat(id: $id) { unread } }", id=chat_id))["chat"]["unread"])

    @asynccontextmanager
    async def socket(self, payload: Any = None) -> AsyncIterator["Socket"]:
        """A connected and acknowledged socket."""
        async with raw_socket(self.world) as socket:
            await socket.send(
                {"type": "connection_init", "payload": payload or {"authorization": f"Bearer {self.token}"}}
            )
            assert await socket.receive() == {"type": "connection_ack"}
            yield socket

    @asynccontextmanager
    async def listening(self, subscription: str, **variables: Any) -> AsyncIterator["Socket"]:
        """A socket on which this subscription is listening."""
        async with self.socket() as socket:
            await socket.subscribe(subscription, **variables)
            yield socket


async def all_edges(read: Callable[[str | None], Awaitable[dict[str, Any]]], *, first: int) -> list[dict[str, Any]]:
    """The edges of all pages of a list, each page as it ought to be; `read` gives the page after a cursor."""
    found: list[dict[str, Any]] = []
    after: str | None = None
    while True:
        page = await read(after)
        edges, info = page["edges"], page["pageInfo"]
        assert info["hasPreviousPage"] == (after is not None)
        ends = (edges[0]["cursor"], edges[-1]["cursor"]) if edges else (None, None)
        assert (info["startCursor"], info["endCursor"]) == ends
        assert not {edge["cursor"] for edge in edges} & {edge["cursor"] for edge in found}, "a page came twice"
        found += edges
        if not info["hasNextPage"]:
            assert len(edges) <= first
            return found
        assert len(edges) == first
        after = info["endCursor"]


@asynccontextmanager
async def raw_socket(world: Service, subprotocol: str = "graphql-transport-ws") -> AsyncIterator["Socket"]:
    """A socket that has not said anything yet."""
    url = world.url.replace("http://", "ws://") + "/graphql"
    async with websockets.connect(url, subprotocols=[subprotocol], compression=None) as connection:  # type: ignore[list-item]
        yield Socket(connection)


@dataclass
class Socket:
    """A client's end of a socket."""

    connection: websockets.ClientConnection
    waiting: list[dict[str, Any]] = field(default_factory=list)

    async def send(self, message: Any) -> None:
        await self.connection.send(message if isinstance(message, str) else json.dumps(message))

    async def receive(self) -> dict[str, Any]:
        """The next message but the server's pings."""
        if self.waiting:
            return self.waiting.pop(0)
        async with asyncio.timeout(WAIT_AT_MOST_SECONDS):
            while True:
                message = json.loads(await self.connection.recv())
                if message["type"] != "ping":
                    return message

    async def subscribe(self, query: str, key: str = "1", **variables: Any) -> None:
        """Subscribe, and wait until the server listens: it answers a ping only then."""
        await self.send({"id": key, "type": "subscribe", "payload": {"query": query, "variables": variables}})
        await self.send({"type": "ping"})
        early: list[dict[str, Any]] = []
        while (message := await self.receive())["type"] != "pong":
            early.append(message)
        self.waiting.extend(early)

    async def next(self, key: str = "1") -> Any:
        """The data of the next push of a subscription."""
        message = await self.receive()
        assert message["type"] == "next", message
        assert message["id"] == key, message
        assert "errors" not in message["payload"], message
        return message["payload"]["data"]

    async def silent(self) -> bool:
        """Whether nothing has been pushed that a round trip would not have overtaken."""
        await self.send({"type": "ping"})
        return (await self.receive())["type"] == "pong"

    async def closed(self) -> int:
        """The code with which the server closes."""
        async with asyncio.timeout(WAIT_AT_MOST_SECONDS):
            try:
                while True:
                    await self.connection.recv()
            except websockets.ConnectionClosed as end:
                assert end.rcvd is not None
                return end.rcvd.code
