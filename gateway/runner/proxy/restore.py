"""A model's answer on its way back to the client: the caller's own values in place of the placeholders, as it streams."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from gateway.errors import InvalidRequest, UpstreamFailed
from gateway.ports import ChatDelta, ToolCall
from gateway.redaction.unmask import PlainBrackets, Restore, Unmasker, restore_json
from gateway.values import Placeholder, Private

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True)
class RestoredCall:
    """A tool call as the client's tool gets it: ``arguments`` is valid JSON with real values."""

    id: str
    name: str
    arguments: Private[str]


class RestoredDelta(NamedTuple):
    """One piece of an answer for the client."""

    choice: int = 0
    text: Private[str] | None = None
    refusal: bool = False
    calls: tuple[RestoredCall, ...] = ()
    finish: str = ""
    prompt_tokens: int = 0
    completion_tokens: int = 0


@dataclass(slots=True)
class Said:
    """What one choice has said in all, as the model wrote it and as the client got it."""

    masked: list[str] = field(default_factory=list)
    restored: list[Private[str]] = field(default_factory=list)
    calls: list[tuple[ToolCall, RestoredCall]] = field(default_factory=list)


class Restorer:
    """Takes an answer's deltas in order; gives what may be passed on at once. Then ``finish`` once."""

    def __init__(self, restore: Restore, *, in_json: bool, tool_names: Mapping[str, str]) -> None:
        """``in_json``: the text is JSON, so that what is put into it is escaped (RFC 8259 section 7)."""
        self._restore = restore
        self._in_json = in_json
        self._text = _escaped(restore) if in_json else restore
        self._brackets: dict[tuple[int, bool], PlainBrackets] = {}
        self._tool_names = tool_names
        self._calls = 0
        self._open: dict[tuple[int, bool], Unmasker] = {}
        self.said: dict[int, Said] = {}

    def feed(self, delta: ChatDelta) -> Iterable[RestoredDelta]:
        """What may be passed on now, in as few pieces as tell it.

        Raises UpstreamFailed for a tool call that cannot be read, once what was said before it is passed on.
        """
        if self._in_json:
            delta = self._with_brackets(delta)
        if not delta.text or delta.tool_calls or delta.finish or delta.prompt_tokens or delta.completion_tokens:
            return self._feed(delta)
        # Words alone: this runs for every token of every answer.
        choice, refusal = delta.choice, delta.refusal
        unmasker, said = self._open.get((choice, refusal)), self.said.get(choice)
        if unmasker is None or said is None:
            return self._feed(delta)
        said.masked.append(delta.text)
        text = unmasker.feed(delta.text)
        if not text:
            return ()
        said.restored.append(text)
        return (RestoredDelta(choice, text, refusal),)

    def _feed(self, delta: ChatDelta) -> Iterator[RestoredDelta]:
        said = self.said.setdefault(delta.choice, Said())
        ended = bool(delta.tool_calls or delta.finish)
        text = None
        if ended:
            # The other kind of text, where there is any, was said before this.
            yield from self._flush(delta.choice, refusal=not delta.refusal)
        if delta.text:
            said.masked.append(delta.text)
        if delta.text or ended:
            text = _kept(said, self._text_of(delta, ended=ended))
        try:
            calls = tuple([self._call(call) for call in delta.tool_calls])
        except UpstreamFailed:
            if text is not None:
                yield RestoredDelta(delta.choice, text, delta.refusal)
            raise
        said.calls += zip(delta.tool_calls, calls, strict=True)
        if text is not None or ended or delta.prompt_tokens or delta.completion_tokens:
            tokens = delta.prompt_tokens, delta.completion_tokens
            yield RestoredDelta(delta.choice, text, delta.refusal, calls, delta.finish, *tokens)

    def finish(self) -> Iterator[RestoredDelta]:
        """What was held back, once the answer has ended."""
        for (choice, refusal), brackets in sorted(self._brackets.items()):
            if rest := brackets.flush():
                yield from self._feed(ChatDelta(rest, choice=choice, refusal=refusal))
        for choice, refusal in sorted(self._open):
            yield from self._flush(choice, refusal=refusal)

    def _with_brackets(self, delta: ChatDelta) -> ChatDelta:
        """The same piece of JSON, in which every placeholder is written as one."""
        brackets = self._brackets.setdefault((delta.choice, delta.refusal), PlainBrackets())
        text = brackets.feed(delta.text)
        if delta.tool_calls or delta.finish:
            text += brackets.flush()
        return delta if text == delta.text else delta._replace(text=text)

    def _text_of(self, delta: ChatDelta, *, ended: bool) -> Private[str]:
        key = (delta.choice, delta.refusal)
        unmasker = self._open.pop(key, None) or Unmasker(self._text)
        if ended:
            return unmasker.flush(delta.text)
        self._open[key] = unmasker
        return unmasker.feed(delta.text)

    def _flush(self, choice: int, *, refusal: bool) -> Iterator[RestoredDelta]:
        unmasker = self._open.pop((choice, refusal), None)
        if unmasker is not None and (text := _kept(self.said[choice], unmasker.flush())) is not None:
            yield RestoredDelta(choice, text, refusal)

    def _call(self, call: ToolCall) -> RestoredCall:
        try:
            arguments = restore_json(call.arguments, self._restore)
        except InvalidRequest:
            raise UpstreamFailed("the model called a tool with arguments that are not JSON") from None
        self._calls += 1
        id_ = call.id if _ID.fullmatch(call.id) else f"call_{self._calls}"
        return RestoredCall(id_, self._tool_names.get(call.name, call.name), arguments)


def _kept(said: Said, text: Private[str]) -> Private[str] | None:
    if not text:
        return None
    said.restored.append(text)
    return text


def _escaped(restore: Restore) -> Restore:
    def escaped(name: Placeholder) -> Private[str] | None:
        value = restore(name)
        return None if value is None else value.map(lambda plain: json.dumps(plain, ensure_ascii=False)[1:-1])

    return escaped
