"""A processor's address: what may stand there, and how it is replaced."""

from __future__ import annotations

import pytest

from gateway.errors import Misconfigured
from gateway.policy.egress import decide
from gateway.policy.registry import base_url_problem, is_loopback, with_base_url
from gateway.values import ProcessorId
from tests.policy.samples import ask, loaded


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
