"""Anthropic's message events, put together. Knows no socket.

Source: https://docs.anthropic.com/en/docs/build-with-claude/streaming. Events and blocks that we do not know are passed over, as
that page asks; what is known and does not fit is ``AnswerBroken``, whose message holds nothing of the answer.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.adapters.providers.exchange import AnswerBroken
from gateway.ports import ChatDelta, ToolCall

MOST_TEXT = 256 * 1024
MOST_CALLS = 32
MOST_ARGUMENTS = 64 * 1024
FINISHES = {"max_tokens": "length", "tool_use": "tool_calls", "refusal": "content_filter"}
"""Their reason to stop in our words; any other is ``stop``."""


@dataclass(slots=True)
class _Call:
    id: str
    name: str
    whole: Any
    pieces: list[str] = field(default_factory=list)
    length: int = 0


class MessageReader:
    """One answer (``gateway.adapters.providers.exchange.Reader``)."""

    def __init__(self) -> None:
        self._calls: dict[int, _Call] = {}
        self._text = 0
        self._prompt = 0
        self._completion = 0
        self._finish = ""
        self.whole = False
        self.done = False

    def ends(self, data: str) -> bool:
        return data.replace(" ", "") == '{"type":"message_stop"}'

    def take(self, data: str) -> list[ChatDelta]:
        """What this event adds: text at once, tool calls when the message has ended."""
        event = _object(data)
        match event.get("type"):
            case "message_start":
                self._count(_mapping(event.get("message")).get("usage"))
            case "content_block_start":
                return self._begin(_index(event), _mapping(event.get("content_block")))
            case "content_block_delta":
                return self._go_on(_index(event), _mapping(event.get("delta")))
            case "message_delta":
                self._count(event.get("usage"))
                reason = _mapping(event.get("delta")).get("stop_reason")
                if reason is not None:
                    self._finish = FINISHES.get(str(reason), "stop")
            case "message_stop":
                self.whole = self.done = True
                return self._end()
            case "error":
                raise AnswerBroken("the processor reported an error in its answer")
        return []

    def take_whole(self, body: str) -> list[ChatDelta]:
        """A message that came at once."""
        message = _object(body)
        if message.get("type") != "message" or not isinstance(message.get("content"), list):
            raise AnswerBroken("this is no message")
        found: list[ChatDelta] = []
        for index, block in enumerate(message["content"]):
            found += self._begin(index, _mapping(block))
        self._count(message.get("usage"))
        self._finish = FINISHES.get(str(message.get("stop_reason")), "stop")
        self.whole = self.done = True
        return [*found, *self._end()]

    def _begin(self, index: int, block: Mapping[str, Any]) -> list[ChatDelta]:
        if block.get("type") == "tool_use":
            if len(self._calls) >= MOST_CALLS:
                raise AnswerBroken("too many tool calls")
            self._calls[index] = _Call(_text(block.get("id")), _text(block.get("name")), block.get("input"))
            return []
        return self._said(_text(block.get("text"))) if block.get("type") == "text" else []

    def _go_on(self, index: int, delta: Mapping[str, Any]) -> list[ChatDelta]:
        if delta.get("type") == "text_delta":
            return self._said(_text(delta.get("text")))
        if delta.get("type") == "input_json_delta":
            call = self._calls.get(index)
            if call is None:
                raise AnswerBroken("a piece of a tool call that has not begun")
            piece = _text(delta.get("partial_json"))
            call.length += len(piece)
            if call.length > MOST_ARGUMENTS:
                raise AnswerBroken("a tool call is too long")
            call.pieces.append(piece)
        return []

    def _said(self, text: str) -> list[ChatDelta]:
        self._text += len(text)
        if self._text > MOST_TEXT:
            raise AnswerBroken("the answer is too long")
        return [ChatDelta(text=text)] if text else []

    def _end(self) -> list[ChatDelta]:
        calls = tuple(_whole_call(call) for _, call in sorted(self._calls.items()))
        found = [ChatDelta(tool_calls=calls)] if calls else []
        found.append(ChatDelta(finish=self._finish or "stop"))
        if self._prompt or self._completion:
            found.append(ChatDelta(prompt_tokens=self._prompt, completion_tokens=self._completion))
        return found

    def _count(self, usage: object) -> None:
        if isinstance(usage, Mapping):
            names = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
            self._prompt = max(self._prompt, sum(_number(usage.get(name)) for name in names))
            self._completion = max(self._completion, _number(usage.get("output_tokens")))


def _whole_call(call: _Call) -> ToolCall:
    arguments = "".join(call.pieces).strip() or json.dumps(call.whole if isinstance(call.whole, dict) else {})
    _object(arguments)
    if not call.name:
        raise AnswerBroken("a tool call has no name")
    return ToolCall(call.id, call.name, arguments)


def _object(data: str) -> Mapping[str, Any]:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        raise AnswerBroken("not JSON") from None
    if not isinstance(value, dict):
        raise AnswerBroken("not a JSON object")
    return value


def _mapping(value: object) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise AnswerBroken("an object was expected")
    return value


def _index(event: Mapping[str, Any]) -> int:
    index = event.get("index")
    if not isinstance(index, int) or not 0 <= index < 1_000:
        raise AnswerBroken("a block has no place")
    return index


def _text(value: object) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise AnswerBroken("a text was expected")
    return value


def _number(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 40 else 0
