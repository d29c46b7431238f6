"""After a failure: evidence that still verifies, a breaker that opens and closes, bounded waits and buffers, and work goes on."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from gateway.adapters.detectors.presidio import PresidioDetector
from gateway.adapters.providers.exchange import Limits as Bounds
from gateway.adapters.providers.outbound import outbound_session
from gateway.adapters.stores.redis import Store
from gateway.adapters.stores.tenant_keys import Limits
from gateway.adapters.system import SystemClock
from gateway.evidence.chain import verify_chain
from gateway.ports import ChatDelta
from gateway.runner.proxy.breaker import FAILURES, OPEN_S
from gateway.runner.proxy.restore import RestoredDelta, Restorer
from gateway.values import TenantId
from tests.http.proxy.house import ProxyHouse, proxy_house
from tests.http.proxy.model import Model, begin, chunk
from tests.http.proxy.test_chat import user
from tests.http.proxy.test_failure import QUICK, Script, answers, cut, hangs, stalls, two_models

PATIENCE_S = 60
CHAT, MESSAGES = "/v1/chat/completions", "/v1/messages"
NAMED = {"X_Sordino_Call": "the-same-conversation"}
EVIDENCE = "sordino:{acme}:evidence"


@pytest.fixture
async def quick(tmp_path: Path, store: Store, detector: PresidioDetector, model: Model) -> AsyncIterator[ProxyHouse]:
    """One model behind short bounds."""
    async with proxy_house(tmp_path, store, detector, {"a-model": model.url}, limits=QUICK) as house:
        yield house


async def asks(house: ProxyHouse, said: str = "Hello", *, path: str = CHAT, **more: Any) -> tuple[int, str]:
    """Status and text of one request of a conversation that goes on."""
    body = {"model": "any", "max_tokens": 100, "messages": [user(said)], **more}
    async with house.post(path, body, **NAMED) as response:
        return response.status, await response.text()


async def a_whole_thread(house: ProxyHouse) -> None:
    """The tenant's chain verifies, and the entries of the one conversation in it are one thread."""
    entries = await house.entries()
    verify_chain(entries, tenant=TenantId("acme"))
    links = [entry.draft.call_previous for entry in entries[1:]]
    assert links == [entry.hash for entry in entries[:-1]], [entry.draft.kind for entry in entries]


# --- what is on record ----------------------------------------------------------------------------------------------

MISHAPS: dict[str, Script] = {"500": answers(500), "400": answers(400), "hang": hangs, "cut": cut, "stalls": stalls}


@pytest.mark.parametrize("script", MISHAPS.values(), ids=MISHAPS.keys())
async def test_a_conversation_goes_on_after_a_failure_and_its_evidence_is_one_thread(
    quick: ProxyHouse, model: Model, script: Script
) -> None:
    await asks(quick, "I am Barnaby Thistlewood.")
    model.script = script
    await asks(quick, "Hello", stream=True)
    model.script = None
    status, text = await asks(quick, "Do you know me, Barnaby Thistlewood?")
    assert (status, "Barnaby Thistlewood" in text) == (200, True)
    await a_whole_thread(quick)


