"""What callers are told first: the law of both ends, whoever extends which pack."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gateway.policy.announcing import Disclosure
from gateway.policy.disclosing import STANDARD, FirstWords, first_words
from gateway.policy.jurisdiction import jurisdiction, locate
from gateway.policy.load import PolicySet, load
from gateway.values import Private
from tests.policy.samples import REGISTRY, TENANT

SHIPPED = Path(__file__).parents[2] / "policies"
PACKS = {f"packs/{path.name}": path.read_text(encoding="utf-8") for path in (SHIPPED / "packs").glob("*.yaml")}
HELLO = "announcements: [{id: hello, text: Hello., asset: hello.wav%s}]\n"
AUSTIN, CALIFORNIA, BERLIN, LONDON, DELHI = "+15125550100", "+14155550123", "+4930901820", "+442071838750", "+911123456789"
MUNICH_MOBILE, TOLL_FREE, WITHHELD = "+4915123456789", "+18005550100", ""


def folder(tenant: str = HELLO % "") -> PolicySet:
    return load({"subprocessors.yaml": REGISTRY, "tenants/acme.yaml": TENANT + tenant, **PACKS})


def told(caller: str, tenant: str = HELLO % "", *, called: str = AUSTIN, language: str = "") -> FirstWords:
    policies = folder(tenant)
    law = jurisdiction(locate(Private(caller)), locate(Private(called)))
    return first_words(policies.tenant("acme"), policies.packs, law, language)


@pytest.mark.parametrize(
    ("caller", "rule"),
    [
        (CALIFORNIA, "pack:ca-ai-disclosure"),
        (BERLIN, "pack:eu-ai-act"),
        (MUNICH_MOBILE, "pack:eu-ai-act"),
        (TOLL_FREE, "pack:ca-ai-disclosure"),
        (WITHHELD, "pack:eu-ai-act"),
        (AUSTIN, None),
        (DELHI, None),
    ],
)
def test_a_caller_whose_law_wants_it_hears_of_the_assistant_though_the_tenant_says_nothing(caller: str, rule: str | None) -> None:
    """Ours is heard before the tenant's own, and names the pack that asks for it. Who may be anywhere is under the strictest."""
    found = told(caller)
    assert [each.id for each in found.announcements] == (["standard-ai", "hello"] if rule else ["hello"])
    if rule:
        assert found.announcements[0].rule == rule
        assert f"{rule.removeprefix('pack:')} wants callers told `ai`, and no announcement of the tenant says so: ours does" in (
            found.reasons
        )


def test_the_called_end_counts_like_the_caller() -> None:
    assert [each.id for each in told(AUSTIN, called=BERLIN).announcements] == ["standard-ai", "hello"]


def test_the_tenants_own_words_are_enough() -> None:
    found = told(BERLIN, HELLO % ", says: [ai]")
    assert [each.id for each in found.announcements] == ["hello"]
    assert (found.untold, found.reasons) == ((), ())


def test_words_for_another_place_are_not_enough() -> None:
    """What is told in France only does not tell a caller from Germany."""
    found = told(BERLIN, HELLO % ", says: [ai], when: [fr]")
    assert [each.id for each in found.announcements] == ["standard-ai"]


def test_what_only_the_tenant_can_say_is_written_down_as_untold() -> None:
    found = told(LONDON)
    assert found.untold == (Disclosure.PRIVACY,)
    assert found.reasons == ("uk-gdpr wants callers told `privacy`, and no announcement of the tenant says so",)


def test_nobody_is_told_of_a_recording_that_is_not_made() -> None:
    assert Disclosure.RECORDING not in told(CALIFORNIA).untold


def test_a_tenant_that_loosens_the_disclosure_with_a_reason_is_not_overruled() -> None:
    loosened = "extends: [eu-ai-act]\nloosens: [{setting: disclose.ai, pack: eu-ai-act, reason: people dial a robot's number}]\n"
    assert [each.id for each in told(BERLIN, loosened + HELLO % "").announcements] == ["hello"]


@pytest.mark.parametrize(("language", "heard"), [("fr", "fr"), ("pt-BR", "pt"), ("de", "en"), ("", "en")])
def test_ours_is_heard_in_the_language_of_the_call_where_we_have_it(language: str, heard: str) -> None:
    assert told(BERLIN, language=language).announcements[0].language == heard


def test_without_a_call_only_the_files_count() -> None:
    policies = folder()
    assert first_words(policies.tenant("acme"), policies.packs, None).announcements == policies.tenant("acme").announcements


def test_our_recordings_say_exactly_their_words() -> None:
    index = json.loads((SHIPPED / "announcements" / "index.json").read_text(encoding="utf-8"))
    spoken = {fact["file"]: (fact["language"], fact["text"]) for fact in index}
    assert {each.asset: (each.language, each.text) for each in STANDARD} == {each.asset: spoken[each.asset] for each in STANDARD}
