import os
import pwd
import select
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from servers import place
from servers.place import temporary_folder

REPOSITORY = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 20


@pytest.fixture
def folder() -> Iterator[Path]:
    with temporary_folder() as made:
        yield made


@pytest.fixture(scope="session")
def used_folder() -> Iterator[Path]:
    """A folder for many tests, one after the other: new data take half a second to make."""
    with temporary_folder() as made:
        yield made


@pytest.fixture(autouse=True)
def roots_place(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Instead of /var/lib/expertim-meetings, which is for people's own runs."""
    with temporary_folder() as made:
        monkeypatch.setattr(place, "ROOTS_PLACE", made / "expertim-meetings")
        yield made / "expertim-meetings"


@pytest.fixture
def closed_folder(folder: Path) -> Path:
    """A folder below one that is closed to others, as a home folder often is."""
    home = folder / "home"
    home.mkdir(mode=0o700)
    return home / "project" / ".data"


@pytest.fixture
def as_ordinary_user() -> Callable[[Callable[[], None]], None]:
    """Does something as `nobody`, where we are root.

    By a fork: that user may be unable to run our Python, which lies below root's home on many machines.
    """
    if os.geteuid() != 0:
        pytest.skip("only root can become another user; as an ordinary user, every other test shows it")

    def do(story: Callable[[], None]) -> None:
        child = os.fork()
        if child == 0:
            code = 1
            try:
                nobody = pwd.getpwnam("nobody")
                os.setgroups([])
                os.setgid(nobody.pw_gid)
                os.setuid(nobody.pw_uid)
                story()
                code = 0
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(code)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0

    return do


@pytest.fixture
def python() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts a Python of its own beside us, whose standard output we read; gone after the test."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str, cwd: Path = REPOSITORY, **environment: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=cwd,
            env={**os.environ, "PYTHONPATH": str(REPOSITORY), **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE_SECONDS)


@pytest.fixture
def gone() -> Callable[[int], bool]:
    """Whether a process ends within some seconds. One that only waits for its parent to notice has ended."""
    if not hasattr(os, "pidfd_open"):
        pytest.skip("only Linux tells a process that its parent has died")

    def wait(pid: int) -> bool:
        try:
            descriptor = os.pidfd_open(pid)
        except ProcessLookupError:
            return True
        try:
            return bool(select.select([descriptor], [], [], PATIENCE_SECONDS)[0])
        finally:
            os.close(descriptor)

    return wait
