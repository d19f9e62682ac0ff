"""What a delivery costs: one meeting watched by very many, and very many who each watch what is theirs."""

import time
from dataclasses import dataclass
from typing import Any

import httpx

from bench.people import Pair, act_together
from bench.surroundings import Clients, Surroundings, Web, token

ONE_MEETING = """subscription($id: ID!) { meetingUpdates(meetingId: $id) {
  cursor event { id sequence kind label actor occurredAt }
  meeting { id version status startsAt userAnswer expertAnswer }
} }"""
MINE = ONE_MEETING.replace("($id: ID!)", "").replace("meetingUpdates(meetingId: $id)", "myMeetingUpdates")


@dataclass
class FanOut:
    """What was seen of so many clients."""

    clients: int
    deliveries: int
    cpu_microseconds: float
    deliveries_per_second: float
    memory_kib_per_client: float
    connects_per_second: float
    connect_cpu_microseconds: float


def one_meeting(around: Surroundings, actors: Web, watched: Web, *, clients: int, events: int) -> tuple[FanOut, str]:
    """(a): one meeting, watched by very many clients of its user; also a text that was pushed."""
    pair = Pair(actors, 100_000 + clients)
    return _measure(watched, clients, [pair.user.token], ONE_MEETING, [pair], events, clients, id=pair.meeting_id)


def everybodys_own(around: Surroundings, actors: Web, watched: Web, *, clients: int, events: int) -> FanOut:
    """(b): very many people, of whom each event concerns two."""
    pairs = [Pair(actors, number) for number in range(20)]
    tokens = [side.token for pair in pairs for side in (pair.user, pair.expert)]
    tokens += [token(f"idle-{number}") for number in range(clients - len(tokens))]
    _measure(watched, clients, tokens, MINE, [], 0, 0)  # so that everybody is known
    return _measure(watched, clients, tokens, MINE, pairs, events // len(pairs), 2)[0]


def _measure(
    web: Web, clients: int, tokens: list[str], query: str, pairs: list[Pair], times: int, each: int, **variables: Any
) -> tuple[FanOut, str]:
    memory, cpu = web.memory_kib(), web.cpu_seconds()
    with Clients(web, clients, tokens, query, keeps_texts=False, **variables) as watching:
        memory, connecting = web.memory_kib() - memory, web.cpu_seconds() - cpu
        cpu, started = web.cpu_seconds(), time.monotonic()
        text = ""
        if times:
            with Clients(web, 1, tokens[:1], query, keeps_texts=True, **variables) as one:
                act_together(pairs[:1], 1)
                text = one.wait_for(1)["arrivals"][0][2]
            idle = _idle(web)
            cpu, started = web.cpu_seconds(), time.monotonic()
            act_together(pairs, times)
            deliveries = times * len(pairs) * each
            watching.wait_for(deliveries + each)
            seconds = time.monotonic() - started
            spent = max(web.cpu_seconds() - cpu - idle * seconds, 0.0)
        else:
            deliveries, seconds, spent = 0, 1.0, 0.0
    return FanOut(
        clients,
        deliveries,
        1e6 * spent / max(deliveries, 1),
        deliveries / seconds,
        memory / clients,
        clients / watching.connected_in_seconds,
        1e6 * connecting / clients,
    ), text


def _idle(web: Web, seconds: float = 5.0) -> float:
    """CPU seconds a second with all these clients but no news."""
    cpu = web.cpu_seconds()
    time.sleep(seconds)
    return (web.cpu_seconds() - cpu) / seconds


def bare(around: Surroundings, *, clients: int, events: int, text: str, each: int) -> FanOut:
    """The same bytes to as many clients, by a handler that does nothing else."""
    web = around.bare()
    memory, cpu = web.memory_kib(), web.cpu_seconds()
    with Clients(web, clients, [""], "", keeps_texts=False) as watching, httpx.Client(timeout=60) as http:
        memory, connecting = web.memory_kib() - memory, web.cpu_seconds() - cpu
        cpu, started = web.cpu_seconds(), time.monotonic()
        for event in range(events):
            to = None if each == clients else [(event * each + n) % clients for n in range(each)]
            http.post(web.url, json={"text": text, "to": to})
        watching.wait_for(events * each)
        seconds = time.monotonic() - started
        spent = web.cpu_seconds() - cpu
    deliveries = events * each
    return FanOut(
        clients,
        deliveries,
        1e6 * spent / deliveries,
        deliveries / seconds,
        memory / clients,
        clients / watching.connected_in_seconds,
        1e6 * connecting / clients,
    )
