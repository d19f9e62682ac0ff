"""What the embedded servers have in common: a loopback port, a log, and an orderly beginning and end."""

import random
import signal
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

from servers.process import ServerError, end

# Below the ports that systems give to outgoing connections: a client that keeps trying to reach a stopped server
# there could meet itself, and take the port for good.
PORTS = range(20_000, 32_000)
START_SECONDS = 60
STOP_SECONDS = 30
LOOK_EVERY_SECONDS = 0.01


class Server(ABC):
    """A server as our child, on a port of 127.0.0.1 that it keeps for as long as this object lives."""

    name: ClassVar[str]
    parting: ClassVar[signal.Signals]

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self._port: int | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    @abstractmethod
    def url(self) -> str:
        """Where clients connect to."""

    @abstractmethod
    def _spawn(self, port: int) -> subprocess.Popen[bytes]:
        """Start the program."""

    @abstractmethod
    def _answers(self) -> bool:
        """Whether clients are served already."""

    @property
    def port(self) -> int:
        """The loopback port, chosen at the first start."""
        if self._port is None:
            raise ServerError(f"{self.name} was not started yet")
        return self._port

    @property
    def running(self) -> bool:
        """Whether the process is alive."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int | None:
        """The server's process, while there is one."""
        return self._process.pid if self._process is not None else None

    @property
    def log(self) -> Path:
        """What the server said since its last start."""
        return self.folder / f"{self.name.lower()}.log"

    def start(self) -> None:
        """Start, and wait until it answers."""
        if self.running:
            return
        self._make_folder()
        if self._port is not None:
            self._start_at(self._port)
            return
        for attempts_left in reversed(range(5)):
            port = free_port()
            try:
                self._start_at(port)
                return
            except ServerError:
                # Between our look and its start somebody else may have taken the port.
                if is_free(port) or not attempts_left:
                    raise

    def stop(self) -> None:
        """Ask it to go, and wait until it is gone."""
        self._end(self.parting)

    def kill(self) -> None:
        """End it as a crash would, and wait until it is gone."""
        self._end(signal.SIGKILL)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def _make_folder(self) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ServerError(f"{self.name} needs the folder {self.folder}: {error.strerror}") from error

    def _start_at(self, port: int) -> None:
        known_before, self._port = self._port, port
        try:
            self._process = self._spawn(port)
            self._wait_until_it_answers()
        except BaseException:
            self.kill()
            self._port = known_before
            raise

    def _wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if not self.running:
                why = self._last_words() if is_free(self.port) else f"another program listens on its port {self.port}"
                raise ServerError(f"{self.name} did not start: {why} (see {self.log})")
            if time.monotonic() > deadline:
                raise ServerError(f"{self.name} did not answer within {START_SECONDS} s (see {self.log})")
            time.sleep(LOOK_EVERY_SECONDS)

    def _last_words(self) -> str:
        lines = self.log.read_text(errors="replace").strip().splitlines() or ["it said nothing"]
        return next((line for line in lines if "FATAL" in line), lines[-1]).rpartition("FATAL:")[2].strip()

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None:
            end(self._process, how, STOP_SECONDS)
            self._process = None


def is_free(port: int) -> bool:
    """Whether a server could listen on this port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def free_port() -> int:
    """A loopback port that nobody listens on."""
    for port in random.sample(PORTS, 100):
        if is_free(port):
            return port
    raise ServerError(f"no free port among 127.0.0.1:{PORTS.start}-{PORTS.stop - 1}")
