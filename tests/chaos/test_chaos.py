"""Whatever is taken away, each client's streams are in the end what the database says: no gap, no double, in order."""

import asyncio
import sys
import time
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from typing import Any

import pytest

from settings import Settings
from tests.chaos import SEED, SIZE
from tests.chaos.clients import Watcher
from tests.chaos.crowd import Crowd, gather_crowd
from tests.chaos.killers import (
    advance_clock,
    cut_connections,
    drop_clients,
    kill_redis,
    kill_webs,
    kill_worker,
    mute_redis,
)
from tests.chaos.surroundings import Surroundings
from tests.chaos.truth import Truth, fault

CATCH_UP_SECONDS = 30


@pytest.fixture
async def crowd(around: Surroundings, own_settings: Settings) -> Crowd:
    sys.stdout.write(f"CHAOS_SEED={SEED}\n")
    return await gather_crowd(around, own_settings)


async def live_through(crowd: Crowd, around: Surroundings, *troubles: Coroutine[Any, Any, None]) -> None:
    """People act while these troubles come over them; in the end everybody has seen what there was to see."""
    began = time.monotonic()
    truth = await Truth.from_now_on(around.database)
    async with asyncio.timeout(SIZE.seconds), asyncio.TaskGroup() as group:
        watching = [group.create_task(watcher.run()) for watcher in crowd.watchers]
        await listening(crowd.watchers)
        await crowd.push_to_every_stream()  # from the first update on a client has a cursor
        await asyncio.gather(*(stream.reached(1) for watcher in crowd.watchers for stream in watcher.streams))
        playing = [group.create_task(actor.play()) for actor in crowd.actors]
        await asyncio.gather(*troubles)
        crowd.progress.troubled = False
        await asyncio.gather(*playing)
        crowd.progress.finish()
        await all_is_seen(crowd.watchers, truth)
        for watcher in crowd.watchers:
            watcher.drop()
        await listening(crowd.watchers)
        await crowd.push_to_every_stream()  # what came twice, or too late, would come before this
        await all_is_seen(crowd.watchers, truth)
        for task in watching:
            task.cancel()
    await truth.has_each_once(crowd.answers)
    await truth.is_in_order()
    assert around.faults() == []
    tell(crowd, time.monotonic() - began)


async def listening(watchers: Sequence[Watcher]) -> None:
    await asyncio.gather(*(watcher.listening() for watcher in watchers))


async def all_is_seen(watchers: Sequence[Watcher], truth: Truth) -> None:
    """Each stream has brought what it must, after a while at most, and nothing else."""
    streams = [(watcher.person, stream) for watcher in watchers for stream in watcher.streams]
    heads = None
    while heads != (heads := await truth.heads()):  # for as long as the worker still has something to do
        expected = [await truth.of(person, stream) for person, stream in streams]
        with suppress(TimeoutError):
            async with asyncio.timeout(CATCH_UP_SECONDS):
                await asyncio.gather(*(s.reached(len(facts)) for (_, s), facts in zip(streams, expected, strict=True)))
    wrong = [fault(*each, facts) for each, facts in zip(streams, expected, strict=True)]
    assert not any(wrong), "\n".join(filter(None, wrong))


def tell(crowd: Crowd, seconds: float) -> None:
    counts = {"mutations answered": crowd.progress.answered, **dict(crowd.progress.counts.most_common())}
    sys.stdout.write(f"{seconds:.1f} s, " + ", ".join(f"{number} {what}" for what, number in counts.items()) + "\n")


async def test_w2_i1_clients_redis_web_processes_and_workers_may_go_at_any_time_and_nobody_misses_anything(
    crowd: Crowd, around: Surroundings
):
    progress, choices = crowd.progress, crowd.choices
    await live_through(
        crowd,
        around,
        drop_clients(crowd.watchers, progress, SIZE.disconnects, choices),
        kill_redis(around, progress, SIZE.kills, choices),
        mute_redis(around, progress, SIZE.mutes, choices),
        kill_webs(around, progress, SIZE.kills, choices),
        kill_worker(around, progress, SIZE.kills, choices),
        advance_clock(around, crowd.clock, progress, SIZE.kills, choices),
    )


async def test_w2_when_connections_to_postgresql_are_cut_sockets_stay_and_go_on_where_they_were(
    crowd: Crowd, around: Surroundings
):
    await live_through(crowd, around, cut_connections(around, crowd.progress, SIZE.cuts, crowd.choices))
    assert crowd.progress.counts["sockets lost"] == 0
