"""Where the servers' programs and data lie.

An ordinary user runs the programs where the wheels put them and keeps the data in the folder asked for. Root runs the
servers as `nobody`, who often can't reach either (a home folder is closed to others): programs are then copied, and
data kept, below /var/lib/expertim-meetings. That is root's own, so nobody else can plant anything there, and no cleaner
of temporary files eats it. Folders that we did not make are left as they are.
"""

import fcntl
import hashlib
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata, util
from pathlib import Path

from servers.process import ServerError, as_user

ROOTS_PLACE = Path("/var/lib/expertim-meetings")
NOT_NEEDED = shutil.ignore_patterns("include", "__pycache__", "*.py", "*.pyi")


def reachable_folder(folder: Path, user: pwd.struct_passwd | None) -> Path:
    """The folder itself, or one that stands for it where the server's user can't reach it."""
    if user is None or _reaches(user, folder):
        return folder
    readable = str(folder).strip("/").replace("/", "-")[-80:]
    place = _roots_place() / f"{readable}-{hashlib.sha256(bytes(folder)).hexdigest()[:8]}"
    _make_open_folder(place)
    return place


def runnable(package: str, program: str, user: pwd.struct_passwd | None) -> Path:
    """A program out of a wheel, as a path that the server's user can run."""
    spec = util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ServerError(f"{package} is not installed for this Python and machine (make install)")
    wheel = Path(spec.submodule_search_locations[0])
    if user is None or runs(wheel / program, user):
        return wheel / program
    copy = _roots_place() / f"{package}-{metadata.version(package)}"
    with locked(_roots_place() / "copying.lock", wait_seconds=60):
        if not copy.exists():
            _copy(wheel, copy)
    return copy / package / program


def runs(program: Path, user: pwd.struct_passwd) -> bool:
    """Whether this user can run the program."""
    try:
        tried = subprocess.run([program, "--version"], capture_output=True, stdin=subprocess.DEVNULL, **as_user(user))
    except OSError:
        return False
    return tried.returncode == 0


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A folder that is removed afterwards and that the servers' user can reach: what tests put their servers into."""
    with tempfile.TemporaryDirectory(prefix="expertim-") as made:
        Path(made).chmod(0o711)
        yield Path(made)


@contextmanager
def locked(path: Path, *, wait_seconds: float) -> Iterator[int]:
    """Hold a lock file. A process that inherits the descriptor goes on holding it until it has ended."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        deadline = time.monotonic() + wait_seconds
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise ServerError(f"{path.parent} is in use by another process") from None
                time.sleep(0.01)
        yield descriptor
    finally:
        os.close(descriptor)


def _reaches(user: pwd.struct_passwd, folder: Path) -> bool:
    return subprocess.run(["test", "-x", folder], stdin=subprocess.DEVNULL, **as_user(user)).returncode == 0


def _roots_place() -> Path:
    _make_open_folder(ROOTS_PLACE)
    found = ROOTS_PLACE.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o022:
        raise ServerError(f"{ROOTS_PLACE} must be a folder that belongs to root and that only root can write to")
    return ROOTS_PLACE


def _make_open_folder(path: Path) -> None:
    try:
        path.mkdir()
        path.chmod(0o755)  # whatever the umask, which may have closed it
    except FileExistsError:
        pass
    except OSError as error:
        raise ServerError(f"{path} is needed for what {Path.home()} hides from others: {error.strerror}") from error


def _copy(wheel: Path, copy: Path) -> None:
    """Copy a wheel's programs with its libraries beside them, so that the copy is there whole or not at all."""
    unfinished = copy.with_suffix(".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    for part in (wheel, wheel.with_name(f"{wheel.name}.libs")):
        if part.exists():
            shutil.copytree(part, unfinished / part.name, ignore=NOT_NEEDED, symlinks=True)
    for path in (unfinished, *unfinished.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
    unfinished.rename(copy)
