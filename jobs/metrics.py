"""The worker's own figures, at METRICS_PORT, to whoever knows METRICS_TOKEN: it serves nobody else."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from threading import Thread

import structlog
from prometheus_client import MetricsHandler

from measuring import figures, is_allowed

log = structlog.get_logger()

SILENCE_SECONDS = 5
"After which whoever says nothing is left."


@contextmanager
def told_at(port: int | None, token: str | None) -> Iterator[None]:
    """Answer `GET /metrics` in a thread, whatever the worker waits for. That it can't be is no reason not to work."""
    if port is None or token is None:
        yield
        return

    secret = token

    class Handler(MetricsHandler):
        timeout = SILENCE_SECONDS

        def do_GET(self) -> None:  # noqa: N802 - as http.server calls it
            if is_allowed(self.headers.get("Authorization"), secret):
                self.registry = figures()
                super().do_GET()
            else:
                self.send_error(401)

    try:
        server = ThreadingHTTPServer(("", port), Handler)
    except OSError as fault:  # another worker on this machine has it
        log.warning("the worker's figures can't be told", port=port, cause=str(fault))
        yield
        return
    with server:
        Thread(target=server.serve_forever, name="metrics", daemon=True).start()
        try:
            yield
        finally:
            server.shutdown()
