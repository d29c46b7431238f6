"""When a processor, store, ledger or detector fails, or the client leaves: a typed error in time, and nothing goes astray."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from gateway.adapters.detectors.presidio import PresidioDetector
from gateway.adapters.providers.exchange import Limits as Bounds
from gateway.adapters.stores.embedded import EmbeddedValkey
from gateway.adapters.stores.redis import Store
from gateway.adapters.stores.tenant_keys import Limits
from gateway.errors import RedactionUnavailable
from gateway.redaction.mask import Replacement
from gateway.values import Private, Span, TenantId
from tests.http.proxy.house import ProxyHouse, proxy_house
from tests.http.proxy.model import Model, a_model, begin, chunk
from tests.http.proxy.test_chat import user

OWN_WORDS = "the processor's own words"
QUICK = Bounds(connect_s=2, first_byte_s=1.5, between_chunks_s=2, whole_s=10)
Script = Callable[[Model, web.Request, dict[str, Any]], Awaitable[web.StreamResponse]]


def answers(status: int, **headers: str) -> Script:
    async def script(model: Model, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.json_response({"error": {"message": OWN_WORDS}}, status=status, headers=named)

    return script


async def hangs(model: Model, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
    await asyncio.Event().wait()
    raise AssertionError


async def cut(model: Model, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
    response = await begin(request)
    await response.write(chunk({"content": "Once upon "}))
    await response.write(chunk({"content": "a time"}))
    assert request.transport is not None
    request.transport.abort()
    return response


async def breaks(model: Model, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
    response = await begin(request)
    await response.write(chunk({"content": "Once upon "}) + chunk({"content": "a time"}) + b"data: {broken\n\n")
    return response


async def stalls(model: Model, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
    response = await begin(request)
    await response.write(chunk({"content": "Once upon "}))
    try:
        await asyncio.Event().wait()
    finally:
        model.hung_up.set()
    return response


async def no_json(model: Model, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
    response = await begin(request)
    await response.write(f"data: {OWN_WORDS}\n\n".encode())
    return response


async def another_type(model: Model, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
    return web.Response(text=OWN_WORDS)


async def huge(model: Model, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
    response = await begin(request)
    with contextlib.suppress(ConnectionError, asyncio.CancelledError):
        for _ in range(1_000):
            await response.write(chunk({"content": "x" * 10_000}))
    return response


@contextlib.asynccontextmanager
async def two_models(tmp_path: Path, store: Store, detector: Any) -> AsyncIterator[tuple[ProxyHouse, Model, Model]]:
    async with (
        a_model() as first,
        a_model() as second,
        proxy_house(tmp_path, store, detector, {"first": first.url, "second": second.url}, limits=QUICK) as house,
    ):
        yield house, first, second


@pytest.fixture
async def quick(tmp_path: Path, store: Store, detector: PresidioDetector, model: Model) -> AsyncIterator[ProxyHouse]:
    """One model behind short bounds."""
    async with proxy_house(tmp_path, store, detector, {"a-model": model.url}, limits=QUICK) as house:
        yield house


# --- processors -----------------------------------------------------------------------------------------------------

TRIED = {
    "500": (answers(500), 2),
    "503": (answers(503), 2),
    "401": (answers(401), 1),
    "429": (answers(429), 1),
    "hang": (hangs, 1),
}
TRIED |= {"no event stream": (another_type, 2), "no JSON": (no_json, 2)}


@pytest.mark.parametrize(("script", "tries"), TRIED.values(), ids=TRIED.keys())
async def test_the_next_permitted_processor_answers_with_a_grant_of_its_own(
    tmp_path: Path, store: Store, detector: PresidioDetector, script: Script, tries: int
) -> None:
    async with two_models(tmp_path, store, detector) as (house, first, second):
        first.script = script
        async with house.post(
            "/v1/chat/completions", {"messages": [user("I am Barnaby Thistlewood.")], "stream": True}
        ) as response:
            text = await response.text()
        assert (response.status, response.headers["X-Sordino-Processor"]) == (200, "second")
        assert "Barnaby" in text.replace('"', "")
        assert OWN_WORDS not in text
        assert (len(first.raw), len(second.raw)) == (tries, 1)
        hops = [entry.draft.body["grant"] for entry in await house.entries() if entry.draft.kind == "hop"]
        assert [hop["processor"] for hop in hops] == ["first"] * tries + ["second"]  # type: ignore[index, call-overload]
        assert len({hop["id"] for hop in hops}) == tries + 1  # type: ignore[index, call-overload]


ALONE: dict[str, tuple[Script, int, str]] = {
    "500": (answers(500), 502, "upstream_failed"),
    "400": (answers(400), 502, "upstream_failed"),
    "redirect": (answers(307, Location="http://127.0.0.1:1/"), 502, "upstream_failed"),
    "hang": (hangs, 504, "upstream_timeout"),
    "no event stream": (another_type, 502, "upstream_failed"),
    "no JSON": (no_json, 502, "upstream_failed"),
    "429": (answers(429, Retry_After="7"), 429, "rate_limited"),
}


@pytest.mark.parametrize(("script", "status", "code"), ALONE.values(), ids=ALONE.keys())
async def test_a_processor_that_fails_alone_is_told_without_its_own_words(
    quick: ProxyHouse, model: Model, script: Script, status: int, code: str
) -> None:
    model.script = script
    async with quick.post("/v1/chat/completions", {"messages": [user("Hello")], "stream": True}) as response:
        text = await response.text()
    assert (response.status, json.loads(text)["error"]["code"]) == (status, code)
    assert OWN_WORDS not in text
    assert response.headers.get("Retry-After") == ("7" if status == 429 else None)


async def test_a_processor_that_cannot_be_reached_is_told(tmp_path: Path, store: Store, detector: PresidioDetector) -> None:
    async with proxy_house(tmp_path, store, detector, {"gone": "http://127.0.0.1:1/v1"}, limits=QUICK) as house:
        answer, _ = await house.chat("Hello")
        assert answer["error"]["code"] == "upstream_failed"


BROKEN: dict[str, tuple[Script, str]] = {
    "cut": (cut, "upstream_failed"),
    "stalls": (stalls, "upstream_timeout"),
    "huge": (huge, "upstream_failed"),
    "breaks": (breaks, "upstream_failed"),
}


@pytest.mark.parametrize(("script", "code"), BROKEN.values(), ids=BROKEN.keys())
async def test_an_answer_that_breaks_in_the_middle_ends_with_an_error_and_without_an_end_mark(
    quick: ProxyHouse, model: Model, script: Script, code: str
) -> None:
    """A client can never take a cut answer for a whole one, and nobody asks again behind its back."""
    model.script = script
    async with quick.post("/v1/chat/completions", {"messages": [user("Hello")], "stream": True}) as response:
        text = await response.text()
    *_, last, empty = text.split("\n\n")
    assert (response.status, empty) == (200, "")
    assert json.loads(last.removeprefix("data: "))["error"]["code"] == code
    assert ("[DONE]" in text, '"finish_reason":"stop"' in text) == (False, False)
    assert len(model.raw) == 1
    cuts = [entry.draft.body for entry in await quick.entries() if entry.draft.kind == "answer.cut"]
    assert cuts == [{"code": code, "processor": "a-model"}]


async def test_an_answer_that_breaks_before_a_whole_answer_was_sent_is_an_error(quick: ProxyHouse, model: Model) -> None:
    model.script = answers(200)
    answer, _ = await quick.chat("Hello")
    assert answer["error"]["code"] == "upstream_failed"


async def test_a_client_that_hangs_up_ends_the_request_at_the_processor(quick: ProxyHouse, model: Model) -> None:
    model.script = stalls
    async with aiohttp.ClientSession() as session:
        response = await session.post(
            f"{quick.url}/v1/chat/completions",
            json={"messages": [user("Hello")], "stream": True},
            headers={"Authorization": f"Bearer {quick.key}"},
        )
        await response.content.readany()
        response.close()
    async with asyncio.timeout(60):
        await model.hung_up.wait()


# --- our own parts --------------------------------------------------------------------------------------------------


class Dead:
    """A detector that does not answer."""

    async def detect(self, text: Private[str], *, language: str, previous: str = "") -> Sequence[Span]:
        raise RedactionUnavailable("the detector did not answer in time")

    async def replace(self, text: Private[str], replacements: Sequence[Replacement]) -> Private[str]:
        raise RedactionUnavailable("the detector did not answer in time")


async def test_without_a_detector_nothing_leaves(tmp_path: Path, store: Store, model: Model) -> None:
    async with proxy_house(tmp_path, store, Dead(), {"a-model": model.url}) as house:
        async with house.post("/v1/chat/completions", {"messages": [user("Hello")]}) as response:
            assert (response.status, (await response.json())["error"]["code"]) == (503, "redaction_unavailable")
        assert model.raw == []


async def test_without_a_ledger_nothing_leaves(house: ProxyHouse, model: Model) -> None:
    await house.ledger.aclose()
    answer, _ = await house.chat("Hello")
    assert answer["error"]["code"] == "evidence_unavailable"
    assert model.raw == []


async def test_without_a_store_nobody_comes_in_and_nothing_leaves(
    tmp_path: Path, own_valkey: EmbeddedValkey, detector: PresidioDetector, model: Model
) -> None:
    async with (
        Store(own_valkey.url, timeout_s=20) as store,
        proxy_house(tmp_path, store, detector, {"a-model": model.url}) as house,
    ):
        await own_valkey.kill()
        answer, _ = await house.chat("Hello")
        assert answer["error"]["code"] == "store_unavailable"
        assert model.raw == []


# --- the door -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("given", ["", "Bearer nothing", "Basic YTpi", "Bearer sordino-acme-" + "A" * 43])
async def test_who_has_no_key_is_told_so_in_openais_form(house: ProxyHouse, model: Model, given: str) -> None:
    async with house.post("/v1/chat/completions", {"messages": [user("Hello")]}, Authorization=given) as response:
        answer = await response.json()
    assert (response.status, answer["error"]["code"], answer["error"]["type"]) == (401, "unauthenticated", "authentication_error")
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert model.raw == []


async def test_a_key_without_the_scope_is_refused(house: ProxyHouse) -> None:
    key = await house.another_key("acme", scopes=["models"])
    async with house.post("/v1/chat/completions", {}, Authorization=f"Bearer {key}") as response:
        assert (response.status, (await response.json())["error"]["code"]) == (403, "forbidden")


async def test_too_many_requests_are_told_when_to_come_again(house: ProxyHouse) -> None:
    await house.keys.limit(TenantId("acme"), Limits(per_minute=1, burst=1))
    await house.chat("Hello")
    async with house.post("/v1/chat/completions", {"messages": [user("Hello")]}) as response:
        assert (response.status, (await response.json())["error"]["code"]) == (429, "rate_limited")
        assert 0 < int(response.headers["Retry-After"]) <= 60


@pytest.mark.parametrize(
    ("body", "code"), [(b"{", "invalid_request"), (b"[]", "invalid_request"), (b" " * (5 << 20), "payload_too_large")]
)
async def test_a_body_that_cannot_be_taken_is_refused(house: ProxyHouse, body: bytes, code: str) -> None:
    headers = {"Authorization": f"Bearer {house.key}", "Content-Type": "application/json"}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{house.url}/v1/chat/completions", data=body, headers=headers) as response,
    ):
        assert (await response.json())["error"]["code"] == code


async def test_a_processor_that_may_not_have_the_data_is_not_asked_and_the_reasons_are_told(
    tmp_path: Path, store: Store, detector: PresidioDetector, model: Model
) -> None:
    async with proxy_house(tmp_path, store, detector, {"a-model": model.url}, training="permitted") as house:
        async with house.post("/v1/chat/completions", {"messages": [user("Hello")]}) as response:
            error = (await response.json())["error"]
        assert (response.status, error["code"]) == (403, "no_permitted_route")
        assert "a-model: training at it is permitted" in error["sordino"]["reasons"][0]
        assert model.raw == []
        assert [entry.draft.kind for entry in await house.entries()] == ["call.started", "refused"]
