"""A call from a browser: Chromium's own microphone and speaker, and aiortc where it is about the line alone."""

from __future__ import annotations

import asyncio
import base64
import io
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import av
import numpy as np
import pytest
import pytest_asyncio

from gateway.adapters.speech import inside
from gateway.adapters.stores.tenant_keys import TenantKeys
from gateway.adapters.webrtc.leg import BrowserLeg
from gateway.audio import read_wav, resample, wav
from gateway.evidence.receipt import Receipt, verify
from gateway.values import Pcm, TenantId
from tests.adapters.webrtc.peer import HZ, Peer, peer
from tests.journeys.chromium import BINARY, Page, chromium
from tests.journeys.house import ANNOUNCEMENTS, SHORT_MS, House, kinds, living_in, short_policies, speech

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]

HEARING_HZ = 16_000
SDP = {"Content-Type": "application/sdp"}
RECORD = """
window.kept = [];
window.RTCPeerConnection = class extends RTCPeerConnection {
  constructor(...given) {
    super(...given);
    this.addEventListener("track", (event) => {
      const recorder = new MediaRecorder(event.streams[0], { mimeType: "audio/webm;codecs=opus" });
      recorder.addEventListener("dataavailable", (piece) => kept.push(piece.data));
      recorder.start(100);
    });
  }
}
"""
"""What comes out of the speaker is kept, from the first packet on."""
KEPT = """
new Blob(kept).arrayBuffer().then((all) => btoa(Array.from(new Uint8Array(all), (byte) => String.fromCharCode(byte)).join("")))
"""
UNTIL_SAID = """
new Promise((done) => {
  const context = new AudioContext(), ear = context.createAnalyser(), samples = new Float32Array(ear.fftSize);
  context.createMediaStreamSource(document.getElementById("voice").srcObject).connect(ear);
  let spoken = false, quiet = 0;
  const looking = setInterval(() => {
    ear.getFloatTimeDomainData(samples);
    const loud = samples.some((sample) => Math.abs(sample) > 0.01);
    spoken ||= loud;
    quiet = loud ? 0 : quiet + 1;
    if (spoken && quiet >= 14) { clearInterval(looking); context.close(); done(true); }
  }, 50);
})
"""
"""Somebody has spoken, and then nobody for 0.7 s."""


@dataclass(slots=True)
class Front:
    """The house, and what a tenant's server has: a key."""

    house: House
    client: aiohttp.ClientSession
    key: str

    async def token(self) -> tuple[str, str]:
        """A token, and the address of the page that has it."""
        async with self.client.post("/webrtc/token", headers={"Authorization": f"Bearer {self.key}"}) as answer:
            made = await answer.json()
            return made["token"], made["talk"]

    async def call_in(self, other: Peer) -> str:
        """Connects a peer; the session's address."""
        token, _ = await self.token()
        headers = SDP | {"Authorization": f"Bearer {token}"}
        async with self.client.post("/webrtc/offer", data=await other.offer(), headers=headers) as answer:
            assert answer.status == 201, await answer.text()
            await other.take(await answer.text())
            return answer.headers["Location"]

    async def receipts(self, count: int) -> list[Receipt]:
        """Those of the last calls, verified."""
        await self.house.watcher.until(lambda: self.sealed() >= count, within_s=60)
        await self.house.gateway.idle()
        files = [Path(str(turn.facts["receipt"])) for turn in self.house.watcher.of("sealed")]
        public = self.house.gateway.signing.public_key
        return [verify(await asyncio.to_thread(file.read_bytes), public).receipt for file in files[-count:]]

    def sealed(self) -> int:
        return len(self.house.watcher.of("sealed"))

    async def until_told(self, kind: str, count: int = 1) -> None:
        await self.house.watcher.until(lambda: len(self.house.watcher.of(kind)) >= count, within_s=60)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Front]:
    folder = tmp_path_factory.mktemp("browser")
    async with living_in(folder, policies=short_policies(folder)) as house:
        _, secret = await TenantKeys(house.gateway.store).create(TenantId("demo"), now=datetime.now(UTC), scopes=["calls"])
        async with aiohttp.ClientSession(house.gateway.url) as client:
            yield Front(house, client, secret.reveal())


