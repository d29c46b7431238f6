"""Personal data that nobody gave the model is treated as the tenant's policy says, streaming and whole."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import openai
import pytest

from gateway.adapters.detectors.masker import CallMasker
from gateway.adapters.detectors.presidio import PresidioDetector
from gateway.adapters.stores.redis import Store
from gateway.values import MaskedText
from tests.http.proxy.house import ProxyHouse, proxy_house
from tests.http.proxy.model import Model

ANSWER = "Hello <PERSON_1>, we open at nine. Please call Jonathan Miller on 415 555 2671. Goodbye, <PERSON_1>."
PASSED = "Hello Barnaby Thistlewood, we open at nine. Please call Jonathan Miller on 415 555 2671. Goodbye, Barnaby Thistlewood."
MASKED = "Hello Barnaby Thistlewood, we open at nine. Please call (name) on (phone number). Goodbye, Barnaby Thistlewood."
DROPPED = "Hello Barnaby Thistlewood, we open at nine. Goodbye, Barnaby Thistlewood."
EXPECTED = [("pass", PASSED), ("mask", MASKED), ("drop", DROPPED)]


@asynccontextmanager
async def ruled(
    tmp_path: Path, store: Store, detector: PresidioDetector, model: Model, rule: str, **how: Any
) -> AsyncIterator[ProxyHouse]:
    rules = f"answers: {{unknown: {rule}}}\n" if rule else ""
    async with proxy_house(tmp_path, store, detector, {"a-model": model.url}, rules=rules, **how) as house:
        yield house


async def said(house: ProxyHouse, *, stream: bool, **more: Any) -> str:
    client = openai.AsyncOpenAI(base_url=f"{house.url}/v1", api_key=house.key, max_retries=0)
    messages: Any = [{"role": "user", "content": "My name is Barnaby Thistlewood."}]
    async with client:
        if not stream:
            whole = await client.chat.completions.create(model="any", messages=messages, **more)
            return whole.choices[0].message.content or ""
        chunks = await client.chat.completions.create(model="any", messages=messages, stream=True, **more)
        return "".join([chunk.choices[0].delta.content or "" async for chunk in chunks if chunk.choices])


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streaming"])
@pytest.mark.parametrize(("rule", "expected"), [("", PASSED), *EXPECTED])
async def test_what_the_model_made_up_is_treated_as_the_policy_says(
    tmp_path: Path, store: Store, detector: PresidioDetector, model: Model, rule: str, expected: str, *, stream: bool
) -> None:
    model.says = lambda body: ANSWER
    async with ruled(tmp_path, store, detector, model, rule) as house:
        assert await said(house, stream=stream) == expected
        counts = [entry.draft.body["counts"] for entry in await house.entries() if entry.draft.kind == "answer.unknown"]
        assert counts == ([{"PERSON": 1, "PHONE_NUMBER": 1}] if rule in ("mask", "drop") else [])


async def test_a_kind_that_the_policy_keeps_is_not_made_up(detector: PresidioDetector) -> None:
    nowhere: Any = None
    masker = CallMasker(detector, nowhere, operators={"PERSON": "keep"})
    text = MaskedText("Please call Jonathan Miller on 415 555 2671, <PERSON_1>.")
    assert [span.entity for span in await masker.unknown(text)] == ["PHONE_NUMBER"]


async def test_an_answer_in_json_stays_json(tmp_path: Path, store: Store, detector: PresidioDetector, model: Model) -> None:
    model.says = lambda body: json.dumps({"caller": "<PERSON_1>", "phone": "call 415 555 2671", "note": "We open at nine."})
    async with ruled(tmp_path, store, detector, model, "drop") as house:
        text = await said(house, stream=True, response_format={"type": "json_object"})
        assert json.loads(text) == {"caller": "Barnaby Thistlewood", "phone": "call (phone number)", "note": "We open at nine."}


async def test_a_tool_is_not_called_with_what_nobody_said(
    tmp_path: Path, store: Store, detector: PresidioDetector, model: Model
) -> None:
    model.calls = [{"name": "note", "arguments": {"who": "<PERSON_1>", "phone": "call me on 415 555 2671"}}]
    tool = {"type": "function", "function": {"name": "note", "parameters": {"type": "object"}}}
    async with ruled(tmp_path, store, detector, model, "mask") as house:
        answer, _ = await house.chat("My name is Barnaby Thistlewood.", tools=[tool])
        arguments = json.loads(answer["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"])
        assert arguments == {"who": "Barnaby Thistlewood", "phone": "call me on (phone number)"}
