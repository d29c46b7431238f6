"""Every dialect of speech that the catalogue names is spoken, and a plugin that is not installed is told at the start."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from gateway import speech
from gateway.adapters.providers.outbound import outbound_session
from gateway.policy.load import PolicySet, load
from gateway.speech import dialects_in_use, speech_elsewhere
from gateway.values import Hop
from tests.adapters.conversation.plugins.speech import TLS, Kept

POLICIES = Path(__file__).parents[1] / "policies"
NOT_YET = {"assemblyai"}
"""Listed and explained; a call that reaches one is refused."""


@pytest.fixture(scope="module")
def shipped() -> PolicySet:
    return load({str(path): path.read_text(encoding="utf-8") for path in sorted(POLICIES.rglob("*.yaml"))})


def routed(*processors: str) -> PolicySet:
    names = ", ".join(f"{{processor: {name}, model: m}}" for name in processors)
    catalogue = (POLICIES / "subprocessors.yaml").read_text(encoding="utf-8")
    return load({"subprocessors.yaml": catalogue, "tenants/acme.yaml": f"tenant: acme\nroute:\n  stt: [{names}]\n"})


async def test_every_entry_for_speech_has_an_adapter(shipped: PolicySet) -> None:
    async with outbound_session() as session:
        elsewhere = speech_elsewhere(session, Kept(), shipped, TLS)
    adapters = {Hop.STT: elsewhere.stt.keys() | {"moonshine"}, Hop.TTS: elsewhere.tts.keys() | {"hibari"}}
    entries = [entry for entry in shipped.registry.entries.values() if entry.kind in adapters]
    assert {entry.dialect for entry in entries if entry.dialect not in adapters[Hop(entry.kind)]} == NOT_YET


def test_only_what_a_route_names_is_loaded(shipped: PolicySet) -> None:
    assert dialects_in_use(shipped) == {"moonshine", "hibari"}
    assert dialects_in_use(routed("deepgram-eu-stt", "local-moonshine")) == {"deepgram", "moonshine"}


async def test_a_plugin_that_is_not_installed_is_told_at_the_start(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    asked: list[frozenset[str]] = []

    def none_installed(names: frozenset[str]) -> tuple[str, ...]:
        asked.append(names)
        return tuple(names)

    monkeypatch.setattr(speech, "preload", none_installed)
    async with outbound_session() as session:
        with caplog.at_level(logging.WARNING, "gateway.speech"):
            speech_elsewhere(session, Kept(), routed("deepgram-eu-stt", "local-moonshine", "google-eu-stt"), TLS)
    assert asked == [frozenset({"deepgram"})]
    assert "pip install" in caplog.text
    assert "deepgram" in caplog.text
