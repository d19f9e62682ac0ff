import asyncio
import os
import random
import signal
from collections.abc import Awaitable, Callable

import pytest
from redis.asyncio import Redis as Client
from structlog.testing import capture_logs

from live.backend import RedisBackend
from live.broadcast import RESYNC, Broadcast, Subscriber
from live.publisher import Publisher
from servers.redis import Redis

Breakage = Callable[[Broadcast, Redis, Client], Awaitable[None]]


async def kill_connection_of_the_listener(admin: Client) -> None:
    assert await admin.client_kill_filter(_type="pubsub") == 1


async def kill_the_connection(broadcast: Broadcast, server: Redis, admin: Client) -> None:
    await kill_connection_of_the_listener(admin)
    await broadcast.lost.wait()


async def kill_the_server(broadcast: Broadcast, server: Redis, admin: Client) -> None:
    server.kill()
    await broadcast.lost.wait()
    server.start()


async def freeze_the_server(broadcast: Broadcast, server: Redis, admin: Client) -> None:
    assert server.pid
    os.kill(server.pid, signal.SIGSTOP)
    try:
        await broadcast.lost.wait()
    finally:
        os.kill(server.pid, signal.SIGCONT)


each_breakage = pytest.mark.parametrize("break_it", [kill_the_connection, kill_the_server, freeze_the_server])


async def next_message(subscriber: Subscriber) -> str:
    """The next message, whatever resyncs come before it."""
    async for message in subscriber:
        if message is not RESYNC:
            return message
    raise AssertionError("it ended")


@each_breakage
async def test_a_lost_connection_is_replaced_and_every_subscriber_told_to_resync(
    broadcast: Broadcast, server: Redis, admin: Client, break_it: Breakage
) -> None:
    async with (
        asyncio.timeout(20),
        broadcast.subscribe("person:1") as first,
        broadcast.subscribe("person:2") as second,
    ):
        await break_it(broadcast, server, admin)

        assert await anext(first) is RESYNC
        assert await anext(second) is RESYNC
        await admin.publish("person:1", "later")
        await admin.publish("person:2", "later too")
        assert await next_message(first) == "later"
        assert await next_message(second) == "later too"


async def test_it_comes_back_from_every_one_of_many_losses(broadcast: Broadcast, admin: Client) -> None:
    async with asyncio.timeout(20), broadcast.subscribe("person:1") as subscriber:
        for number in range(5):
            await kill_connection_of_the_listener(admin)
            assert await anext(subscriber) is RESYNC
            await admin.publish("person:1", str(number))
            assert await anext(subscriber) == str(number)


async def test_joins_and_leaves_during_losses_miss_nothing_without_a_resync(
    broadcast: Broadcast, admin: Client
) -> None:
    chance = random.Random(7)

    async def visit(number: int) -> None:
        channel = f"person:{chance.randrange(8)}"
        async with broadcast.subscribe(channel) as subscriber:
            await admin.publish(channel, str(number))
            async for message in subscriber:
                if message == str(number):
                    return
                if message is RESYNC:  # it may have been lost: once more
                    await admin.publish(channel, str(number))

    async def lose_the_connection_again_and_again() -> None:
        for _ in range(15):
            async with broadcast.subscribe("person:0") as subscriber:
                await kill_connection_of_the_listener(admin)
                async for message in subscriber:
                    if message is RESYNC:
                        break

    async with asyncio.timeout(30):
        losing = asyncio.create_task(lose_the_connection_again_and_again())
        while not losing.done():
            await asyncio.gather(*(visit(number) for number in range(24)))
        await losing


@pytest.mark.parametrize("turns", range(6))
async def test_a_loss_at_any_moment_of_a_join_is_noticed(broadcast: Broadcast, server: Redis, turns: int) -> None:
    async with asyncio.timeout(10):
        joining = asyncio.create_task(broadcast._redis.subscribe("person:1"))
        for _ in range(turns):
            await asyncio.sleep(0)
        server.kill()

        await broadcast.lost.wait()
        await joining


async def test_joining_while_redis_is_down_succeeds_and_resyncs_when_it_is_back(
    broadcast: Broadcast, server: Redis, admin: Client
) -> None:
    async with asyncio.timeout(20):
        server.kill()
        await broadcast.lost.wait()
        async with broadcast.subscribe("person:1") as subscriber:
            assert not broadcast.connected
            server.start()

            assert await anext(subscriber) is RESYNC
            await admin.publish("person:1", "later")
            assert await next_message(subscriber) == "later"


async def test_joining_while_the_connection_breaks_succeeds_and_resyncs(broadcast: Broadcast, server: Redis) -> None:
    assert server.pid
    async with asyncio.timeout(20):
        os.kill(server.pid, signal.SIGSTOP)
        try:
            # Asked of a Redis that will not answer; the ping that stays unanswered ends the wait.
            async with broadcast.subscribe("person:1") as subscriber:
                os.kill(server.pid, signal.SIGCONT)

                assert await anext(subscriber) is RESYNC
        finally:
            os.kill(server.pid, signal.SIGCONT)


async def test_leaving_while_redis_is_down_is_not_undone_when_it_is_back(
    broadcast: Broadcast, server: Redis, admin: Client
) -> None:
    async with asyncio.timeout(20), broadcast.subscribe("person:1") as staying:
        async with broadcast.subscribe("person:2"):
            server.kill()
            await broadcast.lost.wait()
        server.start()

        assert await anext(staying) is RESYNC
        assert await admin.pubsub_channels() == [b"person:1"]


