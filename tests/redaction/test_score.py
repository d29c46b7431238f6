"""The figures of a redactor on labelled texts, each as its definition says."""

from __future__ import annotations

import pytest

from gateway.redaction.score import MISSED, NOTHING, Line, Mark, score

TEXT = "my name is ann lee and my card is 4532"
NAME, CARD = Mark(11, 18, "PERSON"), Mark(34, 38, "CREDIT_CARD")


def line(*found: Mark, gold: tuple[Mark, ...] = (NAME, CARD), text: str = TEXT, **more: str) -> Line:
    return Line("1", text, gold, found, **more)


FOUND = [
    ((), 0, 0, 10),
    ((NAME, CARD), 2, 2, 0),
    ((Mark(11, 18, "LOCATION"), CARD), 2, 1, 0),
    ((Mark(0, 38, "PERSON"),), 2, 1, 0),
    ((Mark(11, 14, "PERSON"),), 0, 1, 7),
    ((Mark(15, 18, "PERSON"), Mark(11, 14, "PERSON")), 1, 1, 4),
    ((Mark(-5, 18, "PERSON"), Mark(34, 99, "CREDIT_CARD")), 2, 2, 0),
]


@pytest.mark.parametrize(("found", "masked", "typed", "leaked"), FOUND)
def test_a_value_is_masked_at_nine_tenths_and_has_its_kind_at_a_half(
    found: tuple[Mark, ...], masked: int, typed: int, leaked: int
) -> None:
    """White space counts for nothing, and a span may reach beyond the text."""
    total = score([line(*found)]).total
    assert (total.spans, total.masked, total.typed, total.characters, total.leaked) == (2, masked, typed, 10, leaked)


def test_a_kind_may_have_other_names() -> None:
    """A detector that says LOCATION of a postcode has understood it."""
    gold = (Mark(0, 5, "ZIP_CODE"),)
    assert score([line(Mark(0, 5, "LOCATION"), gold=gold, text="94110")]).total.typed == 1
    assert score([line(Mark(0, 5, "PERSON"), gold=gold, text="94110")]).total.typed == 0


def test_precision_counts_the_characters_that_were_masked() -> None:
    assert score([line(Mark(8, 18, "PERSON"))]).precision == 6 / 8
    assert score([line()]).precision == 1


def test_a_harmless_text_is_touched_once_however_much_of_it_is_masked() -> None:
    clean = line(Mark(0, 2, "PERSON"), Mark(5, 7, "AGE"), gold=())
    figures = score([clean, line(gold=()), line()])
    assert (figures.clean, figures.touched, figures.harmless_touched) == (2, 1, 0.5)
    assert figures.touched_as == {"PERSON": 1, "AGE": 1}


def test_what_is_optional_counts_neither_way() -> None:
    gold = (Mark(0, 2, "OPTIONAL"),)
    figures = score([line(Mark(0, 2, "AGE"), gold=gold), line(gold=gold)])
    assert (figures.found, figures.touched, figures.clean, figures.total.spans) == (0, 0, 2, 0)


def test_the_confusion_says_what_each_value_was_taken_for() -> None:
    figures = score([line(Mark(11, 18, "LOCATION")), line(Mark(0, 2, "AGE"), CARD)])
    assert figures.confusion == {
        ("PERSON", "LOCATION"): 1,
        ("PERSON", MISSED): 1,
        ("CREDIT_CARD", MISSED): 1,
        ("CREDIT_CARD", "CREDIT_CARD"): 1,
        (NOTHING, "AGE"): 1,
    }


def fragment(text: str, *, found: bool = True, speaker: str = "caller", form: str = "plain", dialogue: str = "d") -> Line:
    gold = (Mark(0, len(text), "CREDIT_CARD", entity="1", form=form),)
    return line(*gold[: int(found)], gold=gold, text=text, speaker=speaker, dialogue=dialogue)


SPLIT = [
    ([fragment("4532"), fragment("1180")], 1, 1),
    ([fragment("4532"), fragment("1180", found=False)], 0, 0),
    ([fragment("4532"), fragment("4532", found=False, speaker="agent")], 1, 0),
    ([fragment("4532"), fragment("4533", found=False, form="correction")], 1, 0),
    ([fragment("4532"), fragment("1180", found=False, dialogue="e")], 1, 1),
]


@pytest.mark.parametrize(("lines", "callers", "every"), SPLIT)
def test_a_split_value_is_masked_when_every_fragment_is(lines: list[Line], callers: int, every: int) -> None:
    """Of the caller's fragments corrections do not count; read-backs count among all of them."""
    figures = score(lines)
    assert (figures.split, figures.split_caller, figures.split_all) == (len({each.dialogue for each in lines}), callers, every)


def test_figures_of_nothing_are_perfect() -> None:
    figures = score([])
    assert (figures.total.recall, figures.precision, figures.harmless_touched, figures.split_masked) == (1, 1, 0, 1)


def test_the_figures_of_some_kinds_can_be_asked_for() -> None:
    assert score([line(CARD)]).of(["CREDIT_CARD", "CVV"]).recall == 1
    assert score([line(CARD)]).of(["PERSON"]).recall == 0
