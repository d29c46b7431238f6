"""What really leaves for a vendor that hears or speaks: looked at on its own wire, and refused where it is not the Grant's."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import aclosing
from typing import Any

import aiohttp
import pytest

from gateway.adapters.conversation.plugins import plugin_ears
from gateway.adapters.conversation.plugins.hearing import PluginEar
from gateway.adapters.conversation.plugins.speaking import PluginVoice
from gateway.adapters.conversation.plugins.vendors import DeepgramEar, ElevenLabsEar
from gateway.adapters.providers.granted import Outlet
from gateway.adapters.providers.outbound import tls_contexts
from gateway.errors import Misconfigured, PolicyRefused, UpstreamFailed
from gateway.outgoing import Line
from gateway.policy.egress import Grant
from gateway.values import Hop, Pcm, Private
from tests.adapters.conversation.plugins.speech import KEY, PATIENT, SPEECH, Kept, ears, speech_grant, tone, voices
from tests.adapters.providers.certificates import authority_and_server
from tests.peers.speech.vendors import (
    Handler,
    OneHost,
    Vendor,
    cartesia_heard,
    deepgram_heard,
    elevenlabs_heard,
    sarvam_heard,
    sarvam_sounds,
    says,
    sounds,
    strict_session,
    vendor,
)

WORDS = [("I", 0.1, 0.2), ("am", 0.25, 0.4), ("Jonathan", 0.5, 1.1)]
HEARD = "I am Jonathan"
SENTENCE = "Thank you, Jonathan Miller."
HEARS: dict[str, Handler] = {
    "deepgram": says(deepgram_heard(HEARD, WORDS)),
    "elevenlabs": says(elevenlabs_heard(HEARD, WORDS)),
    "cartesia": cartesia_heard(HEARD, WORDS),
}
SPEAKS: dict[str, Callable[[bytes], Handler]] = {
    "deepgram": lambda pcm: sounds(pcm, kind="audio/l16;rate=24000"),
    "elevenlabs": sounds,
    "cartesia": lambda pcm: sounds(pcm, kind="application/octet-stream"),
    "sarvam": sarvam_sounds,
}


async def spoken(server: Vendor, dialect: str, text: str = SENTENCE, **changes: Any) -> bytes:
    async with voices() as speaking:
        grant = speech_grant(Hop.TTS, dialect, server.base_url, **changes)
        pieces = [piece async for piece in speaking[dialect].speak(grant, Private(text), language="en")]
    assert {piece.rate for piece in pieces} <= {24_000}
    return b"".join(piece.samples for piece in pieces)


@pytest.fixture(autouse=True)
def _no_other_doors(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys of somebody else lie in the environment, and nobody may take one."""
    for name in ("DEEPGRAM_API_KEY", "ELEVEN_API_KEY", "CARTESIA_API_KEY", "SARVAM_API_KEY"):
        monkeypatch.setenv(name, "sk-of-somebody-else")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")


# --- what each vendor is sent -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dialect", HEARS)
async def test_speech_goes_to_the_grants_host_with_its_flags_and_its_key_and_comes_back_as_timed_words(dialect: str) -> None:
    async with vendor(HEARS[dialect]) as server, ears() as hearing:
        grant = speech_grant(Hop.STT, dialect, server.base_url)
        heard = await hearing[dialect].transcribe_words(grant, SPEECH, language="en")
    assert heard.text == Private(HEARD)
    assert [(word.text.reveal(), round(word.start_ms), round(word.end_ms)) for word in heard.words] == [
        (word, round(start * 1000), round(end * 1000)) for word, start, end in WORDS
    ]
    (sent,) = server.received
    assert KEY in str(sent.headers)
    assert "somebody" not in str(sent.headers)
    everything = {**sent.query, **sent.fields}
    assert everything.get("model", everything.get("model_id")) == grant.model
    for name, value in grant.send.items():
        assert everything[name] == str(value).lower()
    assert SPEECH.reveal().samples in server.everything


async def test_the_real_query_of_a_deepgram_request() -> None:
    """The whole of it, so that a newer plugin that sends more is noticed."""
    async with vendor(HEARS["deepgram"]) as server, ears() as hearing:
        await hearing["deepgram"].transcribe(speech_grant(Hop.STT, "deepgram", server.base_url), SPEECH, language="en-US")
    (sent,) = server.received
    assert (sent.method, sent.path, sent.query) == (
        "POST",
        "/v1/listen",
        {
            "model": "nova-3",
            "language": "en-US",
            "mip_opt_out": "true",
            "detect_language": "false",
            "punctuate": "true",
            "smart_format": "false",
            "profanity_filter": "false",
            "numerals": "false",
        },
    )
    assert sent.raw.startswith(b"RIFF")


