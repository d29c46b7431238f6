"""Notices of a breach: what is on record stands in them, what only people know is a blank; nothing breaks out of its place."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.policy.cases import CaseEvent, fold
from gateway.reports.breach import PAPERS, Breach
from gateway.reports.breach_draft import FOLLOWS, Draft
from gateway.reports.timeline import timeline
from gateway.values import TenantId
from tests.policy.samples import loaded

AWARE = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
SCOPE: dict[str, Any] = {
    "calls": 1_234,
    "people": 987,
    "calls_of_nobody": 12,
    "hops": 5_000,
    "masked_hops": 4_000,
    "categories": {"masked_transcript": 4_000, "voice": 1_000},
    "about": {"health": 30},
    "processors": {"eu-llm": 5_000},
    "regions": {"eu": 5_000},
    "recordings": 7,
    "calls_sha256": "sha256:" + "a" * 64,
    "entries_read": 9_000,
    "first_entry": 100,
    "last_entry": 9_099,
    "chain": "whole",
    "chain_fault": "",
    "chain_fault_at": 0,
}


def breach(**changes: Any) -> Breach:
    made = Breach(
        incident="incident_1",
        tenant="acme",
        what="Keys of a vendor leaked",
        scope=SCOPE,
        window=(AWARE - timedelta(hours=50), AWARE - timedelta(hours=1)),
        aware=AWARE,
        due=AWARE + timedelta(hours=24),
        processor="A model in the EU",
        names={"eu-llm": "A model in the EU"},
        region="eu",
        cause="reported",
        steps=((AWARE + timedelta(hours=1), "contained", "Keys were changed"),),
        policy=loaded().tenant("acme"),
        written=AWARE + timedelta(hours=2),
    )
    return replace(made, **changes)


class Shape(HTMLParser):
    """Every element that was opened, every text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.texts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_the_notice_holds_what_article_33_3_asks_for() -> None:
    """Nature, categories and numbers of people and records, contact, consequences, measures; and where the numbers come from."""
    text = PAPERS["notice"](breach()).markdown
    for wanted in (
        "article 33(3)(a)",
        "Keys of a vendor leaked",
        "2026-10-30 10:00 UTC to 2026-11-01 11:00 UTC (2 days 1 h)",
        "at A model in the EU, region eu",
        "about 987 and at most 12 more",
        "1,234",
        "5,000 transmissions, 4,000 of them masked before they left.",
        "the sound of callers' voices: 1,000",
        "Special categories of personal data (article 9) are among them.",
        "7 of the calls were recorded.",
        "1,000 transmissions were not masked.",
        "2026-11-01 13:00 UTC: contained: Keys were changed",
        "article 33(3)(c)",
        "article 33(3)(d)",
        "in phases, without undue further delay",
        "whole: every entry follows the one before it",
        "sordino incidents scope incident_1 --tenant acme",
    ):
        assert wanted in text, wanted


BLANKS = [
    ("notice", ["contact", "consequences", "measures", "confidentiality"]),
    ("authority", ["supervisory authority", "controller", "consequences", "measures"]),
    ("persons", ["what the person can do", "consequences", "data protection officer"]),
    ("india-board", ["impact", "circumstances and reasons", "findings", "remedial", "how many were told"]),
    ("india-persons", ["consequences relevant", "safety measures", "business contact"]),
]


@pytest.mark.parametrize(("paper", "wanted"), BLANKS)
def test_each_paper_has_blanks_for_what_only_people_know(paper: str, wanted: list[str]) -> None:
    """Marked in Markdown and on paper alike; filled in, there are none."""
    draft = PAPERS[paper](breach())
    assert [each for each in wanted if not any(each in blank for blank in draft.blanks)] == []
    assert Shape(draft.html).tags.count("mark") == len(draft.blanks)
    assert Draft.blanks_in(draft.without_blanks(draft.markdown)) == ()
    assert draft.without_blanks(draft.markdown).count(FOLLOWS) == len(draft.blanks)
    assert len(BLANKS) == len(PAPERS)


def test_every_point_of_indias_rule_7_has_its_place() -> None:
    """Rule 7(1)(a) to (e), rule 7(2)(a) and (b)(i) to (vi)."""
    board, person = PAPERS["india-board"](breach()).markdown, PAPERS["india-persons"](breach()).markdown
    for wanted in ("rule 7(2)(a)", *(f"7(2)(b)({each})" for each in ("ii", "iii", "iv", "v", "vi")), "by 2026-11-04 12:00 UTC"):
        assert wanted in board, wanted
    for wanted in ("When: ", "Where: ", "What this may mean for you", "What we have done", "What you can do", "Whom you can ask"):
        assert wanted in person, wanted
    assert "article" not in board + person, "that is another law"


