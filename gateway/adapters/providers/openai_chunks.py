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

from gateway.ports import ChatDelta, ToolCall

MOST_TEXT = 256 * 1024
MOST_TOOL_CALLS = 32
MOST_ARGUMENTS = 64 * 1024


class ChunkBroken(ValueError):
    """A chunk that is not in the dialect, or beyond a bound."""


@dataclass(slots=True)
class _Parts:
    id: str = ""
    name: str = ""
    arguments: list[str] = field(default_factory=list)
    length: int = 0


class Assembler:
    """One streamed answer. ``take`` each event's data in order; ``whole`` says whether the answer has come to its end."""

    def __init__(self) -> None:
        self._calls: dict[int, _Parts] = {}
        self._text = 0
        self.whole = False
        """The model said that it has finished: by a finish reason, or by ``[DONE]``."""
        self.done = False
        """``[DONE]``: nothing follows."""

    def take(self, data: str) -> list[ChatDelta]:
        """What this event adds: text at once, tool calls when they are all there. Raises ChunkBroken."""
        if data.strip() == "[DONE]":
            self.whole = self.done = True
            return self._finished_calls()
        chunk = _object(data)
        if chunk.get("error") is not None:
            raise ChunkBroken("the processor reported an error in its stream")
        found = [part for choice in _list(chunk.get("choices")) for part in self._choice(choice)]
        usage = chunk.get("usage")
        if isinstance(usage, Mapping):
            prompt, completion = _count(usage.get("prompt_tokens")), _count(usage.get("completion_tokens"))
            if prompt or completion:
                found.append(ChatDelta(prompt_tokens=prompt, completion_tokens=completion))
        return found

    def _choice(self, choice: object) -> list[ChatDelta]:
        if not isinstance(choice, Mapping) or choice.get("index", 0) not in (0, None):
            return []
        found: list[ChatDelta] = []
        delta = choice.get("delta")
        if isinstance(delta, Mapping):
            # A refusal is the model's own way to say no: the caller must hear it too.
            texts = [text for key in ("content", "refusal") if (text := _text(delta.get(key)))]
            found.extend(ChatDelta(text=self._bounded(text)) for text in texts)
            for position, call in enumerate(_list(delta.get("tool_calls"))):
                self._call(position, call)
        if choice.get("finish_reason") is not None:
            self.whole = True
            found.extend(self._finished_calls())
        return found

    def _bounded(self, text: str) -> str:
        self._text += len(text)
        if self._text > MOST_TEXT:
            raise ChunkBroken("the answer is too long")
        return text

    def _call(self, position: int, call: object) -> None:
        if not isinstance(call, Mapping):
            raise ChunkBroken("a tool call is no object")
        index = call.get("index", position)
        if not isinstance(index, int) or not 0 <= index < MOST_TOOL_CALLS:
            raise ChunkBroken("too many tool calls")
        parts = self._calls.setdefault(index, _Parts())
        parts.id = parts.id or _text(call.get("id"))
        function = call.get("function")
        if isinstance(function, Mapping):
            parts.name = parts.name or _text(function.get("name"))
            piece = _text(function.get("arguments"))
            parts.length += len(piece)
            if parts.length > MOST_ARGUMENTS:
                raise ChunkBroken("a tool call is too long")
            parts.arguments.append(piece)

    def _finished_calls(self) -> list[ChatDelta]:
        if not self._calls:
            return []
        calls = tuple(_whole_call(index, parts) for index, parts in sorted(self._calls.items()))
        self._calls.clear()
        return [ChatDelta(tool_calls=calls)]


def _whole_call(index: int, parts: _Parts) -> ToolCall:
    arguments = "".join(parts.arguments).strip() or "{}"
    _object(arguments)
    if not parts.name:
        raise ChunkBroken("a tool call has no name")
    return ToolCall(id=parts.id or f"call_{index}", name=parts.name, arguments=arguments)


def _object(data: str) -> Mapping[str, Any]:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        raise ChunkBroken("not JSON") from None
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
