"""Grants as the policy would mint them, for tests of what is done with one."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from gateway.policy.egress import Grant
from gateway.values import CallId, DataCategory, Hop, ProcessorId, TenantId


def llm_grant(base_url: str, **changes: Any) -> Grant:
    facts: dict[str, Any] = {
        "id": "grant_1",
        "tenant": TenantId("acme"),
        "call": CallId("call_1"),
        "hop": Hop.LLM,
        "processor": ProcessorId("eu-llm"),
        "processor_name": "A model in the EU",
        "dialect": "openai",
        "base_url": base_url,
        "host": "127.0.0.1",
        "region": "local",
        "model": "small",
        "purpose": "conversation",
        "categories": frozenset({DataCategory.MASKED_TRANSCRIPT}),
        "masked": True,
        "issued_at": datetime(2026, 11, 21, tzinfo=UTC),
    }
    return Grant(**{**facts, **changes})
