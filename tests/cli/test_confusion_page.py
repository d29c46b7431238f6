"""The confusion page: every fault stands in its sentence, nothing in it can run or fetch, filters have what they filter by."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from gateway.cli.confusion_page import faults_of, page, shown
from gateway.redaction.score import Line, Mark

TEXT = "i am ann lee from <b>leeds</b> at noon"
ANN, LEEDS, NOON = Mark(5, 12, "PERSON"), Mark(21, 26, "GPE"), Mark(34, 38, "AGE", "SpokenDates", 'an "age"')


def line(*found: Mark, gold: tuple[Mark, ...] = (ANN, LEEDS), id: str = "row-1") -> Line:  # noqa: A002 (the row's own word)
    return Line(id, TEXT, gold, found, "caller", "agent: where & who?", "d")


FAULTS = [
    ((), {"missed": {"PERSON", "GPE"}}),
    ((ANN, LEEDS), {}),
    ((ANN, Mark(21, 26, "LOCATION")), {}),
    ((Mark(5, 12, "GPE"), LEEDS), {"kind": {"PERSON", "GPE"}}),
    ((ANN, LEEDS, NOON), {"extra": {"AGE"}}),
    ((ANN, Mark(0, 38, "GPE")), {"extra": {"GPE"}}),
]


@pytest.mark.parametrize(("found", "faults"), FAULTS)
def test_a_line_tells_what_is_wrong_with_it(found: tuple[Mark, ...], faults: dict[str, set[str]]) -> None:
    assert faults_of(line(*found)) == faults


class Reader(HTMLParser):
    """What stands in the marks, and what a browser would fetch."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.marks: list[tuple[str, str]] = []
        self.fetched: list[str] = []
        self.items: list[dict[str, str | None]] = []
        self._open = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "mark":
            self._open = given["class"] or ""
        if tag == "li" and "data-faults" in given:
            self.items.append(given)
        self.fetched += [tag for name, value in attrs if name in ("src", "href") and not (value or "").startswith("#")]

    def handle_endtag(self, tag: str) -> None:
        self._open = "" if tag in ("mark", "small") else self._open

    def handle_data(self, data: str) -> None:
        if self._open:
            self.marks.append((self._open, data))


def test_faults_stand_in_their_sentence_and_the_rest_stays_text() -> None:
    html = page([shown("set", [line(ANN, NOON), line(ANN, LEEDS, id="row-2")])], about="two & a half")
    read = Reader(html)
    marks = [(sort, text) for sort, text in read.marks if text in TEXT]
    assert marks == [("right", "ann lee"), ("missed", "leeds"), ("extra", "noon")]
    assert read.items == [{"data-faults": "missed extra", "data-kinds": "AGE GPE", "data-detectors": "SpokenDates"}]
    for part in ("&lt;b&gt;", "where &amp; who?", "two &amp; a half", "an &quot;age&quot;", "row-1"):
        assert part in html
    assert "row-2" not in html
    assert "<b>leeds" not in html


def test_it_needs_no_network_and_lets_nothing_in() -> None:
    html = page([shown("set", [line()])], about="")
    assert Reader(html).fetched == []
    assert "default-src 'none'" in html
    assert not re.search(r"url\(|@import|https?:", html)


def test_every_set_kind_and_detector_can_be_filtered_by() -> None:
    html = page([shown("one", [line(NOON)]), shown("two", [line()])], about="")
    options = re.findall(r'<option value="([^"]*)">', html)
    assert options == ["", "one", "two", "", "missed", "extra", "kind", "", "AGE", "GPE", "PERSON", "", "SpokenDates"]


def test_the_matrix_counts_what_was_taken_for_what() -> None:
    html = page([shown("set", [line(Mark(5, 12, "GPE"), NOON)])], about="")
    cells = dict.fromkeys(re.findall(r'<td class="(\w+)" style="--share:([\d.]+)" title="([^"]+)">(\d+)</td>', html))
    assert list(cells) == [
        ("miss", "1.00", "GPE as missed", "1"),
        ("bad", "1.00", "PERSON as GPE", "1"),
        ("bad", "1.00", "nothing private as AGE", "1"),
    ]
