"""What a careful reader of valid files would object to, and what such a reader lets pass."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.policy.lint import Remark, Severity, lint
from gateway.policy.lint_text import entropy, says_never_shared, secrets
from gateway.policy.load import load
from tests.policy.samples import REGISTRY, TENANT

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
DPA = "  dpa: {reference: DPA-7, reviewed_on: 2026-05-01, review_every_days: 365}\n"
GOOD = TENANT + "origins: [eu]\n"
PACKS = {
    "packs/slow.yaml": "pack: slow\ntitle: Slow\nbreach_hours: 72\ntraining: prohibited\n",
    "packs/fast.yaml": "pack: fast\ntitle: Fast\nbreach_hours: 24\n",
}


def remarks(tenant: str = GOOD, registry: str = REGISTRY, agreements: str = "") -> list[Remark]:
    texts = {"subprocessors.yaml": registry, "tenants/acme.yaml": tenant, **PACKS}
    texts |= {"agreements.yaml": agreements} if agreements else {}
    return list(lint(load(texts), texts, now=NOW))


def said(found: list[Remark], rule: str) -> list[str]:
    return [
        f"{each.severity} {each.finding.where}: {each.finding.message} | {each.finding.hint}"
        for each in found
        if each.rule == rule
    ]


def test_a_folder_in_order_has_nothing_to_be_said_about() -> None:
    assert remarks() == []


TRACES = """\
- id: otel
  name: A collector of traces
  purpose: telemetry
  kind: telemetry
  dialect: otlp
  base_url: https://otel.example/
  region: eu
  training: prohibited
  retention_days: 30
  receives: [metadata]
  status: active
  source: https://otel.example/terms
  checked_on: 2026-11-01
