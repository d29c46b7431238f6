"""Traces go to nobody who keeps them for longer than a tenant says (promise 14): nothing of a trace is kept here."""

from __future__ import annotations

import pytest

from gateway.policy.egress import decide
from gateway.policy.load import PolicySet
from gateway.policy.tracing import collectors
from gateway.values import DataCategory, Hop
from tests.policy.samples import REGISTRY, ask, loaded

COLLECTOR = """\
- id: collector
  name: A collector of traces
  purpose: telemetry
  kind: telemetry
  dialect: otlp
  base_url: https://otel.example/
  region: eu
  training: prohibited
  retention_days: 7
  receives: [metadata]
  dpa: {reference: DPA-9, reviewed_on: 2026-05-01, review_every_days: 365}
  status: active
  source: https://otel.example/terms
  checked_on: 2026-11-01
"""
TENANT = "tenant: acme\nregions: [eu]\norigins: [eu]\nroute: {telemetry: [{processor: collector}]}\n"


def traced(retention: str = "", collector: str = COLLECTOR) -> PolicySet:
    return loaded(TENANT + retention, registry=REGISTRY + collector)


ROWS = [
    ("as long as the policy permits, which is a week where it says nothing", "", COLLECTOR, ""),
    ("as long as the policy says", "retention: {traces: 30d}\n", COLLECTOR.replace("days: 7", "days: 30"), ""),
    (
        "longer than any processor may keep anything",
        "retention: {traces: 90d}\n",
        COLLECTOR.replace("days: 7", "days: 31"),
        "it keeps traces for 31 days, and the tenant allows 30 days (processor_retention)",
    ),
    (
        "a day longer",
        "",
        COLLECTOR.replace("days: 7", "days: 8"),
        "it keeps traces for 8 days, and the tenant allows 7 days (retention.traces)",
    ),
    (
        "longer than a policy of hours",
        "retention: {traces: 12h}\n",
        COLLECTOR,
        "it keeps traces for 7 days, and the tenant allows 12 hours (retention.traces)",
    ),
    ("nobody knows how long", "", COLLECTOR.replace("  retention_days: 7\n", ""), "how long it keeps traces is unknown"),
    (
        "on this machine, and too long",
        "",
        COLLECTOR.replace("https://otel.example/\n", "http://127.0.0.1:4318\n").replace("eu", "local", 1).replace(": 7", ": 99"),
        "it keeps traces for 99 days, and the tenant allows 7 days (retention.traces)",
    ),
    (
        "on this machine, and not said",
        "",
        COLLECTOR.replace("https://otel.example/\n", "http://127.0.0.1:4318\n")
        .replace("eu", "local", 1)
        .replace("  retention_days: 7\n", ""),
        "",
    ),
]


@pytest.mark.parametrize(("retention", "collector", "why"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_who_keeps_traces_for_too_long_gets_no_grant_and_no_export(retention: str, collector: str, why: str) -> None:
    """The same answer where a Grant is asked for and where the collector of the environment is checked."""
    policies = traced(retention, collector)
    asked = ask(hop=Hop.TELEMETRY, categories=frozenset({DataCategory.METADATA}))
    decided = decide(policies.tenant("acme"), policies.registry, asked)
    hosts = collectors(policies.registry.entries.values(), policies.tenants.values())
    if why:
        assert decided.grant is None
        assert decided.reasons == (f"collector: {why}",)
        assert list(hosts.values()) == [f"acme: {why}"]
    else:
        assert decided.grant is not None
        assert list(hosts.values()) == [""]
