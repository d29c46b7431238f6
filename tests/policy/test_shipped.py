"""The policies that come with Sordino: valid, sourced, and strict where nothing is known."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from gateway.policy.explain import RULE_NAMES, explain
from gateway.policy.load import PolicySet, load
from gateway.policy.schema import schemas
from gateway.values import DataCategory, Hop
from tests.policy.samples import NOW, ask

POLICIES = Path(__file__).parents[2] / "policies"


@pytest.fixture(scope="module")
def shipped() -> PolicySet:
    return load({str(path): path.read_text(encoding="utf-8") for path in sorted(POLICIES.rglob("*.yaml"))})


def test_all_packs_of_the_contract_are_there(shipped: PolicySet) -> None:
    assert {"gdpr-strict", "india-dpdpa", "us-all-party", "us-tcpa-outbound", "hipaa", "pci"} <= set(shipped.packs)


def test_every_fact_and_every_entry_says_where_and_when_it_was_read(shipped: PolicySet) -> None:
    facts = [(fact.source, fact.checked_on) for pack in shipped.packs.values() for fact in pack.facts]
    entries = [(entry.source, entry.checked_on) for entry in shipped.registry.entries.values()]
    assert facts
    assert entries
    for source, checked_on in facts + entries:
        assert source
        assert date(2026, 1, 1) <= checked_on <= date(2030, 1, 1)


def test_no_entry_for_an_outside_company_claims_an_agreement_that_only_the_user_can_sign(shipped: PolicySet) -> None:
    assert all(entry.dpa is None for entry in shipped.registry.entries.values())


def test_the_demo_stays_on_this_machine_and_says_why_the_others_were_refused(shipped: PolicySet) -> None:
    decision = shipped.decide(ask(tenant="demo"))

    assert decision.grant is not None
    assert decision.grant.processor == "local-demo-llm"
    assert decision.grant.base_url == "http://127.0.0.1:8089/v1"
    assert "not an AI" in decision.grant.processor_name
    assert [verdict.processor for verdict in decision.verdicts if not verdict.permitted] == ["openai-global", "mistral"]
    assert "openai-global: its region us is not in the tenant's regions (local)" in decision.reasons


@pytest.mark.parametrize(
    ("hop", "data", "processor", "dialect"),
    [
        (Hop.STT, DataCategory.VOICE, "local-moonshine", "moonshine"),
        (Hop.TTS, DataCategory.TRANSCRIPT, "local-hibari", "hibari"),
    ],
)
def test_the_demo_hears_and_speaks_on_this_machine(
    shipped: PolicySet, hop: Hop, data: DataCategory, processor: str, dialect: str
) -> None:
    grant = shipped.decide(ask(tenant="demo", hop=hop, categories=frozenset({data}))).grant
    assert grant is not None
    assert (grant.processor, grant.dialect, grant.region, grant.host) == (processor, dialect, "local", "in-process")


def test_the_demos_number_finds_it(shipped: PolicySet) -> None:
    found = shipped.tenant_for_number("+15550100")
    assert found is not None
    assert (found.tenant, found.agent) == ("demo", "agents.receptionist:Receptionist")
    assert [announcement.asset for announcement in found.announcements] == ["ai-and-privacy.en.wav"]


def test_announced_words_are_the_words_of_the_audio(shipped: PolicySet) -> None:
    recorded = {
        fact["file"]: fact["text"] for fact in json.loads((POLICIES / "announcements" / "index.json").read_text(encoding="utf-8"))
    }
    announced = [announcement for policy in shipped.tenants.values() for announcement in policy.announcements]
    assert announced
    assert [(a.asset, a.text) for a in announced] == [(a.asset, recorded.get(a.asset)) for a in announced]


def test_explain_shows_every_rule_for_every_candidate(shipped: PolicySet) -> None:
    answer = explain(shipped.tenant("demo"), shipped.registry, ask(tenant="demo"))
    assert [row.processor for row in answer.rows] == ["openai-global", "mistral", "local-demo-llm"]
    assert [row.chosen for row in answer.rows] == [False, False, True]
    assert all(tuple(row.rules) == RULE_NAMES for row in answer.rows)
    assert answer.permitted


def test_the_smallest_tenant_of_the_contract_goes_to_its_local_model_until_an_agreement_is_written_down() -> None:
    texts = {str(path): path.read_text(encoding="utf-8") for path in sorted(POLICIES.rglob("*.yaml"))}
    tenant = (
        "tenant: acme\nextends: [gdpr-strict]\nregions: [eu]\ntraining: prohibited\n"
        'route:\n  llm: [{processor: mistral, model: mistral-small-latest}, {processor: local-llm, model: "*"}]\n'
        "masking: {default: pseudonym, CREDIT_CARD: drop}\nrecording: {enabled: false}\nannouncements: []\n"
    )
    decision = load({**texts, "tenants/acme.yaml": tenant}).decide(ask(model="llama"))
    assert decision.grant is not None
    assert (decision.grant.processor, decision.grant.model) == ("local-llm", "llama")
    assert "mistral: there is no data processing agreement with it" in decision.reasons
    assert decision.grant.issued_at == NOW


@pytest.mark.parametrize("name", sorted(schemas()))
def test_the_schemas_are_in_step_with_the_models(name: str) -> None:
    """Mend with `sordino policy schema`."""
    assert (POLICIES / "schema" / name).read_text(encoding="utf-8") == schemas()[name]


def test_there_is_no_schema_that_nothing_writes() -> None:
    assert {path.name for path in (POLICIES / "schema").iterdir()} == set(schemas())
