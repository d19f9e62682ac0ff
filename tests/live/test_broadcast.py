import asyncio
import random

import pytest
from broadcaster import Event
from redis.asyncio import Redis as Client

from live.broadcast import RESYNC, Broadcast
from live.publisher import Publisher
from servers.redis import Redis


async def test_a_single_channel_delivers(broadcast: Broadcast, admin: Client) -> None:
    async with asyncio.timeout(10), broadcast.subscribe("person:1") as subscriber:
        await admin.publish("person:1", "news")

        assert await anext(subscriber) == "news"


async def test_what_a_process_publishes_reaches_its_own_subscribers(broadcast: Broadcast) -> None:
    async with asyncio.timeout(10), broadcast.subscribe("person:1") as subscriber:
        await broadcast.publish("person:1", "news")

        assert await anext(subscriber) == "news"


async def test_messages_keep_their_order_and_their_channel(broadcast: Broadcast, admin: Client) -> None:
    async with (
        asyncio.timeout(10),
        broadcast.subscribe("person:1") as first,
        broadcast.subscribe("person:2") as second,
    ):
        for number in range(50):
            await admin.publish(f"person:{1 + number % 2}", str(number))

        assert [await anext(first) for _ in range(25)] == [str(number) for number in range(0, 50, 2)]
        assert [await anext(second) for _ in range(25)] == [str(number) for number in range(1, 50, 2)]


async def test_two_tasks_subscribing_at_once_both_get_everything_over_one_redis_subscription(
    broadcast: Broadcast, admin: Client
) -> None:
    both_joined = asyncio.Barrier(3)

    async def follow() -> object:
        async with broadcast.subscribe("person:1") as subscriber:
            await both_joined.wait()
            return await anext(subscriber)

    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        followers = [group.create_task(follow()) for _ in range(2)]
        await both_joined.wait()
        assert await admin.publish("person:1", "news") == 1

    assert [follower.result() for follower in followers] == ["news", "news"]


async def test_one_leaving_while_another_joins_leaves_the_joiner_listening(broadcast: Broadcast, admin: Client) -> None:
    async with asyncio.timeout(10):
        for number in range(20):
            leaving = broadcast.subscribe("person:1")
            await leaving.__aenter__()
            joining = broadcast.subscribe("person:1")

            _, joined = await asyncio.gather(leaving.__aexit__(None, None, None), joining.__aenter__())

            await admin.publish("person:1", str(number))
            assert await anext(joined) == str(number)
            await joining.__aexit__(None, None, None)


async def test_nothing_is_lost_in_480_overlapping_joins_and_leaves(broadcast: Broadcast, admin: Client) -> None:
    chance = random.Random(480)
    joins = [(visit, f"person:{chance.randrange(8)}", chance.randrange(4)) for visit in range(480)]

    async def visit(number: int, channel: str, turns: int) -> None:
        for _ in range(chance.randrange(4)):
            await asyncio.sleep(0)
        async with broadcast.subscribe(channel) as subscriber:
            await admin.publish(channel, str(number))
            async for message in subscriber:
                assert message is not RESYNC
                if message == str(number):
                    break
            for _ in range(turns):
                await asyncio.sleep(0)

    async with asyncio.timeout(30):
        for start in range(0, len(joins), 48):
            await asyncio.gather(*(visit(*join) for join in joins[start : start + 48]))
        while await admin.pubsub_channels():
            pass  # the last leaves are on their way


@pytest.mark.parametrize("turns_until_they_give_up", range(6))
async def test_joins_given_up_half_way_leave_no_subscription_behind(
    broadcast: Broadcast, admin: Client, turns_until_they_give_up: int
) -> None:
    async def follow(channel: str) -> None:
        async with broadcast.subscribe(channel) as subscriber:
            await anext(subscriber)

    async with asyncio.timeout(10), broadcast.subscribe("person:here"):
        followers = [asyncio.create_task(follow(f"person:{number}")) for number in range(50)]
        for _ in range(turns_until_they_give_up):
            await asyncio.sleep(0)
        for follower in followers:
            follower.cancel()
        await asyncio.gather(*followers, return_exceptions=True)
        async with broadcast.subscribe("person:last"):
            while set(await admin.pubsub_channels()) != {b"person:here", b"person:last"}:
                pass


async def test_overflow_empties_the_queue_and_leaves_one_resync(
    server: Redis, publisher: Publisher, admin: Client
) -> None:
    async with (
        asyncio.timeout(10),
        Broadcast(server.url, publisher, queue_size=3) as broadcast,
        broadcast.subscribe("person:1") as slow,
        broadcast.subscribe("person:2") as prompt,
    ):
        for number in range(4):
            await admin.publish("person:1", str(number))
        await admin.publish("person:2", "the other queue")
        assert await anext(prompt) == "the other queue"

        assert await anext(slow) is RESYNC
        await admin.publish("person:1", "later")
        assert await anext(slow) == "later"


async def test_disconnecting_ends_all_subscribers(broadcast: Broadcast) -> None:
    async with (
        asyncio.timeout(10),
        broadcast.subscribe("person:1") as first,
        broadcast.subscribe("person:2") as second,
    ):
        waiting = asyncio.create_task(anext(first, "ended"))
        await broadcast.disconnect()

        assert await waiting == "ended"
        first.resync()
        assert [message async for message in first] == []
        assert [message async for message in second] == []


async def test_who_subscribes_after_the_end_is_ended_at_once(broadcast: Broadcast) -> None:
    async with asyncio.timeout(10):
        await broadcast.disconnect()

        async with broadcast.subscribe("person:1") as subscriber:
            assert [message async for message in subscriber] == []


async def test_leaving_ends_the_iteration_of_another_task(broadcast: Broadcast) -> None:
    async with asyncio.timeout(10):
        async with broadcast.subscribe("person:1") as subscriber:
            waiting = asyncio.create_task(anext(subscriber, "ended"))

        assert await waiting == "ended"


async def test_a_failing_distribution_starts_again_with_a_resync_for_everyone(
    broadcast: Broadcast, admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("live.broadcast.PAUSE_AFTER_FAILURE_SECONDS", 0)
    take = broadcast._redis.next_published

    async def fail_once() -> Event:
        await take()
        monkeypatch.setattr(broadcast._redis, "next_published", take)
        raise ZeroDivisionError

    async with (
        asyncio.timeout(10),
        broadcast.subscribe("person:1") as first,
        broadcast.subscribe("person:2") as second,
    ):
        monkeypatch.setattr(broadcast._redis, "next_published", fail_once)
        await admin.publish("person:1", "taken by the call that waits already")
        assert await anext(first) == "taken by the call that waits already"
        await admin.publish("person:1", "lost")

        assert await anext(first) is RESYNC
        assert await anext(second) is RESYNC
        await admin.publish("person:1", "later")
        assert await anext(first) == "later"


async def test_no_task_and_no_connection_is_left_after_disconnect(server: Redis, admin: Client) -> None:
    async with asyncio.timeout(10):
        while len(await admin.client_list()) > 1:
            pass  # those of the test before may be on their way out
        tasks_before = asyncio.all_tasks()
        publisher = Publisher(server.url)
        await publisher.start()
        async with Broadcast(server.url, publisher) as broadcast, broadcast.subscribe("person:1") as subscriber:
            await broadcast.publish("person:1", "news")
            assert await anext(subscriber) == "news"
            assert len(await admin.client_list()) == 3
        await publisher.stop()

        assert asyncio.all_tasks() == tasks_before
        while len(await admin.client_list()) > 1:
            pass  # the server hears of a closed connection a moment later
