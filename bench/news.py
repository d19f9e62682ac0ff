"""News as fast as they can be told, of what has really happened: mutations alone would never keep a process busy."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from redis.asyncio import Redis
from tortoise.context import TortoiseContext

from live.messages import News, encode, person_channel
from models import Meeting, Person, TimelineEvent
from models.database import tortoise_config
from models.feeds import FeedEntryKind
from schema.ids import row_id

AT_ONCE = 50
PAUSE_SECONDS = 0.005


def tell(database_url: str, redis_url: str, meeting_ids: Sequence[str], events: int) -> None:
    """Tell both sides of each of these meetings, one after the other, of its newest event, so often in all.

    Each message carries the position that comes next in its person's feed, so that it is served as it came.
    """
    asyncio.run(_tell(database_url, redis_url, [row_id("Meeting", each) for each in meeting_ids], events))


async def _tell(database_url: str, redis_url: str, meeting_ids: Sequence[UUID], events: int) -> None:
    async with TortoiseContext() as context:
        await context.init(config=tortoise_config(database_url))
        news = [await _newest(meeting) for meeting in await Meeting.filter(id__in=list(meeting_ids))]
        positions: dict[UUID, int] = defaultdict(int)
        positions.update(await Person.all().values_list("id", "feed_head"))
    redis: Redis = Redis.from_url(redis_url)
    for start in range(0, events, AT_ONCE):
        async with redis.pipeline(transaction=False) as pipeline:
            for number in range(start, min(start + AT_ONCE, events)):
                for channel, message in _messages(news[number % len(news)], positions):
                    pipeline.publish(channel, message)
            await pipeline.execute()
        await asyncio.sleep(PAUSE_SECONDS)
    await redis.aclose()


async def _newest(meeting: Meeting) -> News:
    event = await TimelineEvent.filter(meeting_id=meeting.id).order_by("-sequence").first()
    assert event is not None
    return News(FeedEntryKind.TIMELINE_EVENT, event.id, event=event, meeting=meeting)


def _messages(news: News, positions: dict[UUID, int]) -> list[tuple[str, bytes]]:
    assert news.meeting is not None
    sides = (news.meeting.user_id, news.meeting.expert_id)
    for person_id in sides:
        positions[person_id] += 1
    return [(person_channel(person_id), encode(positions[person_id], [news])) for person_id in sides]
