"""A call's memory, as scripts: what was said by whom, and what a model may see of it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.redaction.dialogue import Dialogue, Side
from gateway.redaction.finders import find_all
from gateway.redaction.heard import Heard
from gateway.redaction.mask import Pseudonyms
from gateway.redaction.spans import resolve
from gateway.redaction.unmask import unmask
from gateway.values import Placeholder, Private


class Script:
    """Plays turns through our rules and the memory of one call, the way a call's masker does."""

    def __init__(self) -> None:
        self.names = Pseudonyms()
        self.dialogue = Dialogue(self.names)
        self.last = {Side.AGENT: "", Side.CALLER: ""}

    def say(self, line: str) -> str:
        side = Side.AGENT if line.startswith("A: ") else Side.CALLER
        text = line[3:]
        other = Side.CALLER if side is Side.AGENT else Side.AGENT
        found = find_all(Heard.of(text, f"{self.last[other]} {self.last[side]}".strip()))
        spans = resolve(text, self.dialogue.heard(text, found, side=side))
        self.last[side] = self.dialogue.plan(Private(text), text, spans).apply(text)
        if side is Side.AGENT:
            self.dialogue.asked(self.last[side])
        return self.last[side]

    def value(self, name: str) -> str | None:
        value = self.names.value(Placeholder(name))
        return value.reveal() if value else None


SCRIPTS: dict[str, list[tuple[str, str | None]]] = {
    "a number in pieces is one number": [
        ("A: which number can we ring you on", None),
        ("C: sure it's four one five", "sure it's <PHONE_NUMBER_1>"),
        ("A: mm hmm", None),
        ("C: and then five five five", "and then <PHONE_NUMBER_1>"),
        ("C: two six seven one, that's it", "<PHONE_NUMBER_1>, that's it"),
        ("A: so that is four one five five five five two six seven one", "so that is <PHONE_NUMBER_1>"),
    ],
    "a read-back of a part has the placeholder of the whole": [
        ("C: my card number is four five three two", "my card number is <CREDIT_CARD_1>"),
        ("A: so that is four five three two", "so that is <CREDIT_CARD_1>"),
        ("C: one one eight zero", "<CREDIT_CARD_1>"),
        ("A: one one eight zero, go on", "<CREDIT_CARD_1>, go on"),
    ],
    "a correction is masked and joins nothing": [
        ("A: tell me the account number", None),
        ("C: eight one nine", "<BANK_ACCOUNT_1>"),
        ("C: no it's seven not nine", "no it's <BANK_ACCOUNT_2> not <BANK_ACCOUNT_3>"),
        ("C: double four", "<BANK_ACCOUNT_4>"),
    ],
    "an exact correction takes the place of the piece that it corrects": [
        ("A: tell me the account number", None),
        ("C: eight one nine two", "<BANK_ACCOUNT_1>"),
        ("A: okay", None),
        ("C: sorry i meant eight one nine three", "sorry i meant <BANK_ACCOUNT_1>"),
        ("A: go on", None),
        ("C: double four", "<BANK_ACCOUNT_1>"),
        ("A: so that is eight one nine three four four", "so that is <BANK_ACCOUNT_1>"),
    ],
    "the last of a number is asked for, not said": [
        ("A: what is the long number on the card", None),
        ("C: four four one two nine oh oh one", "<CREDIT_CARD_1>"),
        ("A: and the last four", None),
        ("C: eight eight seven six", "<CREDIT_CARD_1>"),
    ],
    "a date in pieces, a town that is named with an everyday word": [
        ("A: when were you born", None),
        ("C: the eleventh", "the <DATE_OF_BIRTH_1>"),
        ("A: and the year", None),
        ("C: eighty eight", "<DATE_OF_BIRTH_1>"),
        ("A: and the town", None),
        ("C: little wenham", "<LOCATION_1>"),
        ("A: perfect, i can see three orders here", None),
    ],
    "an answer that says what it is": [
        ("A: and your e-mail address", None),
        ("C: My email address is rosa dot quill at example dot net.", "My email address is <EMAIL_ADDRESS_1>."),
        ("A: and a password for it", None),
        ("C: the password is marmalade", "the password is <PASSWORD_1>"),
    ],
    "a name in pieces, spelled, shortened": [
        ("A: whose name is the booking under", None),
        ("C: it's rosalind, let me see", "it's <PERSON_1>, let me see"),
        ("C: uh okonjo", "uh <PERSON_1>"),
        ("A: how is that spelled", None),
        ("C: o k o n j o", "<PERSON_1>"),
        ("A: that's booked, thank you rosalind", "that's booked, thank you <PERSON_1>"),
        ("C: put it on Okonjo's file", "put it on <PERSON_1>'s file"),
    ],
    "the answer to another question is another value": [
        ("A: and your first name", None),
        ("C: rosalind", "<PERSON_1>"),
        ("A: and your postcode", None),
        ("C: one two", "<ZIP_CODE_1>"),
        ("C: three four five", "<ZIP_CODE_1>"),
        ("A: and your surname", None),
        ("C: okonjo", "<PERSON_2>"),
    ],
    "asked to say it again, the caller begins anew": [
        ("A: tell me your member number", None),
        ("C: seven seven one", "<MEMBER_ID_1>"),
        ("A: sorry, could you repeat that", None),
        ("C: seven seven one", "<MEMBER_ID_1>"),
        ("C: nine two", "<MEMBER_ID_1>"),
        ("A: so the whole thing is seven seven one nine two", "so the whole thing is <MEMBER_ID_1>"),
    ],
    "an address over two turns": [
        ("A: what street do you live on", None),
        ("C: seventeen, hold on", "<STREET_ADDRESS_1>, hold on"),
        ("C: then old mill lane", "then <STREET_ADDRESS_1>"),
    ],
    "digits that nobody asked for are masked while they may go on": [
        ("C: four five three two", "<ID_NUMBER_1>"),
        ("A: mm hmm", None),
        ("C: and one one eight zero", "and <ID_NUMBER_1>"),
        ("A: how many bags do you travel with", None),
        ("C: a hundred and twenty three", None),
        ("A: okay", None),
        ("C: seven seven one, uh", "<ID_NUMBER_2>, uh"),
    ],
    "the last four of a number are known": [
        ("C: my card is 4532 1180 9661 2345", "my card is <CREDIT_CARD_1>"),
        ("A: thanks, all done. anything else?", None),
        ("C: is it the one with 2345 on it", "is it the one with <CREDIT_CARD_1> on it"),
    ],
    "harmless talk while a question is open or after it": [
        ("A: which number can we ring you on", None),
        ("C: one second please", None),
        ("C: there are two lines, does it matter", None),
        ("A: not at all, your order of three boxes is on its way", None),
        ("C: two of them were broken", None),
        ("C: three", None),
        ("A: may i have your name", None),
        ("C: certainly", None),
        ("C: why do you need that", None),
        ("A: that is fine, we are open from nine to five", None),
        ("C: wonderful", None),
    ],
}


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_call(name: str) -> None:
    """A line without its masked form stays as it is."""
    script = Script()
    for line, masked in SCRIPTS[name]:
        assert script.say(line) == (line[3:] if masked is None else masked)


