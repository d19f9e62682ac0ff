"""How long a push takes, from the commit to the client; beside a bare handler that is told by a request."""

import asyncio
import base64
import itertools
import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from statistics import quantiles

import asyncpg
import httpx2

from bench.fan_out import MINE
from bench.people import Pair
from bench.surroundings import Clients, Surroundings, Web

WARM_UP = 20
PAUSE_SECONDS = 0.01
AT_ONCE = 4


@dataclass
class Latency:
    """Milliseconds."""

    p50: float
    p99: float

    @classmethod
    def of(cls, seconds: list[float]) -> "Latency":
        cuts = quantiles(seconds, n=100)
        return cls(1e3 * cuts[49], 1e3 * cuts[98])


def of_the_service(around: Surroundings, web: Web, *, events: int, load: bool) -> Latency:
    """A client of a web process, which also carries out what is pushed; at rest, or at half of what it can do."""
    pair = Pair(web, 200_000 + load)
    with (
        Clients(web, 1, [pair.user.token], MINE, keeps_texts=True) as watching,
        half_loaded([Pair(web, 300_000 + number).act for number in range(AT_ONCE)]) if load else nullcontext(),
    ):
        for _ in range(WARM_UP + events):
            pair.act()
            time.sleep(PAUSE_SECONDS)
        arrivals = watching.wait_for(WARM_UP + events)["arrivals"][WARM_UP:]
    committed = asyncio.run(_commits(around.postgres_url))
    return Latency.of([at / 1e9 - committed[_event_id(text)] for at, _, text in arrivals])


def of_the_bare_handler(around: Surroundings, text: str, *, events: int, load: bool) -> Latency:
    """From the request that tells it to the client; at rest, or while others have it send half of what it can."""
    web, sent = around.bare(), []
    with Clients(web, 1, [""], "", keeps_texts=True) as watching, httpx2.Client() as http, httpx2.Client() as others:

        def send_to_nobody() -> None:
            others.post(web.url, json={"text": text, "to": []})

        with half_loaded([send_to_nobody] * AT_ONCE) if load else nullcontext():
            for _ in range(WARM_UP + events):
                sent.append(time.time())
                http.post(web.url, json={"text": text, "to": [0]})
                time.sleep(PAUSE_SECONDS)
            arrivals = watching.wait_for(WARM_UP + events)["arrivals"]
    seconds = [at / 1e9 - told for told, (at, _, _) in zip(sent, arrivals, strict=True)]
    return Latency.of(seconds[WARM_UP:])


def of_a_commit(around: Surroundings, *, times: int) -> Latency:
    """One row, written and committed."""

    async def measure() -> list[float]:
        connection = await asyncpg.connect(around.postgres_url)
        await connection.execute("CREATE TABLE commits (number int)")
        seconds = []
        for number in range(times):
            began = time.perf_counter()
            await connection.execute("INSERT INTO commits VALUES ($1)", number)
            seconds.append(time.perf_counter() - began)
        await connection.close()
        return seconds

    return Latency.of(asyncio.run(measure()))


@contextmanager
def half_loaded(actions: Sequence[Callable[[], None]], *, tried_for_seconds: float = 4.0) -> Iterator[None]:
    """Others do these at once, again and again, half as often as they could."""
    over = threading.Event()
    done = itertools.count()
    pause = 0.0

    def act(action: Callable[[], None]) -> None:
        while not over.is_set():
            action()
            next(done)
            over.wait(pause)

    began = time.monotonic()
    threads = [threading.Thread(target=act, args=[action]) for action in actions]
    for thread in threads:
        thread.start()
    time.sleep(tried_for_seconds)
    # Each then waits as long after an action as one has taken on average.
    pause = len(actions) * (time.monotonic() - began) / next(done)
    time.sleep(1)
    yield
    over.set()
    for thread in threads:
        thread.join()


async def _commits(url: str) -> dict[str, float]:
    connection = await asyncpg.connect(url)
    rows = await connection.fetch(
        "SELECT id, extract(epoch FROM pg_xact_commit_timestamp(xmin))::float8 AS at FROM timeline_event"
    )
    await connection.close()
    return {row["id"].hex: row["at"] for row in rows}


def _event_id(text: str) -> str:
    opaque = json.loads(text)["payload"]["data"]["myMeetingUpdates"]["event"]["id"]
    return base64.urlsafe_b64decode(opaque).decode().partition(":")[2]
