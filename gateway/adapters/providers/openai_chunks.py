"""OpenAI's chat completion chunks, put together. Knows no socket.

Source: https://platform.openai.com/docs/api-reference/chat-streaming. What is read leniently (an index or an id left out, a
whole tool call in one chunk, a ``null``) is what compatible servers are known to send; anything else that does not fit is
``ChunkBroken``, whose message holds nothing of the answer.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.adapters.providers.exchange import AnswerBroken
from gateway.ports import ChatDelta, ToolCall

_READ = json.JSONDecoder().raw_decode
MOST_TEXT = 256 * 1024
MOST_TOOL_CALLS = 32
MOST_CHOICES = 16
FINISHES = frozenset({"stop", "length", "tool_calls", "content_filter"})
MOST_ARGUMENTS = 64 * 1024


class ChunkBroken(AnswerBroken):
    """A chunk that is not in the dialect, or beyond a bound."""


@dataclass(slots=True)
class _Parts:
    id: str = ""
    name: str = ""
    arguments: list[str] = field(default_factory=list)
    length: int = 0


class Assembler:
    """One answer. ``take`` each event's data in order; ``whole`` says whether the answer has come to its end."""

    def __init__(self) -> None:
        self._calls: dict[tuple[int, int], _Parts] = {}
        self._text = 0
        self.whole = False
        """The model said that it has finished: by a finish reason, or by ``[DONE]``."""
        self.done = False
        """``[DONE]``: nothing follows."""

    def ends(self, data: str) -> bool:
        return data.strip() == "[DONE]"

    def take(self, data: str) -> list[ChatDelta]:
        """What this event adds: text at once, tool calls when they are all there. Raises ChunkBroken."""
        if self.ends(data):
            self.whole = self.done = True
            return self._finished_calls()
        return self._chunk(_object(data), "delta")

    def take_whole(self, body: str) -> list[ChatDelta]:
        """A completion that came at once (``chat.completion``). Raises ChunkBroken."""
        found = self._chunk(_object(body), "message")
        if not self.whole:
            raise ChunkBroken("the answer has no end")
        self.done = True
        return found

    def _chunk(self, chunk: Mapping[str, Any], where: str) -> list[ChatDelta]:
        if chunk.get("error") is not None:
            raise ChunkBroken("the processor reported an error in its answer")
        found: list[ChatDelta] = []
        choices = chunk.get("choices")
        for choice in choices if type(choices) is list else _list(choices):
            if isinstance(choice, dict):
                self._choice(choice, where, found)
        usage = chunk.get("usage")
        if usage is not None and isinstance(usage, dict):
            prompt, completion = _count(usage.get("prompt_tokens")), _count(usage.get("completion_tokens"))
            if prompt or completion:
                found.append(ChatDelta(prompt_tokens=prompt, completion_tokens=completion))
        return found

    def _choice(self, choice: Mapping[str, Any], where: str, found: list[ChatDelta]) -> None:
        """Adds to ``found`` what this choice says. Runs for every token of every answer."""
        number = choice.get("index", 0) or 0
        if not isinstance(number, int) or not 0 <= number < MOST_CHOICES:
            raise ChunkBroken("too many answers")
        delta = choice.get(where)
        if isinstance(delta, dict):
            get = delta.get
            if (text := get("content")) is not None and (text if type(text) is str else _text(text)):
                found.append(ChatDelta(self._bounded(text), choice=number))
            # A refusal is the model's own way to say no: the caller must hear it too.
            if (text := get("refusal")) is not None and _text(text):
                found.append(ChatDelta(self._bounded(text), choice=number, refusal=True))
            if (calls := get("tool_calls")) is not None:
                for position, call in enumerate(_list(calls)):
                    self._call(number, position, call)
        finish = choice.get("finish_reason")
        if finish is not None:
            self.whole = True
            found.extend(self._finished_calls(number))
            found.append(ChatDelta(choice=number, finish=finish if finish in FINISHES else "stop"))

    def _bounded(self, text: str) -> str:
        self._text += len(text)
        if self._text > MOST_TEXT:
            raise ChunkBroken("the answer is too long")
        return text

    def _call(self, number: int, position: int, call: object) -> None:
        if not isinstance(call, dict):
            raise ChunkBroken("a tool call is no object")
        index = call.get("index", position)
        if not isinstance(index, int) or not 0 <= index < MOST_TOOL_CALLS:
            raise ChunkBroken("too many tool calls")
        parts = self._calls.setdefault((number, index), _Parts())
        parts.id = parts.id or _text(call.get("id"))
        function = call.get("function")
        if isinstance(function, dict):
            parts.name = parts.name or _text(function.get("name"))
            piece = _text(function.get("arguments"))
            parts.length += len(piece)
            if parts.length > MOST_ARGUMENTS:
                raise ChunkBroken("a tool call is too long")
            parts.arguments.append(piece)

    def _finished_calls(self, number: int | None = None) -> list[ChatDelta]:
        """The tool calls of one choice, or of all."""
        found: list[ChatDelta] = []
        for choice in sorted({choice for choice, _ in self._calls if number in (None, choice)}):
            mine = sorted(
                ((index, parts) for (of, index), parts in self._calls.items() if of == choice), key=lambda each: each[0]
            )
            found.append(ChatDelta(tool_calls=tuple(_whole_call(index, parts) for index, parts in mine), choice=choice))
        self._calls = {key: parts for key, parts in self._calls.items() if number not in (None, key[0])}
        return found


def _whole_call(index: int, parts: _Parts) -> ToolCall:
    arguments = "".join(parts.arguments).strip() or "{}"
    _object(arguments)
    if not parts.name:
        raise ChunkBroken("a tool call has no name")
    return ToolCall(id=parts.id or f"call_{index}", name=parts.name, arguments=arguments)


def _object(data: str) -> Mapping[str, Any]:
    text = data.strip(" \t\n\r")
    try:
        value, end = _READ(text)
    except (ValueError, RecursionError):
        raise ChunkBroken("not JSON") from None
    if end != len(text):
        raise ChunkBroken("not JSON")
    if not isinstance(value, dict):
        raise ChunkBroken("not a JSON object")
    return value


def _list(value: object) -> list[object]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise ChunkBroken("a list was expected")
    return value


def _text(value: object) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ChunkBroken("a text was expected")
    return value


def _count(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 40 else 0
