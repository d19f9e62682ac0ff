"""Metrics, for whoever knows the token."""

import pytest

from tests.conftest import METRICS_TOKEN as TOKEN
from tests.driving import Client, Service
from tests.settlements import THEIRS, held


@pytest.mark.parametrize("authorization", ["", "Bearer", f"Bearer {TOKEN}x", TOKEN, "Bearer \u00fc"])
async def test_nobody_else_reads_them(world: Service, authorization: str):
    headers = {"Authorization": authorization.encode("latin-1")} if authorization else {}
    answer = await world.http.get("/metrics", headers=headers)  # type: ignore[arg-type]
    assert answer.status_code == 401
    assert "dispute" not in answer.text


async def test_s3_they_tell_for_how_long_the_oldest_dispute_has_waited(world: Service, uma: Client, emil: Client):
    meeting = await held(world, uma, emil)
    for side in ("USER", "EXPERT"):
        await meeting.says(side, THEIRS)
    world.clock.advance(hours=2)
    answer = await world.http.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    (told,) = [line for line in answer.text.splitlines() if line.startswith("oldest_dispute_age_seconds ")]
    assert float(told.split()[1]) >= 7200, "others may have waited for longer"
