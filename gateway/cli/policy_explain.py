"""``sordino policy explain``: who may receive what, and the sentence for each no; now, or on a call of the past."""

from __future__ import annotations

import argparse
import json
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from gateway.cli.lines import line_of
from gateway.cli.policy_output import (
    FINDINGS,
    GOOD,
    USAGE,
    Subparsers,
    add_command,
    complain,
    folder_of,
    opened,
    tenant_of,
    wide_console,
)
from gateway.cli.policy_receipts import explain_receipt
from gateway.errors import InvalidRequest
from gateway.policy.disclosing import FirstWords, first_words
from gateway.policy.egress import Ask
from gateway.policy.explain import MEND, RULE_NAMES, Explanation, Row, explain, laws_of, question
from gateway.policy.fields import Tls
from gateway.policy.jurisdiction import Jurisdiction, jurisdiction, locate
from gateway.policy.model import CONVERSATION, TenantPolicy
from gateway.policy.phone import e164
from gateway.policy.regions import is_region, suggest_region
from gateway.values import DataCategory, Hop, Private


def add_parser(commands: Subparsers) -> None:
    """Add ``explain``."""
    parser = add_command(
        commands,
        "explain",
        run,
        "show who may receive what, and why not",
        "sordino policy explain --tenant demo --hop llm --caller +442071838750",
    )
    categories = ", ".join(DataCategory)
    parser.add_argument("--tenant", metavar="NAME", help="whose policy (may be left out when there is one tenant)")
    parser.add_argument(
        "--hop", type=Hop, choices=list(Hop), metavar="HOP", help=f"one of {', '.join(Hop)}; all of the route if left out"
    )
    for option, what in (("--data", "what would be sent"), ("--about", "what the turn speaks of, masked or not")):
        parser.add_argument(
            option,
            type=DataCategory,
            nargs="+",
            choices=list(DataCategory),
            metavar="KIND",
            help=f"{what}: {categories}",
        )
    parser.add_argument("--purpose", default=CONVERSATION, help="what for (default: %(default)s)")
    parser.add_argument("--caller", metavar="NUMBER", help="number of the caller, E.164: +442071838750; - reads it")
    parser.add_argument("--callee", metavar="NUMBER", help="number that was called; - reads it (default: the tenant's)")
    parser.add_argument("--origin", type=_region, default="", metavar="REGION", help="whose law protects the caller: eu, us, in…")
    parser.add_argument(
        "--at", type=_moment, metavar="DATE", help="on that day, 2026-12-31, or at 2026-12-31T18:00 (default: now)"
    )
    parser.add_argument("--receipt", type=Path, metavar="FILE", help="explain the call of that receipt instead")


def run(arguments: argparse.Namespace) -> int:
    """Exit code 0 when every hop that was asked about has somebody who may receive its data."""
    if arguments.receipt is not None:
        return explain_receipt(arguments.receipt, folder_of(arguments), arguments.format)
    folder = opened(folder_of(arguments), arguments.format)
    if folder is None:
        return FINDINGS
    policy = tenant_of(folder.policies, arguments.tenant, "explain")
    if policy is None:
        return USAGE
    try:
        found = _ends(_number(arguments.caller, "caller"), _number(arguments.callee, "callee"), policy)
    except InvalidRequest as wrong:
        return complain("explain", wrong.message, wrong.hint)
    hops = [arguments.hop] if arguments.hop else [hop for hop in Hop if policy.route.candidates(hop)]
    asks = [_ask(arguments, policy, hop, found) for hop in hops]
    told = [(ask, explain(policy, folder.policies.registry, ask)) for ask in asks]
    first = first_words(policy, folder.policies.packs, found)
    if arguments.format == "json":
        print(json.dumps(_json(policy, found, first, told), indent=2))
    else:
        _show(policy, found, first, told)
    return GOOD if told and all(answer.permitted for _, answer in told) else FINDINGS


def _region(text: str) -> str:
    if text and not is_region(text):
        suggestion = suggest_region(text)
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a region" + (f", did you mean {suggestion}?" if suggestion else ": write eu, us, in, de…")
        )
    return text


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _number(given: str | None, option: str) -> Private[str] | None:
    if given is None:
        return None
    try:
        return e164(line_of(given, option))
    except InvalidRequest:
        message = f"--{option} is not a phone number in E.164 form"
        raise InvalidRequest(message, hint="write + and the country code: +442071838750") from None


