"""Real servers, web processes with the Procfile's own flags, people, and clients in a process of their own."""

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
from joserfc import jwt
from joserfc.jwk import OctKey

from servers.place import temporary_folder
from servers.postgres import Postgres
from servers.process import end, spawn
from servers.redis import Redis
from servers.server import free_port

SECRET = "a secret of nothing but the measurements, long enough"
READY_WITHIN_SECONDS = 30
STOP_SECONDS = 20
TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass
class Surroundings:
    """PostgreSQL and Redis, and what stops all that was started."""

    environment: dict[str, str]
    running: ExitStack
    postgres_url: str

    def web(self) -> "Web":
        """Another web process of the service."""
        return self._start("python -m web", "app:create_app")

    def bare(self) -> "Web":
        """The bare handler, run with the same flags but for whom they are about."""
        return self._start("python -m uvicorn", "bench.bare:app")

    def _start(self, program: str, app: str) -> "Web":
        port = free_port()
        line = next(line for line in Path("Procfile").read_text().splitlines() if line.startswith("web:"))
        command = line.removeprefix("web:").replace("${PORT:-8000}", str(port)).replace("python -m web", program)
        if app != "app:create_app":
            command = command.replace("--factory app:create_app", app)
            command = command.replace("web.connection:Connection", "websockets-sansio")
        words = [sys.executable, *shlex.split(command)[1:]]
        process = spawn(words, parting=signal.SIGTERM, environment=self.environment)
        self.running.callback(end, process, signal.SIGTERM, STOP_SECONDS)
        web = Web(process, port)
        web.wait()
        return web


@contextmanager
def surroundings() -> Iterator[Surroundings]:
    """For as long as it takes to measure."""
    with ExitStack() as running:
        folder = running.enter_context(temporary_folder())
        # With the instants of commits, which pushes are timed from.
        postgres = running.enter_context(Postgres(folder, settings={"track_commit_timestamp": "on"}))
        redis = running.enter_context(Redis(folder))
        environment = {
            **os.environ,
            "DATABASE_URL": postgres.url,
            "REDIS_URL": redis.url,
            "AUTH_SECRET": SECRET,
            "LINK_SECRET": SECRET,
            "SOCKETS_PER_PERSON": "100000",
        }
        subprocess.run([sys.executable, "-m", "models.migrate"], env=environment, check=True)
        yield Surroundings(environment, running, postgres.url)


@dataclass
class Web:
    """A web process."""

    process: subprocess.Popen[bytes]
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def wait(self) -> None:
        deadline = time.monotonic() + READY_WITHIN_SECONDS
        while time.monotonic() < deadline:
            try:
                httpx2.post(self.url, json={"text": "", "to": []})
                return
            except httpx2.TransportError:
                time.sleep(0.05)
        raise RuntimeError("a web process does not answer")

    def cpu_seconds(self) -> float:
        """Its own, user and system."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS_A_SECOND

    def memory_kib(self) -> float:
        """What of it is in memory."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return float(next(line.split()[1] for line in lines if line.startswith("VmRSS:")))


def token(sub: str, **claims: Any) -> str:
    content = {"sub": sub, "name": sub, "exp": int(time.time()) + 86_400, **claims}
    return jwt.encode({"alg": "HS256"}, content, OctKey.import_key(SECRET))


@dataclass
class Person:
    """Somebody who asks over HTTP."""

    web: Web
    sub: str
    claims: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.token = token(self.sub, **self.claims)
        self.http = httpx2.Client(base_url=self.web.url, headers={"Authorization": f"Bearer {self.token}"}, timeout=30)

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        answer = self.http.post("/graphql", json={"query": query, "variables": variables}).json()
        if "errors" in answer:
            raise RuntimeError(answer["errors"])
        data: dict[str, Any] = answer["data"]
        return data


class Clients:
    """Many clients, in a process of their own."""

    def __init__(self, web: Web, count: int, tokens: list[str], query: str, *, keeps_texts: bool, **variables: Any):
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.clients"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        task = {"port": web.port, "clients": count, "tokens": tokens, "query": query, "variables": variables}
        self._tell(json.dumps({**task, "keeps_texts": keeps_texts}))
        self.connected_in_seconds = float(self._answer()["seconds"])

    def _tell(self, line: str) -> None:
        assert self._process.stdin
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def seen(self) -> dict[str, Any]:
        """How many pushes have come so far, and, where they are kept, when and what."""
        self._tell("")
        return self._answer()

    def wait_for(self, pushes: int, *, within_seconds: float = 120) -> dict[str, Any]:
        deadline = time.monotonic() + within_seconds
        while (seen := self.seen())["pushes"] < pushes:
            if time.monotonic() > deadline:
                raise RuntimeError(f"{seen['pushes']} of {pushes} pushes came")
            time.sleep(0.05)
        return seen

    def __enter__(self) -> "Clients":
        return self

    def __exit__(self, *exception: object) -> None:
        self._process.kill()
        self._process.wait()
