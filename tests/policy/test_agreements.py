"""What an operator signed, over a catalogue that nobody edits."""

from __future__ import annotations

import pytest

from gateway.errors import PolicyInvalid
from gateway.policy.load import load
from gateway.policy.registry import SubProcessor
from gateway.values import ProcessorId
from tests.policy.samples import REGISTRY, TENANT, ask

UNSIGNED = REGISTRY.replace("  dpa: {reference: DPA-7, reviewed_on: 2026-05-01, review_every_days: 365}\n", "")
SIGNED = "eu-llm: {reference: DPA-9, reviewed_on: 2026-06-01}\n"


def texts(agreements: str, registry: str = UNSIGNED) -> dict[str, str]:
    return {"subprocessors.yaml": registry, "agreements.yaml": agreements, "tenants/acme.yaml": TENANT}


def entry(agreements: str) -> SubProcessor:
    return load(texts(agreements)).registry.entries[ProcessorId("eu-llm")]


def test_an_agreement_makes_an_entry_usable() -> None:
    assert load(texts("{}\n")).decide(ask()).reasons == ("eu-llm: there is no data processing agreement with it",)
    decision = load(texts(SIGNED)).decide(ask())
    assert decision.reasons == ()
    assert decision.grant is not None
    assert decision.grant.processor == "eu-llm"


def test_it_says_what_was_agreed_beyond_the_catalogues_terms() -> None:
    changed = entry(
        "eu-llm:\n  reference: DPA-9\n  reviewed_on: 2026-06-01\n  training: prohibited\n  retention_days: 0\n  region: de\n"
        "  base_url: https://acme.llm.example/v1\n  mechanism: {us: contract}\n"
    )
    assert changed.dpa is not None
    assert (changed.dpa.reference, changed.region, changed.host, changed.retention_days) == ("DPA-9", "de", "acme.llm.example", 0)
    assert {law: mechanism.by.value for law, mechanism in changed.mechanism.items()} == {"gb": "adequacy", "us": "contract"}
    assert changed.send == {"store": False}


@pytest.mark.parametrize(
    ("catalogue", "agreed", "least"), [(None, "1.3", "1.3"), ("1.2", "1.3", "1.3"), ("1.3", "1.2", "1.3"), ("1.3", None, "1.3")]
)
def test_the_stricter_tls_of_the_catalogue_and_the_agreement_holds(catalogue: str | None, agreed: str | None, least: str) -> None:
    registry = UNSIGNED.replace("  region: eu\n", f'  region: eu\n  tls: "{catalogue}"\n' if catalogue else "  region: eu\n")
    more = f'  tls: "{agreed}"\n' if agreed else ""
    found = load(texts("eu-llm:\n  reference: DPA-9\n  reviewed_on: 2026-06-01\n" + more, registry))
    assert found.registry.entries[ProcessorId("eu-llm")].tls == least


def test_an_agreement_changes_the_registrys_digest() -> None:
    assert load(texts(SIGNED)).registry.digest != load(texts("{}\n")).registry.digest


@pytest.mark.parametrize(
    ("agreements", "place", "message", "hint"),
    [
        ("eu-lm: {reference: D, reviewed_on: 2026-06-01}", "1:1", "there is no sub-processor `eu-lm`", "did you mean `eu-llm`?"),
        ("eu-llm: {reference: D}", "1:9", "the key `reviewed_on` is missing", "add"),
        ("eu-llm: {reference: D, reviewed_on: 2026-06-01, send: {}}", "1:49", "unknown key `send`", "the keys here are"),
        ("eu-llm: {reference: D, reviewed_on: 2026-06-01, base_url: 'http://x.example'}", "1:59", "plaintext http", "https"),
        ("eu-llm: {reference: D, reviewed_on: 2026-06-01, region: local}", "1:9", "the region is local but", "name the region"),
        (
            "eu-llm: {reference: D, reviewed_on: 2026-06-01, mechanism: {us: Privacy Shield}}",
            "1:65",
            "struck down",
            "in force",
        ),
        ("- eu-llm", "1:1", "this file must be a mapping of sub-processors", "what you signed"),
    ],
)
def test_a_fault_is_shown_at_its_place(agreements: str, place: str, message: str, hint: str) -> None:
    with pytest.raises(PolicyInvalid) as invalid:
        load(texts(agreements))
    found = [f for f in invalid.value.findings if message in f.message]
    assert [str(f.where) for f in found] == [f"agreements.yaml:{place}"]
    assert hint in found[0].hint
