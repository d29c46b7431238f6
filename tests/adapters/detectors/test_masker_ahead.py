"""Masking as the caller speaks: interim words are read ahead, and change nothing but what is left to do at the end."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.adapters.detectors.masker import CallMasker
from gateway.errors import RedactionUnavailable, StoreUnavailable
from gateway.redaction.finders import find_all
from gateway.redaction.heard import Heard
from gateway.redaction.mask import Masked, Replacement
from gateway.tasks import TaskOwner
from gateway.values import Placeholder, Private, Span

CARD = "my card number is four five three two one one eight zero nine six six one two three four five"


class Rules:
    """The rules for speech, in this process and counted. ``fails``: what it cannot read. ``gate``: what opens before it reads."""

    def __init__(self, *, gate: asyncio.Event | None = None) -> None:
        self.read: list[str] = []
        self.fails: set[str] = set()
        self.replaced = 0
        self.begun = asyncio.Event()
        self._gate = gate

    @property
    def characters(self) -> int:
        return sum(map(len, self.read))

    async def detect(self, text: Private[str], *, language: str, previous: str = "") -> Sequence[Span]:
        said = text.reveal()
        self.read.append(said)
        self.begun.set()
        if self._gate is not None:
            await self._gate.wait()
        if said in self.fails:
            raise RedactionUnavailable("it cannot be read")
        return find_all(Heard.of(said, previous))

    async def replace(self, text: Private[str], replacements: Sequence[Replacement]) -> Private[str]:
        self.replaced += 1
        whole = text.reveal()
        for each in reversed(replacements):
            whole = whole[: each.start] + each.token + whole[each.end :]
        return Private(whole)


class Vault:
    def __init__(self) -> None:
        self.values: dict[Placeholder, Private[str]] = {}
        self.broken = False

    async def remember(self, values: Mapping[Placeholder, Private[str]]) -> None:
        if self.broken:
            raise StoreUnavailable("gone")
        self.values |= values

    async def recall(self) -> dict[Placeholder, Private[str]]:
        return dict(self.values)

    async def destroy(self) -> None:
        self.values.clear()


def masker(rules: Rules, vault: Vault | None = None, *, read_every_s: float = 0) -> CallMasker:
    return CallMasker(rules, vault or Vault(), read_every_s=read_every_s)


async def test_after_the_last_word_nothing_is_left_to_read() -> None:
    rules = Rules()
    call = masker(rules)
    await call.ahead(Private(CARD), previous="and your card?")
    read, replaced = len(rules.read), rules.replaced
    masked = await call.mask(Private(CARD), previous="and your card?")
    assert masked.text == "my card number is <CREDIT_CARD_1>"
    assert (len(rules.read), rules.replaced) == (read, replaced) == (1, 1)


async def test_what_was_only_read_ahead_leaves_no_trace() -> None:
    """No placeholder, nothing in the vault: a caller who went on has not said it."""
    vault = Vault()
    call = masker(Rules(), vault)
    await call.ahead(Private(CARD))
    assert vault.values == {}
    assert call.restore(Placeholder("<CREDIT_CARD_1>")) is None
    other = await call.mask(Private("my card number is 4111 1111 1111 1111"))
    assert other.text == "my card number is <CREDIT_CARD_1>"
    assert call.restore(Placeholder("<CREDIT_CARD_1>")) == Private("4111 1111 1111 1111") == vault.values["<CREDIT_CARD_1>"]  # type: ignore[index]


@pytest.mark.parametrize(
    ("interim", "previous"),
    [
        (CARD + " and", "and your card?"),
        (CARD[:-5], "and your card?"),
        (CARD, "anything else?"),
        (CARD.upper(), "and your card?"),
    ],
    ids=["more was said", "less was said", "another question", "other letters"],
)
async def test_what_is_not_the_very_same_turn_is_read_anew(interim: str, previous: str) -> None:
    rules = Rules()
    call = masker(rules)
    await call.ahead(Private(interim), previous=previous)
    masked = await call.mask(Private(CARD), previous="and your card?")
    assert masked.text == "my card number is <CREDIT_CARD_1>"
    assert rules.read == [interim, CARD]


async def test_an_interim_that_cannot_be_read_fails_nothing() -> None:
    rules = Rules()
    rules.fails = {CARD}
    call = masker(rules)
    await call.ahead(Private(CARD))
    rules.fails = set()
    assert (await call.mask(Private(CARD))).text == "my card number is <CREDIT_CARD_1>"


async def test_a_turn_that_cannot_be_read_is_refused_though_an_interim_could() -> None:
    rules = Rules()
    rules.fails = {CARD}
    call = masker(rules)
    await call.ahead(Private(CARD[:-5]))
    with pytest.raises(RedactionUnavailable):
        await call.mask(Private(CARD))


async def test_a_vault_that_is_gone_gives_no_text_though_it_was_read_ahead() -> None:
    vault = Vault()
    call = masker(Rules(), vault)
    await call.ahead(Private(CARD))
    vault.broken = True
    with pytest.raises(StoreUnavailable):
        await call.mask(Private(CARD))
    assert not call.is_masked("my card number is <CREDIT_CARD_1>")


async def test_the_mask_waits_for_a_reading_that_is_under_way() -> None:
    """It does not begin the same work once more."""
    gate = asyncio.Event()
    rules = Rules(gate=gate)
    call = masker(rules)
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        tasks.create_task(call.ahead(Private(CARD)))
        await rules.begun.wait()
        masked = tasks.create_task(call.mask(Private(CARD)))
        await asyncio.sleep(0)
        gate.set()
    assert masked.result().text == "my card number is <CREDIT_CARD_1>"
    assert rules.read == [CARD]


async def test_a_reading_that_is_given_up_is_made_up_for() -> None:
    gate = asyncio.Event()
    rules = Rules(gate=gate)
    call = masker(rules)
    async with asyncio.timeout(10), TaskOwner("test", on_failure=_never) as tasks:
        reading = tasks.start(call.ahead(Private(CARD)), name="interim")
        await rules.begun.wait()
        masked = tasks.start(call.mask(Private(CARD)), name="turn")
        await asyncio.sleep(0)
        reading.cancel()
        gate.set()
        assert (await masked).text == "my card number is <CREDIT_CARD_1>"
    assert rules.read == [CARD, CARD]


async def test_a_turn_of_the_agent_in_between_keeps_the_reading_but_not_the_plan() -> None:
    """The placeholder's number is decided by the order of the turns, not of the readings."""
    rules = Rules()
    call = masker(rules)
    await call.ahead(Private(CARD))
    await call.mask(Private("is it 4111 1111 1111 1111, your card number?"), from_model=True)
    read = len(rules.read)
    assert (await call.mask(Private(CARD))).text == "my card number is <CREDIT_CARD_2>"
    assert len(rules.read) == read


