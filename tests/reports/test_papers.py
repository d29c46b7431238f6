"""Papers for regulators and customers: what they say is what the policy in force does, and they stand alone on paper."""

from __future__ import annotations

import base64
import re
from datetime import date, timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest

from gateway.policy.load import PolicySet
from gateway.reports.facts import Parties, Subject, is_third_country, place, span
from gateway.reports.papers import PAPERS
from gateway.reports.recipients import recipients
from gateway.values import ProcessorId, TenantId
from tests.journeys.chromium import BINARY, chromium
from tests.policy.samples import NOW, REGISTRY, TENANT, loaded

ABROAD = (
    REGISTRY
    + """\
- id: us-voice
  name: Voices & <Sons> of the US
  purpose: a voice
  kind: tts
  dialect: openai
  base_url: https://voice.example/v1
  region: us
  training: prohibited
  retention_days: 0
  receives: [transcript]
  mechanism: {eu: scc-module-3, gb: uk-idta}
  dpa: {reference: DPA-9, reviewed_on: 2026-06-01, review_every_days: 365}
  status: active
  source: https://voice.example/terms
  checked_on: 2026-11-01
"""
)
WIDE = TENANT.replace("regions: [eu]", "regions: [eu, us]\norigins: [eu]") + "  tts: [{processor: us-voice, model: one}]\n"


def paper(name: str, policies: PolicySet | None = None, *, barred: str = "", **parties: str) -> str:
    policies = loaded() if policies is None else policies
    reasons = {ProcessorId(barred): "the tenant objected"} if barred else {}
    found = recipients(policies, TenantId("acme"), NOW, reasons)
    write, _ = PAPERS[name]
    return write(Subject(policies.tenant("acme"), policies.registry, found, date(2026, 11, 21), Parties(**parties)))


PRINTED_MM = 210 - 2 * 16
"""What the margins of ``@page`` leave of A4."""
PX_PER_MM, A4_POINTS = 96 / 25.4, (595, 842)
MEDIA_BOX = re.compile(rb"/MediaBox \[0 0 ([0-9.]+) ([0-9.]+)\]")
WIDER = """
[...document.querySelectorAll('body *')].filter((each) => {
  const box = each.getBoundingClientRect();
  return box.left < -0.5 || box.right > innerWidth + 0.5 || each.scrollWidth > Math.ceil(box.width) + 1 && box.width > 0;
}).map((each) => each.outerHTML.slice(0, 80))
"""
"""Elements that reach over the page's edge, or whose content reaches over theirs."""


