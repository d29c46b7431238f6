"""Whole folders of policy texts: valid ones become policies, faults come all at once with their places."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import Finding, PolicyInvalid, PolicyUnavailable
from gateway.policy.load import load
from tests.policy.samples import REGISTRY, TENANT, TEXTS, ask, loaded

GDPR = "pack: gdpr\ntitle: strict\nregions: [eea]\ntraining: prohibited\n"


def findings(texts: dict[str, str], **known: Any) -> list[str]:
    with pytest.raises(PolicyInvalid) as invalid:
        load(texts, **known)
    return [f"{f.where}: {f.message} | {f.hint}" for f in invalid.value.findings]


def tenant_findings(tenant: str, **known: Any) -> list[str]:
    return findings({**TEXTS, "tenants/acme.yaml": tenant, "packs/gdpr.yaml": GDPR}, **known)


def test_a_tenant_of_few_lines_gets_the_strict_defaults() -> None:
    policy = loaded().tenant("acme")

    assert policy.regions == ("eu",)
    assert policy.training == "prohibited"
    assert policy.purposes == ("conversation",)
    assert policy.recording.enabled is False
    assert policy.masking_for("PERSON") == "pseudonym"
    assert policy.announcements == ()
    assert policy.notice_days == 30
    assert policy.retention.model_dump() == {
        "audio": "0s",
        "transcript": "0s",
        "vault": "4h",
        "metadata": "30d",
        "contact": "20d",
        "consent": "1461d",
        "evidence": "2192d",
        "traces": "7d",
    }


def test_the_number_that_was_called_names_the_tenant() -> None:
    policies = loaded(TENANT + "numbers: [+15550100, '+442071838750']\n")
    found = policies.tenant_for_number("+15550100")
    assert found is not None
    assert found.tenant == "acme"
    assert policies.tenant_for_number("+442071838750") is found
    assert policies.tenant_for_number("+15550199") is None


def test_a_tenant_without_a_policy_has_no_permission() -> None:
    with pytest.raises(PolicyUnavailable, match="no policy for this tenant"):
        loaded().decide(ask(tenant="other"))


@pytest.mark.parametrize("agent", ["agents.receptionist:Receptionist", "{instructions: Be kind., greeting: Hello.}"])
def test_an_agent_is_a_path_or_plain_words(agent: str) -> None:
    found = loaded(TENANT + f"agent: {agent}\n").tenant("acme").agent
    assert found is not None
    assert isinstance(found, str) == agent.startswith("agents")


TENANT_FAULTS: list[tuple[str, str, str]] = [
    ("regoins: [eu]", "5:1: unknown key `regoins`", "did you mean `regions`?"),
    ("colour: red", "5:1: unknown key `colour`", "the keys here are: agent, announcements, answers, breach_hours"),
    ("masking: {PERSN: drop}", "5:11: `PERSN` is not a kind of personal data that we find", "did you mean `PERSON`?"),
    ("masking: {PERSON: pseudonim}", "5:19: `pseudonim` is not possible here", "did you mean `pseudonym`?"),
    ("masking: {person: drop}", "5:11: this is not a kind of personal data", "write default, or a kind"),
    ("origins: [uk]", "5:11: 'uk' is not a region", "did you mean `gb`?"),
    ("origins: [atlantis]", "5:11: 'atlantis' is not a region", "write local, eu, eea, a country"),
    ("origins: eu", "5:10: this must be a list", "write [one, two]"),
    ("training: unknown", "5:11: a policy cannot ask for unknown training terms", "write prohibited, opt-out or permitted"),
    ("training: never", "5:11: `never` is not possible here", "write one of: opt-out, permitted, prohibited"),
    ("training: no", "5:11: `no` is not possible here", "write one of: opt-out, permitted, prohibited"),
    ("recording: yes", "5:12: this must be a mapping", "the keys here are: enabled, on_withdrawal, redact, without_storage"),
    ("contacts: {webhook: https://acme.example}", "5:21: this must be a mapping", "the keys here are: url, secret"),
    ("agent: You are a bakery.", "5:8: this is not the path of an agent", "or a mapping: {instructions: …, greeting: …}"),
    ("recording: {redact: hum}", "5:21: `hum` is not possible here", "write one of: bleep, none, silence"),
    ("recording: {enabled: no}", "5:22: this must be true or false", "write true or false, without quotes"),
    ("retention: {audio: 30}", "5:20: this is not a duration", "write a whole number and a unit"),
    ("retention: {audio: 1.5d}", "5:20: this is not a duration", "write a whole number and a unit"),
    ("numbers: [15550100]", "5:11: this is not a phone number in E.164 form", "write + and the country code"),
    ("numbers: ['0155']", "5:11: this is not a phone number in E.164 form", "write + and the country code"),
    ("notice_days: many", "5:14: this must be a whole number", "write digits alone, without quotes or a unit"),
    ("language: english!", "5:11: this is not a language tag", "write a BCP 47 tag"),
    ("carrier: {twilio: {auth_token: 8f3a9}}", "5:32: this is not the name of a secret", "and never the secret itself"),
    ("carrier: {twilio: {account: AC1, auth_token: TOKEN}}", "5:29: this is not a Twilio account", "32 hexadecimal digits"),
    ("carrier: {twilio: {}}", "5:19: the key `auth_token` is missing", "add `auth_token: …`"),
    ("agent: receptionist", "5:8: this is not the path of an agent", "write module:Class"),
    ("agent: {greeting: Hi}", "5:8: the key `instructions` is missing", "add `instructions: …`"),
    ("extends: [gdrp]", "5:11: there is no pack `gdrp`", "did you mean `gdpr`?"),
    ("tenant: again", "5:1: the key 'tenant' is written twice", "it stands in line 1 already"),
    (
        "announcements: [{id: a, text: Hello., asset: hello.wav, on_decline: hang-up}]",
        "5:17: on_decline stands where nothing is asked",
        "ask with mode: stay-on-line, key-press or spoken-yes",
    ),
    (
        "announcements: [{id: a, text: Hello., asset: helo.wav}]",
        "5:46: there is no announcements/helo.wav",
        "did you mean `hello.wav`?",
    ),
    (
        "announcements: [{id: a, text: Hi., asset: hello.wav}, {id: a, text: Ho., asset: hello.wav}]",
        "5:60: the announcement `a` stands here twice",
        "rename one",
    ),
    (
        "announcements: [{id: a, text: Hallo., language: de}]",
        "5:49: this machine's voice does not speak `de`",
        "record the announcement, put the WAV into announcements/ and write `asset: NAME.wav`",
    ),
    (
        "announcements: [{id: a, text: Hi., asset: ../x.wav}]",
        "5:43: this is not the name of an announcement's audio",
        "name a WAV",
    ),
]


@pytest.mark.parametrize(("line", "fault", "hint"), TENANT_FAULTS, ids=[case[0][:40] for case in TENANT_FAULTS])
def test_a_fault_in_a_tenant_is_shown_at_its_line_and_column(line: str, fault: str, hint: str) -> None:
    found = tenant_findings(TENANT + line + "\n", assets=["hello.wav"], entities=["PERSON", "CREDIT_CARD"])
    assert len(found) == 1
    assert found[0].startswith(f"tenants/acme.yaml:{fault}")
    assert hint in found[0]


@pytest.mark.parametrize("language", ["", ", language: en", ", language: en-GB", ", language: de, asset: hello.wav"])
def test_an_announcement_needs_a_recording_only_where_this_machines_voice_cannot_say_it(language: str) -> None:
    written = f"announcements: [{{id: a, text: Hello.{language}}}]\n"
    read = load({**TEXTS, "tenants/acme.yaml": TENANT + written, "packs/gdpr.yaml": GDPR}, assets=["hello.wav"])
    assert [(each.id, each.playable) for each in read.announcements] == [("a", True)]


def test_a_packs_announcement_in_another_language_needs_a_recording_too() -> None:
    pack = "pack: one\ntitle: One\nregions: [de]\nannouncements:\n  - id: a\n    text: Hallo.\n    language: de\n"
    (found,) = findings({"subprocessors.yaml": REGISTRY, "tenants/acme.yaml": TENANT, "packs/one.yaml": pack})
    assert found.startswith("packs/one.yaml:7:15: this machine's voice does not speak `de`")


ROUTE_FAULTS = [
    ("processor: eu-lm", "there is no sub-processor `eu-lm`", "did you mean `eu-llm`?"),
    ("proccessor: eu-llm", "the key `processor` is missing", "add `processor: …`"),
    ("processor: ear", "`ear` is a processor for stt, not for llm", "move it"),
]


@pytest.mark.parametrize(("candidate", "message", "hint"), ROUTE_FAULTS)
def test_a_route_names_processors_that_exist_and_fit(candidate: str, message: str, hint: str) -> None:
    ear = REGISTRY.split("- id: home-llm")[1].replace("kind: llm", "kind: stt")
    texts = {
        "subprocessors.yaml": REGISTRY + "- id: ear" + ear,
        "tenants/acme.yaml": TENANT.replace("processor: eu-llm", candidate),
    }
    assert any(message in found and hint in found for found in findings(texts))


ENTRY_FAULTS: list[tuple[str, str, str, str]] = [
    (
        "base_url: https://llm.example/v1",
        "base_url: http://llm.example/v1",
        "base_url is plaintext http to another machine",
        "127.0.0.1",
    ),
    (
        "base_url: https://llm.example/v1",
        "base_url: https://u:p@llm.example",
        "base_url holds a user name or password",
        "write https",
    ),
    ("base_url: https://llm.example/v1", "base_url: ftp://llm.example", "base_url is not an http(s) address", "write https"),
    ("base_url: https://llm.example/v1", "base_url: https://llm.example:x", "base_url is not an address", "write https"),
    ("region: eu", "region: local", "the region is local but base_url is another machine", "name the region"),
    ("  base_url: https://llm.example/v1\n", "", "nothing says where this is reached", "write base_url"),
    ("secret: EU_LLM_KEY", "secret: sk-live-4242", "this is not the name of a secret", "and never the secret itself"),
    ("kind: llm", "kind: lmm", "`lmm` is not possible here", "did you mean `llm`?"),
    (
        "receives: [masked_transcript]",
        "receives: [masked_transcripts]",
        "is not possible here",
        "did you mean `masked_transcript`?",
    ),
    ("mechanism: {gb: adequacy}", "mechanism: {us: Privacy Shield}", "Privacy Shield was struck down", "in force"),
    ("mechanism: {gb: adequacy}", "mechanism: {uk: adequacy}", "'uk' is not a region", "did you mean `gb`?"),
    ("reviewed_on: 2026-05-01", "reviewed_on: last May", "this is not a date", "2026-05-01"),
    ("send: {store: false}", "send: {rate: 0.5}", "a number with a fraction cannot be sent", "whole number"),
    ("  status: active\n", "", "nothing says whether this is in use", "write status: active"),
    ("status: active", "status: 7up", "`7up` is not possible here", "active, pending"),
    ("retention_days: 0", "retention_days: -1", "greater than or equal to 0", ""),
    ("id: eu-llm", "id: home-llm", "`home-llm` is defined twice", "rename or remove one"),
]


@pytest.mark.parametrize(("old", "new", "message", "hint"), ENTRY_FAULTS, ids=[case[2][:40] for case in ENTRY_FAULTS])
def test_a_fault_in_a_sub_processor_is_shown(old: str, new: str, message: str, hint: str) -> None:
    found = findings({**TEXTS, "subprocessors.yaml": REGISTRY.replace(old, new, 1)})
    assert any(message in line and hint in line and line.startswith("subprocessors.yaml:") for line in found)
    assert "sk-live" not in "".join(found)


def test_every_fault_of_every_file_is_shown_at_once_in_their_order() -> None:
    texts = {
        "subprocessors.yaml": REGISTRY.replace("kind: llm", "kind: lmm", 1),
        "packs/broken.yaml": "pack: broken\ntitle: x\nregions: [europa]\n",
        "tenants/acme.yaml": TENANT + "colour: red\nnotice_days: soon\n",
        "tenants/other.yaml": "tenant: [\n",
    }
    assert [line.split(" ")[0] for line in findings(texts)] == [
        "packs/broken.yaml:3:11:",
        "subprocessors.yaml:4:9:",
        "tenants/acme.yaml:5:1:",
        "tenants/acme.yaml:6:14:",
        "tenants/other.yaml:2:1:",
    ]


def test_a_name_is_not_called_unknown_when_its_file_could_not_be_read() -> None:
    """One fault in the registry must not make a fault of every route."""
    found = findings({**TEXTS, "subprocessors.yaml": REGISTRY.replace("kind: llm", "kind: lmm", 1)})
    assert len(found) == 1


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ({"tenants/acme.yaml": "tenant: acme\n"}, "there is no subprocessors.yaml"),
        ({"subprocessors.yaml": "id: x\n"}, "this file must be a list of sub-processors"),
        ({**TEXTS, "tenants/b.yaml": "tenant: acme\n"}, "`acme` is defined twice"),
        (
            {
                **TEXTS,
                "tenants/acme.yaml": TENANT + "numbers: [+15550100]\n",
                "tenants/b.yaml": "tenant: b\nnumbers: [+15550100]\n",
            },
            "the number +15550100 stands twice",
        ),
    ],
)
def test_the_folder_as_a_whole_must_be_right(texts: dict[str, str], message: str) -> None:
    assert any(message in line for line in findings(texts))


def test_files_of_other_folders_are_passed_over() -> None:
    assert load({**TEXTS, "tests/routes.yaml": "[", "schema/tenant.json": "{", "notes.yaml": "["}).tenants


def test_names_of_folders_above_do_not_matter() -> None:
    here = load(TEXTS)
    there = load({f"/srv/my policies/{name}": text for name, text in TEXTS.items()})
    assert here.tenant("acme").digest == there.tenant("acme").digest
    assert here.registry.digest == there.registry.digest


def test_the_digest_names_the_meaning_and_not_the_writing() -> None:
    rewritten = (
        'route: {llm: [{model: small, processor: eu-llm}, {processor: "home-llm"}]}\n# a comment\nregions: ["eu"]\ntenant: acme\n'
    )
    assert loaded(rewritten).tenant("acme").digest == loaded().tenant("acme").digest


@pytest.mark.parametrize(
    "line", ["training: opt-out", "masking: {CVV: drop}", "notice_days: 31", "regions: [de]", "language: de"]
)
def test_every_change_of_meaning_changes_the_digest(line: str) -> None:
    tenant = TENANT.replace("regions: [eu]\n", "") + line + "\n"
    assert loaded(tenant).tenant("acme").digest != loaded().tenant("acme").digest


def test_a_changed_entry_changes_the_registrys_digest() -> None:
    changed = loaded(registry=REGISTRY.replace("retention_days: 0", "retention_days: 30", 1))
    assert changed.registry.digest != loaded().registry.digest


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(["eu", "acme", "llm", "drop"]),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["tenant", "regions", "route", "masking", "agent", "carrier", "extends", "x"]), inner, max_size=4
            )
        ),
        max_leaves=12,
    )
)
def test_any_document_is_a_policy_or_findings(document: object) -> None:
    """JSON is YAML: whatever shape a tenant's file has, nothing but PolicyInvalid comes out, and every finding has its place."""
    found: tuple[Finding, ...] = ()
    try:
        load({**TEXTS, "tenants/acme.yaml": json.dumps(document)})
    except PolicyInvalid as invalid:
        found = invalid.findings
    assert all(finding.where.file == "tenants/acme.yaml" and finding.where.line == 1 and finding.message for finding in found)
