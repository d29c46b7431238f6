"""The policies that come with Sordino: valid, sourced, and strict where nothing is known."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from gateway.policy.egress import decide
from gateway.policy.explain import RULE_NAMES, explain
from gateway.policy.load import PolicySet, load
from gateway.policy.loosening import stated
from gateway.policy.merge import effective
from gateway.policy.model import Settings, TenantFile
from gateway.policy.registry import Registry
from gateway.policy.schema import schemas
from gateway.values import DataCategory, Hop, ProcessorId
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


NAMED_IN_AGREEMENTS = (
    "openai anthropic azure-openai aws-bedrock google-vertex mistral groq openrouter clarifai sarvam deepgram assemblyai "
    "elevenlabs cartesia twilio telnyx plivo livekit meta-whatsapp aws-s3 cloudflare brevo resend cashfree local"
)


@pytest.mark.parametrize("name", NAMED_IN_AGREEMENTS.split())
def test_every_system_that_agreements_name_has_its_entry(shipped: PolicySet, name: str) -> None:
    """Promise 1."""
    assert any(processor.startswith(name) for processor in shipped.registry.entries)


def test_what_an_outside_company_claims_was_read_at_an_address(shipped: PolicySet) -> None:
    outside = [entry for entry in shipped.registry.entries.values() if entry.region != "local"]
    unread = [entry.id for entry in outside if "https://" not in entry.source]
    assert unread == ["stripe"]
    stripe = shipped.registry.entries[ProcessorId("stripe")]
    assert (stripe.region, stripe.training, stripe.retention_days) == ("unknown", "unknown", None)


def test_unknown_passes_no_policy_however_wide(shipped: PolicySet) -> None:
    """With an agreement for everybody and a tenant that allows what can be allowed, only the unknown keeps a processor out."""
    signed = {"reference": "DPA", "reviewed_on": "2026-11-01"}
    every_place = ["eu", "us", "in", "au", "nl/europe-west4"]
    for entry in shipped.registry.entries.values():
        if not isinstance(entry.kind, Hop) or entry.region == "local":
            continue
        tenant = TenantFile.model_validate(
            {
                "tenant": "acme",
                "regions": every_place,
                "origins": ["us"],
                "training": "permitted",
                "processor_retention": "3650d",
                "route": {entry.kind.value: [{"processor": entry.id}]},
            }
        )
        agreed = entry.model_validate({**entry.model_dump(), "dpa": signed, "mechanism": {"us": "none-needed"}})
        question = ask(hop=entry.kind, categories=frozenset(entry.receives))
        decision = decide(effective(tenant, []), Registry.of({ProcessorId(entry.id): agreed}), question)
        unknown = "unknown" in (entry.region, entry.training) or entry.retention_days is None
        assert (decision.grant is None) is unknown, entry.id


@pytest.mark.parametrize("processor", ["openrouter", "deepgram-stt", "openai-eu", "anthropic", "elevenlabs-eu"])
def test_flags_that_a_promise_needs_are_sent_with_each_request(shipped: PolicySet, processor: str) -> None:
    flags = {
        "openrouter": {"provider": {"data_collection": "deny", "zdr": True}},
        "deepgram-stt": {"mip_opt_out": True},
        "openai-eu": {"store": False},
        "anthropic": {"inference_geo": "us"},
        "elevenlabs-eu": {"enable_logging": False},
    }
    assert shipped.registry.entries[ProcessorId(processor)].send == flags[processor]


@pytest.mark.parametrize(
    ("dialect", "endings"),
    [("openai", ("/v1", "/endpoints/openapi")), ("anthropic", ("/v1",)), ("azure", ("azure.invalid",))],
)
def test_an_address_ends_where_the_dialects_own_path_begins(shipped: PolicySet, dialect: str, endings: tuple[str, ...]) -> None:
    """``/chat/completions``, ``/messages`` and ``/openai/deployments`` are added to it."""
    addresses = [entry.base_url or "" for entry in shipped.registry.entries.values() if entry.dialect == dialect]
    assert addresses
    assert all(address.endswith(endings) for address in addresses)


def test_an_address_that_everybody_must_fill_in_himself_leads_nowhere(shipped: PolicySet) -> None:
    """A made-up name under azure.com might be somebody's: the key would go there."""
    hosts = {entry.host for entry in shipped.registry.entries.values() if "your-" in entry.host}
    assert hosts
    assert all(host.endswith(".invalid") for host in hosts)


@pytest.mark.parametrize("name", sorted(path.stem for path in (POLICIES / "packs").iterdir()))
def test_every_setting_of_a_pack_has_a_reason_with_its_source(shipped: PolicySet, name: str) -> None:
    """Whoever asks why a pack wants something finds the fact that says so."""
    pack = shipped.packs[name]
    said = {key for key in Settings.model_fields if getattr(pack, key) is not None}
    reasons = {setting for fact in pack.facts for setting in fact.settings}
    assert {reason.split(".")[0] for reason in reasons} == said
    for reason in reasons:
        assert stated(pack, reason), reason


def test_a_tenant_may_extend_every_pack_at_once(shipped: PolicySet) -> None:
    texts = {str(path): path.read_text(encoding="utf-8") for path in sorted(POLICIES.rglob("*.yaml"))}
    told = "{id: a, text: Hello., asset: a.wav, says: [ai, privacy, caller, opt-out]}"
    tenant = f"tenant: acme\nextends: [{', '.join(shipped.packs)}]\nannouncements: [{told}]\n"
    policy = load({**texts, "tenants/acme.yaml": tenant}).tenant("acme")
    assert policy.origins == ("eu", "gb", "in", "us")
    assert policy.outbound.countries == ()
    assert (policy.notice_days, policy.breach_hours, policy.training) == (30, 72, "prohibited")
