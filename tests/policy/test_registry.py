"""A processor's address: what may stand there, and how it is replaced."""

from __future__ import annotations

import pytest

from gateway.errors import Misconfigured, PolicyInvalid
from gateway.policy.egress import decide
from gateway.policy.load import load
from gateway.policy.registry import base_url_problem, is_loopback, with_base_url
from gateway.values import ProcessorId
from tests.policy.samples import REGISTRY, TENANT, TEXTS, ask, loaded


@pytest.mark.parametrize("file", ["subprocessors.yaml", "tenants/acme.yaml"])
@pytest.mark.parametrize(
    ("written", "message", "hint"),
    [
        ("1.3", "a version of TLS is text, not a number", 'put it in quotes: "1.3"'),
        ('"1.1"', "`1.1` is not possible here", "`1."),
        ('"TLSv1.3"', "`TLSv1.3` is not possible here", "`1.3`"),
    ],
)
def test_a_version_of_tls_is_one_of_two_in_quotes(file: str, written: str, message: str, hint: str) -> None:
    line = f"  tls: {written}\n" if file == "subprocessors.yaml" else f"tls: {written}\n"
    text = TEXTS[file].replace("  kind: llm\n", "  kind: llm\n" + line, 1) if line.startswith(" ") else TEXTS[file] + line
    with pytest.raises(PolicyInvalid) as invalid:
        load({**TEXTS, file: text})
    [finding] = invalid.value.findings
    assert (finding.where.file, finding.message) == (file, message)
    assert hint in finding.hint


def test_who_says_nothing_of_tls_has_the_digest_that_it_had_before() -> None:
    """Receipts of last year name the same policy and the same registry."""
    policies = loaded()
    assert policies.tenant("acme").tls is None
    documents = (policies.tenant("acme").document(), *policies.registry.document())
    assert all("tls" not in document for document in documents)
    said = loaded(TENANT + 'tls: "1.3"\n', registry=REGISTRY.replace("  kind: llm\n", '  kind: llm\n  tls: "1.3"\n', 1))
    assert said.tenant("acme").document()["tls"] == said.registry.document()[0]["tls"] == "1.3"
    assert said.tenant("acme").digest != policies.tenant("acme").digest
    assert said.registry.digest != policies.registry.digest


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.10", "::1", "localhost"])
def test_is_this_machine(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["10.0.0.1", "192.168.1.1", "localhost.example", "127.0.0.1.example", "example", ""])
def test_is_another_machine(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize(
    "url", ["https://llm.example/v1", "https://10.0.0.1:8443", "http://127.0.0.1:8089/v1", "http://[::1]:80/"]
)
def test_is_a_good_address(url: str) -> None:
    assert base_url_problem(url) == ""


@pytest.mark.parametrize(
    "url",
    [
        "http://llm.example",
        "http://0.0.0.0:80",
        "https://",
        "//llm.example",
        "llm.example",
        "https://a:b@c",
        "https://c/?k=1",
        "http://[",
        "https://c:99999",
    ],
)
def test_is_no_good_address(url: str) -> None:
    assert base_url_problem(url)


def test_another_address_of_this_machine_is_taken_and_changes_the_digest() -> None:
    policies = loaded()
    changed = with_base_url(policies.registry, "home-llm", "http://localhost:11434/v1", "local")
    grant = decide(policies.tenant("acme"), changed, ask(excluding=frozenset({ProcessorId("eu-llm")}))).grant

    assert grant is not None
    assert grant.base_url == "http://localhost:11434/v1"
    assert grant.registry_digest == changed.digest != policies.registry.digest


def test_another_machine_is_judged_by_its_region_like_any_other() -> None:
    policies = loaded()
    changed = with_base_url(policies.registry, "home-llm", "https://gpu.example/v1", "us")
    decision = decide(policies.tenant("acme"), changed, ask(excluding=frozenset({ProcessorId("eu-llm")})))

    assert decision.grant is None
    assert "home-llm: its region us is not in the tenant's regions (eu)" in decision.reasons


@pytest.mark.parametrize(
    ("processor", "url", "region", "message"),
    [
        ("home-lm", "http://127.0.0.1:1/v1", "local", "there is no sub-processor"),
        ("home-llm", "http://gpu.example/v1", "eu", "plaintext http"),
        ("home-llm", "https://gpu.example/v1", "local", "is not this machine"),
        ("home-llm", "https://gpu.example/v1", "uk", "is not a region"),
        ("home-llm", "nonsense", "local", "is not an http"),
    ],
)
def test_a_wrong_address_is_refused_with_a_hint(processor: str, url: str, region: str, message: str) -> None:
    with pytest.raises(Misconfigured, match=message) as wrong:
        with_base_url(loaded().registry, processor, url, region)
    assert wrong.value.hint