def _ends(caller: Private[str] | None, callee: Private[str] | None, policy: TenantPolicy) -> Jurisdiction | None:
    """Where both ends are, when something is known of one of them."""
    if caller is None and callee is None:
        return None
    nobody = Private("")
    called = callee or Private(policy.numbers[0] if policy.numbers else "")
    return jurisdiction(*(locate(number, stated=policy.origins) for number in (caller or nobody, called)))


def _ask(arguments: argparse.Namespace, policy: TenantPolicy, hop: Hop, found: Jurisdiction | None) -> Ask:
    laws = (arguments.origin,) if arguments.origin else laws_of(policy, found) if found is not None else ()
    return question(
        policy,
        hop,
        at=arguments.at or datetime.now(UTC),
        data=arguments.data or (),
        purpose=arguments.purpose,
        origins=laws,
        about=arguments.about or (),
    )


def _json(
    policy: TenantPolicy,
    found: Jurisdiction | None,
    first: FirstWords,
    told: list[tuple[Ask, Explanation]],
) -> dict[str, object]:
    law = first.record(found) if found is not None else None
    ends = {key: law[key] for key in ("laws", "packs", "reasons", "untold")} if law is not None else None
    return {
        "tenant": policy.tenant,
        "policy": policy.digest,
        "jurisdiction": ends,
        "announcements": [
            {"id": each.id, "language": each.language, "rule": each.rule, "mode": each.mode.value} for each in first.announcements
        ],
        "hops": [_hop_json(ask, answer) for ask, answer in told],
    }


def _hop_json(ask: Ask, answer: Explanation) -> dict[str, object]:
    candidates = [
        {
            "processor": row.processor,
            "region": row.region,
            "model": row.model,
            "tls": row.tls,
            "chosen": row.chosen,
            "rules": dict(row.rules),
        }
        for row in answer.rows
    ]
    data = sorted(category.value for category in ask.categories)
    return {"hop": ask.hop.value, "data": data, "permitted": answer.permitted, "why": answer.why, "candidates": candidates}


def _show(
    policy: TenantPolicy,
    found: Jurisdiction | None,
    first: FirstWords,
    told: list[tuple[Ask, Explanation]],
) -> None:
    console = wide_console()
    regions = ", ".join(policy.regions) or "local"
    print(f"tenant {policy.tenant}, policy {policy.digest[:12]}, regions {regions}, training {policy.training}")
    for reason in (*found.reasons, *first.reasons) if found is not None else ():
        print(f"  {reason}")
    if found is not None and (missing := [pack for pack in found.packs if pack not in policy.extends]):
        print(f"  packs that put this law into rules and that the tenant does not extend: {', '.join(missing)}")
    for each in first.announcements:
        print(f"  hears first: {each.id} ({each.language}, {each.mode.value}, {each.rule})")
    for ask, answer in told:
        _show_hop(console, ask, answer)


def _show_hop(console: Console, ask: Ask, answer: Explanation) -> None:
    data = ", ".join(sorted(category.value for category in ask.categories))
    laws = f", under the law of {', '.join(sorted(ask.origins))}" if ask.origins else ""
    print(f"\n{ask.hop.value}: {data}, for {ask.purpose}{laws}")
    if answer.why:
        print(f"  no: {answer.why}")
        return
    table = Table("", "region", *RULE_NAMES, "", box=None, pad_edge=True, padding=(0, 1))
    for row in answer.rows:
        table.add_row(
            Text(row.processor), row.region, *(_mark(row, name) for name in RULE_NAMES), "<- chosen" if row.chosen else ""
        )
    console.print(table)
    if answer.tls == Tls.V1_3:
        print(f"  {answer.chosen} is reached with TLS {answer.tls} and nothing less")
    for row in answer.rows:
        for rule, reason in row.rules.items():
            if reason:
                print(f"  no  {row.processor}: {reason} [{rule}]")
    refused = {rule for row in answer.rows for rule, reason in row.rules.items() if reason}
    for rule in (name for name in MEND if name in refused):
        print(f"  to change [{rule}]: {MEND[rule]}")


def _mark(row: Row, rule: str) -> Text:
    if row.rules.get(rule):
        return Text("no", "red")
    return Text("ok", "green") if rule in row.rules else Text("-")
