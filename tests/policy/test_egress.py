"""Who may receive what: each rule once with a yes and once with a no, and what a Grant says."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.policy.egress import RULES, Health, decide
from gateway.policy.registry import Registry
from gateway.policy.rules import STORED
from gateway.values import DataCategory, Hop, ProcessorId
from tests.policy.samples import NOW, REGISTRY, ask, entry, loaded, with_entry

ONLY_EU = """\
tenant: acme
regions: [eu]
route:
  llm: [{processor: eu-llm, model: small}]
sensitive: {health: [in, home-llm]}
"""


def test_the_first_permitted_candidate_of_the_tenants_order_gets_the_grant() -> None:
    policies = loaded()
    decision = policies.decide(ask())

    assert decision.grant is not None
    assert decision.grant.processor == "eu-llm"
    assert [(v.processor, v.permitted) for v in decision.verdicts] == [("eu-llm", True), ("home-llm", True)]
    assert decision.reasons == ()


def test_a_grant_says_who_where_why_how_and_under_which_policy() -> None:
    policies = loaded()
    grant = policies.decide(ask()).grant

    assert grant is not None
    assert (grant.id, grant.tenant, grant.call, grant.hop) == ("grant_1", "acme", "call_1", Hop.LLM)
    assert (grant.base_url, grant.host, grant.region) == ("https://llm.example/v1", "llm.example", "eu")
    assert (grant.dialect, grant.model, grant.secret, grant.send) == ("openai", "small", "EU_LLM_KEY", {"store": False})
    assert (grant.purpose, grant.training, grant.mechanism) == ("conversation", "prohibited", "none-needed")
    assert grant.masked
    assert grant.issued_at == NOW
    assert grant.policy_digest == policies.tenant("acme").digest
    assert grant.registry_digest == policies.registry.digest


def test_changing_a_grants_flags_does_not_change_the_registry() -> None:
    policies = loaded()
    first = policies.decide(ask()).grant
    assert first is not None
    dict.clear(first.send)  # type: ignore[arg-type]
    second = policies.decide(ask()).grant
    assert second is not None
    assert second.send == {"store": False}


REFUSED: list[tuple[str, dict[str, Any], dict[str, Any], str]] = [
    ("a processor for something else", {"kind": "stt"}, {}, "it is a processor for stt, not for llm"),
    (
        "another region",
        {"region": "us", "mechanism": {"eu": "adequacy"}},
        {},
        "its region us is not in the tenant's regions (eu)",
    ),
    (
        "an unknown region",
        {"region": "unknown", "mechanism": {"eu": "adequacy"}},
        {},
        "its region unknown is not in the tenant's regions (eu)",
    ),
    ("training after opting out", {"training": "opt-out"}, {}, "training at it is opt-out, and the tenant asks for prohibited"),
    ("training", {"training": "permitted"}, {}, "training at it is permitted, and the tenant asks for prohibited"),
    ("unknown training terms", {"training": "unknown"}, {}, "its training terms are unknown"),
    ("a pending entry", {"status": "pending"}, {}, "it is pending: it is not in use yet"),
    (
        "a notice period that still runs",
        {"status": None, "announced_on": date(2026, 10, 23)},
        {},
        "it is pending: announced on 2026-10-23, it may be used from 2026-11-22",
    ),
    ("no processing agreement", {"dpa": None}, {}, "there is no data processing agreement with it"),
    (
        "an agreement reviewed too long ago",
        {"dpa": {"reference": "DPA-7", "reviewed_on": "2025-11-20"}},
        {},
        "the review of its data processing agreement expired on 2026-11-20",
    ),
    (
        "unmasked words to a receiver of masked ones",
        {},
        {"categories": frozenset({DataCategory.TRANSCRIPT})},
        "it may not receive transcript (only masked_transcript)",
    ),
    (
        "one category too many",
        {},
        {"categories": frozenset({DataCategory.MASKED_TRANSCRIPT, DataCategory.CONTACT})},
        "it may not receive contact (only masked_transcript)",
    ),
    ("no word about the data", {}, {"categories": frozenset()}, "nothing says what data it would receive"),
    (
        "another purpose",
        {},
        {"purpose": "product-improvement"},
        "the purpose product-improvement is not allowed (only conversation)",
    ),
    ("a processor that just failed", {}, {"excluding": frozenset({ProcessorId("eu-llm")})}, "it already failed in this turn"),
    ("a caller from elsewhere without a mechanism", {}, {"origin": "in"}, "no transfer mechanism from in to eu is known"),
    (
        "clauses of another law",
        {"mechanism": {"in": "scc-module-2"}},
        {"origin": "in"},
        "scc-module-2 is no transfer mechanism of the law of in",
    ),
    (
        "adequacy where the law of origin knows none",
        {"region": "de", "mechanism": {"ch": "adequacy", "gb": "adequacy", "au": "adequacy"}},
        {"origin": "au"},
        "adequacy is no transfer mechanism of the law of au",
    ),
    ("data kept for too long", {"retention_days": 31}, {}, "it keeps the data for 31 days, and the tenant allows 30"),
    ("nobody knows how long it is kept", {"retention_days": None}, {}, "how long it keeps the data is unknown"),
    (
        "a turn about health",
        {},
        {"about": frozenset({DataCategory.HEALTH})},
        "the turn is about health, and that goes only to home-llm, in",
    ),
    ("an objection", {}, {"barred": {ProcessorId("eu-llm"): "acme objected to it"}}, "acme objected to it"),
    (
        "one that is down",
        {},
        {"health": {ProcessorId("eu-llm"): Health.DOWN}},
        "it has not answered lately and is left out for now",
    ),
    ("an unknown mechanism", {"mechanism": {"in": "unknown"}}, {"origin": "in"}, "no transfer mechanism from in to eu is known"),
]


@pytest.mark.parametrize(("changes", "question", "sentence"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_refuses(changes: dict[str, Any], question: dict[str, Any], sentence: str) -> None:
    decision = decide(loaded(ONLY_EU).tenant("acme"), with_entry(**changes), ask(**question))

    assert decision.grant is None
    assert decision.reasons == (f"eu-llm: {sentence}",)


PERMITTED: list[tuple[str, str, dict[str, Any], dict[str, Any]]] = [
    ("a country of an allowed region", "regions: [eu]", {"region": "de"}, {}),
    ("a part of an allowed country", "regions: [in]", {"region": "in/ap-south-1"}, {}),
    ("a region that holds the EU", "regions: [eea]", {}, {}),
    ("opt-out where the tenant takes it", "regions: [eu]\ntraining: opt-out", {"training": "opt-out"}, {}),
    ("the day on which the notice period is over", "regions: [eu]", {"status": None, "announced_on": date(2026, 10, 22)}, {}),
    ("a shorter notice period", "regions: [eu]\nnotice_days: 10", {"status": None, "announced_on": date(2026, 11, 11)}, {}),
    (
        "an agreement on the last day of its review",
        "regions: [eu]",
        {"dpa": {"reference": "DPA-7", "reviewed_on": "2025-11-21"}},
        {},
    ),
    ("masked words to a receiver of all words", "regions: [eu]", {"receives": ["transcript"]}, {}),
    ("another purpose that the tenant allows", "regions: [eu]\npurposes: [quality]", {}, {"purpose": "quality"}),
    ("a caller inside the same area", "regions: [eu]", {"region": "ie"}, {"origin": "de"}),
    ("a caller with a mechanism", "regions: [eu]", {}, {"origin": "gb"}),
    ("as long as the tenant allows", "regions: [eu]\nprocessor_retention: 60d", {"retention_days": 60}, {}),
    (
        "a turn about what has no rule of its own",
        "regions: [eu]\nsensitive: {health: [local]}",
        {},
        {"about": frozenset({DataCategory.PAYMENT})},
    ),
    (
        "a sensitive turn to a named region",
        "regions: [eu]\nsensitive: {health: [de]}",
        {"region": "de"},
        {"about": frozenset({DataCategory.HEALTH})},
    ),
    (
        "a sensitive turn to a named processor",
        "regions: [eu]\nsensitive: {health: [eu-llm]}",
        {},
        {"about": frozenset({DataCategory.HEALTH})},
    ),
    ("a narrower region at another hop", "regions: {default: [eu], stt: [de]}", {}, {}),
    ("a wider region for this kind of data", "regions: {default: [de], masked_transcript: [eu]}", {}, {}),
    ("one who is slow, where nobody is faster", "regions: [eu]", {}, {"health": {ProcessorId("eu-llm"): Health.SLOW}}),
    ("an objection to somebody else", "regions: [eu]", {}, {"barred": {ProcessorId("home-llm"): "objected"}}),
    ("a mechanism of a wider area", "regions: [us]", {"region": "us", "mechanism": {"eea": "scc-module-2"}}, {"origin": "de"}),
]


@pytest.mark.parametrize(("policy", "changes", "question"), [case[1:] for case in PERMITTED], ids=[case[0] for case in PERMITTED])
def test_permits(policy: str, changes: dict[str, Any], question: dict[str, Any]) -> None:
    tenant = f"tenant: acme\n{policy}\nroute:\n  llm: [{{processor: eu-llm, model: small}}]\n"
    decision = decide(loaded(tenant).tenant("acme"), with_entry(**changes), ask(**question))

    assert decision.reasons == ()
    assert decision.grant is not None


def test_the_next_candidate_is_granted_and_the_refusal_of_the_first_keeps_its_reasons() -> None:
    registry = with_entry(region="us", training="permitted", mechanism={"eu": "adequacy"})
    decision = decide(loaded().tenant("acme"), registry, ask())

    assert decision.grant is not None
    assert decision.grant.processor == "home-llm"
    assert decision.reasons == (
        "eu-llm: its region us is not in the tenant's regions (eu)",
        "eu-llm: training at it is permitted, and the tenant asks for prohibited",
    )


def test_this_machine_is_always_an_allowed_region_and_needs_no_agreement() -> None:
    decision = loaded("tenant: acme\nroute:\n  llm: [{processor: home-llm}]\n").decide(ask())
    assert decision.grant is not None
    assert (decision.grant.region, decision.grant.mechanism) == ("local", "none-needed")


def test_nothing_outside_is_allowed_when_the_tenant_names_no_region() -> None:
    decision = loaded("tenant: acme\nroute:\n  llm: [{processor: eu-llm}]\n").decide(ask())
    assert decision.grant is None
    assert decision.reasons[0] == "eu-llm: its region eu is not in the tenant's regions (local)"


def test_two_regions_of_a_tenant_need_a_mechanism_between_them() -> None:
    """Nobody said where callers come from, so each place may be their law."""
    tenant = ONLY_EU.replace("[eu]", "[eu, gb, us]")
    assert loaded(tenant).decide(ask()).reasons == ("eu-llm: no transfer mechanism from us to eu is known",)


def test_a_grant_names_the_mechanism_of_each_law() -> None:
    tenant = ONLY_EU.replace("[eu]", "[eu]\norigins: [eu]")
    decision = loaded(tenant).decide(ask(origin="gb"))
    assert decision.grant is not None
    assert decision.grant.mechanism == "eu: none-needed; gb: adequacy"


def test_a_route_that_names_nobody_is_refused_with_a_reason() -> None:
    decision = loaded().decide(ask(hop=Hop.TTS))
    assert decision.grant is None
    assert decision.reasons == ("the tenant's route names nobody for tts",)


def test_a_processor_that_left_the_registry_is_refused() -> None:
    decision = decide(loaded(ONLY_EU).tenant("acme"), Registry.of({}), ask())
    assert decision.grant is None
    assert decision.reasons == ("eu-llm: it is not in the registry of sub-processors",)


def test_a_question_about_another_tenant_is_refused() -> None:
    policies = loaded()
    decision = decide(policies.tenant("acme"), policies.registry, ask(tenant="other"))
    assert decision.grant is None
    assert decision.reasons == ("this is not the policy of tenant other",)


def test_the_clients_model_is_granted_only_where_the_route_leaves_it_open() -> None:
    fixed = loaded().decide(ask(model="huge")).grant
    opened = loaded().decide(ask(model="huge", excluding=frozenset({ProcessorId("eu-llm")}))).grant
    assert fixed is not None
    assert opened is not None
    assert (fixed.model, opened.model) == ("small", "huge")


def test_words_that_are_not_masked_are_not_called_masked() -> None:
    registry = with_entry(receives=["transcript"])
    grant = decide(loaded(ONLY_EU).tenant("acme"), registry, ask(categories=frozenset({DataCategory.TRANSCRIPT}))).grant
    assert grant is not None
    assert not grant.masked


@pytest.mark.parametrize(
    ("policy", "stated", "least"),
    [
        (None, None, "1.2"),
        ("1.2", None, "1.2"),
        (None, "1.2", "1.2"),
        ("1.3", None, "1.3"),
        (None, "1.3", "1.3"),
        ("1.2", "1.3", "1.3"),
        ("1.3", "1.2", "1.3"),
    ],
)
def test_a_grant_asks_for_the_stricter_tls_of_the_policy_and_the_processors_entry(
    policy: str | None, stated: str | None, least: str
) -> None:
    """Without a word it is 1.2."""
    tenant = loaded(ONLY_EU + (f'tls: "{policy}"\n' if policy else "")).tenant("acme")
    grant = decide(tenant, with_entry(tls=stated), ask()).grant
    assert grant is not None
    assert grant.tls == least


def test_what_stays_on_this_machine_in_plain_text_asks_for_no_tls_and_may_still_be_asked() -> None:
    """There is none to speak: nothing leaves the machine, and the evidence says no more than is true."""
    policies = loaded('tenant: acme\ntls: "1.3"\nroute:\n  llm: [{processor: home-llm}]\n')
    grant = policies.decide(ask()).grant
    assert grant is not None
    assert grant.tls is None


KEPT = """\
tenant: acme
regions: [eu]
route: {storage: [{processor: eu-llm, model: recordings}]}
recording: {enabled: true}
retention: {audio: 1d}
announcements: [{id: a, text: May we record?, mode: stay-on-line, says: [recording]}]
"""
STORE = REGISTRY.replace("kind: llm\n  dialect: openai", "kind: storage\n  dialect: s3", 1).replace(
    "[masked_transcript]", "[voice]", 1
)


@pytest.mark.parametrize(
    ("policy", "entry_says", "reasons"),
    [
        ("", "", ()),
        ('tls: "1.3"\n', "", ("eu-llm: TLS 1.3 is asked for, and what speaks to it cannot be told to take nothing less",)),
        ("", '  tls: "1.3"\n', ("eu-llm: TLS 1.3 is asked for, and what speaks to it cannot be told to take nothing less",)),
    ],
    ids=["nobody", "the policy", "the entry"],
)
def test_a_store_that_cannot_be_told_to_speak_tls_1_3_gets_no_recording_where_that_is_asked_for(
    policy: str, entry_says: str, reasons: tuple[str, ...]
) -> None:
    policies = loaded(KEPT + policy, registry=STORE.replace("  region: eu\n", "  region: eu\n" + entry_says))
    question = ask(hop=Hop.STORAGE, categories=frozenset({DataCategory.VOICE}), purpose="recording")
    assert policies.decide(question).reasons == reasons


def test_what_such_a_store_has_already_can_still_be_deleted_and_the_grant_says_how() -> None:
    """Only a name is sent; what nobody may ask to delete would stay for ever."""
    policies = loaded(KEPT + 'tls: "1.3"\n', registry=STORE)
    grant = policies.decide(ask(hop=Hop.STORAGE, categories=frozenset({DataCategory.METADATA}), purpose=STORED)).grant
    assert grant is not None
    assert grant.tls == "1.2"


def test_an_address_that_became_plaintext_is_refused_even_past_the_loader() -> None:
    """The loader refuses such an entry; the rule stands behind it for entries that were made another way."""
    plaintext = entry().model_copy(update={"base_url": "http://llm.example/v1"})
    plaintext.__dict__.pop("transport_problem", None)
    decision = decide(loaded(ONLY_EU).tenant("acme"), Registry.of({ProcessorId("eu-llm"): plaintext}), ask())
    assert decision.reasons == ("eu-llm: base_url is plaintext http to another machine",)


@given(
    region=st.sampled_from(["eu", "de", "us", "in/ap-south-1", "unknown"]),
    training=st.sampled_from(["prohibited", "opt-out", "permitted", "unknown"]),
    receives=st.sets(st.sampled_from(list(DataCategory))),
    status=st.sampled_from(["active", "pending"]),
    categories=st.frozensets(st.sampled_from(list(DataCategory))),
    origin=st.sampled_from(["", "eu", "de", "gb", "us", "nowhere"]),
    hop=st.sampled_from(list(Hop)),
)
def test_there_is_a_grant_exactly_when_no_rule_says_no(
    region: str,
    training: str,
    receives: set[DataCategory],
    status: str,
    categories: frozenset[DataCategory],
    origin: str,
    hop: Hop,
) -> None:
    changed = entry(region=region, training=training, receives=sorted(receives), status=status)
    policy = loaded(ONLY_EU).tenant("acme")
    question = ask(categories=categories, origin=origin, hop=hop)
    decision = decide(policy, Registry.of({ProcessorId("eu-llm"): changed}), question)

    silent = hop is Hop.LLM and all(rule(policy, changed, question) is None for rule in RULES)
    assert (decision.grant is not None) == silent
    assert (decision.grant is None) == bool(decision.reasons)
    if decision.grant is not None:
        assert decision.grant.categories <= changed.accepts
        assert decision.grant.region in {"eu", "de"}
        assert decision.grant.training == "prohibited"


def test_every_rule_is_the_only_one_to_refuse_somewhere() -> None:
    """The table above holds one case at least for each rule but ``transport``, which has its own test."""
    policy = loaded(ONLY_EU).tenant("acme")
    refusing = {
        rule.__name__ for _, changes, question, _ in REFUSED for rule in RULES if rule(policy, entry(**changes), ask(**question))
    }
    assert refusing == {rule.__name__ for rule in RULES} - {"transport"}
