"""``sordino report``: papers for regulators and customers, written from the policy and the registry in force."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from gateway.adapters.system import SystemClock
from gateway.cli.attached import add_policies, on_the_desks
from gateway.governing import CARRIED, Governing
from gateway.policy.egress import decide
from gateway.policy.explain import usual_purpose
from gateway.policy.load import PolicySet
from gateway.policy.question import Ask
from gateway.reports.facts import Parties, Recipient, Subject
from gateway.reports.papers import PAPERS
from gateway.values import CallId, Hop, ProcessorId, TenantId

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
        policies, now = desks.policies(), SystemClock().now()
        policy = policies.tenant(given.tenant)
        barred, noticed = await desks.watch(TenantId(given.tenant), now)
        found = recipients(policies, TenantId(given.tenant), now, barred, noticed)
        parties = Parties(given.controller, given.processor, given.officer)
        write, _ = PAPERS[given.paper]
        _put(write(Subject(policy, policies.registry, found, now.date(), parties)), given.output)
        return GOOD

    return on_the_desks(given, work)


def recipients(
    policies: PolicySet,
    tenant: TenantId,
    at: datetime,
    barred: Mapping[ProcessorId, str] = MappingProxyType({}),
    noticed: frozenset[ProcessorId] = frozenset(),
) -> list[Recipient]:
    """Everybody in the tenant's route, once, with the reasons why no step may be theirs. Raises PolicyUnavailable."""
    policy = policies.tenant(tenant)
    hops: dict[ProcessorId, list[str]] = {}
    refused: dict[ProcessorId, dict[str, None]] = {}
    for hop in Hop:
        if not policy.route.candidates(hop):
            continue
        ask = Ask(
            tenant=tenant,
            call=CallId("report"),
            hop=hop,
            categories=frozenset({CARRIED[hop]}),
            purpose=usual_purpose(hop),
            at=at,
            grant_id="report",
            barred=barred,
            noticed=noticed,
        )
        for verdict in decide(policy, policies.registry, ask).verdicts:
            own = hops.setdefault(verdict.processor, [])
            if verdict.permitted:
                own.append(hop.value)
            refused.setdefault(verdict.processor, {}).update(dict.fromkeys(verdict.reasons))
    return [
        Recipient(policies.registry.entries[name], tuple(own), () if own else tuple(refused[name]))
        for name, own in hops.items()
        if name in policies.registry.entries
    ]


def _put(page: str, output: Path | None) -> None:
    if output is None:
        sys.stdout.write(page)
        return
    output.write_text(page, encoding="utf-8")
    print(f"wrote {output}")