async def test_a_service_that_starts_before_redis_finds_it_later(
    server: Redis, publisher: Publisher, admin: Client
) -> None:
    server.stop()
    async with (
        asyncio.timeout(20),
        Broadcast(server.url, publisher) as broadcast,
        broadcast.subscribe("person:1") as subscriber,
    ):
        assert not broadcast.connected
        server.start()

        assert await anext(subscriber) is RESYNC
        assert broadcast.connected
        await admin.publish("person:1", "later")
        assert await next_message(subscriber) == "later"


async def test_an_open_port_that_never_answers_is_not_a_redis(publisher: Publisher) -> None:
    knocked = asyncio.Event()

    async def stay_silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        knocked.set()
        await reader.read(-1)
        writer.close()

    silent = await asyncio.start_server(stay_silent, "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    async with asyncio.timeout(10), silent, Broadcast(f"redis://127.0.0.1:{port}/0", publisher) as broadcast:
        assert knocked.is_set()
        assert not broadcast.connected


async def test_an_outage_is_logged_once(broadcast: Broadcast, server: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    attempts = asyncio.Semaphore(0)
    listen = broadcast._redis._listen_until_lost

    async def count_and_listen() -> None:
        attempts.release()
        await listen()

    with capture_logs() as logs:
        async with asyncio.timeout(20), broadcast.subscribe("person:1") as subscriber:
            monkeypatch.setattr(broadcast._redis, "_listen_until_lost", count_and_listen)
            server.kill()
            for _ in range(4):
                await attempts.acquire()
            server.start()
            assert await anext(subscriber) is RESYNC

    assert [entry["event"] for entry in logs] == ["redis is away", "listening to redis"]


async def test_a_channel_is_asked_for_only_while_no_question_about_it_is_open(publisher: Publisher) -> None:
    asked: asyncio.Queue[list[bytes]] = asyncio.Queue()
    answer = asyncio.Semaphore(0)

    async def answer_when_told(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while header := await reader.readline():
            command = []
            for _ in range(int(header[1:])):
                await reader.readline()
                command.append((await reader.readline()).rstrip())
            if command[0] == b"CLIENT":
                writer.write(b"+OK\r\n")
            elif command[0] != b"PING":
                asked.put_nowait(command)
                await answer.acquire()
                what, channel = command
                writer.write(b"*3\r\n$%d\r\n%s\r\n$8\r\n%s\r\n:1\r\n" % (len(what), what.lower(), channel))
        writer.close()

    peer = await asyncio.start_server(answer_when_told, "127.0.0.1", 0)
    backend = RedisBackend(f"redis://127.0.0.1:{peer.sockets[0].getsockname()[1]}/0", publisher)
    async with asyncio.timeout(10), peer:
        await backend.connect()
        joining = [asyncio.create_task(backend.subscribe("person:1"))]
        assert await asked.get() == [b"SUBSCRIBE", b"person:1"]
        await backend.unsubscribe("person:1")
        await joining[0]
        joining.append(asyncio.create_task(backend.subscribe("person:1")))
        await asyncio.sleep(0)
        assert not joining[1].done()
        answer.release()
        await joining[1]
        await backend.unsubscribe("person:1")

        # Not a second SUBSCRIBE: its late answer would pass for that to a later question.
        assert await asked.get() == [b"UNSUBSCRIBE", b"person:1"]
        joining.append(asyncio.create_task(backend.subscribe("person:1")))
        await asyncio.sleep(0)
        assert not joining[2].done()
        answer.release()
        assert await asked.get() == [b"SUBSCRIBE", b"person:1"]
        assert not joining[2].done()
        answer.release()
        await joining[2]
        await backend.disconnect()


async def test_a_wish_taken_back_while_somebody_waits_for_it_lets_him_go(server: Redis, publisher: Publisher) -> None:
    backend = RedisBackend(server.url, publisher)
    async with asyncio.timeout(10):
        await backend.connect()
        try:
            waiting = asyncio.create_task(backend.subscribe("person:1"))
            await asyncio.sleep(0)
            await backend.unsubscribe("person:1")

            await waiting
        finally:
            await backend.disconnect()


async def test_a_message_nobody_can_read_is_a_resync_of_its_channel_alone(broadcast: Broadcast, admin: Client) -> None:
    async with (
        asyncio.timeout(10),
        broadcast.subscribe("person:1") as first,
        broadcast.subscribe("person:2") as second,
    ):
        await admin.publish("person:1", b"\xff")
        await admin.publish("person:2", "news")

        assert await anext(first) is RESYNC
        assert await anext(second) == "news"


async def test_a_mistake_of_ours_does_not_end_the_listening(
    broadcast: Broadcast, admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail_once(channel: str, payload: bytes) -> None:
        monkeypatch.undo()
        raise ZeroDivisionError

    async with asyncio.timeout(10), broadcast.subscribe("person:1") as subscriber:
        monkeypatch.setattr("live.backend._event", fail_once)
        await admin.publish("person:1", "lost")

        assert await anext(subscriber) is RESYNC
        await admin.publish("person:1", "later")
        assert await anext(subscriber) == "later"
