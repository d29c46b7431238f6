"""A small bundle in memory, as the gateway writes one, for tests to look at and to tamper with."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gateway.evidence.bundle import CHAIN, KEY, PARTS, POLICIES, RECEIPTS, REGISTRIES, Bundle, Part, Span, key_part, manifest
from gateway.evidence.bundle import verify_bundle as verify
from gateway.evidence.canonical import canonical
from gateway.evidence.chain import CallChain, genesis, seal_written
from gateway.evidence.entries import Entry
from gateway.values import CallId, TenantId
from tests.evidence import samples
from tests.evidence.samples import ACME, NOON, WHOLE

CALLS = 3


@dataclass(frozen=True, slots=True)
class Parts:
    """The bytes of every part, and how they are joined into a bundle."""

    of: Mapping[str, bytes]

    def changed(self, name: str, data: bytes) -> Parts:
        return Parts({**self.of, name: data})

    def lines(self, name: str) -> list[bytes]:
        return self.of[name].splitlines(keepends=True)

    def manifest(self, *, tenant: TenantId = ACME, key: Any = samples.KEY, **span: Any) -> bytes:
        """Signed over these very parts: what an operator could do who changes evidence of their own."""
        chain = [entry for line in self.lines(CHAIN) if "seq" in (entry := _read(line))]
        before = chain[0]["previous"] if chain else genesis(tenant)
        first, last = (chain[0]["seq"], chain[-1]["seq"]) if chain else (None, None)
        stated: dict[str, Any] = {"entries": len(chain), "first": first, "last": last, "before": before}
        stated |= {"head": chain[-1]["hash"] if chain else before, **span}
        parts = [Part(name, len(data), data.count(b"\n"), _sha256(data)) for name, data in self.of.items()]
        public = key.public_key().public_bytes_raw()
        return manifest(tenant, NOON, (None, None), Span(**stated), parts, sign=key.sign, public_key=public)

    def chunks(self, name: str) -> Iterator[bytes]:
        """In pieces of an awkward size."""
        data = self.of[name]
        return (data[at : at + 1000] for at in range(0, len(data), 1000))

    def verified(self, manifest: bytes | None = None, trusted: bytes | None = None) -> Bundle:
        return verify(self.manifest() if manifest is None else manifest, self.chunks, trusted)


def parts(*, tenant: TenantId = ACME, policy: Mapping[str, Any] | None = None) -> Parts:
    """Three calls at once, their entries in turn; a policy, a registry, a record of each kind."""
    calls = [CallChain(tenant, CallId(f"call_{number}")) for number in range(CALLS)]
    last = genesis(tenant)
    lines: list[bytes] = []
    for kind, body in WHOLE:
        for call in calls:
            entry, written = seal_written(call.draft(kind, NOON, body), len(lines) + 1, last, durable="fsync")
            last = call.add(entry).hash
            lines.append(written)
    document = {"tenant": tenant, "regions": ["eu"]} if policy is None else policy
    return Parts(
        dict.fromkeys(PARTS, b"")
        | {
            CHAIN: b"".join(line + b"\n" for line in lines),
            RECEIPTS: b"".join(receipt(call.entries) for call in calls),
            POLICIES: documented("policy", document),
            REGISTRIES: documented("registry", [{"id": "eu-llm"}]),
            "consents.jsonl": canonical({"tenant": tenant, "subject": "s1"}) + b"\n",
            KEY: key_part(samples.PUBLIC),
        }
    )


def receipt(entries: list[Entry]) -> bytes:
    return canonical(samples.signed(entries).document) + b"\n"


def documented(member: str, document: Any) -> bytes:
    return canonical({"digest": hashlib.sha256(canonical(document)).hexdigest(), member: document}) + b"\n"


def _read(line: bytes) -> dict[str, Any]:
    """What is no JSON any more says nothing."""
    try:
        return dict(json.loads(line))
    except ValueError:
        return {}


def _sha256(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()
