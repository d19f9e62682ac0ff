"""An issuer of tokens for tests: its keys, and a real https server that hands out the public ones, or does not."""

import asyncio
import ipaddress
import json
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from joserfc import jwt
from joserfc.jwk import Key
from joserfc.jws import JWSRegistry

LOOPBACK = "127.0.0.1"


def certificate(folder: Path) -> Path:
    """A new certificate of this machine's loopback address, signed by itself, and its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "the tests")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(subject_name=name, issuer_name=name, public_key=key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(LOOPBACK))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / "certificate.pem"
    file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return file


def public(key: Key, **members: Any) -> dict[str, Any]:
    """A key as a set shows it."""
    return {**key.as_dict(), **members}


def signed(key: Key, algorithm: str, claims: dict[str, Any], **header: Any) -> str:
    """A token as an issuer makes it; a header that is None is left out."""
    given = {"alg": algorithm, **header}
    registry = JWSRegistry(algorithms=[algorithm], strict_check_header=False)
    return jwt.encode({name: value for name, value in given.items() if value is not None}, claims, key, None, registry)


def claims(**changes: Any) -> dict[str, Any]:
    return {"sub": "ada", "exp": int(time.time()) + 60, **changes}


class KeyServer:
    """Counts how often it was asked, and answers as the test has told it."""

    def __init__(self, certificate: Path) -> None:
        self._tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._tls.load_cert_chain(certificate)
        self._port = 0
        self.asked = 0
        self.keys: list[Any] = []
        self.status = "200 OK"
        self.headers: dict[str, str] = {}
        self.body: bytes | None = None
        "Sent instead of the keys."
        self.pause_seconds = 0.0
        "Taken before each byte, if it is not 0."
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.was_asked = asyncio.Event()

    @property
    def url(self) -> str:
        return f"https://{LOOPBACK}:{self._port}/keys"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, LOOPBACK, self._port, ssl=self._tls)
        self._port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *exception: object) -> None:
        self.may_answer.set()
        self._server.close()

    @asynccontextmanager
    async def down(self) -> AsyncIterator[None]:
        """Nobody listens at its address meanwhile."""
        await self.__aexit__()
        await self._server.wait_closed()
        try:
            yield
        finally:
            await self.__aenter__()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            self.asked += 1
            self.was_asked.set()
            await self.may_answer.wait()
            body = json.dumps({"keys": self.keys}).encode() if self.body is None else self.body
            headers = {"Content-Length": str(len(body)), "Connection": "close", **self.headers}
            head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
            writer.write(f"HTTP/1.1 {self.status}\r\n{head}\r\n".encode())
            for piece in [body[each : each + 1] for each in range(len(body))] if self.pause_seconds else [body]:
                await asyncio.sleep(self.pause_seconds)
                writer.write(piece)
                await writer.drain()
        except OSError:
            pass  # they have had enough
        finally:
            writer.close()
