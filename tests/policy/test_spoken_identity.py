"""What policies say of finding callers by what they said: nobody without a word, by no kind that many share, and by no pack."""

from __future__ import annotations

import pytest

from gateway.policy.load import load
from gateway.policy.masks import DEFAULT
from gateway.policy.spoken_identity import IDENTIFYING, how_to_mend, why_not
from gateway.redaction.entities import KINDS
from tests.policy.samples import REGISTRY, loaded
from tests.policy.test_recording import TENANT, faults

SAYS = "rights: {spoken_identity: %s}\n"


def spoken(own: str, more: str = "") -> tuple[str, ...]:
    return loaded(TENANT + SAYS % own + more).tenant("acme").spoken_identity


def test_without_a_word_nobody_is_found_by_what_they_said() -> None:
    """And the policy is what it was before there was such a word: its digest stands in old receipts."""
    policy = loaded(TENANT).tenant("acme")
    assert policy.spoken_identity == ()
    assert "rights" not in policy.document()


@pytest.mark.parametrize(
    ("own", "found"),
    [
        ("[]", ()),
        ("[EMAIL_ADDRESS]", ("EMAIL_ADDRESS",)),
        ("[ID_NUMBER, EMAIL_ADDRESS, ID_NUMBER]", ("EMAIL_ADDRESS", "ID_NUMBER")),
    ],
)
def test_the_kinds_are_in_force_as_they_are_written(own: str, found: tuple[str, ...]) -> None:
    assert spoken(own) == found


def test_the_order_of_the_kinds_makes_no_other_policy() -> None:
    one, two = (loaded(TENANT + SAYS % own).tenant("acme").digest for own in ("[ID_NUMBER, USERNAME]", "[USERNAME, ID_NUMBER]"))
    assert one == two


@pytest.mark.parametrize(
    ("own", "fault"),
    [
        ("[PERSON]", "acme.yaml:4:28: `PERSON` is no identity: many people share one"),
        ("[EMAIL_ADDRESS, DATE_OF_BIRTH]", "acme.yaml:4:43: `DATE_OF_BIRTH` is no identity"),
        ("[CREDIT_CARD]", "nothing of a card is kept, not even a hash of it"),
        ("[PIN]", "it opens doors and names nobody"),
        ("[CUSTOMER_NUMBER]", "it is not a kind of data that we find"),
        ("[email_address]", "acme.yaml:4:28"),
        ("EMAIL_ADDRESS", "acme.yaml:4:27"),
        ("[7]", "acme.yaml:4:28"),
        ("{EMAIL_ADDRESS: true}", "acme.yaml:4"),
    ],
)
def test_what_identifies_nobody_is_a_fault_with_its_place(own: str, fault: str) -> None:
    assert fault in faults(TENANT + SAYS % own)


def test_a_fault_says_what_to_write_instead() -> None:
    assert "ID_NUMBER is what customer and contract numbers are found as" in how_to_mend("CUSTOMER_NUMBER")
    assert how_to_mend("EMAIL_ADRESS") == "did you mean `EMAIL_ADDRESS`?"
    assert "did you mean" not in how_to_mend("PIN")


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"LITERAL"}))
def test_of_every_kind_that_is_found_it_is_decided_whether_it_is_an_identity(kind: str) -> None:
    """A new kind of data is refused here with its own reason, or joins those that identify."""
    assert "not a kind of data" not in why_not(kind)


def test_every_kind_that_identifies_is_one_that_the_detector_finds() -> None:
    assert set(IDENTIFYING) <= set(KINDS)


@pytest.mark.parametrize(
    ("masking", "kind", "left"),
    [
        ("{EMAIL_ADDRESS: drop}", "EMAIL_ADDRESS", False),
        ("{EMAIL_ADDRESS: category}", "EMAIL_ADDRESS", False),
        ("{EMAIL_ADDRESS: keep}", "EMAIL_ADDRESS", False),
        ("{ID_NUMBER: last4}", "ID_NUMBER", False),
        (f"{{{DEFAULT}: drop}}", "EMAIL_ADDRESS", False),
        ("{EMAIL_ADDRESS: {default: pseudonym, llm: drop}}", "EMAIL_ADDRESS", False),
        ("{ID_NUMBER: surrogate}", "ID_NUMBER", False),
        ("{EMAIL_ADDRESS: {default: drop, llm: pseudonym}}", "EMAIL_ADDRESS", True),
        ("{EMAIL_ADDRESS: surrogate}", "EMAIL_ADDRESS", True),
        (f"{{{DEFAULT}: drop, EMAIL_ADDRESS: pseudonym}}", "EMAIL_ADDRESS", True),
    ],
)
def test_what_the_mask_does_not_keep_apart_can_find_nobody(masking: str, kind: str, left: bool) -> None:
    """An index that stays empty would be a promise that nobody keeps, so the file is refused."""
    text = TENANT + SAYS % f"[{kind}]" + f"masking: {masking}\n"
    if left:
        assert loaded(text).tenant("acme").spoken_identity == (kind,)
    else:
        told = faults(text)
        assert f"acme.yaml:4:10: nobody can be found by `{kind}`" in told
        assert f"masking: {{{kind}: pseudonym}}" in told


def test_a_packs_mask_counts_too() -> None:
    strict = "pack: strict\ntitle: Strict\nmasking: {default: drop}\n"
    text = TENANT + "extends: [strict]\n" + SAYS % "[EMAIL_ADDRESS]"
    assert "nobody can be found by `EMAIL_ADDRESS`" in faults(text, strict=strict)


def test_no_pack_can_have_more_of_callers_noted() -> None:
    """Only the tenant knows which numbers name its customers: a pack that says it is not read."""
    pack = "pack: firm\ntitle: Firm\n" + SAYS % "[EMAIL_ADDRESS]"
    assert "unknown key `rights`" in faults(TENANT, firm=pack)


def test_tenants_that_say_it_alone_share_nothing_of_it() -> None:
    """Two tenants alike in all else: what one says of itself is not the other's."""
    texts = {f"tenants/{name}.yaml": TENANT.replace("acme", name) for name in ("acme", "beta")}
    texts["tenants/acme.yaml"] += SAYS % "[EMAIL_ADDRESS]"
    policies = load({"subprocessors.yaml": REGISTRY, **texts})
    assert policies.tenant("acme").spoken_identity == ("EMAIL_ADDRESS",)
    assert policies.tenant("beta").spoken_identity == ()
