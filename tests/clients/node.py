"""Node processes that are told what to do and tell what happens, a JSON object a line."""

import asyncio
import fcntl
import hashlib
import json
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.driving import WAIT_AT_MOST_SECONDS

FOLDER = Path(__file__).parent
LOCK = FOLDER / "package-lock.json"
MODULES = FOLDER / "node_modules"
INSTALLED = MODULES / ".installed"
OLDEST_NODE = 20
INSTALL_WITHIN_SECONDS = 180
NPM_CI = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
PATIENCE = ["--fetch-retries=2", "--fetch-retry-mintimeout=1000", "--fetch-timeout=30000"]
LONGEST_LINE_BYTES = 2**20


class NotInstalled(Exception):
    """Why the packages could not be installed."""


def missing() -> str | None:
    """What of Node is missing on this machine, if anything is."""
    if not shutil.which("node") or not shutil.which("npm"):
        return "Node.js with npm is not installed"
    version = subprocess.run(["node", "--version"], capture_output=True, text=True).stdout.strip()
    number = version.removeprefix("v").partition(".")[0]
    if not number.isdigit() or int(number) < OLDEST_NODE:
        return f"Node.js {OLDEST_NODE} or newer is needed, this is {version or 'broken'}"
    return None


def install() -> None:
    """Install the packages of package-lock.json if they are not there yet; whoever else needs them waits meanwhile."""
    with LOCK.open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        wanted = hashlib.sha256(lock.read()).hexdigest()
        if INSTALLED.exists() and INSTALLED.read_text() == wanted:
            return
        INSTALLED.unlink(missing_ok=True)  # what is begun from here on counts only once it is complete
        _npm_ci(lock.fileno())
        INSTALLED.write_text(wanted)


def _npm_ci(lock: int) -> None:
    try:
        done = subprocess.run(
            [*NPM_CI, *PATIENCE],
            cwd=FOLDER,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=INSTALL_WITHIN_SECONDS,
            pass_fds=[lock],  # if we are killed, it goes on, and nobody begins anew meanwhile
        )
    except subprocess.TimeoutExpired as fault:
        raise NotInstalled(f"npm ci took longer than {INSTALL_WITHIN_SECONDS} s") from fault
    if done.returncode != 0:
        told = [line for line in done.stderr.splitlines() if line.startswith("npm error")]
        raise NotInstalled(f"npm ci failed: {' '.join(told)[:300]}")


class Script:
    """A script of this folder, running."""

    def __init__(self, name: str, process: asyncio.subprocess.Process) -> None:
        self._name = name
        self._process = process
        self._unread: list[dict[str, Any]] = []
        self.events: list[dict[str, Any]] = []
        "All that it has told so far."

    async def do(self, action: str, **details: Any) -> None:
        """Tell it what to do."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"action": action, **details}).encode() + b"\n")
        await self._process.stdin.drain()

    async def event(self, kind: str, **details: Any) -> dict[str, Any]:
        """The next event of this kind, with these details; what else it told keeps for those who ask for it."""

        def matches(event: dict[str, Any]) -> bool:
            return {"event": kind, **details}.items() <= event.items()

        for event in self._unread:
            if matches(event):
                self._unread.remove(event)
                return event
        try:
            async with asyncio.timeout(WAIT_AT_MOST_SECONDS):
                while not matches(event := await self._line()):
                    self._unread.append(event)
        except TimeoutError:
            raise AssertionError(f"{self._name} told no {kind} {details}, only {self.events}") from None
        return event

    async def _line(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        assert line, f"{self._name} has ended; it told {self.events}"
        self.events.append(json.loads(line))
        return self.events[-1]


@asynccontextmanager
async def running(name: str, **given: Any) -> AsyncIterator[Script]:
    """A script that runs until the test is done with it; what it writes to stderr is the test's."""
    process = await asyncio.create_subprocess_exec(
        "node",
        str(FOLDER / name),
        json.dumps(given),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=LONGEST_LINE_BYTES,
    )
    try:
        yield Script(name, process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