def test_the_placeholder_of_a_value_in_pieces_tells_the_whole_as_far_as_it_is_known() -> None:
    script = Script()
    script.say("A: which number can we ring you on")
    script.say("C: four one five")
    assert script.value("<PHONE_NUMBER_1>") == "four one five"
    script.say("C: and then five five five")
    assert script.value("<PHONE_NUMBER_1>") == "four one five five five five"
    script.say("A: so that is four one five")
    assert script.value("<PHONE_NUMBER_1>") == "four one five five five five"


def test_a_corrected_number_is_told_corrected() -> None:
    script = Script()
    for turn in ("A: tell me the account number", "C: eight one nine two", "C: double four", "C: no wait, double five"):
        script.say(turn)
    assert script.value("<BANK_ACCOUNT_1>") == "eight one nine two double five"


def test_the_same_turns_again_change_nothing() -> None:
    """A client that sends the whole history with every request gets the same masked history."""
    turns = ["A: tell me the card number", "C: four five three two", "C: one one eight zero", "C: nine nine"]
    script = Script()
    first = [script.say(turn) for turn in turns]
    whole = script.value("<CREDIT_CARD_1>")
    assert [script.say(turn) for turn in turns] == first
    assert script.value("<CREDIT_CARD_1>") == whole == "four five three two one one eight zero nine nine"


DIGIT = st.sampled_from(["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "double four", "7"])
PIECES = st.lists(st.lists(DIGIT, min_size=1, max_size=5).map(" ".join), min_size=1, max_size=5)


@given(PIECES, st.sampled_from(["tell me the card number", "your passport number please", "could you give me your phone number"]))
def test_however_an_answer_is_cut_it_is_masked_whole_and_told_whole(pieces: list[str], question: str) -> None:
    script = Script()
    script.say(f"A: {question}")
    said = [script.say(f"C: {piece}") for piece in pieces]
    assert len(set(said)) == 1
    assert re.fullmatch(r"<[A-Z_]+_1>", said[0])
    assert unmask(said[0], script.names.value).reveal() == " ".join(pieces)


@given(st.lists(st.tuples(st.sampled_from("AC"), st.text("abc 12,.<>_PERSON", max_size=20)), max_size=6))
def test_every_word_outside_the_values_comes_back_whatever_is_said(turns: list[tuple[str, str]]) -> None:
    """Masked again with what is known in the end, no placeholder is left without a value."""
    script = Script()
    for who, text in turns:
        masked = script.say(f"{who}: {text}")
        names = [Placeholder(name) for name in re.findall(r"<[A-Z_]+_\d+>", masked)]
        assert all(script.names.value(name) is not None for name in names)
