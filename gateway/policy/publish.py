"""The public list of sub-processors, as a page and for programs (promise 1): who, what for, where, on which terms."""

from __future__ import annotations

import json
from collections.abc import Iterable
from html import escape
from typing import Any

from gateway.policy.regions import LOCAL
from gateway.policy.registry import Registry, SubProcessor

_TOLD = (
    "id",
    "name",
    "purpose",
    "kind",
    "region",
    "training",
    "retention_days",
    "receives",
    "mechanism",
    "tls",
    "status",
    "announced_on",
)
_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:72rem;padding:0 1rem;color:#1b1f24;background:#fff}"
    "table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;padding:.5rem .75rem;"
    "border-bottom:1px solid #d7dce1}th{background:#f4f6f8}caption{text-align:left;padding:.5rem 0}code{font-size:.9em}"
)
_HEADS = ("Company", "Purpose", "Receives", "Where", "Training", "Keeps data for", "Transfer", "In use")


def as_json(registry: Registry) -> str:
    """``{"registry": digest, "subprocessors": […]}``: everyone outside this machine who may receive data, sorted by id."""
    rows = [_facts(entry) for entry in _outside(registry)]
    return json.dumps({"registry": registry.digest, "subprocessors": rows}, indent=2, ensure_ascii=False) + "\n"


def as_html(registry: Registry) -> str:
    """A page that stands alone: no script, nothing loaded from elsewhere."""
    rows = "\n".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in _cells(entry))}</tr>" for entry in _outside(registry))
    heads = "".join(f'<th scope="col">{head}</th>' for head in _HEADS)
    caption = f"Everyone who may receive data of calls. Registry <code>{escape(registry.digest[:12])}</code>."
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>Sub-processors</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<h1>Sub-processors</h1>\n"
        f"<table>\n<caption>{caption}</caption>\n"
        f"<thead><tr>{heads}</tr></thead>\n<tbody>\n{rows}\n</tbody>\n</table>\n</body>\n</html>\n"
    )


def _outside(registry: Registry) -> Iterable[SubProcessor]:
    return (entry for _, entry in sorted(registry.entries.items()) if entry.region != LOCAL)


def _facts(entry: SubProcessor) -> dict[str, Any]:
    facts = entry.model_dump(mode="json", include=set(_TOLD), exclude_none=True)
    return {name: facts[name] for name in _TOLD if name in facts}


def _cells(entry: SubProcessor) -> tuple[str, ...]:
    days = entry.retention_days
    keeps = "unknown" if days is None else "not at all" if days == 0 else f"{days} days"
    receives = ", ".join(category.value.replace("_", " ") for category in entry.receives)
    transfer = ", ".join(f"{law}: {means}" for law, means in sorted(_transfer(entry).items()))
    since = f"announced on {entry.announced_on}" if entry.announced_on else entry.status or ""
    texts = (entry.name, entry.purpose, receives, entry.region, entry.training.value, keeps, transfer, since)
    return tuple(escape(text) for text in texts)


def _transfer(entry: SubProcessor) -> dict[str, str]:
    stated = _facts(entry).get("mechanism", {})
    return {law: means["by"] if isinstance(means, dict) else str(means) for law, means in stated.items()}
