"""Who may receive traces (promise 14): nothing of a trace is kept here, so who keeps them must not keep them for too long.

Traces of all tenants go to one collector: it must fit each tenant's ``retention.traces``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta

from gateway.policy.model import TenantPolicy
from gateway.policy.regions import LOCAL
from gateway.policy.registry import SubProcessor
from gateway.values import Hop


def kept_too_long(policy: TenantPolicy, entry: SubProcessor) -> str | None:
    """Why this telemetry processor may not have traces of this tenant, as a sentence about it; None: it may."""
    if entry.kind is not Hop.TELEMETRY:
        return None
    longest, by = policy.retention.traces, "retention.traces"
    if entry.region != LOCAL and policy.processor_retention < longest:
        longest, by = policy.processor_retention, "processor_retention"
    if entry.retention_days is None:
        return None if entry.region == LOCAL else "how long it keeps traces is unknown"
    if timedelta(days=entry.retention_days) <= longest:
        return None
    return f"it keeps traces for {entry.retention_days} days, and the tenant allows {_days(longest)} ({by})"


def collectors(entries: Iterable[SubProcessor], tenants: Iterable[TenantPolicy]) -> Mapping[str, str]:
    """The hosts of the registry's telemetry processors, and why traces may not go there; empty: they may."""
    tenants, found = tuple(tenants), dict[str, str]()
    for entry in entries:
        if entry.kind is Hop.TELEMETRY:
            said = (f"{each.tenant}: {why}" for each in tenants if (why := kept_too_long(each, entry)))
            found[entry.host] = found.get(entry.host) or next(said, "")
    return found


def _days(length: timedelta) -> str:
    return f"{length.days} days" if length >= timedelta(days=1) else f"{int(length.total_seconds() // 3600)} hours"
