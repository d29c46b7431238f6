"""What a later turn tells of an earlier one: the history as a model sees it in the next request."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.redaction.dialogue import Side
from gateway.redaction.history import History, Told, begins, read
from gateway.redaction.mask import Pseudonyms
from gateway.values import EntityType, MaskedText, Placeholder, Private, Span

_MARKED = re.compile(r"\[(?P<kind>[A-Z_]+) (?P<value>[^\]]+)\]")


class Call:
    """A call whose turns say themselves what is found in them: ``my card is [CREDIT_CARD 4251]``."""

    def __init__(self, **operators: str) -> None:
        self.names = Pseudonyms(operators)
        self.history = History()
        self.texts: list[MaskedText] = []
        self._asked = ""

    def turn(self, marked: str) -> None:
        who, marked = marked.split(": ", 1)
        side = {"caller": Side.CALLER, "agent": Side.AGENT, "tool": Side.NOBODY}[who]
        text, spans = _read(marked)
        plan = self.names.plan(Private(text), spans, ours=side is Side.AGENT)
        told = [
            Told(each.entity, each.token, self.names.value(Placeholder(each.token)) or Private(value), begins(text, each.start))
            for each, value in ((each, text[each.start : each.end]) for each in plan.replacements)
        ]
        masked = plan.apply(text)
        self.history.add(read(masked, side, before=self._asked if side is Side.CALLER else ""), told, self.names)
        self._asked = masked if side is Side.AGENT else self._asked
        self.texts.append(masked)

    def request(self) -> list[str]:
        return [self.history.current(text) for text in self.texts]


def _read(marked: str) -> tuple[str, list[Span]]:
    text, spans, at = "", [], 0
    for found in _MARKED.finditer(marked):
        text += marked[at : found.start()]
        spans.append(Span(len(text), len(text) + len(found["value"]), EntityType(found["kind"]), 0.9, "test"))
        text, at = text + found["value"], found.end()
    return text + marked[at:], spans


SCRIPTS = {
    "turns of the very same words are masked again as one": (
        [
            "caller: rowan fifty one eleven eighty",
            "caller: rowan fifty one eleven eighty",
            "caller: it's [ID_NUMBER fifty one eleven eighty]",
        ],
        ["rowan <ID_NUMBER_1>", "rowan <ID_NUMBER_1>", "it's <ID_NUMBER_1>"],
    ),
    "a number is told whole after its first pair": (
        ["caller: it's forty two", "agent: go on", "caller: my card is [CREDIT_CARD forty two fifty one eleven eighty]"],
        ["it's <CREDIT_CARD_1>", "go on", "my card is <CREDIT_CARD_1>"],
    ),
    "a number goes on where bare digits ended": (
        ["caller: forty two", "agent: okay, go on", "caller: [CREDIT_CARD fifty one eleven eighty]"],
        ["<CREDIT_CARD_1>", "okay, go on", "<CREDIT_CARD_1>"],
    ),
    "the agent has read a fragment back": (
        ["caller: forty two", "agent: 42, okay", "caller: [CREDIT_CARD fifty one eleven eighty]", "agent: so 42, and then?"],
        ["<CREDIT_CARD_1>", "<CREDIT_CARD_1>, okay", "<CREDIT_CARD_1>", "so <CREDIT_CARD_1>, and then?"],
    ),
    "a middle part of a number was said before": (
        ["caller: there is 1180 on it", "caller: my card is [CREDIT_CARD 4251 1180 9661]"],
        ["there is <CREDIT_CARD_1> on it", "my card is <CREDIT_CARD_1>"],
    ),
    "a short code was said before": (
        ["caller: 417", "caller: the security code is [CVV four one seven]"],
        ["<CVV_1>", "the security code is <CVV_1>"],
    ),
    "a name is spelled later": (
        ["caller: rowan here", "agent: Hello Rowan, how is that spelled?", "caller: [PERSON r o w a n]"],
        ["<PERSON_1> here", "Hello <PERSON_1>, how is that spelled?", "<PERSON_1>"],
    ),
    "a name is introduced later": (
        ["caller: ask rowan about it", "caller: i mean [PERSON Rowan Fisher]"],
        ["ask <PERSON_1> about it", "i mean <PERSON_1>"],
    ),
    "a tool tells who somebody is": (
        ["caller: rowan fisher calling", "tool: found [PERSON Rowan Fisher]"],
        ["<PERSON_1> <PERSON_1> calling", "found <PERSON_1>"],
    ),
    "a place, and an e-mail address's own part": (
        [
            "caller: i am in tarvin",
            "caller: jane dot doe",
            "caller: [LOCATION Tarvin], [EMAIL_ADDRESS jane dot doe at gmx dot net]",
        ],
        ["i am in <LOCATION_1>", "<EMAIL_ADDRESS_1>", "<LOCATION_1>, <EMAIL_ADDRESS_1>"],
    ),
    "a code, and a date": (
        [
            "caller: it is ab12 cde",
            "caller: march third 1980",
            "caller: [VEHICLE_PLATE a b 12 c d e], [DATE_OF_BIRTH March 3rd, 1980]",
        ],
        ["it is <VEHICLE_PLATE_1>", "<DATE_OF_BIRTH_1>", "<VEHICLE_PLATE_1>, <DATE_OF_BIRTH_1>"],
    ),
    "words between placeholders of the call are looked at, the placeholders are not": (
        ["caller: [PERSON Ann Lee] and rowan", "caller: [PERSON Rowan Fisher]"],
        ["<PERSON_1> and <PERSON_2>", "<PERSON_2>"],
    ),
    "a name stands in a turn twice, and was found once": (
        ["caller: rowan, i am [PERSON Rowan Fisher]"],
        ["<PERSON_1>, i am <PERSON_1>"],
    ),
    "an amount is not a fragment": (
        [
            "caller: forty two tickets",
            "caller: it was 4251 dollars",
            "caller: my card is [CREDIT_CARD forty two fifty one eleven]",
        ],
        ["forty two tickets", "it was 4251 dollars", "my card is <CREDIT_CARD_1>"],
    ),
    "another question lies between": (
        ["caller: forty two", "agent: and what is your account number?", "caller: [BANK_ACCOUNT fifty one eleven eighty]"],
        ["forty two", "and what is your account number?", "<BANK_ACCOUNT_1>"],
    ),
    "a number that is whole has no beginning elsewhere": (
        ["caller: forty two", "agent: okay", "caller: [PHONE_NUMBER 415 555 2671]"],
        ["forty two", "okay", "<PHONE_NUMBER_1>"],
    ),
    "a number that introduces itself begins anew": (
        ["caller: forty two", "agent: okay", "caller: my account is [BANK_ACCOUNT 51118]"],
        ["forty two", "okay", "my account is <BANK_ACCOUNT_1>"],
    ),
    "a common word of a name stays": (
        ["caller: will you call me", "caller: i am [PERSON Will Fisher]"],
        ["will you call me", "i am <PERSON_1>"],
    ),
}


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_history_is_masked_again_when(name: str) -> None:
    turns, seen = SCRIPTS[name]
    call = Call()
    for turn in turns:
        call.turn(turn)
    assert call.request() == seen


def test_a_value_that_grew_backwards_is_restored_whole() -> None:
    call = Call()
    for turn in ("caller: forty two", "caller: [CREDIT_CARD fifty one eleven eighty]"):
        call.turn(turn)
    assert call.names.value(Placeholder("<CREDIT_CARD_1>")) == Private("forty two fifty one eleven eighty")


@pytest.mark.parametrize(
    ("operator", "seen"), [("drop", "<CREDIT_CARD>"), ("category", "(card number)"), ("last4", "<CREDIT_CARD>"), ("keep", "4251")]
)
def test_the_tenants_operator_is_used_for_the_earlier_turn_too(operator: str, seen: str) -> None:
    call = Call(CREDIT_CARD=operator)
    call.turn("caller: 4251")
    call.turn("caller: my card is [CREDIT_CARD 4251 1180 9661]")
    assert call.request()[0] == seen


def test_the_last_four_digits_that_the_tenant_wants_told_stay() -> None:
    call = Call(CREDIT_CARD="last4")
    for _ in range(2):
        call.turn("caller: my card is [CREDIT_CARD 4251 1180 9661]")
    assert call.request() == ["my card is <CREDIT_CARD> ending 9661"] * 2


def test_a_message_that_joins_a_fragment_with_other_words_is_masked_too() -> None:
    """Two turns that became one message: the joined text is read after the turn that told."""
    call = Call()
    call.turn("caller: forty two")
    call.turn("caller: [CREDIT_CARD fifty one eleven eighty]")
    call.turn("agent: forty two <CREDIT_CARD_1>")
    assert call.request()[-1] == "<CREDIT_CARD_1> <CREDIT_CARD_1>"


def test_digits_that_the_agent_says_much_later_are_no_echo() -> None:
    call = Call()
    for turn in ("caller: forty two", "caller: [CREDIT_CARD fifty one eleven eighty]", *["agent: all right"] * 4):
        call.turn(turn)
    call.turn("agent: please go to gate 42")
    assert call.request()[-1] == "please go to gate 42"


def test_a_turn_looks_at_the_texts_that_hold_its_words_and_at_no_others() -> None:
    """However long the call: the cost of a turn is its own."""
    looked = []
    for length in (10, 1_000):
        call = Call()
        for number in range(length):
            call.turn(f"caller: i waited for {number + 100_000} and then went on")
        call.turn("caller: rowan here")
        call.turn("caller: i am [PERSON Rowan Fisher], card [CREDIT_CARD 4251 1180 9661]")
        looked.append(call.history.looked)
        call.turn("caller: [PERSON Rowan Fisher] again")
        looked.append(call.history.looked)
    assert looked == [1, 1, 1, 1]


WORDS = st.sampled_from(
    ["rowan", "Rowan's", "fisher", "forty two", "42", "4251", "1180", "go on", "yes", "and", "<PERSON_1>", "|", "é"]
)
VALUES = st.sampled_from(["[PERSON Rowan Fisher]", "[PERSON r o w a n]", "[CREDIT_CARD 42 51 11 80]", "[PIN 4251]", "yes"])
TURNS = st.lists(
    st.tuples(st.sampled_from(["caller", "agent", "tool"]), st.lists(WORDS | VALUES, min_size=1, max_size=5)), max_size=12
)


@given(TURNS)
def test_whatever_is_said_no_rare_word_of_a_known_name_stays(turns: list[tuple[str, list[str]]]) -> None:
    """And what is masked once is never unmasked again, and nothing of it raises."""
    call = Call()
    before: list[str] = []
    for who, words in turns:
        call.turn(f"{who}: {' '.join(words)}")
        request = call.request()
        for old, new in zip(before, request, strict=False):
            assert new.count("<") >= old.count("<")
        before = request
    known = " ".join(" ".join(words) for _, words in turns)
    last = max((at for at, (_, words) in enumerate(turns) if "[PERSON Rowan Fisher]" in words), default=-1)
    if "[PERSON Rowan Fisher]" in known:
        for text in before[: last + 1]:
            assert not re.search(r"rowan|fisher", text, re.IGNORECASE)
