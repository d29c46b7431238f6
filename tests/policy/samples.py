"""Small policy files that tests change one line at a time."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from gateway.policy.egress import Ask
from gateway.policy.load import PolicySet, load
from gateway.policy.registry import Registry, SubProcessor
from gateway.values import CallId, DataCategory, Hop, ProcessorId, TenantId

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)

REGISTRY = """\
- id: eu-llm
  name: A model in the EU
  purpose: language model
  kind: llm
  dialect: openai
  base_url: https://llm.example/v1
  secret: EU_LLM_KEY
  region: eu
  training: prohibited
  retention_days: 0
  send: {store: false}
  receives: [masked_transcript]
  mechanism: {gb: adequacy}
  dpa: {reference: DPA-7, reviewed_on: 2026-05-01, review_every_days: 365}
  status: active
  source: https://llm.example/terms
  checked_on: 2026-11-01
- id: home-llm
  name: A model on this machine
  purpose: language model
  kind: llm
  dialect: openai
  base_url: http://127.0.0.1:8089/v1
  region: local
  training: prohibited
  receives: [masked_transcript]
  status: active
  source: our own
  checked_on: 2026-11-01
"""

TENANT = """\
tenant: acme
regions: [eu]
route:
  llm: [{processor: eu-llm, model: small}, {processor: home-llm, model: "*"}]
"""

TEXTS = {"subprocessors.yaml": REGISTRY, "tenants/acme.yaml": TENANT}


def loaded(tenant: str = TENANT, *, registry: str = REGISTRY, **packs: str) -> PolicySet:
    more = {f"packs/{name}.yaml": text for name, text in packs.items()}
    return load({"subprocessors.yaml": registry, "tenants/acme.yaml": tenant, **more})


def entry(**changes: Any) -> SubProcessor:
    """The EU model, changed."""
    registry = loaded().registry
    return SubProcessor.model_validate({**registry.entries[ProcessorId("eu-llm")].model_dump(), **changes})


def with_entry(**changes: Any) -> Registry:
    changed = entry(**changes)
    return Registry.of({**loaded().registry.entries, ProcessorId(changed.id): changed})


def ask(**changes: Any) -> Ask:
    """May masked words go to a model, now?"""
    question: dict[str, Any] = {
        "tenant": TenantId("acme"),
        "call": CallId("call_1"),
        "hop": Hop.LLM,
        "categories": frozenset({DataCategory.MASKED_TRANSCRIPT}),
        "purpose": "conversation",
        "at": NOW,
        "grant_id": "grant_1",
    }
    return Ask(**{**question, **changes})
