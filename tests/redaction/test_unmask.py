"""The way back, while it streams: at once, the same for every cut, and never a raw token."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import InvalidRequest
from gateway.redaction.entities import KINDS
from gateway.redaction.placeholder import Scanner
from gateway.redaction.unmask import PlainBrackets, Unmasker, restore_json, unmask
from gateway.values import Placeholder, Private

VALUES = {
    Placeholder("<PERSON_1>"): Private("Ann"),
    Placeholder("<PERSON_12>"): Private("Zoë"),
    Placeholder("<CREDIT_CARD_1>"): Private("4532 1180"),
    Placeholder("<LITERAL_1>"): Private('say "<PERSON_1>"\n'),
}
LONGEST = 60
SCANNER = Scanner(KINDS)


def stream(chunks: list[str]) -> str:
    unmasker = Unmasker(VALUES.get)
    out = "".join(unmasker.feed(chunk).reveal() for chunk in chunks)
    return out + unmasker.flush().reveal()


FORMS = [
    ("Hello <PERSON_1>!", "Hello Ann!"),
    ("<PERSON_12>", "Zoë"),
    ("<person_1>", "Ann"),
    ("<Person 1>", "Ann"),
    ("<PERSON-1>", "Ann"),
    ("<PERSON1>", "Ann"),
    ("< PERSON_1 >", "Ann"),
    ("PERSON_1", "Ann"),
    ("person_1,", "Ann,"),
    ("PERSON 1 called", "Ann called"),
    ("PERSON_1>", "Ann"),
    ("<PERSON_1 is here", "Ann is here"),
    ("PERSON\\_1", "Ann"),
    ("<PERSON\\_1>", "Ann"),
    ("<PERSON_1>'s card", "Ann's card"),
    ("PERSON_1's card", "Ann's card"),
    ("the PERSON_1s", "the Anns"),
    ("**<PERSON_1>**", "**Ann**"),
    ("<**PERSON_1**>", "Ann"),
    ("`<PERSON_1>`", "`Ann`"),
    ("[PERSON_1]", "[Ann]"),
    ("<CREDIT_CARD_1>", "4532 1180"),
    ("<credit card 1>", "4532 1180"),
    ("credit_card_1", "4532 1180"),
    ("<LITERAL_1>", 'say "<PERSON_1>"\n'),
]


@pytest.mark.parametrize(("answer", "said"), FORMS)
def test_a_placeholder_is_known_in_the_forms_that_models_give_it(answer: str, said: str) -> None:
    assert stream([answer]) == said


NOT_KEPT = [
    ("<PERSON_7>", "your name"),
    ("PERSON_7", "your name"),
    ("<CREDIT_CARD>", "your card number"),
    ("<CREDIT_CARD_9> ending 2345", "your card number ending 2345"),
    ("I have noted your <CREDIT_CARD>.", "I have noted your card number."),
    ("Your <PERSON_7>, please", "Your name, please"),
    ("<email address 3>", "your e-mail address"),
    ("<LITERAL_9>", "that"),
]


@pytest.mark.parametrize(("answer", "said"), NOT_KEPT)
def test_what_cannot_be_restored_is_said_as_its_kind(answer: str, said: str) -> None:
    assert stream([answer]) == said
    assert stream(list(answer)) == said


def test_every_kind_of_the_table_has_words_for_it_and_no_token_is_ever_said() -> None:
    for kind in KINDS:
        said = stream([f"<{kind}_99> <{kind}>"])
        assert "_" not in said
        assert "<" not in said
        assert said


PLAIN = [
    "person and age 5, url 3, pin 4",
    "a < b and c > d",
    "<b>bold</b>",
    "x<y",
    "PERSON",
    "PERSON_",
    "myPERSON_1",
    "PERSON_1x",
    "PERSON_12345",
    "<PERSON_12345 is",
    "PERSON_1sx",
    "<PERSONAL_1>",
    "",
]


@pytest.mark.parametrize("answer", PLAIN)
def test_a_text_without_placeholders_passes_as_it_is(answer: str) -> None:
    assert stream(list(answer)) == answer


def test_text_is_passed_on_at_once_and_only_a_possible_placeholder_waits() -> None:
    unmasker = Unmasker(VALUES.get)
    assert unmasker.feed("Hello <PER").reveal() == "Hello "
    assert unmasker.feed("SON_1").reveal() == ""
    assert unmasker.feed("> and wel").reveal() == "Ann and wel"
    assert unmasker.held == 0
    assert unmasker.flush().reveal() == ""


ANSWER = st.lists(
    st.one_of(
        st.sampled_from([form for form, _ in FORMS + NOT_KEPT]),
        st.sampled_from(["<", ">", "_", "1", "s", "PER", "SON", "person", "CREDIT", " ", "\\", "*", "é", "-", "12"]),
        st.text(max_size=4),
    ),
    max_size=10,
).map("".join)


@given(ANSWER, st.data())
def test_every_cut_gives_the_same_words_and_what_waits_is_bounded(answer: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(answer)), max_size=8)))
    chunks = [answer[left:right] for left, right in zip([0, *cuts], [*cuts, len(answer)], strict=True)]
    unmasker = Unmasker(VALUES.get)
    out = ""
    for chunk in chunks:
        out += unmasker.feed(chunk).reveal()
        assert unmasker.held <= LONGEST
    assert out + unmasker.flush().reveal() == unmask(answer, VALUES.get).reveal() == stream(list(answer))


@given(ANSWER, st.sampled_from(sorted(KINDS)), st.integers(0, 12))
def test_no_place_where_a_placeholder_could_begin_is_passed_over(answer: str, kind: str, cut: int) -> None:
    """The quick look at a word's first letters never says less than the grammar itself."""
    text = f"{answer} {kind.lower()[:cut]}"
    for each in (text, text.upper(), f"{answer}{kind[:cut]}"):
        for place in range(len(each)):
            if SCANNER.undecided(each, place) or SCANNER.at(each, place):
                assert SCANNER.starts(each, place) == place


