"""What tests with JavaScript clients are given: Node and the packages of package-lock.json, or they are skipped."""

import asyncio
import os

import pytest

from tests.clients.node import NotInstalled, install, missing


@pytest.fixture(scope="session", autouse=True)
async def packages() -> None:
    """Installed once, by whichever worker comes first."""
    if reason := missing():
        pytest.skip(reason)
    try:
        await asyncio.to_thread(install)
    except NotInstalled as fault:
        if os.environ.get("CI") == "true":
            pytest.fail(str(fault))
        pytest.skip(str(fault))