async def test_sarvam_is_asked_at_its_own_name_over_tls_and_nowhere_else() -> None:
    """Its plugin knows one address only."""
    authority, tls = authority_and_server("api.sarvam.ai")
    name = "api.sarvam.ai"
    async with vendor(says(sarvam_heard("haan")), tls=tls, host=name) as server, strict_session(OneHost(name, server)) as session:
        outlet = Outlet.over(session, Kept(), limits=PATIENT, tls=tls_contexts(authority))
        ear = plugin_ears(outlet.line)["sarvam"]
        grant = speech_grant(Hop.STT, "sarvam", "https://api.sarvam.ai")
        assert await ear.transcribe(grant, SPEECH, language="hi") == Private("haan")
        (sent,) = server.received
        fields = {name: value for name, value in sent.fields.items() if name != "file"}
        assert (sent.path, fields) == (
            "/speech-to-text",
            {"model": "saaras:v3", "language_code": "hi-IN", "mode": "transcribe"},
        )
        other = speech_grant(Hop.STT, "sarvam", "https://sarvam.example")
        with pytest.raises(PolicyRefused, match="another address"):
            await ear.transcribe(other, SPEECH, language="hi")
    assert len(server.received) == 1


@pytest.mark.parametrize("dialect", SPEAKS)
async def test_a_sentence_goes_to_the_grants_host_in_its_voice_and_comes_back_as_sound(dialect: str) -> None:
    pcm = tone(300).samples
    async with vendor(SPEAKS[dialect](pcm)) as server:
        assert await spoken(server, dialect) == pcm
    (sent,) = server.received
    assert KEY in str(sent.headers)
    assert "somebody" not in str(sent.headers)
    everything = {**sent.query, **sent.fields}
    assert everything.get("text", everything.get("transcript")) == SENTENCE
    for name, value in speech_grant(Hop.TTS, dialect, server.base_url).send.items():
        assert everything[name] == str(value).lower()


@pytest.mark.parametrize(
    ("dialect", "path"),
    [
        ("deepgram", "/v1/speak"),
        ("elevenlabs", "/v1/text-to-speech/voice1/stream"),
        ("cartesia", "/tts/bytes"),
        ("sarvam", "/text-to-speech"),
    ],
)
async def test_each_voice_is_asked_at_its_documented_path(dialect: str, path: str) -> None:
    async with vendor(SPEAKS[dialect](tone(100).samples)) as server:
        await spoken(server, dialect)
    assert [(sent.method, sent.path) for sent in server.received] == [("POST", path)]


@pytest.mark.parametrize("text", ["", " ", ".", "…", "—!"])
async def test_what_has_no_word_in_it_is_not_sent(text: str) -> None:
    async with vendor(SPEAKS["deepgram"](b"")) as server:
        assert await spoken(server, "deepgram", text) == b""
    assert server.received == []


# --- what is refused, and nothing was sent --------------------------------------------------------------------------------


class Disobedient(DeepgramEar):
    """Its plugin is told something else than the Grant says."""

    def __init__(self, **other: Any) -> None:
        self._other = other

    def client(self, grant: Grant, line: Line, language: str) -> Any:
        client = super().client(grant, line, language)
        for name, value in self._other.items():
            setattr(client._opts if hasattr(client._opts, name) else client, name, value)
        return client


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ({"mip_opt_out": False}, "another mip_opt_out"),
        ({"model": "nova-2"}, "another model"),
        ({"language": "de"}, "another language"),
        ({"detect_language": True}, "another detect_language|does not send language"),
        ({"keyterm": ["Miller"]}, "nobody looked at: keyterm"),
        ({"redact": ["pci"]}, "nobody looked at: redact"),
        ({"endpoint_url": "http://127.0.0.1:1/v1/listen"}, "another address"),
        ({"endpoint_url": "https://api.deepgram.com/v1/listen"}, "another address"),
        ({"_api_key": "sk-of-somebody-else"}, "another key"),
    ],
    ids=str,
)
async def test_a_client_that_would_send_other_than_the_grant_says_sends_nothing(other: dict[str, Any], told: str) -> None:
    async with vendor(HEARS["deepgram"]) as server, ears() as hearing:
        ear = PluginEar(Disobedient(**other), hearing["deepgram"]._open_line)
        with pytest.raises(PolicyRefused, match=told):
            await ear.transcribe(speech_grant(Hop.STT, "deepgram", server.base_url), SPEECH, language="en")
    assert server.received == []