@given(st.text(max_size=80))
def test_any_text_without_a_placeholder_passes_unchanged(answer: str) -> None:
    if not list(Scanner(KINDS).all(answer)):
        assert stream(list(answer)) == answer


ESCAPED = st.lists(
    st.sampled_from(["\\", "\\\\", "u003c", "\\u003C", "\\u003e", "u00", "3", "c", "<", "\\u00e9", '\\"', "PERSON_1"])
).map("".join)


@given(ESCAPED, st.data())
def test_escaped_brackets_in_json_become_brackets_for_every_cut_and_it_stays_the_same_json(
    text: str, data: st.DataObject
) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=8)))
    brackets = PlainBrackets()
    out = "".join(brackets.feed(text[left:right]) for left, right in zip([0, *cuts], [*cuts, len(text)], strict=True))
    out += brackets.flush()
    whole = PlainBrackets()
    assert out == whole.feed(text) + whole.flush()
    with contextlib.suppress(ValueError):
        value = json.loads(f'"{text}"')
        assert json.loads(f'"{out}"') == value
        assert out.count("<") == value.count("<")


def test_a_stream_of_endless_beginnings_is_held_back_no_further_than_one_placeholder() -> None:
    unmasker = Unmasker(VALUES.get)
    for _ in range(500):
        unmasker.feed("<   PERSON" + " " * 10)
        assert unmasker.held <= LONGEST


def test_tool_arguments_get_values_inside_their_strings_with_json_escapes() -> None:
    arguments = '{"name": "<PERSON_1>", "note": "\\u003cLITERAL_1\\u003e", "n": 1.0, "big": 1e400, "plain": "caf\\u00e9"}'
    restored = restore_json(arguments, VALUES.get).reveal()
    assert json.loads(restored)["name"] == "Ann"
    assert json.loads(restored)["note"] == 'say "<PERSON_1>"\n'
    assert '"n": 1.0, "big": 1e400, "plain": "caf\\u00e9"}' in restored


@given(st.dictionaries(st.text(max_size=5), st.one_of(st.text(max_size=8), st.integers(), st.none(), st.lists(st.booleans()))))
def test_tool_arguments_without_placeholders_stay_byte_for_byte(arguments: dict[str, object]) -> None:
    text = json.dumps(arguments)
    if not list(Scanner(KINDS).all(" ".join([*arguments, *(str(value) for value in arguments.values())]))):
        assert restore_json(text, VALUES.get).reveal() == text


@pytest.mark.parametrize("broken", ["", "{", '{"a": "<PERSON_1>"', "[" * 100_000])
def test_tool_arguments_that_are_not_json_are_refused_without_their_words(broken: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        restore_json(broken, VALUES.get)
    assert "PERSON" not in str(refused.value)
    assert refused.value.__cause__ is None
