"""``sordino call`` plays a caller to a gateway, shows when what happened, and saves both sides; its mistakes are told first."""

from __future__ import annotations

import asyncio
import io
import json
import socket
import threading
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from aiohttp import web

from gateway.adapters.carriers.twilio import TwilioMedia
from gateway.adapters.carriers.twilio_webhook import SIGNATURE_HEADER, connect, is_signed
from gateway.audio import level
from gateway.call.events import CallerAudio, LegStarted, MarkReturned
from gateway.cli.main import main
from gateway.values import Pcm, Private

SECRET = "auth-token-of-the-demo-tenant-1234"
TONE = Pcm(b"\x00\x20\x00\xe0" * 80, 8_000)
"""20 ms of a loud tone."""


@pytest.fixture(autouse=True)
def _at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SORDINO_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", SECRET)
    monkeypatch.chdir(tmp_path)


def record(path: Path, ms: int = 300) -> Path:
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(8_000)
        out.writeframes(TONE.samples * (ms // 20))
    return path


class Gateway:
    """A gateway at the other end: it announces, and answers whoever has spoken and is silent again."""

    def __init__(self, *, hangs_up: bool = False) -> None:
        self.hangs_up = hangs_up
        self.signed: list[bool] = []
        self.forms: list[dict[str, str]] = []
        self.heard_ms = 0.0
        self.url = ""

    async def voice(self, request: web.Request) -> web.Response:
        form = {key: str(value) for key, value in (await request.post()).items()}
        self.forms.append(form)
        url = f"{self.url}/voice/twilio"
        self.signed.append(is_signed(Private(SECRET), url, tuple(form.items()), request.headers.get(SIGNATURE_HEADER, "")))
        return web.Response(text=connect(self.url.replace("http", "ws") + "/media", {}), content_type="application/xml")

    async def media(self, request: web.Request) -> web.WebSocketResponse:
        line, codec = web.WebSocketResponse(), TwilioMedia()
        await line.prepare(request)
        spoke, quiet_ms = False, 0.0
        async for message in line:
            for event in codec.receive(message.data):
                if isinstance(event, LegStarted):
                    await self._say(line, codec, 200, "announcement:ai")
                elif isinstance(event, MarkReturned) and event.name == "announcement:ai":
                    await self._say(line, codec, 200, "say:1")
                    if self.hangs_up:
                        await line.close()
                elif isinstance(event, CallerAudio):
                    loud = level(event.pcm.reveal()) > 1_000
                    self.heard_ms += event.pcm.reveal().ms if loud else 0
                    spoke, quiet_ms = spoke or loud, 0.0 if loud else quiet_ms + 20
                    if spoke and quiet_ms >= 200:
                        spoke = False
                        await self._say(line, codec, 200, "say:2")
        return line

    async def _say(self, line: web.WebSocketResponse, codec: TwilioMedia, ms: int, mark: str) -> None:
        for _ in range(ms // 20):
            await line.send_str(codec.audio(TONE))
        await line.send_str(codec.mark(mark))


@contextmanager
def listening(gateway: Gateway) -> Iterator[str]:
    """The gateway in a thread of its own: the command runs a loop of its own."""
    loop, ready = asyncio.new_event_loop(), threading.Event()
    over = asyncio.Event()

    async def serve() -> None:
        app = web.Application()
        app.add_routes([web.post("/voice/twilio", gateway.voice), web.get("/media", gateway.media)])
        runner = web.AppRunner(app, handle_signals=False, shutdown_timeout=0.5)
        await runner.setup()
        door = socket.create_server(("127.0.0.1", 0))
        gateway.url = f"http://127.0.0.1:{door.getsockname()[1]}"
        await web.SockSite(runner, door).start()
        ready.set()
        await over.wait()
        await runner.cleanup()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    assert ready.wait(10)
    try:
        yield gateway.url
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(10)
        loop.close()


def test_a_call_is_placed_as_the_carrier_would_and_both_sides_are_saved(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gateway = Gateway()
    with listening(gateway) as url:
        turn = str(record(tmp_path / "hello.wav"))
        code = main(["call", turn, "--to", url, "--from", "+15550123", "--output", "both.wav", "--format", "json"])
    assert code == 0
    assert gateway.signed == [True]
    assert (gateway.forms[0]["From"], gateway.forms[0]["To"]) == ("+15550123", "+15550100")
    assert gateway.heard_ms == pytest.approx(300, abs=40)
    told = json.loads(capsys.readouterr().out)
    kinds = [row["kind"] for row in told["timeline"]]
    assert kinds[0] == "connected"
    assert {"announcement_ended", "turn_started", "first_answer", "hung_up"} <= set(kinds)
    with wave.open(io.BytesIO((tmp_path / "both.wav").read_bytes())) as file:
        assert (file.getnchannels(), file.getframerate()) == (2, 8_000)
        assert file.getnframes() > 8_000


def test_who_is_hung_up_on_gets_1_and_the_conversation_so_far(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with listening(Gateway(hangs_up=True)) as url:
        turns = [str(record(tmp_path / "hello.wav"))] * 2
        assert main(["call", *turns, "--to", url]) == 1
    assert "closed by gateway" in capsys.readouterr().out
    assert (tmp_path / "conversation.wav").stat().st_size > 1_000


def unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


MISTAKES: list[tuple[str, list[str], str, str]] = [
    ("no such file", ["nothing.wav"], "there is no file nothing.wav", ""),
    ("no WAV", ["text.wav"], "text.wav is not a PCM WAV file", "ffmpeg"),
    ("nobody answers", ["hello.wav", "--to", f"http://127.0.0.1:{unused_port()}"], "nobody answers", "sordino serve"),
    ("no address", ["hello.wav", "--to", "nonsense"], "nobody answers at nonsense", "sordino serve"),
    ("no such tenant", ["hello.wav", "--tenant", "nobody"], "no policy for this tenant", "tenants/NAME.yaml"),
    ("no account there", ["hello.wav", "--carrier", "plivo"], "has no number at Plivo", "carrier.plivo"),
    ("no folder for the result", ["hello.wav", "--output", "no/where.wav"], "there is no folder no", "--output"),
    ("no policies", ["hello.wav", "--policies", "nowhere"], "there is no folder nowhere", "--policies"),
]


@pytest.mark.parametrize(("what", "arguments", "told", "mended"), MISTAKES, ids=[what for what, *_ in MISTAKES])
def test_a_mistake_is_told_with_how_to_mend_it(
    what: str, arguments: list[str], told: str, mended: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record(tmp_path / "hello.wav")
    (tmp_path / "text.wav").write_text("no sound at all")
    assert main(["call", *arguments]) == 1
    out, err = capsys.readouterr()
    assert told in err
    assert mended in err
    assert "Traceback" not in err
    assert out == ""


def test_without_the_carriers_secret_it_is_told_how_to_set_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("TWILIO_AUTH_TOKEN")
    assert main(["call", str(record(tmp_path / "hello.wav"))]) == 1
    err = capsys.readouterr().err
    assert "the secret TWILIO_AUTH_TOKEN is not set" in err
    assert "export TWILIO_AUTH_TOKEN=" in err


def test_a_gateway_that_refuses_is_told_and_the_secret_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def refuse(_: Gateway, request: web.Request) -> web.Response:
        body = {"error": {"code": "forbidden", "sordino": {"reasons": ["the signature is wrong"]}}}
        return web.json_response(body, status=403)

    monkeypatch.setattr(Gateway, "voice", refuse)
    with listening(Gateway()) as url:
        assert main(["call", str(record(tmp_path / "hello.wav")), "--to", url]) == 1
    err = capsys.readouterr().err
    assert "the gateway refused the call" in err
    assert "the signature is wrong" in err
    assert SECRET not in err
