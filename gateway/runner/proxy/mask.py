"""A client's request as a model may see it: every text of it masked, every name that could tell something replaced.

What was masked in an earlier request of the conversation is not read again: it is found by a digest of the text, of who said it
and of the question before it.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from gateway.errors import InvalidRequest
from gateway.ports import ChatMessage, ChatRequest, ToolCall, ToolSpec
from gateway.runner.proxy.beginning import Beginning, Digesting, without_calls
from gateway.runner.proxy.conversations import Conversation, Digest, Known
from gateway.runner.proxy.json_mask import JsonMask
from gateway.runner.proxy.json_text import DEEPEST, read_arguments, read_result
from gateway.runner.proxy.request import (
    ASSISTANT,
    DEVELOPER,
    SYSTEM,
    TOOL,
    USER,
    PlainCall,
    PlainMessage,
    PlainRequest,
    PlainTool,
)
from gateway.values import EntityType, MaskedText, Private

PIECE = 2_000
"""Longer texts are read in pieces of about this many characters, cut where a line ends."""
READ_AGAIN = 3
"""How many of the caller's last turns a gateway reads again that takes a conversation over."""
NOTHING = Private("")
_CUTS = re.compile(r"\n|[.!?] |(?<![\d-]) (?!\d)")
_STRUCTURE = frozenset(("type", "format", "$ref", "$schema"))
_IDENTIFIER = re.compile(r"\$?[a-z][A-Za-z_]{0,63}")
"""A field's name as a programmer writes it. Any other could be somebody's: ``Ann Lee``, ``ann@example.org``, ``4012888``."""
_TOOL_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(slots=True)
class MaskedRequest:
    """``masked``: how many private values of each kind stand masked in it; ``new``: how many of them were found now."""

    request: ChatRequest
    masked: Counter[EntityType]
    new: Counter[EntityType]
    tool_names: Mapping[str, str]
    """The name that a model knows a tool by, to the client's own, where they differ."""


