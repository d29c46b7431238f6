"""What a person is handed: everything that the evidence says of them and nothing else, on a page that stands alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.evidence.chain import genesis, seal
from gateway.evidence.entries import Draft, Entry, Json
from gateway.reports.rights_dossier import Dossier, FileOf, as_data
from gateway.reports.rights_facts import Reading
from gateway.reports.rights_page import page
from gateway.reports.rights_schema import DATA_SCHEMA
from gateway.reports.rights_words import LANGUAGES, words_in
from gateway.values import CallId, TenantId
from tests.reports.fitting import faults

ACME, CALL = TenantId("acme"), CallId("call_1")
AT = datetime(2026, 11, 1, 8, tzinfo=UTC)
GRANT: dict[str, Json] = {
    "id": "g",
    "hop": "llm",
    "processor": "mistral",
    "processor_name": "Mistral AI SAS",
    "host": "api.mistral.ai",
    "region": "eu/fr",
    "purpose": "conversation",
    "categories": ["masked_transcript"],
    "masked": True,
    "mechanism": "none-needed",
    "training": "prohibited",
    "about": ["health"],
}


def entries(call: CallId, *bodies: tuple[str, dict[str, Json]]) -> Iterator[Entry]:
    previous = genesis(ACME, call)
    for seq, (kind, body) in enumerate(bodies, start=1):
        entry = seal(Draft(ACME, call, kind, AT, body, previous), seq, previous)
        previous = entry.hash
        yield entry


def read(*bodies: tuple[str, dict[str, Json]], call: CallId = CALL) -> Reading:
    reading = Reading()
    for entry in entries(call, *bodies):
        reading.add(entry)
    return reading


def dossier(reading: Reading, **more: object) -> Dossier:
    made = Dossier(
        right="access",
        tenant="acme",
        subject="a" * 64,
        case="case_1",
        made=AT,
        language="en",
        identity={"method": "called back", "by": "Kim"},
        calls=reading.calls,
        recipients=reading.recipients,
        head=(7, "sha256:" + "b" * 64),
    )
    return replace(made, **more)  # type: ignore[arg-type]


HEARD: dict[str, Json] = {**GRANT, "hop": "stt", "processor": "ear", "processor_name": "Ear Inc", "masked": False}
WHOLE: tuple[tuple[str, dict[str, Json]], ...] = (
    ("call.started", {"carrier": "twilio", "language": "en", "retention": {"audio": 86_400}}),
    ("hop", {"grant": {**HEARD, "categories": ["voice"]}}),
    ("masked", {"counts": {"PERSON": 2}}),
    ("hop", {"grant": GRANT}),
    ("hop", {"grant": {**GRANT, "purpose": "recording", "masked": False}}),
    ("consent.given", {"id": "a", "mode": "ask", "purpose": "recording", "how": "spoken", "after_ms": 900, "play": 1}),
    ("call.ended", {"outcome": "completed", "duration_ms": 61_000}),
)


def test_who_received_what_is_told_from_the_grants_alone() -> None:
    """By processor: what for, which data, where, on which basis, how often; masked only where everything was."""
    ear, mistral = read(*WHOLE).recipients
    assert (ear.name, ear.categories, ear.masked, ear.times) == ("Ear Inc", {"voice"}, False, 1)
    assert (mistral.purposes, mistral.times, len(mistral.calls)) == ({"conversation", "recording"}, 2, 1)
    assert not mistral.masked
    assert mistral.about == {"health"}


def test_the_data_for_programs_says_everything_and_stays_as_it_is() -> None:
    """Its members are what others build on: none may go."""
    data = as_data(dossier(read(*WHOLE), files=[FileOf("calls/c/a.wav", "audio", CALL, 3, "c" * 64)], unread=["call_0"]))
    assert data["schema"] == "sordino.rights/1"
    (call,) = data["calls"]
    assert (call["duration_ms"], call["sent_to"], call["masked"]) == (61_000, {"ear": 1, "mistral": 2}, {"PERSON": 2})
    assert call["consents"] == [{"at": "2026-11-01T08:00:00.000000Z", "answer": "yes", "purpose": "recording", "how": "spoken"}]
    assert data["recipients"][1]["country"] == "eu/fr"
    assert data["retention_s"] == {"audio": 86_400}
    assert data["sources"] == ["call", "carrier"]
    assert data["calls_without_evidence"] == ["call_0"]
    assert list(faults(data, DATA_SCHEMA)) == []


def test_the_schema_names_every_member_and_holds_for_a_person_without_calls() -> None:
    """What is in the data stands in its schema, down to the last list, and the other way round."""
    said = {"at": "2026-11-01T08:00:00Z", "answer": "given", "purpose": "conversation", "how": "written"}
    whole = as_data(dossier(read(*WHOLE), files=[FileOf("a", "audio", CALL, 3, "c" * 64)], consents=[said]))
    assert _members(DATA_SCHEMA) == _members_of(whole)
    nothing = as_data(dossier(Reading(), identity={}, head=(0, "")))
    assert list(faults(nothing, DATA_SCHEMA)) == []
    assert list(faults({**nothing, "schema": "sordino.rights/2"}, DATA_SCHEMA)) == ["$.schema is not 'sordino.rights/1'"]
    assert list(faults({**nothing, "calls": [{}], "made_at": 7}, DATA_SCHEMA))


def _members(schema: Mapping[str, Any], at: str = "") -> set[str]:
    found = {f"{at}{name}" for name in schema.get("properties", {})}
    for name, inner in schema.get("properties", {}).items():
        found |= _members(inner, f"{at}{name}.") | _members(inner.get("items", {}), f"{at}{name}[].")
    return found


def _members_of(value: Any, at: str = "") -> set[str]:
    counted = ("masked.", "sent_to.", "retention_s.", "identity.")
    if not isinstance(value, dict) or at.endswith(counted):
        return set()
    found = {f"{at}{name}" for name in value}
    for name, inner in value.items():
        found |= _members_of(inner, f"{at}{name}.")
        found |= set[str]().union(*(_members_of(each, f"{at}{name}[].") for each in inner)) if isinstance(inner, list) else set()
    return found


class Seen(HTMLParser):
    """Tags that load something, tags that are open, and the text."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.loads: list[tuple[str, str | None]] = []
        self.tags: set[str] = set()
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.loads += [(name, value) for name, value in attrs if name in ("src", "href", "action", "data", "srcset")]
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def seen(html: str) -> Seen:
    found = Seen()
    found.feed(html)
    found.close()
    assert found.open == []
    return found


