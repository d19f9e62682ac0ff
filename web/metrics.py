"""/metrics, for Prometheus, to whoever knows METRICS_TOKEN; without one there is no such page."""

import asyncio
from collections.abc import Iterable

import structlog
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from measuring import figures, is_allowed
from resolvers.backlog import backlog
from resolvers.disputes import oldest_dispute_age

log = structlog.get_logger()

ANSWER_WITHIN_SECONDS = 2.0
"After which the other figures are told without the database's."


def metrics_routes(token: str | None) -> list[Route]:
    """Where to look, if anywhere."""
    if token is None:
        return []

    async def metrics(request: Request) -> Response:
        """The figures of all web processes on this machine, and what the database has waiting."""
        if not is_allowed(request.headers.get("authorization"), token):
            return PlainTextResponse("Say METRICS_TOKEN as a bearer token.", 401, {"WWW-Authenticate": "Bearer"})
        waiting = CollectorRegistry()
        waiting.register(Told(await _waiting()))
        content = generate_latest(figures()) + generate_latest(waiting)
        return Response(content, media_type=CONTENT_TYPE_LATEST)

    return [Route("/metrics", metrics)]


class Told(Collector):
    """Figures that nobody counts: they were just asked for."""

    def __init__(self, found: list[Metric]) -> None:
        self._found = found

    def collect(self) -> Iterable[Metric]:
        return self._found


async def _waiting() -> list[Metric]:
    """What the database tells, whichever process asks it; that it does not answer is told too."""
    try:
        async with asyncio.timeout(ANSWER_WITHIN_SECONDS):
            found = await _found()
    except Exception as fault:
        log.warning("the database's figures can't be told", cause=repr(fault))
        found = []
    answers = GaugeMetricFamily("database_answers", "1 if it did just now, otherwise 0.", value=bool(found))
    return [answers, *found]


async def _found() -> list[Metric]:
    disputed, waiting = await oldest_dispute_age(), await backlog()
    deliveries = GaugeMetricFamily(
        "deliveries_waiting", "E-mails, and what the video platform is to do.", labels=["to"]
    )
    deliveries.add_metric(["mail"], waiting.mails)
    deliveries.add_metric(["conference"], waiting.conferences)
    overdue = GaugeMetricFamily(
        "oldest_due_age_seconds", "For how long what should have been done first has been due.", labels=["what"]
    )
    for what, age in waiting.overdue.items():
        overdue.add_metric([what], age.total_seconds())
    return [
        GaugeMetricFamily(
            "oldest_dispute_age_seconds",
            "Of those staff have not decided; 0 if none waits.",
            value=disputed.total_seconds() if disputed else 0.0,
        ),
        deliveries,
        overdue,
    ]
