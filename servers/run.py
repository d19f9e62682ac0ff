"""The whole service on this machine (`make run`), with servers of its own where the environment names no others."""

import http.client
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import FrameType

from servers.place import locked
from servers.postgres import Postgres
from servers.process import ServerError, end, spawn
from servers.redis import Redis
from servers.server import Server, is_free

DATA = Path(".data")
# uvicorn gives its clients 10 s (Procfile), the worker its step at hand.
STOP_SECONDS = 25
READY_SECONDS = 60
LOOK_EVERY_SECONDS = 0.1
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

Alive = dict[str, Callable[[], bool]]


def main() -> int:
    """Run until Ctrl-C, or until something that is needed has ended."""
    for each in SIGNALS:
        signal.signal(each, _leave)
    try:
        with ExitStack() as running:
            _run(running)
    except KeyboardInterrupt:
        _say("Stopped.")
    except (ServerError, OSError) as error:
        sys.stderr.write(f"make run: {error}\n")
        return 1
    return 0


def _run(running: ExitStack) -> None:
    """What is started last is stopped first: web, worker, Redis, PostgreSQL."""
    DATA.mkdir(exist_ok=True)
    running.enter_context(locked(DATA / "run.lock", wait_seconds=0))
    environment = _environment()
    port = int(environment["PORT"])
    if not is_free(port):
        raise ServerError(f"port {port} is taken: stop what listens there, or choose another (PORT=8001 make run)")
    alive: Alive = {}
    if "DATABASE_URL" not in environment:
        postgres = Postgres(DATA)
        environment["DATABASE_URL"] = _embed(postgres, alive, running)
        _say(f"PostgreSQL keeps its data in {postgres.data}")
    if "REDIS_URL" not in environment:
        environment["REDIS_URL"] = _embed(Redis(DATA), alive, running)
    commands = _procfile()
    _finish(commands["release"], environment)
    if environment["SANDBOX"] == "1":
        _finish("python -m demo.prepare", environment)
    _start("worker", commands["worker"], environment, alive, running)
    # The Procfile opens the service to the network, as a platform needs; here the last --host counts.
    _start("web", f"{commands['web']} --host 127.0.0.1", environment, alive, running)
    _wait_until_ready(port, alive)
    _welcome(environment)
    while True:
        _check(alive)
        time.sleep(LOOK_EVERY_SECONDS)


def _environment() -> dict[str, str]:
    """Ours, with what it lacks. A variable that is empty counts as missing."""
    given = {name: value for name, value in os.environ.items() if value}
    port = given.get("PORT", "8000")
    if not port.isdecimal():
        raise ServerError(f"PORT must be a number, not {port!r}")
    programs = Path(sys.executable).parent
    return {
        "SANDBOX": "1",
        "PORT": port,
        "PUBLIC_URL": f"http://localhost:{port}",
        "AUTH_SECRET": given.get("AUTH_SECRET") or _secret("auth_secret"),
        "LINK_SECRET": given.get("LINK_SECRET") or _secret("link_secret"),
        **given,
        "PATH": f"{programs}{os.pathsep}{given.get('PATH', os.defpath)}",
    }


def _secret(name: str) -> str:
    """A secret that is made at the first run and stays, so that tokens and links outlive a restart."""
    path = DATA / name
    if not path.exists():
        unfinished = path.with_suffix(".unfinished")
        unfinished.unlink(missing_ok=True)
        with open(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(48))
        unfinished.rename(path)
    return path.read_text()


def _embed(server: Server, alive: Alive, running: ExitStack) -> str:
    """Start a server of our own; its address."""
    running.enter_context(server)
    alive[server.name] = lambda: server.running
    return server.url


def _procfile() -> dict[str, str]:
    lines = Path("Procfile").read_text().splitlines()
    return {name: command.strip() for name, _, command in (line.partition(":") for line in lines) if command}


def _spawn(command: str, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    # Through a shell, as platforms run a Procfile; `exec` leaves no shell between us and the program.
    return spawn(["sh", "-c", f"exec {command}"], parting=signal.SIGTERM, environment=environment)


def _finish(command: str, environment: Mapping[str, str]) -> None:
    """Run a command to its end."""
    process = _spawn(command, environment)
    try:
        code = process.wait()
    finally:
        end(process, signal.SIGTERM, STOP_SECONDS)
    if code != 0:
        raise ServerError(f"`{command}` failed (exit code {code})")


def _start(name: str, command: str, environment: Mapping[str, str], alive: Alive, running: ExitStack) -> None:
    process = _spawn(command, environment)
    running.callback(end, process, signal.SIGTERM, STOP_SECONDS)
    alive[name] = lambda: process.poll() is None


def _check(alive: Alive) -> None:
    for name, is_alive in alive.items():
        if not is_alive():
            raise ServerError(f"{name} has ended, so the rest was stopped")


def _wait_until_ready(port: int, alive: Alive) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while (answer := _ready(port)) != "200":
        _check(alive)
        if time.monotonic() > deadline:
            raise ServerError(f"web was not ready within {READY_SECONDS} s (GET /ready: {answer})")
        time.sleep(LOOK_EVERY_SECONDS)


def _ready(port: int) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/ready")
        return str(connection.getresponse().status)
    except (OSError, http.client.HTTPException) as error:
        return str(error)
    finally:
        connection.close()


def _welcome(environment: Mapping[str, str]) -> None:
    at = environment["PUBLIC_URL"].rstrip("/")
    _say(f"\nThe service is running.\n\n  GraphQL             {at}/graphql")
    if environment["SANDBOX"] == "1":
        _say("  GraphiQL            the same, in a browser: a click signs you in as one of the demonstration people")
        _say(f"  people and tokens   {at}/sandbox/people\n  see it at work      make demo   (in another terminal)")
    if "SMTP_URL" not in environment:
        _say(f"  e-mail              kept in {DATA / 'mail'} (a maildir), as SMTP_URL names no server")
    _say("  stop                Ctrl-C\n")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _leave(number: int, frame: FrameType | None) -> None:
    """Go, once: being asked again while things stop in order changes nothing."""
    for each in SIGNALS:
        signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
