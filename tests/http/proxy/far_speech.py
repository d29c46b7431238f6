"""A processor that hears and speaks in OpenAI's dialect, keeps every byte it got, and misbehaves when told to; and its house."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

from gateway.adapters.detectors.presidio import PresidioDetector
from gateway.adapters.providers.exchange import Limits
from gateway.adapters.stores.redis import Store
from gateway.adapters.system import Secrets, SystemClock
from gateway.serving import SpeechNeeds
from tests.http.proxy.house import PATIENT, ProxyHouse, proxy_house
from tests.http.proxy.model import Model
from tests.http.proxy.test_audio import ENTRY, Ear, Voice

HEARD = "My name is Barnaby Thistlewood."
SOUND = bytes(9_600)
_SOUND = re.compile(rb"RIFF.*?(?=\r\n--)", re.DOTALL)
Script = Callable[["Far", web.Request], Awaitable[web.StreamResponse]]


@dataclass(slots=True)
class Far:
    """``hears``: what every recording says. ``scripts``: ways of answering, one a request; the last one stays."""

    url: str = ""
    hears: str = HEARD
    scripts: list[Script] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    """Heads, without the port, which may be anybody's ZIP code; and bodies, without the sound, which may spell anything."""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        head = {name: value for name, value in request.headers.items() if name != "Host"}
        body = _SOUND.sub(b"", await request.read())
        self.raw.append(f"{request.path_qs}\n{json.dumps(head)}\n".encode() + body)
        if self.scripts:
            return await self.scripts[min(len(self.raw), len(self.scripts)) - 1](self, request)
        return await self.well(request)

    async def well(self, request: web.Request) -> web.StreamResponse:
        if request.path.endswith("/transcriptions"):
            return web.json_response({"text": self.hears})
        response = web.StreamResponse(headers={"Content-Type": "audio/pcm"})
        await response.prepare(request)
        for at in range(0, len(SOUND), 1_601):
            await response.write(SOUND[at : at + 1_601])
        return response


async def well(far: Far, request: web.Request) -> web.StreamResponse:
    return await far.well(request)


@dataclass(slots=True)
class SpeechHouse:
    house: ProxyHouse
    far: Far
    ear: Ear
    voice: Voice


@asynccontextmanager
async def speech_house(
    tmp_path: Path,
    store: Store,
    detector: PresidioDetector,
    model: Model,
    *,
    route: tuple[str, ...] = ("far", "here"),
    receives: str = "transcript",
    limits: Limits | None = None,
    clock: SystemClock | None = None,
) -> AsyncIterator[SpeechHouse]:
    """Whose tenant hears and speaks by ``far``, and where that fails by this machine. ``receives``: what the far voice may."""
    far, ear, voice = Far(), Ear(), Voice()
    app = web.Application(client_max_size=32 << 20)
    app.router.add_route("*", "/{path:.*}", far.handle)
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    assert site._server is not None
    far.url = f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}/v1"  # type: ignore[attr-defined]
    there, flags = f"base_url: {far.url!r},", json.dumps({"store": False})
    entries = [
        ENTRY.format(id="far-ear", kind="stt", dialect="openai", url=there, receives="voice", send=flags),
        ENTRY.format(id="here-ear", kind="stt", dialect="moonshine", url="", receives="voice", send="{}"),
        ENTRY.format(id="far-voice", kind="tts", dialect="openai", url=there, receives=receives, send=flags),
        ENTRY.format(id="here-voice", kind="tts", dialect="hibari", url="", receives="transcript", send="{}"),
    ]
    rows = [
        f"  {hop}: [{', '.join(f'{{processor: {where}-{kind}, model: {name}}}' for where in route)}]\n"
        for hop, kind, name in (("stt", "ear", "whisper-1"), ("tts", "voice", "tts-1"))
    ]
    needs = SpeechNeeds({"moonshine": ear}, {"hibari": voice}, Secrets(tmp_path, {}), limits or PATIENT)
    how: dict[str, Any] = {"more": {"speech": needs}, "entries": "".join(entries), "routes": "".join(rows), "clock": clock}
    try:
        async with proxy_house(tmp_path, store, detector, {"a-model": model.url}, **how) as house:
            yield SpeechHouse(house, far, ear, voice)
    finally:
        await runner.cleanup()
