"""Who may be sent a tenant's data as of a day, and who of its route may not and why: what the papers say of processors."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

from gateway.policy.egress import decide
from gateway.policy.explain import USUAL_DATA, usual_purpose
from gateway.policy.load import PolicySet
from gateway.policy.question import Ask
from gateway.reports.facts import Parties, Recipient, Subject
from gateway.reports.papers import PAPERS
from gateway.values import CallId, Hop, ProcessorId, TenantId


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
            categories=frozenset(USUAL_DATA[hop]),
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


def paper_of(
    policies: PolicySet,
    tenant: TenantId,
    name: str,
    at: datetime,
    parties: Parties,
    *,
    barred: Mapping[ProcessorId, str] = MappingProxyType({}),
    noticed: frozenset[ProcessorId] = frozenset(),
) -> str:
    """One of ``PAPERS`` of a tenant, as HTML for print. Raises PolicyUnavailable."""
    write, _ = PAPERS[name]
    found = recipients(policies, tenant, at, barred, noticed)
    return write(Subject(policies.tenant(tenant), policies.registry, found, at.date(), parties))
