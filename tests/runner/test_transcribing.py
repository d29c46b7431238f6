"""The scribe of a call as scripts: what it may keep, from when, until when, and what a later turn changes of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pytest

from gateway.adapters.stores.transcripts import TurnKept
from gateway.adapters.system import SystemClock
from gateway.errors import RedactionUnavailable, SordinoError, StoreUnavailable
from gateway.evidence.entries import Json
from gateway.policy.announcing import RECORDING
from gateway.policy.consent import How
from gateway.policy.recording import OnWithdrawal
from gateway.policy.transcripts import TRANSCRIPT, Transcripts
from gateway.runner.transcribing import ScribeParts, Transcriber
from gateway.values import MaskedText, Placeholder, Private

KEEP = Transcripts(enabled=True, on_withdrawal=OnWithdrawal.KEEP_UNTIL_THEN)
DELETE = Transcripts(enabled=True)
VALUES = {"<PERSON_1>": "Ada", "<CREDIT_CARD_1>": "4111"}


@dataclass(slots=True)
class Said:
    """A turn whose mask may come late."""

    text: str
    speaker: str = "caller"
    cut: bool = False
    masked: bool = True
    fails: bool = False

    def now(self) -> MaskedText | None:
        return MaskedText(self.text) if self.masked else None

    async def settle(self) -> MaskedText:
        if self.fails:
            raise RedactionUnavailable("gone")
        self.masked = True
        return MaskedText(self.text)

    def value(self, placeholder: Placeholder) -> Private[str] | None:
        return Private(VALUES[placeholder]) if placeholder in VALUES else None


@dataclass(slots=True)
class Paper:
    """A sheet in memory, and everything that the call did with it."""

    rules: Transcripts = DELETE
    holds: bool = True
    blind: bool = False
    fails: SordinoError | None = None
    turns: dict[int, TurnKept] = field(default_factory=dict)
    values: dict[Placeholder, Private[str]] = field(default_factory=dict)
    told: list[tuple[str, Mapping[str, Json]]] = field(default_factory=list)
    opened: int = 0
    gone: bool = False
    held: bool = False
    """By a legal hold."""
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    evidence: Mapping[str, Json] = field(default_factory=lambda: {"consent": "sha256:c", "purpose": RECORDING, "key_id": "k"})

    def scribe(self) -> Transcriber:
        return Transcriber(ScribeParts(self.rules, lambda: self.holds, lambda: self.blind, self.open, self.record, SystemClock()))

    async def open(self) -> Paper:
        self.opened += 1
        return self

    async def record(self, kind: str, body: Mapping[str, Json]) -> None:
        self.told.append((kind, body))
        self.changed.set()

    async def write(self, turns: Mapping[int, TurnKept], values: Mapping[Placeholder, Private[str]]) -> None:
        if self.fails is not None:
            raise self.fails
        self.turns.update(turns)
        self.values.update(values)
        self.changed.set()

    async def finish(self, turns: int) -> None:
        pass

    async def discard(self) -> None:
        self.gone = True
        self.turns.clear()
        self.values.clear()

    async def delete(self, why: str) -> bool:
        if not self.held:
            await self.discard()
        return not self.held

    async def until(self, true: Callable[[], bool]) -> None:
        async with asyncio.timeout(30):
            while not true():
                self.changed.clear()
                await self.changed.wait()

    @property
    def texts(self) -> list[str]:
        return [self.turns[number].text for number in sorted(self.turns)]

    @property
    def kinds(self) -> list[str]:
        return [kind for kind, _ in self.told]


async def test_turns_are_kept_in_their_order_with_what_stands_behind_them() -> None:
    paper = Paper()
    scribe = paper.scribe()
    scribe.add(Said("I am <PERSON_1>."))
    scribe.add(Said("Hello, <PERSON_1>.", "agent", cut=True))
    await scribe.finish()
    assert paper.texts == ["I am <PERSON_1>.", "Hello, <PERSON_1>."]
    assert [(turn.speaker, turn.cut) for turn in paper.turns.values()] == [("caller", False), ("agent", True)]
    assert paper.values == {Placeholder("<PERSON_1>"): Private("Ada")}
    assert paper.told == [("transcript.started", paper.evidence), ("transcript.stopped", {"why": "ended", "turns": 2})]


async def test_without_the_token_nothing_exists() -> None:
    paper = Paper(holds=False)
    scribe = paper.scribe()
    scribe.add(Said("I am <PERSON_1>."))
    await scribe.finish()
    assert (paper.opened, paper.told) == (0, [])


async def test_while_card_data_is_given_nothing_is_kept() -> None:
    paper = Paper(blind=True)
    scribe = paper.scribe()
    scribe.add(Said("four one one one"))
    paper.blind = False
    scribe.add(Said("Thank you."))
    await scribe.finish()
    assert paper.texts == ["Thank you."]


async def test_card_data_has_no_value_in_a_transcript() -> None:
    paper = Paper()
    scribe = paper.scribe()
    scribe.add(Said("<PERSON_1> pays with <CREDIT_CARD_1>."))
    await scribe.finish()
    assert set(paper.values) == {Placeholder("<PERSON_1>")}


async def test_what_a_later_turn_tells_changes_what_was_written() -> None:
    paper = Paper()
    scribe = paper.scribe()
    early = Said("It begins forty two.")
    scribe.add(early)
    await paper.until(lambda: paper.texts == ["It begins forty two."])
    early.text = "It begins <CREDIT_CARD_1>."
    scribe.add(Said("Go on."))
    await paper.until(lambda: len(paper.turns) == 2)
    assert paper.texts == ["It begins <CREDIT_CARD_1>.", "Go on."]
    await scribe.finish()


async def test_what_has_not_been_masked_waits_and_is_masked_when_the_call_is_over() -> None:
    paper = Paper()
    scribe = paper.scribe()
    scribe.add(Said("Hello."))
    scribe.add(last := Said("Goodbye, <PERSON_1>.", "agent", masked=False))
    await paper.until(lambda: len(paper.turns) == 1)
    assert not last.masked
    await scribe.finish()
    assert paper.texts == ["Hello.", "Goodbye, <PERSON_1>."]


async def test_what_cannot_be_masked_is_not_kept() -> None:
    paper = Paper()
    scribe = paper.scribe()
    scribe.add(Said("Hello."))
    scribe.add(Said("Goodbye, Ada.", "agent", masked=False, fails=True))
    await scribe.finish()
    assert paper.texts == ["Hello."]
    assert paper.told[-1] == ("transcript.stopped", {"why": "ended", "turns": 1})


@pytest.mark.parametrize("purpose", [RECORDING, TRANSCRIPT])
async def test_who_takes_the_agreement_back_has_it_deleted(purpose: str) -> None:
    paper = Paper()
    scribe = paper.scribe()
    scribe.add(Said("Hello."))
    await paper.until(lambda: bool(paper.turns))
    scribe.revoked(purpose, How.SPOKEN)
    scribe.add(Said("And more."))
    await scribe.finish()
    assert paper.gone
    assert paper.told[-1] == ("transcript.deleted", {"why": "withdrawn", "key_id": "k"})


async def test_taken_back_what_a_legal_hold_keeps_stays_and_the_evidence_says_so() -> None:
    paper = Paper(held=True)
    scribe = paper.scribe()
    scribe.add(Said("Hello."))
    await paper.until(lambda: bool(paper.turns))
    scribe.revoked(RECORDING, How.SPOKEN)
    scribe.add(Said("And more."))
    await scribe.finish()
    assert paper.texts == ["Hello."]
    assert paper.told[-1] == ("transcript.stopped", {"why": "withdrawn", "turns": 1, "held": True})


async def test_where_the_policy_keeps_what_was_said_until_then_it_is_still_masked_later() -> None:
    paper = Paper(rules=KEEP)
    scribe = paper.scribe()
    early = Said("It begins forty two.")
    scribe.add(early)
    await paper.until(lambda: bool(paper.turns))
    scribe.revoked(RECORDING, How.SPOKEN)
    early.text = "It begins <CREDIT_CARD_1>."
    scribe.add(Said("And more."))
    await scribe.finish()
    assert paper.texts == ["It begins <CREDIT_CARD_1>."]
    assert paper.told[-1] == ("transcript.stopped", {"why": "withdrawn", "turns": 1})


async def test_while_somebody_has_not_agreed_yet_nothing_is_kept_and_then_it_goes_on() -> None:
    paper = Paper()
    scribe = paper.scribe()
    scribe.add(Said("One."))
    paper.holds = False
    scribe.revoked(RECORDING, None)
    scribe.add(Said("Two."))
    paper.holds = True
    scribe.add(Said("Three."))
    await scribe.finish()
    assert paper.texts == ["One.", "Three."]


async def test_once_a_child_was_heard_not_even_what_waits_is_written() -> None:
    paper = Paper()
    scribe = paper.scribe()
    scribe.add(Said("Hello."))
    await paper.until(lambda: bool(paper.turns))
    scribe.add(Said("How old are you?", "agent", masked=False))
    scribe.stop("child")
    scribe.add(Said("And more."))
    await scribe.finish()
    assert paper.texts == ["Hello."]
    assert paper.told[-1] == ("transcript.stopped", {"why": "child", "turns": 1})


async def test_a_store_that_fails_ends_the_transcript_and_not_the_call() -> None:
    paper = Paper(fails=StoreUnavailable("gone"))
    scribe = paper.scribe()
    scribe.add(Said("Hello."))
    await paper.until(lambda: "transcript.failed" in paper.kinds)
    scribe.add(Said("And more."))
    await scribe.finish()
    assert paper.told[-1] == ("transcript.failed", {"code": "store_unavailable"})
    assert paper.turns == {}
