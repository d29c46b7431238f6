"""``sordino evidence certificates``: what was deleted, with which key, when and why; and the verification of one certificate."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.cli.attached import add_policies
from gateway.cli.data import on_the_data_desk
from gateway.cli.offline import safe
from gateway.errors import EvidenceInvalid
from gateway.evidence.certificate import Certificate, is_certificate, verify_certificate
from gateway.holding import DataDesk
from gateway.values import TenantId

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001  (argparse has no public name for it)

GOOD, INVALID = 0, 1
LARGEST = 64 * 1024


def add_certificates(commands: Subparsers) -> None:
    """Add ``evidence certificates``."""
    what = "the certificates of a tenant's deletions: what, where, which key, why, by whom and when"
    command = commands.add_parser(
        "certificates", help=what, description=what, epilog="example: sordino evidence certificates --tenant acme --call C"
    )
    command.add_argument("--tenant", required=True, metavar="T", help="whose")
    command.add_argument("--call", metavar="C", help="only of this call")
    command.add_argument("--format", default="text", choices=["text", "json"], help="json: one signed certificate a line")
    add_policies(command)
    command.set_defaults(run=run_certificates)


def run_certificates(given: argparse.Namespace) -> int:
    """``sordino evidence certificates --tenant T [--call C]``"""

    async def work(desk: DataDesk) -> int:
        tenant = TenantId(given.tenant)
        found = [each async for each in desk.certificates.all(tenant)] if given.call is None else []
        found += await desk.certificates.of(tenant, given.call) if given.call is not None else []
        for certificate in sorted(found, key=lambda each: each.place):
            print(certificate.to_json().decode().rstrip() if given.format == "json" else _line(certificate))
        if not found and given.format == "text":
            print("nothing was deleted" + (" of that call" if given.call else f" of {given.tenant}"))
        return GOOD

    return on_the_data_desk(given, work)


def of_certificate(path: Path) -> bool:
    """Whether the file is a certificate. Raises OSError."""
    return path.stat().st_size <= LARGEST and is_certificate(path.read_bytes())


def run_verify(path: Path, trusted_key: bytes | None) -> int:
    """``sordino evidence verify CERTIFICATE [--key PUB]``. Raises OSError."""
    try:
        verified = verify_certificate(path.read_bytes(), trusted_key)
    except EvidenceInvalid as error:
        print(f"{path}: NOT VALID: {safe(str(error))}", file=sys.stderr)
        return INVALID
    place, hash_ = verified.certificate.place
    print(f"verified: {safe(_line(verified.certificate))}")
    print(f"  entry {place} of the evidence of {safe(verified.certificate.tenant)} says the same: {safe(hash_)}")
    whose = "the key that you gave" if verified.trusted else "which you have not confirmed: give --key signing.pub"
    print(f"  signed by key {verified.key_id}, {whose}")
    return GOOD


def _line(certificate: Certificate) -> str:
    stated = certificate.document
    where = stated["where"] if isinstance(stated["where"], list) else []
    key = f", key {certificate.key_id} destroyed" if certificate.key_id else ""
    said = f"{stated['at']}  {certificate.holding} of {certificate.of} gone from {', '.join(map(str, where))}{key}"
    return f"{said}: {stated['why']} ({stated['by']})"
