"""What a policy says of card data and of a person who takes callers over, and what it permits by that."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gateway.errors import PolicyInvalid
from gateway.policy.egress import Decision
from gateway.policy.payment import PAYMENT, Payment, Resume, Starts
from gateway.policy.transfer import Transfer, countries_of
from gateway.values import DataCategory, Hop
from tests.policy.samples import ask, loaded

PAY = """\
- {id: pay, name: Pay, purpose: payments, kind: payment, dialect: payment-webhook, base_url: "https://pay.example/keys",
   secret: PAY_SECRET, region: eu, training: prohibited, retention_days: 0, receives: [payment], mechanism: {gb: adequacy},
   dpa: {reference: DPA-9, reviewed_on: 2026-05-01}, status: active, source: invented, checked_on: 2026-11-01}
"""
TENANT = "tenant: acme\nregions: [eu]\norigins: [eu]\nroute: {payment: [{processor: pay}]}\n"
CARD = frozenset({DataCategory.PAYMENT})


def asked(tenant: str = TENANT + "payment: {}\n", *, purpose: str = PAYMENT, registry: str = PAY) -> Decision:
    question = ask(hop=Hop.PAYMENT, categories=CARD, about=CARD, purpose=purpose)
    return loaded(tenant, registry=registry).decide(question)


def test_keyed_card_data_goes_to_the_routes_processor_under_a_grant_of_its_own() -> None:
    grant = asked().grant
    assert grant is not None
    assert (grant.hop, grant.processor, grant.purpose, grant.categories) == (Hop.PAYMENT, "pay", "payment", CARD)


REFUSED = {
    "the policy takes no cards": ({"tenant": TENANT}, "the policy takes no card data"),
    "another purpose": ({"purpose": "conversation"}, "the policy takes no card data for that"),
    "another region": ({"registry": PAY.replace("region: eu", "region: us")}, "its region us is not in"),
    "it may not receive it": ({"registry": PAY.replace("[payment]", "[contact]")}, "it may not receive payment"),
    "no agreement": ({"registry": PAY.replace("   dpa: {reference: DPA-9, reviewed_on: 2026-05-01}, ", "   ")}, "no data"),
    "somebody else is named for payments": (
        {"tenant": TENANT + "payment: {}\nsensitive: {payment: [local]}\n"},
        "goes only to local",
    ),
}


@pytest.mark.parametrize(("change", "why"), REFUSED.values(), ids=REFUSED.keys())
def test_every_rule_of_egress_holds_for_it(change: dict[str, str], why: str) -> None:
    decision = asked(**change)
    assert decision.grant is None
    assert why in str(decision.reasons)


def test_a_model_is_never_asked_for_this_purpose() -> None:
    tenant = TENANT.replace("{payment:", "{llm: [{processor: eu-llm}], payment:") + "payment: {}\n"
    decision = loaded(tenant, registry=PAY + MODEL).decide(ask(purpose=PAYMENT))
    assert decision.grant is None


MODEL = """\
- {id: eu-llm, name: L, purpose: language model, kind: llm, dialect: openai, base_url: "https://llm.example/v1", region: eu,
   training: prohibited, retention_days: 0, receives: [masked_transcript, payment], dpa: {reference: D, reviewed_on: 2026-05-01},
   status: active, source: invented, checked_on: 2026-11-01}
"""


def test_without_more_words_questions_and_cards_begin_a_pause_and_no_clock_ends_it() -> None:
    assert loaded(TENANT + "payment: {}\n", registry=PAY).tenant("acme").payment == Payment()
    assert (Payment().starts, Payment().resume) == (tuple(Starts), Resume.EXPLICIT)
    assert Payment().within == timedelta(seconds=120)


FAULTS = {
    "nobody receives it": ("route: {payment: [{processor: pay}]}\n", "", "the route names nobody who receives it"),
    "too long": ("payment: {}", "payment: {within: 2h}", "nobody keys in a card like this"),
    "too short": ("payment: {}", "payment: {within: 1s}", "nobody keys in a card like this"),
    "an unknown start": ("payment: {}", "payment: {starts: [whisper]}", "whisper"),
    "a person in a forbidden country": (
        "payment: {}",
        'transfer: {to: "+12025550123"}',
        "us is not among the countries",
    ),
    "no number": ("payment: {}", "transfer: {to: reception}", "phone number"),
}


@pytest.mark.parametrize(("old", "new", "message"), FAULTS.values(), ids=FAULTS.keys())
def test_a_fault_is_told_with_its_place(old: str, new: str, message: str) -> None:
    text = TENANT + "payment: {}\n"
    assert old in text
    with pytest.raises(PolicyInvalid) as failure:
        loaded(text.replace(old, new), registry=PAY)
    assert any(message in str(finding) for finding in failure.value.findings), str(failure.value)
    assert all(finding.where.file == "tenants/acme.yaml" for finding in failure.value.findings)


def test_a_person_in_a_permitted_country_may_be_dialled_and_evidence_says_the_country_alone() -> None:
    text = TENANT + "payment: {}\ntransfer: {to: '+12025550123'}\noutbound: {countries: [us]}\n"
    transfer = loaded(text, registry=PAY).tenant("acme").transfer
    assert transfer == Transfer(to="+12025550123")
    assert countries_of(transfer) == ("us",)
