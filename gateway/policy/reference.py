"""The page of everything that a policy file may say, made from the models: ``policies/REFERENCE.md``."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from gateway.policy.explain import RULE_NAMES
from gateway.policy.rules import RULES
from gateway.policy.schema import schemas

_HEAD = """\
# What policy files may say

Made by `sordino policy schema` from the models that read the files. Every key is shown with what it takes, its default, and
what it means; a key without a default must be written. Editors complete the same from `schema/`.
"""
_FILES = ("tenant.json", "pack.json", "subprocessors.json", "agreements.json", "test.json")
_PATTERNS = {
    "^(0|[1-9][0-9]{0,5})[smhd]$": "a duration: `0s`, `90s`, `15m`, `24h`, `30d`",
    r"^\+[1-9][0-9]{6,14}$": "a phone number in E.164 form",
    "^[a-z0-9][a-z0-9-]{0,62}$": "a name",
    "^[A-Z][A-Z0-9_]{1,63}$": "the name of a secret",
    "^https?://[^@?#]+$": "an address",
}


def reference() -> str:
    """The whole page, the same text every time."""
    read = {name: json.loads(text) for name, text in schemas().items()}
    kinds: dict[str, Any] = {}
    for schema in read.values():
        kinds |= schema.get("$defs", {})
    parts = [_HEAD, *_files(read), "## Parts\n\nWhat stands inside the keys above.\n"]
    files = {"TenantFile", "PackFile", "SubProcessor", "Agreement", "Suite"}
    parts += [_section(f"### {name}", kinds[name]) for name in sorted(set(kinds) - files)]
    return "\n".join([*parts, _rules()])


def _files(read: Mapping[str, Any]) -> Iterator[str]:
    for name in _FILES:
        schema = read[name]
        named = list(schema.get("patternProperties", {}).values())
        inner = schema.get("items") or schema.get("additionalProperties") or next(iter(named), None)
        if isinstance(inner, dict) and "$ref" in inner:
            inner = schema["$defs"][_name(inner)]
        found = inner if isinstance(inner, dict) else schema
        yield _section(f"## {schema['title']}", found)


def _section(title: str, schema: Mapping[str, Any]) -> str:
    lines = [title, "", _plain(schema.get("description", "")), ""]
    if "enum" in schema:
        lines += [f"One of: {_listed(schema['enum'])}.", ""]
    elif "properties" in schema:
        needed = schema.get("required", ())
        lines += ["| key | takes | default | meaning |", "|---|---|---|---|"]
        lines += [_row(key, value, needed=key in needed) for key, value in schema["properties"].items()]
        lines.append("")
    return "\n".join(line for index, line in enumerate(lines) if line or index == 0 or lines[index - 1])


def _row(key: str, value: Mapping[str, Any], *, needed: bool) -> str:
    default = "" if needed else _default(value.get("default"))
    cells = (f"`{key}`", _takes(value), default, _plain(value.get("description", "")))
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _default(value: object) -> str:
    return "not stated" if value is None or value in ([], {}) else f"`{json.dumps(value, ensure_ascii=False)}`"


def _takes(value: Mapping[str, Any]) -> str:
    if "$ref" in value:
        name = _name(value)
        return f"[{name}](#{name.lower()})"
    if "anyOf" in value or "oneOf" in value:
        options = [_takes(option) for option in value.get("anyOf", value.get("oneOf", ())) if option.get("type") != "null"]
        return " or ".join(dict.fromkeys(options))
    if "enum" in value:
        return _listed(value["enum"])
    if "const" in value:
        return f"`{value['const']}`"
    if value.get("type") == "array":
        return f"a list of {_takes(value['items'])}" if "items" in value else "a list"
    if value.get("type") == "object":
        inner = value.get("additionalProperties")
        return f"a mapping to {_takes(inner)}" if isinstance(inner, dict) else "a mapping"
    return _scalar(value)


def _scalar(value: Mapping[str, Any]) -> str:
    kind = value.get("type")
    if kind == "integer":
        low, high = value.get("minimum"), value.get("maximum")
        return "a whole number" + (f" from {low} to {high}" if low is not None and high is not None else "")
    if kind == "boolean":
        return "`true` or `false`"
    if value.get("format") == "date":
        return "a date: `2026-05-01`"
    if value.get("format") == "date-time":
        return "a moment: `2026-05-01T12:00:00Z`"
    pattern = str(value.get("pattern", ""))
    if pattern.startswith("^[a-z]{2,3}(/"):
        return "a region: `local`, `eu`, `de`, `in/ap-south-1`" + (", or `unknown`" if "unknown" in pattern else "")
    return _PATTERNS.get(pattern, "text")


def _name(value: Mapping[str, Any]) -> str:
    return str(value["$ref"]).rpartition("/")[2]


def _listed(values: list[object]) -> str:
    return ", ".join(f"`{value}`" for value in values)


def _plain(text: str) -> str:
    return " ".join(text.replace("``", "`").split())


def _rules() -> str:
    asked = "Asked of every candidate, for every hop; the first candidate whom none refuses receives the data."
    lines = ["## Rules of egress", "", asked, "", "| rule | asks |", "|---|---|"]
    for name, rule in zip(RULE_NAMES, RULES, strict=True):
        lines.append(f"| `{name}` | {_plain(rule.__doc__ or 'Whether it is such a processor at all, and works.')} |")
    return "\n".join([*lines, ""])