"""
CASES: list[tuple[str, str, str, str, str, str]] = [
    (
        "evidence that goes before what it proves",
        "evidence-shorter",
        GOOD + "retention: {audio: 30d, evidence: 29d, consent: 10d, metadata: 29d}\n",
        REGISTRY,
        "warning tenants/acme.yaml:6:25: acme keeps evidence for a shorter time than audio: what proves them goes before",
        "keep evidence at least as long",
    ),
    (
        "a collector that keeps traces for too long",
        "traces",
        GOOD,
        REGISTRY + TRACES,
        "warning subprocessors.yaml:38:3: no traces go to otel; acme does not permit it: it keeps traces for 30 days",
        "write `retention: {traces: …}` for acme",
    ),
    (
        "an agreement that nobody reviewed in time",
        "dpa-expired",
        GOOD,
        REGISTRY.replace("2026-05-01", "2025-11-20"),
        "error subprocessors.yaml:14:40: the agreement with eu-llm, in the route of acme, was to be reviewed by 2026-11-20",
        "review it, and write the day",
    ),
    (
        "an agreement whose review is near",
        "dpa-expiring",
        GOOD,
        REGISTRY.replace("2026-05-01", "2025-12-01"),
        "warning subprocessors.yaml:14:40: the agreement with eu-llm, in the route of acme, must be reviewed by 2026-12-01",
        "review it before",
    ),
    (
        "an agreement that somebody will have read one day",
        "dpa-future",
        GOOD,
        REGISTRY.replace("2026-05-01", "2027-05-01"),
        "error subprocessors.yaml:14:40: the agreement with eu-llm, in the route of acme, says that it will be reviewed on "
        "2027-05-01",
        "write the day on which somebody really read it",
    ),
    (
        "no agreement at all",
        "dpa-missing",
        GOOD,
        REGISTRY.replace(DPA, ""),
        "warning subprocessors.yaml:1:3: eu-llm, in the route of acme, is refused",
        "agreements.yaml: eu-llm: {reference: …, reviewed_on: 2026-11-21}",
    ),
    (
        "packs of the law of a tenant's own number that it does not extend",
        "law",
        GOOD + "numbers: ['+4930901820']\n",
        REGISTRY,
        "note tenants/acme.yaml:6:11: the law of de holds for this number: acme does not extend eu-ai-act, gdpr-strict",
        "extend them, and write what an announcement tells",
    ),
    (
        "what was read more than a year ago",
        "stale",
        GOOD,
        REGISTRY.replace("checked_on: 2026-11-01", "checked_on: 2025-11-01", 1),
        "note subprocessors.yaml:17:15: what is said of eu-llm was read on 2025-11-01",
        "https://llm.example/terms",
    ),
    (
        "a processor in nobody's route",
        "unreachable",
        GOOD.replace(', {processor: home-llm, model: "*"}', ""),
        REGISTRY,
        "note subprocessors.yaml:18:7: 1 sub-processor(s) stand in nobody's route: home-llm",
        "nothing goes to them",
    ),
    (
        "notices that would reach nobody",
        "no-contacts",
        GOOD + "notify_policy_changes: true\n",
        REGISTRY,
        "warning tenants/acme.yaml:6:1: acme asks for notice of changes, and has no contacts: nobody is told",
        "add contacts: {mail: [ADDRESS]}",
    ),
    (
        "a tenant whom nobody may serve",
        "no-route",
        "tenant: acme\norigins: [eu]\nroute:\n  llm: [{processor: eu-llm}]\n",
        REGISTRY,
        "error tenants/acme.yaml:4:3: nobody may receive the data of acme for llm: eu-llm: its region eu is not in",
        "sordino policy explain --tenant acme --hop llm",
    ),
    (
        "a tenant that takes calls and cannot hear",
        "no-route",
        GOOD + "numbers: [+15550100]\n",
        REGISTRY,
        "error tenants/acme.yaml:3:1: acme takes calls, and its route names nobody for stt",
        "add `stt: [{processor: …}]` to its route",
    ),
    (
        "a loosened pack, with the reason that was given",
        "loosened",
        GOOD
        + "extends: [slow]\nbreach_hours: 96\nloosens: [{setting: breach_hours, pack: slow, reason: the regulator agreed}]\n",
        REGISTRY,
        "note tenants/acme.yaml:8:11: acme loosens breach_hours of slow: the regulator agreed",
        "see that the reason holds",
    ),
    (
        "an announcement that callers may not understand",
        "announcement-language",
        GOOD + "language: de\nannouncements: [{id: a, text: Hello., asset: a.wav}]\n",
        REGISTRY,
        "warning tenants/acme.yaml:7:1: acme speaks de, and its announcement `a` is in en only",
        "`language: de`",
    ),
    (
        "a spoken answer that nobody may hear",
        "spoken-answer",
        GOOD + "announcements: [{id: a, text: Say yes., asset: a.wav, mode: spoken-yes}]\n",
        REGISTRY,
        "error tenants/acme.yaml:6:1: acme: `a` asks for a spoken answer, and no recogniser on this machine is in the route",
        "put one into its route.stt",
    ),
    (
        "several clocks for one breach",
        "breach-clocks",
        GOOD + "extends: [slow, fast]\n",
        REGISTRY,
        "warning tenants/acme.yaml:6:10: several breach clocks run for acme (fast 24 h, slow 72 h): the shortest, 24 h, holds",
        "`breach_hours: 24`",
    ),
    (
        "clauses of the EU under the law of India",
        "mechanism",
        GOOD,
        REGISTRY.replace("mechanism: {gb: adequacy}", "mechanism: {in: scc-module-2}"),
        "error subprocessors.yaml:13:19: eu-llm: scc-module-2 is no transfer mechanism of the law of in",
        "write the mechanism of that law",
    ),
    (
        "never shared, beside a company with whom it is shared",
        "never-shared",
        GOOD + "agent: {instructions: Be kind., greeting: Hello. We never share your data with anyone.}\n",
        REGISTRY,
        "error tenants/acme.yaml:6:43: acme says that data is never shared, and its route names eu-llm",
        "say with whom it is shared",
    ),
    (
        "Privacy Shield in an agreement's name",
        "privacy-shield",
        GOOD,
        REGISTRY.replace("reference: DPA-7", "reference: EU-US Privacy Shield annex"),
        "error subprocessors.yaml:14:26: Privacy Shield is cited",
        "C-311/18",
    ),
    (
        "deletion that only a letter can ask for",
        "no-self-service-deletion",
        GOOD + "agent: {instructions: Tell callers to write us an e-mail to have their data deleted.}\n",
        REGISTRY,
        "warning tenants/acme.yaml:6:39: deletion is promised on request only",
        "delete by themselves",
    ),
    (
        "a secret in a comment",
        "secret",
        GOOD + "# sk-live-4242aaaabbbbccccdddd\n",
        REGISTRY,
        "error tenants/acme.yaml:6:3: this looks like a key of a model provider",
        "make it invalid",
    ),
]


@pytest.mark.parametrize(
    ("rule", "tenant", "registry", "message", "hint"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_says(rule: str, tenant: str, registry: str, message: str, hint: str) -> None:
    [told] = [each for each in said(remarks(tenant, registry), rule) if each.startswith(message)]
    assert hint in told


AT_HOME = "tenant: acme\nroute: {llm: [{processor: home-llm}]}\n"
BOTH_LANGUAGES = """language: de-AT
announcements:
  - {id: a, text: Hello., asset: a.wav}
  - {id: a, language: de, text: Hallo., asset: b.wav}
