"""``sordino evidence``: read and verify receipts and bundles, offline, trusting nobody."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from cryptography.x509 import Certificate
from rich.console import Console
from rich.table import Table
from rich.text import Text

from gateway.adapters.audit.bundle_file import is_bundle
from gateway.cli import evidence_certificates, evidence_export, evidence_proof, offboarding
from gateway.cli.evidence_other import other_kind
from gateway.cli.offline import safe, trusted_key
from gateway.errors import EvidenceInvalid
from gateway.evidence.anchor import read_roots
from gateway.evidence.entries import Json
from gateway.evidence.head import is_proof
from gateway.evidence.receipt import Verified, verify

GOOD, INVALID, USAGE = 0, 1, 2
LARGEST_PROOF = 1024 * 1024
"""Bytes. A proof is one entry and some dozens of hashes."""

GATES: Mapping[str, str] = {
    "kept": "every announcement was played whole and acknowledged before anything of the caller was heard",
    "not_reached": "the caller was never heard",
    "broken": "THE CALLER WAS HEARD BEFORE EVERY ANNOUNCEMENT WAS PROVEN",
    "none": "no voice on this call, or it is announced by the tenant's own program",
}
DURABILITIES: Mapping[str, str] = {
    "fsync": "every entry was confirmed to be on the disk before the call went on",
    "memory": "the store had no disk: entries were confirmed in its memory only",
    "unconfirmed": "some entries were not confirmed by the store; the gateway kept them in this receipt alone",
}


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``evidence`` and its commands. Each sets ``run``: a function of the parsed arguments that returns the exit code."""
    evidence = subparsers.add_parser(
        "evidence",
        help="read and verify the receipts of calls, offline; export a tenant's evidence",
        description="Read and verify receipts of calls, and whole bundles. That needs only the file and, to know who signed it, "
        "the public key.",
        epilog="example: sordino evidence verify receipt.json --key signing.pub",
    )
    commands = evidence.add_subparsers(dest="evidence_command", required=True, metavar="COMMAND")
    for name, run, what in (
        ("verify", run_verify, "find any change to a receipt or a bundle; exit code 0 good, 1 invalid, 2 wrong usage"),
        ("show", run_show, "show a receipt as a table for people; it is verified first"),
    ):
        command = commands.add_parser(name, help=what, description=what, epilog=f"example: sordino evidence {name} receipt.json")
        command.add_argument(
            "file", metavar="FILE", type=Path, help="the receipt (JSON), or for verify a bundle (ZIP) or a proof"
        )
        command.add_argument("--key", metavar="PUB", help="the gateway's public key: a PEM file, or its base64 text")
        if run is run_verify:
            what = "the root certificate of the time stamping authority whose stamps are in a bundle"
            command.add_argument("--tsa-root", type=Path, metavar="PEM", help=what)
        command.set_defaults(run=run)
    evidence_export.add_export(commands)
    evidence_proof.add_proofs(commands)
    evidence_certificates.add_certificates(commands)


BLIND = {
    "kept": "nobody but the payment processor was sent anything between its markers",
    "broken": "BROKEN: somebody else was sent something between its markers",
}
"""What a receipt's ``payments`` say, for people."""


def run_verify(arguments: argparse.Namespace) -> int:
    """``sordino evidence verify FILE [--key PUB] [--tsa-root PEM]``"""
    try:
        roots = read_roots(arguments.tsa_root.read_bytes()) if arguments.tsa_root else []
        other = _other_than_receipt(arguments.file, roots)
        if other is not None:
            return other(arguments.file, trusted_key(arguments.key))
    except OSError as error:
        return _complain(f"{error.filename}: cannot be read: {error.strerror}", USAGE)
    except EvidenceInvalid as error:
        return _complain(f"--key or --tsa-root: {error}", USAGE)
    verified = _verified(arguments)
    if isinstance(verified, int):
        return verified
    receipt = verified.receipt
    print(f"verified: call {safe(receipt.call)} of {safe(receipt.tenant)}, {_outcome(receipt.document)}")
    print(f"  {verified.statement}")
    print(f"  gate: {receipt.document['gate']}: {GATES[str(receipt.document['gate'])]}")
    for pause in _rows(receipt.document.get("payments")):
        print(f"  pause {pause['pause']} for card data: {BLIND[str(pause['blind'])]}")
    print(f"  durability: {receipt.durability}: {DURABILITIES[receipt.durability]}")
    if not verified.trusted:
        print(f"  to confirm the key: sordino evidence verify {arguments.file} --key signing.pub")
    return GOOD


