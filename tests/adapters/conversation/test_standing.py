"""A processor that hears or speaks and fails is followed by the next one that the policy permits, under a Grant of its own."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest

from gateway.adapters.conversation.standing import Hearing, Speaking, Standing
from gateway.errors import PolicyRefused, SordinoError, UpstreamFailed, UpstreamTimeout
from gateway.policy.egress import Grant
from gateway.values import DataCategory, Hop, Pcm, Private, ProcessorId, TimedWord, Transcribed
from tests.adapters.conversation.call import HEAR, SPEAK, Door
from tests.adapters.conversation.processors import Mouth, Script

SPEECH = Private(Pcm(b"\0\0" * 1600, 16_000))
ROUTE = {Hop.STT: ("ear", "second", "third"), Hop.TTS: ("mouth", "second", "third")}


def hearing(script: Script, door: Door) -> Hearing:
    return Hearing({"test": script}, Standing(door, HEAR), language="en")


def speaking(mouth: Mouth, door: Door, *, rate: int = 24_000) -> Speaking:
    return Speaking({"test": mouth}, Standing(door, SPEAK), language="en", rate=rate)


class TestTheEar:
    @pytest.mark.parametrize("failure", [UpstreamFailed("broken"), UpstreamTimeout("late")])
    async def test_the_next_one_hears_the_same_speech_under_a_new_grant(self, failure: SordinoError) -> None:
        door, script = Door(ROUTE), Script(failure, "yes")
        heard = await hearing(script, door).transcribe(SPEECH, timed=False)
        assert heard.text == Private("yes")
        assert [str(grant.processor) for grant in script.grants] == ["ear", "second"]
        assert door.asked == [(Hop.STT, frozenset({DataCategory.VOICE}), frozenset({ProcessorId("ear")}))]
        assert script.grants[1] is door.given[0]

    async def test_who_failed_is_not_asked_again_on_this_call(self) -> None:
        door, script = Door(ROUTE), Script(UpstreamFailed("broken"), "one", "two")
        ear = hearing(script, door)
        for _ in range(2):
            await ear.transcribe(SPEECH, timed=False)
        assert [str(grant.processor) for grant in script.grants] == ["ear", "second", "second"]
        assert len(door.given) == 1

    async def test_two_stretches_that_fail_at_once_ask_for_one_new_grant(self) -> None:
        both = asyncio.Barrier(2)

        class FailsTogether(Script):
            async def transcribe(self, grant: Grant, speech: Private[Pcm], *, language: str) -> Private[str]:
                if grant.processor == "ear":
                    await both.wait()
                    raise UpstreamFailed("broken")
                return await super().transcribe(grant, speech, language=language)

        door = Door(ROUTE)
        ear = hearing(FailsTogether("one", "two"), door)
        async with asyncio.timeout(30):
            heard = await asyncio.gather(ear.transcribe(SPEECH, timed=False), ear.transcribe(SPEECH, timed=False))
        assert {each.text.reveal() for each in heard} == {"one", "two"}
        assert len(door.given) == 1

    async def test_when_nobody_is_left_the_last_failure_is_told(self) -> None:
        door, last = Door(ROUTE), UpstreamTimeout("late")
        script = Script(UpstreamFailed("broken"), UpstreamFailed("broken"), last)
        with pytest.raises(UpstreamTimeout) as raised:
            await hearing(script, door).transcribe(SPEECH, timed=False)
        assert raised.value is last

    async def test_a_refusal_is_no_failure(self) -> None:
        """What would send other than its Grant says is a fault, not a reason to try the same data elsewhere."""
        door = Door(ROUTE)
        with pytest.raises(PolicyRefused):
            await hearing(Script(PolicyRefused("another host")), door).transcribe(SPEECH, timed=False)
        assert door.given == []

    async def test_a_dialect_that_nobody_speaks_is_refused(self) -> None:
        with pytest.raises(PolicyRefused, match="no adapter here speaks 'test'"):
            await Hearing({}, Standing(Door(ROUTE), HEAR), language="en").transcribe(SPEECH, timed=False)

    @pytest.mark.parametrize("timed", [True, False])
    async def test_times_of_words_are_asked_for_only_where_somebody_wants_them(self, timed: bool) -> None:
        words = (TimedWord(Private("yes"), 10, 200),)

        class Timed(Script):
            async def transcribe_words(self, grant: Grant, speech: Private[Pcm], *, language: str) -> Transcribed:
                return Transcribed(await self.transcribe(grant, speech, language=language), words)

        heard = await hearing(Timed("yes"), Door(ROUTE)).transcribe(SPEECH, timed=timed)
        assert heard == Transcribed(Private("yes"), words if timed else ())


class TestTheVoice:
    async def test_before_the_first_sound_the_next_one_says_the_sentence(self) -> None:
        door, mouth = Door(ROUTE), Silent(UpstreamFailed("broken"))
        said = await speaking(mouth, door).whole(Private("Good morning."))
        assert [str(grant.processor) for grant in mouth.grants] == ["mouth", "second"]
        assert door.asked == [(Hop.TTS, frozenset({DataCategory.TRANSCRIPT}), frozenset({ProcessorId("mouth")}))]
        assert said.ms == 40

    async def test_after_it_nobody_says_it_again(self) -> None:
        """The caller would hear its beginning twice."""
        door, mouth = Door(ROUTE), Mouth(breaks_at=1)
        async with aclosing(speaking(mouth, door).speak(Private("Good morning."))) as pieces:
            assert (await anext(pieces)).ms == 20
            with pytest.raises(UpstreamFailed):
                await anext(pieces)
        assert door.given == []

    async def test_another_rate_is_brought_to_the_calls_own(self) -> None:
        said = await speaking(Mouth(ms=400), Door(ROUTE), rate=16_000).whole(Private("Good morning."))
        assert said.rate == 16_000
        assert said.ms == pytest.approx(400, abs=5)


class Silent(Mouth):
    """The first time it fails before it has made a sound."""

    def __init__(self, failure: SordinoError) -> None:
        super().__init__()
        self._failure: SordinoError | None = failure

    async def speak(self, grant: Grant, text: Private[str], *, language: str):  # type: ignore[no-untyped-def]
        failure, self._failure = self._failure, None
        if failure is not None:
            self.grants.append(grant)
            raise failure
        async for pcm in super().speak(grant, text, language=language):
            yield pcm
