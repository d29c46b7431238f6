"""``curl``: what stands in the README's examples, typed by hand."""

from __future__ import annotations

import asyncio
import json
import shutil
from asyncio.subprocess import PIPE
from typing import Any

import pytest

from tests.http.proxy.house import ProxyHouse
from tests.http.proxy.model import Model
from tests.peers.proxy.conversation import TURNS, knows_all
from tests.peers.proxy.people import WRITTEN, leaked, missing

CURL = shutil.which("curl")
pytestmark = pytest.mark.skipif(CURL is None, reason="curl is not installed here")
WITHIN_S = 60
SECRETS = WRITTEN[: len(WRITTEN) // 2]


async def curl(*arguments: str, body: Any) -> str:
    """What curl prints. Raises AssertionError when it fails."""
    assert CURL is not None
    command = (CURL, "--silent", "--show-error", "--noproxy", "*", "--max-time", str(WITHIN_S), "--data-binary", "@-")
    process = await asyncio.create_subprocess_exec(*command, *arguments, stdin=PIPE, stdout=PIPE, stderr=PIPE)
    out, error = await process.communicate(json.dumps(body).encode())
    assert process.returncode == 0, error
    return out.decode()


def body(**more: Any) -> dict[str, Any]:
    return {"model": "m", "messages": [{"role": "user", "content": TURNS[0]}], **more}


async def test_an_answer_comes_back_with_its_headers(house: ProxyHouse, model: Model) -> None:
    model.script = knows_all
    out = await curl("--include", "-H", f"Authorization: Bearer {house.key}", f"{house.url}/v1/chat/completions", body=body())
    head, _, answer = out.replace("\r\n", "\n").partition("\n\n")
    assert head.startswith("HTTP/1.1 200")
    assert "X-Sordino-Processor: a-model" in head.split("\n")
    assert missing([json.loads(answer)["choices"][0]["message"]["content"]], SECRETS) == []
    assert leaked([model.record, *model.raw]) == []


async def test_a_stream_comes_event_by_event(house: ProxyHouse, model: Model) -> None:
    """``curl -N``, as a person reads a stream."""
    model.script = knows_all
    out = await curl("-N", "-H", f"Authorization: Bearer {house.key}", f"{house.url}/v1/chat/completions", body=body(stream=True))
    *events, end, rest = out.split("\n\n")
    assert (end, rest) == ("data: [DONE]", "")
    choices = [json.loads(event.removeprefix("data: "))["choices"] for event in events]
    pieces = [each[0]["delta"].get("content") or "" for each in choices if each]
    assert len(pieces) > len(SECRETS)
    assert missing(["".join(pieces)], SECRETS) == []
    assert leaked([model.record, *model.raw]) == []


async def test_anthropics_way_works_by_its_own_header(house: ProxyHouse, model: Model) -> None:
    model.script = knows_all
    out = await curl("-H", f"x-api-key: {house.key}", f"{house.url}/v1/messages", body=body(max_tokens=1_000))
    assert missing([json.loads(out)["content"][0]["text"]], SECRETS) == []


async def test_who_forgets_the_key_is_told_how_to_send_it(house: ProxyHouse, model: Model) -> None:
    error = json.loads(await curl(f"{house.url}/v1/chat/completions", body=body()))["error"]
    assert error["code"] == "unauthenticated"
    assert "Authorization: Bearer" in error["message"]
    assert model.raw == []
