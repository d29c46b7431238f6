"""The ear cuts what a caller says into whole stretches, has their words early, and lets out masked text only."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from livekit import rtc
from livekit.agents import stt

from gateway.adapters.conversation.ears import GuardedRecognition, GuardedSTT, Listening, Stretch, StretchCutter
from gateway.adapters.conversation.phone import HEARING_HZ
from gateway.audio import level, read_wav, resample
from gateway.errors import RedactionUnavailable, StoreUnavailable, UpstreamFailed, UpstreamTimeout
from gateway.values import Pcm, Private
from tests.adapters.conversation.call import HEAR, Call
from tests.adapters.conversation.processors import Script

AUDIO = Path(__file__).parents[3] / "gateway" / "demo" / "audio"
FILES = [entry["file"] for entry in json.loads((AUDIO / "index.json").read_text())]
HOW = Listening()


def silence(ms: int) -> bytes:
    return bytes(HEARING_HZ * ms // 1000 * 2)


@cache
def said(file: str) -> bytes:
    """A shipped recording at the rate of the ear: from its first sound to its last, in whole frames of 20 ms."""
    samples = resample(read_wav(AUDIO / file), HEARING_HZ).samples
    loud = [at for at in range(0, len(samples), 640) if level(Pcm(samples[at : at + 640], HEARING_HZ)) > 300]
    return samples[loud[0] : loud[-1] + 640]


def cut(samples: bytes, *, chunk: int = 640, how: Listening = HOW) -> list[Stretch]:
    cutter = StretchCutter(how)
    return [piece for at in range(0, len(samples), chunk) for piece in cutter.push(samples[at : at + chunk])]


class TestTheCutter:
    @pytest.mark.parametrize("file", FILES)
    def test_a_spoken_turn_with_silence_around_it_is_one_whole_stretch(self, file: str) -> None:
        wholes = [piece for piece in cut(silence(600) + said(file) + silence(1_200)) if piece.whole]
        assert len(wholes) == 1

    @pytest.mark.parametrize("file", FILES)
    def test_nothing_that_was_said_is_cut_off(self, file: str) -> None:
        """The audible part of the recording lies within the stretch, which holds no more silence than it keeps on purpose."""
        [whole] = [piece for piece in cut(silence(600) + said(file) + silence(1_200)) if piece.whole]
        loud_ms = len(said(file)) / 32
        assert loud_ms <= whole.pcm.ms <= loud_ms + HOW.before_ms + HOW.pause_ms + 300
        assert said(file)[640:-640] in whole.pcm.samples

    @pytest.mark.parametrize("file", FILES)
    def test_what_is_recognised_at_the_pause_is_the_whole_when_nothing_more_is_said(self, file: str) -> None:
        pieces = cut(silence(600) + said(file) + silence(1_200))
        [*_, last_pause, whole] = pieces
        assert (last_pause.whole, whole.whole) == (False, True)
        assert last_pause.pcm == whole.pcm
        assert (last_pause.silent_ms, whole.silent_ms) == (HOW.pause_ms, HOW.silence_ms)

    def test_who_goes_on_after_a_pause_makes_another_stretch_of_it(self) -> None:
        """A card number that is read with pauses comes whole."""
        first, second = said("yes-correct.wav"), said("opening-hours.wav")
        pieces = cut(silence(500) + first + silence(500) + second + silence(1_000))
        wholes = [piece for piece in pieces if piece.whole]
        early = [piece for piece in pieces if not piece.whole]
        assert len(wholes) == 1
        assert wholes[0].pcm.samples.startswith(early[0].pcm.samples)
        assert wholes[0].pcm.ms > early[0].pcm.ms + 500

    def test_silence_gives_nothing(self) -> None:
        assert cut(silence(5_000)) == []

    def test_who_never_stops_is_cut_at_the_longest_stretch(self) -> None:
        how = Listening(longest_ms=2_000, silence_ms=60_000, pause_ms=50_000)
        wholes = [piece for piece in cut(said("name-and-address.wav") * 3, how=how) if piece.whole]
        assert len(wholes) >= 2
        assert all(piece.pcm.ms <= 2_000 for piece in wholes)

    def test_what_was_being_said_when_the_caller_went_is_a_stretch_too(self) -> None:
        cutter = StretchCutter(HOW)
        assert cutter.push(silence(300) + said("opening-hours.wav")[: 640 * 40]) == []
        assert cutter.speaking
        assert [piece.whole for piece in cutter.end()] == [True]
        assert not cutter.speaking
        assert cutter.end() == []

    @pytest.mark.parametrize(
        ("hole_ms", "sure"), [(0, True), (400, False)], ids=["every frame", "frames that livekit left out in the middle of it"]
    )
    def test_a_stretch_says_where_it_stands_and_whether_that_is_sure(self, hole_ms: int, sure: bool) -> None:
        """A recorder finds its words by it: what is not sure is hidden as a whole."""
        samples = silence(600) + said("opening-hours.wav") + silence(1_200)
        cutter, pieces = StretchCutter(HOW), list[Stretch]()
        for at in range(0, len(samples), 640):
            begins = at / 32 + (hole_ms if at / 32 >= 1_500 else 0)
            pieces += cutter.push(samples[at : at + 640], begins)
        [whole] = [piece for piece in pieces if piece.whole]
        assert whole.sure is sure
        assert 300 <= whole.start_ms <= 700
        assert whole.end_ms - whole.start_ms - hole_ms == pytest.approx(whole.pcm.ms + HOW.silence_ms - HOW.pause_ms, abs=20)
        assert cutter.quiet_until_ms > whole.end_ms - HOW.before_ms

    @settings(max_examples=25, deadline=None)
    @given(cuts=st.lists(st.integers(1, 9_000), max_size=60))
    def test_stretches_do_not_depend_on_how_the_audio_came(self, cuts: list[int]) -> None:
        """Any chunking, odd numbers of bytes too, gives the very same stretches."""
        samples = silence(400) + said("yes-correct.wav") + silence(900)
        cutter, at, pieces = StretchCutter(HOW), 0, []
        for size in cuts:
            pieces += cutter.push(samples[at : at + size])
            at += size
        pieces += cutter.push(samples[at:])
        assert pieces == expected()


@cache
def expected() -> list[Stretch]:
    return cut(silence(400) + said("yes-correct.wav") + silence(900))


class Line:
    """Audio in at the ear, events out."""

    def __init__(self, stream: GuardedRecognition) -> None:
        self.stream = stream

    def hear(self, samples: bytes) -> None:
        for at in range(0, len(samples) - 639, 640):
            self.stream.push_frame(rtc.AudioFrame(samples[at : at + 640], HEARING_HZ, 1, 320))

    async def next(self) -> stt.SpeechEvent:
        async with asyncio.timeout(5):
            return await self.stream.__anext__()

    async def rest(self) -> list[stt.SpeechEvent]:
        """What comes until the end: no more audio is said."""
        self.stream.end_input()
        async with asyncio.timeout(5):
            return [event async for event in self.stream]


@asynccontextmanager
async def listening(call: Call, script: Script) -> AsyncIterator[Line]:
    stream = GuardedSTT(script, HEAR, call.turns, language="en").stream()
    try:
        yield Line(stream)
    finally:
        await stream.aclose()


def texts(events: Sequence[stt.SpeechEvent]) -> list[str]:
    return [event.alternatives[0].text for event in events if event.type is stt.SpeechEventType.FINAL_TRANSCRIPT]


def kinds(events: Sequence[stt.SpeechEvent]) -> list[str]:
    return [str(event.type.value) for event in events]


ONE = silence(400) + said("yes-correct.wav") + silence(900)


class TestTheEar:
    async def test_lets_out_the_masked_words_of_a_turn_and_nothing_else(self) -> None:
        call, script = Call(), Script("my name is Jonathan Miller")
        async with listening(call, script) as line:
            line.hear(ONE)
            events = await line.rest()
        assert kinds(events) == ["start_of_speech", "final_transcript", "end_of_speech"]
        assert texts(events) == ["my name is <PERSON_1>"]
        assert "Miller" not in repr(events)
        assert script.grants == [HEAR]

    async def test_says_what_was_masked_by_counts_alone(self) -> None:
        call = Call()
        async with listening(call, Script("I am Ada Lovelace, card 4532118096612345")) as line:
            line.hear(ONE)
            await line.rest()
        assert call.told.records == [("masked", {"turn": 1, "counts": {"CREDIT_CARD": 1, "PERSON": 1}})]

    async def test_asks_once_for_a_stretch_that_had_paused_before_it_ended(self) -> None:
        call, script = Call(), Script("yes that is correct")
        async with listening(call, script) as line:
            line.hear(ONE)
            assert texts(await line.rest()) == ["yes that is correct"]
        assert len(script.asked) == 1

    async def test_begins_to_recognise_at_the_pause(self) -> None:
        """The answer need not wait for the end of the turn and for the recogniser, one after the other."""
        call, script = Call(), Script("yes")
        async with listening(call, script) as line:
            line.hear(silence(400) + said("yes-correct.wav") + silence(HOW.pause_ms + 300))
            await script.until_asked(1)
            assert call.told.shown == []
            line.hear(silence(HOW.silence_ms))
            assert texts(await line.rest()) == ["yes"]

    async def test_has_the_words_read_by_the_mask_at_the_pause_already(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """At the end of the turn nothing is left to detect, and nothing was shown or kept before it."""
        call, script, read = Call(), Script("my name is Jonathan Miller"), asyncio.Event()
        ahead = call.masker.ahead

        async def reading(text: Private[str], *, previous: str = "") -> None:
            await ahead(text, previous=previous)
            read.set()

        monkeypatch.setattr(call.masker, "ahead", reading)
        async with listening(call, script) as line:
            line.hear(silence(400) + said("yes-correct.wav") + silence(HOW.pause_ms + 300))
            async with asyncio.timeout(5):
                await read.wait()
            assert (call.told.shown, call.vault.values) == ([], {})
            line.hear(silence(HOW.silence_ms))
            assert texts(await line.rest()) == ["my name is <PERSON_1>"]
        assert call.detector.asked == ["my name is Jonathan Miller"]

    async def test_forgets_what_was_read_when_the_caller_goes_on(self) -> None:
        call, script = Call(), Script("I am Ada Lovelace", "I am Ada Lovelace's neighbour")
        async with listening(call, script) as line:
            line.hear(silence(400) + said("yes-correct.wav") + silence(440))
            await script.until_asked(1)
            line.hear(said("opening-hours.wav") + silence(900))
            assert texts(await line.rest()) == ["I am <PERSON_1>'s neighbour"]

    async def test_throws_an_early_recognition_away_when_the_caller_goes_on(self) -> None:
        call, script = Call(), Script(None, "yes that is correct, when are you open")
        async with listening(call, script) as line:
            line.hear(silence(400) + said("yes-correct.wav") + silence(440))
            await script.until_asked(1)
            line.hear(said("opening-hours.wav") + silence(900))
            assert texts(await line.rest()) == ["yes that is correct, when are you open"]
        assert script.cancelled == 1
        assert script.asked[1].samples.startswith(script.asked[0].samples)

    async def test_a_thrown_away_recognition_may_fail(self) -> None:
        """Nobody waits for its words, so its failure fails nothing."""
        call, script = Call(), Script(UpstreamFailed("broken"), "the whole of it")
        async with listening(call, script) as line:
            line.hear(silence(400) + said("yes-correct.wav") + silence(440))
            await script.until_asked(1)
            line.hear(said("opening-hours.wav") + silence(900))
            assert texts(await line.rest()) == ["the whole of it"]
        assert call.codes == []

    async def test_keeps_the_order_of_turns_when_the_first_is_slow(self) -> None:
        call, script = Call(), Script(None, "second")
        async with listening(call, script) as line:
            line.hear(ONE + ONE)
            await script.until_asked(2)
            script.let("first")
            assert texts(await line.rest()) == ["first", "second"]

    async def test_hears_the_next_words_while_it_recognises(self) -> None:
        call, script = Call(), Script(None, "second")
        async with listening(call, script) as line:
            line.hear(ONE)
            assert (await line.next()).type is stt.SpeechEventType.START_OF_SPEECH
            line.hear(ONE)
            assert (await line.next()).type is stt.SpeechEventType.START_OF_SPEECH
            script.let("first")
            assert texts(await line.rest()) == ["first", "second"]

    async def test_a_sound_without_words_ends_without_a_transcript(self) -> None:
        async with listening(Call(), Script("")) as line:
            line.hear(ONE)
            assert kinds(await line.rest()) == ["start_of_speech", "end_of_speech"]

    async def test_what_was_being_said_when_the_caller_went_is_recognised(self) -> None:
        async with listening(Call(), Script("when are you o")) as line:
            line.hear(silence(300) + said("opening-hours.wav")[: 640 * 40])
            assert texts(await line.rest()) == ["when are you o"]

    @pytest.mark.parametrize(
        ("breaks", "code"),
        [
            (lambda call, script: script.answers.__setitem__(0, UpstreamFailed("broken")), "upstream_failed"),
            (lambda call, script: script.answers.__setitem__(0, UpstreamTimeout("slow")), "upstream_timeout"),
            (lambda call, script: setattr(call.detector, "broken", RedactionUnavailable("gone")), "redaction_unavailable"),
            (lambda call, script: setattr(call.vault, "remember", _lost), "store_unavailable"),
        ],
        ids=["recogniser fails", "recogniser too slow", "detector gone", "vault gone"],
    )
    async def test_lets_out_no_text_when_a_part_cannot_answer(self, breaks: Callable[[Call, Script], None], code: str) -> None:
        """The call is told which part it was; the words stay in."""
        call, script = Call(), Script("I am Ada Lovelace")
        breaks(call, script)
        async with listening(call, script) as line:
            line.hear(ONE)
            events = await line.rest()
        assert call.codes == [code]
        assert kinds(events) == ["start_of_speech"]

    async def test_goes_on_hearing_after_a_failure(self) -> None:
        """What a failure means for the call is not the ear's to say."""
        call = Call()
        async with listening(call, Script(UpstreamFailed("broken"), "good bye")) as line:
            line.hear(ONE + ONE)
            assert texts(await line.rest()) == ["good bye"]
        assert call.codes == ["upstream_failed"]

    async def test_a_failure_marks_its_stage(self) -> None:
        call = Call()
        async with listening(call, Script(UpstreamTimeout("slow"))) as line:
            line.hear(ONE)
            assert texts(await line.rest()) == []
        assert call.telemetry.failed == [("sordino.listen", "upstream_timeout")]

    async def test_speech_that_is_given_in_one_piece_is_masked_too(self) -> None:
        """livekit's other way to recognise."""
        call, script = Call(), Script("I am Ada Lovelace")
        ear = GuardedSTT(script, HEAR, call.turns, language="en")
        frame = rtc.AudioFrame(silence(20), HEARING_HZ, 1, 320)
        event = await ear.recognize([frame, frame])
        assert texts([event]) == ["I am <PERSON_1>"]
        assert script.asked == [Pcm(silence(40), HEARING_HZ)]

    def test_names_what_the_policy_granted(self) -> None:
        ear = GuardedSTT(Script(), HEAR, Call().turns, language="en")
        assert (ear.model, ear.provider) == ("m-1", "ear")


async def _lost(values: object) -> None:
    raise StoreUnavailable("gone")
