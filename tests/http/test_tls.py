"""Our own listener: TLS 1.3, certificates that are renewed under running connections, senders who would confuse or starve it."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from yarl import URL

import gateway.serving
from gateway.errors import Misconfigured
from gateway.http.headers import ALWAYS, BY_TLS
from gateway.http.proxy import door
from gateway.http.tls import ListenerTls
from gateway.serving import free_port
from gateway.serving import listen as gateway_listens
from gateway.settings import Settings
from tests.http.listening import serving as listening

PATIENCE_S = 30


def write_pair(folder: Path, *, serial: int = 1, password: bool = False) -> tuple[Path, Path]:
    """A certificate for ``localhost`` and its key, as files."""
    now, key = datetime.now(UTC), ec.generate_private_key(ec.SECP256R1())
    names = [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
    names = [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    locked = serialization.BestAvailableEncryption(b"secret") if password else serialization.NoEncryption()
    paths = folder / "cert.pem", folder / "key.pem"
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    paths[1].touch(0o600)
    paths[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked))
    return paths


@asynccontextmanager
async def serving(tls: ListenerTls | None) -> AsyncIterator[int]:
    """The gateway's own listener, with two of its paths that say how much they were sent; its port."""

    async def answer(request: web.Request) -> web.Response:
        return web.Response(text=f"{len(await request.read())} bytes", headers={"X-Frame-Options": "SAMEORIGIN"})

    paths = [web.get("/v1/models", answer), web.post("/v1/chat/completions", answer)]
    settings = Settings.from_env({})
    async with AsyncExitStack() as running:
        url = await gateway_listens(settings, free_port(settings.host), paths, running, tls=tls)
        yield URL(url).port or 0


def trusting(path: Path, *, most: ssl.TLSVersion | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(path))
    if most is not None:
        context.maximum_version = most
    return context


async def talk(port: int, sent: bytes, context: ssl.SSLContext | None = None) -> bytes:
    """All that comes back for these bytes."""
    async with asyncio.timeout(PATIENCE_S):
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", port, ssl=context, server_hostname="localhost" if context else None
        )
        try:
            writer.write(sent)
            await writer.drain()
            return await reader.read()
        finally:
            writer.close()


HELLO = b"GET /v1/models HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


# --- versions and certificates ----------------------------------------------------------------------------------------


async def test_it_speaks_tls_1_3_and_says_so_to_browsers(tmp_path: Path) -> None:
    certificate, key = write_pair(tmp_path)
    async with serving(ListenerTls(certificate, key)) as port:
        answer = await talk(port, HELLO, trusting(certificate))
    head = answer.split(b"\r\n\r\n")[0].decode()
    assert head.startswith("HTTP/1.1 200")
    for name, value in {**ALWAYS, **BY_TLS}.items():
        assert name == "X-Frame-Options" or f"{name}: {value}" in head
    assert "X-Frame-Options: SAMEORIGIN" in head  # what an answer says itself stays
    assert "Cache-Control: no-store" in head
    assert "Server:" not in head


async def test_without_tls_no_browser_is_told_to_insist_on_it() -> None:
    async with serving(None) as port:
        assert b"Strict-Transport-Security" not in await talk(port, HELLO)


async def test_older_versions_are_refused_unless_somebody_says_so(tmp_path: Path) -> None:
    certificate, key = write_pair(tmp_path)
    old = trusting(certificate, most=ssl.TLSVersion.TLSv1_2)
    async with serving(ListenerTls(certificate, key)) as port:
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await talk(port, HELLO, old)
    async with serving(ListenerTls(certificate, key, minimum="1.2")) as port:
        assert b"200 OK" in await talk(port, HELLO, old)


async def test_a_renewed_certificate_is_taken_and_connections_that_were_open_go_on(tmp_path: Path) -> None:
    certificate, key = write_pair(tmp_path, serial=1)
    tls = ListenerTls(certificate, key)
    async with serving(tls) as port, asyncio.timeout(PATIENCE_S):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trusting(certificate), server_hostname="localhost")
        write_pair(tmp_path, serial=2)
        assert tls.reload_if_changed()
        assert not tls.reload_if_changed()
        writer.write(HELLO)
        assert b"200 OK" in await reader.read()
        writer.close()
        assert b"200 OK" in await talk(port, HELLO, trusting(certificate))


async def test_a_broken_renewal_leaves_the_old_pair_in_force_and_is_told(tmp_path: Path) -> None:
    certificate, key = write_pair(tmp_path)
    kept = certificate.with_name("kept.pem")
    kept.write_bytes(certificate.read_bytes())
    tls = ListenerTls(certificate, key)
    certificate.write_text("half a certifica")
    assert not tls.reload_if_changed()
    with pytest.raises(Misconfigured, match="no certificate and its key"):
        await tls.in_force()
    async with serving(tls) as port:
        assert b"200 OK" in await talk(port, HELLO, trusting(kept))
    write_pair(tmp_path)
    assert tls.reload_if_changed()
    await tls.in_force()


