"""Who asks on a call not to be called again is on record before the call goes on; what cannot be recorded ends it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any, cast

import pytest

from gateway.call.events import CallerAudio, KeyPressed, LegEvent, LegStopped
from gateway.errors import StoreUnavailable
from gateway.policy.consent import How
from gateway.ports import Masker
from gateway.runner.leg import Leg
from gateway.runner.opt_out import HeardOnce, ListeningLeg, listening
from gateway.values import Pcm, Placeholder, Private
from tests.runner.desks import MovedClock

SOUND = CallerAudio(Private(Pcm(b"\0\0", 8000)), 0)


class Heard:
    """What was recorded, in order with what else happened."""

    def __init__(self, *, broken: bool = False) -> None:
        self.order: list[str] = []
        self.broken = broken

    async def record(self, how: How) -> None:
        if self.broken:
            raise StoreUnavailable("the store did not do what it was asked")
        self.order.append(how.value)

    async def mask(self, text: Private[str], **_: Any) -> str:
        self.order.append("masked")
        return "masked"

    def restore(self, placeholder: Placeholder) -> str:
        return f"restored {placeholder}"


def masker(heard: Heard) -> Masker:
    return listening(cast(Masker, heard), HeardOnce(heard.record))


async def test_a_spoken_request_is_recorded_before_the_turn_goes_on() -> None:
    """Once a call, however often it is said."""
    heard = Heard()
    watched = masker(heard)
    for words in ("good morning", "please stop calling me", "I said stop calling me"):
        await watched.mask(Private(words))
    assert heard.order == ["masked", "spoken", "masked", "masked"]


@pytest.mark.parametrize("how", [{"from_model": True}, {"said": False}])
async def test_only_the_other_sides_words_count(how: dict[str, Any]) -> None:
    """Not the agent's own, and not a tool's result that holds such words."""
    heard = Heard()
    await masker(heard).mask(Private("stop calling me"), **how)
    assert heard.order == ["masked"]


async def test_what_cannot_be_recorded_is_not_passed_over() -> None:
    """The call ends the way that fail-closed says, and nothing of the turn goes to a model; the next turn tries again."""
    heard = Heard(broken=True)
    watched = masker(heard)
    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            await watched.mask(Private("stop calling me"))
    assert heard.order == []
    heard.broken = False
    await watched.mask(Private("stop calling me"))
    assert heard.order == ["spoken", "masked"]


def test_everything_else_is_the_maskers_own() -> None:
    assert masker(Heard()).restore(Placeholder("<PERSON_1>")) == "restored <PERSON_1>"


class Line:
    """A leg whose events come at the times that the test says, in ms."""

    def __init__(self, clock: MovedClock, happens: Sequence[tuple[int, LegEvent]]) -> None:
        self.clock, self.happens, self.did = clock, happens, ""
        self.rate, self.acknowledges = 8000, "mark"

    async def events(self) -> AsyncIterator[LegEvent]:
        began, now = self.clock.at, 0
        for at, event in self.happens:
            self.clock.at = began
            now = at
            self.clock.move(milliseconds=now)
            yield event

    def __getattr__(self, name: str) -> Any:
        async def did(*_: object) -> None:
            self.did = name

        return did


def key(digit: str) -> KeyPressed:
    return KeyPressed(Private(digit))


@pytest.mark.parametrize(
    ("happens", "recorded"),
    [
        ([(0, SOUND), (100, key("9")), (1_000, SOUND), (2_200, SOUND)], True),
        ([(100, key("9")), (300, LegStopped())], True),
        ([(100, key("4")), (200, key("9")), (5_000, SOUND)], False),
        ([(100, key("9")), (200, key("4")), (5_000, SOUND)], False),
        ([(100, key("1")), (5_000, SOUND), (6_000, LegStopped())], False),
    ],
)
async def test_the_key_that_stands_alone_is_recorded(happens: Sequence[tuple[int, LegEvent]], recorded: bool) -> None:
    """Every event still goes on to the call, in its order."""
    heard, clock = Heard(), MovedClock()
    leg = ListeningLeg(cast(Leg, Line(clock, happens)), HeardOnce(heard.record), clock)
    passed = [event async for event in leg.events()]
    assert passed == [event for _, event in happens]
    assert heard.order == (["key-press"] if recorded else [])


async def test_the_leg_does_what_it_did() -> None:
    """Sound, marks and the end go through."""
    line = Line(MovedClock(), [])
    leg = ListeningLeg(cast(Leg, line), HeardOnce(Heard().record), MovedClock())
    assert (leg.rate, leg.acknowledges) == (8000, "mark")
    done = []
    for act in (leg.listen(), leg.send_audio(Pcm(b"", 8000)), leg.send_mark("m"), leg.send_clear(), leg.close()):
        await act
        done.append(line.did)
    assert done == ["listen", "send_audio", "send_mark", "send_clear", "close"]