async def test_what_was_compared_is_what_is_sent() -> None:
    """A value that looks like another field stays one value."""
    async with vendor(HEARS["deepgram"]) as server, ears() as hearing:
        ear = PluginEar(Disobedient(punctuate="true&mip_opt_out=false%26#x"), hearing["deepgram"]._open_line)
        await ear.transcribe(speech_grant(Hop.STT, "deepgram", server.base_url), SPEECH, language="en")
    (sent,) = server.received
    assert sent.query["punctuate"] == "true&mip_opt_out=false%26#x"
    assert sent.query["mip_opt_out"] == "true"


@pytest.mark.parametrize(
    ("dialect", "hop", "send"),
    [
        ("deepgram", Hop.STT, {"mip_opt_out": True, "no_storage": True}),
        ("deepgram", Hop.TTS, {"zero_retention": True}),
        ("elevenlabs", Hop.TTS, {"enable_logging": False, "store": False}),
        ("cartesia", Hop.TTS, {"store": False}),
        ("cartesia", Hop.STT, {"store": False}),
        ("sarvam", Hop.TTS, {"store": False}),
    ],
)
async def test_a_promise_that_the_plugin_cannot_send_stops_the_request(dialect: str, hop: Hop, send: dict[str, Any]) -> None:
    """A flag of the registry without which the processor's promise does not hold: without it nothing leaves."""
    answer = HEARS[dialect] if hop is Hop.STT else SPEAKS[dialect](b"")
    async with vendor(answer) as server:
        grant = speech_grant(hop, dialect, server.base_url, send=send)
        async with ears() as hearing, voices() as speaking:
            asking = (
                hearing[dialect].transcribe(grant, SPEECH, language="en") if hop is Hop.STT else _first(speaking[dialect], grant)
            )
            with pytest.raises(PolicyRefused, match="does not send"):
                await asking
    assert server.received == []


@pytest.mark.parametrize("send", [{"model": "other"}, {"language": "xx"}, {"numerals": True}], ids=str)
async def test_flags_may_not_change_what_is_asked_for(send: dict[str, Any]) -> None:
    async with vendor(HEARS["deepgram"]) as server, ears() as hearing:
        grant = speech_grant(Hop.STT, "deepgram", server.base_url, send=send)
        with pytest.raises(PolicyRefused, match="may not set"):
            await hearing["deepgram"].transcribe(grant, SPEECH, language="en")
    assert server.received == []


class Nosy(ElevenLabsEar):
    """Its client does more than it was asked for: each of these would go past the comparison."""

    def __init__(self, act: Callable[[Any, str], Any]) -> None:
        self._act = act

    def client(self, grant: Grant, line: Line, language: str) -> Any:
        client, act = super().client(grant, line, language), self._act

        async def recognize(*_: Any, **__: Any) -> Any:
            return await act(line.session, f"{line.base_url}/v1/speech-to-text")

        client.recognize = recognize
        return client


async def _posts(session: Any, url: str, **more: Any) -> None:
    good = {"headers": {"xi-api-key": KEY}, "data": _form()}
    async with session.post(f"{url}?enable_logging=false", **{**good, **more}):
        pass


def _form() -> aiohttp.FormData:
    form = aiohttp.FormData({"model_id": "scribe_v1", "language_code": "en", "tag_audio_events": "false"})
    form.add_field("file", b"RIFF", filename="audio.wav", content_type="audio/wav")
    return form


async def _twice(session: Any, url: str) -> None:
    await _posts(session, url)
    await _posts(session, url)


async def _duplicate_flag(session: Any, url: str) -> None:
    async with session.post(f"{url}?enable_logging=false&enable_logging=true", headers={"xi-api-key": KEY}, data=_form()):
        pass


NOSY: dict[str, tuple[Callable[[Any, str], Any], str]] = {
    "gets": (lambda session, url: session.get(url), "asks for get"),
    "opens a socket": (lambda session, url: session.ws_connect(url), "connects in a way"),
    "another verb": (lambda session, url: session.request("PUT", url), "asks for request"),
    "through a proxy": (lambda session, url: _posts(session, url, proxy="http://127.0.0.1:1"), "connects in a way"),
    "without checking names": (lambda session, url: _posts(session, url, ssl=False), "connects in a way"),
    "with a cookie": (lambda session, url: _posts(session, url, headers={"xi-api-key": KEY, "Cookie": "a=1"}), "cookie"),
    "a flag twice": (_duplicate_flag, "another enable_logging"),
    "bytes nobody can read": (lambda session, url: _posts(session, url, data=b"RIFF"), "cannot be compared"),
    "a password in the address": (lambda session, url: _posts(session, url.replace("//", "//a:b@")), "another address"),
    "twice": (_twice, "second request"),
}


