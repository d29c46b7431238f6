"""What tests of processors that hear and speak elsewhere share: Grants for them, a line, and secrets."""

from __future__ import annotations

import math
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from yarl import URL

from gateway.adapters.conversation.plugins import PluginEar, PluginVoice, plugin_ears, plugin_voices
from gateway.adapters.providers.exchange import Limits
from gateway.adapters.providers.granted import Outlet
from gateway.adapters.providers.outbound import outbound_session, tls_contexts
from gateway.errors import Misconfigured
from gateway.policy.egress import Grant
from gateway.values import CallId, DataCategory, Hop, Pcm, Private, ProcessorId, TenantId

KEY = "sk-of-the-grant-4711"
PATIENT = Limits(connect_s=60.0, first_byte_s=60.0, between_chunks_s=60.0, whole_s=120.0, most_bytes=1 << 20)
"""So long that no busy machine makes a test fail."""

FLAGS: dict[str, dict[str, object]] = {"deepgram": {"mip_opt_out": True}, "elevenlabs": {"enable_logging": False}}
HEARD_BY = {"deepgram": "nova-3", "elevenlabs": "scribe_v1", "cartesia": "ink-whisper", "sarvam": "saaras:v3"}
SPOKEN_BY = {
    "deepgram": "aura-2-thalia-en",
    "elevenlabs": "eleven_flash_v2_5/voice1",
    "cartesia": "sonic-3/voice-1",
    "sarvam": "bulbul:v3/shubh",
}


class Kept:
    """Implements ``gateway.ports.Secrets`` with one secret."""

    def __init__(self, **values: str) -> None:
        self.values = values or {"VENDOR_KEY": KEY}

    def read(self, name: str) -> Private[str]:
        if name not in self.values:
            raise Misconfigured(f"the secret {name} is not set")
        return Private(self.values[name])


def speech_grant(hop: Hop, dialect: str, base_url: str, /, **changes: Any) -> Grant:
    """As the policy would make it for that vendor at that address."""
    heard = hop is Hop.STT
    facts: dict[str, Any] = {
        "id": "grant_1",
        "tenant": TenantId("acme"),
        "call": CallId("call_1"),
        "hop": hop,
        "processor": ProcessorId(f"{dialect}-eu"),
        "processor_name": dialect,
        "dialect": dialect,
        "base_url": base_url,
        "host": URL(base_url).host,
        "region": "eu",
        "model": (HEARD_BY if heard else SPOKEN_BY)[dialect],
        "purpose": "conversation",
        "categories": frozenset({DataCategory.VOICE if heard else DataCategory.TRANSCRIPT}),
        "masked": False,
        "send": FLAGS.get(dialect, {}),
        "secret": "VENDOR_KEY",
        "issued_at": datetime(2026, 11, 22, tzinfo=UTC),
    }
    return Grant(**{**facts, **changes})


TLS = tls_contexts()
"""Reading the trusted authorities takes a while: once for all tests."""


@asynccontextmanager
async def ears(limits: Limits = PATIENT) -> AsyncIterator[dict[str, PluginEar]]:
    async with outbound_session() as session:
        yield dict(plugin_ears(Outlet.over(session, Kept(), limits=limits, tls=TLS).line))


@asynccontextmanager
async def voices(limits: Limits = PATIENT) -> AsyncIterator[dict[str, PluginVoice]]:
    async with outbound_session() as session:
        yield dict(plugin_voices(Outlet.over(session, Kept(), limits=limits, tls=TLS).line))


def tone(ms: int, *, rate: int = 24_000, hz: int = 440, level: int = 6000) -> Pcm:
    """A sine: audio that can be told from silence and from other tones."""
    count = rate * ms // 1000
    return Pcm(b"".join(struct.pack("<h", round(level * math.sin(2 * math.pi * hz * at / rate))) for at in range(count)), rate)


SPEECH = Private(tone(500, rate=16_000))
