"""YAML as people write it, and as attackers do: a value with its place, or a finding; never an exception, never long."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.policy.yaml_text import MAX_ALIASES, MAX_DEPTH, MAX_NODES, Plain, read_yaml

BOMB = "\n".join(
    ["a: &a [1,1,1,1,1,1,1,1,1]"] + [f"{x}: &{x} [{','.join(['*' + y] * 9)}]" for x, y in zip("bcdefg", "abcdef", strict=True)]
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: 1", {"a": 1}),
        ("a: no", {"a": "no"}),
        ("a: on", {"a": "on"}),
        ("a: true", {"a": True}),
        ("a: 'true'", {"a": "true"}),
        ("a: +15550100", {"a": "+15550100"}),
        ("a: 0155", {"a": "0155"}),
        ("a: 2026-05-01", {"a": "2026-05-01"}),
        ("a: 1.5", {"a": 1.5}),
        ("a: .inf", {"a": ".inf"}),
        ("no: 1", {"no": 1}),
        ("a: &x [1]\nb: *x", {"a": [1], "b": [1]}),
        ("a: >-\n  two\n  lines", {"a": "two lines"}),
        ("[1, {a: b}]", [1, {"a": "b"}]),
        ("a: " + "9" * 5000, {"a": "9" * 5000}),
    ],
)
def test_reads(text: str, value: Plain) -> None:
    node, findings = read_yaml("f.yaml", text)
    assert findings == ()
    assert node is not None
    assert node.plain() == value


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("a: 1\na: 2", "f.yaml:2:1", "'a' is written twice"),
        ("a: 1\nb:\n", "f.yaml:2:1", "'b' has no value"),
        ("a: !!python/object:os.system x", "f.yaml:1:4", "tags are not taken"),
        ("a: !mine x", "f.yaml:1:4", "tags are not taken"),
        ("%YAML 1.1\n---\na: 1", "f.yaml:1:1", "directives are not taken"),
        ("a: 1\n---\nb: 2", "f.yaml:3:1", "second document"),
        ("? [1]\n: 2", "f.yaml:1:3", "key must be a single word"),
        ("a: *b", "f.yaml:1:4", "stands for nothing"),
        ("a: &a [*a]", "f.yaml:1:8", "stands for nothing"),
        ("a: 1\n\tb: 2", "f.yaml:2:1", "not YAML"),
        ('a: "open', "f.yaml:1:9", "not YAML"),
        ("a: 1\nb: \x07", "f.yaml:2:4", "cannot stand in YAML"),
        ("", "f.yaml:1:1", "empty"),
        ("# only a comment\n", "f.yaml:1:1", "empty"),
    ],
)
def test_a_fault_has_its_place_and_how_to_mend_it(text: str, place: str, words: str) -> None:
    _, findings = read_yaml("f.yaml", text)
    assert [str(finding.where) for finding in findings] == [place]
    assert words in findings[0].message
    assert findings[0].hint


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x" * 300_000, "Ki characters"),
        ("{" * 5000, "open brackets"),
        ("- " * (MAX_DEPTH + 5) + "a", "nested deeper"),
        ("a: &a 1\nb: [" + "*a," * (MAX_ALIASES + 1) + "]", "aliases"),
        (BOMB, f"more than {MAX_NODES} values"),
        ('a: "\\U99999999"', "invalid Unicode character escape code"),
        ("k" * 200_000 + ": 1", "not YAML"),
        ("? " + "k" * 2000 + "\n: 1\n? [a]\n: 2", "a key must be a single word"),
        ("a: b\x00c", "cannot stand in YAML"),
        ("a: b\ufeffc", "cannot stand in YAML"),
        ("a: b\ud800c", "cannot stand in YAML"),
        ("a: !!binary aGk=", "tags are not taken"),
        ("a: &x 1\nb: &x [*x, *x", "stands for nothing"),
        ("a: " + "[" * 39 + "\n", "nested deeper"),
    ],
    ids=[
        "huge",
        "brackets",
        "deep",
        "many aliases",
        "alias bomb",
        "no such character",
        "a key of 200 kB",
        "a key that is a list",
        "NUL",
        "byte order mark inside",
        "half a surrogate pair",
        "binary",
        "open with aliases",
        "open brackets",
    ],
)
def test_a_hostile_file_is_refused(text: str, words: str) -> None:
    node, findings = read_yaml("f.yaml", text)
    assert node is None
    assert words in findings[-1].message


@given(st.text(alphabet=st.sampled_from("ab:- \n\t[]{}&*!?|>'\"%#,~0.\\x\x00é\ud800"), max_size=60) | st.text(max_size=60))
@example("--- |9999999999999999999999\n a")
@example("%TAG ! x")
@example("? ")
@example("- ? - ? -")
def test_any_text_gives_a_value_or_findings_inside_it(text: str) -> None:
    node, findings = read_yaml("f.yaml", text)
    assert node is not None or findings
    for finding in findings:
        assert (
            1
            <= finding.where.line
            <= text.count("\n") + text.count("\r") + text.count("\x85") + text.count("\u2028") + text.count("\u2029") + 2
        )
        assert finding.where.column >= 1
