"""``sordino report``: papers for regulators and customers, written from the policy and the registry in force."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.adapters.system import SystemClock
from gateway.cli.attached import add_policies, on_the_desks
from gateway.governing import Governing
from gateway.reports.facts import Parties
from gateway.reports.papers import PAPERS
from gateway.reports.recipients import paper_of
from gateway.values import TenantId

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001  (argparse has no public name for it)

GOOD = 0


def add_parser(subparsers: Subparsers) -> None:
    """Add ``report`` and its papers."""
    parser = subparsers.add_parser(
        "report",
        help="papers for regulators and customers, as HTML for print",
        description="Papers for regulators and customers, written from the policy and the registry in force.",
        epilog='example: sordino report ropa --tenant acme --controller "Acme GmbH, Berlin" -o ropa.html',
    )
    commands = parser.add_subparsers(required=True, metavar="PAPER")
    for name, (_, what) in PAPERS.items():
        paper = commands.add_parser(name, help=what, description=what, epilog=f"example: sordino report {name} --tenant acme")
        paper.add_argument("--tenant", required=True, metavar="T", help="whose")
        paper.add_argument("-o", "--output", type=Path, metavar="FILE", help="where to (standard output)")
        for option, who in (
            ("controller", "the controller, with contact"),
            ("processor", "the operator of the gateway, with contact"),
            ("officer", "the data protection officer"),
        ):
            paper.add_argument(f"--{option}", default="", metavar="TEXT", help=f"{who} (a line to write on)")
        add_policies(paper)
        paper.set_defaults(run=run_report, paper=name)


def run_report(given: argparse.Namespace) -> int:
    """``sordino report PAPER --tenant T``. Who may be asked is told as of now, notices and objections included."""

    async def work(desks: Governing) -> int:
        policies, now, tenant = desks.policies(), SystemClock().now(), TenantId(given.tenant)
        policies.tenant(tenant)
        barred, noticed = await desks.watch(tenant, now)
        parties = Parties(given.controller, given.processor, given.officer)
        _put(paper_of(policies, tenant, given.paper, now, parties, barred=barred, noticed=noticed), given.output)
        return GOOD

    return on_the_desks(given, work)


def _put(page: str, output: Path | None) -> None:
    if output is None:
        sys.stdout.write(page)
        return
    output.write_text(page, encoding="utf-8")
    print(f"wrote {output}")