@dataclass(slots=True)
class RequestMask:
    """Masks one request of a conversation. Use it once, while holding the conversation's ``turn``."""

    conversation: Conversation
    masked: Counter[EntityType] = field(default_factory=Counter)
    new: Counter[EntityType] = field(default_factory=Counter)
    _tools: dict[str, str] = field(default_factory=dict)
    _calls: dict[str, str] = field(default_factory=dict)
    _count: int = 0

    async def mask(self, request: PlainRequest) -> MaskedRequest:
        """The request as a model may see it.

        Raises:
            RedactionUnavailable, StoreUnavailable: then there is nothing that may be sent.
            ConversationMoved: another gateway was faster; open the conversation again.
        """
        asked = _questions(request.messages)
        await self._look_up(request, asked)
        messages = await self._messages(request.messages, asked)
        tools = tuple([await self._tool(tool) for tool in request.tools])
        options = request.options
        if request.stop or request.response_format is not None or options.tool_choice is not None:
            options = replace(
                options,
                stop=tuple([await self._text(text, TOOL) for text in request.stop]),
                response_format=await self._format(request),
                tool_choice=self._choice(options.tool_choice),
            )
        current = self.conversation.masker.current
        for place, masked in enumerate(messages):
            if (text := current(masked.text)) is not masked.text:
                messages[place] = replace(masked, text=text)
        whole = ChatRequest(tuple(messages), tools, request.temperature, options, request.stream)
        return MaskedRequest(
            whole, self.masked, self.new, {ours: theirs for theirs, ours in self._tools.items() if ours != theirs}
        )

    # --- what is known already ----------------------------------------------------------------------------------------

    async def _look_up(self, request: PlainRequest, asked: list[Private[str]]) -> None:
        """Ask the store once for what this gateway has not seen: only a conversation that it has just opened needs that.

        The caller's last turns are read again, so that the mask knows what was asked and which number is still being given.
        """
        conversation = self.conversation
        stored = conversation.stored
        if conversation.texts or not stored.head:
            return
        late = {id(message) for message in [each for each in request.messages if each.role == USER][-READ_AGAIN:]}
        wanted = [
            text_parts(message.role, before, message.text)
            for message, before in zip(request.messages, asked, strict=True)
            if id(message) not in late
        ]
        wanted += [call_parts(call.arguments) for message in request.messages for call in message.calls]
        named = {stored.digest(*parts): conversation.digest(*parts) for parts in wanted}
        found = await stored.texts(list(named))
        conversation.texts.update({named[digest]: read_known(kept) for digest, kept in found.items()})

    # --- parts of a request -------------------------------------------------------------------------------------------

    async def _messages(self, plain: tuple[PlainMessage, ...], asked: list[Private[str]]) -> list[ChatMessage]:
        """What the last request began with is taken as it was masked; the rest is read message by message."""
        conversation, alone = self.conversation, without_calls(plain)
        known, digesting = conversation.beginning, Digesting(conversation.digest("beginning"))
        if len(known.messages) > alone or digesting.add(plain[: len(known.messages)]) != known.digest:
            known, digesting = Beginning(), Digesting(conversation.digest("beginning"))
        messages, question = list(known.messages), known.question
        self.masked.update(known.counts)
        for place in range(len(messages), len(plain)):
            if place == alone:
                self._begins(digesting.add(plain[len(known.messages) : alone]), messages, question)
            done = await self._message(plain[place], asked[place], question)
            messages.append(done)
            question = done.text if plain[place].role == ASSISTANT else question
        if alone == len(plain):
            self._begins(digesting.add(plain[len(known.messages) :]), messages, question)
        return messages

    def _begins(self, digest: bytes, messages: list[ChatMessage], question: MaskedText) -> None:
        self.conversation.beginning = Beginning(digest, tuple(messages), self.masked.copy(), question)

    async def _message(self, message: PlainMessage, before: Private[str], question: MaskedText) -> ChatMessage:
        if message.role == TOOL:
            text = await self._result(message.text)
        else:
            text = await self._text(message.text, message.role, before, question if message.role == USER else "")
        calls = tuple([await self._call(call) for call in message.calls])
        answers = None if message.call_id is None else self._call_id(message.call_id, new=False)
        return ChatMessage(message.role, text, calls, answers)

    async def _call(self, call: PlainCall) -> ToolCall:
        parts = call_parts(call.arguments)
        known = self.conversation.known(parts)
        if known is None:
            had = self.masked.copy()
            known = Known(await self._written([call.arguments.map(read_arguments)]), self.masked - had)
            self.conversation.know(parts, known)
        elif known.counts:
            self.masked.update(known.counts)
        return ToolCall(self._call_id(call.id, new=True), await self._tool_name(call.name), known.text)

    async def _result(self, text: Private[str]) -> MaskedText:
        """What a tool gave back. JSON stays JSON, also line by line; what only looks like it is masked as text."""
        parts = text_parts(TOOL, NOTHING, text)
        lines = None if self.conversation.known(parts) else read_result(text)
        if lines is None:
            return await self._text(text, TOOL)
        had = self.masked.copy()
        try:
            known = Known(await self._written(lines), self.masked - had)
        except InvalidRequest:  # too deep to be walked
            return await self._text(text, TOOL)
        self.conversation.know(parts, known)
        return known.text

    def _call_id(self, theirs: str, *, new: bool) -> str:
        """A client may write anything into an id, so none of them goes out: the first call is ``call00001``, everywhere.

        An id that comes again names another call; a result belongs to the last one of its id.
        """
        if new or theirs not in self._calls:
            self._count += 1
            self._calls[theirs] = f"call{self._count:05d}"
        return self._calls[theirs]

    async def _tool(self, tool: PlainTool) -> ToolSpec:
        name = await self._tool_name(tool.name)
        description = await self._text(tool.description, SYSTEM)
        return ToolSpec(name, description, await self._schema(tool.parameters.map(dict)))

    async def _tool_name(self, theirs: str) -> str:
        ours = self._tools.get(theirs)
        if ours is None:
            words = re.sub("[_-]+", " ", theirs)
            harmless = _TOOL_NAME.fullmatch(theirs) and await self._text(Private(words), SYSTEM) == words
            ours = theirs if harmless else f"tool_{hashlib.sha256(words.encode('utf-8', 'surrogatepass')).hexdigest()[:10]}"
            self._tools[theirs] = ours
        return ours

    def _choice(self, choice: str | None) -> str | None:
        if choice is None or not choice.startswith("tool:"):
            return choice
        theirs = choice.removeprefix("tool:")
        if theirs not in self._tools:
            raise InvalidRequest("tool_choice names a tool that is not on offer")
        return f"tool:{self._tools[theirs]}"

    async def _format(self, request: PlainRequest) -> Mapping[str, object] | None:
        if request.response_format is None:
            return None
        return await self._schema(request.response_format.map(dict))

    # --- texts and JSON -----------------------------------------------------------------------------------------------

    async def _text(self, text: Private[str], role: str, before: Private[str] = NOTHING, question: str = "") -> MaskedText:
        """``before``: the question as the client has it, a part of the text's name; ``question``: as the model has it."""
        conversation = self.conversation
        if not text:
            return MaskedText("")
        parts = text_parts(role, before, text)
        known = conversation.known(parts)
        if known is None:
            had = self.masked.copy()
            pieces = [await self._mask(piece, role, question) for piece in _pieces(text)]
            known = Known(MaskedText("".join(pieces)), self.masked - had)
            conversation.know(parts, known)
        elif known.counts:
            self.masked.update(known.counts)
        return known.text

    async def _mask(self, text: Private[str], role: str, question: str) -> MaskedText:
        said = role in (USER, ASSISTANT)
        found = await self.conversation.masker.mask(
            text, previous=question, from_model=role == ASSISTANT, said=said, program=role in (SYSTEM, DEVELOPER)
        )
        self.new.update(found.counts)
        self.masked.update(found.counts)
        if role == USER and self.conversation.spoken is not None:
            self.conversation.spoken.hear(found, self.conversation.masker.restore)
        return found.text

    async def _schema(self, schema: Private[dict[str, Any]]) -> dict[str, Any]:
        """A schema is mostly words of programs: its texts are read at once, and one by one only where there is something."""
        together = Private("\n".join(_texts(schema.reveal())))
        if await self._text(together, SYSTEM) == together.reveal():
            return schema.reveal()
        return {name: await self._in_schema(name, item) for name, item in schema.reveal().items()}

    async def _in_schema(self, name: str, item: Any) -> Any:
        if isinstance(item, dict):
            return {
                below if _IDENTIFIER.fullmatch(below) else await self._text(Private(below), TOOL): await self._in_schema(
                    below, each
                )
                for below, each in item.items()
            }
        if isinstance(item, list):
            return [await self._in_schema(name, each) for each in item]
        if _is_program(name, item):
            return item
        return await self._json().value(Private(item))

    async def _written(self, lines: Sequence[Private[Any] | str]) -> MaskedText:
        """JSON, masked and written again. The whole of it is kept by its caller, so its parts need not be."""
        kept = set(self.conversation.unkept)
        written = await self._json().written(lines)
        for part in self.conversation.unkept.keys() - kept:
            del self.conversation.unkept[part]
        return written

    def _json(self) -> JsonMask:
        return JsonMask(lambda text: self._text(text, TOOL), self.conversation.masker)


