"""A time stamping authority on this machine: certificates made for the test, stamps by OpenSSL, and bad manners on request."""

from __future__ import annotations

import asyncio
import datetime
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NEEDS_OPENSSL = pytest.mark.skipif(shutil.which("openssl") is None, reason="the stamps of the test are made by OpenSSL")
SETTINGS = """
[tsa]
default_tsa = one
[one]
serial = {folder}/serial
signer_cert = {folder}/tsa.pem
certs = {folder}/root.pem
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4
digests = sha256
accuracy = secs:1
ess_cert_id_alg = sha256
"""


class Authority:
    """``url`` answers as RFC 3161 says, or as ``manners`` says."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.manners = ""
        self.asked: list[bytes] = []
        self.url = ""
        folder.mkdir(parents=True)
        _make(folder)

    @property
    def root(self) -> bytes:
        return (self.folder / "root.pem").read_bytes()

    def stamp(self, query: bytes) -> bytes:
        """What OpenSSL answers to that query."""
        asked, answer = self.folder / "query.tsq", self.folder / "answer.tsr"
        asked.write_bytes(query)
        words = ["openssl", "ts", "-reply", "-config", f"{self.folder}/tsa.cnf", "-queryfile", str(asked), "-out", str(answer)]
        subprocess.run(words, check=True, capture_output=True)
        return answer.read_bytes()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        query = await request.read()
        self.asked.append(query)
        kind = "application/timestamp-reply"
        if self.manners == "silent":
            await asyncio.Event().wait()
        if self.manners == "broken":
            return web.Response(status=503, text="secret words of the authority")
        if self.manners == "page":
            return web.Response(text="<html>", content_type="text/html")
        if self.manners == "junk":
            return web.Response(body=b"\x30\x03\x02\x01\x00" * 9, content_type=kind)
        if self.manners == "endless":
            return web.Response(body=b"\x30" * 300_000, content_type=kind)
        asked = self.asked[0] if self.manners == "replay" else query
        return web.Response(body=await asyncio.to_thread(self.stamp, asked), content_type=kind)


@asynccontextmanager
async def authority(folder: Path) -> AsyncIterator[Authority]:
    """One that answers until the block is left."""
    made = Authority(folder)
    app = web.Application()
    app.router.add_post("/tsa", made.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}/tsa"
    try:
        yield made
    finally:
        await runner.cleanup()


def _make(folder: Path) -> None:
    now, day = datetime.datetime.now(datetime.UTC), datetime.timedelta(days=1)
    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    named = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Root of the test")])
    mine = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Authority of the test")])

    def begun(subject: x509.Name, public: ec.EllipticCurvePublicKey, serial: int) -> x509.CertificateBuilder:
        made = x509.CertificateBuilder().subject_name(subject).issuer_name(named).public_key(public).serial_number(serial)
        return made.not_valid_before(now - day).not_valid_after(now + day)

    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    root = begun(named, root_key.public_key(), 1).add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    root = root.add_extension(usage, critical=True)
    root = root.add_extension(x509.SubjectKeyIdentifier.from_public_key(root_key.public_key()), critical=False)
    leaf = begun(mine, key.public_key(), 2).add_extension(
        x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True
    )
    leaf = leaf.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key()), critical=False)
    pem = serialization.Encoding.PEM
    (folder / "root.pem").write_bytes(root.sign(root_key, hashes.SHA256()).public_bytes(pem))
    (folder / "tsa.pem").write_bytes(leaf.sign(root_key, hashes.SHA256()).public_bytes(pem))
    (folder / "tsa.key").write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    (folder / "serial").write_text("01\n")
    (folder / "tsa.cnf").write_text(SETTINGS.format(folder=folder))
