"""What the commands of ``sordino policy`` have in common: their folder, and how findings are shown."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TypeAlias

from rich.console import Console

from gateway.adapters.stores.policy_folder import PolicyFolder, shipped_policies
from gateway.errors import Finding
from gateway.policy.faults import did_you_mean
from gateway.policy.load import PolicySet
from gateway.policy.model import TenantPolicy

Subparsers: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001  (it has no public name)

GOOD, FINDINGS, USAGE = 0, 1, 2
WIDEST = 100
PIPED_WIDTH = 180


def add_command(
    commands: Subparsers, name: str, run: Callable[[argparse.Namespace], int], what: str, example: str
) -> argparse.ArgumentParser:
    """One command of ``sordino policy``, with the arguments that all of them take."""
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


def folder_of(arguments: argparse.Namespace) -> Path:
    """The folder that is meant: named, in the environment, here, or what ships."""
    named = arguments.policies or os.environ.get("SORDINO_POLICIES")
    if named:
        return Path(named)
    here = Path("policies")
    return here if here.is_dir() else shipped_policies()


def opened(folder: Path, form: str) -> PolicyFolder | None:
    """The folder, read and valid; or None when its faults were just shown."""
    found = PolicyFolder(folder)
    found.reload_if_changed()
    if not found.findings:
        return found
    show_findings(found.findings, form, found.texts)
    return None


def tenant_of(policies: PolicySet, name: str | None, command: str) -> TenantPolicy | None:
    """The tenant that is meant, the only one if none is named; or None when it was just said that there is none such."""
    names = sorted(policies.tenants)
    chosen = name or (names[0] if len(names) == 1 else "")
    try:
        return next(policy for tenant, policy in policies.tenants.items() if tenant == chosen)
    except StopIteration:
        problem = f"there is no tenant `{chosen}`" if chosen else "say which tenant: --tenant NAME"
        complain(command, problem, did_you_mean(chosen, names, otherwise="the tenants are"))
        return None


def complain(command: str, problem: str, hint: str = "") -> int:
    """Say on stderr what is wrong with how a command was called; the exit code for it."""
    print(f"sordino policy {command}: {problem}" + (f"\n    {hint}" if hint else ""), file=sys.stderr)
    return USAGE


def show_findings(findings: Iterable[Finding], form: str, texts: Mapping[str, str] | None = None) -> None:
    """All of them at once, each with its line; as JSON on stdout, as text on stderr."""
    told = list(findings)
    if form == "json":
        print(json.dumps({"ok": False, "findings": [finding_json(finding) for finding in told]}, indent=2))
        return
    known = texts or {}
    print("\n".join(shown(finding, known) for finding in told), file=sys.stderr)
    print(f"{len(told)} finding(s)", file=sys.stderr)


def finding_json(finding: Finding) -> dict[str, object]:
    where = finding.where
    return {
        "file": where.file,
        "line": where.line,
        "column": where.column,
        "message": finding.message,
        "hint": finding.hint,
    }


def shown(finding: Finding, texts: Mapping[str, str], *, hidden: bool = False) -> str:
    """A finding with the line it stands in and a caret below its place. A line that may hold a secret stays out."""
    lines = [f"{finding.where}: {finding.message}"]
    if not hidden and "secret" not in finding.message:
        lines += _excerpt(texts.get(finding.where.file, ""), finding.where.line, finding.where.column)
    return "\n".join([*lines, f"    {finding.hint}"] if finding.hint else lines)


def _excerpt(text: str, line: int, column: int) -> list[str]:
    written = text.split("\n")
    if not 0 < line <= len(written) or not written[line - 1].strip():
        return []
    whole = "".join(sign if sign.isprintable() else " " for sign in written[line - 1])
    # A long line is shown around the place that is meant.
    begin = max(0, column - WIDEST // 2) if len(whole) > WIDEST else 0
    part = ("…" if begin else "") + whole[begin : begin + WIDEST] + ("…" if len(whole) > begin + WIDEST else "")
    caret = column - 1 - begin + bool(begin)
    return [f"    {line} | {part}", f"    {'':{len(str(line))}} | {'':{caret}}^"]


def wide_console() -> Console:
    """A console whose tables, when they are piped, are as wide as they need to be: nobody's names are cut off."""
    made = Console(highlight=False)
    if not made.is_terminal:
        made.width = max(made.width, PIPED_WIDTH)
    return made
