"""A conversation through the model proxy while the detector or the store stands still, dies and comes back: real processes."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from gateway.adapters.detectors.presidio import PresidioDetector
from gateway.adapters.stores.embedded import EmbeddedValkey
from gateway.adapters.stores.redis import Store
from gateway.evidence.chain import verify_chain
from gateway.values import TenantId
from tests.http.proxy.house import ProxyHouse, proxy_house
from tests.http.proxy.model import Model, a_model, begin, chunk, placeholders

PATIENCE_S = 120
CHAT = "/v1/chat/completions"


@pytest.fixture(scope="module")
def detector_of_many() -> Any:
    """One detector for the module; what a test does to its process it must leave to the detector to mend."""
    detector = PresidioDetector(timeout_s=5)
    asyncio.run(detector.start())
    yield detector
    asyncio.run(detector.aclose())


@pytest.fixture
async def model() -> AsyncIterator[Model]:
    async with a_model() as model:
        yield model


@pytest.fixture
async def house(
    tmp_path: Path, own_valkey: EmbeddedValkey, detector_of_many: PresidioDetector, model: Model
) -> AsyncIterator[ProxyHouse]:
    async with (
        Store(own_valkey.url, timeout_s=3) as store,
        proxy_house(tmp_path, store, detector_of_many, {"a-model": model.url}) as house,
    ):
        yield house


def said(text: str) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": text}]}


async def asks(house: ProxyHouse, text: str) -> tuple[str, str]:
    """The code of what went wrong, or ``""``, and the answer's words."""
    async with asyncio.timeout(PATIENCE_S), house.post(CHAT, said(text), X_Sordino_Call="the-same") as response:
        answer = await response.json()
    if "error" in answer:
        return answer["error"]["code"], ""
    return "", answer["choices"][0]["message"]["content"]


async def until_it_answers(house: ProxyHouse, text: str, codes: set[str]) -> str:
    """Ask until there is an answer. Meanwhile there is nothing but these codes."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            code, words = await asks(house, text)
            if not code:
                return words
            assert code in codes
            await asyncio.sleep(0.1)  # what died needs seconds to come up


async def stand_still(valkey: EmbeddedValkey) -> None:
    assert valkey.pid is not None
    os.kill(valkey.pid, signal.SIGSTOP)


async def go_on(valkey: EmbeddedValkey) -> None:
    assert valkey.pid is not None
    os.kill(valkey.pid, signal.SIGCONT)


Deed = Callable[[EmbeddedValkey], Awaitable[None]]


@pytest.mark.parametrize(
    ("harm", "mend"), [(stand_still, go_on), (EmbeddedValkey.kill, EmbeddedValkey.start)], ids=["stands still", "dies"]
)
async def test_without_its_store_nothing_leaves_and_with_it_the_caller_is_known_again(
    house: ProxyHouse, model: Model, own_valkey: EmbeddedValkey, harm: Deed, mend: Deed
) -> None:
    assert "Barnaby Thistlewood" in (await asks(house, "I am Barnaby Thistlewood."))[1]
    await harm(own_valkey)
    try:
        assert (await asks(house, "My pin is 7 3 1 2."))[0] == "store_unavailable"
        assert len(model.raw) == 1
    finally:
        await mend(own_valkey)
    words = await until_it_answers(house, "Again, I am Barnaby Thistlewood.", {"store_unavailable", "evidence_unavailable"})
    assert "Barnaby Thistlewood" in words
    assert placeholders(model.bodies[-1]) == placeholders(model.bodies[0])
    verify_chain(await house.entries(), tenant=TenantId("acme"))


async def test_a_store_that_stands_still_in_the_middle_of_an_answer_takes_nothing_from_it(
    house: ProxyHouse, model: Model, own_valkey: EmbeddedValkey
) -> None:
    """The Grant was on record before; what comes after it is caught up with when the store is back."""
    begun, go = asyncio.Event(), asyncio.Event()

    async def pauses(model: Model, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        response = await begin(request)
        await response.write(chunk({"content": "I have noted "}))
        begun.set()
        await go.wait()
        await response.write(chunk({"content": placeholders(body)[0]}))
        await response.write(chunk({}, finish="stop"))
        return response

    model.script = pauses
    body = {**said("I am Barnaby Thistlewood."), "stream": True}
    async with asyncio.timeout(PATIENCE_S), house.post(CHAT, body, X_Sordino_Call="the-same") as response:
        await begun.wait()
        await stand_still(own_valkey)
        go.set()
        text = await response.text()
        await go_on(own_valkey)
    assert ("Barnaby Thistlewood" in text, text.endswith("data: [DONE]\n\n")) == (True, True)
    model.script = None
    words = await until_it_answers(house, "Again, I am Barnaby Thistlewood.", {"store_unavailable", "evidence_unavailable"})
    assert "Barnaby Thistlewood" in words
    verify_chain(await house.entries(), tenant=TenantId("acme"))


@pytest.mark.parametrize("harm", [signal.SIGSTOP, signal.SIGKILL])
async def test_without_its_detector_nothing_leaves_and_a_new_one_takes_over(
    house: ProxyHouse, model: Model, detector_of_many: PresidioDetector, harm: signal.Signals
) -> None:
    assert "Barnaby Thistlewood" in (await asks(house, "I am Barnaby Thistlewood."))[1]
    (pid,) = detector_of_many.pids
    os.kill(pid, harm)
    try:
        assert (await asks(house, "My name is Cornelia Featherstone."))[0] == "redaction_unavailable"
        assert len(model.raw) == 1
    finally:
        if harm is signal.SIGSTOP:
            os.kill(pid, signal.SIGCONT)
    words = await until_it_answers(house, "My name is Cornelia Featherstone.", {"redaction_unavailable"})
    assert "Cornelia Featherstone" in words
    assert b"Cornelia" not in json.dumps(model.bodies).encode()
    verify_chain(await house.entries(), tenant=TenantId("acme"))