def text_parts(role: str, before: Private[str], text: Private[str]) -> tuple[str, ...]:
    """What names a text in its conversation: who said what, after which question."""
    return "text", role, before.reveal() if role == USER else "", text.reveal()


def call_parts(arguments: Private[str]) -> tuple[str, ...]:
    """What names a tool call's arguments, however a client writes the same JSON."""
    return "call", _canonical(arguments.reveal())


def history_digest(digest: Digest, tenant: str, request: PlainRequest, messages: Sequence[PlainMessage]) -> bytes:
    """The name of a conversation that has none: all that was said in it, and all that was said to the model beside it."""
    said = [
        [each.role, each.text.reveal(), *(part for call in each.calls for part in (call.name, *call_parts(call.arguments)))]
        for each in messages
    ]
    beside = [[tool.name, tool.description.reveal(), tool.parameters.reveal()] for tool in request.tools]
    form = request.response_format.reveal() if request.response_format is not None else None
    return digest("history", tenant, json.dumps([said, beside, [each.reveal() for each in request.stop], form]))


def kept_form(known: Known) -> str:
    """As it is kept in the store. ``read_known`` reads it."""
    return json.dumps([dict(known.counts), known.text])


def read_known(kept: str) -> Known:
    """What ``kept_form`` has written."""
    counts, text = json.loads(kept)
    return Known(MaskedText(text), {EntityType(kind): int(count) for kind, count in counts.items()})


def _canonical(arguments: str) -> str:
    try:
        return json.dumps(json.loads(arguments), sort_keys=True, separators=(",", ":"))
    except (ValueError, RecursionError):
        return arguments


def _questions(messages: tuple[PlainMessage, ...]) -> list[Private[str]]:
    """For each message the assistant's last words before it."""
    out, last = [], NOTHING
    for role, text, _, _ in messages:
        out.append(last)
        if role == ASSISTANT:
            last = text
    return out


def _texts(value: Any, under: str = "", depth: int = 0) -> Iterator[str]:
    """Every name, text and number in a schema that is more than a word of a program."""
    if depth > DEEPEST:
        raise InvalidRequest("JSON in the request is nested too deeply", hint=f"at most {DEEPEST} levels")
    if isinstance(value, Mapping):
        for name, item in value.items():
            if not _IDENTIFIER.fullmatch(name):
                yield name
            yield from _texts(item, name, depth + 1)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item, under, depth + 1)
    elif isinstance(value, str | int | float) and not isinstance(value, bool) and not _is_program(under, value):
        yield str(value)


def _is_program(name: str, value: Any) -> bool:
    """Words that a schema consists of, and the names of its fields where they are asked for."""
    return isinstance(value, str) and (name in _STRUCTURE or (name == "required" and bool(_IDENTIFIER.fullmatch(value))))


def _pieces(text: Private[str]) -> list[Private[str]]:
    """The text in pieces that end with a line or a sentence, or where no digit stands; joined they are the text."""
    left, out = text.reveal(), []
    while len(left) > PIECE:
        ends = [match.end() for match in _CUTS.finditer(left, PIECE // 2, PIECE)]
        cut = max(ends, key=lambda end: (left[end - 1] == "\n", end), default=PIECE)
        out.append(Private(left[:cut]))
        left = left[cut:]
    return [*out, Private(left)] if left or not out else out