@pytest.mark.parametrize(("act", "told"), NOSY.values(), ids=NOSY.keys())
async def test_a_client_can_do_nothing_but_its_one_request(act: Callable[[Any, str], Any], told: str) -> None:
    async with vendor(HEARS["elevenlabs"]) as server, ears() as hearing:
        ear = PluginEar(Nosy(act), hearing["elevenlabs"]._open_line)
        with pytest.raises(PolicyRefused, match=told):
            await ear.transcribe(speech_grant(Hop.STT, "elevenlabs", server.base_url), SPEECH, language="en")
    assert len(server.received) == (1 if act is _twice else 0)


async def test_no_client_makes_a_session_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it sent over one would be seen by nobody."""
    made: list[str] = []
    async with vendor(HEARS["deepgram"]) as server, ears() as hearing, voices() as speaking:
        real = aiohttp.ClientSession.__init__

        def noted(self: aiohttp.ClientSession, *args: Any, **kwargs: Any) -> None:
            made.append("a session")
            real(self, *args, **kwargs)

        monkeypatch.setattr(aiohttp.ClientSession, "__init__", noted)
        for dialect, ear in hearing.items():
            grant = speech_grant(Hop.STT, dialect, server.base_url)
            await _whatever(ear.transcribe(grant, SPEECH, language="en"))
        for dialect, voice in speaking.items():
            grant = speech_grant(Hop.TTS, dialect, server.base_url)
            await _whatever(_first(voice, grant))
    assert made == []


async def _first(voice: PluginVoice, grant: Grant) -> Pcm | None:
    async with aclosing(voice.speak(grant, Private(SENTENCE), language="en")) as pieces:
        return await anext(pieces, None)


async def _whatever(something: Any) -> None:
    try:
        await something
    except (UpstreamFailed, PolicyRefused):
        return


@pytest.mark.parametrize(
    ("changes", "error", "told"),
    [
        ({"hop": Hop.TTS}, PolicyRefused, "this Grant is for"),
        ({"dialect": "elevenlabs"}, PolicyRefused, "this Grant is for"),
        ({"model": "*"}, PolicyRefused, "names no model"),
        ({"model": ""}, PolicyRefused, "names no model"),
        ({"model": "nova-3&mip_opt_out=false"}, PolicyRefused, "names no model"),
        ({"base_url": "http://api.deepgram.com", "host": "api.deepgram.com"}, PolicyRefused, "plain text"),
        ({"host": "api.eu.deepgram.com"}, PolicyRefused, "another host"),
        ({"secret": "NOT_SET"}, Misconfigured, "NOT_SET"),
    ],
    ids=str,
)
async def test_a_grant_for_something_else_is_not_used(changes: dict[str, Any], error: type[Exception], told: str) -> None:
    async with vendor(HEARS["deepgram"]) as server, ears() as hearing:
        grant = speech_grant(Hop.STT, "deepgram", server.base_url, **changes)
        with pytest.raises(error, match=told):
            await hearing["deepgram"].transcribe(grant, SPEECH, language="en")
    assert server.received == []


async def test_a_route_without_a_voice_says_how_to_name_one() -> None:
    async with vendor(sounds(b"")) as server:
        with pytest.raises(Misconfigured, match="eleven_flash_v2_5/VOICE"):
            await spoken(server, "elevenlabs", model="eleven_flash_v2_5")
    assert server.received == []


async def test_a_processor_without_a_key_gets_none_from_the_environment() -> None:
    """One on this machine, say."""
    async with vendor(HEARS["deepgram"]) as server, ears() as hearing:
        grant = speech_grant(Hop.STT, "deepgram", server.base_url, secret=None)
        await hearing["deepgram"].transcribe(grant, SPEECH, language="en")
    assert server.received[0].headers["authorization"] == "Token none"


async def test_audio_of_any_rate_is_heard_at_16_khz() -> None:
    async with vendor(cartesia_heard("yes")) as server, ears() as hearing:
        grant = speech_grant(Hop.STT, "cartesia", server.base_url)
        await hearing["cartesia"].transcribe(grant, Private(Pcm(tone(500, rate=8_000).samples, 8_000)), language="en")
    assert len(server.audio) == pytest.approx(16_000, abs=200)
