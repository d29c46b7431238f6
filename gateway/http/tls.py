"""TLS of our own listener: 1.3 unless told otherwise, and a certificate that is renewed without dropping a call (promise 24)."""

from __future__ import annotations

import asyncio
import logging
import os
import ssl
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509

from gateway.errors import Misconfigured

log = logging.getLogger(__name__)

LOOK_EVERY_S = 5.0
VERSIONS: Mapping[str, ssl.TLSVersion] = {"1.3": ssl.TLSVersion.TLSv1_3, "1.2": ssl.TLSVersion.TLSv1_2}
STRICT_1_2 = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""Where 1.2 is allowed: forward secrecy and authenticated encryption only (RFC 9325, section 4.2)."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """What the files held when they were read last."""

    expires: datetime
    names: tuple[str, ...]


class ListenerTls:
    """``context`` is what the listener speaks with. ``watch`` it: renewed files are taken, broken ones leave the old in force."""

    def __init__(self, certificate: Path, key: Path, *, minimum: str = "1.3") -> None:
        """``certificate``: the chain in PEM, our own first. ``key``: its private key in PEM, mode 0600.

        Raises:
            Misconfigured: a file is missing, open to others, no PEM, or the two do not belong together.
        """
        self._files = (certificate, key)
        self._minimum = minimum
        self.problem: Misconfigured | None = None
        """Why the newest files are not in force; None when they are."""
        self.context = _context(minimum)
        self._seen = self._stamps()
        self.certificate = self._load()

    def reload_if_changed(self) -> bool:
        """Take renewed files, for connections that begin from now on. Whether they are in force."""
        stamps = self._stamps()
        if stamps == self._seen:
            return False
        self._seen = stamps
        try:
            self.certificate = self._load()
        except Misconfigured as error:
            self.problem = error
            log.warning("the renewed certificate is not in force: %s", error.message)
            return False
        self.problem = None
        log.info("the renewed certificate is in force for %d days", (self.certificate.expires - datetime.now(UTC)).days)
        return True

    async def watch(self) -> None:
        """Look at the files again and again, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            await asyncio.to_thread(self.reload_if_changed)

    async def in_force(self) -> None:
        """For the readiness. Raises Misconfigured when newer files are broken."""
        if self.problem is not None:
            raise self.problem

    def _stamps(self) -> tuple[tuple[int, int] | None, ...]:
        return tuple(_stamp(path) for path in self._files)

    def _load(self) -> Certificate:
        certificate, key = self._files
        _owner_only(key)
        chain = _read(certificate)
        try:
            # First where nobody is served: a pair that does not fit must not touch the one in force.
            _context(self._minimum).load_cert_chain(certificate, key, password=_no_password)
            first = x509.load_pem_x509_certificates(chain)[0]
        except (ssl.SSLError, ValueError, OSError, IndexError) as error:
            raise Misconfigured(
                f"{certificate} and {key} are no certificate and its key ({type(error).__name__})",
                hint="PEM, the listener's own certificate first, and the key without a password",
            ) from None
        self.context.load_cert_chain(certificate, key, password=_no_password)
        return Certificate(first.not_valid_after_utc, _names(first))


def _no_password() -> str:
    raise ValueError("the key has a password")


def _context(minimum: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = VERSIONS[minimum]
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    context.set_ciphers(STRICT_1_2)
    context.set_alpn_protocols(["http/1.1"])
    return context


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Misconfigured(
            f"the certificate {path} cannot be read: {error.strerror}", hint="name it with SORDINO_TLS_CERT"
        ) from None


def _owner_only(path: Path) -> None:
    try:
        facts = os.stat(path)  # noqa: PTH116  (mode and kind in one look)
    except OSError as error:
        raise Misconfigured(f"the key {path} cannot be read: {error.strerror}", hint="name it with SORDINO_TLS_KEY") from None
    if not stat.S_ISREG(facts.st_mode):
        raise Misconfigured(f"the key {path} is not a plain file")
    if facts.st_mode & 0o077:
        raise Misconfigured(
            f"the key {path} is open to others than its owner (mode {stat.S_IMODE(facts.st_mode):04o})",
            hint=f"if nobody has read it: chmod 600 {path}; else make a new one",
        )


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        facts = path.stat()
    except OSError:
        return None
    return facts.st_mtime_ns, facts.st_ino


def _names(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    return tuple(found.get_values_for_type(x509.DNSName))
