"""Receipts of past calls as questions to a policy, and as the explanation of what was decided then."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from gateway.adapters.stores.policy_folder import PolicyFolder
from gateway.cli.policy_output import GOOD, complain
from gateway.errors import EvidenceInvalid
from gateway.evidence.receipt import verify
from gateway.policy.diff import Asked, decided_by


def asked_in_receipts(folder: Path, *, since: datetime) -> list[Asked]:
    """What the calls under ``folder`` asked since then, in the order of their files. Receipts that do not verify are left out."""
    asked: list[Asked] = []
    for path in sorted(folder.rglob("*.json")) if folder.is_dir() else ():
        try:
            document = verify(path.read_bytes()).receipt.document
        except (EvidenceInvalid, OSError):
            continue
        asked += [each for each in asks_of(document) if each.at >= since]
    return asked


def asks_of(document: Mapping[str, Any]) -> list[Asked]:
    """The questions of one receipt: granted ones with the data that was sent, refused ones with what that hop usually sends."""
    found: list[Asked] = []
    law = _law(document)
    for each in (*document["hops"], *document["refused"]):
        question = {
            "tenant": document["tenant"],
            "call": document["call"],
            "hop": each["hop"],
            "at": each["at"],
            "data": each.get("categories", ()),
            "purpose": each.get("purpose", "conversation"),
            "origins": law.get("laws", ()),
            "placed": bool(law.get("caller")) and bool(law.get("called")),
        }
        try:
            found.append(Asked.model_validate_json(json.dumps(question)))
        except ValidationError:
            continue
    return found


def _law(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Whose law held for the call, as its first entry says; nothing in receipts that do not tell."""
    for entry in document["entries"]:
        law = entry["body"].get("jurisdiction") if entry.get("kind") == "call.started" else None
        if isinstance(law, Mapping):
            return law
    return {}


def explain_receipt(file: Path, folder: Path, form: str) -> int:
    """What was decided on a past call, as its receipt says, and whether the policy of today would decide the same."""
    try:
        document: Mapping[str, Any] = verify(file.read_bytes()).receipt.document
    except EvidenceInvalid as invalid:
        return complain("explain", f"{file}: not a valid receipt: {invalid.message}")
    except OSError as broken:
        return complain("explain", f"{file}: cannot be read: {broken.strerror}")
    now = _today(document, folder)
    hops = sorted((*document["hops"], *document["refused"]), key=lambda each: str(each["at"]))
    if form == "json":
        heads = {"tenant": document["tenant"], "call": document["call"], "law": _law(document)}
        print(json.dumps({**heads, "hops": [_told(each) for each in hops], **now}, indent=2))
        return GOOD
    print(f"call {document['call']} of {document['tenant']}, {document['outcome']}, policy {str(document['policy_digest'])[:12]}")
    for reason in _law(document).get("reasons", ()):
        print(f"  {reason}")
    if packs := _law(document).get("packs"):
        print(f"  packs that put this law into rules: {', '.join(packs)}")
    for each in document["announcements"]:
        print(f"  heard first: {each['id']} ({each.get('rule', '')})")
    seen: set[str] = set()
    for each in hops:
        told = _told(each)
        key = json.dumps({**told, "at": ""}, sort_keys=True)
        if key not in seen:
            seen.add(key)
            _show_hop(told)
    print(f"\n{now['today']}")
    for line in now["otherwise"]:
        print(f"  {line}")
    return GOOD


def _told(each: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "hop": each["hop"],
        "at": each["at"],
        "processor": each.get("processor"),
        "region": each.get("region"),
        "mechanism": each.get("mechanism"),
        "data": list(each.get("categories", ())),
        "refused": [{"processor": no["processor"], "reasons": list(no["reasons"])} for no in each.get("refused", ())],
        "reasons": list(each.get("reasons", ())),
    }


def _show_hop(told: Mapping[str, Any]) -> None:
    print(f"\n{told['hop']}: {', '.join(told['data']) or 'nothing was sent'}")
    if told["processor"]:
        print(f"  yes {told['processor']} in {told['region']}, transfer mechanism {told['mechanism']}")
    for no in told["refused"]:
        for reason in no["reasons"]:
            print(f"  no  {no['processor']}: {reason}")
    for reason in told["reasons"] if not told["refused"] else ():
        print(f"  no  {reason}")


def _today(document: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    found = PolicyFolder(folder)
    found.reload_if_changed()
    if found.findings:
        return {"today": f"the policies in {folder} have faults, so nothing is said of today", "otherwise": []}
    policy = found.policies.tenants.get(document["tenant"])
    if policy is None:
        return {"today": f"the policies in {folder} have no such tenant", "otherwise": []}
    same = policy.digest == document["policy_digest"] and found.policies.registry.digest == document["registry_digest"]
    if same:
        return {"today": "the policy and the sub-processors are still the same", "otherwise": []}
    otherwise: dict[str, None] = {}
    for granted in document["hops"]:
        for asked in asks_of({**document, "hops": [granted], "refused": []}):
            decided = decided_by(asked, found.policies)
            if not decided.startswith(f"{granted['processor']} "):
                otherwise[f"{granted['hop']}: {granted['processor']} then, {decided} now"] = None
    said = "would decide the same" if not otherwise else "would decide otherwise"
    return {"today": f"the policy has changed since; today it {said}", "otherwise": list(otherwise)}