"""
QUIET: list[tuple[str, str, str, str]] = [
    ("never-shared", "nobody outside hears anything", AT_HOME + "agent: {instructions: We never share your data.}\n", REGISTRY),
    ("breach-clocks", "the tenant states its own clock", GOOD + "extends: [slow, fast]\nbreach_hours: 24\n", REGISTRY),
    ("announcement-language", "one of several is in the language", GOOD + BOTH_LANGUAGES, REGISTRY),
    ("no-route", "the second candidate is permitted", GOOD, REGISTRY.replace("region: eu", "region: us", 1)),
    ("dpa-missing", "nobody uses it", AT_HOME, REGISTRY.replace(DPA, "")),
    ("traces", "as long as the tenant says", GOOD + "retention: {traces: 30d}\n", REGISTRY + TRACES),
    ("law", "no pack puts the law of its number into rules", GOOD + "numbers: ['+81312345678']\n", REGISTRY),
    ("mechanism", "it is not known", GOOD, REGISTRY.replace("mechanism: {gb: adequacy}", "mechanism: {in: unknown}")),
    ("privacy-shield", "a comment tells of it", GOOD + "# never Privacy Shield\n", REGISTRY),
]


@pytest.mark.parametrize(
    ("rule", "tenant", "registry"), [(case[0], *case[2:]) for case in QUIET], ids=[case[1] for case in QUIET]
)
def test_says_nothing_when(rule: str, tenant: str, registry: str) -> None:
    assert said(remarks(tenant, registry), rule) == []


def test_every_rule_is_shown_in_the_table() -> None:
    assert {each.rule for case in CASES for each in remarks(case[2], case[3])} == {case[1] for case in CASES}


def test_the_gravest_stand_first_and_a_secret_hides_its_line() -> None:
    found = remarks(CASES[-1][2], REGISTRY.replace("2026-05-01", "2025-12-01"))
    assert [each.severity for each in found] == sorted((each.severity for each in found), key=list(Severity).index)
    assert [each.hidden for each in found if each.rule == "secret"] == [True]
    assert "4242" not in str(found)


SECRETS = [
    "key: sk-proj-abcdefghijklmnopqrst",
    "key: AKIA" + "IOSFODNN7EXAMPLE",
    "token: ghp_" + "0123456789abcdefghijABCDEFGHIJ0123",
    "# SK0123456789abcdef0123456789abcdef",
    "a: eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
    "-----BEGIN PRIVATE " + "KEY-----",
    "password: f3Kq9ZbX7mWt2LpR8vNc4YdH",
    "token: 9f86d081884c7d659a2feaa0c55ad015",
]
NO_SECRETS = [
    "auth_token: ACME_TWILIO_TOKEN",
    "account: AC0123456789abcdef0123456789abcdef",
    "source: https://help.mistral.ai/en/articles/455207-can-i-opt-out-of-my-input-or-output-data-being-used-for-training",
    "audio_sha256: 2f2b3cf10cc6fe58738d4c72f32e40df40e4e0eb120acb10bba0a80c9442ca83",
    "setting: recording-and-ai-disclosure-of-2026",
    "model: claude-haiku-4-5-20251001-eu-central-1",
    "numbers: [+4930901820]",
    "says: It runs on this machine.",
]


@pytest.mark.parametrize("line", SECRETS)
def test_a_secret_is_seen(line: str) -> None:
    assert [place[:1] for place in secrets(f"a: 1\n{line}\n")] == [(2,)]


@pytest.mark.parametrize("line", NO_SECRETS)
def test_what_opens_nothing_is_no_secret(line: str) -> None:
    assert list(secrets(line)) == []


@pytest.mark.parametrize(
    ("text", "promised"),
    [
        ("We never share your data.", True),
        ("Your words are not passed on to third parties.", True),
        ("We do not sell or share anything with other companies.", True),
        ("Ihre Daten werden nicht an Dritte weitergegeben.", True),
        ("Personal details are removed before any outside company receives your words.", False),
        ("This call is not recorded.", False),
        ("Share your order number with me.", False),
        ("Never say that we are closed.", False),
    ],
)
def test_a_promise_that_nobody_else_receives_anything_is_understood(text: str, promised: bool) -> None:
    assert says_never_shared(text) is promised


@given(st.text(max_size=200))
def test_any_text_is_read_without_an_error(text: str) -> None:
    lines = text.count("\n") + 1
    assert all(1 <= line <= lines and column >= 1 for line, column, _ in secrets(text))
    assert entropy(text or "a") >= 0


def test_an_agreement_of_ones_own_is_pointed_at_in_its_own_file() -> None:
    found = remarks(agreements="eu-llm: {reference: A-1, reviewed_on: 2024-01-01}\n")
    [told] = said(found, "dpa-expired")
    assert told.startswith("error agreements.yaml:1:39: ")
