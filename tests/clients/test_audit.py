"""GraphQL over HTTP to the letter, as the audit of npm's graphql-http reads it."""

from collections.abc import Iterator

import pytest

from schema.executing import tell_clients_of_the_schema
from tests.clients.node import running
from tests.driving import Client, Service

NUMBER_OF_AUDITS = 61


@pytest.fixture
def introspection() -> Iterator[None]:
    """Some of the audits ask for the schema."""
    tell_clients_of_the_schema(True)
    yield
    tell_clients_of_the_schema(False)


@pytest.mark.usefixtures("introspection")
async def test_every_audit_of_graphql_over_http_is_ok_and_none_warns(world: Service, uma: Client):
    headers = {"authorization": f"Bearer {uma.token}", "graphql-preflight": "1"}
    async with world.nothing_changes(), running("audit.mjs", url=f"{world.url}/graphql", headers=headers) as audit:
        results = (await audit.event("audited"))["results"]
    failures = [
        f"{result['status']} {result['id']} {result['name']}: {result['reason']}"
        for result in results
        if result["status"] != "ok"
    ]
    assert not failures, "\n".join(failures)
    assert len(results) == NUMBER_OF_AUDITS
