"""The vendors: how each one's plugin is made from a Grant, and the one request that it may send for it.

A field that is not named here was not looked at, and a request with it is refused: read what a newer plugin sends before its
version is changed in ``pyproject.toml``.
"""

from __future__ import annotations

from typing import Any

from gateway.adapters.conversation.plugins.clients import base_language, model_and_voice, plugin
from gateway.errors import Misconfigured, UpstreamFailed
from gateway.outgoing import Line, RequestShape
from gateway.policy.egress import Grant

SPEAKING_HZ = 24_000
SOUND = ("audio/", "application/octet-stream")
_INDIAN = frozenset({"as", "bn", "en", "gu", "hi", "kn", "ml", "mr", "ne", "od", "pa", "sa", "sd", "ta", "te", "ur"})


class DeepgramEar:
    """Source: https://developers.deepgram.com/reference/speech-to-text/listen-pre-recorded."""

    dialect = "deepgram"
    streams = False

    def shape(self, grant: Grant, language: str) -> RequestShape:
        return RequestShape(
            path="/v1/listen",
            key_header="Authorization",
            key_prefix="Token ",
            must={"model": grant.model, "language": language, "detect_language": "false"},
            may=frozenset({"punctuate", "smart_format", "profanity_filter", "numerals"}),
            raw=True,
        )

    def client(self, grant: Grant, line: Line, language: str) -> Any:
        return plugin("deepgram").STT(
            model=grant.model,
            language=language,
            api_key=line.key(),
            base_url=f"{line.base_url}/v1/listen",
            http_session=line.session,
            mip_opt_out=grant.send.get("mip_opt_out") is True,
        )


class DeepgramVoice:
    """Its models are voices. Source: https://developers.deepgram.com/reference/text-to-speech/speak-request."""

    dialect = "deepgram"

    def shape(self, grant: Grant, language: str) -> RequestShape:
        return RequestShape(
            path="/v1/speak",
            key_header="Authorization",
            key_prefix="Token ",
            must={"model": grant.model, "encoding": "linear16", "container": "none", "sample_rate": str(SPEAKING_HZ)},
            may=frozenset({"text"}),
            answers=SOUND,
        )

    def client(self, grant: Grant, line: Line, language: str) -> Any:
        return plugin("deepgram").TTS(
            model=grant.model,
            encoding="linear16",
            sample_rate=SPEAKING_HZ,
            api_key=line.key(),
            base_url=f"{line.base_url}/v1/speak",
            http_session=line.session,
            mip_opt_out=grant.send.get("mip_opt_out") is True,
        )


class ElevenLabsEar:
    """Source: https://elevenlabs.io/docs/api-reference/speech-to-text/convert."""

    dialect = "elevenlabs"
    streams = False

    def shape(self, grant: Grant, language: str) -> RequestShape:
        return RequestShape(
            path="/v1/speech-to-text",
            key_header="xi-api-key",
            must={"model_id": grant.model, "language_code": base_language(language), "tag_audio_events": "false"},
            may=frozenset({"file"} | _logging(grant)),
        )

    def client(self, grant: Grant, line: Line, language: str) -> Any:
        return plugin("elevenlabs").STT(
            model=grant.model,
            language_code=base_language(language),
            tag_audio_events=False,
            api_key=line.key(),
            base_url=f"{line.base_url}/v1",
            http_session=line.session,
            enable_logging=grant.send.get("enable_logging") is not False,
        )


class ElevenLabsVoice:
    """Source: https://elevenlabs.io/docs/api-reference/text-to-speech/stream."""

    dialect = "elevenlabs"

    def shape(self, grant: Grant, language: str) -> RequestShape:
        model, voice = model_and_voice(grant)
        return RequestShape(
            path=f"/v1/text-to-speech/{voice}/stream",
            key_header="xi-api-key",
            must={"model_id": model, "output_format": f"pcm_{SPEAKING_HZ}"},
            may=frozenset({"text", "voice_settings", "apply_text_normalization"} | _logging(grant)),
            answers=SOUND,
        )

    def client(self, grant: Grant, line: Line, language: str) -> Any:
        model, voice = model_and_voice(grant)
        return plugin("elevenlabs").TTS(
            model=model,
            voice_id=voice,
            encoding=f"pcm_{SPEAKING_HZ}",
            api_key=line.key(),
            base_url=f"{line.base_url}/v1",
            http_session=line.session,
            enable_logging=grant.send.get("enable_logging") is not False,
        )


def _logging(grant: Grant) -> frozenset[str]:
    """The plugin always says it; where the Grant says it too, only one value is taken."""
    return frozenset() if "enable_logging" in grant.send else frozenset({"enable_logging"})