async def test_many_interims_cost_no_more_than_few() -> None:
    """The first is read at once, the others wait their time, and a newer one takes the older one's place."""
    rules = Rules()
    call = masker(rules, read_every_s=3_600)
    words = CARD.split()
    async with asyncio.timeout(10), TaskOwner("test", on_failure=_never) as tasks:
        reading: asyncio.Task[None] | None = None
        for size in range(1, len(words) + 1):
            if reading is not None:
                reading.cancel()
            reading = tasks.start(call.ahead(Private(" ".join(words[:size]))), name="interim")
            for _ in range(5):
                await asyncio.sleep(0)
        assert (await call.mask(Private(CARD))).text == "my card number is <CREDIT_CARD_1>"
    assert rules.read == ["my", CARD]


async def test_a_turn_costs_the_same_in_a_long_call() -> None:
    """One reading, of its own characters: history is never read again."""
    rules = Rules()
    call = masker(rules)
    costs = set()
    for number in range(100, 160):
        read, characters = len(rules.read), rules.characters
        said = f"my card number is 4111 1111 1111 {number:04}, and i was in room {number}"
        await call.ahead(Private(said))
        await call.mask(Private(said))
        costs.add((len(rules.read) - read, rules.characters - characters - len(said)))
    assert costs == {(1, 0)}


def _never(name: str, error: BaseException) -> None:
    raise AssertionError(name) from error


SAID = st.sampled_from(
    [
        "forty two", "fifty one eleven eighty", "my card number is forty two", "nine six six one", "uh one sec", "rowan",
        "my name is rowan fisher", "r o w a n", "my phone number is four one five five five five two six seven one", "no",
        "yes please", "<PERSON_1>", "it costs forty two dollars", "my email is rowan at gmail dot com", "sorry it's seven",
    ]
)  # fmt: skip
AGENTS = st.sampled_from(["", "go on", "what is your card number?", "can you spell your name?", "Thanks, <PERSON_1>. And then?"])
TURNS = st.lists(st.tuples(AGENTS, st.lists(SAID, min_size=1, max_size=3), st.lists(st.integers(1, 60), max_size=4)), max_size=6)


@settings(max_examples=60)
@given(turns=TURNS, broken=st.sets(st.integers(0, 20)))
def test_whatever_was_read_ahead_the_call_is_masked_the_same(
    turns: list[tuple[str, list[str], list[int]]], broken: set[int]
) -> None:
    """Every chunking of interims, with readings that fail among them: the same texts, values and history as without any."""

    async def run(*, interims: bool) -> tuple[list[Masked], list[str], dict[Placeholder, Private[str]]]:
        rules, vault = Rules(), Vault()
        call = masker(rules, vault)
        out = []
        for number, (agent, parts, cuts) in enumerate(turns):
            said = " ".join(parts)
            for cut in (*cuts, len(said)) if interims else ():
                rules.fails = {said[:cut]} if number in broken else set()
                await call.ahead(Private(said[:cut]), previous=agent)
            rules.fails = set()
            out.append(await call.mask(Private(said), previous=agent))
            if agent:
                out.append(await call.mask(Private(agent), from_model=True))
        return out, [call.current(each.text) for each in out], vault.values

    assert asyncio.run(run(interims=True)) == asyncio.run(run(interims=False))


DIGITS = st.text("0123456789", min_size=12, max_size=16)
LEADS, BETWEEN = st.sampled_from(["", "it's ", "yes "]), st.sampled_from(["", "go on", "okay, and then?"])


@settings(max_examples=60)
@given(number=DIGITS, cut=st.integers(2, 8), lead=LEADS, between=BETWEEN)
def test_no_part_of_a_number_is_in_any_later_request(number: str, cut: int, lead: str, between: str) -> None:
    """Also when its beginning went out before anybody could know what it was."""

    async def run() -> list[str]:
        call = masker(Rules())
        first = await call.mask(Private(lead + number[:cut]))
        agent = await call.mask(Private(between or "hm"), from_model=True)
        whole = await call.mask(Private(f"my card number is {number}"), previous=between)
        return [call.current(each.text) for each in (first, agent, whole)]

    for text in asyncio.run(run()):
        assert number not in text
        assert number[:cut] not in text
