"""A model behind the proxy: it speaks OpenAI's protocol, keeps every byte that it got, and misbehaves when told to."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

PLACEHOLDER = re.compile(r"<[A-Z][A-Z_]*_\d+>")
Answer = Callable[["Model", web.Request, dict[str, Any]], Awaitable[web.StreamResponse]]


def placeholders(body: dict[str, Any]) -> list[str]:
    """Every placeholder in the messages, each once, in order."""
    return list(dict.fromkeys(PLACEHOLDER.findall(json.dumps(body["messages"], ensure_ascii=False))))


def echo(body: dict[str, Any]) -> str:
    """The answer of a model that repeats all it was told about people."""
    return "I have noted " + ", ".join(placeholders(body)) + "." if placeholders(body) else "Hello there."


@dataclass(slots=True)
class Model:
    """``says`` makes the words of an answer; ``script`` replaces the whole way of answering."""

    url: str = ""
    says: Callable[[dict[str, Any]], str] = echo
    script: Answer | None = None
    calls: list[dict[str, Any]] | None = None
    """Tool calls to answer with: ``{"name", "arguments"}``; placeholders in them are the model's."""
    piece: int = 3
    """How many characters a chunk holds."""
    raw: list[bytes] = field(default_factory=list)
    heads: list[dict[str, str]] = field(default_factory=list)
    hung_up: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def record(self) -> bytes:
        """Every byte that came in: heads and bodies."""
        return json.dumps(self.heads).encode() + b"\n" + b"\n".join(self.raw)

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(raw) for raw in self.raw]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        # Without the port, which may be anybody's ZIP code.
        self.heads.append({"path": request.path_qs, **{name: each for name, each in request.headers.items() if name != "Host"}})
        self.raw.append(await request.read())
        body = self.bodies[-1]
        if self.script is not None:
            return await self.script(self, request, body)
        return await self.answer(request, body)

    async def answer(self, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        count = body.get("n", 1)
        usage = {"prompt_tokens": 12, "completion_tokens": 7, "total_tokens": 19}
        if not body.get("stream"):
            choices = [
                {"index": n, "message": self._message(body), "finish_reason": "tool_calls" if self.calls else "stop"}
                for n in range(count)
            ]
            return web.json_response({"id": "x", "object": "chat.completion", "choices": choices, "usage": usage})
        response = await begin(request)
        for n in range(count):
            for delta in self._deltas(body):
                await response.write(chunk(delta, n))
            await response.write(chunk({}, n, "tool_calls" if self.calls else "stop"))
        await response.write(event({"choices": [], "usage": usage}))
        await response.write(b"data: [DONE]\n\n")
        return response

    def _message(self, body: dict[str, Any]) -> dict[str, Any]:
        if self.calls is None:
            return {"role": "assistant", "content": self.says(body)}
        return {"role": "assistant", "content": None, "tool_calls": [_call(n, each) for n, each in enumerate(self.calls)]}

    def _deltas(self, body: dict[str, Any]) -> list[dict[str, Any]]:
        if self.calls is None:
            text = self.says(body)
            return [{"content": text[at : at + self.piece]} for at in range(0, len(text), self.piece)]
        deltas: list[dict[str, Any]] = []
        for index, each in enumerate(self.calls):
            whole = _call(index, each)
            arguments = whole["function"]["arguments"]
            deltas.append({"tool_calls": [{**whole, "index": index, "function": {**whole["function"], "arguments": ""}}]})
            deltas += [
                {"tool_calls": [{"index": index, "function": {"arguments": arguments[at : at + self.piece]}}]}
                for at in range(0, len(arguments), self.piece)
            ]
        return deltas


def _call(number: int, each: dict[str, Any]) -> dict[str, Any]:
    arguments = each["arguments"] if isinstance(each["arguments"], str) else json.dumps(each["arguments"])
    return {"id": f"up{number:07d}", "type": "function", "function": {"name": each["name"], "arguments": arguments}}


async def begin(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    return response


def chunk(delta: dict[str, Any], n: int = 0, finish: str | None = None) -> bytes:
    return event({"choices": [{"index": n, "delta": delta, "finish_reason": finish}]})


def event(data: Any) -> bytes:
    return f"data: {json.dumps(data)}\n\n".encode()


@asynccontextmanager
async def a_model(**changes: Any) -> AsyncIterator[Model]:
    """Serves at ``model.url`` (an OpenAI base URL) on loopback."""
    model = Model(**changes)
    app = web.Application(client_max_size=16 << 20)
    app.router.add_route("*", "/{path:.*}", model.handle)
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    assert site._server is not None
    port = site._server.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
    model.url = f"http://127.0.0.1:{port}/v1"
    try:
        yield model
    finally:
        await runner.cleanup()
