"""What one text is read for, and what of it is kept: nobody is asked in vain, and nothing is lost by not asking."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.adapters.detectors import engine as module
from gateway.adapters.detectors.engine import Engine, Row, distinct

DATA = Path(__file__).parents[2] / "data" / "pii"
WRITTEN = [json.loads(line)["text"] for line in (DATA / "dev.written.jsonl").read_text(encoding="utf-8").splitlines()]
SIGNS = (
    "2001:db8::8a2e:370:7334 answers",
    "it is ::1 here",
    "fe80:1234:5678:9abc:def0:1234:5678:9abc",
    "the address 203.0.113.7 and 10.0.0.0/8",
    "078-05-1121 or 078051121 or 078 05 1121",
    "GB29 NWBK 6016 1331 9268 19, gb29nwbk60161331926819",
    "4012 8888 8888 1881 and 4012888888881881",
    "write to ann@example.org or to ann@example.co.uk",
    "12.05.2026 at 10:30, 7 of 9",
)
PRESIDIOS = ("IP_ADDRESS", "IBAN_CODE", "US_SSN", "CREDIT_CARD", "EMAIL_ADDRESS")


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine(("US", "GB"))


@pytest.mark.parametrize(
    ("text", "kind", "by"),
    [
        (SIGNS[0], "IP_ADDRESS", "IpRecognizer"),
        (SIGNS[4], "US_SSN", "UsSsnRecognizer"),
        (SIGNS[7], "EMAIL_ADDRESS", "Email"),
        ("reach them on +44 20 7946 0958 tomorrow", "PHONE_NUMBER", "SpokenNumbers"),
    ],
)
def test_what_is_written_is_found_by_who_knows_its_form(engine: Engine, text: str, kind: str, by: str) -> None:
    assert (kind, by) in {(row[2], row[4]) for row in engine.analyze(text, "")}


def test_a_kind_that_is_not_asked_for_would_not_have_been_found(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [*SIGNS, *WRITTEN[::3]]
    asked = [engine.analyze(text, "") for text in texts]
    monkeypatch.setattr(module, "_kinds", lambda text: list(PRESIDIOS))
    assert [engine.analyze(text, "") for text in texts] == asked


def test_a_text_without_figures_or_addresses_is_not_shown_to_presidio(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine._figures, "_analyzer", None)
    assert [row[2] for row in engine.analyze("my name is rosalind okonjo and i was born in may", "")][:1] == ["PERSON"]


def test_the_same_text_gets_the_same_findings_in_the_same_order(engine: Engine) -> None:
    text = "my daughter alade is six, she lives at 12 oak road, her number is 415 555 0134"
    assert Engine(("US", "GB")).analyze(text, "") == engine.analyze(text, "")


ROWS = st.lists(
    st.builds(
        lambda start, size, kind, score, by: (start, start + size, kind, score, by, ""),
        st.integers(0, 8),
        st.integers(1, 6),
        st.sampled_from(["PERSON", "LOCATION"]),
        st.sampled_from([0.0, 0.4, 0.7]),
        st.sampled_from(["one", "two"]),
    ),
    max_size=8,
)


def _holds(outer: Row, inner: Row) -> bool:
    return outer[2] == inner[2] and outer[0] <= inner[0] and inner[1] <= outer[1] and inner[3] <= outer[3]


@given(ROWS)
def test_a_finding_goes_only_where_one_as_sure_of_its_kind_holds_it(rows: list[Row]) -> None:
    kept = distinct(rows)
    assert set(kept) <= set(rows)
    assert all(row[3] == 0 or any(_holds(other, row) for other in kept) for row in rows)
    assert not any(_holds(one, other) for at, one in enumerate(kept) for other in kept[at + 1 :])
    assert [row[3] for row in kept] == sorted((row[3] for row in kept), reverse=True)
