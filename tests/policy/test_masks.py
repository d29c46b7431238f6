"""What becomes of private values on the way to each receiver."""

from __future__ import annotations

import pytest

from gateway.errors import PolicyInvalid
from gateway.policy.categories import CATEGORY, categories_of, category_of
from gateway.policy.egress import decide
from gateway.policy.fields import Mask
from gateway.policy.model import TenantPolicy
from gateway.redaction.entities import KINDS
from gateway.values import DataCategory, Hop
from tests.policy.samples import ask, loaded, with_entry

HEADED = "tenant: acme\nregions: [eu]\nroute:\n  llm: [{processor: eu-llm, model: small}]\n"


def tenant(masking: str, **packs: str) -> TenantPolicy:
    extends = f"extends: [{', '.join(packs)}]\n" if packs else ""
    return loaded(HEADED + extends + f"masking: {masking}\n", **packs).tenant("acme")


@pytest.mark.parametrize(
    ("masking", "kind", "hop", "mask"),
    [
        ("{PERSON: category}", "PERSON", Hop.LLM, Mask.CATEGORY),
        ("{PERSON: {llm: category, tts: keep}}", "PERSON", Hop.LLM, Mask.CATEGORY),
        ("{PERSON: {llm: category, tts: keep}}", "PERSON", Hop.TTS, Mask.KEEP),
        ("{PERSON: {llm: category, tts: keep}}", "PERSON", Hop.STORAGE, Mask.PSEUDONYM),
        ("{default: drop, PERSON: {llm: category}}", "PERSON", Hop.STORAGE, Mask.DROP),
        ("{default: {llm: drop}}", "CVV", Hop.LLM, Mask.DROP),
        ("{default: {llm: drop}}", "CVV", Hop.STORAGE, Mask.PSEUDONYM),
        ("{default: keep}", "PERSON", Hop.LLM, Mask.KEEP),
        ("{PERSON: {llm: surrogate, stt: keep}}", "PERSON", Hop.LLM, Mask.SURROGATE),
        ("{default: surrogate}", "PHONE_NUMBER", Hop.LLM, Mask.SURROGATE),
        ("{default: surrogate}", "CREDIT_CARD", Hop.LLM, Mask.DROP),
        ("{US_SSN: surrogate}", "US_SSN", Hop.LLM, Mask.DROP),
        ("{default: keep}", "CREDIT_CARD", Hop.LLM, Mask.LAST4),
        ("{default: keep}", "NEVER_HEARD_OF", Hop.LLM, Mask.LAST4),
    ],
)
def test_each_receiver_has_its_mask(masking: str, kind: str, hop: Hop, mask: Mask) -> None:
    assert tenant(masking).masking_for(kind, hop) is mask


def test_the_stricter_file_wins_at_each_hop() -> None:
    pack = "pack: p\ntitle: t\nmasking: {PERSON: {default: category, tts: drop}}\n"
    said = "loosens: [{setting: masking.PERSON, pack: p, reason: we must}]\n"
    policy = loaded(HEADED + "extends: [p]\n" + "masking: {PERSON: category}\n", p=pack.replace(", tts: drop", "")).tenant("acme")
    assert policy.masking_for("PERSON", Hop.TTS) is Mask.CATEGORY
    loosened = loaded(HEADED + "extends: [p]\n" + said + "masking: {PERSON: last4}\n", p=pack).tenant("acme")
    assert loosened.masking_for("PERSON", Hop.TTS) is Mask.LAST4


@pytest.mark.parametrize(
    ("masking", "place"),
    [
        ("{US_SSN: keep}", "5:19"),
        ("{CREDIT_CARD: {default: pseudonym, llm: keep}}", "5:50"),
        ("{PASSWORD: {telemetry: keep}}", "5:33"),
    ],
)
def test_payment_and_identity_may_not_be_kept_towards_a_reader(masking: str, place: str) -> None:
    with pytest.raises(PolicyInvalid) as invalid:
        tenant(masking)
    [finding] = invalid.value.findings
    assert str(finding.where) == f"tenants/acme.yaml:{place}"
    assert "may not be kept: payment and identity numbers never reach a model" in finding.message


def test_hearing_and_speaking_a_number_is_not_reading_it() -> None:
    """A recogniser hears the number itself, and a voice speaks it: there is nothing to mask."""
    assert tenant("{CREDIT_CARD: {stt: keep, tts: keep, default: drop}}").masking_for("CREDIT_CARD", Hop.LLM) is Mask.DROP


def test_what_the_mask_leaves_in_the_text_counts_as_sent() -> None:
    """A name that is kept is contact data: the model must be one that may receive it, and the Grant says so."""
    policy = tenant("{PERSON: keep}")
    assert decide(policy, with_entry(), ask()).reasons == ("eu-llm: it may not receive contact (only masked_transcript)",)
    grant = decide(policy, with_entry(receives=["masked_transcript", "contact"]), ask()).grant
    assert grant is not None
    assert grant.categories == {DataCategory.MASKED_TRANSCRIPT, DataCategory.CONTACT}
    assert not grant.masked


def test_a_text_in_which_everything_is_kept_is_a_transcript() -> None:
    policy = tenant("{default: keep}")
    assert decide(policy, with_entry(), ask()).reasons == ("eu-llm: it may not receive transcript (only masked_transcript)",)


def test_every_kind_that_is_found_has_its_category() -> None:
    assert set(KINDS) <= set(CATEGORY)


@pytest.mark.parametrize(
    ("kinds", "categories"),
    [
        (["PERSON", "PHONE_NUMBER"], {DataCategory.CONTACT}),
        (["CREDIT_CARD", "CVV", "IBAN_CODE"], {DataCategory.PAYMENT}),
        (["US_SSN", "PASSPORT", "IN_AADHAAR"], {DataCategory.IDENTITY}),
        (["MEDICAL_RECORD", "UK_NHS"], {DataCategory.HEALTH}),
        ([], set()),
    ],
)
def test_kinds_belong_to_categories(kinds: list[str], categories: set[DataCategory]) -> None:
    assert categories_of(kinds) == categories


def test_a_kind_that_nobody_knows_counts_as_identity() -> None:
    assert category_of("SOMETHING_NEW") is DataCategory.IDENTITY