def test_a_letter_to_people_is_without_numbers_of_others() -> None:
    """They read what happened to them, in plain words, and no count."""
    text = PAPERS["persons"](breach()).markdown
    for odd in ("987", "1,234", "5,000", "sha256", "masked_transcript"):
        assert odd not in text
    assert "the sound of callers' voices" in text
    assert "1 November 2026" in text


@pytest.mark.parametrize(("hours", "late"), [(71, False), (72, False), (73, True)])
def test_a_late_notification_asks_for_its_reasons(hours: int, late: bool) -> None:
    """Article 33(1), last sentence."""
    text = PAPERS["authority"](breach(written=AWARE + timedelta(hours=hours))).markdown
    assert ("Reasons for the delay" in text) is late


def test_a_broken_chain_is_not_hidden() -> None:
    """The numbers are of what stands there; that it was changed stands beside them."""
    broken = {**SCOPE, "chain": "broken", "chain_fault": "does not have the hash that it says", "chain_fault_at": 4_711}
    text = PAPERS["notice"](breach(scope=broken, cause="chain")).markdown
    assert "BROKEN at entry 4,711: this entry does not have the hash that it says" in text
    assert "by the gateway itself" in text


def test_evidence_that_was_not_read_yet_is_not_called_broken() -> None:
    text = PAPERS["notice"](breach(scope={})).markdown
    assert "The evidence was not read yet" in text
    assert "BROKEN" not in text


def test_where_nothing_was_sent_it_is_said() -> None:
    nothing = {**SCOPE, "hops": 0, "masked_hops": 0, "categories": {}, "about": {}, "processors": {}, "recordings": 0}
    text = PAPERS["notice"](breach(scope=nothing)).markdown
    assert "No transmission of data of calls lies in the window." in text
    assert "article 9" not in text


@given(st.text(max_size=200), st.text(max_size=60), st.sampled_from(list(PAPERS)))
def test_no_words_break_out_of_their_place(what: str, note: str, paper: str) -> None:
    """Whatever somebody writes: the page has the same elements, the Markdown the same headings."""
    plain = PAPERS[paper](breach(what="x", steps=((AWARE, "contained", "x"),)))
    draft = PAPERS[paper](breach(what=what or "x", steps=((AWARE, "contained", note or "x"),)))
    ours = [tag for tag in Shape(draft.html).tags if tag != "mark"]
    assert ours == [tag for tag in Shape(plain.html).tags if tag != "mark"]
    heads = [line for line in draft.markdown.splitlines() if line.startswith("#")]
    assert heads == [line for line in plain.markdown.splitlines() if line.startswith("#")]
    assert "<" not in draft.markdown.replace("\\<", "")


def test_the_timeline_shows_whom_when_and_the_proof() -> None:
    """Late is said; texts are escaped."""
    window = {"from": "2026-10-30T10:00:00.000000Z", "to": "2026-11-01T11:00:00.000000Z", "aware_at": AWARE.isoformat()}
    facts = {**window, "processor": "eu-llm", "region": "", "kind": "incident", "about": "reported"}
    due = {"notice": AWARE + timedelta(hours=24)}
    late = AWARE + timedelta(hours=30)
    letter = {"letter": "l", "letter_kind": "incident.notice", "channels": ["mail"], "data": {}}
    tried = {"letter": "l", "channel": "mail", "proof": "taken for 1 of 1"}
    house = fold("incident_1", TenantId("_house"), [CaseEvent("opened", AWARE, facts, {"what": "Keys <leaked>"}, due)])
    part = fold(
        "incident_1",
        TenantId("acme"),
        [
            CaseEvent("opened", AWARE, facts, {"what": "Keys <leaked>"}, due),
            CaseEvent("scoped", AWARE, SCOPE),
            CaseEvent("letter", late, letter, {"subject": "A <notice>", "text": "t"}, meets=("notice",)),
            CaseEvent("notified", late, tried),
        ],
    )
    page = timeline(house, [part], now=late)
    texts = " ".join(Shape(page).texts)
    for wanted in (
        "Keys <leaked>",
        "1,234 calls, 987 people",
        "A <notice>",
        "mail: taken for 1 of 1",
        "told 2026-11-02 18:00 UTC, LATE",
    ):
        assert wanted in texts, wanted
    assert "OVERDUE" in texts
    assert "script" not in Shape(page).tags
