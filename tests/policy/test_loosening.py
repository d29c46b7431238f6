"""A tenant may be laxer than a pack where it says so, by name and with a reason."""

from __future__ import annotations

import pytest

from gateway.errors import PolicyInvalid
from gateway.policy.egress import decide
from gateway.policy.fields import Mask, Training
from tests.policy.samples import ask, loaded, with_entry

PACK = """\
pack: strict
title: strict
tls: "1.3"
regions: {default: [eea], stt: [de]}
training: prohibited
processor_retention: 30d
purposes: [conversation]
masking: {default: pseudonym, CVV: drop, PERSON: {tts: drop, default: category}}
retention: {audio: 0s, metadata: 30d}
notice_days: 30
notice_business_days: 10
objection_days: 18
breach_hours: 24
answers: {unknown: mask}
sensitive: {health: [local]}
disclose: [ai]
outbound: {countries: [de], consent: true, quiet_holidays: true, attempts_per_day: 2, do_not_call_max_age: 31d}
"""
HEAD = "tenant: acme\nextends: [strict]\nroute:\n  llm: [{processor: eu-llm}]\n"
TOLD = "announcements: [{id: a, text: An AI., asset: a.wav, says: [ai]}]\n"

LAXER = [
    ('tls: "1.2"', "tls", "1.3"),
    ("training: opt-out", "training", "prohibited"),
    ("processor_retention: 31d", "processor_retention", "30d"),
    ("purposes: [conversation, quality]", "purposes", "[conversation]"),
    ("regions: [eea, us]", "regions", "[eea]"),
    ("regions: {stt: [eu]}", "regions.stt", "[de]"),
    ("regions: {llm: [us]}", "regions.llm", "[eea]"),
    ("masking: {default: keep}", "masking.default", "pseudonym"),
    ("masking: {CVV: pseudonym}", "masking.CVV", "drop"),
    ("masking: {PHONE_NUMBER: last4}", "masking.PHONE_NUMBER", "pseudonym"),
    ("masking: {PERSON: {tts: keep, default: drop}}", "masking.PERSON", "drop"),
    ("retention: {audio: 1d}", "retention.audio", "0s"),
    ("retention: {metadata: 31d}", "retention.metadata", "30d"),
    ("notice_days: 10", "notice_days", "30"),
    ("notice_business_days: 5", "notice_business_days", "10"),
    ("objection_days: 30", "objection_days", "18"),
    ("breach_hours: 72", "breach_hours", "24"),
    ("answers: {unknown: pass}", "answers.unknown", "mask"),
    ("sensitive: {health: [local, eu-llm]}", "sensitive.health", "[local]"),
    ("outbound: {countries: [de, us]}", "outbound.countries", "[de]"),
    ("outbound: {consent: false}", "outbound.consent", "true"),
    ("outbound: {quiet_holidays: false}", "outbound.quiet_holidays", "true"),
    ("outbound: {attempts_per_day: 3}", "outbound.attempts_per_day", "2"),
    ("outbound: {do_not_call_max_age: 60d}", "outbound.do_not_call_max_age", "31d"),
]


def loosens(setting: str) -> str:
    return f"loosens: [{{setting: {setting}, pack: strict, reason: agreed with the customer}}]\n"


def findings(text: str, **packs: str) -> list[str]:
    with pytest.raises(PolicyInvalid) as invalid:
        loaded(text, **(packs or {"strict": PACK}))
    return [f"{f.where}: {f.message} | {f.hint}" for f in invalid.value.findings]


@pytest.mark.parametrize(("line", "setting", "asked"), LAXER, ids=[case[0] for case in LAXER])
def test_a_laxer_value_without_a_word_is_a_fault_at_its_place(line: str, setting: str, asked: str) -> None:
    [found] = findings(HEAD + line + "\n" + TOLD)
    assert found.startswith("tenants/acme.yaml:5:")
    assert f"strict asks for {setting}: {asked}" in found
    assert f"to loosen it write loosens: [{{setting: {setting}, pack: strict, reason: …}}]" in found


@pytest.mark.parametrize(("line", "setting", "asked"), LAXER, ids=[case[0] for case in LAXER])
def test_a_laxer_value_with_a_reason_is_taken(line: str, setting: str, asked: str) -> None:
    policy = loaded(HEAD + line + "\n" + loosens(setting) + TOLD, strict=PACK).tenant("acme")
    assert [(each.setting, each.pack, each.reason) for each in policy.loosened] == [
        (setting, "strict", "agreed with the customer")
    ]
    alone = loaded(HEAD.replace("extends: [strict]\n", "") + line + "\n" + TOLD).tenant("acme")
    key, _, inner = setting.partition(".")
    if key == "masking":
        kind = inner if inner != "default" else "OTHER"
        assert policy.masking_for(kind) is alone.masking_for(kind)
    elif key == "regions":
        assert policy.regions == (alone.regions if setting == "regions" else ("eea",))
    elif inner and key != "sensitive":
        assert getattr(getattr(policy, key), inner) == getattr(getattr(alone, key), inner)
    else:
        assert getattr(policy, key) == getattr(alone, key)


