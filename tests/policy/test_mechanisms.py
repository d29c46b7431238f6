"""How data leaves the place whose law protects it."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from gateway.policy.egress import decide
from gateway.policy.mechanisms import Means, Mechanism, law_of, problem
from gateway.values import ProcessorId
from tests.policy.samples import ask, loaded, with_entry

IN_US = "tenant: acme\nregions: [us]\norigins: [eu]\nroute:\n  llm: [{processor: eu-llm, model: small}]\n"


@pytest.mark.parametrize(
    ("law", "means", "destination"),
    [
        ("eu", "adequacy", "gb"),
        ("de", "adequacy", "us"),
        ("eea", "adequacy", "br"),
        ("eu", "scc-module-2", "in/ap-south-1"),
        ("eu", "binding-corporate-rules", "in"),
        ("gb", "adequacy", "de/eu-central-1"),
        ("gb", "uk-addendum", "us"),
        ("gb", "uk-idta", "in"),
        ("ch", "swiss-clauses", "us"),
        ("ch", "adequacy", "fr"),
        ("sg", "sg-pdpa", "us"),
        ("au", "au-app-8", "us"),
        ("in", "in-dpdp", "us"),
        ("us", "none-needed", "in"),
        ("jp", "contract", "us"),
    ],
)
def test_is_a_mechanism(law: str, means: str, destination: str) -> None:
    assert problem(Mechanism.model_validate(means), law, destination) == ""


@pytest.mark.parametrize(
    ("law", "means", "destination", "sentence"),
    [
        ("eu", "adequacy", "in", "no adequacy decision of eu covers in"),
        ("de", "adequacy", "au/au1", "no adequacy decision of de covers au/au1"),
        ("ch", "adequacy", "jp", "no adequacy decision of ch covers jp"),
        ("us", "scc-module-2", "in", "scc-module-2 is no transfer mechanism of the law of us"),
        ("gb", "scc-module-2", "us", "scc-module-2 is no transfer mechanism of the law of gb"),
        ("eu", "none-needed", "us", "none-needed is no transfer mechanism of the law of eu"),
        ("in", "adequacy", "us", "adequacy is no transfer mechanism of the law of in"),
    ],
)
def test_is_no_mechanism(law: str, means: str, destination: str, sentence: str) -> None:
    assert problem(Mechanism.model_validate(means), law, destination) == sentence


@pytest.mark.parametrize("written", ["Privacy Shield", "EU-US privacy-shield", {"by": "Privacy Shield", "reference": "x"}])
def test_privacy_shield_is_refused_with_a_sentence(written: object) -> None:
    with pytest.raises(ValidationError, match="Privacy Shield was struck down on 16 July 2020"):
        Mechanism.model_validate(written)


def test_every_mechanism_is_one_of_some_law() -> None:
    laws = ("eu", "gb", "ch", "sg", "au", "in", "us")
    known = {means for means in Means for law in laws if not problem(Mechanism(by=means), law, "gb")}
    assert known == set(Means) - {Means.UNKNOWN}


@pytest.mark.parametrize(("place", "law"), [("de", "eu"), ("no", "eu"), ("eea", "eu"), ("gb", "gb"), ("in/ap-south-1", "in")])
def test_the_law_of_a_place(place: str, law: str) -> None:
    assert law_of(place) == law


@pytest.mark.parametrize(
    ("mechanism", "said"),
    [
        ({"eu": "scc-module-2"}, "scc-module-2 (DPA-7)"),
        ({"eu": {"by": "scc-module-2", "reference": "clauses of 2026-02-01"}}, "scc-module-2 (clauses of 2026-02-01)"),
        ({"eu": {"by": "adequacy", "reference": "Data Privacy Framework list"}}, "adequacy (Data Privacy Framework list)"),
        ({"eu": "adequacy"}, "adequacy"),
    ],
)
def test_a_grant_names_the_document_of_a_mechanism(mechanism: dict[str, object], said: str) -> None:
    """Clauses without a document of their own are part of the processing agreement."""
    grant = decide(loaded(IN_US).tenant("acme"), with_entry(region="us", mechanism=mechanism), ask()).grant
    assert grant is not None
    assert grant.mechanism == said


def test_a_hop_by_a_mechanism_of_another_law_is_refused() -> None:
    decision = decide(loaded(IN_US).tenant("acme"), with_entry(region="us", mechanism={"eu": "uk-idta"}), ask())
    assert decision.reasons == ("eu-llm: uk-idta is no transfer mechanism of the law of eu",)
    assert decision.verdicts[0].processor == ProcessorId("eu-llm")
