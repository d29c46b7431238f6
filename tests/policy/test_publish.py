"""The public list says who receives what, where and on which terms, and nothing that is not public."""

from __future__ import annotations

import json
from html.parser import HTMLParser

from gateway.policy.publish import as_html, as_json
from tests.policy.samples import loaded, with_entry


class Cells(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.texts.append(data.strip())


def read(page: str) -> Cells:
    cells = Cells()
    cells.feed(page)
    return cells


def test_programs_are_told_the_tls_that_an_entry_asks_for() -> None:
    [told] = json.loads(as_json(with_entry(tls="1.3")))["subprocessors"]
    assert told["tls"] == "1.3"
    [told] = json.loads(as_json(loaded().registry))["subprocessors"]
    assert "tls" not in told


def test_the_page_names_everyone_outside_this_machine() -> None:
    """Company, purpose, data, place, training, retention, transfer. What runs here is nobody's sub-processor."""
    texts = read(as_html(loaded().registry)).texts
    for wanted in (
        "A model in the EU",
        "language model",
        "masked transcript",
        "eu",
        "prohibited",
        "not at all",
        "gb: adequacy",
        "active",
    ):
        assert wanted in texts
    assert "A model on this machine" not in texts


def test_programs_read_the_same() -> None:
    """With the digest of the registry that stands in receipts; no address, no name of a secret."""
    registry = loaded().registry
    told = json.loads(as_json(registry))
    assert told["registry"] == registry.digest
    assert [row["id"] for row in told["subprocessors"]] == ["eu-llm"]
    assert "secret" not in told["subprocessors"][0]
    assert "EU_LLM_KEY" not in as_json(registry) + as_html(registry)


def test_a_name_is_text_and_never_markup() -> None:
    """Whoever writes the registry does not write the page's code."""
    cells = read(as_html(with_entry(name="<script>alert(1)</script>", purpose="a & b")))
    assert "script" not in cells.tags
    assert {"<script>alert(1)</script>", "a & b"} <= set(cells.texts)
