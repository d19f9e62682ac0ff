"""Processes that never outlive us."""

import ctypes
import os
import pwd
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None
PR_SET_PDEATHSIG = 1


class ServerError(Exception):
    """Why a server is not there, in one line."""


def unprivileged_user() -> pwd.struct_passwd | None:
    """Whom root runs servers as (PostgreSQL refuses to be root); None: whoever we are will do."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None


def as_user(user: pwd.struct_passwd | None) -> dict[str, Any]:
    """What makes subprocess change to this user, to none of our groups, and to a folder that anybody can stand in."""
    return {} if user is None else {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": [], "cwd": "/"}


def spawn(
    command: Sequence[str | Path],
    *,
    parting: signal.Signals,
    user: pwd.struct_passwd | None = None,
    environment: Mapping[str, str] | None = None,
    stdin: int | IO[bytes] = subprocess.DEVNULL,
    output: IO[bytes] | None = None,
    keep: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    """Start a command that gets the parting signal when we die, however we die (on Linux)."""
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError("servers start from the main thread: one started from another thread dies with that thread")
    parent = os.getpid()

    def tie_to_parent() -> None:
        if LIBC is not None:
            LIBC.prctl(PR_SET_PDEATHSIG, int(parting))
            if os.getppid() != parent:  # it died before the tie was made
                os._exit(1)

    try:
        return subprocess.Popen(
            command,
            # Out of the terminal's reach: its Ctrl-C comes to us alone, and we stop things in order.
            start_new_session=True,
            # Runs after the change of user, which would undo the tie.
            preexec_fn=tie_to_parent,
            env=environment,
            stdin=stdin,
            stdout=output,
            stderr=None if output is None else subprocess.STDOUT,
            pass_fds=keep,
            **as_user(user),
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise ServerError(f"{command[0]} can't be started: {error}") from error


def end(process: subprocess.Popen[bytes], how: signal.Signals, patience_seconds: float) -> None:
    """Ask a process to go, wait until it is gone, and insist after a while: then those it started go, too."""
    process.send_signal(how)
    try:
        process.wait(patience_seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)  # it leads a group of its own (see `spawn`)
        process.wait()