STRICTER = [
    "training: prohibited",
    'tls: "1.3"',
    "regions: [de]",
    "regions: {stt: [de/fra], voice: [de]}",
    "masking: {default: drop, CVV: drop}",
    "retention: {metadata: 1d}",
    "notice_days: 60",
    "breach_hours: 12",
    "sensitive: {health: [], payment: [us]}",
    "outbound: {countries: [], attempts_per_day: 0, do_not_call: [mine]}",
    "language: de",
]


@pytest.mark.parametrize("line", STRICTER)
def test_a_stricter_value_needs_no_word(line: str) -> None:
    assert loaded(HEAD + line + "\n" + TOLD, strict=PACK).tenant("acme").loosened == ()


def test_a_loosened_setting_of_one_pack_still_holds_by_another() -> None:
    other = "pack: other\ntitle: other\ntraining: opt-out\n"
    text = HEAD.replace("[strict]", "[strict, other]") + "training: permitted\n" + TOLD
    both = "loosens: [{setting: training, pack: strict, reason: r}, {setting: training, pack: other, reason: r}]\n"
    [found] = findings(text + loosens("training"), strict=PACK, other=other)
    assert "other asks for training: opt-out" in found
    assert loaded(text + both, strict=PACK, other=other).tenant("acme").training is Training.PERMITTED


def test_only_the_loosened_part_of_a_group_is_laxer() -> None:
    text = HEAD + "masking: {CVV: last4}\n" + loosens("masking.CVV") + TOLD
    policy = loaded(text, strict=PACK).tenant("acme")
    assert policy.masking_for("CVV") is Mask.LAST4
    assert policy.masking_for("PERSON") is Mask.CATEGORY
    assert policy.masking_for("CREDIT_CARD") is Mask.PSEUDONYM


def test_what_is_loosened_changes_what_is_decided() -> None:
    text = HEAD + "training: permitted\nregions: [eu]\norigins: [eu]\n" + TOLD
    registry = with_entry(training="permitted")
    loose = loaded(text + loosens("training"), strict=PACK).tenant("acme")
    assert decide(loose, registry, ask()).grant is not None
    strict = loaded(HEAD + "regions: [eu]\norigins: [eu]\n" + TOLD, strict=PACK).tenant("acme")
    assert decide(strict, registry, ask()).grant is None


ENTRIES = [
    ("training", "other", "this tenant does not extend `other`", "this tenant extends: strict"),
    ("colour", "strict", "strict says nothing of colour", "name one of its settings"),
    ("retention.vault", "strict", "strict says nothing of retention.vault", "name one of its settings"),
    ("masking.AGE", "strict", "this file says nothing laxer than strict of masking.AGE", "remove the entry"),
    ("training", "strict", "this file says nothing laxer than strict of training", "remove the entry"),
    ("disclose.ai", "strict", "this file says nothing laxer than strict of disclose.ai", "remove the entry"),
]


@pytest.mark.parametrize(("setting", "pack", "message", "hint"), ENTRIES)
def test_an_entry_that_loosens_nothing_is_a_fault(setting: str, pack: str, message: str, hint: str) -> None:
    entry = f"loosens: [{{setting: {setting}, pack: {pack}, reason: r}}]\n"
    [found] = findings(HEAD + entry + TOLD)
    assert found.startswith("tenants/acme.yaml:5:")
    assert message in found
    assert hint in found


def test_an_entry_needs_a_reason() -> None:
    found = findings(HEAD + "training: opt-out\nloosens: [{setting: training, pack: strict}]\n" + TOLD)
    assert any("the key `reason` is missing" in line for line in found)


class TestWhatCallersAreTold:
    def test_a_pack_asks_for_it_and_no_announcement_tells_it(self) -> None:
        [found] = findings(HEAD)
        assert found.startswith("tenants/acme.yaml:2:11: strict asks that callers are told `ai`")
        assert "add `says: [ai]`" in found

    def test_a_tenant_asks_for_it_itself(self) -> None:
        [found] = findings(HEAD + "disclose: [privacy]\n" + TOLD)
        assert found.startswith("tenants/acme.yaml:5:12: no announcement tells callers `privacy`")

    def test_a_packs_own_announcement_tells_it(self) -> None:
        pack = PACK + TOLD
        assert loaded(HEAD, strict=pack).tenant("acme").announcements[0].rule == "pack:strict"

    def test_that_the_call_is_recorded_matters_only_when_it_is(self) -> None:
        policy = loaded(HEAD + "disclose: [recording]\n" + TOLD, strict=PACK).tenant("acme")
        assert policy.disclose == ("ai", "recording")

    def test_it_may_be_left_out_with_a_reason(self) -> None:
        assert loaded(HEAD + loosens("disclose.ai"), strict=PACK).tenant("acme").disclose == ()
