"""The demo's model as a process: any OpenAI client can talk to it, and it leaves no orphan."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import stat
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from openai import AsyncOpenAI

from gateway.adapters.providers.openai import OpenAIChat
from gateway.adapters.providers.outbound import outbound_session
from gateway.demo.script import MODEL
from gateway.demo.scripted_model import MOST_BODY, serving
from gateway.ports import ChatDelta, ChatMessage, ChatRequest, ToolCall, ToolSpec
from gateway.values import MaskedText, Private
from tests.adapters.providers.grants import llm_grant

ROOT = Path(__file__).parents[2]
CONFIRM: Any = {
    "type": "function",
    "function": {"name": "send_confirmation", "description": "", "parameters": {"type": "object"}},
}


class NoKeys:
    def read(self, name: str) -> Private[str]:
        raise AssertionError(f"no key is needed, not {name}")


@contextlib.asynccontextmanager
async def client() -> AsyncIterator[AsyncOpenAI]:
    async with serving(0) as url, AsyncOpenAI(base_url=url, api_key="none", max_retries=0) as openai:
        yield openai


async def test_it_says_honestly_what_it_is() -> None:
    async with client() as openai:
        (model,) = (await openai.models.list()).data
    assert (model.id, model.owned_by) == (MODEL, "sordino-scripted-demo: a script, not an AI")


async def test_openais_own_client_gets_an_answer() -> None:
    async with client() as openai:
        whole = await openai.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": "I am <PERSON_1>."}])
    assert whole.choices[0].message.content == "Thank you, <PERSON_1>. What card number would you like to use?"
    assert whole.choices[0].finish_reason == "stop"


async def test_openais_own_client_gets_a_stream_that_splits_placeholders() -> None:
    async with client() as openai:
        stream = await openai.chat.completions.create(
            model=MODEL, messages=[{"role": "user", "content": "I am <PERSON_1>."}], stream=True
        )
        texts = [chunk.choices[0].delta.content or "" async for chunk in stream]
    assert "".join(texts) == "Thank you, <PERSON_1>. What card number would you like to use?"
    assert not any("<PERSON_1>" in text for text in texts)


async def test_openais_own_client_gets_a_tool_call() -> None:
    async with client() as openai:
        whole = await openai.chat.completions.create(
            model=MODEL, messages=[{"role": "user", "content": "It is <EMAIL_ADDRESS_1>."}], tools=[CONFIRM]
        )
    (call,) = whole.choices[0].message.tool_calls or []
    assert call.type == "function"
    assert json.loads(call.function.arguments) == {"email": "<EMAIL_ADDRESS_1>"}
    assert whole.choices[0].finish_reason == "tool_calls"


async def test_our_own_dialect_gets_words_tool_calls_and_counts() -> None:
    request = ChatRequest(
        (ChatMessage("user", MaskedText("It is <EMAIL_ADDRESS_1>.")),),
        tools=(ToolSpec("send_confirmation", "", {"type": "object"}),),
    )
    async with serving(0) as url, outbound_session() as session:
        chat = OpenAIChat(session, NoKeys())
        asked = [delta async for delta in chat.stream(llm_grant(url, model=MODEL), request)]
        said = [delta async for delta in chat.stream(llm_grant(url, model=MODEL), ChatRequest(request.messages))]
    (call,) = [call for delta in asked for call in delta.tool_calls]
    assert isinstance(call, ToolCall)
    assert (call.name, call.arguments) == ("send_confirmation", '{"email": "<EMAIL_ADDRESS_1>"}')
    assert sum(delta.completion_tokens for delta in asked) > 0
    assert "".join(delta.text for delta in said) == "I have noted <EMAIL_ADDRESS_1>. Goodbye."
    assert isinstance(said[-1], ChatDelta)


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"messages": 1}', b'{"messages": [], "tools": [1]}', b"[" * 5000, b"\xff"])
async def test_what_is_no_request_gets_an_error_of_the_dialect(body: bytes) -> None:
    async with serving(0) as url, outbound_session() as session, session.post(f"{url}/chat/completions", data=body) as response:
        assert response.status == 400
        assert (await response.json())["error"]["code"] == "invalid_request"


async def test_a_request_that_is_too_large_is_refused() -> None:
    body = b" " * (MOST_BODY + 1)
    async with serving(0) as url, outbound_session() as session, session.post(f"{url}/chat/completions", data=body) as response:
        assert response.status == 413


async def test_every_request_is_recorded_as_received_when_asked_without_the_key(tmp_path: Path) -> None:
    file = tmp_path / "record.jsonl"
    body = {"messages": [{"role": "user", "content": "I am <PERSON_1>. Grüße"}]}
    async with serving(0, record=file) as url, outbound_session() as session:
        for _ in range(2):
            headers = {"Authorization": "Bearer secret", "X-Trace": "7"}
            async with session.post(f"{url}/chat/completions", json=body, headers=headers) as response:
                assert response.status == 200
    lines = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    assert [json.loads(line["body"]) for line in lines] == [body, body]
    assert lines[0]["headers"]["X-Trace"] == "7"
    assert "secret" not in file.read_text("utf-8")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


# --- the process ----------------------------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def process(*arguments: str) -> AsyncIterator[tuple[Process, str]]:
    """The process, and its base URL as it printed it."""
    command = [sys.executable, "-m", "gateway.demo.scripted_model", "--port", "0", *arguments]
    running = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, stderr=PIPE, cwd=ROOT)
    assert running.stdout is not None
    try:
        async with asyncio.timeout(60):
            line = (await running.stdout.readline()).decode()
            assert line.startswith("sordino-scripted-demo: a script, not an AI, at http://127.0.0.1:")
            yield running, line.split(" at ")[1].strip()
    finally:
        if running.returncode is None:
            running.kill()
        await running.wait()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
async def test_it_ends_cleanly_when_it_is_told_to(how: signal.Signals) -> None:
    async with process() as (running, url):
        async with aiohttp.ClientSession() as session, session.get(f"{url}/models") as response:
            assert response.status == 200
        running.send_signal(how)
        assert await running.wait() == 0
        assert running.stderr is not None
        assert await running.stderr.read() == b""


async def test_it_ends_when_its_parent_does() -> None:
    async with process("--until-stdin-closes") as (running, _):
        assert running.stdin is not None
        running.stdin.close()
        assert await running.wait() == 0


async def test_a_stdin_that_can_never_close_is_told_in_one_line() -> None:
    command = [sys.executable, "-m", "gateway.demo.scripted_model", "--port", "0", "--until-stdin-closes"]
    started = await asyncio.create_subprocess_exec(*command, stdin=DEVNULL, stdout=PIPE, stderr=PIPE, cwd=ROOT)
    async with asyncio.timeout(60):
        _, error = await started.communicate()
    assert started.returncode == 2
    assert error.decode().endswith("--until-stdin-closes needs a pipe on stdin\n")


async def test_it_keeps_running_without_a_terminal_when_not_asked_to_end() -> None:
    async with process() as (running, url):
        assert running.stdin is not None
        running.stdin.close()
        async with aiohttp.ClientSession() as session, session.get(f"{url}/models") as response:
            assert response.status == 200
        assert running.returncode is None


async def test_a_port_in_use_is_told_in_one_line() -> None:
    async with serving(0) as url:
        port = url.split(":")[2].split("/")[0]
        command = [sys.executable, "-m", "gateway.demo.scripted_model", "--port", port]
        second = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=PIPE, cwd=ROOT, env={**os.environ})
        async with asyncio.timeout(60):
            out, error = await second.communicate()
    assert (second.returncode, out) == (1, b"")
    assert error.decode().count("\n") == 1
    assert f"port {port} of 127.0.0.1 cannot be used" in error.decode()
