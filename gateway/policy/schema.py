"""JSON Schemas of the policy files, so that an editor completes and checks them while they are written."""

from __future__ import annotations

import json
from typing import Any

from pydantic import TypeAdapter

from gateway.policy.agreements import Agreement
from gateway.policy.fields import Slug
from gateway.policy.matrix import Suite
from gateway.policy.model import PackFile, TenantFile
from gateway.policy.registry import SubProcessor

_FILES: dict[str, tuple[str, Any]] = {
    "tenant.json": ("A tenant's policy: policies/tenants/*.yaml", TenantFile),
    "pack.json": ("A pack that tenants extend: policies/packs/*.yaml", PackFile),
    "subprocessors.json": ("The sub-processors: policies/subprocessors.yaml", tuple[SubProcessor, ...]),
    "agreements.json": ("What you signed with them: policies/agreements.yaml", dict[Slug, Agreement]),
    "test.json": ("Calls that test a policy: policies/tests/*.yaml", Suite),
}


def schemas() -> dict[str, str]:
    """File name to text of each schema (JSON Schema 2020-12), the same text every time."""
    return {name: _text(title, kind) for name, (title, kind) in _FILES.items()}


def _text(title: str, kind: Any) -> str:
    described = TypeAdapter(kind).json_schema(mode="validation")
    schema = {**described, "$schema": "https://json-schema.org/draft/2020-12/schema", "title": title}
    return json.dumps(schema, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
