"""The people of a test: who they are, what they negotiate, and the clients they watch it at."""

import asyncio
import random
from dataclasses import dataclass
from datetime import datetime
from itertools import cycle, islice

from app import create_app
from settings import Settings
from tests.chaos import SEED, SIZE
from tests.chaos.actors import Actor, Answers, Negotiation
from tests.chaos.clients import Stream, Watcher
from tests.chaos.elsewhere import Elsewhere
from tests.chaos.progress import Progress
from tests.chaos.surroundings import Surroundings
from tests.driving import Client, StoppedClock

SUBSCRIPTIONS = {
    "myMeetingUpdates": """subscription($after: String) {
        myMeetingUpdates(after: $after) { cursor event { id sequence kind } meeting { id version } }
    }""",
    "meetingUpdates": """subscription($id: ID!, $after: String) {
        meetingUpdates(meetingId: $id, after: $after) { cursor event { id sequence kind } meeting { id version } }
    }""",
    "notificationReceived": """subscription($after: String) {
        notificationReceived(after: $after) { cursor notification { id kind } }
    }""",
    "chatMessageSent": """subscription($id: ID!, $after: String) {
        chatMessageSent(chatId: $id, after: $after) { cursor chatMessage { id text } }
    }""",
}
EXPERTS_EACH = 2
"With how many experts a user has to do."
STAFF_EVERY = 6
"Of so many clients one is of staff, who watch a meeting of others."


@dataclass
class Crowd:
    """Everybody, and what they have done."""

    clock: StoppedClock
    negotiations: list[Negotiation]
    watchers: list[Watcher]
    actors: list[Actor]
    answers: Answers
    progress: Progress
    choices: random.Random

    async def push_to_every_stream(self) -> None:
        """Something happens that is news on all streams of all clients."""
        lasting = [negotiation for negotiation in self.negotiations if negotiation.lasting]
        await asyncio.gather(*(self.actors[0].push_to_every_stream(negotiation) for negotiation in lasting))


async def gather_crowd(around: Surroundings, settings: Settings) -> Crowd:
    """People who know each other, and nobody who watches yet."""
    clock = StoppedClock()
    http = around.webs[0].http
    clock.time = datetime.fromisoformat((await http.get("/sandbox/clock")).json()["now"])
    service = Elsewhere(create_app(settings), str(http.base_url), http, clock)
    service.staff = await service.somebody("Stella Staff", roles=["staff"])
    users = [await service.somebody(f"User {n}", credits="100000.00") for n in range(SIZE.people // 2)]
    experts = [await service.expert(f"Expert {n}") for n in range(SIZE.people // 2)]
    pairs = [
        (user, expert)
        for place, user in enumerate(users)
        for expert in islice(cycle(experts), place, place + EXPERTS_EACH)
    ]
    negotiations = [each for user, expert in pairs for each in await _negotiations(user, expert)]
    choices = random.Random(SEED)
    progress, answers = Progress(SIZE.mutations), Answers()

    def own() -> random.Random:
        return random.Random(choices.random())

    def watcher(number: int) -> Watcher:
        people = [*users, *experts]
        person = people[number % len(people)]
        watched = choices.choice([each for each in negotiations if each.lasting and person in (each.user, each.expert)])
        if number % STAFF_EVERY == STAFF_EVERY - 1:
            assert service.staff is not None
            return Watcher(service.staff, _streams(watched)[:1], around, progress, own())
        return Watcher(person, _streams(watched), around, progress, own())

    return Crowd(
        clock,
        negotiations,
        [watcher(number) for number in range(SIZE.clients)],
        [Actor(f"actor {n}", negotiations, around, progress, answers, own()) for n in range(SIZE.actors)],
        answers,
        progress,
        choices,
    )


def _streams(watched: Negotiation) -> list[Stream]:
    assert watched.meeting is not None
    given = {"meetingUpdates": {"id": watched.meeting["id"]}, "chatMessageSent": {"id": watched.chat}}
    names = ["meetingUpdates", "myMeetingUpdates", "notificationReceived", "chatMessageSent"]
    return [Stream(name, SUBSCRIPTIONS[name], given.get(name, {})) for name in names]


async def _negotiations(user: Client, expert: Client) -> list[Negotiation]:
    """One that lasts, and one after another of those that don't."""
    meeting = await user.proposed(expert, startsAt=user.world.at(days=90))
    agreed = await expert.act("approveMeeting", meetingId=meeting["id"], acknowledgeConflicts=True)
    assert agreed["__typename"] == "MeetingChanged", agreed
    chat = (await user.act("openChat", meetingId=meeting["id"]))["chat"]["id"]
    return [
        Negotiation(user, expert, chat, lasting=True, meeting=agreed["meeting"]),
        Negotiation(user, expert, chat, lasting=False),
    ]
