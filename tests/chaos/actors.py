"""People who negotiate and chat over HTTP, and repeat whatever was not answered until it is."""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx2

from tests.chaos.progress import Progress
from tests.chaos.surroundings import Surroundings
from tests.driving import Client

RESULT = """{ __typename
  ... on MeetingChanged { meeting { ...State } events { id sequence kind } }
  ... on ActionRefused { refusal currentMeeting { ...State } }
  ... on InvalidInput { field code }
} }
fragment State on Meeting { id version status proposedBy alternativeDate { chosenBy } }
"""
WRITTEN = "{ __typename ... on ChatMessageSent { chatMessage { id } } } }"
PROBLEMS = {"ActionRefused", "ConflictsFound", "InvalidInput", "LateCancellation"}
"What may stand in the way, as several act on what they last saw, time goes on, and a date may be chosen that it has."

IMPATIENT, REPEATED, CHATTING = 0.1, 0.1, 0.3
"How often a request is given up at once and repeated, or repeated although it was answered, or is about a message."

Move = tuple[Client, str, dict[str, Any]]


@dataclass
class Negotiation:
    """A meeting of two, as whoever acted last was shown it; after it came to its end, another one."""

    user: Client
    expert: Client
    chat: str
    lasting: bool
    "Whether it goes on for as long as anybody likes: it is watched."
    meeting: dict[str, Any] | None = None

    def moves(self, start: str) -> list[Move]:
        """What anybody can do now; a date would be this one."""
        meeting = self.meeting
        if meeting is None or meeting["status"] == "CANCELLED":
            return self._proposals(start)
        sides = {"USER": self.user, "EXPERT": self.expert}
        given = {"meetingId": meeting["id"]}
        reason = {**given, "reasonCode": "OTHER"}
        cancel = {**reason, "acknowledgeLateCancellation": True}
        if (alternative := meeting["alternativeDate"]) is not None:
            chooser = sides.pop(alternative["chosenBy"])
            (other,) = sides.values()
            found = [
                (chooser, "cancelAlternativeDate", given),
                (other, "rejectAlternativeDate", reason),
                (other, "approveAlternativeDate", {**given, "acknowledgeConflicts": True}),
                (other, "approveAlternativeDate", given),
            ]
        elif meeting["status"] == "AWAITING_APPROVAL":
            proposer = sides.pop(meeting["proposedBy"])
            (other,) = sides.values()
            found = [
                (proposer, "cancelMeeting", cancel),
                (other, "rejectMeeting", reason),
                (other, "approveMeeting", {**given, "acknowledgeConflicts": True}),
                (other, "approveMeeting", given),
            ]
        else:
            found = [(each, "chooseAlternativeDate", {**given, "startsAt": start}) for each in sides.values()]
            if meeting["status"] == "AGREED":
                found += [(each, "cancelMeeting", cancel) for each in sides.values()]
        return [move for move in found if not (self.lasting and move[1] in ("cancelMeeting", "rejectMeeting"))]

    def _proposals(self, start: str) -> list[Move]:
        given = {"serviceId": self.expert.service, "skillId": self.expert.skill, "startsAt": start}
        terms = {"durationMinutes": 45, "price": "25.00"}
        return [
            (self.user, "proposeMeeting", {**given, "expertId": self.expert.id}),
            (self.expert, "proposeMeetingToUser", {**given, **terms, "chatId": self.chat}),
        ]

    def saw(self, result: dict[str, Any]) -> None:
        """Take over what an answer shows, if it is newer."""
        shown, known = result.get("meeting") or result.get("currentMeeting"), self.meeting
        if result.get("refusal") == "MEETING_STARTED":
            self.meeting = None  # it is left alone, and another one is proposed
        elif shown and (known is None or shown["id"] != known["id"] or shown["version"] > known["version"]):
            self.meeting = shown


@dataclass
class Answers:
    """What people were told that they had done."""

    events: list[tuple[str, str, int, str]] = field(default_factory=list)
    "Meeting, event, its number and its kind."
    meetings: list[str] = field(default_factory=list)
    messages: list[tuple[str, str]] = field(default_factory=list)
    "Message and text."


