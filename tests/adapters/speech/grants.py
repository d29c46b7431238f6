"""Grants as the policy would mint them for speech on this machine."""

from __future__ import annotations

from datetime import UTC, datetime

from gateway.policy.egress import Grant
from gateway.values import CallId, DataCategory, Hop, ProcessorId, TenantId


def speech_grant(hop: Hop, dialect: str) -> Grant:
    return Grant(
        id="grant_1",
        tenant=TenantId("acme"),
        call=CallId("call_1"),
        hop=hop,
        processor=ProcessorId(f"local-{dialect}"),
        processor_name="Speech on this machine",
        dialect=dialect,
        base_url="",
        host="in-process",
        region="local",
        model="",
        purpose="conversation",
        categories=frozenset({DataCategory.VOICE if hop is Hop.STT else DataCategory.TRANSCRIPT}),
        masked=False,
        issued_at=datetime(2026, 11, 21, tzinfo=UTC),
    )


HEAR = speech_grant(Hop.STT, "moonshine")
SPEAK = speech_grant(Hop.TTS, "hibari")
