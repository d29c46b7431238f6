"""What a routing decision costs: fifty processors, of which the last is permitted. ``python -m tests.bench.routing`` prints it.

Goal: 50 microseconds at the median for a turn like the one before it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from rich.console import Console

from gateway.policy.egress import Ask, Decision, Health, Router
from gateway.policy.merge import effective
from gateway.policy.model import TenantFile, TenantPolicy
from gateway.policy.registry import Registry, SubProcessor
from gateway.values import CallId, DataCategory, Hop, ProcessorId, TenantId
from tests.bench.numbers import Json, spread

PROCESSORS = 50
GOAL_MS = 0.05
_AT = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def _processor(number: int) -> SubProcessor:
    return SubProcessor.model_validate(
        {
            "id": f"llm-{number}",
            "name": "A model",
            "purpose": "language model",
            "kind": "llm",
            "dialect": "openai",
            "base_url": "https://llm.example/v1",
            "region": "eu" if number == PROCESSORS - 1 else "us",
            "training": "prohibited",
            "retention_days": 0,
            "receives": ["masked_transcript"],
            "mechanism": {"eu": "scc-module-2"},
            "dpa": {"reference": "DPA", "reviewed_on": "2026-05-01"},
            "status": "active",
            "source": "https://llm.example/terms",
            "checked_on": "2026-11-01",
        }
    )


def _made() -> tuple[TenantPolicy, Registry]:
    route = [{"processor": f"llm-{number}"} for number in range(PROCESSORS)]
    tenant = TenantFile.model_validate({"tenant": "acme", "regions": ["eu"], "origins": ["eu"], "route": {"llm": route}})
    entries = [_processor(number) for number in range(PROCESSORS)]
    return effective(tenant, []), Registry.of({ProcessorId(entry.id): entry for entry in entries})


def measure(times: int) -> Json:
    """Milliseconds a decision: ``again`` (a turn like the one before), ``failing`` (some are down), ``new`` (first of a day)."""
    policy, registry = _made()
    router = Router(policy, registry)
    masked = frozenset({DataCategory.MASKED_TRANSCRIPT})
    tenant = TenantId("acme")
    ask = Ask(
        tenant=tenant, call=CallId("call_1"), hop=Hop.LLM, categories=masked, purpose="conversation", at=_AT, grant_id="grant_1"
    )
    bad = {ProcessorId(f"llm-{number}"): Health.DOWN for number in range(10)}
    failing = replace(ask, health=bad, excluding=frozenset({ProcessorId("llm-0")}))
    days = [replace(ask, at=_AT + timedelta(days=day % 100, minutes=day)) for day in range(times)]
    if router.decide(ask).grant is None:
        raise AssertionError("the last of the processors is permitted")
    return {
        "again": spread([_timed(router.decide, ask) for _ in range(times)]),
        "failing": spread([_timed(router.decide, failing) for _ in range(times)]),
        "new": spread([_timed(Router(policy, registry).decide, each) for each in days[: max(1, times // 20)]]),
    }


def _timed(decide: Callable[[Ask], Decision], ask: Ask) -> float:
    began = time.perf_counter()
    decide(ask)
    return (time.perf_counter() - began) * 1000


def main() -> None:
    found, console = measure(5_000), Console(highlight=False)
    console.print(f"A routing decision over {PROCESSORS} processors, in microseconds:")
    for name, row in found.items():
        console.print(f"  {name:<8} p50 {row['p50'] * 1000:8.1f}  p99 {row['p99'] * 1000:8.1f}  n {row['n']}")
    console.print(f"  goal     p50 {GOAL_MS * 1000:8.1f}  {'met' if found['again']['p50'] <= GOAL_MS else 'missed'}")


if __name__ == "__main__":
    main()
