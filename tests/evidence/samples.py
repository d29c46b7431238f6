"""A call's evidence as the gateway writes it, for tests to look at and to tamper with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.evidence.chain import FSYNC, CallChain, genesis, seal
from gateway.evidence.entries import Entry, Json
from gateway.evidence.facts import hop_body
from gateway.evidence.receipt import Receipt, build
from gateway.policy.egress import Grant, Verdict
from gateway.values import CallId, DataCategory, Hop, ProcessorId, TenantId

ACME = TenantId("acme")
CALL = CallId("call_01")
NOON = datetime(2026, 11, 1, 12, 0, 0, tzinfo=UTC)
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key().public_bytes_raw()
OTHER_KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))

Step = tuple[str, Mapping[str, Json]]

STARTED: Step = (
    "call.started",
    {
        "carrier": "twilio",
        "direction": "inbound",
        "policy_digest": "sha256:" + "a" * 64,
        "registry_digest": "sha256:" + "b" * 64,
        "language": "en",
    },
)
ANNOUNCEMENT: Mapping[str, Json] = {
    "id": "ai-and-privacy",
    "rule": "gdpr-strict",
    "language": "en",
    "text_sha256": "c" * 64,
    "audio_sha256": "d" * 64,
    "total_ms": 6000,
    "played_ms": 6000,
}
PLAYED: Step = ("announcement.played", {**ANNOUNCEMENT, "acknowledged": "mark", "ack_ms": 6050, "frames_dropped": 301})
UNPROVEN: Step = (
    "announcement.unproven",
    {**ANNOUNCEMENT, "played_ms": 900, "acknowledged": "none", "why": "the caller hung up", "frames_dropped": 44},
)
LISTENING: Step = ("listening.started", {"frames_dropped": 302})
ENDED: Step = ("call.ended", {"outcome": "completed", "duration_ms": 61000, "frames_dropped": 302})


def grant(hop: Hop, processor: str = "local-demo-llm", region: str = "local") -> Grant:
    """A Grant as the policy mints it."""
    return Grant(
        id=f"grant_{hop}",
        tenant=ACME,
        call=CALL,
        hop=hop,
        processor=ProcessorId(processor),
        processor_name="Scripted demo model",
        dialect="openai",
        base_url="http://127.0.0.1:8089/v1",
        host="127.0.0.1",
        region=region,
        model="demo",
        purpose="conversation",
        categories=frozenset({DataCategory.MASKED_TRANSCRIPT, DataCategory.METADATA}),
        masked=True,
        send={"store": False},
        secret="DEMO_KEY",
        issued_at=NOON,
    )


def hop(kind: Hop) -> Step:
    refused = Verdict(ProcessorId("openai-global"), "us", ("region us is not among eu, local",))
    return "hop", hop_body(grant(kind), (refused, Verdict(ProcessorId("local-demo-llm"), "local", ())))


WHOLE: Sequence[Step] = (
    STARTED,
    PLAYED,
    LISTENING,
    hop(Hop.STT),
    ("masked", {"turn": 1, "counts": {"PERSON": 1, "CREDIT_CARD": 1}}),
    hop(Hop.LLM),
    ("masked", {"turn": 2, "counts": {"PERSON": 2}}),
    hop(Hop.LLM),
    ENDED,
)


def entries(steps: Sequence[Step] = WHOLE, *, call: CallId = CALL, durable: str = FSYNC) -> list[Entry]:
    """The call's entries in a tenant's chain where another call writes in between: places 1, 3, 5…"""
    chain, other, last, seq = CallChain(ACME, call), CallChain(ACME, CallId("call_99")), genesis(ACME), 0
    for number, (kind, body) in enumerate(steps):
        at = NOON + timedelta(milliseconds=137 * number)
        mine = chain.add(seal(chain.draft(kind, at, body), seq + 1, last, durable=durable))
        between = other.add(seal(other.draft("note", at, {"n": number}), seq + 2, mine.hash))
        seq, last = between.seq, between.hash
    return chain.entries


def signed(of: Sequence[Entry] | None = None) -> Receipt:
    return build(entries() if of is None else of, sign=KEY.sign, public_key=PUBLIC)
