"""Processes of our own beside the one the tests run in."""

import asyncio
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx2

from settings import Settings

REPOSITORY = Path(__file__).resolve().parents[1]
START_SECONDS = 60


def procfile(name: str) -> str:
    """A process's command, as platforms run it."""
    lines = (REPOSITORY / "Procfile").read_text().splitlines()
    return next(line.partition(":")[2].strip() for line in lines if line.startswith(f"{name}:"))


def environment(settings: Settings) -> dict[str, str]:
    """What a process in a sandbox is told, and where it finds the programs of ours."""
    return {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "AUTH_SECRET": settings.auth_secret or "",
        "SANDBOX": "1",
        "WEB_CONCURRENCY": "1",
    }


@asynccontextmanager
async def web_process(settings: Settings, port: int, **more: str) -> AsyncIterator[subprocess.Popen[bytes]]:
    """The Procfile's own web command, in a sandbox, from when it answers; killed at the end if it is not already.

    WEB_CONCURRENCY has several serve, under the one that this is.
    """
    process = subprocess.Popen(  # noqa: ASYNC220 - it must be our own child, and starting it takes no time
        ["sh", "-c", f"exec {procfile('web')} --host 127.0.0.1 --log-level error"],
        cwd=REPOSITORY,
        env={**environment(settings), "PORT": str(port), **more},
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        async with httpx2.AsyncClient(timeout=1) as http, asyncio.timeout(START_SECONDS):
            while True:
                try:
                    await http.get(f"http://127.0.0.1:{port}/health")
                    break
                except httpx2.TransportError:
                    assert process.poll() is None, "it ended before it answered"
                    await asyncio.sleep(0.05)
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # and all that it started
        process.wait()


def children_of(pid: int) -> set[int]:
    """The processes that a process has started."""
    return {int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}


def descendants_of(pid: int) -> set[int]:
    """Those, and whatever they have started."""
    children = children_of(pid)
    return children.union(*(descendants_of(child) for child in children))


def server_of(connection: tuple[str, int], port: int, among: set[int]) -> int:
    """Which of these processes holds the other end of a connection from this address, as Linux says."""
    address, its_port = connection
    packed = bytes(reversed([int(part) for part in address.split(".")])).hex().upper()
    pattern = rf"^ *\d+: {packed}:{port:04X} {packed}:{its_port:04X} (?:\S+ +){{6}}(\d+)"
    inode = re.search(pattern, Path("/proc/net/tcp").read_text(), re.MULTILINE)
    assert inode is not None, "nobody has accepted it"
    for pid in among:
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(FileNotFoundError):
                if os.readlink(descriptor) == f"socket:[{inode[1]}]":
                    return pid
    raise AssertionError("nobody holds it")


async def ended(pid: int) -> None:
    """Returns once a process has ended, whoever started it."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    loop, over = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(descriptor, over.set)
    try:
        await over.wait()
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)