class Actor:
    """Acts for whoever it is whose turn it is."""

    def __init__(
        self,
        name: str,
        negotiations: Sequence[Negotiation],
        around: Surroundings,
        progress: Progress,
        answers: Answers,
        choices: random.Random,
    ) -> None:
        self._name = name
        self._negotiations = negotiations
        self._around = around
        self._progress = progress
        self._answers = answers
        self._choices = choices
        self._turns = 0

    async def play(self) -> None:
        """Somebody does something, for as long as there is more to come."""
        while not self._progress.enough:
            negotiation = self._choices.choice(self._negotiations)
            if self._choices.random() < CHATTING:
                await self.write(negotiation)
            else:
                await self.move(negotiation, self._choices.choice(negotiation.moves(self._start(negotiation))))
            self._progress.one_more()

    async def push_to_every_stream(self, negotiation: Negotiation) -> None:
        """Both are told something, of a meeting that lasts and by a notification, and are written to."""
        assert negotiation.meeting is not None
        if negotiation.meeting["alternativeDate"] is not None:
            await self._do(negotiation, "cancelAlternativeDate")
        await self._do(negotiation, "chooseAlternativeDate")
        await self._do(negotiation, "approveAlternativeDate")
        await self.write(negotiation)

    async def _do(self, negotiation: Negotiation, action: str) -> None:
        moves = negotiation.moves(self._start(negotiation))
        before = self._progress.counts["refused"]
        await self.move(negotiation, next(move for move in moves if move[1] == action))
        assert self._progress.counts["refused"] == before, "nobody else does anything now"

    async def write(self, negotiation: Negotiation) -> None:
        """One of the two writes to the other."""
        author = self._choices.choice([negotiation.user, negotiation.expert])
        text = f"{self._name} {self._turns + 1}"
        sent = await self._done(author, "sendChatMessage", WRITTEN, {"chatId": negotiation.chat, "text": text})
        assert sent["__typename"] == "ChatMessageSent", sent
        self._answers.messages.append((sent["chatMessage"]["id"], text))

    async def move(self, negotiation: Negotiation, move: Move) -> None:
        """One of the two does this."""
        person, action, given = move
        result = await self._done(person, action, RESULT, given)
        negotiation.saw(result)
        if result["__typename"] == "MeetingChanged":
            meeting = result["meeting"]["id"]
            self._answers.events += [(meeting, each["id"], each["sequence"], each["kind"]) for each in result["events"]]
            if action.startswith("propose"):
                self._answers.meetings.append(meeting)
        else:
            self._progress.counts["refused"] += 1
            assert result["__typename"] in PROBLEMS, (action, given, result)
            assert result.get("code") in (None, "UNCHANGED"), (action, given, result)

    def _start(self, negotiation: Negotiation) -> str:
        """A date far enough ahead for whoever is slow; near enough to be reminded of, and to lapse."""
        ahead = {"days": self._choices.randrange(100, 700)} if negotiation.lasting else {}
        return negotiation.user.world.at(**ahead, hours=4, minutes=self._choices.randrange(5_000))

    async def _done(self, person: Client, action: str, selected: str, given: dict[str, Any]) -> dict[str, Any]:
        """A mutation's answer; asked once more, it is the same (I1)."""
        self._turns += 1
        given = {**given, "idempotencyKey": f"{self._name} {self._turns}"}
        input_type = f"{action[0].upper()}{action[1:]}Input"
        document = f"mutation($input: {input_type}!) {{ result: {action}(input: $input) {selected}"
        body = {"query": document, "variables": {"input": given}}
        result = await self._answer(person, body)
        if result["__typename"] not in PROBLEMS and self._choices.random() < REPEATED:
            again = await self._answer(person, body)
            for name in ("events", "chatMessage"):
                assert again.get(name) == result.get(name), (result, again)
            self._progress.counts["repeated although answered"] += 1
        return result

    async def _answer(self, person: Client, body: dict[str, Any]) -> dict[str, Any]:
        """Sent to whichever process is there, again and again, until it is answered."""
        patience = self._choices.uniform(0, 0.05) if self._choices.random() < IMPATIENT else None
        while True:
            web = await self._around.some_web(self._choices)
            headers = {"Authorization": f"Bearer {person.token}"}
            try:
                async with asyncio.timeout(patience):
                    response = await web.http.post("/graphql", json=body, headers=headers)
            except (httpx2.TransportError, TimeoutError):
                self._progress.counts["repeated as there was no answer"] += 1
            else:
                answer = response.json()
                if "errors" not in answer:
                    return answer["data"]["result"]
                assert {error["extensions"]["code"] for error in answer["errors"]} == {"SERVICE_UNAVAILABLE"}, answer
                self._progress.counts["repeated as the database was away"] += 1
            patience = None
