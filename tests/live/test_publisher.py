import asyncio
import os
import signal

import pytest
import redis
from redis.asyncio import Redis as Client
from structlog.testing import capture_logs

from live.broadcast import RESYNC, Broadcast, Subscriber
from live.publisher import Publisher
from servers.redis import Redis


@pytest.fixture
def failures(publisher: Publisher, monkeypatch: pytest.MonkeyPatch) -> asyncio.Semaphore:
    """Acquired once for each time something could not be sent."""
    failures = asyncio.Semaphore(0)
    failed = publisher._failed

    def count(batch: list[tuple[str, bytes | str]], error: Exception) -> None:
        failed(batch, error)
        failures.release()

    monkeypatch.setattr(publisher, "_failed", count)
    return failures


async def messages(subscriber: Subscriber, until: str) -> list[str]:
    """What arrives up to this message; resyncs left out."""
    heard: list[str] = []
    async for message in subscriber:
        if message is not RESYNC:
            heard.append(message)
        if message == until:
            break
    return heard


async def test_messages_arrive_in_the_order_they_were_published(broadcast: Broadcast, publisher: Publisher) -> None:
    async with asyncio.timeout(10), broadcast.subscribe("person:1") as subscriber:
        for number in range(0, 500, 2):
            publisher.publish([("person:1", str(number)), ("person:1", str(number + 1).encode())])
            if number % 50 == 0:
                await asyncio.sleep(0)

        assert await messages(subscriber, until="499") == [str(number) for number in range(500)]


async def test_publishing_while_redis_is_down_neither_fails_nor_waits_and_later_messages_arrive(
    broadcast: Broadcast, publisher: Publisher, failures: asyncio.Semaphore, server: Redis
) -> None:
    async with asyncio.timeout(20), broadcast.subscribe("person:1") as subscriber:
        publisher.publish([("person:1", "before")])
        assert await anext(subscriber) == "before"
        server.kill()
        for number in range(3):
            publisher.publish([("person:1", f"lost {number}")])
            await failures.acquire()
        server.start()
        assert await anext(subscriber) is RESYNC
        publisher.publish([("person:1", "later")])

        assert await messages(subscriber, until="later") == ["later"]
        assert publisher.dropped == 3


async def test_publishing_to_a_redis_that_hangs_gives_up_and_later_messages_arrive(
    broadcast: Broadcast, publisher: Publisher, failures: asyncio.Semaphore, server: Redis
) -> None:
    assert server.pid
    async with asyncio.timeout(20), broadcast.subscribe("person:1") as subscriber:
        os.kill(server.pid, signal.SIGSTOP)
        try:
            publisher.publish([("person:1", "perhaps lost")])
            await failures.acquire()
        finally:
            os.kill(server.pid, signal.SIGCONT)
        publisher.publish([("person:1", "later")])

        assert "later" in await messages(subscriber, until="later")


async def test_a_connection_that_died_unnoticed_costs_no_message(
    broadcast: Broadcast, publisher: Publisher, server: Redis
) -> None:
    async with asyncio.timeout(10), broadcast.subscribe("person:1") as subscriber:
        publisher.publish([("person:1", "before")])
        assert await anext(subscriber) == "before"
        # Without giving the publisher's loop a turn to see it.
        with redis.Redis.from_url(server.url, protocol=2) as killer:
            assert killer.client_kill_filter(_type="normal", skipme=True) == 1
        publisher.publish([("person:1", "after")])

        assert await anext(subscriber) == "after"
        assert publisher.dropped == 0


async def test_a_full_backlog_drops_the_oldest(broadcast: Broadcast, server: Redis) -> None:
    publisher = Publisher(server.url, backlog=10)
    async with asyncio.timeout(10), broadcast.subscribe("person:1") as subscriber:
        publisher.publish([("person:1", str(number)) for number in range(8)])
        publisher.publish([("person:1", str(number)) for number in range(8, 15)])
        assert publisher.dropped == 5
        await publisher.start()
        try:
            assert await messages(subscriber, until="14") == [str(number) for number in range(5, 15)]
        finally:
            await publisher.stop()


async def test_each_outage_is_logged_once(
    publisher: Publisher, failures: asyncio.Semaphore, server: Redis, admin: Client
) -> None:
    async with asyncio.timeout(20):
        with capture_logs() as logs:
            for _ in range(2):
                server.kill()
                for _ in range(2):
                    publisher.publish([("person:1", "lost")])
                    await failures.acquire()
                server.start()
                async with admin.pubsub() as listener:
                    await listener.subscribe("person:1")
                    await listener.parse_response()
                    for _ in range(2):
                        publisher.publish([("person:1", "later")])
                        await listener.parse_response()
            server.kill()
            publisher.publish([("person:1", "lost")])
            await failures.acquire()
            await publisher.stop()

    away, back = "cannot publish to redis", "publishing to redis again"
    assert [entry["event"] for entry in logs] == [away, back, away, back, away]
    assert [entry["dropped_since_start"] for entry in logs if entry["event"] == back] == [2, 4]


async def test_stopping_sends_what_was_just_published(broadcast: Broadcast, publisher: Publisher) -> None:
    async with asyncio.timeout(10), broadcast.subscribe("person:1") as subscriber:
        publisher.publish([("person:1", "last words")])
        await publisher.stop()

        assert await anext(subscriber) == "last words"


async def test_stopping_sends_what_was_published_during_the_last_sending(
    broadcast: Broadcast, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    sending, go_on = asyncio.Event(), asyncio.Event()
    send = publisher._send

    async def send_when_told(batch: list[tuple[str, bytes | str]]) -> None:
        sending.set()
        await go_on.wait()
        await send(batch)

    monkeypatch.setattr(publisher, "_send", send_when_told)
    async with asyncio.timeout(10), broadcast.subscribe("person:1") as subscriber:
        publisher.publish([("person:1", "first")])
        await sending.wait()
        publisher.publish([("person:1", "last words")])
        stopping = asyncio.create_task(publisher.stop())
        await asyncio.sleep(0)
        go_on.set()
        await stopping

        assert await messages(subscriber, until="last words") == ["first", "last words"]


async def test_stopping_does_not_wait_for_a_redis_that_hangs(publisher: Publisher, server: Redis) -> None:
    assert server.pid
    tasks_before = asyncio.all_tasks()
    os.kill(server.pid, signal.SIGSTOP)
    try:
        async with asyncio.timeout(10):
            publisher.publish([("person:1", "lost")])
            await publisher.stop()
    finally:
        os.kill(server.pid, signal.SIGCONT)

    assert len(tasks_before - asyncio.all_tasks()) == 1
