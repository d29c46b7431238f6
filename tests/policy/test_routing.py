"""Who is asked: the tenant's order, health beside it, never past a rule; the same answer with and without memory."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.policy.egress import Health, Router, decide
from gateway.policy.explain import explain
from gateway.policy.load import load
from gateway.policy.registry import Registry, SubProcessor
from gateway.values import DataCategory, ProcessorId
from tests.policy.samples import NOW, REGISTRY, ask, entry

NAMES = tuple(f"llm-{number}" for number in range(5))
ROUTE = ", ".join(f"{{processor: {name}}}" for name in NAMES)
TENANT = f"""\
tenant: acme
regions: [eu]
route:
  llm: [{ROUTE}]
sensitive: {{health: [de], payment: [llm-4]}}
"""


def registry(**regions: str) -> Registry:
    """Five models in the EU; those named stand elsewhere."""
    stands = {name: regions.get(name.replace("-", "_"), "fr") for name in NAMES}
    entries = {
        ProcessorId(name): SubProcessor(**{**dict(MODEL), "id": name, "region": region}) for name, region in stands.items()
    }
    return Registry.of(entries)


CATALOGUE = "".join(REGISTRY.split("- id: home-llm")[0].replace("eu-llm", name) for name in NAMES)
POLICY = load({"subprocessors.yaml": CATALOGUE, "tenants/acme.yaml": TENANT}).tenant("acme")
MODEL = entry()


def health(**states: Health) -> dict[ProcessorId, Health]:
    return {ProcessorId(name.replace("_", "-")): state for name, state in states.items()}


@pytest.mark.parametrize(
    ("states", "asked"),
    [
        ({}, "llm-0"),
        ({"llm_0": Health.WELL}, "llm-0"),
        ({"llm_0": Health.SLOW}, "llm-1"),
        ({"llm_0": Health.DOWN}, "llm-1"),
        ({"llm_0": Health.SLOW, "llm_1": Health.DOWN}, "llm-2"),
        ({name.replace("-", "_"): Health.SLOW for name in NAMES}, "llm-0"),
    ],
)
def test_who_answers_slowly_comes_last_and_who_is_down_is_left_out(states: dict[str, Health], asked: str) -> None:
    decision = decide(POLICY, registry(), ask(health=health(**states)))
    assert decision.grant is not None
    assert decision.grant.processor == asked


def test_nobody_is_asked_when_all_are_down() -> None:
    decision = decide(POLICY, registry(), ask(health=dict.fromkeys(map(ProcessorId, NAMES), Health.DOWN)))
    assert decision.grant is None
    assert decision.reasons[0] == "llm-0: it has not answered lately and is left out for now"


def test_verdicts_stand_in_the_tenants_order_whoever_is_slow() -> None:
    decision = decide(POLICY, registry(llm_2="us"), ask(health=health(llm_0=Health.SLOW)))
    assert [verdict.processor for verdict in decision.verdicts] == list(NAMES)
    assert [verdict.permitted for verdict in decision.verdicts] == [True, True, False, True, True]


@pytest.mark.parametrize(
    ("about", "asked"),
    [
        (frozenset(), "llm-0"),
        (frozenset({DataCategory.CONTACT}), "llm-0"),
        (frozenset({DataCategory.HEALTH}), "llm-2"),
        (frozenset({DataCategory.PAYMENT}), "llm-4"),
        (frozenset({DataCategory.HEALTH, DataCategory.PAYMENT}), None),
    ],
    ids=lambda value: "+".join(sorted(value)) if isinstance(value, frozenset) else str(value),
)
def test_a_turn_about_something_sensitive_goes_elsewhere(about: frozenset[DataCategory], asked: str | None) -> None:
    """Health stays in Germany, payment with one processor; a turn about both has nobody here."""
    grant = decide(POLICY, registry(llm_2="de"), ask(about=about)).grant
    assert (grant.processor if grant else None) == asked


def test_a_router_remembers_its_policy_and_not_the_call() -> None:
    router = Router(POLICY, registry())
    first = router.decide(ask(grant_id="grant_1")).grant
    second = router.decide(ask(grant_id="grant_2", call="call_2")).grant
    assert first is not None
    assert second is not None
    assert (first.id, second.id, second.call) == ("grant_1", "grant_2", "call_2")
    assert first.send == second.send
    assert first.send is not second.send


def test_a_router_looks_at_the_day_again() -> None:
    """The review of an agreement expires while the gateway runs."""
    router = Router(POLICY, registry())
    assert router.decide(ask()).grant is not None
    assert router.decide(ask(at=NOW + timedelta(days=365))).grant is None


def test_a_router_stays_small_whatever_it_is_asked() -> None:
    router = Router(POLICY, registry())
    for day in range(600):
        router.decide(ask(at=NOW + timedelta(days=day)))
    assert len(router._judged) <= 256


QUESTIONS = st.fixed_dictionaries(
    {},
    optional={
        "about": st.frozensets(st.sampled_from([DataCategory.HEALTH, DataCategory.PAYMENT])),
        "categories": st.frozensets(st.sampled_from([DataCategory.MASKED_TRANSCRIPT, DataCategory.CONTACT])),
        "origin": st.sampled_from(["", "eu", "gb", "in"]),
        "purpose": st.sampled_from(["conversation", "quality"]),
        "excluding": st.frozensets(st.sampled_from([ProcessorId(name) for name in NAMES])),
        "health": st.dictionaries(st.sampled_from([ProcessorId(name) for name in NAMES]), st.sampled_from(Health)),
        "barred": st.dictionaries(st.sampled_from([ProcessorId(name) for name in NAMES]), st.just("acme objected to it")),
    },
)
REGIONS = st.fixed_dictionaries({}, optional={name.replace("-", "_"): st.sampled_from(["de", "us", "unknown"]) for name in NAMES})


@given(regions=REGIONS, questions=st.lists(QUESTIONS, min_size=1, max_size=4))
def test_memory_changes_no_answer(regions: dict[str, str], questions: list[dict[str, object]]) -> None:
    entries, tenant = registry(**regions), POLICY
    router = Router(tenant, entries)
    for question in questions:
        assert router.decide(ask(**question)) == decide(tenant, entries, ask(**question))


@given(regions=REGIONS, question=QUESTIONS)
def test_failing_over_never_reaches_whom_explain_refuses(regions: dict[str, str], question: dict[str, object]) -> None:
    """Every processor that is asked fails; each next one is one that explain permits, and none is asked twice."""
    entries, tenant = registry(**regions), POLICY
    table = explain(tenant, entries, ask(**question))
    permitted = {row.processor for row in table.rows if not any(row.rules.values())}
    failed = frozenset(question.get("excluding", frozenset()))  # type: ignore[call-overload]
    asked: list[str] = []
    while (grant := decide(tenant, entries, ask(**{**question, "excluding": failed})).grant) is not None:
        asked.append(grant.processor)
        failed |= {grant.processor}
    assert len(asked) == len(set(asked))
    assert set(asked) == permitted