@pytest_asyncio.fixture(loop_scope="module")
async def front(house: Front) -> Front:
    """Nothing of an earlier test is seen."""
    await house.house.gateway.idle()
    house.house.watcher.turns.clear()
    return house


@pytest.mark.skipif(BINARY is None, reason="there is no Chromium here: apt-get install chromium")
async def test_a_caller_in_a_browser_is_told_heard_and_answered(
    front: Front, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page's one button; the microphone asks for the opening hours; the speaker gets announcement and answer."""
    microphone = tmp_path / "microphone.wav"
    question = resample(speech("opening-hours"), HZ).samples
    # Whoever is not listened to in time, on a busy machine, asks again.
    microphone.write_bytes(wav(Pcm(bytes(HZ * 9) + question + bytes(HZ * 2 * 16), HZ)))
    keys: asyncio.Queue[str] = asyncio.Queue()
    monkeypatch.setattr(BrowserLeg, "_key_pressed", lambda _, key: keys.put_nowait(key))
    async with chromium(tmp_path, microphone) as page:
        _, talk = await front.token()
        await page.open(talk)
        assert "token" not in await page.value("location.href"), "the address keeps no token"
        await page.value(RECORD)
        await picture(page, "ready")
        await page.click("#call")
        await page.until(at("announcing"))
        await picture(page, "announcing")
        await page.until(at("listening"))
        await picture(page, "listening")
        await page.click("#keys button:nth-child(5)")
        async with asyncio.timeout(60):
            assert await keys.get() == "5"
        heard = await heard_by(page, front.house, "monday")
        await page.click("#call")
        await page.until(at("ended"))
        await picture(page, "ended")
        leg = await page.value("document.getElementById('leg').textContent")
        assert page.complaints == [], "its own policy is obeyed"
    assert likeness(heard, announcement()) > 0.75
    assert "monday" in (await understood(heard)).lower()
    (receipt,) = await front.receipts(1)
    assert kinds(receipt)[:3] == ["call.started", "announcement.played", "listening.started"]
    started, played = (entry.draft.body for entry in receipt.entries[:2])
    transport = started["transport"]
    assert isinstance(transport, dict)
    assert (started["carrier"], transport["kind"], transport["leg"]) == ("webrtc", "webrtc", leg)
    assert str(transport["dtls"]) in ("DTLSv1.2", "DTLSv1.3")
    assert (played["acknowledged"], played["played_ms"]) == ("playout", SHORT_MS)


async def test_two_callers_at_once_each_hear_their_own_call(front: Front) -> None:
    """One asks and is answered; the other, who says nothing, hears the announcement and the greeting."""
    async with AsyncExitStack() as stack:
        one, two = [await stack.enter_async_context(peer()) for _ in range(2)]
        places = [await front.call_in(one), await front.call_in(two)]
        await front.until_told("listening.started", 2)
        one.microphone.say(speech("opening-hours"))
        await front.house.watcher.until(lambda: answered(front.house, "monday"), within_s=60)
        for each in (one, two):
            await each.until(heard_ms=SHORT_MS + 2_000, within_s=60)
            assert likeness(Pcm(bytes(each.heard), HZ), announcement()) > 0.75
        for place in places:
            async with front.client.delete(place) as answer:
                assert answer.status == 200
        for each in (one, two):
            await each.until(state="closed")
    receipts = await front.receipts(2)
    assert len({str(receipt.entries[0].draft.body["transport"]) for receipt in receipts}) == 2
    assert sorted(sum(kind == "hop" for kind in kinds(receipt)) > 2 for receipt in receipts) == [False, True]


async def test_a_page_that_is_closed_during_the_announcement_was_never_listened_to(front: Front) -> None:
    async with peer() as other:
        await front.call_in(other)
        await front.until_told("announcing")
    (receipt,) = await front.receipts(1)
    assert receipt.outcome == "never_listened"
    assert "announcement.played" not in kinds(receipt)


async def test_a_page_that_is_closed_in_the_conversation_ends_it(front: Front) -> None:
    async with peer() as other:
        await front.call_in(other)
        await front.until_told("listening.started")
    (receipt,) = await front.receipts(1)
    assert kinds(receipt)[-1] == "call.ended"


async def test_a_gateway_that_hangs_up_ends_the_call_in_the_browser_too(front: Front) -> None:
    async with peer() as other:
        await front.call_in(other)
        await front.until_told("announcing")
        await front.house.gateway.calls.hang_up()
        await other.until(state="closed")
    assert len(await front.receipts(1)) == 1


async def test_the_likeness_of_other_audio_is_low() -> None:
    """So that the tests above can fail."""
    played = announcement()
    backwards = Pcm(np.frombuffer(played.samples, "<i2")[::-1].tobytes(), played.rate)
    longer = Pcm(backwards.samples + read_wav(ANNOUNCEMENTS / "recording-and-ai.en.wav").samples[:48_000], played.rate)
    assert likeness(longer, played) < 0.65


# --- what was heard ---------------------------------------------------------------------------------------------------


def announcement() -> Pcm:
    whole = read_wav(ANNOUNCEMENTS / "ai-and-privacy.en.wav")
    return Pcm(whole.samples[: whole.rate * SHORT_MS // 1000 * 2], whole.rate)


def likeness(heard: Pcm, played: Pcm) -> float:
    """The best correlation of the loudness of what was played, every 20 ms, with a stretch of what was heard (1: the same).

    A browser stretches sound by some milliseconds to hide late packets, so samples themselves cannot be compared.
    """
    big, small = loudness(heard), loudness(played)
    small = (small - small.mean()) / np.linalg.norm(small - small.mean())
    best = 0.0
    for at in range(len(big) - len(small) + 1):
        part = big[at : at + len(small)] - big[at : at + len(small)].mean()
        size = float(np.linalg.norm(part))
        best = max(best, float(part @ small) / size if size else 0.0)
    return best


def loudness(pcm: Pcm) -> np.ndarray:
    samples = np.frombuffer(resample(pcm, HEARING_HZ).samples, "<i2").astype(np.float64)
    frames = samples[: len(samples) // 320 * 320].reshape(-1, 320)
    return np.asarray(np.sqrt((frames**2).mean(axis=1)))


def answered(house: House, word: str) -> bool:
    return any(turn.text is not None and word in turn.text.reveal().lower() for turn in house.watcher.of("answered"))


async def heard_by(page: Page, house: House, word: str) -> Pcm:
    """All that the speaker got, once that word was said to it."""
    await house.watcher.until(lambda: answered(house, word), within_s=100)
    async with asyncio.timeout(100):
        while True:
            await page.value(UNTIL_SAID)
            heard = decoded(base64.b64decode(await page.value(KEPT)))
            if word in (await understood(heard)).lower():
                return heard


def decoded(webm: bytes) -> Pcm:
    resampler = av.AudioResampler(format="s16", layout="mono", rate=HEARING_HZ)
    samples = bytearray()
    with av.open(io.BytesIO(webm), mode="r") as container:
        for frame in container.decode(audio=0):
            for each in resampler.resample(frame):
                samples += bytes(each.planes[0])[: each.samples * 2]
    return Pcm(bytes(samples), HEARING_HZ)


async def understood(pcm: Pcm) -> str:
    return await asyncio.to_thread(inside.transcribe, pcm.samples, pcm.rate)


def at(step: str) -> str:
    return f"document.getElementById('step-{step}').getAttribute('aria-current') === 'step'"


async def picture(page: Page, name: str) -> None:
    """Where SORDINO_PICTURES names a folder, the page as it looks now is put there, for a person to look at."""
    folder = os.environ.get("SORDINO_PICTURES")
    if folder:
        await asyncio.to_thread((Path(folder) / f"talk-{name}.png").write_bytes, await page.picture())
