"""/metrics, for Prometheus, to whoever knows METRICS_TOKEN; without one there is no such page."""

import hmac

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from resolvers.disputes import oldest_dispute_age


def metrics_routes(token: str | None) -> list[Route]:
    """Where to look, if anywhere."""
    if token is None:
        return []
    expected = f"Bearer {token}".encode()

    async def metrics(request: Request) -> Response:
        """How long the oldest dispute has waited for staff (S3)."""
        given = request.headers.get("authorization", "").encode("latin-1")
        if not hmac.compare_digest(given, expected):
            return PlainTextResponse("Say METRICS_TOKEN as a bearer token.", 401, {"WWW-Authenticate": "Bearer"})
        registry = CollectorRegistry()
        age = Gauge(
            "oldest_dispute_age_seconds", "Of those staff have not decided; 0 if none waits.", registry=registry
        )
        if waited := await oldest_dispute_age():
            age.set(waited.total_seconds())
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return [Route("/metrics", metrics)]
