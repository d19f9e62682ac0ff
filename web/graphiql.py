"""GraphiQL, for looking around in a sandbox: a page of our own at /graphql, and its files. Absent outside a sandbox."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

FILES = Path(__file__).with_suffix("")
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; font-src data:; img-src 'self' data:;"
        " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
}
REVALIDATE = {"Cache-Control": "no-cache"}
FOR_EVER = {"Cache-Control": "public, max-age=31536000, immutable"}

Endpoint = Callable[[Request], Awaitable[Response]]


def or_graphiql(endpoint: Endpoint) -> Endpoint:
    """The page for a browser that comes without a query, the endpoint for everybody else."""

    async def page_or_answer(request: Request) -> Response:
        is_browser = "text/html" in request.headers.get("accept", "")
        if request.method == "GET" and is_browser and "query" not in request.query_params:
            return FileResponse(FILES / "index.html", headers={**HEADERS, **REVALIDATE, "Vary": "Accept"})
        return await endpoint(request)

    return page_or_answer


class Files(StaticFiles):
    """The page's files. Those of others have their version in their names, so they never change."""

    def file_response(self, full_path: Any, *others: Any, **named: Any) -> Response:
        response = super().file_response(full_path, *others, **named)
        response.headers.update(HEADERS | (FOR_EVER if Path(full_path).parent.name == "vendor" else REVALIDATE))
        return response


GRAPHIQL_ROUTES = [Mount("/sandbox/graphiql", Files(directory=FILES))]
