"""Stand-ins: plausible, of the same kind, stable in the call, nobody's; and the way back, however a model writes them."""

from __future__ import annotations

import json
import re

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.redaction import checksums
from gateway.redaction.languages import spoken_language
from gateway.redaction.mask import Pseudonyms
from gateway.redaction.standin import Hit, StandIn, StandIns, Undressing
from gateway.redaction.surrogate import KINDS, Dressed, Surrogates
from gateway.redaction.surrogate_words import FAMILY, FAMILY_HINDI, GIVEN, GIVEN_HINDI, TOWNS
from gateway.redaction.unmask import Unmasker, unmask
from gateway.values import EntityType, Placeholder, Private, Span

SEED = b"the secret of one call"
VALUES = {
    "<PERSON_1>": "Ann Lee",
    "<PERSON_2>": "bob",
    "<PERSON_3>": "राहुल शर्मा",
    "<PERSON_4>": "k o w a l s k i",
    "<LOCATION_1>": "Rome",
    "<STREET_ADDRESS_1>": "forty two oak street",
    "<EMAIL_ADDRESS_1>": "ann at example dot org",
    "<PHONE_NUMBER_1>": "four one five five five five two six seven one",
    "<PHONE_NUMBER_2>": "+44 7911 123456",
    "<PHONE_NUMBER_3>": "zero six 12 34 56 78",
    "<CREDIT_CARD_1>": "4111 1111 1111 1111",
    "<IBAN_CODE_1>": "GB82 WEST 1234 5698 7654 32",
    "<DATE_OF_BIRTH_1>": "third of March nineteen eighty four",
    "<DATE_OF_BIRTH_2>": "third of March",
    "<IP_ADDRESS_1>": "10.0.0.1",
    "<US_SSN_1>": "two one nine",
}


def restore(name: Placeholder) -> Private[str] | None:
    return Private(VALUES[name]) if name in VALUES else None


def surrogates(seed: bytes = SEED) -> Surrogates:
    return Surrogates(restore, seed)


def dress(*texts: str, seed: bytes = SEED) -> Dressed:
    return surrogates(seed).dress(texts, lambda kind: True)


def stand_in(name: str) -> str:
    return dress(name).texts[0]


def test_a_name_stands_for_a_name_and_leads_back() -> None:
    dressed = dress("Hello <PERSON_1>!")
    given, family = dressed.texts[0].removeprefix("Hello ").removesuffix("!").split()
    assert given in GIVEN
    assert family in FAMILY
    assert dressed.back.undress(f"Thanks, {given} {family}.") == "Thanks, <PERSON_1>."


SHAPES = [
    ("<PERSON_2>", rf"({'|'.join(GIVEN)})"),
    ("<PERSON_3>", rf"({'|'.join(GIVEN_HINDI)}) ({'|'.join(FAMILY_HINDI)})"),
    ("<PERSON_4>", rf"({'|'.join(FAMILY)})"),
    ("<LOCATION_1>", rf"({'|'.join(TOWNS)})"),
    ("<STREET_ADDRESS_1>", r"\d\d [A-Z][a-z]+ (Street|Lane|Road)"),
    ("<EMAIL_ADDRESS_1>", r"[a-z]+\.[a-z]+@example\.com"),
    ("<PHONE_NUMBER_1>", r"\d{3}-555-01\d\d"),
    ("<PHONE_NUMBER_2>", r"07700 900\d{3}"),
    ("<PHONE_NUMBER_3>", r"06 39 98 \d\d \d\d"),
    ("<CREDIT_CARD_1>", r"9999 99\d\d \d{4} \d{4}"),
    ("<IBAN_CODE_1>", r"GB\d\d TEST \d{4} \d{4} \d{4} \d\d"),
    ("<DATE_OF_BIRTH_1>", r"\d{1,2} [A-Z][a-z]+ 198[345]"),
    ("<DATE_OF_BIRTH_2>", r"<DATE_OF_BIRTH_2>"),
    ("<IP_ADDRESS_1>", r"203\.0\.113\.\d{1,3}"),
    ("<US_SSN_1>", r"<US_SSN_1>"),
    ("<PERSON_9>", r"<PERSON_9>"),
]


