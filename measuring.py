"""What is measured: every figure, named once. Of several web processes each counts for itself, and any tells the sum.

Known to every layer, and knows none of them. Labels come from the code and the schema, never from clients, so that
nobody outside decides how many figures there are.
"""

import hmac
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Final

from prometheus_client import (
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
)
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"Names the folder where several processes keep their figures, each in files of its own; set before this is imported."
SUM: Final = "livesum"
"Of the processes that are alive."
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
KNOWN_CLOSES = (*range(1000, 1016), 4400, 4401, 4403, 4406, 4408, 4409, 4429, 4499)
"Clients may choose others, as many as they like."

disable_created_metrics()  # type: ignore[no-untyped-call]

_processes = Gauge("web_processes", "Web processes that are serving.", multiprocess_mode=SUM)
_starts = Counter("web_process_starts", "Web processes that have begun to serve.")
_sockets = Gauge("sockets_open", "Sockets that are open.", multiprocess_mode=SUM)
_closes = Counter("socket_closes", "Sockets that were closed, by either end, with this code.", ["code"])
_subscriptions = Gauge("subscriptions_open", "Subscriptions that are open.", ["field"], multiprocess_mode=SUM)
_pushes = Counter("pushes", "Updates sent to clients.", ["field"])
_push_seconds = Histogram(
    "push_seconds",
    "Of what Redis brought: from just before its commit to when it was ready to be sent.",
    ["field"],
    buckets=SECONDS,
)
_resyncs = Counter(
    "resyncs", "Channels of which messages may have been missed, so that readers turned to the database."
)
_replays = Counter("replays", "Reads of a feed or a timeline for somebody who was not up to date.")
_published = Counter("messages_published", "Messages that Redis has taken.")
_dropped = Counter("messages_dropped", "Messages that did not reach Redis.")
_requests = Counter("requests", "Operations answered, and subscriptions begun.", ["kind", "field", "outcome"])
_request_seconds = Histogram(
    "request_seconds", "From a valid document to its answer, or to when it listens.", ["kind", "field"], buckets=SECONDS
)
_job_steps = Counter("job_steps", "Things that were due and that the worker dealt with.", ["job"])
_job_failures = Counter("job_failures", "Of these, what failed and is tried again.", ["job"])
_deliveries = Counter(
    "deliveries", "What became of e-mails, and of what the video platform was asked.", ["to", "outcome"]
)
_in_use = Gauge("database_connections_in_use", "Connections to the database that are at work.", multiprocess_mode=SUM)


@contextmanager
def serving() -> Iterator[None]:
    """A web process serves for as long as this lasts."""
    _starts.inc()
    with _processes.track_inprogress():
        yield


def socket_opened() -> None:
    """A socket is open."""
    _sockets.inc()


def socket_ended() -> None:
    """It is not any more."""
    _sockets.dec()


def closed(code: int) -> None:
    """A socket was closed with this code."""
    _closes.labels(code if code in KNOWN_CLOSES else "other").inc()


def subscribed(field: str) -> None:
    """A subscription to this root field is open."""
    _subscriptions.labels(field).inc()


def unsubscribed(field: str) -> None:
    """It is not any more."""
    _subscriptions.labels(field).dec()


def pushed(field: str) -> None:
    """A client was sent an update."""
    _pushes_of(field).inc()


@cache
def _pushes_of(field: str) -> Counter:
    """Bound once, as there are many pushes."""
    return _pushes.labels(field)


def brought(field: str, seconds: float) -> None:
    """So long after it was written, what Redis brought was ready to be sent to all who share it."""
    _push_seconds_of(field).observe(max(seconds, 0.0))  # clocks differ


@cache
def _push_seconds_of(field: str) -> Histogram:
    return _push_seconds.labels(field)


def resynced() -> None:
    """Messages of a channel may have been missed."""
    _resyncs.inc()


def replayed() -> None:
    """A feed, or a timeline, was read for somebody who was not up to date."""
    _replays.inc()


def published(messages: int) -> None:
    """Redis has taken so many messages."""
    _published.inc(messages)


def dropped(messages: int) -> None:
    """So many messages did not reach Redis."""
    _dropped.inc(messages)


def answered(kind: str, field: str, outcome: str, seconds: float) -> None:
    """An operation on this root field was answered, or has begun to listen."""
    _requests.labels(kind, field, outcome).inc()
    _request_seconds.labels(kind, field).observe(seconds)


def refused(code: str) -> None:
    """A request was refused before it was known what it asks for."""
    _requests.labels("none", "none", code).inc()


def job_step(job: str, times: int = 1) -> None:
    """The worker dealt with so much of what was due."""
    _job_steps.labels(job).inc(times)


def job_failed(job: str) -> None:
    """Some of it failed, and is tried again."""
    _job_failures.labels(job).inc()


def delivered(to: str, outcome: str) -> None:
    """What became of an attempt to send an e-mail, or to have the video platform do something."""
    _deliveries.labels(to, outcome).inc()


def connection_taken() -> None:
    """A connection to the database is at work."""
    _in_use.inc()


def connection_given_back() -> None:
    """It is free again, or gone."""
    _in_use.dec()


def figures() -> CollectorRegistry:
    """All figures, of all processes that keep theirs in one folder with us."""
    folder = os.environ.get(FOLDER)
    if folder is None:
        return REGISTRY
    for path in Path(folder).glob("gauge_live*.db"):
        pid = int(path.stem.rpartition("_")[2])
        if not _is_alive(pid):
            with suppress(FileNotFoundError):  # another process is asked at the same time
                mark_process_dead(pid, folder)  # type: ignore[no-untyped-call]
    registry = CollectorRegistry()
    MultiProcessCollector(registry, folder)  # type: ignore[no-untyped-call]
    return registry


def is_allowed(authorization: str | None, token: str) -> bool:
    """Whether an `Authorization` header says that it is from somebody who may read the figures."""
    return hmac.compare_digest((authorization or "").encode("latin-1", "replace"), f"Bearer {token}".encode())


def _is_alive(pid: int) -> bool:
    """Whether there is such a process. Its number is given to no other before this has been asked many times over."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
