"""Whether a value fits a JSON Schema, as far as ours go (draft 2020-12): types, members, items, constants."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "boolean": bool,
    "object": dict,
    "array": list,
    "null": type(None),
}


def faults(value: Any, schema: Mapping[str, Any], at: str = "$") -> Iterator[str]:
    """The places that do not fit."""
    if "const" in schema and value != schema["const"]:
        yield f"{at} is not {schema['const']!r}"
    if "enum" in schema and value not in schema["enum"]:
        yield f"{at} is none of {schema['enum']}"
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if kinds and not any(isinstance(value, _TYPES[kind]) and (kind != "integer" or type(value) is int) for kind in kinds):
        yield f"{at} is no {' or '.join(kinds)}"
        return
    if schema.get("format") == "date-time" and isinstance(value, str) and datetime.fromisoformat(value).tzinfo is None:
        yield f"{at} is a time without its zone"
    if isinstance(value, int) and value < schema.get("minimum", value):
        yield f"{at} is less than {schema['minimum']}"
    if isinstance(value, dict):
        yield from (f"{at} lacks {name}" for name in schema.get("required", ()) if name not in value)
        others = schema.get("additionalProperties", {})
        for name, inner in value.items():
            yield from faults(inner, schema.get("properties", {}).get(name, others), f"{at}.{name}")
    if isinstance(value, list):
        for place, inner in enumerate(value):
            yield from faults(inner, schema.get("items", {}), f"{at}[{place}]")
