"""A query reads all of its answer on one connection, and gives that back whatever becomes of its fields."""

import asyncio
from typing import Any

import structlog

from tests.driving import Client, Service

FAILS_AT_ONCE = "nodes(ids: $ids) { id }"
TAKES_LONGER = " ".join(
    f"m{number}: meetings(first: 100) {{ edges {{ node {{ id timeline {{ edges {{ node {{ id }} }} }} }} }} }}"
    for number in range(10)
)


async def test_a_field_that_fails_while_others_are_still_being_read_disturbs_no_other_query(
    world: Service, uma: Client, emil: Client
):
    """A root field that may not be null takes the whole answer with it, and its siblings are left where they are."""
    await uma.proposed(emil)
    query = f"query($ids: [ID!]!) {{ {TAKES_LONGER} {FAILS_AT_ONCE} }}"

    async def fails() -> None:
        answer: Any = (await uma.post(query, ids=["x"] * 101)).json()
        assert answer["data"] is None
        assert [error["extensions"]["code"] for error in answer["errors"]] == ["BAD_USER_INPUT"]

    async def succeeds() -> None:
        assert await emil.ask("{ me { name } creditAccount { available } }")

    with structlog.testing.capture_logs() as logged:
        for _ in range(5):
            await asyncio.gather(*(each() for _ in range(20) for each in (fails, succeeds)))
    assert [line for line in logged if line["log_level"] != "info"] == []