class CartesiaEar:
    """Its models without turns of their own, over a WebSocket. Source: https://docs.cartesia.ai/api-reference/stt/stt."""

    dialect = "cartesia"
    streams = True

    def shape(self, grant: Grant, language: str) -> RequestShape:
        if not grant.model.startswith("ink-whisper"):
            raise Misconfigured(f"{grant.model} at {grant.processor} makes turns of its own", hint="write model: ink-whisper")
        return RequestShape(
            path="/stt/websocket",
            key_header="X-API-Key",
            must={
                "model": grant.model,
                "language": base_language(language),
                "encoding": "pcm_s16le",
                "sample_rate": "16000",
            },
            headers=frozenset({"cartesia-version"}),
            socket=True,
        )

    def client(self, grant: Grant, line: Line, language: str) -> Any:
        return plugin("cartesia").STT(
            model=grant.model,
            language=base_language(language),
            api_key=line.key(),
            base_url=line.base_url,
            http_session=line.session,
        )


class CartesiaVoice:
    """Source: https://docs.cartesia.ai/api-reference/tts/bytes."""

    dialect = "cartesia"

    def shape(self, grant: Grant, language: str) -> RequestShape:
        model, voice = model_and_voice(grant)
        return RequestShape(
            path="/tts/bytes",
            key_header="X-API-Key",
            must={
                "model_id": model,
                "voice.mode": "id",
                "voice.id": voice,
                "language": base_language(language),
                "output_format.container": "raw",
                "output_format.encoding": "pcm_s16le",
                "output_format.sample_rate": str(SPEAKING_HZ),
            },
            may=frozenset({"transcript"}),
            headers=frozenset({"cartesia-version"}),
            answers=SOUND,
        )

    def client(self, grant: Grant, line: Line, language: str) -> Any:
        model, voice = model_and_voice(grant)
        return plugin("cartesia").TTS(
            model=model,
            voice=voice,
            language=base_language(language),
            sample_rate=SPEAKING_HZ,
            api_key=line.key(),
            base_url=line.base_url,
            http_session=line.session,
            word_timestamps=False,
        )


class SarvamEar:
    """The plugin always asks api.sarvam.ai; a Grant for another host is refused.

    Source: https://docs.sarvam.ai/api-reference-docs/speech-to-text/transcribe.
    """

    dialect = "sarvam"
    streams = False

    def shape(self, grant: Grant, language: str) -> RequestShape:
        return RequestShape(
            path="/speech-to-text",
            key_header="api-subscription-key",
            must={"model": grant.model, "language_code": _indian(grant, language), "mode": "transcribe"},
            may=frozenset({"file"}),
        )

    def client(self, grant: Grant, line: Line, language: str) -> Any:
        return plugin("sarvam").STT(
            model=grant.model,
            language=_indian(grant, language),
            mode="transcribe",
            api_key=line.key(),
            http_session=line.session,
        )


class SarvamVoice:
    """Source: https://docs.sarvam.ai/api-reference-docs/text-to-speech/convert."""

    dialect = "sarvam"

    def shape(self, grant: Grant, language: str) -> RequestShape:
        model, voice = model_and_voice(grant)
        settings = {"pace", "pitch", "loudness", "temperature", "enable_preprocessing"}
        sizes = {"output_audio_bitrate", "min_buffer_size", "max_chunk_length"}
        return RequestShape(
            path="/text-to-speech",
            key_header="api-subscription-key",
            must={
                "model": model,
                "speaker": voice,
                "target_language_code": _indian(grant, language),
                "speech_sample_rate": str(SPEAKING_HZ),
                "output_audio_codec": "linear16",
            },
            may=frozenset({"text"} | settings | sizes),
        )

    def client(self, grant: Grant, line: Line, language: str) -> Any:
        model, voice = model_and_voice(grant)
        return plugin("sarvam").TTS(
            model=model,
            speaker=voice,
            target_language_code=_indian(grant, language),
            speech_sample_rate=SPEAKING_HZ,
            output_audio_codec="linear16",
            api_key=line.key(),
            base_url=f"{line.base_url}/text-to-speech",
            http_session=line.session,
        )


def _indian(grant: Grant, language: str) -> str:
    """``hi-IN``. Raises UpstreamFailed for a language that is not spoken there: then another processor is asked."""
    base = base_language(language)
    if base not in _INDIAN:
        raise UpstreamFailed(f"{grant.processor} does not know the language {base}", hint="route it to another processor")
    return f"{base}-IN"


EARS = (DeepgramEar(), ElevenLabsEar(), CartesiaEar(), SarvamEar())
VOICES = (DeepgramVoice(), ElevenLabsVoice(), CartesiaVoice(), SarvamVoice())
