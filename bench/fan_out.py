"""What a delivery costs: one meeting watched by very many, and very many who each watch what is theirs."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx2

from bench.news import tell
from bench.people import Pair, act_together
from bench.surroundings import Clients, Surroundings, Web, token

ONE_MEETING = """subscription($id: ID!) { meetingUpdates(meetingId: $id) {
  cursor event { id sequence kind label actor occurredAt }
  meeting { id version status startsAt userAnswer expertAnswer }
} }"""
MINE = ONE_MEETING.replace("($id: ID!)", "").replace("meetingUpdates(meetingId: $id)", "myMeetingUpdates")
IDLE_SECONDS = 5.0
PAIRS = 20
TOLD_AT_ONCE = 500


@dataclass
class FanOut:
    """What was seen of so many clients. CPU is the web process's own, without what it takes while nothing happens."""

    clients: int
    deliveries: int
    cpu_microseconds: float
    deliveries_per_second: float
    memory_kib_per_client: float
    connects_per_second: float
    connect_cpu_microseconds: float


def one_meeting(actors: Web, watched: Web, *, clients: int, events: int) -> tuple[FanOut, str]:
    """One meeting, watched by very many clients of its user; also a text that was pushed."""
    pair = Pair(actors, 100_000 + clients)
    asked = {"id": pair.meeting_id}
    with Clients(actors, 1, [pair.user.token], ONE_MEETING, keeps_texts=True, **asked) as one:
        pair.act()
        text = one.wait_for(1)["arrivals"][0][2]
    return _measure(
        watched,
        clients,
        [pair.user.token],
        ONE_MEETING,
        events * clients,
        lambda: act_together([pair], events),
        **asked,
    ), text


def everybodys_own(around: Surroundings, actors: Web, watched: Web, *, clients: int, events: int) -> FanOut:
    """Very many people, of whom each event concerns two."""
    pairs = [Pair(actors, number) for number in range(PAIRS)]
    tokens = [side.token for pair in pairs for side in (pair.user, pair.expert)]
    tokens += [token(f"idle-{number}") for number in range(clients - len(tokens))]
    meetings = [pair.meeting_id for pair in pairs]
    database, redis = around.environment["DATABASE_URL"], around.environment["REDIS_URL"]
    return _measure(watched, clients, tokens, MINE, 2 * events, lambda: tell(database, redis, meetings, events))


def bare(around: Surroundings, text: str, *, clients: int, events: int, each: int | None = None) -> FanOut:
    """The same bytes to as many clients, by a handler that does nothing else; to `each` of them if not to all."""
    web = around.bare()

    def push() -> None:
        with httpx2.Client(timeout=60) as http:
            if each is None:
                for _ in range(events):
                    http.post(web.url, json={"text": text, "to": None})
            else:
                for start in range(0, events * each, TOLD_AT_ONCE):  # so that hearing of it costs next to nothing
                    to = [number % clients for number in range(start, start + TOLD_AT_ONCE)]
                    http.post(web.url, json={"text": text, "to": to})

    return _measure(web, clients, [""], "", events * (each or clients), push)


def _measure(
    web: Web, clients: int, tokens: list[str], query: str, deliveries: int, push: Callable[[], None], **variables: Any
) -> FanOut:
    memory, cpu = web.memory_kib(), web.cpu_seconds()
    with Clients(web, clients, tokens, query, keeps_texts=False, **variables) as watching:
        memory, connecting = web.memory_kib() - memory, web.cpu_seconds() - cpu
        idle = _idle(web)
        cpu, started = web.cpu_seconds(), time.monotonic()
        push()
        watching.wait_for(deliveries)
        seconds = time.monotonic() - started
        spent = web.cpu_seconds() - cpu - idle * seconds
    return FanOut(
        clients,
        deliveries,
        1e6 * spent / deliveries,
        deliveries / seconds,
        memory / clients,
        clients / watching.connected_in_seconds,
        1e6 * connecting / clients,
    )


def _idle(web: Web) -> float:
    """CPU seconds a second with all these clients but no news."""
    cpu = web.cpu_seconds()
    time.sleep(IDLE_SECONDS)
    return (web.cpu_seconds() - cpu) / IDLE_SECONDS