class Reader(HTMLParser):
    """The text of a page, its elements, and whatever would be loaded."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.text, self.loads, self.open, self.tags = "", [""][:0], [""][:0], {""}
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.loads += [str(value) for name, value in attrs if name in ("src", "href", "data", "action")]
        self.tags.add(tag)
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data + " "


@pytest.mark.parametrize("name", PAPERS)
def test_a_paper_stands_alone_and_names_what_it_was_written_from(name: str) -> None:
    """Well formed, nothing loaded, no script; the digests are those of the receipts."""
    policies = loaded(WIDE, registry=ABROAD)
    page = paper(name, policies)
    read = Reader(page)
    assert read.open == []
    assert read.loads == []
    assert "script" not in read.tags
    assert not re.search(r"url\(|@import|https?://", page)
    assert policies.tenant("acme").digest in read.text
    assert policies.registry.digest in read.text
    assert "Voices & <Sons> of the US" in read.text
    assert "@page { size: A4" in page


@pytest.mark.skipif(BINARY is None, reason="there is no Chromium here: apt-get install chromium")
@pytest.mark.timeout(300)
async def test_a_paper_is_laid_out_for_paper(tmp_path: Path) -> None:
    """Printed it is A4 by its own word, and nothing on it, no table with the longest of names either, is wider than the page."""
    long = ABROAD.replace("Voices & <Sons> of the US", "Donaudampfschifffahrtsgesellschaft" * 6)
    policies = loaded(WIDE, registry=long)
    async with chromium(tmp_path, tmp_path / "no-microphone.wav") as page:
        await page.ask("Emulation.setEmulatedMedia", media="print")
        width = round(PRINTED_MM * PX_PER_MM)
        await page.ask("Emulation.setDeviceMetricsOverride", width=width, height=1_000, deviceScaleFactor=1, mobile=False)
        for name in PAPERS:
            file = tmp_path / f"{name}.html"
            file.write_text(paper(name, policies))
            await page.open(file.as_uri())
            assert await page.value("document.querySelectorAll('table').length") > 0
            assert await page.value(WIDER) == [], name
            printed = await page.ask("Page.printToPDF", preferCSSPageSize=True)
            boxes = MEDIA_BOX.findall(base64.b64decode(printed["data"]))
            assert boxes, name
            assert {(round(float(wide)), round(float(high))) for wide, high in boxes} == {A4_POINTS}, name


def test_the_record_has_every_letter_of_article_30() -> None:
    """Purposes, people, data, recipients, transfers with safeguards, time limits, measures."""
    text = Reader(paper("ropa", loaded(WIDE, registry=ABROAD), controller="Acme GmbH, Berlin")).text
    for part in ("(a) Who", "(b) Purposes", "(c) People", "(d) Recipients", "(e) Transfers", "(f) Time limits", "(g) Technical"):
        assert part in text
    assert "Acme GmbH, Berlin" in text
    assert "conversation" in text
    assert "eu: scc-module-3 (DPA-9)" in text
    assert "DPA-9, last reviewed 2026-06-01, good until 2027-06-01" in text
    assert "A model in the EU" in text
    assert "A model on this machine" in text
    assert "until the call ends, at the longest 4 hours" in text


def test_what_is_not_known_is_a_line_to_write_on() -> None:
    """Nobody is made up."""
    assert paper("ropa").count('<td class="blank">') == 4
    assert paper("annex", controller="A", processor="B").count('<td class="blank">') == 0


def test_the_paper_promises_no_more_masking_than_there_is() -> None:
    """What the policy leaves as it was said is named."""
    assert "masked before words reach a language model." in Reader(paper("annex")).text
    open_ = loaded(TENANT + "masking: {default: pseudonym, AGE: keep}\n")
    assert "reach a language model, except: age." in Reader(paper("ropa", open_)).text


def test_who_may_not_be_asked_is_no_recipient() -> None:
    """An objection, or a rule, takes a company out of the record and out of the annex, and its page says why."""
    assert "A model in the EU" not in Reader(paper("ropa", barred="eu-llm")).text
    assert "A model in the EU" not in Reader(paper("annex", barred="eu-llm")).text
    text = Reader(paper("subprocessors", barred="eu-llm")).text
    assert "the tenant objected" in text
    assert text.index("Named, and not permitted today") < text.index("A model in the EU")
    narrow = loaded(WIDE.replace("regions: [eu, us]", "regions: [eu]"), registry=ABROAD)
    assert "Voices" not in Reader(paper("ropa", narrow)).text
    assert "nobody outside the European Economic Area may be sent data" in Reader(paper("ropa", narrow)).text
    assert "region us" in Reader(paper("subprocessors", narrow)).text


@pytest.mark.parametrize(
    ("region", "third", "shown"),
    [
        ("local", False, "the gateway's own machine"),
        ("eu", False, "EU"),
        ("is", False, "IS"),
        ("de/fra", False, "DE (fra)"),
        ("in/ap-south-1", True, "IN (ap-south-1)"),
        ("gb", True, "GB"),
        ("unknown", True, "unknown"),
    ],
)
def test_a_place_is_a_third_country_unless_it_is_known_not_to_be(region: str, third: bool, shown: str) -> None:
    """The European Economic Area, and this machine; nobody knows where unknown is."""
    assert is_third_country(region) is third
    assert place(region) == shown


@pytest.mark.parametrize(
    ("length", "shown"),
    [
        (timedelta(0), "not at all"),
        (timedelta(days=30), "30 days"),
        (timedelta(hours=1), "1 hour"),
        (timedelta(minutes=90), "90 minutes"),
    ],
)
def test_a_length_of_time_is_told_in_its_largest_unit(length: timedelta, shown: str) -> None:
    """As a person would say it."""
    assert span(length) == shown
