"""Real servers for the whole run: one PostgreSQL with a migrated template, one Redis and one web process a worker."""

import asyncio
import gc
import os
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import httpx2
import pytest
import uvicorn

from app import create_app
from models.migrate import migrate
from servers.place import temporary_folder
from servers.postgres import Postgres
from servers.redis import Redis
from settings import Settings
from tests.driving import Client, Service, StoppedClock
from tests.invariants import check_invariants, forget_everybody

UNSAFE_AND_FAST = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "200",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "jit": "off",
}
TEMPLATE = "template_of_tests"
METRICS_TOKEN = "a token for whoever reads the metrics"
CHECKED_AFTER_EACH_TEST = ("jobs", "journeys", "races")
"Where several are at work at once, or something is killed. CHECK_EACH_TEST=1 finds which test of another it was."
AUTH_SECRET = "a secret of nothing but the tests, long enough"

running = ExitStack()


def pytest_configure(config: pytest.Config) -> None:
    """The controlling process starts PostgreSQL; the workers are told where it is."""
    if not hasattr(config, "workerinput") and not config.option.collectonly:
        gc.freeze()  # migrating makes very much, and each time Python would look through all of pytest
        folder = running.enter_context(temporary_folder())
        postgres = running.enter_context(Postgres(folder, settings=UNSAFE_AND_FAST))
        asyncio.run(_make_template(postgres.url))
        config.stash[POSTGRES] = postgres.url


def pytest_configure_node(node) -> None:
    node.workerinput["postgres_url"] = node.config.stash[POSTGRES]


def pytest_unconfigure(config: pytest.Config) -> None:
    running.close()


POSTGRES = pytest.StashKey[str]()


async def _make_template(url: str) -> None:
    await _execute(url, f"CREATE DATABASE {TEMPLATE}")
    await migrate(_database(url, TEMPLATE))


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def _database(url: str, name: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


@pytest.fixture(scope="session")
def postgres_url(request: pytest.FixtureRequest) -> str:
    """The server; its `postgres` database is nobody's."""
    workerinput = getattr(request.config, "workerinput", None)
    return workerinput["postgres_url"] if workerinput else request.config.stash[POSTGRES]


@pytest.fixture(scope="session")
async def database_url(postgres_url: str, worker_id: str) -> str:
    """This worker's own database."""
    await _execute(postgres_url, f"CREATE DATABASE of_{worker_id} TEMPLATE {TEMPLATE}")
    return _database(postgres_url, f"of_{worker_id}")


@pytest.fixture(scope="session")
def redis_server() -> Iterator[Redis]:
    """This worker's own Redis: publish and subscribe know no database numbers."""
    with temporary_folder() as folder, Redis(folder) as redis:
        yield redis


@pytest.fixture(scope="session")
def settings(database_url: str, redis_server: Redis, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(
        database_url=database_url,
        redis_url=redis_server.url,
        auth_secret=AUTH_SECRET,
        metrics_token=METRICS_TOKEN,
        sandbox=False,
        mail_folder=str(tmp_path_factory.mktemp("mail") / "kept"),
    )


@pytest.fixture(scope="session")
async def service(settings: Settings) -> AsyncIterator[Service]:
    """The web process, in this one: real HTTP and WebSocket, and a clock that tests move."""
    clock = StoppedClock()
    app = create_app(settings, clock=clock)
    # With its protocol named, asyncio turns Nagle's algorithm off; without, every answer would wait 40 ms.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        config = uvicorn.Config(
            app,
            ws="web.connection:Connection",
            ws_ping_interval=0,
            log_config=None,
            timeout_graceful_shutdown=5,
            timeout_keep_alive=60,
        )
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        async with httpx2.AsyncClient(base_url=url, timeout=30) as http:
            assert (await http.get("/ready")).status_code == 200
            yield Service(app=app, url=url, http=http, clock=clock)
        server.should_exit = True
        await serving


@pytest.fixture
async def world(service: Service, in_order: None, request: pytest.FixtureRequest) -> AsyncIterator[Service]:
    """The service at the start of a test; when it ends, money and numbering must be in order, whatever happened."""
    service.clock.reset()
    service.whole_answers = False
    yield service
    if request.path.parent.name in CHECKED_AFTER_EACH_TEST or "CHECK_EACH_TEST" in os.environ:
        await check_invariants()


@pytest.fixture(scope="module")
async def in_order(service: Service) -> AsyncIterator[None]:
    """The same, once for all tests of a module: what is out of order stays so. Then the next one finds nobody."""
    yield
    try:
        await check_invariants()
    finally:
        await forget_everybody()


@pytest.fixture
def whole_answers(world: Service) -> None:
    """Mutations show the meeting with its lists, too."""
    world.whole_answers = True


@pytest.fixture
async def uma(world: Service) -> Client:
    """A user with 100 credits."""
    return await world.somebody("Uma User", credits="100.00")


@pytest.fixture
async def emil(world: Service) -> Client:
    """An expert: one service of 60 minutes for 40 credits, one skill."""
    return await world.expert("Emil Expert")


@pytest.fixture
async def stella(world: Service) -> Client:
    """Staff."""
    return await world.somebody("Stella Staff", roles=["staff"])