@pytest.mark.parametrize(("name", "shape"), SHAPES)
@pytest.mark.parametrize("seed", [b"", b"one", b"two", b"three"])
def test_each_kind_gets_one_of_its_kind_that_nobody_has_or_keeps_its_placeholder(name: str, shape: str, seed: bytes) -> None:
    seen = dress(name, seed=seed).texts[0]
    assert re.fullmatch(shape, seen)
    digits = "".join(sign for sign in seen if sign.isdecimal())
    if name == "<CREDIT_CARD_1>":
        assert checksums.luhn(digits)
    if name == "<IBAN_CODE_1>":
        assert checksums.mod97(seen.replace(" ", ""))
    if name == "<PHONE_NUMBER_1>":
        assert phonenumbers.is_possible_number(phonenumbers.parse(seen, "US"))


def test_it_stays_in_the_call_and_is_another_in_another_call() -> None:
    call = surrogates()
    first = call.dress(["<PERSON_1>"], lambda kind: True).texts[0]
    assert call.dress(["I said <PERSON_1>, and <LOCATION_1>"], lambda kind: True).texts[0].startswith(f"I said {first}, and ")
    assert surrogates().dress(["<PERSON_1>"], lambda kind: True).texts[0] == first
    assert len({dress("<PERSON_1>", seed=bytes([seed])).texts[0] for seed in range(20)}) > 10


def test_only_the_kinds_that_are_wanted_are_dressed() -> None:
    made = surrogates().dress(["<PERSON_1> in <LOCATION_1>"], lambda kind: kind == "LOCATION")
    assert made.texts[0].startswith("<PERSON_1> in ")
    assert "<LOCATION_1>" not in made.texts[0]


def test_no_two_values_of_a_call_share_a_word() -> None:
    names = {f"<PERSON_{number}>": f"Name{number} Other{number}" for number in range(1, 30)}
    call = Surrogates(lambda name: Private(names[name]) if name in names else None, SEED)
    made = call.dress([" ".join(names)], lambda kind: True)
    words = made.texts[0].replace("<", " <").split()
    shown = [word for word in words if not word.startswith("<")]
    assert len(shown) == len(set(shown)) >= 30
    assert made.back.undress(made.texts[0]) == " ".join(names)


WAYS = [
    ("Thank you, {first} {last}.", "Thank you, <PERSON_1>."),
    ("{FIRST} {LAST}", "<PERSON_1>"),
    ("{first}  {last}", "<PERSON_1>"),
    ("{first}\n{last}", "<PERSON_1>"),
    ("{last}, {first}", "<PERSON_1>, <PERSON_1>"),
    ("{first}'s card", "<PERSON_1>'s card"),
    ("{first} {last}’s card", "<PERSON_1>’s card"),
    ("Mr. {last}", "Mr. <PERSON_1>"),
    ("the {last}s", "the <PERSON_1>s"),
    ("**{first} {last}**", "**<PERSON_1>**"),
    ("({first})", "(<PERSON_1>)"),
    ("Mc{last}", "Mc{last}"),
    ("{last}ton", "{last}ton"),
    ("{last}_1", "{last}_1"),
]


@pytest.mark.parametrize(("answer", "back"), WAYS)
def test_a_name_is_known_in_the_ways_in_which_models_write_it(answer: str, back: str) -> None:
    made = dress("<PERSON_1>")
    first, last = made.texts[0].split()
    words = {"first": first, "last": last, "FIRST": first.upper(), "LAST": last.lower()}
    assert made.back.undress(answer.format(**words)) == back.format(**words)


