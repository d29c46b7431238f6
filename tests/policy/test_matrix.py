"""Suites of calls: read with the place of each fault, played against a policy, counted rule by rule."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from gateway.policy.coverage import coverage
from gateway.policy.documents import Parts
from gateway.policy.explain import RULE_NAMES
from gateway.policy.load import PolicySet, load
from gateway.policy.matrix import Played, read_suite, run
from gateway.policy.reference import reference
from tests.policy.samples import TEXTS

POLICIES = Path(__file__).parents[2] / "policies"
SUITE = "suite: acme\ntenant: acme\ncalls:\n  - call: an ordinary turn\n    given: {origin: de}\n"


def played(suite: str, texts: Mapping[str, str] = TEXTS) -> list[Played]:
    read, faults = read_suite("tests/acme.yaml", suite, Parts())
    assert read is not None, faults
    base = {file: text for file, text in texts.items() if not file.startswith("tenants/")}

    def beside(more: Mapping[str, str]) -> PolicySet:
        return load({**base, **more})

    return list(run(read, load(texts), beside))


def differences(expected: str) -> tuple[str, ...]:
    [row] = played(SUITE + expected)
    return row.differences


@pytest.mark.parametrize(
    "expected",
    [
        "    route: {llm: eu-llm, tts: nobody}",
        "    announcements: []",
        "    refused: {eu-llm: []}",
        "    masking: {PERSON: pseudonym}",
        '    tls: {llm: "1.2"}',
        "",
    ],
)
def test_a_call_that_goes_as_expected_passes(expected: str) -> None:
    assert differences(expected) == ()


@pytest.mark.parametrize(
    ("expected", "difference"),
    [
        ("    route: {llm: home-llm}", "llm: expected home-llm, got eu-llm"),
        ("    route: {tts: eu-llm}", "tts: expected eu-llm, got nobody"),
        ("    announcements: [hello]", "announcements: expected hello, got nothing"),
        ("    consent: notify", "consent: expected notify, got none"),
        ("    refused: {eu-llm: [dpa]}", "eu-llm: expected a no from dpa, got nothing"),
        ("    masking: {PERSON: drop}", "PERSON: expected drop, got pseudonym"),
        ('    tls: {llm: "1.3"}', "llm: expected TLS 1.3 at least, got 1.2"),
        ('    tls: {tts: "1.2"}', "tts: expected TLS 1.2 at least, got none"),
    ],
)
def test_a_call_that_goes_otherwise_shows_the_difference(expected: str, difference: str) -> None:
    assert differences(expected) == (difference,)


def test_a_row_knows_where_it_stands() -> None:
    [row] = played(SUITE)
    assert str(row.where) == "tests/acme.yaml:4:11"


def test_why_the_expected_one_was_not_taken_is_told() -> None:
    [row] = played(SUITE.replace("origin: de", "origin: in") + "    route: {llm: eu-llm}")
    assert row.differences == ("llm: expected eu-llm, got home-llm (eu-llm: no transfer mechanism from in to eu is known)",)


def test_a_suite_may_bring_its_own_policy_and_processors() -> None:
    suite = SUITE.replace("tenant: acme", "policy: {tenant: own, route: {llm: [{processor: home-llm}]}}")
    assert [row.passed for row in played(suite + "    route: {llm: home-llm}")] == [True]


def test_a_policy_of_its_own_that_is_wrong_fails_every_row_with_the_sentence() -> None:
    suite = SUITE.replace("tenant: acme", "policy: {tenant: own, extends: [nothing]}")
    assert [row.differences for row in played(suite)] == [("there is no pack `nothing`: the packs are: nothing",)]


def test_a_tenant_that_is_not_there_fails_the_row() -> None:
    assert [row.differences for row in played(SUITE.replace("tenant: acme", "tenant: other"))] == [
        ("there is no tenant `other`: known here: acme",)
    ]


def test_a_file_that_must_be_refused_is_shown_to_be() -> None:
    faulty = """
suite: s
faulty:
  - {fault: there is no pack, policy: {tenant: own, extends: [x]}}
  - {fault: a rose, policy: {tenant: own}}
"""
    assert [row.differences for row in played(faulty)] == [(), ("expected the fault `a rose`, got nothing",)]


@pytest.mark.parametrize(
    ("line", "fault", "hint"),
    [
        ("    rout: {}", "6:5: unknown key `rout`", "did you mean `route`?"),
        ("    refused: {eu-llm: [regoin]}", "6:24: there is no rule `regoin`", "did you mean `region`?"),
        ("    given: {at: noon}", "6:", ""),
        ("    route: {lmm: eu-llm}", "6:13: `lmm` is not possible here", "did you mean `llm`?"),
    ],
)
def test_a_fault_in_a_suite_has_its_place(line: str, fault: str, hint: str) -> None:
    read, faults = read_suite(
        "tests/acme.yaml", SUITE.replace("    given: {origin: de}\n", "") + "    masking: {}\n" + line, Parts()
    )
    assert read is None
    assert any(str(each).startswith(f"tests/acme.yaml:{fault}") and hint in each.hint for each in faults), faults


def test_a_suite_without_a_tenant_says_how_to_name_one() -> None:
    _, faults = read_suite("tests/acme.yaml", SUITE.replace("tenant: acme\n", ""), Parts())
    assert "nothing says whose calls these are" in faults[0].message


def test_coverage_names_what_was_never_heard() -> None:
    covered = {each.rule: each for each in coverage(played(SUITE.replace("origin: de", "origin: in")))}
    assert tuple(covered) == RULE_NAMES
    assert (covered["mechanism"].yes, covered["mechanism"].no, covered["mechanism"].missing) == (1, 1, "")
    assert covered["region"].missing == "no"


def test_the_page_of_all_keys_is_in_step_with_the_models() -> None:
    """Mend with `sordino policy schema`."""
    assert (POLICIES / "REFERENCE.md").read_text(encoding="utf-8") == reference()


@pytest.mark.parametrize("pack", sorted(path.stem for path in (POLICIES / "packs").glob("*.yaml")))
def test_every_shipped_pack_has_a_suite(pack: str) -> None:
    assert (POLICIES / "tests" / f"{pack}.yaml").is_file()
