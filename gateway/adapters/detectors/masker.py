"""The mask of one call: detect, resolve, name, replace, remember; and only then is there a masked text."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from gateway.errors import RedactionUnavailable
from gateway.ports import CallVault, Detector
from gateway.redaction import history
from gateway.redaction.dialogue import Dialogue, Side
from gateway.redaction.entities import LITERAL
from gateway.redaction.languages import LANGUAGES
from gateway.redaction.mask import Masked, Operator, Plan, Pseudonyms, Replacement
from gateway.redaction.placeholder import scanner
from gateway.redaction.spans import resolve
from gateway.redaction.standin import StandIns
from gateway.redaction.surrogate import Dressed, Surrogates
from gateway.redaction.written import written
from gateway.values import EntityType, MaskedText, Placeholder, Private, Span

_LONG = 400
READ_EVERY_S = 0.15
"""How often interim texts are read at most: a recogniser with many of them costs no more than one with few."""


class ReplacingDetector(Detector, Protocol):
    """A detector that can also put the tokens in their places."""

    async def replace(self, text: Private[str], replacements: Sequence[Replacement]) -> Private[str]: ...


@dataclass(frozen=True, slots=True)
class _Asked:
    """One text to mask, and all that decides what is found in it."""

    text: Private[str]
    context: str
    """What was said before, masked."""
    previous: str
    side: Side
    program: bool = False


@dataclass(slots=True)
class _Prepared:
    """What a text would become. Nothing of it counts before it is adopted."""

    version: int
    """The state of the call that it was planned on."""
    masked: MaskedText
    plan: Plan
    names: Pseudonyms
    dialogue: Dialogue
    told: tuple[history.Told, ...]
    entry: history.Text


@dataclass(slots=True)
class _Ahead:
    """An interim text that is being read, or was."""

    asked: _Asked
    done: asyncio.Event = field(default_factory=asyncio.Event)
    begun: bool = False
    found: Sequence[Span] | None = None
    ready: _Prepared | None = None


class CallMasker:
    """The ``Masker`` port for one call. ``operators``: kind of data to name of operator (``redaction.mask.Operator``).

    Texts are masked one after the other, in the order in which they come. Raises ValueError for an operator that there is not.
    """

    def __init__(
        self,
        detector: ReplacingDetector,
        vault: CallVault,
        *,
        operators: Mapping[str, str] | None = None,
        default: str = "pseudonym",
        language: str = "en",
        read_every_s: float = READ_EVERY_S,
    ) -> None:
        self._detector = detector
        self._vault = vault
        self._language = language
        # A language that nobody here hears is refused by the detector, which fails closed.
        heard = language if language.split("-")[0].lower() in LANGUAGES else "en"
        self._names = Pseudonyms(operators, default=default, language=heard)
        self._dialogue = Dialogue(self._names)
        self._surrogates = Surrogates(self.restore, os.urandom(32), self._names.spoken)
        self.dresses = Operator.SURROGATE.value in (default, *(operators or {}).values())
        """Whether ``dress`` may change anything at all."""
        self._history = history.History()
        self._version = 0
        self._ours: set[bytes] = set()
        self._turn = asyncio.Lock()
        self._last = ""
        self._previous = ""
        self._unsaved: dict[Placeholder, Private[str]] = {}
        self._read_every_s = read_every_s
        self._ahead: _Ahead | None = None
        self._read_at = float("-inf")

    async def mask(
        self,
        text: Private[str],
        *,
        previous: str = "",
        from_model: bool = False,
        said: bool = True,
        program: bool = False,
    ) -> Masked:
        """The masked text. A text that this mask made comes back unchanged.

        ``previous`` is the other side's last turn, already masked: an answer is understood by its question. A number that the
        last text masked here ended with may go on in this one. With ``from_model``
        the text was written by a model that saw masked text only: the placeholders in it stay as they are. What was not ``said``
        by anybody (a tool's result, instructions) is no turn: it answers nothing, and nothing goes on in it.
        With ``program`` it is what a programmer wrote (instructions, tools), where words look like names that are none.

        What ``ahead`` has read is not read again. What this text tells of earlier ones is ``current`` from now on.

        Raises:
            RedactionUnavailable: the detector did not answer, or two ways of masking do not agree.
            StoreUnavailable: the vault has not confirmed the new values.
        """
        async with self._turn:
            private = text.reveal()
            side = Side.NOBODY if not said else Side.AGENT if from_model else Side.CALLER
            # What a caller says is read every time: the same word may answer another question now.
            if side is not Side.CALLER and self.is_masked(private):
                return Masked(self._names.verbatim(text), {}, {})
            asked = self._asked(text, previous, side, program=program)
            ready = await self._read_ahead(asked) or await self._prepare(asked, await self._detect(asked.text, asked.context))
            return await self._adopt(asked, ready)

    async def holds(self, text: Private[str], kinds: frozenset[EntityType], *, previous: str = "") -> bool:
        """Whether ``mask`` would find one of these kinds in what a caller says now. Nothing counts and nothing is kept by it.

        The ``mask`` of the very same text has then nothing left to do. Raises RedactionUnavailable.
        """
        async with self._turn:
            asked = self._asked(text, previous, Side.CALLER)
            ready = await self._read_ahead(asked) or await self._prepare(asked, await self._detect(asked.text, asked.context))
            self._ahead = _Ahead(asked, begun=True, ready=ready)
            self._ahead.done.set()
            return not kinds.isdisjoint(EntityType(kind) for kind in ready.plan.counts)

    async def ahead(self, text: Private[str], *, previous: str = "") -> None:
        """Read what a caller has said so far. The ``mask`` of the very same text has then nothing left to do but to count it.

        Nothing is decided here: a text that is never masked leaves no trace, and a reading that is stale, cancelled or failed is
        as if it had not been. Cancel it when newer words come. Never raises for a detector that does not answer.
        """
        asked = self._asked(text, previous, Side.CALLER)
        if self._ahead is not None and self._ahead.asked == asked:
            return
        mine = self._ahead = _Ahead(asked)
        try:
            await asyncio.sleep(self._read_at + self._read_every_s - asyncio.get_running_loop().time())
            if self._ahead is mine:
                mine.begun = True
                self._read_at = asyncio.get_running_loop().time()
                mine.found = await self._detect(text, asked.context)
                mine.ready = await self._prepare(asked, mine.found)
        except RedactionUnavailable:
            return
        finally:
            mine.done.set()

    def recall(self, values: Mapping[Placeholder, Private[str]]) -> None:
        """Before the first text: go on with the values of this call that its vault holds."""
        self._names.recall(values)
        self._dialogue.recall(values)

    async def move_to(self, vault: CallVault) -> None:
        """Go on in another call with all that this one knows: every value is in its vault when this returns.

        Raises StoreUnavailable: then nothing has moved.
        """
        async with self._turn:
            await vault.remember(self._names.values)
            self._unsaved.clear()
            self._vault = vault

    def current(self, text: MaskedText) -> MaskedText:
        """A text that this mask made, as it is to be sent now: a later turn may have told that words in it were private."""
        return self._history.current(text)

    def _asked(self, text: Private[str], previous: str, side: Side, *, program: bool = False) -> _Asked:
        context = "" if side is Side.NOBODY else f"{previous} {self._last}".strip()
        return _Asked(text, context, previous, side, program)

    async def _read_ahead(self, asked: _Asked) -> _Prepared | None:
        """What was prepared for exactly this question, if the call has not changed since."""
        if asked.side is not Side.CALLER:
            return None
        early, self._ahead = self._ahead, None
        if early is None or not early.begun or early.asked != asked:
            return None
        await early.done.wait()
        if early.ready is not None and early.ready.version == self._version:
            return early.ready
        return await self._prepare(asked, early.found) if early.found is not None else None

    async def _prepare(self, asked: _Asked, found: Sequence[Span]) -> _Prepared:
        """Plan the mask on a copy of the call's state, and have the anonymizer agree with it."""
        private, version = asked.text.reveal(), self._version
        if asked.program:
            found = written(private, found)
        names = self._names.fork()
        dialogue = self._dialogue.fork(names)
        if asked.side is Side.CALLER and asked.previous != self._previous:
            dialogue.asked(asked.previous)
        await _breathe(private)
        found = dialogue.heard(private, found, side=asked.side)
        await _breathe(private)
        plan = dialogue.plan(asked.text, private, resolve(private, found), ours=asked.side is Side.AGENT)
        masked = plan.apply(private)
        if plan.replacements:
            replaced = await self._detector.replace(asked.text, plan.replacements)
            if replaced.reveal() != masked:
                raise RedactionUnavailable("the anonymizer and the plan of the mask do not agree", hint="nothing was sent")
        await _breathe(private)
        # A caller's turn is read behind the very question that the dialogue has read.
        goes_on = dialogue.quiet if asked.side is Side.CALLER else None
        entry = history.read(masked, asked.side, before=asked.previous, view=names.view, goes_on=goes_on)
        return _Prepared(version, masked, plan, names, dialogue, _told(private, plan, names), entry)

    async def _adopt(self, asked: _Asked, ready: _Prepared) -> Masked:
        """From here on it counts: placeholders, what the turn told of earlier ones, and the vault before the text."""
        self._version += 1
        self._names, self._dialogue = ready.names, ready.dialogue
        if asked.side is Side.CALLER:
            self._previous = asked.previous
        late = self._history.add(ready.entry, ready.told, self._names)
        for name, piece in late.preceded:
            self._dialogue.preceded(name, piece)
        new = {**ready.plan.new, **late.new}
        masked = self._history.current(ready.masked)
        # Names whose write failed before are written with the next text, so that no placeholder is ever without its value.
        self._unsaved.update(new)
        if self._unsaved:
            await self._vault.remember(dict(self._unsaved))
            self._unsaved.clear()
        self._ours.update(_digest(each) for each in (ready.masked, masked, *late.texts.values()))
        self._names.view.forget()
        if asked.side is not Side.NOBODY:
            self._last = masked if asked.side is Side.CALLER else ""
        return Masked(masked, new, ready.plan.counts)

    async def explain(self, text: Private[str], *, previous: str = "") -> tuple[Span, ...]:
        """What would be masked, by whom and why, without masking it. Raises RedactionUnavailable."""
        return resolve(text.reveal(), await self._detect(text, previous))

    async def unknown(self, text: MaskedText) -> tuple[Span, ...]:
        """Personal data that a model wrote of itself: what is found beside the placeholders, of kinds that the policy masks.

        Raises RedactionUnavailable.
        """
        found = written(text, await self._detect(Private(text), ""))
        ours = [(each.start, each.end) for each in scanner().all(text)]
        return tuple(
            span
            for span in resolve(text, found)
            if self._names.operator(span.entity) is not Operator.KEEP
            and not any(start < span.end and span.start < end for start, end in ours)
        )

    async def found(self, text: Private[str]) -> tuple[Span, ...]:
        """What would be masked in a text that nobody said. Nothing of it is remembered. Raises RedactionUnavailable."""
        private, found = text.reveal(), await self._detect(text, "")
        heard = self._dialogue.fork(self._names.fork()).heard(private, found, side=Side.NOBODY)
        return tuple(span for span in resolve(private, heard) if self._names.operator(span.entity) is not Operator.KEEP)

    def named(self, value: Private[str]) -> Placeholder | None:
        """The placeholder of a value of this call that is exactly this text, in whatever form it was said."""
        return self._names.named(value.reveal())

    async def _detect(self, text: Private[str], previous: str) -> Sequence[Span]:
        return await self._detector.detect(text, language=self._language, previous=previous)

    def is_masked(self, text: str) -> bool:
        """Whether this mask made exactly this text."""
        return _digest(text) in self._ours

    def dress(self, texts: Sequence[str]) -> Dressed:
        """The masked texts of one request, with stand-ins where the operator is ``surrogate``. Same contract as the port's."""
        if not self.dresses:
            return Dressed(tuple(MaskedText(text) for text in texts), StandIns())
        return self._surrogates.dress(texts, lambda kind: self._names.operator(kind) is Operator.SURROGATE)

    def restore(self, placeholder: Placeholder) -> Private[str] | None:
        """The value behind a placeholder of this call, or None."""
        return self._names.value(placeholder)


async def _breathe(text: str) -> None:
    """Between the steps of a long text everybody else gets a turn on the loop."""
    if len(text) > _LONG:
        await asyncio.sleep(0)


def _told(private: str, plan: Plan, names: Pseudonyms) -> tuple[history.Told, ...]:
    """The values that a turn told, each with all of it that the call knows."""
    told = []
    for each in plan.replacements:
        if each.entity != LITERAL:
            value = names.value(Placeholder(each.token))
            whole = value if value is not None else Private(private[each.start : each.end])
            told.append(history.Told(each.entity, each.token, whole, history.begins(private, each.start)))
    return tuple(told)


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