def run_show(arguments: argparse.Namespace) -> int:
    """``sordino evidence show FILE [--key PUB]``"""
    verified = _verified(arguments)
    if isinstance(verified, int):
        return verified
    console = Console(highlight=False)
    for table in tables(verified):
        console.print(table)
        console.print()
    return GOOD


def tables(verified: Verified) -> list[Table]:
    """A verified receipt as rich tables."""
    document = verified.receipt.document
    shown = [_facts(verified)]
    for title, make in (
        ("Announcements", _announcements),
        ("Consent taken back", _withdrawals),
        ("Recording", _recording),
        ("Pauses for card data", _payments),
        ("Who received what", _hops),
        ("Spoken on the way", _spoken),
        ("Refused", _refusals),
    ):
        table = make(document)
        if table.row_count:
            table.title, table.title_justify = title, "left"
            shown.append(table)
    return shown


def _verified(arguments: argparse.Namespace) -> Verified | int:
    """The verified receipt, or the exit code of what was already said on stderr."""
    try:
        if kind := other_kind(arguments.file):
            return _complain(f"{arguments.file}: NOT VALID: {kind}", INVALID)
        data = arguments.file.read_bytes()
        key = trusted_key(arguments.key)
    except OSError as error:
        return _complain(f"{error.filename}: cannot be read: {error.strerror}", USAGE)
    except EvidenceInvalid as error:
        return _complain(f"--key: {error}", USAGE)
    try:
        return verify(data, key)
    except EvidenceInvalid as error:
        return _complain(f"{arguments.file}: NOT VALID: {error}", INVALID)


def _other_than_receipt(path: Path, roots: Sequence[Certificate]) -> Callable[[Path, bytes | None], int] | None:
    """Who verifies this file, where it is no receipt."""
    try:
        if is_bundle(path):
            return partial(evidence_export.run_verify, roots=roots)
        if path.stat().st_size <= LARGEST_PROOF and is_proof(path.read_bytes()):
            return evidence_proof.run_verify
        if offboarding.of_end(path):
            return offboarding.run_verify
        if evidence_certificates.of_certificate(path):
            return evidence_certificates.run_verify
    except OSError:
        return None  # who reads it as a receipt says why it cannot be read
    return None


def _complain(what: str, code: int) -> int:
    print(safe(what), file=sys.stderr)
    return code


def _outcome(document: Mapping[str, Json]) -> str:
    code = document["code"]
    return f"{document['outcome']} ({safe(code)})" if code else str(document["outcome"])


def _rows(value: Json) -> Sequence[Mapping[str, Any]]:
    return [row for row in value if isinstance(row, Mapping)] if isinstance(value, list) else []


def _cell(value: object) -> Text:
    """Never markup: a receipt's text cannot dress itself up."""
    return Text(safe(str(value)))


def _facts(verified: Verified) -> Table:
    document = verified.receipt.document
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    masked = document["masked"]
    counts = ", ".join(f"{name} {count}" for name, count in masked.items()) if isinstance(masked, Mapping) else ""
    for name, value in (
        ("call", document["call"]),
        ("tenant", document["tenant"]),
        ("carrier", f"{document['carrier'] or '-'} {document['direction'] or ''}"),
        ("started", document["started"] or "-"),
        ("ended", document["ended"] or "never confirmed"),
        ("outcome", _outcome(document)),
        ("gate", f"{document['gate']}: {GATES[str(document['gate'])]}"),
        ("dropped before listening", f"{document['frames_dropped_before_listening']} frames"),
        ("masked", counts or "nothing"),
        ("policy", document["policy_digest"] or "-"),
        ("processors' registry", document["registry_digest"] or "-"),
        ("durability", f"{verified.receipt.durability}: {DURABILITIES[verified.receipt.durability]}"),
        ("verified", verified.statement),
    ):
        table.add_row(Text(name, style="dim"), _cell(value))
    return table