@pytest.mark.parametrize(("language", "title"), [("en", "Your data at acme"), ("de-AT", "Ihre Daten bei acme")])
def test_the_page_stands_alone_in_the_persons_language(language: str, title: str) -> None:
    """No script, nothing loaded from anywhere, links only to the files beside it."""
    made = dossier(read(*WHOLE), language=language, files=[FileOf("calls/call_1/a b.wav", "audio", CALL, 3, "c" * 64)])
    found = seen(page(made))
    text = " ".join(found.text)
    assert title in text
    assert "EU (fr)" in text
    assert "Mistral AI SAS" in text
    assert found.tags.isdisjoint({"script", "link", "img", "iframe", "object", "form"})
    assert set(found.loads) == {("href", "calls/call_1/a%20b.wav")}


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_known_is_told_in_whole_sentences(language: str) -> None:
    text = " ".join(seen(page(dossier(Reading(), language=language, head=(0, "")))).text)
    assert words_in(language)["no_calls"] in text
    assert words_in(language)["nobody"] in text
    assert "{" not in text.split("}")[-1]


@given(st.text(max_size=40))
def test_whatever_a_name_holds_it_is_text_on_the_page(name: str) -> None:
    """A processor, a method, a file: none of them becomes markup."""
    grant: dict[str, Json] = {**GRANT, "processor_name": f"{name}<script>alert(1)</script>"}
    reading = read(("hop", {"grant": grant}))
    found = seen(page(dossier(reading, identity={"method": f"<i>{name}", "by": "x"})))
    assert found.tags.isdisjoint({"script", "i"})


def test_every_language_says_everything() -> None:
    """No sentence is missing in one of them."""
    tables = {language: words_in(language) for language in LANGUAGES}
    english = tables["en"]
    for words in tables.values():
        assert words.heads("call")
        assert len(words.rights) == len(english.rights)
        assert words.length(0) == words["not_kept"]
        assert words.length(2_592_000).startswith("30 ")
        assert words.times(1, 1) != words.times(2, 2)
        assert words.moment("not a time") == "not a time"