NUMBERS = ["{}", "{0[0]}{0[1]}{0[2]}-555 01{0[10]}{0[11]}", "({0[0]}{0[1]}{0[2]}) 555-01{0[10]}{0[11]}", "{digits}", "{words}"]


@pytest.mark.parametrize("way", NUMBERS)
def test_a_number_is_known_however_its_digits_are_parted_or_said(way: str) -> None:
    made = dress("<PHONE_NUMBER_1>")
    number = made.texts[0]
    digits = number.replace("-", "")
    said = "zero one two three four five six seven eight nine".split()  # noqa: SIM905
    words = " ".join(said[int(sign)] for sign in digits)
    answer = f"call {way.format(number, digits=digits, words=words)}."
    # The other stand-ins of a parted number begin with a bracket, which stays.
    assert made.back.undress(answer).replace("(", "").replace(")", "") == "call <PHONE_NUMBER_1>."


def test_digits_that_go_on_are_another_number() -> None:
    made = dress("<PHONE_NUMBER_1>")
    longer = f"{made.texts[0]}7"
    assert made.back.undress(longer) == longer


def test_a_caller_who_says_a_stand_in_reveals_nothing_and_gets_own_words_back() -> None:
    call = surrogates()
    first = call.dress(["<PERSON_1>"], lambda kind: True).texts[0]
    said = f"who is {first}? my name is {first.split()[0]}."
    made = call.dress(["I am <PERSON_1>", said], lambda kind: True)
    assert made.texts == ("I am <PERSON_1>", said)
    assert made.back.undress(said) == said
    assert call.dress(["I am <PERSON_1>"], lambda kind: True).texts == ("I am <PERSON_1>",)


def test_a_stand_in_that_the_instructions_hold_is_not_chosen() -> None:
    first = dress("<PERSON_1>").texts[0]
    made = dress(f"You are {first.split()[0]}, a receptionist.", "<PERSON_1>")
    assert made.texts[1] != first
    assert made.back.undress(f"I am {first.split()[0]}") == f"I am {first.split()[0]}"


def test_a_placeholder_within_a_word_keeps_its_form() -> None:
    assert dress("x<PERSON_1> <PERSON_1>y").texts[0] == "x<PERSON_1> <PERSON_1>y"


def test_tool_arguments_get_their_placeholders_back_inside_their_strings() -> None:
    made = dress("<PERSON_1>", "<PERSON_3>")
    arguments = json.dumps({"who": f"{made.texts[0]}", "then": [made.texts[1], 1.0], "say": 'a "quote"'})
    back = made.back.undress_json(arguments)
    assert json.loads(back) == {"who": "<PERSON_1>", "then": ["<PERSON_3>", 1.0], "say": 'a "quote"'}
    assert made.back.undress_json('{"broken": "\\u12"') == '{"broken": "\\u12"'


def test_text_passes_at_once_and_only_a_possible_stand_in_waits() -> None:
    undressing = Undressing(StandIns([StandIn(Placeholder("<PERSON_1>"), "Robin Hale", ("Robin", "Hale"))]))
    assert undressing.feed("Hello Ro") == "Hello "
    assert undressing.feed("bin") == ""
    assert undressing.feed(" Ha") == ""
    assert undressing.feed("t is here") == "<PERSON_1> Hat is here"
    assert undressing.held == 0
    assert undressing.flush() == ""


def test_a_stream_of_endless_beginnings_is_held_back_no_further_than_one_stand_in() -> None:
    undressing = Undressing(StandIns([StandIn(Placeholder("<PERSON_1>"), "Robin Hale", ("Robin", "Hale"))]))
    for _ in range(500):
        undressing.feed("Robin" + " " * 10 + "Robin ")
        assert undressing.held <= 20


def test_every_hit_of_a_text_is_told_with_its_place() -> None:
    stand_ins = StandIns([StandIn(Placeholder("<PERSON_1>"), "Robin")])
    assert list(stand_ins.all("a robin, Robins")) == [
        Hit(2, 7, Placeholder("<PERSON_1>")),
        Hit(9, 14, Placeholder("<PERSON_1>")),
    ]


