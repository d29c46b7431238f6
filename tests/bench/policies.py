"""The tenants that the bench calls: one that announces for long, one that announces shortly, one that does not."""

from __future__ import annotations

import shutil
import wave
from pathlib import Path

from gateway.adapters.stores.policy_folder import shipped_policies
from gateway.audio import read_wav
from gateway.values import Pcm

ANNOUNCING, CALLING, TALKING = "+15550101", "+15550102", "+15550103"
AUTH_TOKEN = "bench-auth-token-of-nobody"
LONG_TIMES = 14
"""Two and a half minutes: longer than the steps of the announcement last."""
SHORT_MS = 2_000

_TENANT = """\
tenant: {name}
{packs}
language: en
regions: [local]
origins: [us]
training: prohibited
route:
  stt: [{{processor: local-moonshine, model: tiny-en}}]
  llm:
    - {{processor: openai-global, model: gpt-4o-mini}}
    - {{processor: mistral, model: mistral-small-latest}}
    - {{processor: local-demo-llm, model: sordino-scripted-demo}}
  tts: [{{processor: local-hibari, model: heart}}]
masking: {{default: pseudonym, CVV: drop, US_SSN: drop}}
recording: {{enabled: false}}
announcements: {announcements}
numbers: ["{number}"]
carrier: {{twilio: {{auth_token: TWILIO_AUTH_TOKEN}}}}
agent: agents.receptionist:Receptionist
"""

_SAYING = "extends: []"
_SILENT = """\
extends: [ca-ai-disclosure]
loosens:
  - {setting: disclose.ai, pack: ca-ai-disclosure, reason: nobody but the bench calls}
  - {setting: disclose.caller, pack: ca-ai-disclosure, reason: nobody but the bench calls}"""


def write_policies(folder: Path) -> Path:
    """A policy folder for the bench under ``folder``; the shipped registry, and the shipped announcement, longer and shorter."""
    policies = folder / "policies"
    (policies / "tenants").mkdir(parents=True)
    (policies / "announcements").mkdir()
    shutil.copyfile(shipped_policies() / "subprocessors.yaml", policies / "subprocessors.yaml")
    shipped = read_wav(shipped_policies() / "announcements" / "ai-and-privacy.en.wav")
    short = Pcm(shipped.samples[: SHORT_MS * shipped.rate // 1000 * 2], shipped.rate)
    long = Pcm(shipped.samples * LONG_TIMES, shipped.rate)
    for name, pcm in (("bench-long", long), ("bench-short", short)):
        _write_wav(policies / "announcements" / f"{name}.wav", pcm)
    for name, number, asset in (
        ("announcing", ANNOUNCING, "bench-long"),
        ("calling", CALLING, "bench-short"),
        ("talking", TALKING, ""),
    ):
        announced = f"[{{id: {asset}, language: en, text: Announced., asset: {asset}.wav, says: [ai]}}]" if asset else "[]"
        text = _TENANT.format(name=name, number=number, announcements=announced, packs=_SAYING if asset else _SILENT)
        (policies / "tenants" / f"{name}.yaml").write_text(text, encoding="utf-8")
    return policies


def _write_wav(path: Path, pcm: Pcm) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(pcm.rate)
        file.writeframes(pcm.samples)
