"""``sordino policy``: check the files, explain a decision, write the schemas.

Exit codes: 0 good, 1 findings (or nobody permitted), 2 wrong usage.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.adapters.stores.policy_folder import PolicyFolder, shipped_policies
from gateway.errors import Finding, PolicyInvalid
from gateway.policy.egress import Ask
from gateway.policy.explain import RULE_NAMES, Explanation, Row, explain
from gateway.policy.faults import did_you_mean
from gateway.policy.model import CONVERSATION, TenantPolicy
from gateway.policy.schema import schemas
from gateway.values import CallId, DataCategory, Hop, TenantId

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001  (argparse has no public name for it)

GOOD, FINDINGS, USAGE = 0, 1, 2

_USUAL_DATA = {
    Hop.STT: (DataCategory.VOICE,),
    Hop.LLM: (DataCategory.MASKED_TRANSCRIPT,),
    Hop.TTS: (DataCategory.TRANSCRIPT,),
    Hop.REALTIME: (DataCategory.VOICE,),
    Hop.TELEPHONY: (DataCategory.VOICE, DataCategory.CONTACT),
    Hop.STORAGE: (DataCategory.METADATA,),
    Hop.TELEMETRY: (DataCategory.METADATA,),
}


def add_parser(subparsers: Subparsers) -> None:
    """Add ``policy`` and its commands. The chosen handler is left in ``run``: it takes the arguments and gives the exit code."""
    parser = subparsers.add_parser(
        "policy", help="check and explain the policy files", description="Check and explain the policy files."
    )
    commands = parser.add_subparsers(dest="policy_command", metavar="COMMAND", required=True)
    _add(commands, "check", check, "find every fault in the files", "sordino policy check --policies policies")
    explaining = _add(
        commands, "explain", explain_, "show who may receive what, and why not", "sordino policy explain --tenant demo --hop llm"
    )
    explaining.add_argument("--tenant", metavar="NAME", help="whose policy (may be left out when there is one tenant)")
    explaining.add_argument(
        "--hop", type=Hop, choices=list(Hop), metavar="HOP", help=f"one of {', '.join(Hop)}; all of the route if left out"
    )
    categories = ", ".join(DataCategory)
    explaining.add_argument(
        "--data",
        type=DataCategory,
        nargs="+",
        choices=list(DataCategory),
        metavar="DATA",
        help=f"what would be sent: {categories}",
    )
    explaining.add_argument("--purpose", default=CONVERSATION, help="what for (default: %(default)s)")
    explaining.add_argument("--origin", default="", metavar="REGION", help="where the caller is: eu, us, in…")
    explaining.add_argument("--at", type=_moment, metavar="DATE", help="on that day, 2026-12-31 (default: now)")
    _add(
        commands,
        "schema",
        write_schemas,
        "write the JSON Schemas that editors complete from",
        "sordino policy schema --policies policies",
    )


def check(arguments: argparse.Namespace) -> int:
    """Every fault of every file, or what is in force."""
    folder = PolicyFolder(_folder(arguments))
    folder.reload_if_changed()
    if folder.findings:
        _show_findings(folder.findings, arguments.format)
        return FINDINGS
    policies = folder.policies
    tenants = [{"tenant": name, "policy": policy.digest} for name, policy in sorted(policies.tenants.items())]
    if arguments.format == "json":
        print(json.dumps({"ok": True, "registry": policies.registry.digest, "tenants": tenants, "findings": []}, indent=2))
        return GOOD
    print(f"good: {len(tenants)} tenant(s), {len(policies.registry.entries)} sub-processors, {len(policies.packs)} packs")
    for tenant in tenants:
        print(f"  {tenant['tenant']:<24} policy {tenant['policy'][:12]}")
    for name in sorted({pack for policy in policies.tenants.values() for pack in policy.extends}):
        open_facts = [fact.id for fact in policies.packs[name].facts if not fact.enforced]
        if open_facts:
            print(f"  note: pack {name} states what this version does not enforce: {', '.join(open_facts)}")
    return GOOD


def explain_(arguments: argparse.Namespace) -> int:
    """For each hop: candidates and rules, and the sentence of each no."""
    try:
        policies = PolicyFolder.open(_folder(arguments)).policies
    except PolicyInvalid as invalid:
        _show_findings(invalid.findings, arguments.format)
        return FINDINGS
    names = sorted(policies.tenants)
    name = arguments.tenant or (names[0] if len(names) == 1 else "")
    if name not in policies.tenants:
        problem = f"there is no tenant `{name}`" if name else "say which tenant: --tenant NAME"
        print(f"sordino policy explain: {problem}\n    {did_you_mean(name, names, otherwise='the tenants are')}", file=sys.stderr)
        return USAGE
    policy = policies.tenant(name)
    hops = [arguments.hop] if arguments.hop else [hop for hop in Hop if policy.route.candidates(hop)]
    told = [(ask, explain(policy, policies.registry, ask)) for ask in (_ask(arguments, policy, hop) for hop in hops)]
    if arguments.format == "json":
        print(
            json.dumps({"tenant": name, "policy": policy.digest, "hops": [_json(ask, answer) for ask, answer in told]}, indent=2)
        )
    else:
        regions = ", ".join(policy.regions) or "local"
        print(f"tenant {name}, policy {policy.digest[:12]}, regions {regions}, training {policy.training}")
        for ask, answer in told:
            _show_table(ask, answer)
    return GOOD if told and all(answer.permitted for _, answer in told) else FINDINGS


def write_schemas(arguments: argparse.Namespace) -> int:
    """The schemas into ``schema/`` of the folder; files that are right already are left alone."""
    target = _folder(arguments) / "schema"
    changed: list[str] = []
    try:
        target.mkdir(parents=True, exist_ok=True)
        for name, text in schemas().items():
            path = target / name
            if not path.is_file() or path.read_text(encoding="utf-8") != text:
                path.write_text(text, encoding="utf-8")
                changed.append(str(path))
    except OSError as broken:
        print(
            f"sordino policy schema: {target}: {broken.strerror}\n    name a folder that you may write: --policies DIR",
            file=sys.stderr,
        )
        return USAGE
    if arguments.format == "json":
        print(json.dumps({"written": changed}, indent=2))
    else:
        print("\n".join(f"written {path}" for path in changed) or f"{target}: nothing to change")
    return GOOD


def _add(commands: Subparsers, name: str, run: object, what: str, example: str) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        name,
        help=what,
        description=what[0].upper() + what[1:] + ".",
        epilog=f"example: {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--policies", type=Path, metavar="DIR", help="folder of the policy files (default: SORDINO_POLICIES, or ./policies)"
    )
    parser.add_argument("--format", choices=("text", "json"), default="text", help="how to print (default: %(default)s)")
    parser.set_defaults(run=run)
    return parser


def _folder(arguments: argparse.Namespace) -> Path:
    named = arguments.policies or os.environ.get("SORDINO_POLICIES")
    if named:
        return Path(named)
    here = Path("policies")
    return here if here.is_dir() else shipped_policies()


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _ask(arguments: argparse.Namespace, policy: TenantPolicy, hop: Hop) -> Ask:
    return Ask(
        tenant=TenantId(policy.tenant),
        call=CallId("explain"),
        hop=hop,
        categories=frozenset(arguments.data or _USUAL_DATA[hop]),
        purpose=arguments.purpose,
        at=arguments.at or datetime.now(UTC),
        grant_id="explain",
        origin=arguments.origin,
    )


def _show_findings(findings: Sequence[Finding], form: str) -> None:
    if form == "json":
        listed = [
            {"file": f.where.file, "line": f.where.line, "column": f.where.column, "message": f.message, "hint": f.hint}
            for f in findings
        ]
        print(json.dumps({"ok": False, "findings": listed}, indent=2))
        return
    print("\n".join(str(finding) for finding in findings), file=sys.stderr)
    print(f"{len(findings)} finding(s)", file=sys.stderr)


def _json(ask: Ask, answer: Explanation) -> dict[str, object]:
    candidates = [
        {"processor": row.processor, "region": row.region, "model": row.model, "chosen": row.chosen, "rules": dict(row.rules)}
        for row in answer.rows
    ]
    data = sorted(category.value for category in ask.categories)
    return {"hop": ask.hop.value, "data": data, "permitted": answer.permitted, "why": answer.why, "candidates": candidates}


def _show_table(ask: Ask, answer: Explanation) -> None:
    data = ", ".join(sorted(category.value for category in ask.categories))
    print(f"\n{ask.hop.value}: {data}, for {ask.purpose}")
    if answer.why:
        print(f"  no: {answer.why}")
        return
    width = max(len(row.processor) for row in answer.rows) + 2
    places = max(6, *(len(row.region) for row in answer.rows)) + 2
    print(f"  {'':<{width}}{'region':<{places}}" + "".join(f"{name:<{len(name) + 2}}" for name in RULE_NAMES))
    for row in answer.rows:
        marks = "".join(f"{_mark(row, name):<{len(name) + 2}}" for name in RULE_NAMES)
        print(f"  {row.processor:<{width}}{row.region:<{places}}{marks}{'<- chosen' if row.chosen else ''}".rstrip())
    for row in answer.rows:
        for reason in filter(None, row.rules.values()):
            print(f"  no  {row.processor}: {reason}")


def _mark(row: Row, rule: str) -> str:
    return "no" if row.rules.get(rule) else "ok" if rule in row.rules else "-"