@pytest.mark.parametrize("script", [hangs, stalls], ids=["before the first byte", "in the middle"])
async def test_after_a_client_hung_up_its_conversation_goes_on_and_its_place_is_free(
    house: ProxyHouse, model: Model, script: Script
) -> None:
    await house.keys.limit(TenantId("acme"), Limits(concurrent=1))
    arrived, ended = asyncio.Event(), asyncio.Event()

    async def watched(model: Model, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        arrived.set()
        try:
            return await script(model, request, body)
        finally:
            ended.set()

    model.script = watched
    async with asyncio.TaskGroup() as group, asyncio.timeout(PATIENCE_S):
        asking = group.create_task(asks(house, stream=True))
        await arrived.wait()
        asking.cancel()
        await ended.wait()  # the processor was cut off: it does not work for nobody
        model.script = None
        while (await asks(house))[0] == 429:  # noqa: ASYNC110 (what is awaited happens in the gateway)
            await asyncio.sleep(0.05)  # the place is given back a moment later
    await a_whole_thread(house)


async def test_without_a_ledger_nothing_leaves_and_when_it_is_back_the_conversation_goes_on(
    house: ProxyHouse, model: Model, store: Store
) -> None:
    """Also for one whose very first entry was refused."""
    for before in (0, 2):
        async with store.answers() as client:
            await client.rename(EVIDENCE, "aside") if before else None
            await client.set(EVIDENCE, "no stream at all")
        status, text = await asks(house, "I am Barnaby Thistlewood.")
        assert (status, json.loads(text)["error"]["code"]) == (503, "evidence_unavailable")
        assert len(model.raw) == before // 2
        async with store.answers() as client:
            await client.delete(EVIDENCE)
            await client.rename("aside", EVIDENCE) if before else None
        assert (await asks(house, "I am Barnaby Thistlewood."))[0] == 200
    await a_whole_thread(house)
    assert [entry.draft.kind for entry in await house.entries()].count("call.started") == 1


# --- processors that fail often ---------------------------------------------------------------------------------------


class MovedClock(SystemClock):
    """The machine's clock, put forward by a test."""

    ahead_s = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self.ahead_s


async def test_a_processor_that_fails_often_is_left_alone_and_tried_again_later(
    tmp_path: Path, store: Store, detector: PresidioDetector, model: Model
) -> None:
    clock = MovedClock()
    async with proxy_house(tmp_path, store, detector, {"a-model": model.url}, clock=clock) as house:
        model.script = answers(500)
        while len(model.raw) < FAILURES:
            assert (await asks(house))[0] == 502
        asked = len(model.raw)
        async with house.post(CHAT, {"messages": [user("Hello")]}) as response:
            assert (response.status, (await response.json())["error"]["code"]) == (429, "rate_limited")
            assert 0 < int(response.headers["Retry-After"]) <= OPEN_S
        assert len(model.raw) == asked
        clock.ahead_s += OPEN_S
        assert (await asks(house))[0] == 502
        assert (len(model.raw), (await asks(house))[0]) == (asked + 1, 429)
        clock.ahead_s += OPEN_S
        model.script = None
        assert [(await asks(house))[0] for _ in range(3)] == [200] * 3


async def test_while_one_processor_is_left_alone_the_next_one_answers_at_once(
    tmp_path: Path, store: Store, detector: PresidioDetector
) -> None:
    async with two_models(tmp_path, store, detector) as (house, first, second):
        first.script = answers(500)
        while len(first.raw) < FAILURES:
            await asks(house)
        asked = len(first.raw)
        assert (await asks(house))[0] == 200
        assert (len(first.raw), len(second.raw) > 1) == (asked, True)


# --- how long, and how much -------------------------------------------------------------------------------------------


async def drips(model: Model, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
    response = await begin(request)
    with contextlib.suppress(ConnectionError):
        while True:
            await response.write(chunk({"content": "."}))
            await asyncio.sleep(0.05)  # a model that never comes to an end
    return response


@pytest.mark.parametrize("path", [CHAT, MESSAGES])
@pytest.mark.parametrize(
    ("script", "code"), [(drips, "upstream_timeout"), (stalls, "upstream_timeout"), (cut, "upstream_failed")]
)
async def test_an_answer_that_does_not_end_well_ends_with_the_error_of_the_clients_dialect(
    tmp_path: Path, store: Store, detector: PresidioDetector, model: Model, path: str, script: Script, code: str
) -> None:
    bounds = Bounds(connect_s=20, first_byte_s=20, between_chunks_s=1.5, whole_s=1.5)
    model.script = script
    async with (
        proxy_house(tmp_path, store, detector, {"a-model": model.url}, limits=bounds) as house,
        asyncio.timeout(PATIENCE_S),
    ):
        status, text = await asks(house, path=path, stream=True)
    events = [json.loads(line.removeprefix("data: ")) for line in text.splitlines() if line.startswith("data: {")]
    assert (status, events[-1]["error"]["code"]) == (200, code)
    assert events[-1].get("type") == ("error" if path == MESSAGES else None)
    assert not any(end in text for end in ("[DONE]", "message_stop", '"finish_reason":"stop"'))


async def test_a_processor_that_does_not_take_the_call_is_a_timeout(
    tmp_path: Path, store: Store, detector: PresidioDetector
) -> None:
    """Its queue is full: a connection is neither taken nor refused."""
    with contextlib.ExitStack() as stack:
        full = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        url = f"http://127.0.0.1:{full.getsockname()[1]}/v1"
        bounds = Bounds(connect_s=0.5, first_byte_s=0.5)
        async with proxy_house(tmp_path, store, detector, {"full": url}, limits=bounds) as house, asyncio.timeout(PATIENCE_S):
            status, text = await asks(house)
    assert (status, json.loads(text)["error"]["code"]) == (504, "upstream_timeout")


async def test_a_client_that_does_not_read_holds_the_processor_back_and_gets_all_later(
    house: ProxyHouse, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Each of these signs is six in JSON: what the client does not read is more than all that stands between can hold.
    count, words, taken = 5_000, "\x01" * 40, 0
    restore = Restorer.feed

    def counted(self: Restorer, delta: ChatDelta) -> Iterable[RestoredDelta]:
        nonlocal taken
        taken += delta.text.count(words)
        return restore(self, delta)

    monkeypatch.setattr(Restorer, "feed", counted)

    async def much(model: Model, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        response = await begin(request)
        for _ in range(count):
            await response.write(chunk({"content": words}))
        await response.write(chunk({}, finish="stop"))
        return response

    model.script = much
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)  # else the kernel itself takes megabytes on loopback
        client.setblocking(False)
        loop = asyncio.get_running_loop()
        host, port = house.url.removeprefix("http://").split(":")
        body = json.dumps({"messages": [user("Hello")], "stream": True}).encode()
        head = f"POST {CHAT} HTTP/1.0\r\nAuthorization: Bearer {house.key}\r\nContent-Length: {len(body)}\r\n\r\n"
        async with asyncio.timeout(PATIENCE_S):
            await loop.sock_connect(client, (host, int(port)))
            await loop.sock_sendall(client, head.encode() + body)
            got = await loop.sock_recv(client, 1_024)
            quiet, last = 0, -1
            while quiet < 10:  # nobody can tell that something will never happen: ten looks without any progress
                quiet, last = (quiet + 1, last) if taken == last else (0, taken)
                await asyncio.sleep(0.05)
            held_back_at = taken
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
            while piece := await loop.sock_recv(client, 1 << 16):
                got += piece
    assert held_back_at < count
    assert (got.count(b"\\u0001"), got.endswith(b"data: [DONE]\n\n")) == (len(words) * count, True)


async def test_no_request_waits_for_the_answer_of_another() -> None:
    """Connections to processors are not counted; requests are, where they come in."""
    async with outbound_session() as session:
        assert session.connector is not None
        assert session.connector.limit == 0
