"""``sordino policy``: check the files, look closer at them, explain a decision, test and compare policies, write the schemas.

Exit codes: 0 good, 1 findings (or nobody permitted, or something decided otherwise), 2 wrong usage.
"""

from __future__ import annotations

import argparse
import json

from gateway.adapters.stores.policy_folder import PolicyFolder
from gateway.cli import policy_explain, policy_lint, policy_matrix
from gateway.cli.policy_output import FINDINGS, GOOD, Subparsers, add_command, complain, folder_of, show_findings
from gateway.policy.reference import reference
from gateway.policy.schema import schemas


def add_parser(subparsers: Subparsers) -> None:
    """Add ``policy`` and its commands. The chosen handler is left in ``run``: it takes the arguments and gives the exit code."""
    parser = subparsers.add_parser(
        "policy",
        help="check, explain and test the policy files",
        description="Check, explain, test and compare the policy files.",
    )
    commands = parser.add_subparsers(dest="policy_command", metavar="COMMAND", required=True)
    add_command(commands, "check", check, "find every fault in the files", "sordino policy check --policies policies")
    policy_lint.add_parser(commands)
    policy_explain.add_parser(commands)
    policy_matrix.add_parser(commands)
    add_command(
        commands,
        "schema",
        write_schemas,
        "write the JSON Schemas that editors complete from, and REFERENCE.md",
        "sordino policy schema --policies policies",
    )


def check(arguments: argparse.Namespace) -> int:
    """Every fault of every file, or what is in force."""
    folder = PolicyFolder(folder_of(arguments))
    folder.reload_if_changed()
    if folder.findings:
        show_findings(folder.findings, arguments.format, folder.texts)
        return FINDINGS
    policies = folder.policies
    tenants = [{"tenant": name, "policy": policy.digest} for name, policy in sorted(policies.tenants.items())]
    if arguments.format == "json":
        print(json.dumps({"ok": True, "registry": policies.registry.digest, "tenants": tenants, "findings": []}, indent=2))
        return GOOD
    counts = f"{len(tenants)} tenant(s), {len(policies.registry.entries)} sub-processors, {len(policies.packs)} packs"
    print(f"good: {counts}, in {folder_of(arguments)}")
    for tenant in tenants:
        print(f"  {tenant['tenant']:<24} policy {tenant['policy'][:12]}")
    for name in sorted({pack for policy in policies.tenants.values() for pack in policy.extends}):
        open_facts = [fact.id for fact in policies.packs[name].facts if not fact.enforced]
        if open_facts:
            print(f"  note: pack {name} states what this version does not enforce: {', '.join(open_facts)}")
    return GOOD


def write_schemas(arguments: argparse.Namespace) -> int:
    """The schemas into ``schema/`` of the folder, and the page beside them; files that are right already are left alone."""
    folder = folder_of(arguments)
    wanted = {folder / "schema" / name: text for name, text in schemas().items()} | {folder / "REFERENCE.md": reference()}
    changed: list[str] = []
    try:
        (folder / "schema").mkdir(parents=True, exist_ok=True)
        for path, text in wanted.items():
            if not path.is_file() or path.read_text(encoding="utf-8") != text:
                path.write_text(text, encoding="utf-8")
                changed.append(str(path))
    except OSError as broken:
        return complain("schema", f"{folder}: {broken.strerror}", "name a folder that you may write: --policies DIR")
    if arguments.format == "json":
        print(json.dumps({"written": changed}, indent=2))
    else:
        print("\n".join(f"written {path}" for path in changed) or f"{folder}: nothing to change")
    return GOOD
