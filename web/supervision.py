"""One of several web processes, and the one that started them."""

import asyncio
import multiprocessing
import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def gone_with_the_supervisor() -> Iterator[None]:
    """If the process that started us dies, however it dies, we go too, in order; left alone we would keep its port."""
    supervisor = multiprocessing.parent_process()
    if supervisor is None:
        yield
        return

    def go() -> None:
        loop.remove_reader(supervisor.sentinel)
        signal.raise_signal(signal.SIGTERM)

    loop = asyncio.get_running_loop()
    loop.add_reader(supervisor.sentinel, go)
    try:
        yield
    finally:
        loop.remove_reader(supervisor.sentinel)
