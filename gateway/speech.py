"""Wiring of those who hear and speak elsewhere: by adapters of our own, or by livekit's plugins on a line of ours."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import aiohttp

from gateway.adapters.conversation.plugins import plugin_ears, plugin_voices, preload
from gateway.adapters.providers import aws_speech, azure_speech, google_speech, openai_speech
from gateway.adapters.providers.granted import Outlet
from gateway.adapters.providers.outbound import Saw, TlsContexts
from gateway.adapters.system import SystemClock
from gateway.policy.load import PolicySet
from gateway.ports import Secrets, SpeechToText, TextToSpeech
from gateway.values import ProcessorId

log = logging.getLogger(__name__)

OPENAI_VOICE = "alloy"
"""Where the processor's flags name none."""


@dataclass(frozen=True, slots=True)
class SpeechElsewhere:
    """Ears and voices by dialect."""

    stt: dict[str, SpeechToText]
    tts: dict[str, TextToSpeech]


def speech_elsewhere(
    session: aiohttp.ClientSession, secrets: Secrets, policies: PolicySet, tls: TlsContexts, saw: Saw | None = None
) -> SpeechElsewhere:
    """``session`` must come from ``outbound_session``, ``tls`` from ``tls_contexts``.

    Plugins that a route names are imported now, so that no call waits for them.
    """
    outlet = Outlet.over(session, secrets, tls=tls, saw=saw)
    openai = openai_speech.OpenAISpeech.over(session, secrets, tls=tls)
    by_plugin = plugin_ears(outlet.line).keys() | plugin_voices(outlet.line).keys()
    for name in preload(dialects_in_use(policies) & by_plugin):
        log.warning("a route names %s, whose plugin is not installed: pip install 'sordino[...]' with that name", name)
    return SpeechElsewhere(
        stt={
            **plugin_ears(outlet.line),
            openai_speech.DIALECT: openai.ear(),
            google_speech.DIALECT: google_speech.GoogleEar(outlet),
            azure_speech.DIALECT: azure_speech.AzureEar(outlet),
            aws_speech.DIALECT: aws_speech.TranscribeEar(outlet, SystemClock()),
        },
        tts={
            **plugin_voices(outlet.line),
            openai_speech.DIALECT: openai.voice(OPENAI_VOICE),
            google_speech.DIALECT: google_speech.GoogleVoice(outlet),
            azure_speech.DIALECT: azure_speech.AzureVoice(outlet),
            aws_speech.DIALECT: aws_speech.PollyVoice(outlet, SystemClock()),
        },
    )


def dialects_in_use(policies: PolicySet) -> frozenset[str]:
    """The dialects of everybody whom a tenant's route names for hearing or speaking."""
    named = [each.processor for tenant in policies.tenants.values() for each in (*tenant.route.stt, *tenant.route.tts)]
    entries = [policies.registry.entries.get(ProcessorId(name)) for name in named]
    return frozenset(entry.dialect for entry in entries if entry is not None)
