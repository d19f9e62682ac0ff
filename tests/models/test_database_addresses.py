"""How the address of a database is read: what follows its question mark, and whether to encrypt."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit, urlunsplit

import pytest

from models.transactions import DatabaseUnavailable
from tests.models.test_database import ask, connected
from tests.web.key_server import certificate

pytestmark = pytest.mark.filterwarnings("ignore:Module .* has no models")


async def test_an_address_may_name_the_application(database_url: str):
    async with connected(f"{database_url}?application_name=a%20name&connect_timeout=3"):
        assert await ask("SHOW application_name") == "a name"
        assert await ask("SHOW statement_timeout") == "5s"


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificate(tmp_path_factory.mktemp("database"))


class Encrypting:
    """What a PostgreSQL with certificates does, in front of ours, which has been built without."""

    WANTS_TLS = bytes.fromhex("0000000804d2162f")

    def __init__(self, database_url: str, pem: Path) -> None:
        self._parts = urlsplit(database_url)
        self._tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._tls.load_cert_chain(pem)
        self.encrypted: list[bool] = []
        "Of each connection, whether it was."

    def url(self, arguments: str, *, host: str = "127.0.0.1") -> str:
        login = self._parts.netloc.rpartition("@")[0]
        return urlunsplit(self._parts._replace(netloc=f"{login}@{host}:{self._port}", query=arguments))

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self._port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *exception: object) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            first = await reader.readexactly(8)
            there, onward = await asyncio.open_connection(self._parts.hostname, self._parts.port)
            if first == self.WANTS_TLS:
                writer.write(b"S")
                await writer.start_tls(self._tls)
            else:
                onward.write(first)
            self.encrypted.append(first == self.WANTS_TLS)
            await asyncio.gather(self._pass_on(reader, onward), self._pass_on(there, writer))

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while some := await reader.read(65536):
                writer.write(some)
        writer.close()


@pytest.fixture
async def encrypting(database_url: str, pem: Path) -> AsyncIterator[Encrypting]:
    async with Encrypting(database_url, pem) as server:
        yield server


@pytest.mark.parametrize(
    ("arguments", "encrypts"),
    [
        ("sslmode=disable", False),
        ("sslmode=allow", False),
        ("sslmode=prefer", True),
        ("sslmode=require", True),
        ("sslmode=require&sslrootcert={pem}", True),
        ("sslmode=verify-ca&sslrootcert={pem}", True),
        ("sslmode=verify-full&sslrootcert={pem}", True),
    ],
)
async def test_an_address_says_whether_to_encrypt(encrypting: Encrypting, pem: Path, arguments: str, encrypts: bool):
    async with connected(encrypting.url(arguments.format(pem=pem))):
        assert await ask("SELECT 1") == 1
    assert encrypting.encrypted == [encrypts]


@pytest.mark.parametrize(
    ("host", "arguments"),
    [
        ("127.0.0.1", "sslmode=verify-full"),  # this machine trusts nobody who vouches for it
        ("127.0.0.1", "sslmode=verify-ca"),
        ("127.0.0.1", "sslmode=verify-full&sslrootcert={another}"),
        ("127.0.0.1", "sslmode=verify-ca&sslrootcert={another}"),
        ("127.0.0.1", "sslmode=require&sslrootcert={another}"),
        ("localhost", "sslmode=verify-full&sslrootcert={pem}"),  # not the name in its certificate
    ],
)
async def test_a_server_that_is_not_the_one_is_not_spoken_to(
    encrypting: Encrypting, pem: Path, tmp_path: Path, host: str, arguments: str
):
    url = encrypting.url(arguments.format(pem=pem, another=certificate(tmp_path)), host=host)
    async with connected(url):
        with pytest.raises(DatabaseUnavailable) as fault:
            await ask("SELECT 1")
        assert isinstance(fault.value.__cause__, ssl.SSLCertVerificationError)
    assert encrypting.encrypted == []


async def test_a_server_that_does_not_encrypt_is_not_spoken_to_where_it_must(database_url: str):
    async with connected(f"{database_url}?sslmode=require"):
        with pytest.raises(DatabaseUnavailable, match="SSL"):
            await ask("SELECT 1")
