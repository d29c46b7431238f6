"""Instructions, tools and JSON reach a model as they were written; the people in them do not."""

from __future__ import annotations

import pytest

from gateway.adapters.detectors.engine import Engine
from gateway.redaction.spans import resolve
from gateway.redaction.written import written
from gateway.values import Span
from tests.adapters.detectors.written_texts import ORDINARY, TELLING


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine(("US", "GB", "IN", "DE"))


def found_in(engine: Engine, text: str) -> tuple[Span, ...]:
    return resolve(text, written(text, [Span(*row) for row in engine.analyze(text, "")]))  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ORDINARY, ids=lambda text: text[:30])
def test_an_ordinary_text_of_a_program_stays_as_it_was_written(engine: Engine, text: str) -> None:
    assert [text[span.start : span.end] for span in found_in(engine, text)] == []


@pytest.mark.parametrize(("text", "values"), TELLING, ids=lambda each: each[:30] if isinstance(each, str) else "")
def test_what_a_text_tells_of_people_is_found_whole(engine: Engine, text: str, values: tuple[str, ...]) -> None:
    covered = {place for span in found_in(engine, text) for place in range(span.start, span.end)}
    for value in values:
        at = text.index(value)
        left = "".join(text[place] for place in range(at, at + len(value)) if place not in covered and text[place].isalnum())
        assert left == "", f"{value!r} is not covered"


def test_an_e_mail_address_is_one_value_whatever_its_ending(engine: Engine) -> None:
    text = "Send the summary to annabel@featherstone.example when you are done."
    assert [(span.entity, text[span.start : span.end]) for span in found_in(engine, text)] == [
        ("EMAIL_ADDRESS", "annabel@featherstone.example")
    ]
