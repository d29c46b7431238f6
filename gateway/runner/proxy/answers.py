"""A model's answer read before it is passed on, where the policy asks for it: personal data that nobody gave the model.

What the model was given came as placeholders, so whatever else looks like somebody's data it made up, or knows from elsewhere.
Sentence by sentence, since a name is told by the words around it: that is the delay which the policy has asked for.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any

from gateway.policy.fields import Unknown
from gateway.ports import ChatDelta, ToolCall
from gateway.redaction.entities import spoken_kind
from gateway.runner.proxy.conversations import ConversationMasker
from gateway.values import EntityType, MaskedText

LONGEST = 600
"""Longer without an end, a sentence is read up to its last space."""
_END = re.compile(r"[.!?…]+[\"')\]]*\s|\n")


@dataclass(slots=True)
class AnswerReader:
    """Takes an answer's deltas in order and gives them back clean. ``rule`` is not ``pass``.

    ``in_json``: the text is JSON, so nothing is left out of it; kinds stand in the place of values.
    """

    masker: ConversationMasker
    rule: Unknown
    in_json: bool = False
    found: Counter[EntityType] = field(default_factory=Counter)
    _waiting: dict[tuple[int, bool], str] = field(default_factory=dict)

    async def feed(self, delta: ChatDelta) -> list[ChatDelta]:
        """What may be passed on. Raises RedactionUnavailable: then nothing of the rest may be."""
        out: list[ChatDelta] = []
        if delta.text:
            where = (delta.choice, delta.refusal)
            whole, self._waiting[where] = _cut(self._waiting.get(where, "") + delta.text)
            out += await self._clean(whole, *where)
        if delta.tool_calls or delta.finish:
            out += await self._rest(delta.choice)
        if delta.tool_calls or delta.finish or delta.prompt_tokens or delta.completion_tokens:
            calls = tuple([replace(call, arguments=await self._arguments(call)) for call in delta.tool_calls])
            out.append(delta._replace(text="", tool_calls=calls))
        return out

    async def finish(self) -> list[ChatDelta]:
        """What waited for the end of its sentence, once the answer has ended."""
        return [each for choice in sorted({choice for choice, _ in self._waiting}) for each in await self._rest(choice)]

    async def _rest(self, choice: int) -> list[ChatDelta]:
        out: list[ChatDelta] = []
        for refusal in (False, True):
            out += await self._clean(self._waiting.pop((choice, refusal), ""), choice, refusal)
        return out

    async def _clean(self, text: str, choice: int, refusal: bool) -> list[ChatDelta]:
        pieces = [await self._sentence(each, drop=self.rule is Unknown.DROP and not self.in_json) for each in _sentences(text)]
        clean = "".join(pieces)
        return [ChatDelta(text=clean, choice=choice, refusal=refusal)] if clean else []

    async def _sentence(self, text: str, *, drop: bool) -> str:
        spans = await self.masker.unknown(MaskedText(text)) if text.strip() else ()
        self.found.update(span.entity for span in spans)
        if not spans:
            return text
        if drop:
            return ""
        out, at = [], 0
        for span in spans:
            out += [text[at : span.start], f"({spoken_kind(span.entity).removeprefix('your ').removeprefix('the ')})"]
            at = span.end
        return "".join([*out, text[at:]])

    async def _arguments(self, call: ToolCall) -> str:
        """A tool needs all of its arguments, so in them kinds stand in the place of values too."""
        try:
            value = json.loads(call.arguments)
        except (ValueError, RecursionError):
            return call.arguments
        clean = await self._value(value)
        return call.arguments if clean == value else json.dumps(clean, ensure_ascii=False)

    async def _value(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {name: await self._value(item) for name, item in value.items()}
        if isinstance(value, list):
            return [await self._value(item) for item in value]
        return await self._sentence(value, drop=False) if isinstance(value, str) else value


def _cut(text: str) -> tuple[str, str]:
    """The whole sentences at the beginning of a text, and the rest."""
    end = max((match.end() for match in _END.finditer(text)), default=0)
    if not end and len(text) > LONGEST:
        end = text.rfind(" ") + 1 or len(text)
    return text[:end], text[end:]


def _sentences(text: str) -> list[str]:
    out, at = [], 0
    for match in _END.finditer(text):
        out.append(text[at : match.end()])
        at = match.end()
    return [*out, text[at:]] if at < len(text) else out
