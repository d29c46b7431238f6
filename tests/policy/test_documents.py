"""Reading in parts gives what reading the whole gives, for every text; places are found afterwards."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
import ruamel.yaml
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.errors import Location, PolicyInvalid
from gateway.policy import yaml_text
from gateway.policy.documents import Parts, Source, read_document
from gateway.policy.load import Memory, load
from gateway.policy.yaml_text import read_yaml
from tests.policy.samples import REGISTRY, TENANT

POLICIES = Path(__file__).parents[2] / "policies"

LINES = st.sampled_from(
    """a: 1|b: no|c: [1, {d: e}]|a: [|]|- x|- y: 1|  z: 2|  - q|# words||e: >|   text|f: >-|g: 'open|'|h: &x 1|i: *x|---|...
%YAML 1.2|? k|: v|j:|k: 12:30:45|l: 0o17|m: 1_000|n: ~|\to: 1|p: true # x|q: "a|r": b"|s: - t|- - u|- |-|w: <<|<<: {a: 1}|x : y
'y': z|e: |
  |""".replace("\n", "|").split("|")
)
TEXTS = st.lists(LINES, max_size=7).map("\n".join) | st.lists(LINES, max_size=7).map(lambda lines: "\n".join([*lines, ""]))


@given(TEXTS | st.text(alphabet="ab:-[]{}#'\"|>&*!%? \n\r\t", max_size=40))
@example("a: [1,\nb: 2]")
@example("a: 'x\nb: y'")
@example("a: |+\n  x\n\nb: 1\n")
@example("a:\n- x\n- y\nb: z")
@example("- a\n- b:\n- c")
@example("a: {b: 1,\nc: 2}\nc: 3")
@example("  a: 1\nb: 2")
@settings(max_examples=400)
def test_the_parts_of_a_text_say_what_the_whole_says(text: str) -> None:
    node, findings = read_yaml("f.yaml", text)
    parts = Parts()
    for _ in range(2):  # the second time from memory
        value = parts.read(text)
        if value is not None:
            assert findings == ()
            assert node is not None
            assert value == node.plain()
            assert repr(value) == repr(node.plain())


@pytest.mark.parametrize(
    "path",
    sorted(str(path.relative_to(POLICIES)) for kind in ("packs", "tenants", "") for path in (POLICIES / kind).glob("*.yaml")),
)
def test_what_ships_is_read_in_parts(path: str) -> None:
    """Otherwise nothing of it would be fast."""
    text = (POLICIES / path).read_text(encoding="utf-8")
    node, _ = read_yaml(path, text)
    assert node is not None
    assert Parts().read(text) == node.plain()


def test_where_libyaml_is_missing_the_same_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [path.read_text(encoding="utf-8") for path in sorted(POLICIES.rglob("*.yaml"))]
    fast = [read_yaml("f", text) for text in texts]
    monkeypatch.setattr(yaml_text, "PARSER", yaml.SafeLoader)
    assert [read_yaml("f", text) for text in texts] == fast


WORDS = st.sampled_from(["eu", "no", "on", "y", "12:30", "1.5", "0x1F", "0o7", "+1", "007", "null", "~", "true", "a b", "", "é"])
SETTINGS = st.dictionaries(
    st.sampled_from(["tenant", "regions", "route", "masking", "x"]),
    st.recursive(
        WORDS | st.integers(-9, 9) | st.booleans(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "c"]), inner, max_size=3),
        max_leaves=8,
    ),
    min_size=1,
)


@given(SETTINGS, st.booleans())
@settings(max_examples=150)
def test_another_parser_reads_the_same(document: dict[str, object], flow: bool) -> None:
    """What a YAML 1.2 writer of somebody else wrote means here what its author meant."""
    writer = ruamel.yaml.YAML(typ="safe", pure=True)
    writer.default_flow_style = flow
    out = io.StringIO()
    writer.dump(document, out)
    value, findings = read_document("f.yaml", out.getvalue(), Parts())
    assert findings == ()
    assert value == document


def test_equal_parts_of_two_files_are_one_object() -> None:
    parts = Parts()
    first, second = (parts.read(f"tenant: {name}\nroute: {{llm: [{{processor: x}}]}}\n") for name in ("a", "b"))
    assert isinstance(first, dict)
    assert isinstance(second, dict)
    assert first["route"] is second["route"]


@pytest.mark.parametrize(
    ("text", "of", "path", "key", "place"),
    [
        (TENANT, (), ("tenant",), False, "f:1:9"),
        (TENANT, (), ("tenant",), True, "f:1:1"),
        (TENANT, (), ("route", "llm", 1, "model"), False, "f:4:73"),
        (TENANT, (), ("nothing", "there"), False, "f:1:1"),
        (REGISTRY, (1,), ("region",), False, "f:24:11"),
        (REGISTRY, (), (0, "id"), False, "f:1:7"),
    ],
)
def test_places_are_found_when_somebody_asks(
    text: str, of: tuple[int, ...], path: tuple[int | str, ...], key: bool, place: str
) -> None:
    assert str(Source("f", text, of).at(*path, key=key)) == place


@pytest.mark.parametrize("text", ["null", "~", "--- null"])
def test_a_document_that_says_nothing_is_a_finding(text: str) -> None:
    value, findings = read_document("f", text, Parts())
    assert value is None
    assert [finding.where for finding in findings] == [Location("f", 1, 1)]


def test_a_number_is_never_read_as_the_time_of_day_nor_a_word_as_a_truth() -> None:
    expected = {"a": "12:30:45", "b": "no", "c": "off", "d": "0o17", "e": "1_000", "f": "0x1f", "g": "<<"}
    text = "".join(f"{key}: {value}\n" for key, value in expected.items())
    assert read_document("f", text, Parts()) == (expected, ())


TENANTS = st.lists(
    st.builds(
        lambda number, extends, lines: "\n".join(
            [f"tenant: t{number}", f"extends: [{', '.join(extends)}]", f"numbers: [+4930{1000 + number}]", *lines, ""]
        ),
        st.integers(0, 99),
        st.lists(st.sampled_from(["one", "two"]), unique=True),
        st.lists(
            st.sampled_from(
                [
                    "training: opt-out",
                    "regions: [eu, in]",
                    "regions: {default: [eu], stt: [de]}",
                    "masking: {default: category, PERSON: {llm: drop}}",
                    "announcements: [{id: a, text: Hello., asset: a.wav}]",
                    "language: de",
                    "retention: {vault: 1h}",
                    "loosens: [{setting: regions, pack: one, reason: it must be}]",
                    "agent: {instructions: Be brief.}",
                    "colour: red",
                ]
            ),
            unique_by=lambda line: line.split(":")[0],
        ),
    ),
    min_size=1,
    max_size=5,
)
PACKS = {
    "packs/one.yaml": "pack: one\ntitle: One\nregions: [de]\nannouncements: [{id: b, text: Hi., asset: b.wav}]\n",
    "packs/two.yaml": "pack: two\ntitle: Two\ntraining: prohibited\nmasking: {default: pseudonym, CVV: drop}\n",
}


def outcome(texts: dict[str, str], memory: Memory | None) -> object:
    try:
        loaded = load(texts, memory=memory)
    except PolicyInvalid as invalid:
        return invalid.findings
    return {name: (policy, policy.digest) for name, policy in loaded.tenants.items()}, loaded.numbers


@given(st.lists(TENANTS, min_size=1, max_size=3))
@settings(max_examples=120)
def test_a_folder_that_is_loaded_again_and_again_is_what_it_is_at_first_sight(rounds: list[list[str]]) -> None:
    """Nothing of an earlier file, and nothing of another tenant, stays in what a load gives."""
    memory = Memory()
    for tenants in rounds:
        texts = {"subprocessors.yaml": REGISTRY, **PACKS, **{f"tenants/{i}.yaml": text for i, text in enumerate(tenants)}}
        assert outcome(texts, memory) == outcome(texts, None)
