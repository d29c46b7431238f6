"""``sordino policy lint``: what valid files say that a careful reader would object to."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime

from rich.console import Console
from rich.text import Text

from gateway.cli.policy_output import FINDINGS, GOOD, Subparsers, add_command, finding_json, folder_of, opened, shown
from gateway.policy.lint import Remark, Severity, lint

_STYLE = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.NOTE: "cyan"}


def add_parser(commands: Subparsers) -> None:
    """Add ``lint``."""
    add_command(
        commands,
        "lint",
        run,
        "find what is allowed and yet unwise: contradictions, expired reviews, secrets, tenants whom nobody may serve",
        "sordino policy lint --policies policies",
    )


def run(arguments: argparse.Namespace) -> int:
    """Exit code 1 for errors and warnings; notes are for knowing only."""
    folder = opened(folder_of(arguments), arguments.format)
    if folder is None:
        return FINDINGS
    remarks = lint(folder.policies, folder.texts, now=datetime.now(UTC))
    grave = any(remark.severity is not Severity.NOTE for remark in remarks)
    if arguments.format == "json":
        listed = [{"severity": each.severity.value, "rule": each.rule, **finding_json(each.finding)} for each in remarks]
        print(json.dumps({"ok": not grave, "findings": listed}, indent=2))
    else:
        _show(remarks, folder.texts)
    return FINDINGS if grave else GOOD


def _show(remarks: tuple[Remark, ...], texts: Mapping[str, str]) -> None:
    console = Console(highlight=False, soft_wrap=True)
    for each in remarks:
        console.print(Text(f"{each.severity.value} [{each.rule}]", _STYLE[each.severity]))
        console.print(Text(shown(each.finding, texts, hidden=each.hidden)))
    counts = Counter(each.severity for each in remarks)
    console.print(Text(", ".join(f"{counts[severity]} {severity.value}(s)" for severity in Severity)))
