"""The demo's model: ``python -m gateway.demo.scripted_model --port 8089``. It follows a script and says so; it is not an AI.

A process of its own that speaks OpenAI's chat completions on 127.0.0.1, streaming and not, so that the demo's words really
leave the gateway and come back. It keeps nothing, unless ``--record FILE`` asks for every request as received: one JSON object
a line, in a file that only its owner can read.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import signal
import stat
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

from aiohttp import web

from gateway.demo.script import MODEL, OWNER, Answer, answer, arguments_text, pieces

MOST_BODY = 1 << 20
_PACE_S = 0.004
_CREATED = 1_763_683_200
"""The script's date: it has no clock."""


class ScriptedModel:
    """The HTTP side of the script."""

    def __init__(self, record: Path | None = None) -> None:
        self._record = record
        self._served = 0

    def application(self) -> web.Application:
        app = web.Application(client_max_size=MOST_BODY)
        app.router.add_get("/v1/models", self.models)
        app.router.add_post("/v1/chat/completions", self.chat)
        return app

    async def models(self, _request: web.Request) -> web.Response:
        return web.json_response(
            {"object": "list", "data": [{"id": MODEL, "object": "model", "created": _CREATED, "owned_by": OWNER}]}
        )

    async def chat(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        await self._remember(request, raw)
        try:
            body = json.loads(raw)
            messages = [message for message in body["messages"] if isinstance(message, dict)]
            tools = [str(tool["function"]["name"]) for tool in body.get("tools") or ()]
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            fault = {
                "message": "send messages, and tools as functions",
                "type": "invalid_request_error",
                "code": "invalid_request",
            }
            return web.json_response({"error": fault}, status=400)
        self._served += 1
        said = answer(messages, tools)
        name = f"chatcmpl-script-{self._served}"
        if not body.get("stream"):
            return web.json_response(_completion(name, said))
        return await _streamed(request, name, said, usage=bool((body.get("stream_options") or {}).get("include_usage")))

    async def _remember(self, request: web.Request, raw: bytes) -> None:
        if self._record is not None:
            await asyncio.to_thread(_append, self._record, dict(request.headers), raw)


def _append(file: Path, headers: Mapping[str, str], raw: bytes) -> None:
    shown = {name: "(present)" if name.lower() == "authorization" else value for name, value in headers.items()}
    line = json.dumps({"headers": shown, "body": raw.decode("utf-8", "replace")}, ensure_ascii=False) + "\n"
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(handle, "a", encoding="utf-8") as out:
        out.write(line)


def _completion(name: str, said: Answer) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": said.text or None}
    if said.tool:
        message["tool_calls"] = [_tool_call(name, said, arguments_text(said))]
    choice = {"index": 0, "message": message, "finish_reason": _finish(said)}
    return {
        "id": name,
        "object": "chat.completion",
        "created": _CREATED,
        "model": MODEL,
        "choices": [choice],
        "usage": _usage(said),
    }


async def _streamed(request: web.Request, name: str, said: Answer, *, usage: bool) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-store"})
    await response.prepare(request)
    # The caller may leave in the middle: then there is nobody to tell.
    with contextlib.suppress(ConnectionError):
        for delta in _deltas(name, said):
            await _send(response, name, [{"index": 0, "delta": delta, "finish_reason": None}])
            await asyncio.sleep(_PACE_S)
        await _send(response, name, [{"index": 0, "delta": {}, "finish_reason": _finish(said)}])
        if usage:
            await _send(response, name, [], usage=_usage(said))
        await response.write(b"data: [DONE]\n\n")
        await response.write_eof()
    return response


def _deltas(name: str, said: Answer) -> list[dict[str, Any]]:
    if not said.tool:
        return [{"role": "assistant", "content": ""}, *({"content": piece} for piece in pieces(said.text))]
    rest = ({"tool_calls": [{"index": 0, "function": {"arguments": piece}}]} for piece in pieces(arguments_text(said)))
    return [{"role": "assistant", "content": None, "tool_calls": [{"index": 0, **_tool_call(name, said, "")}]}, *rest]


def _tool_call(name: str, said: Answer, arguments: str) -> dict[str, Any]:
    return {"id": f"call-{name}", "type": "function", "function": {"name": said.tool, "arguments": arguments}}


def _finish(said: Answer) -> str:
    return "tool_calls" if said.tool else "stop"


def _usage(said: Answer) -> dict[str, int]:
    """A script counts no tokens: these are pieces, so that whoever adds them up sees a number."""
    count = len(pieces(said.text or arguments_text(said)))
    return {"prompt_tokens": 1, "completion_tokens": count, "total_tokens": count + 1}


async def _send(
    response: web.StreamResponse, name: str, choices: list[dict[str, Any]], usage: dict[str, int] | None = None
) -> None:
    chunk: dict[str, Any] = {
        "id": name,
        "object": "chat.completion.chunk",
        "created": _CREATED,
        "model": MODEL,
        "choices": choices,
    }
    if usage is not None:
        chunk["usage"] = usage
    await response.write(f"data: {json.dumps(chunk, ensure_ascii=False)}\n\n".encode())


@contextlib.asynccontextmanager
async def serving(port: int, *, record: Path | None = None) -> AsyncIterator[str]:
    """The script on 127.0.0.1 while the block lasts; gives its base URL. Port 0 takes a free one. Raises OSError."""
    runner = web.AppRunner(ScriptedModel(record).application(), access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", port)
        await site.start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    finally:
        await runner.cleanup()


async def serve(port: int, record: Path | None, *, until_stdin_closes: bool) -> None:
    """Serve until SIGTERM, SIGINT, or (if asked) the end of stdin: a parent that dies leaves no orphan."""
    loop, over = asyncio.get_running_loop(), asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, over.set)
    async with serving(port, record=record) as url:
        sys.stdout.write(f"{OWNER}, at {url}\n")
        sys.stdout.flush()
        if until_stdin_closes:
            await loop.connect_read_pipe(lambda: _UntilClosed(over), sys.stdin)
        await over.wait()


class _UntilClosed(asyncio.Protocol):
    def __init__(self, over: asyncio.Event) -> None:
        self._over = over

    def connection_lost(self, exc: Exception | None) -> None:
        self._over.set()


def _closes(stdin: int) -> bool:
    mode = os.fstat(stdin).st_mode
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m gateway.demo.scripted_model", description=f"{OWNER}. It listens on 127.0.0.1."
    )
    parser.add_argument("--port", type=int, default=8089, help="0 takes a free port and prints it (default: 8089)")
    parser.add_argument("--record", type=Path, metavar="FILE", help="keep every request as received, one JSON object a line")
    parser.add_argument(
        "--until-stdin-closes", action="store_true", help="end when stdin does, so that no parent leaves an orphan"
    )
    wanted = parser.parse_args()
    if wanted.until_stdin_closes and not _closes(sys.stdin.fileno()):
        parser.error("--until-stdin-closes needs a pipe on stdin")
    try:
        asyncio.run(serve(wanted.port, wanted.record, until_stdin_closes=wanted.until_stdin_closes))
    except (OSError, OverflowError) as error:
        why = getattr(error, "strerror", None) or "no such port"
        sys.stderr.write(f"port {wanted.port} of 127.0.0.1 cannot be used: {why}; choose another with --port\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
