"""The mask of one call: detect, resolve, name, replace, remember; and only then is there a masked text."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from typing import Protocol

from gateway.errors import RedactionUnavailable
from gateway.ports import CallVault, Detector
from gateway.redaction.dialogue import Dialogue, Side
from gateway.redaction.mask import Masked, Pseudonyms, Replacement
from gateway.redaction.spans import resolve
from gateway.values import Placeholder, Private, Span


class ReplacingDetector(Detector, Protocol):
    """A detector that can also put the tokens in their places."""

    async def replace(self, text: Private[str], replacements: Sequence[Replacement]) -> Private[str]: ...


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
    ) -> None:
        self._detector = detector
        self._vault = vault
        self._language = language
        self._names = Pseudonyms(operators, default=default)
        self._dialogue = Dialogue(self._names)
        self._ours: set[bytes] = set()
        self._turn = asyncio.Lock()
        self._last = ""
        self._previous = ""
        self._unsaved: dict[Placeholder, Private[str]] = {}

    async def mask(self, text: Private[str], *, previous: str = "", from_model: bool = False, said: bool = True) -> Masked:
        """The masked text. A text that this mask made comes back unchanged.

        ``previous`` is the other side's last turn, already masked: an answer is understood by its question. A number that the
        last text masked here ended with may go on in this one. With ``from_model``
        the text was written by a model that saw masked text only: the placeholders in it stay as they are. What was not ``said``
        by anybody (a tool's result, instructions) is no turn: it answers nothing, and nothing goes on in it.

        Raises:
            RedactionUnavailable: the detector did not answer, or two ways of masking do not agree.
            StoreUnavailable: the vault has not confirmed the new values.
        """
        async with self._turn:
            private = text.reveal()
            if self.is_masked(private):
                return Masked(self._names.verbatim(text), {}, {})
            found = await self._detect(text, f"{previous} {self._last}".strip() if said else "")
            side = Side.NOBODY if not said else Side.AGENT if from_model else Side.CALLER
            if side is Side.CALLER and previous != self._previous:
                self._previous = previous
                self._dialogue.asked(previous)
            found = self._dialogue.heard(private, found, side=side)
            plan = self._dialogue.plan(text, private, resolve(private, found), ours=from_model)
            masked = plan.apply(private)
            if plan.replacements:
                replaced = await self._detector.replace(text, plan.replacements)
                if replaced.reveal() != masked:
                    raise RedactionUnavailable("the anonymizer and the plan of the mask do not agree", hint="nothing was sent")
            # Names whose write failed before are written with the next text, so that no placeholder is ever without its value.
            self._unsaved.update(plan.new)
            if self._unsaved:
                await self._vault.remember(dict(self._unsaved))
                self._unsaved.clear()
            self._ours.add(_digest(masked))
            if said:
                self._last = masked if not from_model else ""
            return Masked(masked, plan.new, plan.counts)

    async def explain(self, text: Private[str], *, previous: str = "") -> tuple[Span, ...]:
        """What would be masked, by whom and why, without masking it. Raises RedactionUnavailable."""
        return resolve(text.reveal(), await self._detect(text, previous))

    async def _detect(self, text: Private[str], previous: str) -> Sequence[Span]:
        return await self._detector.detect(text, language=self._language, previous=previous)

    def is_masked(self, text: str) -> bool:
        """Whether this mask made exactly this text."""
        return _digest(text) in self._ours

    def restore(self, placeholder: Placeholder) -> Private[str] | None:
        """The value behind a placeholder of this call, or None."""
        return self._names.value(placeholder)


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
