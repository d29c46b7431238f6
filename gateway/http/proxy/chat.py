"""``POST /v1/chat/completions``: OpenAI's wire format on the way out to the client, streamed and whole.

Source: https://platform.openai.com/docs/api-reference/chat/object and …/chat-streaming.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from json.encoder import encode_basestring
from typing import Any

from aiohttp import web

from gateway.errors import SordinoError, UpstreamFailed
from gateway.http.proxy.chat_in import ChatIn, read_chat
from gateway.http.proxy.door import MOST_ANSWER, Door, Request, code_of, facts, status_of
from gateway.runner.proxy.proxy import Answering
from gateway.runner.proxy.restore import RestoredCall, RestoredDelta

_TYPES = {400: "invalid_request_error", 401: "authentication_error", 403: "permission_error", 404: "invalid_request_error"}
_TYPES |= {413: "invalid_request_error", 429: "rate_limit_error"}

_ENCODE = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def chat_routes(door: Door) -> list[web.RouteDef]:
    """``/v1/chat/completions``, and the same at Azure's path, which names the model."""
    handler = door.path("chat", answer_chat, openai_error)
    return [
        web.post("/v1/chat/completions", handler),
        web.post("/openai/v1/chat/completions", handler),
        web.post("/openai/deployments/{model}/chat/completions", handler),
    ]


def openai_error(error: SordinoError, status: int) -> dict[str, Any]:
    """OpenAI's error object with our code, our hint and the reasons."""
    message = f"{error.message} ({error.hint})" if error.hint else error.message
    return {
        "error": {
            "message": message,
            "type": _TYPES.get(status, "server_error"),
            "param": None,
            "code": code_of(error),
            "sordino": {"reasons": list(error.reasons)},
        }
    }


async def answer_chat(request: Request) -> web.StreamResponse:
    chat = read_chat(await request.json(), request.http.match_info.get("model", ""))
    with request.while_connected():
        answering = await request.ask(chat.plain)
        async with aclosing(answering.deltas):
            headers = facts(answering, chat.dropped)
            shape = _Shape(answering, int(request.door.clock.now().timestamp()))
            if chat.plain.stream:
                return await _stream(request, answering, shape, chat, headers)
            return web.json_response(await _whole(answering, shape), headers=headers)


@dataclass(slots=True)
class _Shape:
    """What every object of one answer has in common."""

    answering: Answering
    created: int
    tokens: list[int] = field(default_factory=lambda: [0, 0])
    head: str = ""

    def object(self, kind: str, choices: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
        grant = self.answering.grant
        id_ = f"chatcmpl-{grant.id}"
        return {"id": id_, "object": kind, "created": self.created, "model": grant.model, "choices": choices, **more}

    def chunk(self, choices: Sequence[dict[str, Any]], **more: Any) -> bytes:
        """One event of a stream. What is the same in each of them is written once."""
        if not self.head:
            self.head = _ENCODE(self.object("chat.completion.chunk", []))[: -len('"choices":[]}')]
        return _framed(self.head + _ENCODE({"choices": choices, **more})[1:])

    def words(self, choice: int, text: str) -> bytes:
        """The commonest event, behind the first one: what ``chunk`` would make of these words."""
        content = f'{{"content":{encode_basestring(text)}}}'
        return _framed(f'{self.head}"choices":[{{"index":{choice},"delta":{content},"logprobs":null,"finish_reason":null}}]}}')

    def count(self, delta: RestoredDelta) -> None:
        self.tokens = [max(self.tokens[0], delta.prompt_tokens), max(self.tokens[1], delta.completion_tokens)]

    @property
    def usage(self) -> dict[str, int]:
        prompt, completion = self.tokens
        return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


@dataclass(slots=True)
class _Choice:
    text: list[str] = field(default_factory=list)
    refusal: list[str] = field(default_factory=list)
    calls: list[RestoredCall] = field(default_factory=list)
    finish: str = "stop"


async def _whole(answering: Answering, shape: _Shape) -> dict[str, Any]:
    choices: dict[int, _Choice] = {}
    size = 0
    async for deltas in answering.deltas:
        for delta in deltas:
            shape.count(delta)
            if not (delta.text or delta.calls or delta.finish):
                continue
            choice = choices.setdefault(delta.choice, _Choice())
            if delta.text:
                text = delta.text.reveal()
                size += len(text)
                if size > MOST_ANSWER:
                    raise UpstreamFailed(f"the answer of {answering.grant.processor} is too long")
                (choice.refusal if delta.refusal else choice.text).append(text)
            choice.calls += delta.calls
            choice.finish = delta.finish or choice.finish
    found = [_choice(number, choice) for number, choice in sorted(choices.items())]
    return shape.object("chat.completion", found, usage=shape.usage)


def _choice(number: int, choice: _Choice) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": "".join(choice.text) or None, "refusal": None}
    if choice.refusal:
        message["refusal"] = "".join(choice.refusal)
    elif message["content"] is None and not choice.calls:
        message["content"] = ""
    if choice.calls:
        message["tool_calls"] = [_call(call) for call in choice.calls]
    return {"index": number, "message": message, "logprobs": None, "finish_reason": choice.finish}


def _call(call: RestoredCall) -> dict[str, Any]:
    function = {"name": call.name, "arguments": call.arguments.reveal()}
    return {"id": call.id, "type": "function", "function": function}


async def _stream(
    request: Request, answering: Answering, shape: _Shape, chat: ChatIn, headers: dict[str, str]
) -> web.StreamResponse:
    response = web.StreamResponse(
        headers={**headers, "Content-Type": "text/event-stream; charset=utf-8", "X-Accel-Buffering": "no"}
    )
    await response.prepare(request.http)
    begun: set[int] = set()
    try:
        async for deltas in answering.deltas:
            events: list[bytes] = []
            for delta in deltas:
                if delta.choice in begun and (words := _words_alone(delta)):
                    events.append(shape.words(delta.choice, words))
                else:
                    events += _events(shape, delta, begun)
            if events:
                await response.write(b"".join(events))
        end = b"data: [DONE]\n\n"
        if chat.with_usage:
            end = shape.chunk([], usage=shape.usage) + end
    except SordinoError as error:
        # The answer has begun, so this is the only place to say that it is not whole: no finish reason and no [DONE] follow.
        end = _framed(_ENCODE(openai_error(error, status_of(error))))
    await response.write_eof(end)
    return response


def _words_alone(delta: RestoredDelta) -> str:
    """The text of a piece that is nothing more, as most of them are."""
    more = delta.refusal or delta.calls or delta.finish or delta.prompt_tokens or delta.completion_tokens
    return "" if more or delta.text is None else delta.text.reveal()


def _events(shape: _Shape, delta: RestoredDelta, begun: set[int]) -> Iterable[bytes]:
    def chunk(content: dict[str, Any], finish: str | None = None) -> bytes:
        if delta.choice not in begun:
            begun.add(delta.choice)
            content = {"role": "assistant", **({} if "content" in content else {"content": ""}), **content}
        choice = {"index": delta.choice, "delta": content, "logprobs": None, "finish_reason": finish}
        return shape.chunk([choice])

    shape.count(delta)
    if delta.text:
        yield chunk({"refusal" if delta.refusal else "content": delta.text.reveal()})
    if delta.calls:
        yield chunk({"tool_calls": [{"index": index, **_call(call)} for index, call in enumerate(delta.calls)]})
    if delta.finish:
        yield chunk({}, delta.finish)


def _framed(data: str) -> bytes:
    return b"data: " + data.encode("utf-8", "replace") + b"\n\n"
