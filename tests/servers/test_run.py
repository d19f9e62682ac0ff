import json
import os
import re
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest

from servers.place import temporary_folder
from servers.server import free_port
from tests.processes import descendants_of

REPOSITORY = Path(__file__).resolve().parents[2]
Python = Callable[..., subprocess.Popen[str]]
Run = Callable[..., subprocess.Popen[str]]

# Written elsewhere first, as several may be at it.
REMEMBER = """
import json, os, pathlib
written = pathlib.Path(f'{name}-{{os.getpid()}}')
written.write_text(json.dumps([os.getpid(), dict(os.environ)]))
written.replace('{name}')
"""
STAND_INS = {
    "models/migrate.py": REMEMBER.format(name="migrate"),
    "demo/__init__.py": "",
    "demo/prepare.py": REMEMBER.format(name="prepare"),
    "jobs/__main__.py": REMEMBER.format(name="worker") + "import signal; signal.pause()\n",
    "app.py": REMEMBER.format(name="of_web")
    + """
async def application(scope, receive, send):
    if scope["type"] == "lifespan":
        for answer in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{answer}.complete"})
        pathlib.Path("orderly").touch()
    else:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": scope["path"].encode()})

def create_app():
    return application
""",
}


@pytest.fixture(scope="module")
def project() -> Iterator[Path]:
    """A project that has only what `make run` calls. One for all tests, as it has one database."""
    with temporary_folder() as made:
        (made / "Procfile").write_text((REPOSITORY / "Procfile").read_text())
        for name in ("servers", "web", "settings.py", "rules"):
            (made / name).symlink_to(REPOSITORY / name)
        yield made


@pytest.fixture
def run(project: Path, python: Python) -> Run:
    """`make run` in that project, with nothing left of what the last one remembered."""
    for name, text in STAND_INS.items():
        (project / name).parent.mkdir(exist_ok=True)
        (project / name).write_text(text)
    for name in ("migrate", "prepare", "worker", "of_web", "orderly"):
        (project / name).unlink(missing_ok=True)

    def start(**environment: str) -> subprocess.Popen[str]:
        plain = dict.fromkeys(("DATABASE_URL", "REDIS_URL", "AUTH_SECRET", "LINK_SECRET", "SANDBOX", "PUBLIC_URL"), "")
        # Python would take a stand-in of the same length and second for the one it has compiled.
        never = {"PYTHONPATH": "", "PYTHONDONTWRITEBYTECODE": "1"}
        return python("-m", "servers.run", cwd=project, **{**plain, **never, **environment})

    return start


def read_until(process: subprocess.Popen[str], words: str) -> str:
    assert process.stdout is not None
    read = ""
    for line in process.stdout:
        read += line
        if words in line:
            return read
    raise AssertionError(f"it ended before it said {words!r}: {read}")


def listening(port: str) -> list[str]:
    """The addresses at which somebody listens on this port, as Linux writes them."""
    sockets = Path("/proc/net/tcp").read_text() + Path("/proc/net/tcp6").read_text()
    return re.findall(rf"^ *\d+: (\w+):{int(port):04X} \S+ 0A", sockets, re.MULTILINE)


def what(project: Path, name: str) -> tuple[int, dict[str, str]]:
    pid, environment = json.loads((project / name).read_text())
    return pid, environment


def test_it_starts_everything_says_what_to_try_and_stops_in_order(
    run: Run, project: Path, gone: Callable[[int], bool]
) -> None:
    port = str(free_port())
    process = run(PORT=port)
    said = read_until(process, "Ctrl-C")
    for words in (f"http://localhost:{port}/graphql", f"http://localhost:{port}/sandbox/people", "make demo"):
        assert words in said
    assert "server" not in httpx2.get(f"http://127.0.0.1:{port}/ready", trust_env=False).headers
    assert listening(port) == ["0100007F"]  # 127.0.0.1, and not what the Procfile says
    environments = [what(project, name)[1] for name in ("migrate", "prepare", "worker", "of_web")]
    for name in ("DATABASE_URL", "REDIS_URL", "AUTH_SECRET", "LINK_SECRET", "SANDBOX", "PORT", "PUBLIC_URL"):
        assert len({environment[name] for environment in environments}) == 1
    assert environments[0]["SANDBOX"] == "1"
    assert environments[0]["AUTH_SECRET"] != environments[0]["LINK_SECRET"]
    assert all((project / ".data" / name).stat().st_mode & 0o077 == 0 for name in ("auth_secret", "link_secret"))

    second = run(PORT=str(free_port()))
    assert "in use by another process" in second.communicate(timeout=20)[1]
    assert second.returncode == 1

    process.send_signal(signal.SIGINT)
    out, complaints = process.communicate(timeout=20)
    assert "Stopped." in out
    assert process.returncode == 0, complaints
    assert (project / "orderly").exists()
    assert all(gone(what(project, name)[0]) for name in ("worker", "of_web"))

    again = run(PORT=port)
    read_until(again, "Ctrl-C")
    assert what(project, "of_web")[1]["AUTH_SECRET"] == environments[0]["AUTH_SECRET"]
    assert what(project, "of_web")[1]["LINK_SECRET"] == environments[0]["LINK_SECRET"]
    os.kill(what(project, "worker")[0], signal.SIGKILL)
    assert "worker has ended" in again.communicate(timeout=20)[1]
    assert again.returncode == 1
    assert gone(what(project, "of_web")[0])


@pytest.mark.parametrize("processes", ["", "3"])
def test_killed_it_leaves_nothing_running_and_starts_again(
    run: Run, project: Path, gone: Callable[[int], bool], processes: str
) -> None:
    port = str(free_port())
    for _ in range(2):
        process = run(PORT=port, WEB_CONCURRENCY=processes)
        read_until(process, "Ctrl-C")
        assert what(project, "of_web")[1].get("WEB_CONCURRENCY") == (processes or "1")
        started = descendants_of(process.pid)
        process.send_signal(signal.SIGKILL)
        assert all(gone(pid) for pid in started)
        assert all(gone(what(project, name)[0]) for name in ("worker", "of_web"))


def test_what_the_environment_names_is_used_instead(run: Run, project: Path) -> None:
    given = {
        "DATABASE_URL": "postgres://elsewhere/db",
        "REDIS_URL": "redis://elsewhere/0",
        "AUTH_SECRET": "a" * 32,
        "LINK_SECRET": "l" * 32,
        "SANDBOX": "0",
        "PUBLIC_URL": "https://meet.example",
    }
    process = run(PORT=str(free_port()), **given)
    said = read_until(process, "Ctrl-C")
    assert "https://meet.example/graphql" in said
    assert "/sandbox/people" not in said
    assert given.items() <= what(project, "of_web")[1].items()
    assert not (project / "prepare").exists()


def test_a_taken_port_is_one_clear_line(run: Run, project: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        process = run(PORT=str(taken.getsockname()[1]))
        _, complaints = process.communicate(timeout=20)
    assert process.returncode == 1
    assert complaints.count("\n") == 1
    assert "is taken" in complaints
    assert not (project / "migrate").exists()


def test_a_migration_that_fails_stops_the_start(run: Run, project: Path) -> None:
    (project / "models" / "migrate.py").write_text("raise SystemExit(3)\n")
    process = run(PORT=str(free_port()), DATABASE_URL="postgres://elsewhere/db", REDIS_URL="redis://elsewhere/0")
    _, complaints = process.communicate(timeout=20)
    assert process.returncode == 1
    assert complaints.strip() == "make run: `python -m models.migrate` failed (exit code 3)"
    assert not (project / "of_web").exists()
