"""SMTP against a server: what it takes, and what its refusals mean."""

import asyncio
import datetime
import ipaddress
import ssl
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from mail.messages import compose
from mail.sending import MailPostponed, MailRefused, MailServerAway
from mail.smtp import Smtp
from tests.driving import WAIT_AT_MOST_SECONDS
from tests.mail.letters import letter
from tests.mail.server import PASSWORD, SENDER, USER, MailServer

LOGIN = {"username": USER, "password": PASSWORD}


def message(**changes: Any):
    return compose(letter(**changes), sender=SENDER)


async def send(client: Smtp, *addresses: str) -> None:
    async with client.connection() as connection:
        for address in addresses:
            await connection.send(message(address=address))


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for this machine, signed by itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "certificate.pem"
    no_password = serialization.NoEncryption()
    form = serialization.PrivateFormat.PKCS8
    file.write_bytes(
        made.public_bytes(serialization.Encoding.PEM) + key.private_bytes(serialization.Encoding.PEM, form, no_password)
    )
    return file


def serving(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


async def test_a_batch_goes_over_one_connection():
    async with MailServer() as server:
        await send(server.client(), "uma@example.com", "emil@example.com", "zoe@example.com")
        assert [each["To"] for each in server.taken] == ["uma@example.com", "emil@example.com", "zoe@example.com"]
        assert server.connected == 1


async def test_nothing_to_send_connects_nowhere():
    async with MailServer() as server, server.client().connection():
        pass
    assert server.connected == 0


async def test_who_is_refused_for_good_stops_nobody_else():
    async with MailServer() as server, server.client().connection() as connection:
        server.refusing["gone@example.com"] = "550 5.1.1 No such user"
        with pytest.raises(MailRefused, match=r"550 5\.1\.1 No such user"):
            await connection.send(message(address="gone@example.com"))
        await connection.send(message())
        assert (len(server.taken), server.connected) == (1, 1)


@pytest.mark.parametrize("answer", ["450 4.2.1 Try later", "451 Greylisted", "452 Full"])
async def test_who_is_refused_for_now_is_tried_later(answer: str):
    async with MailServer() as server, server.client().connection() as connection:
        server.refusing["uma@example.com"] = answer
        with pytest.raises(MailPostponed) as postponed:
            await connection.send(message())
        assert not isinstance(postponed.value, MailServerAway)


@pytest.mark.parametrize(
    "answer",
    [
        "554 5.7.1 <uma@example.com>: Relay access denied",
        "553 5.7.1 <noreply@mail.example.com>: Sender address rejected: not owned by user",
        "550 5.1.8 <noreply@mail.example.com>: Sender address rejected: Domain not found",
        "530 Authentication required",
    ],
)
async def test_what_a_server_has_against_us_and_only_says_of_the_recipient_is_ours_to_put_right(answer: str):
    async with MailServer() as server, server.client().connection() as connection:
        server.refusing["uma@example.com"] = answer
        with pytest.raises(MailPostponed, match=answer[:3]):
            await connection.send(message())


async def test_a_server_may_look_through_what_it_takes_for_longer_than_a_step():
    async with MailServer() as server, server.client(step_seconds=0.2).connection() as connection:
        server.held = asyncio.Event()
        sending = asyncio.create_task(connection.send(message()))
        await server.asked.wait()
        await asyncio.wait([sending], timeout=0.5)
        server.held.set()
        await sending
        assert len(server.taken) == 1


async def test_content_can_be_refused_for_good_or_for_now():
    async with MailServer() as server, server.client().connection() as connection:
        server.answers_to_content = ["554 5.7.1 We take it for spam", "452 4.3.1 Full"]
        with pytest.raises(MailRefused, match="554"):
            await connection.send(message())
        with pytest.raises(MailPostponed, match="452"):
            await connection.send(message())
        await connection.send(message())
        assert (len(server.taken), server.connected) == (1, 1)


async def test_a_server_that_closes_is_called_again_for_the_next_one():
    async with MailServer() as server, server.client().connection() as connection:
        server.answers_to_content = ["421 4.3.2 Shutting down"]
        with pytest.raises(MailPostponed, match="421"):
            await connection.send(message())
        await connection.send(message())
        assert (len(server.taken), server.connected) == (1, 2)


async def test_what_was_taken_by_a_server_that_died_before_it_said_so_is_postponed_and_the_next_one_goes_out():
    async with MailServer() as server, server.client().connection() as connection:
        server.dying_after = 1
        with pytest.raises(MailPostponed):
            await connection.send(message())
        await connection.send(message())
        assert (len(server.taken), server.connected) == (2, 2)


async def test_nobody_there_is_said_at_once():
    async with MailServer() as server:
        pass
    with pytest.raises(MailServerAway):
        await send(server.client(), "uma@example.com")


async def test_a_server_that_says_nothing_is_not_waited_for_for_ever():
    async with MailServer() as server:
        server.held = asyncio.Event()
        with pytest.raises(MailPostponed, match="Timeout"):
            async with asyncio.timeout(WAIT_AT_MOST_SECONDS):
                await send(server.client(taking_seconds=0.2), "uma@example.com")
        server.held.set()


async def test_a_host_that_does_not_even_greet_is_not_waited_for_for_ever():
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    host = await asyncio.start_server(silent, "127.0.0.1", 0)
    client = Smtp("127.0.0.1", SENDER, host.sockets[0].getsockname()[1], step_seconds=0.2)
    with pytest.raises(MailServerAway):
        async with asyncio.timeout(WAIT_AT_MOST_SECONDS):
            await send(client, "uma@example.com")
    host.close()


async def test_a_cancelled_e_mail_leaves_no_half_used_connection_behind():
    async with MailServer() as server, server.client().connection() as connection:
        server.held = asyncio.Event()
        sending = asyncio.create_task(connection.send(message()))
        await server.asked.wait()
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        server.held.set()
        server.held = None
        await connection.send(message(address="emil@example.com"))
        assert len(server.to("emil@example.com")) == 1
        assert server.connected == 2


@pytest.mark.parametrize("starttls", [True, False])
async def test_with_tls_and_a_login(certificate: Path, starttls: bool):
    trusting = ssl.create_default_context(cafile=str(certificate))
    async with MailServer(tls=serving(certificate), starttls=starttls, login=True) as server:
        client = server.client(starttls=starttls, tls=not starttls, tls_context=trusting, **LOGIN)
        await send(client, "uma@example.com")
        assert len(server.taken) == 1


@pytest.mark.parametrize("starttls", [True, False])
async def test_a_certificate_that_nobody_vouches_for_is_sent_nothing(certificate: Path, starttls: bool):
    async with MailServer(tls=serving(certificate), starttls=starttls, login=True) as server:
        with pytest.raises(MailServerAway, match=r"(?i)certificate"):
            await send(server.client(starttls=starttls, tls=not starttls, **LOGIN), "uma@example.com")
        assert server.taken == []


async def test_a_server_that_offers_no_tls_where_it_was_asked_for_is_sent_nothing():
    async with MailServer() as server:
        with pytest.raises(MailServerAway):
            await send(server.client(starttls=True, **LOGIN), "uma@example.com")
        assert server.taken == []


async def test_a_wrong_password_is_ours_to_put_right_and_no_refusal_of_a_recipient(certificate: Path):
    trusting = ssl.create_default_context(cafile=str(certificate))
    async with MailServer(tls=serving(certificate), starttls=True, login=True) as server:
        client = server.client(starttls=True, tls_context=trusting, username=USER, password="wrong")
        with pytest.raises(MailServerAway, match="535") as away:
            await send(client, "uma@example.com")
        assert "wrong" not in str(away.value)
        assert "wrong" not in repr(client)
