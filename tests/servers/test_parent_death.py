import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

from servers.place import locked
from servers.postgres import Postgres
from servers.redis import Redis

SCRIPT = """
import signal, sys
from pathlib import Path
from servers import place
from servers.postgres import Postgres
from servers.redis import Redis

folder = Path(sys.argv[1])
place.ROOTS_PLACE = folder / "root"
with Postgres(folder) as postgres, Redis(folder) as redis:
    print(postgres.pid, redis.pid, flush=True)
    signal.pause()
"""


def test_nothing_is_left_of_a_parent_that_was_killed_and_the_next_start_works(
    used_folder: Path, python: Callable[..., subprocess.Popen[str]], gone: Callable[[int], bool]
) -> None:
    parent = python("-c", SCRIPT, str(used_folder))
    assert parent.stdout is not None
    pids = [int(each) for each in parent.stdout.readline().split()]
    assert len(pids) == 2
    parent.send_signal(signal.SIGKILL)
    left = [pid for pid in pids if not gone(pid)]
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    assert not left
    # Every process of PostgreSQL inherits the lock, so free means that none is left.
    with locked(used_folder / "postgres.lock", wait_seconds=5):
        pass
    with Postgres(used_folder) as postgres, Redis(used_folder) as redis:
        assert postgres.running
        assert redis.running