def _foreign_key(folder: Path) -> None:
    other = folder / "other"
    other.mkdir()
    (folder / "key.pem").write_bytes(write_pair(other)[1].read_bytes())


BROKEN = {
    "a certificate that is not there": lambda folder: (folder / "cert.pem").unlink(),
    "a key that is not there": lambda folder: (folder / "key.pem").unlink(),
    "a key that others may read": lambda folder: (folder / "key.pem").chmod(0o640),
    "a key of another certificate": _foreign_key,
    "a key with a password": lambda folder: write_pair(folder, password=True),
    "no PEM at all": lambda folder: (folder / "cert.pem").write_text("hello"),
    "a folder": lambda folder: ((folder / "key.pem").unlink(), (folder / "key.pem").mkdir()),
}


@pytest.mark.parametrize("how", BROKEN.values(), ids=BROKEN.keys())
def test_a_pair_that_cannot_be_used_is_refused_by_name(tmp_path: Path, how: object) -> None:
    certificate, key = write_pair(tmp_path)
    how(tmp_path)  # type: ignore[operator]
    with pytest.raises(Misconfigured, match=r"cert\.pem|key\.pem"):
        ListenerTls(certificate, key)


# --- senders who try to confuse it ------------------------------------------------------------------------------------

SMUGGLED = {
    "two lengths": b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    "a length and chunks": b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a length that is no number": b"Content-Length: +5\r\n\r\nhello",
    "a header that goes on in the next line": b"X-One: a\r\n b\r\nContent-Length: 0\r\n\r\n",
    "a name with a space": b"Content-Length : 5\r\n\r\nhello",
    "a zero byte": b"X-One: a\x00b\r\nContent-Length: 0\r\n\r\n",
    "chunks of another kind": b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "chunks said twice": b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a chunk whose size is no number": b"Transfer-Encoding: chunked\r\n\r\n-1\r\nhello\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("rest", SMUGGLED.values(), ids=SMUGGLED.keys())
async def test_what_two_readers_could_read_in_two_ways_is_refused(rest: bytes) -> None:
    """RFC 9112, section 11.2: a request behind the request must never come out of it."""
    second = b"GET /v1/models HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    async with serving(None) as port:
        answer = await talk(port, b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n" + rest + second)
    assert answer[9:10] == b"4", answer[:80]
    assert answer.count(b"HTTP/1.") == 1


OVERSIZED = {
    "a line": b"GET /v1/" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a header": b"GET /v1/models HTTP/1.1\r\nHost: localhost\r\nX-Long: " + b"a" * 70_000 + b"\r\n\r\n",
}


@pytest.mark.parametrize("sent", OVERSIZED.values(), ids=OVERSIZED.keys())
async def test_what_is_too_long_is_refused_at_once(sent: bytes) -> None:
    async with serving(None) as port:
        answer = await talk(port, sent)
    assert answer[9:10] == b"4"


async def test_a_body_that_is_too_long_is_refused_with_a_typed_error() -> None:
    head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 100000\r\n\r\n"
    async with serving(None) as port:
        answer = await talk(port, head + b"a" * 100_000)
    assert answer.startswith(b"HTTP/1.1 413")
    assert b"payload_too_large" in answer


async def test_who_sends_a_head_byte_by_byte_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Slow-loris: the bound is on the whole head, not on the time between two bytes."""
    monkeypatch.setattr(gateway.serving, "HEAD_WITHIN_S", 1.0)
    async with serving(None) as port, asyncio.timeout(PATIENCE_S):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /v1/models HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
        while not reader.at_eof():
            writer.write(b"a")
            with suppress(TimeoutError, ConnectionError):
                await asyncio.wait_for(reader.read(1), 0.1)
        assert reader.at_eof()
        writer.close()


async def test_who_sends_a_body_byte_by_byte_gets_a_typed_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "BODY_WITHIN_S", 0.5)

    async def answer(request: web.Request) -> web.Response:
        return web.Response(body=await door.read_body(request, 100))

    async with listening([web.post("/v1/x", answer)]) as client, asyncio.timeout(PATIENCE_S):
        response = await client.post("/v1/x", data=trickle())
        assert (response.status, (await response.json())["error"]["code"]) == (400, "invalid_request")


async def trickle() -> AsyncIterator[bytes]:
    for _ in range(600):
        yield b"a"
        await asyncio.sleep(0.1)
