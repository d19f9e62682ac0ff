"""What tests of the web layer are given."""

import dataclasses
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from models.transactions import before_each_statement
from settings import Settings
from tests.driving import Service
from tests.web.issuing import EC, ED25519, RSA, Stopwatch
from tests.web.key_server import KeyServer, certificate, public
from tests.web.sockets import Held
from web.signing_keys import SigningKeys
from web.tokens import Tokens


@pytest.fixture
async def held() -> AsyncIterator[Callable[[int], Held]]:
    """Holds up the next transaction before its nth statement."""
    made: list[Held] = []

    def hold(at_statement: int) -> Held:
        made.append(Held(at_statement))
        before_each_statement(made[-1])
        return made[-1]

    yield hold
    before_each_statement(None)
    for each in made:
        each.released.set()


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificate(tmp_path_factory.mktemp("issuer"))


@pytest.fixture
async def server(pem: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[KeyServer]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    async with KeyServer(pem) as server:
        server.keys = [public(RSA, kid="rsa"), public(EC, kid="ec"), public(ED25519, kid="ed")]
        yield server


@pytest.fixture
def clock() -> Stopwatch:
    return Stopwatch()


@pytest.fixture
def keys(server: KeyServer, pem: Path, clock: Stopwatch) -> SigningKeys:
    return SigningKeys(server.url, tls=ssl.create_default_context(cafile=pem), now=clock)


@pytest.fixture
def issued(settings: Settings, server: KeyServer) -> Settings:
    """Settings of a service whose tokens are signed by the issuer, and by nobody else."""
    return dataclasses.replace(settings, auth_secret=None, auth_jwks_url=server.url)


@pytest.fixture
def tokens(issued: Settings, keys: SigningKeys) -> Tokens:
    return Tokens(issued, keys=keys)


@pytest.fixture
def service_of_issuer(world: Service, tokens: Tokens) -> Iterator[Service]:
    """The service with these tokens; a test may give it others."""
    before = world.app.state.tokens
    world.app.state.tokens = tokens
    yield world
    world.app.state.tokens = before
