"""A whole house for a journey: a gateway with its own Valkey, the scripted model in its own process, a caller at the line."""

from __future__ import annotations

import asyncio
import json
import wave
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from opentelemetry.sdk.trace.export import SpanExporter

from gateway.app import Gateway
from gateway.audio import read_wav
from gateway.caller.behaviour import Behaviour
from gateway.caller.call import Caller
from gateway.demo.model_process import ScriptedModel
from gateway.evidence.receipt import Receipt, verify
from gateway.ports import TurnShown
from gateway.settings import Settings
from gateway.values import CallId, Pcm

ROOT = Path(__file__).parents[2]
AUDIO = ROOT / "gateway" / "demo" / "audio"
ANNOUNCEMENTS = ROOT / "policies" / "announcements"
CALLED = "+15550100"
CALLER = "+15550199"
AUTH_TOKEN = "journey-auth-token-journey-auth1"
SHORT_MS = 1_600
PROVES = {
    "twilio": "TWILIO_AUTH_TOKEN",
    "telnyx": "TELNYX_PUBLIC_KEY_PRIVATE",
    "plivo": "PLIVO_AUTH_TOKEN",
    "vonage": "VONAGE_SIGNATURE_SECRET",
    "exotel": "EXOTEL_WEBHOOK_KEY",
}
"""The secret that each carrier proves itself with."""


@dataclass(slots=True)
class Watcher:
    """Sees what the demo's terminal sees."""

    turns: list[TurnShown] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def saw(self, call: CallId, turn: TurnShown) -> None:
        self.turns.append(turn)
        self.changed.set()

    def of(self, kind: str) -> list[TurnShown]:
        return [turn for turn in self.turns if turn.kind == kind]

    async def until(self, true: Callable[[], bool], within_s: float = 30) -> None:
        async with asyncio.timeout(within_s):
            while not true():
                self.changed.clear()
                await self.changed.wait()


@dataclass(slots=True)
class House:
    """What a journey has at hand."""

    gateway: Gateway
    model: ScriptedModel
    watcher: Watcher
    data: Path
    model_record: Path

    def dial(self, behaviour: Behaviour | None = None, *, carrier: str = "twilio") -> Caller:
        token = self.gateway.secrets.read(PROVES[carrier])
        return Caller.dial(self.gateway.url, to=CALLED, from_=CALLER, auth_token=token, behaviour=behaviour, carrier=carrier)

    async def receipt(self) -> Receipt:
        """The receipt of the last call, verified against the gateway's own key."""
        await self.gateway.idle()
        file = Path(str(self.watcher.of("sealed")[-1].facts["receipt"]))
        return verify(await asyncio.to_thread(file.read_bytes), self.gateway.signing.public_key).receipt

    def model_bodies(self) -> str:
        """Everything that the model ever received, as it came over the wire."""
        return self.model_record.read_text(encoding="utf-8") if self.model_record.exists() else ""


@asynccontextmanager
async def living_in(
    folder: Path, *, policies: Path | None = None, exporters: tuple[SpanExporter, ...] = (), env: dict[str, str] | None = None
) -> AsyncIterator[House]:
    """A house under ``folder``. ``policies``: the shipped ones unless another folder is named."""
    record, watcher = folder / "model.jsonl", Watcher()
    environment = {"TWILIO_AUTH_TOKEN": AUTH_TOKEN, "SORDINO_DATA": str(folder / "data"), **(env or {})}
    async with ScriptedModel(record=record) as model:
        settings = replace(Settings.from_env(environment, policies=policies, port=0), demo_llm=model.url)
        async with Gateway(settings, env=environment, observer=watcher, exporters=exporters) as gateway:
            yield House(gateway, model, watcher, settings.data, record)


def short_policies(folder: Path) -> Path:
    """The demo's policies with an announcement of 1.6 s, so that a journey about something else need not wait."""
    policies = folder / "policies"
    (policies / "tenants").mkdir(parents=True)
    (policies / "announcements").mkdir()
    registry = (ROOT / "policies" / "subprocessors.yaml").read_text(encoding="utf-8")
    (policies / "subprocessors.yaml").write_text(registry, encoding="utf-8")
    whole = read_wav(ANNOUNCEMENTS / "ai-and-privacy.en.wav")
    with wave.open(str(policies / "announcements" / "short.en.wav"), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(whole.rate)
        out.writeframes(whole.samples[: whole.rate * SHORT_MS // 1000 * 2])
    tenant = (ROOT / "policies" / "tenants" / "demo.yaml").read_text(encoding="utf-8")
    tenant = tenant.replace("ai-and-privacy.en.wav", "short.en.wav").replace("id: ai-and-privacy", "id: short")
    (policies / "tenants" / "demo.yaml").write_text(tenant, encoding="utf-8")
    return policies


def speech(name: str) -> Pcm:
    return read_wav(AUDIO / f"{name}.wav")


def text_of(receipt: Receipt) -> str:
    return json.dumps(receipt.document)


def kinds(receipt: Receipt) -> list[str]:
    return [entry.draft.kind for entry in receipt.entries]
