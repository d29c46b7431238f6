"""The ear for yes and no: one Grant for consent, this machine only, each stretch of speech in words, nothing kept."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gateway.adapters.conversation.answer_ear import LocalAnswerEar
from gateway.audio import read_wav
from gateway.errors import PolicyRefused, UpstreamFailed
from gateway.policy.egress import Grant
from gateway.values import DataCategory, Hop, Pcm, Private
from tests.adapters.conversation.call import granted
from tests.adapters.conversation.processors import Script

AUDIO = Path(__file__).parents[2] / "journeys" / "audio"
VOICE = frozenset({DataCategory.VOICE})


class Door:
    """Grants what the test says, and keeps what was asked."""

    def __init__(self, **changed: Any) -> None:
        self.grant_: Grant = replace(granted(Hop.STT, "local-ear", VOICE), **changed)
        self.asked: list[tuple[Hop, frozenset[DataCategory], str]] = []

    async def grant(self, hop: Hop, categories: frozenset[DataCategory], *, purpose: str = "conversation", **_: Any) -> Grant:
        self.asked.append((hop, categories, purpose))
        return self.grant_


async def _ready() -> None:
    return


def ear(script: Script, door: Door) -> LocalAnswerEar:
    return LocalAnswerEar({"test": script}, door, _ready, "en")


def say(ear: LocalAnswerEar, name: str) -> None:
    """A caller's answer with a second of silence behind it, in frames of 20 ms at the telephone's rate."""
    samples = read_wav((AUDIO / f"{name}.wav").read_bytes()).samples + bytes(16_000)
    for at in range(0, len(samples), 320):
        ear.hear(Private(Pcm(samples[at : at + 320], 8_000)))


async def words_of(ear: LocalAnswerEar) -> list[str]:
    async with asyncio.timeout(20):
        return [words.reveal() async for words in ear.words()]


async def test_an_answer_comes_in_words_under_a_grant_for_consent() -> None:
    script, door = Script("yes"), Door()
    hearing = ear(script, door)
    say(hearing, "yes-i-agree")
    hearing.close()
    assert await words_of(hearing) == ["yes"]
    assert door.asked == [(Hop.STT, VOICE, "consent")]
    assert script.grants == [door.grant_]
    assert not hearing.busy


async def test_what_was_said_before_the_recogniser_is_warm_waits_for_it() -> None:
    warm, script = asyncio.Event(), Script("yes")

    async def ready() -> None:
        await warm.wait()

    hearing = LocalAnswerEar({"test": script}, Door(), ready, "en")
    say(hearing, "yes-i-agree")
    hearing.close()
    assert hearing.busy
    warm.set()
    assert await words_of(hearing) == ["yes"]


@pytest.mark.parametrize("changed", [{"region": "eu"}, {"dialect": "deepgram"}], ids=["elsewhere", "a wire of its own"])
async def test_no_voice_goes_to_a_processor_that_is_not_on_this_machine(changed: dict[str, str]) -> None:
    """Whatever the policy granted."""
    script = Script("yes")
    hearing = ear(script, Door(**changed))
    say(hearing, "yes-i-agree")
    hearing.close()
    with pytest.raises(PolicyRefused, match="on this machine only"):
        await words_of(hearing)
    assert script.asked == []


async def test_a_recogniser_that_fails_is_told() -> None:
    hearing = ear(Script(UpstreamFailed("it broke")), Door())
    say(hearing, "no-thank-you")
    hearing.close()
    with pytest.raises(UpstreamFailed):
        await words_of(hearing)
