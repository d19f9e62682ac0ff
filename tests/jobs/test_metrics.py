"""The worker tells its own figures, at a port of its own."""

import asyncio
import socket

import httpx2
import pytest

from jobs.metrics import told_at
from jobs.worker import jobs_of_the_clock, work
from servers.server import free_port
from tests.conftest import METRICS_TOKEN
from tests.driving import Client, Service
from tests.figures import Figures, figures_at
from tests.negotiations import Negotiation


async def told(port: int) -> Figures:
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=20) as http:
        return await figures_at(http)


async def test_what_it_has_done_and_what_failed_is_told(
    world: Service, uma: Client, emil: Client, monkeypatch: pytest.MonkeyPatch
):
    await world.beat(mail=True)
    await Negotiation(world, uma, emil).agree("USER")
    port = free_port()
    with told_at(port, METRICS_TOKEN):
        before = await told(port)
        await world.beat(mail=True)
        after = await told(port)
    for to in ("mail", "conference"):
        labels = {"to": to, "outcome": "SENT"}
        assert after.of("deliveries_total", **labels) > before.of("deliveries_total", **labels)


async def test_a_job_is_counted_by_its_name_and_so_is_its_failure(world: Service):
    port, stop = free_port(), asyncio.Event()

    async def did_three() -> int:
        stop.set()
        return 3

    async def broken() -> int:
        raise LookupError("a bug")

    with told_at(port, METRICS_TOKEN):
        await asyncio.wait_for(work(stop, [broken, did_three]), 20)
        figures = await told(port)
    assert figures.of("job_steps_total", job="did_three") == 3
    assert figures.of("job_failures_total", job="did_three") == 0
    assert figures.of("job_steps_total", job="broken") == figures.of("job_failures_total", job="broken") == 1


async def test_a_meeting_that_fails_is_counted(
    world: Service, uma: Client, emil: Client, monkeypatch: pytest.MonkeyPatch
):
    await world.beat()
    await uma.proposed(emil)
    world.clock.advance(days=1)
    port, stop = free_port(), asyncio.Event()
    lapsing = jobs_of_the_clock()[0]

    async def fails(_: object) -> bool:
        stop.set()
        raise LookupError("a bug")

    monkeypatch.setattr(lapsing, "_do", fails)
    with told_at(port, METRICS_TOKEN):
        before = (await told(port)).of("job_failures_total", job="lapse_meetings")
        await asyncio.wait_for(work(stop, [lapsing]), 20)
        assert (await told(port)).of("job_failures_total", job="lapse_meetings") > before


@pytest.mark.parametrize("authorization", ["", "Bearer", f"Bearer {METRICS_TOKEN}x", METRICS_TOKEN])
async def test_nobody_else_reads_them(authorization: str):
    port = free_port()
    with told_at(port, METRICS_TOKEN):
        async with httpx2.AsyncClient(timeout=20) as http:
            answer = await http.get(f"http://127.0.0.1:{port}/metrics", headers={"Authorization": authorization})
    assert answer.status_code == 401
    assert "job" not in answer.text


async def test_a_port_that_is_taken_stops_no_worker():
    with socket.create_server(("", 0)) as taken, told_at(taken.getsockname()[1], METRICS_TOKEN):
        pass


async def test_without_a_port_there_is_none():
    with told_at(None, METRICS_TOKEN):
        pass