SHARDS = st.sampled_from(
    [
        *VALUES,
        *GIVEN[:6],
        *FAMILY[:6],
        " ",
        "s",
        "'s",
        ".",
        ", ",
        "555",
        "-01",
        "<",
        ">",
        "example.com",
        "Lane",
        "five ",
        "é",
        "\n",
    ]
)
TEXTS = st.lists(st.one_of(SHARDS, st.sampled_from([f" {name} " for name in VALUES]), st.text(max_size=3)), max_size=12).map(
    "".join
)


@given(st.lists(TEXTS, min_size=1, max_size=3), st.binary(max_size=3), st.data())
def test_the_way_back_is_exact_for_every_text_and_every_cut(texts: list[str], seed: bytes, data: st.DataObject) -> None:
    made = dress(*texts, seed=seed)
    for text, seen in zip(texts, made.texts, strict=True):
        cuts = sorted(data.draw(st.lists(st.integers(0, len(seen)), max_size=6)))
        undressing = Undressing(made.back)
        chunks = [seen[left:right] for left, right in zip([0, *cuts], [*cuts, len(seen)], strict=True)]
        assert "".join(undressing.feed(chunk) for chunk in chunks) + undressing.flush() == text


WORDS = st.sampled_from([*GIVEN[:8], *FAMILY[:8], "ann", "lee", "<PERSON_1>", "PERSON 1", "is", "555-0100", "my", "<LITERAL_1>"])
SPOKEN = st.lists(st.tuples(st.sampled_from(["", "PERSON", "LOCATION", "PHONE_NUMBER"]), WORDS), max_size=10)


@given(st.lists(SPOKEN, min_size=1, max_size=3), st.binary(max_size=2), st.data())
def test_whatever_is_said_comes_back_through_mask_and_stand_ins_under_every_cut(
    turns: list[list[tuple[str, str]]], seed: bytes, data: st.DataObject
) -> None:
    """For any turns, a caller's own stand-in words among them: what a model repeats is said as it was said first."""
    names = Pseudonyms(default="surrogate")
    call = Surrogates(names.value, seed)
    history: list[str] = []
    for turn in turns:
        said, spans = "", []
        for kind, word in turn:
            if kind:
                spans.append(Span(len(said), len(said) + len(word), EntityType(kind), 1.0, "test"))
            said += f"{word} "
        masked = names.apply(Private(said), spans).text
        history.append(masked)
        made = call.dress(history, lambda kind: True)
        seen = made.texts[-1]
        cuts = sorted(data.draw(st.lists(st.integers(0, len(seen)), max_size=5)))
        undressing, unmasker = Undressing(made.back), Unmasker(names.value)
        out = ""
        for left, right in zip([0, *cuts], [*cuts, len(seen)], strict=True):
            out += unmasker.feed(undressing.feed(seen[left:right])).reveal()
        out += unmasker.feed(undressing.flush()).reveal() + unmasker.flush().reveal()
        assert out == unmask(masked, names.value).reveal()


@given(st.text(max_size=60))
def test_a_model_that_says_no_stand_in_is_passed_on_as_it_is(answer: str) -> None:
    made = dress("<PERSON_1> <PHONE_NUMBER_1>")
    if not list(made.back.all(answer)):
        assert made.back.undress(answer) == answer


def test_another_language_hears_the_year_of_a_birth() -> None:
    name = Placeholder("<DATE_OF_BIRTH_1>")
    call = Surrogates(lambda _: Private("tres de marzo de mil novecientos ochenta y cuatro"), SEED, spoken_language("es"))
    assert re.search(r"198[345]$", call.dress([name], lambda kind: True).texts[0])


def test_what_has_no_stand_in_is_told() -> None:
    assert {"US_SSN", "PASSPORT", "CVV", "PIN", "PASSWORD", "IN_AADHAAR"}.isdisjoint(KINDS)
