"""One process of the proxy's bench: the model, the bare reverse proxy that is the floor, or Sordino. Says its address on stdout.

    python -m tests.bench.proxy_child model|floor|sordino [URL of the model]

Ends when its standard input does; it then tells how late its event loop was, in ms.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
import time
from pathlib import Path

import aiohttp
import uvloop
from aiohttp import web

WORDS = ["Certainly,", "I", "will", "look", "that", "up", "for", "you", "now.", "One", "moment."]
LOOK_EVERY_S = 0.005
SLOWLY = "please speak slowly"
"""Who is asked so sends chunks one by one, each with the time when it was sent."""
SLOW_CHUNKS = 30
SLOW_EVERY_S = 0.02


async def model(_: str) -> tuple[list[web.RouteDef], None]:
    """Short streamed answers, as quick as can be."""
    chunks = [b'data: {"choices":[{"index":0,"delta":{"content":"' + f"{word} ".encode() + b'"}}]}\n\n' for word in WORDS]
    end = b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'

    async def answer(request: web.Request) -> web.StreamResponse:
        asked = await request.read()
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for _ in range(SLOW_CHUNKS if SLOWLY.encode() in asked else 0):
            await asyncio.sleep(SLOW_EVERY_S)
            when = f'{{"index":0,"delta":{{"content":"{time.monotonic_ns():x} "}}}}'  # one clock for the whole machine
            await response.write(b'data: {"choices":[' + when.encode() + b"]}\n\n")
        for chunk in () if SLOWLY.encode() in asked else chunks:
            await response.write(chunk)
            await asyncio.sleep(0)
        await response.write(end)
        return response

    return [web.post("/v1/chat/completions", answer)], None


async def floor(url: str) -> tuple[list[web.RouteDef], aiohttp.ClientSession]:
    """A reverse proxy that does nothing but pass bytes on."""
    session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))

    async def answer(request: web.Request) -> web.StreamResponse:
        body = await request.read()
        async with session.post(f"{url}/chat/completions", data=body, headers={"Content-Type": "application/json"}) as there:
            response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
            await response.prepare(request)
            async for piece in there.content.iter_any():
                await response.write(piece)
            return response

    return [web.post("/v1/chat/completions", answer)], session


async def serve(role: str, url: str) -> None:
    routes, session = await model(url) if role == "model" else await floor(url)
    app = web.Application(client_max_size=16 << 20)
    app.add_routes(routes)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, backlog=1024)
    await site.start()
    assert site._server is not None
    port = site._server.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
    _say({"url": f"http://127.0.0.1:{port}/v1"})
    _say({"lags_ms": await measure_lag_until_stdin_ends()})
    if session is not None:
        await session.close()


async def sordino(url: str) -> None:
    """The proxy as it is wired, with its own Valkey (fsync always) and detector."""
    from gateway.adapters.detectors.presidio import PresidioDetector
    from gateway.adapters.stores.embedded import EmbeddedValkey
    from gateway.adapters.stores.redis import Store
    from gateway.adapters.stores.tenant_keys import Limits
    from gateway.serving import settle_memory
    from gateway.values import TenantId
    from tests.http.proxy.house import proxy_house

    with tempfile.TemporaryDirectory(prefix="sordino-bench-") as name:
        folder = Path(name)
        detector = PresidioDetector(timeout_s=30)
        await detector.start()
        async with (
            EmbeddedValkey(folder / "data") as valkey,
            Store(valkey.url, timeout_s=10) as store,
            proxy_house(folder, store, detector, {"a-model": url}) as house,
        ):
            settle_memory()
            await house.keys.limit(TenantId("acme"), Limits(1_000_000, 100_000, 10_000))
            _say({"url": f"{house.url}/v1", "key": house.key})
            lags = await measure_lag_until_stdin_ends()
        await detector.aclose()
        _say({"lags_ms": lags})


async def measure_lag_until_stdin_ends() -> list[float]:
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    lags: list[float] = []

    async def measure() -> None:
        while not ended.is_set():
            began = loop.time()
            await asyncio.sleep(LOOK_EVERY_S)
            lags.append((loop.time() - began - LOOK_EVERY_S) * 1000)

    async with asyncio.TaskGroup() as group:
        group.create_task(measure())
        await until_stdin_ends()
        ended.set()
    return lags


async def until_stdin_ends() -> None:
    await asyncio.to_thread(sys.stdin.read)


def _say(what: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def main() -> None:
    role, url = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else ""
    if core := os.environ.get("BENCH_CORE"):
        os.sched_setaffinity(0, {int(core)})
    uvloop.run(sordino(url) if role == "sordino" else serve(role, url))


if __name__ == "__main__":
    main()