def _announcements(document: Mapping[str, Json]) -> Table:
    table = Table("announcement", "rule", "language", "played", "acknowledged", "answer", "audio SHA-256")
    for row in _rows(document["announcements"]):
        how = (
            f"{row['acknowledged']} after {row.get('ack_ms', '?')} ms" if row["proven"] else f"no: {row.get('why', 'not whole')}"
        )
        played = f"{row.get('played_ms', '?')} of {row.get('total_ms', '?')} ms"
        digest = str(row.get("audio_sha256", "-")).removeprefix("sha256:")[:16]
        table.add_row(*map(_cell, (row["id"], row.get("rule", "-"), row.get("language", "-"), played, how, _answer(row), digest)))
    return table


def _answer(row: Mapping[str, Any]) -> str:
    """What the caller said to it, how, and how long after its end."""
    answer = row.get("answer")
    if not isinstance(answer, Mapping):
        return "none" if "mode" in row else "not asked"
    then = f", then {answer['then']}" if "then" in answer else ""
    return f"{answer['said']} to {answer['purpose']} ({answer['how']}, {answer['after_ms']} ms){then}"


def _withdrawals(document: Mapping[str, Json]) -> Table:
    table = Table("purpose", "how", "at", "then")
    for row in _rows(document.get("withdrawn")):
        table.add_row(*map(_cell, (row["purpose"], row["how"], row["at"], row["then"])))
    return table


def _payments(document: Mapping[str, Json]) -> Table:
    table = Table("begun by", "at", "ended", "until", "keys", "processor said", "nobody else")
    for row in _rows(document.get("payments")):
        answers = ", ".join(map(str, row.get("answers") or ()))
        cells = (row["reason"], row["at"], row["ended"] or "", row["until"] or "", row.get("keys", ""), answers, row["blind"])
        table.add_row(*map(_cell, cells))
    return table


def _recording(document: Mapping[str, Json]) -> Table:
    table = Table("what", "at", "why", "length", "gaps", "key", "kept by")
    for row in _rows(document.get("recording")):
        gaps = ", ".join(f"{gap['reason']} {gap['start_ms']}-{gap['end_ms']} ms" for gap in _rows(row.get("gaps")))
        why = row.get("why") or row.get("reason") or row.get("code") or ""
        length = f"{row['ms']} ms" if "ms" in row else ""
        table.add_row(*map(_cell, (row["what"], row["at"], why, length, gaps, row.get("key_id", ""), row.get("processor", ""))))
    return table


def _hops(document: Mapping[str, Json]) -> Table:
    """One line for each processor and kind of data; how often it was asked in front."""
    table = Table("times", "hop", "processor", "region", "host", "received", "masked", "purpose", "transfer")
    names = ("hop", "processor", "region", "host", "categories", "masked", "purpose", "mechanism")
    asked = Counter(tuple(_words(row[name]) for name in names) for row in _rows(document["hops"]))
    for row, times in asked.items():
        table.add_row(*map(_cell, (times, *row)))
    return table


def _spoken(document: Mapping[str, Json]) -> Table:
    """The TLS that was negotiated with each processor, beside the least that its Grants asked for."""
    table = Table("hop", "processor", "host", "TLS", "cipher", "asked for at least")
    for entry in _rows(document["entries"]):
        if entry["kind"] == "hop.negotiated":
            told = entry["body"]
            to_it = [
                row for row in _rows(document["hops"]) if (row["processor"], row["host"]) == (told["processor"], told["host"])
            ]
            least = ", ".join(sorted({str(row["tls"]) for row in to_it if "tls" in row}))
            table.add_row(*map(_cell, (*(told.get(name, "") for name in ("hop", "processor", "host", "tls", "cipher")), least)))
    return table


def _refusals(document: Mapping[str, Json]) -> Table:
    table = Table("times", "hop", "processor", "region", "why not")
    asked: Counter[tuple[str, ...]] = Counter()
    for hop in (*_rows(document["hops"]), *_rows(document["refused"])):
        for row in _rows(hop.get("refused")):
            reasons = row.get("reasons")
            why = "; ".join(map(str, reasons)) if isinstance(reasons, list) else ""
            asked[(str(hop["hop"]), str(row.get("processor")), str(row.get("region")), why)] += 1
        if "processor" not in hop and not _rows(hop.get("refused")):
            asked[(str(hop["hop"]), "-", "-", "; ".join(hop["reasons"]))] += 1
    for row_, times in asked.items():
        table.add_row(*map(_cell, (times, *row_)))
    return table


def _words(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
